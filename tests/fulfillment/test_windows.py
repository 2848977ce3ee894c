"""Work gathered in windows: it waits for its window's end, unless it is express or would leave a day later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.fulfillment.rules import window_end
from app.network.rules import WEEKDAYS
from tenants.scope import inside
from tests.allocation.support import assert_books
from tests.exceptions.test_service import rule
from tests.factories import Merchant
from workers import clockwork

TERMS = [{"kind": "terms"}]


def test_windows_follow_each_other() -> None:
    at = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
    assert window_end(at, 30) == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert window_end(at + timedelta(minutes=20), 30) == datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def mug(merchant: Merchant) -> str:
    """A node without a cut-off, so that half an hour changes no day, and rules that gather for 30 minutes."""
    sku = merchant.sku()
    merchant.node("RENO")
    merchant.stock("RENO", sku, 9)
    rule(merchant, release={"mode": "window", "minutes": 30, "express": ["overnight"]})
    return sku


def placed(merchant: Merchant, sku: str, **more: Any) -> str:
    order = merchant.order((sku, 1), tenders=TERMS, **more)
    merchant.drain()
    return str(order["id"])


def states(merchant: Merchant, order: str) -> list[str]:
    return [work["request_status"] for work in merchant.ok("GET", f"/orders/{order}")["fulfillment_orders"]]


def move(merchant: Merchant, hours: float) -> None:
    with inside(merchant.tenant_id) as scope:
        to = scope.now() + timedelta(hours=hours)
    clockwork.advance(merchant.tenant_id, to)


def noon(merchant: Merchant) -> None:
    """To the next day's noon, far from any day's end."""
    with inside(merchant.tenant_id) as scope:
        now = scope.now()
    move(merchant, ((now + timedelta(days=1)).replace(hour=20, minute=1) - now).total_seconds() / 3600)


def test_work_waits_for_the_end_of_its_window(merchant: Merchant, mug: str) -> None:
    noon(merchant)
    first, second = placed(merchant, mug), placed(merchant, mug)
    assert (states(merchant, first), states(merchant, second)) == (["held"], ["held"])
    move(merchant, 0.5)
    assert (states(merchant, first), states(merchant, second)) == (["submitted"], ["submitted"])
    assert_books(merchant)


def test_express_does_not_wait(merchant: Merchant, mug: str) -> None:
    noon(merchant)
    assert states(merchant, placed(merchant, mug, policy={"service": "overnight"})) == ["submitted"]


def test_work_does_not_wait_past_its_cut_off(merchant: Merchant, mug: str) -> None:
    noon(merchant)
    with inside(merchant.tenant_id) as scope:
        zone = scope.rows("SELECT timezone FROM nodes WHERE tenant_id = :tenant AND code = 'RENO'")[
            0
        ].timezone
        now = scope.now()
    soon = (now + timedelta(minutes=5)).astimezone(ZoneInfo(zone))
    merchant.node(
        "RENO",
        cutoff=soon.strftime("%H:%M"),
        calendar={"open_days": list(WEEKDAYS)},
    )
    assert states(merchant, placed(merchant, mug)) == ["submitted"]
