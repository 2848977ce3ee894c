"""When an order's parcels leave, over the API: the buyer's expected moment and the day that a parcel takes of its node
are one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.network.rules import WEEKDAYS
from tenants.scope import inside
from tests.allocation.support import assert_books
from tests.factories import Merchant
from workers import clockwork

TERMS = [{"kind": "terms"}]
ZONE = ZoneInfo("America/Los_Angeles")
EVERY_DAY = {"open_days": list(WEEKDAYS)}
NEXT_DAY = {"policy": {"service": "Next day"}}


def tomorrow(merchant: Merchant, hour: int, minute: int, second: int = 0) -> datetime:
    """Move the clock to that time of the next day in Reno."""
    with inside(merchant.tenant_id) as scope:
        day = scope.now().astimezone(ZONE) + timedelta(days=1)
    at = day.replace(hour=hour, minute=minute, second=second, microsecond=0)
    clockwork.advance(merchant.tenant_id, at)
    return at


def expected(merchant: Merchant, order: dict[str, Any]) -> datetime:
    """When the order's first line should leave, local time."""
    line = merchant.ok("GET", f"/orders/{order['id']}")["lines"][0]
    return datetime.fromisoformat(line["promise"]["expected_ship_at"]).astimezone(ZONE)


def days(merchant: Merchant) -> dict[str, str]:
    """Node -> the day its latest work leaves."""
    with inside(merchant.tenant_id) as scope:
        rows = scope.rows(
            "SELECT node, max(leaves_on) AS day FROM fulfillment_orders WHERE tenant_id = :tenant GROUP BY node"
        )
    return {row.node: row.day.isoformat() for row in rows if row.day}


@pytest.fixture
def mug(merchant: Merchant) -> str:
    sku = merchant.sku()
    for code, more in (
        ("RENO", {}),
        ("NYC", {"postal_code": "10001", "region": "NY", "timezone": str(ZONE)}),
    ):
        merchant.node(
            code,
            capacity_per_day=50,
            cutoff="16:00",
            cutoffs={"Next day": "13:30"},
            calendar=EVERY_DAY,
            **more,
        )
    merchant.stock("RENO", sku, 5)
    merchant.drain()
    return sku


def test_a_service_that_leaves_earlier_is_expected_earlier(merchant: Merchant, mug: str) -> None:
    at = tomorrow(merchant, 13, 29)
    order = merchant.order((mug, 1), tenders=TERMS, **NEXT_DAY)
    assert expected(merchant, order) == at.replace(minute=30)
    assert days(merchant) == {"RENO": at.date().isoformat()}


def test_after_the_cut_off_of_its_service_the_next_one_is_expected(merchant: Merchant, mug: str) -> None:
    at = tomorrow(merchant, 13, 31)
    order = merchant.order((mug, 1), tenders=TERMS, **NEXT_DAY)
    leaves = at.date() + timedelta(days=1)
    assert expected(merchant, order) == datetime(leaves.year, leaves.month, leaves.day, 13, 30, tzinfo=ZONE)
    assert days(merchant) == {"RENO": leaves.isoformat()}
    assert expected(merchant, merchant.order((mug, 1), tenders=TERMS)) == at.replace(hour=16, minute=0)


def test_routed_again_it_keeps_the_cut_off_of_its_service(merchant: Merchant, mug: str) -> None:
    at = tomorrow(merchant, 13, 31)
    order = merchant.order((mug, 1), tenders=TERMS, **NEXT_DAY)
    merchant.stock("NYC", mug, 5)
    merchant.drain()
    path = f"/fulfillment-orders/{order['fulfillment_orders'][0]['id']}"
    merchant.provider.ok("POST", f"{path}/rejection", {"reason": "closed"})
    merchant.drain()
    leaves = at.date() + timedelta(days=1)
    assert days(merchant) == {"NYC": leaves.isoformat()}
    assert expected(merchant, order) == datetime(leaves.year, leaves.month, leaves.day, 13, 30, tzinfo=ZONE)
    assert_books(merchant)


@pytest.mark.parametrize("slow", ["AAA", "ZZZ"])
def test_a_line_from_two_nodes_is_expected_with_its_last_parcel(merchant: Merchant, slow: str) -> None:
    sku = merchant.sku()
    merchant.node("QUICK", cutoff="16:00", calendar=EVERY_DAY)
    merchant.node(slow, cutoff="16:00", calendar=EVERY_DAY, handling_minutes=10 * 24 * 60)
    for node in ("QUICK", slow):
        merchant.stock(node, sku, 2)
    at = tomorrow(merchant, 12, 0)
    order = merchant.order((sku, 4), tenders=TERMS)
    assert expected(merchant, order).date() == at.date() + timedelta(days=10)


def test_in_the_last_minute_before_closing_the_promise_and_the_day_agree(merchant: Merchant) -> None:
    sku = merchant.sku()
    hours = {day: ["09:00", "17:00"] for day in WEEKDAYS}
    merchant.node("SHOP", capacity_per_day=5, handling_minutes=0, calendar=EVERY_DAY | {"hours": hours})
    merchant.stock("SHOP", sku, 5)
    at = tomorrow(merchant, 16, 59, 30)
    leaves = at.date() + timedelta(days=1)
    order = merchant.order((sku, 1), tenders=TERMS)
    assert expected(merchant, order).date() == leaves
    assert days(merchant) == {"SHOP": leaves.isoformat()}


def test_what_is_made_is_expected_after_its_lead_time(merchant: Merchant) -> None:
    merchant.node("SHOP", kind="workshop", cutoff="16:00", calendar=EVERY_DAY)
    ring = merchant.sku(kind="made_to_order", lead_time_days=45)
    at = tomorrow(merchant, 12, 0)
    order = merchant.order((ring, 1), tenders=TERMS)
    merchant.drain()
    leaves = at.date() + timedelta(days=45)
    assert expected(merchant, order).date() == leaves
    assert merchant.ok("GET", f"/availability?sku={ring}")["earliest_ship"] == leaves.isoformat()
    assert merchant.ok("GET", "/promises?bucket=at_risk")["data"][0]["sku"] == ring
    path = f"/fulfillment-orders/{order['fulfillment_orders'][0]['id']}"
    merchant.node("WORKS", kind="workshop", cutoff="16:00", calendar=EVERY_DAY)
    merchant.provider.ok("POST", f"{path}/rejection", {"reason": "capacity"})
    merchant.drain()
    assert expected(merchant, order).date() == leaves


def test_what_is_not_out_yet_is_expected_on_its_day_of_release(merchant: Merchant) -> None:
    merchant.node("DOCK", cutoff="16:00", calendar=EVERY_DAY)
    at = tomorrow(merchant, 12, 0)
    day = (at + timedelta(days=12)).date().isoformat()
    book = merchant.sku(kind="preorder", release_date=day)
    merchant.stock("DOCK", book, 5)
    order = merchant.order((book, 1), tenders=TERMS)
    assert expected(merchant, order).date().isoformat() == day
    assert merchant.ok("GET", f"/availability?sku={book}")["earliest_ship"] == day
