"""Which nodes deliver where."""

from __future__ import annotations

from app.network.reach import Reach


def zone(country: str = "US", regions: tuple = (), zip_prefixes: tuple = ()) -> dict:
    return {"country": country, "regions": list(regions), "zip_prefixes": list(zip_prefixes)}


def test_a_node_without_zones_delivers_everywhere():
    reach = Reach([[], []])
    assert reach.everywhere
    assert reach.serves("DE").tolist() == [True, True]


def test_countries_regions_and_zip_areas():
    reach = Reach(
        [[], [zone()], [zone(regions=("NV", "CA"))], [zone(zip_prefixes=("10", "11215"))], [zone("CA")]]
    )
    assert reach.serves("US", "NV", "89501").tolist() == [True, True, True, False, False]
    assert reach.serves("US", "nv ", "").tolist() == [True, True, True, False, False]
    assert reach.serves("US", "NY", "10001").tolist() == [True, True, False, True, False]
    assert reach.serves("US", "NY", "11215-1234").tolist() == [True, True, False, True, False]
    assert reach.serves("US", "NY", "11216").tolist() == [True, True, False, False, False]
    assert reach.serves("CA", "ON", "M5V 2T6").tolist() == [True, False, False, False, True]
    assert reach.serves("US", "NV", "89501") is reach.serves("US", "NV", "89501")


def test_a_zone_serves_what_either_its_regions_or_its_zip_areas_name():
    reach = Reach([[zone(regions=("NV",), zip_prefixes=("96",))]])
    assert [
        bool(reach.serves("US", *place)[0]) for place in (("NV", "1"), ("CA", "96101"), ("CA", "94101"))
    ] == [
        True,
        True,
        False,
    ]
