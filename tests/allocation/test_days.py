"""Units that wait because every node's day is full get the next day, or a place that is given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.calendar import zone
from app.network.rules import WEEKDAYS
from app.routing.documents import default_document
from tenants.scope import inside
from tests.allocation.support import CASH, assert_books, line_of
from tests.exceptions.test_service import rule
from tests.factories import Merchant
from workers import clockwork

DAILY = {"timezone": "UTC", "cutoff": "16:00", "calendar": {"open_days": list(WEEKDAYS)}}


def morning(merchant: Merchant) -> datetime:
    """Move the clock to ten o'clock of the next day."""
    with inside(merchant.tenant_id) as scope:
        day = scope.now().astimezone(UTC) + timedelta(days=1)
    at = day.replace(hour=10, minute=0, second=0, microsecond=0)
    clockwork.advance(merchant.tenant_id, at)
    return at


def days(merchant: Merchant) -> dict[str, int]:
    """Packages by day, of all nodes."""
    with inside(merchant.tenant_id) as scope:
        rows = scope.rows(
            "SELECT day, sum(packages) AS n FROM node_loads WHERE tenant_id = :tenant GROUP BY 1"
        )
    return {row.day.isoformat(): int(row.n) for row in rows if row.n}


def orders(merchant: Merchant, sku: str, count: int, **more: Any) -> list[str]:
    """The ids of orders for one unit, placed one after the other."""
    made = []
    for _ in range(count):
        made.append(merchant.order((sku, 1), tenders=CASH, **more)["id"])
        merchant.drain()
    return made


def allocated(merchant: Merchant, made: list[str]) -> list[int]:
    return [line_of(merchant, order)["allocated"] for order in made]


def test_what_a_full_day_turned_away_leaves_on_the_next(merchant: Merchant) -> None:
    merchant.node("DOCK", capacity_per_day=2, **DAILY)
    sku = merchant.sku()
    merchant.stock("DOCK", sku, 20)
    at = morning(merchant)
    made = orders(merchant, sku, 5)
    assert allocated(merchant, made) == [1, 1, 0, 0, 0]
    clockwork.advance(merchant.tenant_id, at.replace(hour=16, minute=2))
    assert allocated(merchant, made) == [1, 1, 1, 1, 0]
    clockwork.advance(merchant.tenant_id, at + timedelta(days=2))
    assert allocated(merchant, made) == [1, 1, 1, 1, 1]
    first = at.date()
    assert days(merchant) == {
        (first + timedelta(days=ahead)).isoformat(): 2 - ahead // 2 for ahead in range(3)
    }
    decision = merchant.ok("GET", f"/orders/{made[2]}/routing")
    assert decision["cause"] == "rested"
    assert_books(merchant)


def test_a_place_given_back_goes_to_whoever_waits_for_another_item(merchant: Merchant) -> None:
    merchant.node("DOCK", capacity_per_day=1, **DAILY)
    mug, cup = merchant.sku(), merchant.sku()
    for sku in (mug, cup):
        merchant.stock("DOCK", sku, 5)
    at = morning(merchant)
    (first,) = orders(merchant, mug, 1)
    (second,) = orders(merchant, cup, 1)
    assert allocated(merchant, [first, second]) == [1, 0]
    merchant.ok("POST", f"/orders/{first}/cancellation", {"reason": "Changed their mind"})
    clockwork.advance(merchant.tenant_id, at + timedelta(minutes=1))
    assert allocated(merchant, [second]) == [1]
    assert days(merchant) == {at.date().isoformat(): 1}
    assert_books(merchant)


def test_a_kit_waits_for_a_day_too(merchant: Merchant) -> None:
    merchant.node("DOCK", capacity_per_day=1, **DAILY)
    part = merchant.sku()
    merchant.stock("DOCK", part, 20)
    kit = merchant.sku(kind="kit", components=[{"sku": part, "quantity": 2}])
    at = morning(merchant)
    made = orders(merchant, kit, 2)
    assert allocated(merchant, made) == [1, 0]
    clockwork.advance(merchant.tenant_id, at + timedelta(days=1))
    assert allocated(merchant, made) == [1, 1]
    assert_books(merchant)


def test_a_node_without_capacity_is_never_asked_again(merchant: Merchant) -> None:
    merchant.node("DOCK", capacity_per_day=0, **DAILY)
    sku = merchant.sku()
    merchant.stock("DOCK", sku, 5)
    morning(merchant)
    orders(merchant, sku, 1)
    with inside(merchant.tenant_id) as scope:
        assert not scope.rows("SELECT 1 FROM timers WHERE tenant_id = :tenant AND starts_with(key, 'full:')")


def test_what_a_rule_turned_away_by_the_hour_is_asked_again_by_the_hour(merchant: Merchant) -> None:
    merchant.node("DOCK", **DAILY)
    sku = merchant.sku()
    merchant.stock("DOCK", sku, 5)
    at = morning(merchant)
    with inside(merchant.tenant_id) as scope:
        hour = scope.now().astimezone(zone(scope.tenant.timezone)).hour
    [strategy] = default_document()["strategies"]
    later = {"field": "time.hour_local", "op": "ne", "value": hour}
    only_later = {"id": "later", "when": later, "objective": strategy["objective"]}
    rule(merchant, strategies=[only_later, strategy | {"nodes": ["NOWHERE"]}])
    made = orders(merchant, sku, 1)
    assert allocated(merchant, made) == [0]
    clockwork.advance(merchant.tenant_id, at + timedelta(minutes=59))
    assert allocated(merchant, made) == [0]
    clockwork.advance(merchant.tenant_id, at + timedelta(minutes=61))
    assert allocated(merchant, made) == [1]
    assert_books(merchant)


def test_a_closed_day_turns_away_until_the_next(merchant: Merchant) -> None:
    with inside(merchant.tenant_id) as scope:
        tomorrow = scope.now().astimezone(UTC).date() + timedelta(days=1)
    closed = {"calendar": {"open_days": list(WEEKDAYS), "closed": [tomorrow.isoformat()]}}
    merchant.node("DOCK", **DAILY | closed)
    sku = merchant.sku()
    merchant.stock("DOCK", sku, 5)
    at = morning(merchant)
    [strategy] = default_document()["strategies"]
    opened = {"id": "open", "field": "node.open_today", "op": "eq", "value": True}
    rule(merchant, strategies=[strategy | {"filters": [opened]}])
    made = orders(merchant, sku, 1)
    clockwork.advance(merchant.tenant_id, at + timedelta(hours=5))
    assert allocated(merchant, made) == [0]
    clockwork.advance(merchant.tenant_id, at + timedelta(days=1))
    assert allocated(merchant, made) == [1]
    assert_books(merchant)
