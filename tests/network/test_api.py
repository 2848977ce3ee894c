"""Nodes over the API."""

from __future__ import annotations

import pytest

from tenants.scope import inside
from tests.factories import Merchant

RENO = {"line1": "1 Dock Rd", "city": "Reno", "region": "NV", "postal_code": "89501", "country": "US"}


def test_put_answers_201_then_200_and_get_shows_every_field(merchant: Merchant):
    body = {
        "name": "Reno DC",
        "kind": "warehouse",
        "address": RENO,
        "latitude": 39.5,
        "longitude": -119.8,
        "timezone": "America/Los_Angeles",
        "capacity_per_day": 40,
        "handling_per_package": {"amount": 150, "currency": "USD"},
        "handling_per_unit": {"amount": 20, "currency": "USD"},
        "priority": 5,
        "cutoff": "14:30",
        "open": False,
        "capacity_per_hour": 6,
        "handling_minutes": 90,
        "cutoffs": {"Ground": "16:00", "Next day": "12:30"},
        "calendar": {
            "open_days": ["mon", "tue"],
            "hours": {"mon": ["09:00", "17:00"], "tue": ["12:00", "24:00"]},
            "closed": ["2026-12-25"],
            "holidays": "us_federal",
        },
        "capabilities": ["hazard", "own_paint_shop"],
        "zones": [
            {"country": "US", "regions": ["NV"], "zip_prefixes": ["96", "97"]},
            {"country": "CA", "regions": [], "zip_prefixes": []},
        ],
        "rate_card": "GROUND",
    }
    merchant.ok("PUT", "/rate-cards/GROUND", {"name": "Ground"})
    assert merchant.put("/nodes/DC1", body).status_code == 201
    answer = merchant.put("/nodes/DC1", body)
    assert answer.status_code == 200
    assert answer.get_json() == body | {"node": "DC1", "code": "DC1"}
    assert merchant.ok("GET", "/nodes/DC1") == answer.get_json()


def test_place_and_zone_come_from_the_address(merchant: Merchant):
    merchant.ok("PUT", "/nodes/N", {"name": "N", "address": RENO, "handling_per_unit": 12})
    node = merchant.ok("GET", "/nodes/N")
    assert (round(node["latitude"]), round(node["longitude"])) == (40, -120)
    assert node["timezone"] == "America/Los_Angeles"
    assert node["handling_per_unit"] == {"amount": 12, "currency": "USD"}


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"address": {"country": "FR"}}, ["/latitude", "/timezone"]),
        ({"address": {}}, ["/latitude", "/timezone"]),
        ({"address": {}, "latitude": 1.0, "longitude": 1.0}, ["/timezone"]),
        ({"latitude": 1.0}, ["/longitude"]),
        ({"latitude": 91.0, "longitude": 0.0}, ["/latitude"]),
        ({"timezone": "Mars/Base"}, ["/timezone"]),
        ({"kind": "boat"}, ["/kind"]),
        ({"cutoff": "25:00"}, ["/cutoff"]),
        ({"calendar": {"open_days": ["someday"]}}, ["/calendar/open_days/0"]),
        ({"calendar": {"closed": ["Xmas"]}}, ["/calendar/closed/0"]),
        ({"handling_per_unit": {"amount": 1, "currency": "EUR"}}, ["/handling_per_unit/currency"]),
        ({"handling_per_unit": -1}, ["/handling_per_unit/amount"]),
        ({"capacity_per_day": -1}, ["/capacity_per_day"]),
        ({"capacity_per_hour": 1.5}, ["/capacity_per_hour"]),
        ({"handling_minutes": -1}, ["/handling_minutes"]),
        ({"cutoffs": {"Ground": "4 pm"}}, ["/cutoffs/Ground/value"]),
        ({"calendar": {"hours": {"mon": ["9:00", "17:00"]}}}, ["/calendar/hours/mon/value/0"]),
        ({"calendar": {"hours": {"mon": ["17:00", "09:00"]}}}, ["/calendar/hours/mon"]),
        ({"calendar": {"hours": {"sun": ["09:00", "17:00"]}}}, ["/calendar/hours/sun"]),
        ({"calendar": {"holidays": "bavarian"}}, ["/calendar/holidays"]),
        ({"capabilities": ["Gift wrap"]}, ["/capabilities/0"]),
        ({"zones": [{"country": "usa"}]}, ["/zones/0/country"]),
        ({"zones": [{"zip_prefixes": ["8 9"]}]}, ["/zones/0/zip_prefixes/0"]),
        ({"zones": [{"regions": ["897"]}]}, ["/zones/0/regions/0"]),
        ({"zones": [{"regions": ["NV", "FM", "AE", "California"]}]}, ["/zones/0/regions/3"]),
        ({"cutoffs": {"Ground; fast": "16:00"}}, ["/cutoffs/Ground; fast/key"]),
        ({"zones": [{"states": ["NV"]}]}, ["/zones/0/states"]),
        ({"rate_card": "NOBODYS"}, ["/rate_card"]),
    ],
)
def test_what_is_wrong_is_named(merchant: Merchant, change: dict, pointers: list[str]):
    answer = merchant.put("/nodes/N", {"name": "N", "address": RENO} | change)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == pointers
    assert merchant.get("/nodes/N").status_code == 404


