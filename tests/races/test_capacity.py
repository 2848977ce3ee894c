"""A node's day under concurrency: never more packages than it can do, and canceled work gives its place back."""

from __future__ import annotations

import pytest
from flask import Flask

from tenants.scope import inside
from tests.allocation.support import CASH, assert_books
from tests.factories import Merchant
from tests.races.test_stock import door, together

pytestmark = pytest.mark.races


def packages(merchant: Merchant, node: str) -> list[int]:
    """Packages of each of a node's days."""
    with inside(merchant.tenant_id) as scope:
        rows = scope.rows(
            "SELECT l.packages FROM node_loads l JOIN nodes n ON n.tenant_id = :tenant AND n.id = l.node_id"
            " WHERE l.tenant_id = :tenant AND n.code = :node",
            node=node,
        )
    return [row.packages for row in rows]


def test_the_last_packages_of_a_day_go_to_whoever_comes_first(app: Flask, merchant: Merchant):
    near = merchant.node("NEAR", capacity_per_day=3)
    far = merchant.node("FAR", postal_code="07102", region="NJ", capacity_per_day=2)
    sku = merchant.sku()
    merchant.stock(near, sku, 50)
    merchant.stock(far, sku, 50)
    merchant.drain()

    def one() -> tuple[int, list[str]]:
        own = door(app, merchant)
        answer = own.post("/orders", own.order_body((sku, 1), tenders=CASH))
        body = answer.get_json()
        return answer.status_code, [work["node"] for work in body.get("fulfillment_orders", [])]

    found = together(*[one] * 8)
    assert {status for status, _ in found} <= {201, 503}
    placed = sorted(node for status, nodes in found if status == 201 for node in nodes)
    assert placed.count(near) <= 3
    assert placed.count(far) <= 2
    if all(status == 201 for status, _ in found):
        assert (placed.count(near), placed.count(far)) == (3, 2)
    assert packages(merchant, near) == [placed.count(near)]
    assert_books(merchant)


def test_canceled_work_gives_its_place_back(merchant: Merchant):
    node, sku = merchant.node("ONLY", capacity_per_day=1), merchant.sku()
    merchant.stock(node, sku, 9)
    merchant.drain()
    first = merchant.order((sku, 1), tenders=CASH)
    second = merchant.order((sku, 1), tenders=CASH)
    assert [len(one["fulfillment_orders"]) for one in (first, second)] == [1, 0]
    merchant.ok("POST", f"/orders/{first['id']}/cancellation", {"reason": "changed my mind"})
    merchant.drain()
    assert packages(merchant, node) in ([0], [1])
    third = merchant.order((sku, 1), tenders=CASH)
    works = merchant.ok("GET", f"/orders/{second['id']}")["fulfillment_orders"] + third["fulfillment_orders"]
    assert len(works) == 1
    assert packages(merchant, node) == [1]
    assert_books(merchant)
