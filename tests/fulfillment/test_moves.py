"""Nodes that close or can do less: work that nobody has accepted goes elsewhere, the newest promises first."""

from __future__ import annotations

import pytest

from tests.allocation.support import assert_books
from tests.factories import Merchant

TERMS = [{"kind": "terms"}]


@pytest.fixture
def sku(merchant: Merchant) -> str:
    """Plenty at RENO, the nearer, and at NYC."""
    sku = merchant.sku()
    merchant.node("RENO", capacity_per_day=9)
    merchant.node("NYC", postal_code="10001", region="NY")
    for node in ("RENO", "NYC"):
        merchant.stock(node, sku, 9)
    merchant.drain()
    return sku


def placed(merchant: Merchant, sku: str, count: int) -> list[str]:
    orders = [str(merchant.order((sku, 1), tenders=TERMS)["id"]) for _ in range(count)]
    merchant.drain()
    return orders


def nodes(merchant: Merchant, order: str) -> list[str]:
    works = merchant.ok("GET", f"/orders/{order}")["fulfillment_orders"]
    return [work["node"] for work in works if work["work_status"] != "cancelled"]


def test_a_closed_node_keeps_only_what_it_accepted(merchant: Merchant, sku: str) -> None:
    first, second = placed(merchant, sku, 2)
    (work,) = merchant.ok("GET", f"/orders/{first}")["fulfillment_orders"]
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance", {})
    merchant.node("RENO", capacity_per_day=9, open=False)
    merchant.drain()
    assert (nodes(merchant, first), nodes(merchant, second)) == (["RENO"], ["NYC"])
    assert_books(merchant)


def test_a_day_that_holds_too_much_gives_back_the_newest(merchant: Merchant, sku: str) -> None:
    orders = placed(merchant, sku, 3)
    assert [nodes(merchant, order) for order in orders] == [["RENO"]] * 3
    merchant.node("RENO", capacity_per_day=1)
    merchant.drain()
    assert [nodes(merchant, order) for order in orders] == [["RENO"], ["NYC"], ["NYC"]]
    assert_books(merchant)


def test_a_first_capacity_counts_what_is_there(merchant: Merchant, sku: str) -> None:
    merchant.node("RENO")
    merchant.drain()
    orders = placed(merchant, sku, 4)
    assert [nodes(merchant, order) for order in orders] == [["RENO"]] * 4
    (work,) = merchant.ok("GET", f"/orders/{orders[3]}")["fulfillment_orders"]
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance", {})
    assert_books(merchant)
    merchant.node("RENO", capacity_per_day=2)
    merchant.drain()
    assert [nodes(merchant, order) for order in orders] == [["RENO"], ["NYC"], ["NYC"], ["RENO"]]
    (more,) = placed(merchant, sku, 1)
    assert nodes(merchant, more) == ["NYC"]
    merchant.ok("POST", f"/orders/{orders[0]}/cancellation", {"reason": "Changed their mind"})
    merchant.drain()
    (last,) = placed(merchant, sku, 1)
    assert nodes(merchant, last) == ["RENO"]
    assert_books(merchant)