def test_a_virtual_node_needs_no_place(merchant: Merchant):
    merchant.ok("PUT", "/nodes/V", {"name": "Downloads", "kind": "virtual"})
    node = merchant.ok("GET", "/nodes/V")
    assert (node["latitude"], node["timezone"]) == (None, "America/New_York")


def test_every_change_makes_the_configuration_stale(merchant: Merchant):
    def version() -> int:
        with inside(merchant.tenant_id) as scope:
            return scope.tenant.config_version

    before = version()
    node = merchant.node()
    assert version() == before + 1
    sku = merchant.sku()
    merchant.stock(node, sku, 5)
    assert merchant.order((sku, 1))["lines"][0]["allocated"] == 1
    merchant.node(node, open=False)
    assert merchant.order((sku, 1))["lines"][0]["backordered"] == 1


def test_the_list_pages_by_code_and_filters(merchant: Merchant):
    for code in ("B", "A", "C"):
        merchant.node(code, kind="store" if code == "C" else "warehouse", open=code != "B")
    first = merchant.ok("GET", "/nodes?limit=2")
    assert [one["node"] for one in first["data"]] == ["A", "B"]
    assert [one["node"] for one in merchant.ok("GET", f"/nodes?after={first['next']}")["data"]] == ["C"]
    assert [one["node"] for one in merchant.ok("GET", "/nodes?kind=store")["data"]] == ["C"]
    assert [one["node"] for one in merchant.ok("GET", "/nodes?open=false")["data"]] == ["B"]
    assert [one["node"] for one in merchant.ok("GET", "/nodes?q=node%20a")["data"]] == ["A"]


def test_only_one_s_own_and_only_with_permission(merchant: Merchant, other_merchant: Merchant):
    node = merchant.node()
    assert other_merchant.get(f"/nodes/{node}").status_code == 404
    assert other_merchant.ok("GET", "/nodes")["data"] == []
    assert merchant.provider.get(f"/nodes/{node}").status_code == 403
    reader = merchant.another_key("nodes:read")
    assert reader.put(f"/nodes/{node}", {"name": "x", "address": RENO}).status_code == 403


def test_what_was_read_may_be_sent_back(merchant: Merchant):
    code = merchant.node(cutoff="15:00")
    read = merchant.ok("GET", f"/nodes/{code}")
    assert merchant.ok("PUT", f"/nodes/{code}", read) == read
    other = merchant.call("PUT", f"/nodes/{code}", read | {"node": "OTHER"})
    assert (other.status_code, other.get_json()["errors"][0]["pointer"]) == (422, "/node")
    assert merchant.get("/nodes/OTHER").status_code == 404


def test_a_node_without_a_calendar_is_open_every_day(merchant: Merchant):
    body = {"name": "Reno", "address": {"postal_code": "89501"}, "calendar": None}
    assert merchant.ok("PUT", "/nodes/RENO", body)["calendar"] == {}
