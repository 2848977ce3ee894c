"""Capacity per hour: what a node has still to do decides when new work leaves it, and so where it goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.network.rules import WEEKDAYS
from tenants.scope import inside
from tests.allocation.support import assert_books
from tests.exceptions.test_service import rule
from tests.factories import Merchant
from workers import clockwork

TERMS = [{"kind": "terms"}]
ZONE = ZoneInfo("America/Los_Angeles")
IN_TIME = {"id": "in-time", "field": "lane.days_late", "op": "lte", "value": 0}


@pytest.fixture
def mug(merchant: Merchant) -> str:
    """Near RENO does one package an hour and hands over at five; NYC is far and quick. It is half past two in Reno."""
    sku = merchant.sku()
    every = {"calendar": {"open_days": list(WEEKDAYS)}}
    merchant.node("RENO", capacity_per_hour=1, capacity_per_day=50, cutoff="17:00", **every)
    merchant.node("NYC", postal_code="10001", region="NY", cutoff="23:59", **every)
    for node in ("RENO", "NYC"):
        merchant.stock(node, sku, 20)
    merchant.drain()
    with inside(merchant.tenant_id) as scope:
        today = scope.now().astimezone(ZONE)
    at = (today + timedelta(days=1)).replace(hour=14, minute=30, second=0, microsecond=0)
    clockwork.advance(merchant.tenant_id, at)
    return sku


def placed(merchant: Merchant, sku: str, **more: Any) -> dict[str, Any]:
    order = merchant.order((sku, 1), tenders=TERMS, **more)
    merchant.drain()
    return order


def day(merchant: Merchant) -> str:
    with inside(merchant.tenant_id) as scope:
        return scope.now().astimezone(ZONE).date().isoformat()


def days(merchant: Merchant) -> dict[str, int]:
    """Packages of RENO by day."""
    with inside(merchant.tenant_id) as scope:
        rows = scope.rows("SELECT day, packages FROM node_loads WHERE tenant_id = :tenant ORDER BY day")
    return {row.day.isoformat(): row.packages for row in rows}


def test_what_does_not_fit_before_the_cut_off_leaves_the_day_after(merchant: Merchant, mug: str) -> None:
    today = day(merchant)
    orders = [placed(merchant, mug) for _ in range(5)]
    later = (datetime.fromisoformat(today) + timedelta(days=1)).date().isoformat()
    assert days(merchant) == {today: 3, later: 2}
    promises = [merchant.ok("GET", f"/orders/{order['id']}/promises")["data"][0] for order in orders]
    leaves = [
        datetime.fromisoformat(one["expected_ship_at"]).astimezone(ZONE).date().isoformat()
        for one in promises
    ]
    assert leaves == [today] * 3 + [later] * 2
    assert_books(merchant)


def test_a_rule_that_keeps_promises_sends_it_elsewhere(merchant: Merchant, mug: str) -> None:
    rule(merchant, strategies=[{"id": "everything", "filters": [IN_TIME]}])
    promise = {"promise": {"ship_by": day(merchant)}}
    orders = [placed(merchant, mug, **promise) for _ in range(4)]
    assert [order["fulfillment_orders"][0]["node"] for order in orders] == ["RENO"] * 3 + ["NYC"]
    routing = merchant.ok("GET", f"/orders/{orders[-1]['id']}/routing?replay=true")
    assert [one["same"] for one in routing["replay"]] == [True]


def test_work_that_is_done_is_not_ahead_any_more(merchant: Merchant, mug: str) -> None:
    today = day(merchant)
    for order in [placed(merchant, mug) for _ in range(3)]:
        path = f"/fulfillment-orders/{order['fulfillment_orders'][0]['id']}"
        merchant.provider.ok("POST", f"{path}/acceptance", {})
        merchant.provider.ok("POST", f"{path}/pack", {})
    placed(merchant, mug)
    assert days(merchant) == {today: 4}
