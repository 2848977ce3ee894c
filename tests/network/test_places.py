import csv
import gzip
from pathlib import Path

import pytest

from app.network import places
from app.network.places import destination_zones, locate, state_zones

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "geo" / "us_zip_centroids.csv.gz"


def test_a_zip_code_is_found_with_its_point_zone_and_state():
    place = locate("10001")
    assert (place.timezone, place.region, place.precision) == ("America/New_York", "NY", "zip")
    assert place.lat == pytest.approx(40.7484, abs=1e-4)
    assert place.lon == pytest.approx(-73.9967, abs=1e-4)


@pytest.mark.parametrize(
    "written", ["02139", "2139", " 02139 ", "02139-4307", "02139 4307", "021394307", "21394307"]
)
def test_zip_plus_four_and_lost_leading_zeros_are_read(written):
    assert locate(written) == locate("02139")
    assert locate(written).region == "MA"


def test_a_territory_is_found_under_either_country_code():
    assert locate("00901", "PR") == locate("00901", "US")
    assert locate("00901", "PR").timezone == "America/Puerto_Rico"
    assert locate(None, "GU").timezone == "Pacific/Guam"


def test_an_unknown_zip_falls_back_to_its_area_then_to_the_state():
    area = locate("10000")
    assert (area.region, area.precision) == ("NY", "zip3")
    assert abs(area.lat - 40.75) < 0.2
    state = locate("00000", "US", "nv")
    assert (state.region, state.timezone, state.precision) == ("NV", "America/Los_Angeles", "state")
    assert locate("", "US", "NV") == locate(None, "US", "NV") == state


def test_a_zip_the_source_cannot_locate_keeps_its_own_zone_and_state():
    chuuk = locate("96941", "FM")
    assert (chuuk.timezone, chuuk.region) == ("Pacific/Chuuk", "FM")
    assert chuuk.precision == "zip3"
    assert locate("56901").region == "DC"


@pytest.mark.parametrize(
    "asked",
    [
        ("09012", "US", "AE"),
        ("34001", "US", "AA"),
        ("96201", "US", "AP"),
        ("K1A 0B6", "CA", "ON"),
        ("75001", "FR", None),
        ("", "US", None),
        (None, "US", None),
        ("not a ZIP", "US", None),
        ("१२३४५", "US", None),
        ("00000", "US", "ZZ"),
    ],
)
def test_military_foreign_and_unreadable_codes_have_no_place(asked):
    assert locate(*asked) is None


def test_a_state_in_two_zones_answers_with_the_one_whose_day_ends_first():
    assert state_zones("TN") == ("America/New_York",)
    assert state_zones("id") == ("America/Boise",)
    assert state_zones("AZ") == ("America/Denver",)
    assert state_zones("Atlantis") == ()
    assert state_zones("AP") == ("Pacific/Auckland",)


def test_destination_zones_widen_from_zip_to_state_to_country():
    assert destination_zones("US", "TN", "38103") == ("America/Chicago",)
    assert destination_zones("US", "TN", None) == ("America/New_York",)
    assert destination_zones("US") == ("America/New_York",)
    assert destination_zones("CA", "BC", "V5K 0A1") == ("America/St_Johns",)
    assert destination_zones("AU", "WA") == ("Australia/Lord_Howe",)
    assert destination_zones("ZZ") == ()


def test_the_table_stays_small():
    table = places._table()
    columns = (table.zips, table.lat, table.lon, table.zone, table.state)
    assert sum(column.nbytes for column in columns) < 2_000_000
    assert Path(places.__file__).with_name("places.npz").stat().st_size < 700_000


@pytest.mark.skipif(not SHARED.exists(), reason="the shared ZIP table is not on this machine")
def test_every_located_civilian_zip_agrees_with_the_shared_table():
    with gzip.open(SHARED, "rt", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["type"] != "MILITARY" and float(row["lat"] or 0)]
    assert len(rows) > 41_000
    for row in rows:
        place = locate(row["zip"])
        assert place.precision == "zip"
        assert place.region == row["state"]
        assert abs(place.lat - float(row["lat"])) < 1e-4
        assert abs(place.lon - float(row["lon"])) < 1e-4
        assert place.timezone == row["timezone"] or row["timezone"] == "Napakiak"  # the source's own misprint
