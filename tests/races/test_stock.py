"""Stock under concurrency: real commits, several connections; never oversold, the books always hold."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from flask import Flask

from app.allocation import adjustments, matching
from tenants.scope import inside, opened, retried
from tests.allocation.support import CASH, assert_books, line_of, stock_of
from tests.factories import Merchant

pytestmark = pytest.mark.races


def together(*works: Callable[[], object]) -> list[object]:
    """Run these at the same moment, each in a thread (and so on a connection) of its own."""
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]


def door(app: Flask, merchant: Merchant) -> Merchant:
    """The same merchant through a client of its own."""
    return Merchant(app.test_client(), merchant.key, tenant_id=merchant.tenant_id)


def test_the_last_units_wanted_while_stock_comes_and_goes(app: Flask, merchant: Merchant):
    node, skus = merchant.node(), [merchant.sku() for _ in range(3)]
    merchant.drain()
    for sku in skus:
        merchant.stock(node, sku, 4)

    def orders(seed: int) -> list[int]:
        own, dice = door(app, merchant), random.Random(seed)
        statuses = []
        for _ in range(6):
            lines = [(sku, dice.randint(1, 2)) for sku in dice.sample(skus, 2)]
            statuses.append(own.post("/orders", own.order_body(*lines, tenders=CASH)).status_code)
        return statuses

    def adjustments(seed: int) -> list[int]:
        own, dice = door(app, merchant), random.Random(seed)
        statuses = []
        for _ in range(10):
            chosen = dice.sample(skus, 2)
            batch = [{"node": node, "sku": sku, "delta": dice.choice((-2, -1, 1, 3))} for sku in chosen]
            statuses.append(own.post("/stock/adjustments", {"adjustments": batch}).status_code)
        return statuses

    results = together(lambda: orders(1), lambda: orders(2), lambda: adjustments(3), lambda: adjustments(4))
    assert set(results[0]) | set(results[1]) <= {201, 503}
    assert set(results[2]) | set(results[3]) <= {201, 409, 503}
    assert_books(merchant)
    merchant.drain()
    assert_books(merchant)


def test_two_matches_of_the_same_stock_give_it_once(app: Flask, merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    merchant.drain()
    orders = [merchant.order((sku, 1), tenders=CASH) for _ in range(8)]
    merchant.stock(node, sku, 5)
    with inside(merchant.tenant_id) as scope:
        found = scope.row("SELECT id FROM skus WHERE tenant_id = :tenant AND code = :sku", sku=sku)

    def match() -> int:
        with inside(merchant.tenant_id) as scope:
            return matching.match_waiting(scope, [found.id])

    def adjust() -> int:
        body = {"node": node, "sku": sku, "delta": -1}
        return door(app, merchant).post("/stock/adjustments", body).status_code

    together(lambda: retried(match), lambda: retried(match), adjust, lambda: retried(match))
    merchant.drain()
    assert [line_of(merchant, order["id"])["allocated"] for order in orders] == [1] * 4 + [0] * 4
    assert stock_of(merchant, sku) == {(node, "sellable"): (4, 4)}
    assert_books(merchant)


def test_a_buyer_and_those_who_wait_never_share_a_unit(app: Flask, merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    merchant.drain()
    waiting = [merchant.order((sku, 1), tenders=CASH) for _ in range(3)]

    def buy() -> int:
        own = door(app, merchant)
        return own.post("/orders", own.order_body((sku, 1), tenders=CASH)).status_code

    def receive() -> int:
        body = {"node": node, "sku": sku, "delta": 4}
        return door(app, merchant).post("/stock/adjustments", body).status_code

    assert together(buy, receive, buy, buy) == [201] * 4
    merchant.drain()
    assert stock_of(merchant, sku) == {(node, "sellable"): (4, 4)}
    assert all(line_of(merchant, order["id"])["allocated"] == 1 for order in waiting)
    assert_books(merchant)


def test_a_loss_and_a_reroute_of_the_same_order(app: Flask, merchant: Merchant):
    first, second, sku = merchant.node(), merchant.node(postal_code="33101", region="FL"), merchant.sku()
    merchant.drain()
    merchant.stock(first, sku, 2)
    order = merchant.order((sku, 3), tenders=CASH)
    merchant.stock(second, sku, 1)

    def lose() -> int:
        body = {"node": first, "sku": sku, "on_hand": 0}
        return door(app, merchant).post("/stock/adjustments", body).status_code

    def reroute() -> int:
        with inside(merchant.tenant_id) as scope:
            return matching.reroute(scope, UUID(order["id"]), cause="moved")

    together(lose, lambda: retried(reroute))
    merchant.drain()
    assert line_of(merchant, order["id"]) == {"backordered": 2, "allocated": 1, "cancelled": 0, "shipped": 0}
    assert_books(merchant)


def test_an_order_planned_on_stock_that_left_and_came_back(app: Flask, merchant: Merchant):
    """The write sees the row as it was when the statement began (nothing on hand), locks it as it is afterwards
    (three): PostgreSQL checks the constraint against the former first."""
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, 2)
    receipt = {"node": node, "sku": sku, "delta": 3, "disposition": "sellable", "segment": "shared"}
    said = {"cause": "receipt", "reason": "", "reference": ""}

    def buy() -> int:
        own = door(app, merchant)
        return own.post("/orders", own.order_body((sku, 2), tenders=CASH)).status_code

    with ThreadPoolExecutor(1) as pool, opened(merchant.tenant_id) as receiving:
        with opened(merchant.tenant_id) as gate:
            gate.rows("SELECT id FROM counters WHERE tenant_id = :tenant FOR UPDATE")
            bought = pool.submit(buy)  # reads two on hand, then waits for a block of order numbers
            time.sleep(0.5)
            merchant.ok("POST", "/stock/adjustments", {"node": node, "sku": sku, "delta": -2})
            adjustments.adjust(receiving, [receipt | said])
        time.sleep(0.5)  # the order's write waits for the receipt
        receiving.keep()
        assert bought.result() == 201
    assert stock_of(merchant, sku) == {(node, "sellable"): (3, 2)}
    assert_books(merchant)
