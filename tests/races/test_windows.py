"""Windows under concurrency: two workers on one window, and orders, stock and days that change while it is planned."""

from __future__ import annotations

import random
from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from app.fulfillment import windows
from tenants.scope import inside, retried
from tests.allocation.support import CASH, assert_books
from tests.factories import Merchant
from tests.fulfillment.books import check_books
from tests.fulfillment.test_together import Shop
from tests.fulfillment.test_windows import move
from tests.races.test_capacity import packages
from tests.races.test_stock import door, together

pytestmark = pytest.mark.races


def finished(shop: Shop, begun: Any, groups: Any) -> None:
    def finish() -> None:
        with inside(shop.merchant.tenant_id) as scope:
            windows.finish(scope, begun, groups)

    retried(finish)


def held(merchant: Merchant) -> int:
    with inside(merchant.tenant_id) as scope:
        row = scope.row(
            "SELECT count(*) AS held FROM fulfillment_orders WHERE tenant_id = :tenant AND request_status = 'held'"
        )
    return int(row.held)


def test_two_workers_on_the_same_window(merchant: Merchant) -> None:
    shop, read = Shop(merchant), Barrier(2)

    def worker() -> None:
        begun = shop.begin()
        read.wait()
        groups = windows.call(begun)
        assert groups
        read.wait()
        finished(shop, begun, groups)

    together(worker, worker)
    merchant.drain()
    assert (shop.at(shop.first), shop.at(shop.second)) == (["NYC"], ["RENO"])
    told = merchant.ok("GET", f"/orders/{shop.second}/timeline")["data"]
    assert [one["name"] for one in told].count("order.replanned") == 1
    assert [one["name"] for one in told].count("fulfillment.submitted") == 1
    check_books(merchant.tenant_id)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_window_is_written_while_everything_changes(app: Flask, merchant: Merchant, seed: int) -> None:
    """Orders canceled, stock that comes and goes, a day that fills, all in the moment in which moves are written."""
    shop, dice = Shop(merchant), random.Random(seed)
    merchant.node("NYC", postal_code="10001", region="NY", handling_per_package=100, capacity_per_day=6)
    merchant.drain()
    orders = [shop.first, shop.second]
    for _ in range(3):
        merchant.stock("RENO", shop.mug, 1)
        merchant.stock("RENO", shop.bowl, 1)
        orders += [shop.order((shop.mug, 1)), shop.order((shop.mug, 1), (shop.bowl, 1))]
    begun = shop.begin()
    groups = windows.call(begun)
    assert sum(len(group.moves) for group in groups) >= 4

    def cancel(order: str) -> Callable[[], object]:
        body = {"reason": "changed my mind"}
        return lambda: door(app, merchant).post(f"/orders/{order}/cancellation", body).status_code

    def adjust(node: str, delta: int) -> Callable[[], object]:
        body = {"node": node, "sku": shop.mug, "delta": delta}
        return lambda: door(app, merchant).post("/stock/adjustments", body).status_code

    def buy() -> int:
        own = door(app, merchant)
        return own.post("/orders", own.order_body((shop.mug, 1), tenders=CASH)).status_code

    chosen = dice.sample(orders, 3)
    statuses = together(
        lambda: finished(shop, begun, groups),
        *[cancel(order) for order in chosen],
        adjust("NYC", dice.choice((-1, -2, 1))),
        adjust("RENO", dice.choice((-1, 1))),
        buy,
    )
    assert set(statuses[1:]) <= {200, 201, 409, 503}
    merchant.drain()
    move(merchant, 0.5)  # what was bought, and routed again, just now waits for the next window
    assert held(merchant) == 0
    assert all(count <= 6 for count in packages(merchant, "NYC"))
    assert_books(merchant)
    check_books(merchant.tenant_id)
