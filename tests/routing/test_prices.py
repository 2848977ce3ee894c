"""Prices on scarce stock: worked out from a merchant's own past by a worker, read by the router, kept by version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.routing import prices
from app.routing.futures import Goods, Past
from tenants.scope import inside
from tests.factories import Merchant

PRICED: dict[str, Any] = {
    "name": "By cost, scarce stock dearer",
    "strategies": [
        {
            "id": "all",
            "objective": {
                "mode": "cost",
                "terms": [{"term": "shipping"}, {"term": "handling"}, {"term": "stock_price"}],
            },
        }
    ],
}
PAID = [{"kind": "external", "reference": "paid"}]


def put_in_force(merchant: Merchant, document: dict[str, Any]) -> None:
    version = merchant.ok("POST", "/routing/rules", {"document": document})["version"]
    merchant.ok("POST", f"/routing/rules/{version}/activation", {"replaces": version - 1})
    merchant.drain()


def test_a_table_is_made_when_the_rules_read_it_and_decisions_name_it(merchant: Merchant) -> None:
    merchant.node("WEST")
    merchant.node("EAST", postal_code="07102", region="NJ")
    merchant.sku("A")
    merchant.stock("WEST", "A", 2)
    merchant.stock("EAST", "A", 40)
    for _ in range(4):
        merchant.order(("A", 1), tenders=PAID)
    merchant.drain()
    assert merchant.ok("GET", "/routing/prices")["version"] == 0
    put_in_force(merchant, PRICED)
    table = merchant.ok("GET", "/routing/prices")
    assert table["version"] == 1
    assert table["basis"]["orders"] == 4
    assert set(table["stock"]) == {"A"}
    order = merchant.order(("A", 1), tenders=PAID)
    (decision,) = merchant.ok("GET", f"/orders/{order['id']}/routing?replay=true")["replay"]
    assert decision["same"] is True
    with inside(merchant.tenant_id) as scope:
        (row,) = scope.rows(
            "SELECT explanation FROM routing_decisions WHERE tenant_id = :tenant AND order_id = :order",
            order=order["id"],
        )
    assert row.explanation["prices"] == 1
    assert "stock_price" in row.explanation["terms"]


def test_without_orders_what_a_wide_place_holds_is_dearer(merchant: Merchant) -> None:
    """A new merchant has breadth (and balance): a tenth of $7.00, by the share of the assortment."""
    for node, skus in (("WIDE", "AB"), ("NARROW", "A")):
        merchant.node(node)
        for sku in skus:
            if node == "WIDE":
                merchant.sku(sku)
            merchant.stock(node, sku, 5)
    put_in_force(merchant, PRICED)
    assert merchant.ok("GET", "/routing/prices")["stock"] == {
        "A": {"WIDE": 70.0, "NARROW": 35.0},
        "B": {"WIDE": 70.0},
    }


def test_a_rule_without_prices_has_no_table(merchant: Merchant) -> None:
    put_in_force(merchant, {"name": "Plain", "strategies": [{"id": "all"}]})
    assert merchant.ok("GET", "/routing/prices")["version"] == 0


def test_scarce_stock_near_many_buyers_is_dearer() -> None:
    """Two nodes, one SKU; all buyers are near the first, which has too little of it."""
    past = Past(
        opening=np.tile(np.array([[500.0, 900.0]], dtype=np.float32), (60, 1)),
        per_lb=np.full((60, 2), 20, dtype=np.float32),
        order=np.arange(60),
        sku=np.zeros(60, dtype=np.int64),
        quantity=np.ones(60, dtype=np.int64),
    )
    goods = Goods(np.ones(1), np.zeros(2))
    plenty = np.full(2, 1e9)

    def value(near: int, far: int) -> np.ndarray:
        supply = prices.Supply(np.array([[near, far]]), plenty, plenty)
        return prices.Values(goods).refresh(past, supply, prices.Demand(10, 40, 4)).stock[0]

    scarce, enough = value(10, 100), value(100, 100)
    assert scarce[0] > 200
    assert scarce[0] > scarce[1]
    assert enough[0] < 100


def test_balance_grows_as_a_place_empties() -> None:
    found = prices.balance(np.array([[10, 5, 0]]), np.array([[10, 10, 10]]))[0]
    assert found[0] == 0
    assert found[2] == pytest.approx(1)
    assert 0 < found[1] < 0.5
