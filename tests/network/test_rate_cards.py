"""Rate cards over the API, and the configuration that routing reads them into."""

from __future__ import annotations

import numpy as np
import pytest

from app.network.rate_cards import put_pairs
from app.routing.configuration import configuration
from app.routing.rules import Destination
from tenants.scope import inside
from tests.factories import Merchant

CARD = {
    "name": "Ground, commercial",
    "carrier": "USPS",
    "service": "Ground Advantage",
    "currency": "USD",
    "zone_by": "zip3",
    "zone_miles": [150.0, 600.5],
    "dim_divisor": 166,
    "dim_unit": "in3_per_lb",
    "dim_over": 1728,
    "surcharges": [{"code": "home", "amount": 350, "when": "residential", "value": None}],
    "fuel_percent": 12.25,
    "transit_days": [1, 3, 5],
    "prices": [{"weight_g": 454, "amounts": [500, 600, None]}, {"weight_g": 907, "amounts": [700, 800, 900]}],
}


def test_put_answers_201_then_200_and_get_shows_every_field(merchant: Merchant):
    assert merchant.put("/rate-cards/GA", CARD).status_code == 201
    answer = merchant.put("/rate-cards/GA", CARD)
    assert answer.status_code == 200
    counts = {"zones": 3, "steps": 2, "zone_origins": 0, "nodes": 0}
    assert answer.get_json() == CARD | {"rate_card": "GA"} | counts
    assert merchant.ok("GET", "/rate-cards/GA") == answer.get_json()
    merchant.ok("PUT", "/rate-cards/A", {"name": "Another"})
    first = merchant.ok("GET", "/rate-cards?limit=1")
    assert [one["rate_card"] for one in first["data"]] == ["A"]
    assert "prices" not in first["data"][0]
    assert [one["steps"] for one in merchant.ok("GET", f"/rate-cards?after={first['next']}")["data"]] == [2]


def test_prices_left_out_stay_and_must_still_fit(merchant: Merchant):
    merchant.ok("PUT", "/rate-cards/GA", CARD)
    rest = {name: value for name, value in CARD.items() if name != "prices"}
    assert merchant.ok("PUT", "/rate-cards/GA", rest)["prices"] == CARD["prices"]
    wide = rest | {"zone_miles": [1.0, 2.0, 3.0], "transit_days": []}
    answer = merchant.put("/rate-cards/GA", wide)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/prices")
    assert merchant.ok("PUT", "/rate-cards/GA", wide | {"prices": []})["steps"] == 0


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"currency": "EUR"}, "/currency"),
        ({"zone_by": "planet"}, "/zone_by"),
        ({"zone_miles": [600, 150]}, "/zone_miles"),
        ({"zone_miles": [0, 1]}, "/zone_miles/0"),
        ({"zone_miles": []}, "/zone_miles"),
        ({"dim_divisor": 0}, "/dim_divisor"),
        ({"fuel_percent": 12.255}, "/fuel_percent"),
        ({"fuel_percent": "1e50"}, "/fuel_percent"),
        ({"transit_days": [1]}, "/transit_days"),
        ({"surcharges": [{"code": "x", "amount": 1, "when": "weight_over_g"}]}, "/surcharges/0/value"),
        ({"surcharges": [{"code": "x", "amount": 1, "when": "always", "value": 3}]}, "/surcharges/0/value"),
        ({"surcharges": [{"code": "x", "amount": 1.5}]}, "/surcharges/0/amount"),
        ({"prices": [{"weight_g": 1, "amounts": [1, 2]}], "transit_days": []}, "/prices"),
        ({"prices": [{"weight_g": 1, "amounts": [None, None, None]}]}, "/prices"),
        ({"prices": [*CARD["prices"], {"weight_g": 907, "amounts": [1, 2, 3]}]}, "/prices/2/weight_g"),
        ({"prices": [CARD["prices"][0], {"weight_g": 907, "amounts": [1, 2]}]}, "/prices/1/amounts"),
        ({"prices": [{"weight_g": 1, "amounts": [-1, 2, 3]}]}, "/prices/0/amounts/0"),
        ({"color": "red"}, "/color"),
    ],
)
def test_what_is_wrong_is_named(merchant: Merchant, change: dict, pointer: str):
    answer = merchant.put("/rate-cards/GA", CARD | change)
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert merchant.get("/rate-cards/GA").status_code == 404


def test_a_card_of_one_s_own_only_and_with_permission(merchant: Merchant, other_merchant: Merchant):
    merchant.ok("PUT", "/rate-cards/GA", CARD)
    assert other_merchant.get("/rate-cards/GA").status_code == 404
    assert other_merchant.ok("GET", "/rate-cards")["data"] == []
    refused = other_merchant.put("/nodes/N", {"name": "N", "kind": "virtual", "rate_card": "GA"})
    assert refused.get_json()["errors"][0]["pointer"] == "/rate_card"
    assert merchant.another_key("nodes:read").put("/rate-cards/GA", CARD).status_code == 403
    assert merchant.provider.get("/rate-cards/GA").status_code == 403


def test_routing_reads_cards_and_node_facts_as_arrays_in_network_order(merchant: Merchant):
    merchant.ok("PUT", "/rate-cards/GA", CARD)
    merchant.node(
        "B", "10001", "NY", rate_card="GA", capacity_per_hour=4, capabilities=["hazard"], cutoff="15:00"
    )
    merchant.node("A", zones=[{"regions": ["NV"]}], capacity_per_day=9)
    with inside(merchant.tenant_id) as scope:
        assert put_pairs(scope, "GA", [(100, 837, 1), (100, 895, 9)]) == [True, True]
        assert put_pairs(scope, "GA", [(100, 837, 2)]) == [False]
    with inside(merchant.tenant_id) as scope:
        network = configuration(scope).network
        assert configuration(scope).network is network
    assert network.codes == ("A", "B")
    assert network.capacity_per_day.tolist() == [9, -1]
    assert network.capacity_per_hour.tolist() == [-1, 4]
    assert network.capable("hazard").tolist() == [False, True]
    assert network.capable("flying").tolist() == [False, False]
    assert network.reach.serves("US", "ID", "83702").tolist() == [False, True]
    assert network.timetables[1].cutoff is not None
    tariffs = network.tariffs
    assert tariffs.priced.tolist() == [False, True]
    boise = network.distances(Destination(43.6, -116.2, "ID", "83702", "US"))
    rows = tariffs.rows("US", "83702", boise)
    assert tariffs.transit_days(rows).tolist() == [-1, 3]
    asked = tariffs.table(np.array([400, 900]), residential=False)[rows]
    assert asked.tolist() == [[0, 0], [674, 898]]
    merchant.ok("PUT", "/rate-cards/GA", CARD | {"fuel_percent": 0})
    with inside(merchant.tenant_id) as scope:
        later = configuration(scope).network
    assert later.tariffs.table(np.array([400]), residential=False)[rows].tolist() == [[0], [600]]
    assert later.digest != network.digest
