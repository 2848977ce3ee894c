"""Counts of a node become cases; a person decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tenants.scope import inside
from tests.allocation.support import CASH, assert_books, line_of, statements, stock_of
from tests.factories import Merchant


@pytest.fixture
def shelf(merchant: Merchant) -> tuple[Merchant, str, str]:
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, 10)
    return merchant, node, sku


def count(merchant: Merchant, node: str, **units: int) -> dict:
    lines = [{"sku": sku, "on_hand": number} for sku, number in units.items()]
    return merchant.provider.ok("POST", "/stock/counts", {"node": node, "lines": lines})


def test_a_difference_is_a_case_and_changes_nothing(shelf):
    merchant, node, sku = shelf
    answer = count(merchant, node, **{sku: 7})
    assert answer["agreed"] == 0
    [case] = answer["cases"]
    assert (case["kind"], case["expected"], case["counted"], case["state"]) == ("count", 10, 7, "open")
    assert stock_of(merchant, sku) == {(node, "sellable"): (10, 0)}


def test_an_equal_count_closes_the_case(shelf):
    merchant, node, sku = shelf
    count(merchant, node, **{sku: 7})
    assert count(merchant, node, **{sku: 10}) == {"node": node, "agreed": 1, "cases": []}
    assert merchant.ok("GET", "/stock/cases?state=open")["data"] == []


def test_counting_again_leaves_one_open_case(shelf):
    merchant, node, sku = shelf
    count(merchant, node, **{sku: 7})
    count(merchant, node, **{sku: 8})
    assert [one["counted"] for one in merchant.ok("GET", "/stock/cases?state=open")["data"]] == [8]


@pytest.mark.parametrize(("counted", "after"), [(7, (7, 0)), (12, (12, 0)), (0, (0, 0))])
def test_accepting_adjusts_with_cause_count(shelf, counted: int, after: tuple[int, int]):
    merchant, node, sku = shelf
    [case] = count(merchant, node, **{sku: counted})["cases"]
    done = merchant.ok("POST", f"/stock/cases/{case['id']}/acceptance", {"note": "seen"})
    assert (done["state"], done["note"]) == ("accepted", "seen")
    assert stock_of(merchant, sku) == {(node, "sellable"): after}
    [movement, _] = merchant.ok("GET", f"/stock/movements?sku={sku}")["data"]
    assert (movement["cause"], movement["reference"]) == ("count", case["id"])
    again = merchant.post(f"/stock/cases/{case['id']}/acceptance")
    assert again.get_json()["type"].endswith("/case-not-open")
    assert_books(merchant)


def test_dismissing_changes_nothing(shelf):
    merchant, node, sku = shelf
    [case] = count(merchant, node, **{sku: 7})["cases"]
    assert merchant.ok("POST", f"/stock/cases/{case['id']}/dismissal")["state"] == "dismissed"
    assert stock_of(merchant, sku) == {(node, "sellable"): (10, 0)}


def test_accepting_a_loss_of_reserved_units_gives_the_latest_promise_back(shelf):
    merchant, node, sku = shelf
    order = merchant.order((sku, 9), tenders=CASH)
    [case] = count(merchant, node, **{sku: 4})["cases"]
    merchant.ok("POST", f"/stock/cases/{case['id']}/acceptance")
    assert line_of(merchant, order["id"])["backordered"] == 5
    assert_books(merchant)


def held(merchant: Merchant, node: str, sku: str, units: int) -> None:
    """A rejection that put units on hold."""
    order = merchant.order((sku, units), tenders=CASH)
    merchant.drain()
    [work] = merchant.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"]
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/rejection", {"reason": "damaged"})
    merchant.ok("POST", f"/orders/{order['id']}/cancellation", {"reason": "Not wanted any more"})
    merchant.drain()


def test_units_on_hold_wait_for_a_count(shelf):
    merchant, node, sku = shelf
    held(merchant, node, sku, 3)
    assert stock_of(merchant, sku) == {(node, "sellable"): (7, 0), (node, "on_hold"): (3, 0)}
    [case] = merchant.ok("GET", "/stock/cases?state=open")["data"]
    assert (case["kind"], case["expected"], case["counted"], case["note"]) == ("rejection", 3, 0, "damaged")
    assert count(merchant, node, **{sku: 10})["agreed"] == 1
    assert stock_of(merchant, sku) == {(node, "sellable"): (10, 0), (node, "on_hold"): (0, 0)}
    assert merchant.ok("GET", "/stock/cases?state=open")["data"] == []
    assert_books(merchant)


def test_a_count_without_them_takes_the_held_units_first(shelf):
    merchant, node, sku = shelf
    held(merchant, node, sku, 3)
    [case] = count(merchant, node, **{sku: 8})["cases"]
    merchant.ok("POST", f"/stock/cases/{case['id']}/acceptance")
    assert stock_of(merchant, sku) == {(node, "sellable"): (8, 0), (node, "on_hold"): (0, 0)}
    assert merchant.ok("GET", "/stock/cases?state=open")["data"] == []
    assert_books(merchant)


@pytest.mark.parametrize(("answer", "sellable"), [("acceptance", 7), ("dismissal", 10)])
def test_a_rejection_s_case_is_answered_by_itself(shelf, answer: str, sellable: int):
    merchant, node, sku = shelf
    held(merchant, node, sku, 3)
    [case] = merchant.ok("GET", "/stock/cases?state=open")["data"]
    merchant.ok("POST", f"/stock/cases/{case['id']}/{answer}")
    assert stock_of(merchant, sku) == {(node, "sellable"): (sellable, 0), (node, "on_hold"): (0, 0)}
    assert_books(merchant)


def test_a_count_is_compared_with_the_books_of_its_moment(shelf):
    merchant, node, sku = shelf
    with inside(merchant.tenant_id) as scope:
        moment = scope.now() + timedelta(milliseconds=1)
    merchant.stock(node, sku, 5)
    body = {"node": node, "lines": [{"sku": sku, "on_hand": 10}], "counted_at": moment.isoformat()}
    assert merchant.provider.ok("POST", "/stock/counts", body)["agreed"] == 1
    late = (moment + timedelta(days=1)).isoformat()
    assert merchant.provider.post("/stock/counts", body | {"counted_at": late}).status_code == 422


def test_a_count_is_set_based(merchant: Merchant):
    node, skus = merchant.node(), [merchant.sku() for _ in range(8)]
    count(merchant, node, **{skus[0]: 0})
    with statements() as few:
        count(merchant, node, **{skus[0]: 1})
    with statements() as many:
        assert len(count(merchant, node, **dict.fromkeys(skus, 2))["cases"]) == 8
    assert len(few) == len(many) <= 10


def test_who_may_count_what(merchant: Merchant, other_merchant: Merchant):
    here, there, sku = merchant.node(), merchant.node(), merchant.sku()
    provider = merchant.provider_key(here)
    body = {"node": there, "lines": [{"sku": sku, "on_hand": 1}]}
    assert provider.post("/stock/counts", body).status_code == 404
    [case] = count(merchant, there, **{sku: 1})["cases"]
    assert provider.ok("GET", "/stock/cases")["data"] == []
    assert other_merchant.ok("GET", "/stock/cases")["data"] == []
    for path in ("acceptance", "dismissal"):
        assert provider.post(f"/stock/cases/{case['id']}/{path}").status_code == 403
        assert other_merchant.post(f"/stock/cases/{case['id']}/{path}").status_code == 404
        assert other_merchant.post(f"/stock/cases/nonsense/{path}").status_code == 404
    assert provider.post("/stock/counts", body | {"node": here, "lines": []}).status_code == 422
    unknown = {"node": here, "lines": [{"sku": sku, "on_hand": 1}, {"sku": "x", "on_hand": 1}]}
    problem = provider.post("/stock/counts", unknown).get_json()
    assert problem["errors"][0]["pointer"] == "/lines/1/sku"
