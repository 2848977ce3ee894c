"""A line is canceled by law while its provider, its buyer and its reporter are all at work (traps 6 and 7 of the
rule): whoever commits first, the same becomes true."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.cancellation import lapses
from tenants.scope import Scope, inside, opened, retried
from tests.factories import Caller, Merchant
from tests.fulfillment.books import check_books

pytestmark = pytest.mark.races
Verb = Callable[..., None]


class Late:
    """An accepted order whose last moment has passed while nobody was at work."""

    def __init__(self, app: Flask, merchant: Merchant) -> None:
        self.app, self.merchant, self.tenant_id = app, merchant, merchant.tenant_id
        promise = {"within": {"value": 24, "unit": "hours"}}
        paid = [{"kind": "external", "reference": "paid"}]
        self.order = merchant.order(("MUG", 2), tenders=paid, promise=promise)
        merchant.drain()
        self.work = f"/fulfillment-orders/{self.order['fulfillment_orders'][0]['id']}"
        merchant.provider.ok("POST", f"{self.work}/acceptance")
        with inside(self.tenant_id) as scope:
            row = scope.row(
                "SELECT deadline FROM promises WHERE tenant_id = :tenant AND order_id = :order",
                order=self.order["id"],
            )
            assert row is not None
            self.deadline: datetime = row.deadline
            past = round((self.deadline - scope.now()).total_seconds()) + 600
            scope.execute(
                "UPDATE tenants SET clock_offset = clock_offset + :past WHERE tenant_id = :tenant", past=past
            )

    def lapse(self) -> None:
        """The watch comes to it."""
        self.run(lapses.due)

    def run(self, verb: Verb) -> None:
        """One transaction, again when it lost a race."""

        def act() -> None:
            with opened(self.tenant_id) as scope:
                verb(scope, UUID(self.order["id"]))
                scope.keep()

        retried(act)

    def ship(self, *, before: bool) -> int:
        """The provider reports that the carrier had it a minute before the end, or at the very end."""
        at = self.deadline - timedelta(minutes=1) if before else self.deadline
        report = {
            "lines": [{"sku": "MUG", "quantity": 2}],
            "carrier": "UPS",
            "tracking_number": f"1Z{at.timestamp()}",
            "shipped_at": at.isoformat(),
        }
        caller = Caller(self.app.test_client(), self.merchant.provider.key)
        return int(caller.post(f"{self.work}/shipments", report).status_code)

    def counters(self) -> tuple[int, int]:
        """(shipped, canceled)."""
        line = self.merchant.ok("GET", f"/orders/{self.order['id']}")["lines"][0]
        return line["shipped"], line["cancelled"]

    def owed(self) -> int:
        """What is owed back, minor units."""
        self.merchant.drain()
        with inside(self.tenant_id) as scope:
            row = scope.row(
                "SELECT coalesce(sum(amount), 0)::bigint AS owed FROM refunds_due WHERE tenant_id = :tenant"
                " AND order_id = :order",
                order=self.order["id"],
            )
        assert row is not None
        return int(row.owed)

    def state(self) -> str:
        with inside(self.tenant_id) as scope:
            row = scope.row(
                "SELECT state FROM promises WHERE tenant_id = :tenant AND order_id = :order",
                order=self.order["id"],
            )
        assert row is not None
        return str(row.state)


@pytest.fixture
def late(app: Flask, merchant: Merchant) -> Callable[[], Late]:
    merchant.drain()
    with inside(merchant.tenant_id) as scope:
        scope.execute("UPDATE tenants SET stripe_account = NULL WHERE tenant_id = :tenant")
    merchant.sku("MUG", price={"amount": 2000, "currency": "USD"}, tax_code="exempt")
    merchant.stock(merchant.node("RENO"), "MUG", 100)
    return lambda: Late(app, merchant)


@pytest.mark.parametrize("lapse_first", [True, False])
def test_a_hand_over_from_before_the_end_counts_whenever_it_is_reported(
    late: Callable[[], Late], *, lapse_first: bool
) -> None:
    one = late()
    steps = [one.lapse, lambda: one.ship(before=True)]
    for step in steps if lapse_first else steps[::-1]:
        step()
    assert (one.counters(), one.state(), one.owed()) == ((2, 0), "shipped", 0)
    one.run(lapses.recall_over)
    assert one.counters() == (2, 0)
    check_books(one.tenant_id)


@pytest.mark.parametrize("lapse_first", [True, False])
def test_a_hand_over_at_the_very_end_or_later_is_refused(
    late: Callable[[], Late], *, lapse_first: bool
) -> None:
    one = late()
    if lapse_first:
        one.lapse()
    assert one.ship(before=False) == 409
    one.lapse()
    assert (one.counters(), one.state(), one.owed()) == ((0, 0), "cancelled", 0)
    one.run(lapses.recall_over)
    assert (one.counters(), one.owed()) == ((0, 2), 4000)
    check_books(one.tenant_id)


def test_once_money_and_letter_have_gone_the_cancellation_stands(late: Callable[[], Late]) -> None:
    one = late()
    one.lapse()
    one.run(lapses.recall_over)
    assert one.ship(before=True) == 409
    assert (one.counters(), one.owed()) == ((0, 2), 4000)
    check_books(one.tenant_id)


@pytest.mark.parametrize("before", [True, False])
def test_both_at_once(late: Callable[[], Late], *, before: bool) -> None:
    for _ in range(4):
        one = late()
        start = Barrier(2)

        def at_once(act: Callable[[], Any], start: Barrier = start) -> Any:
            start.wait(10)
            return act()

        with ThreadPoolExecutor(2) as pool:
            told = pool.submit(at_once, lambda one=one: one.ship(before=before))
            done = pool.submit(at_once, one.lapse)
            assert told.result() == (201 if before else 409)
            done.result()
        one.run(lapses.recall_over)
        assert (one.counters(), one.owed()) == (((2, 0), 0) if before else ((0, 2), 4000))
    check_books(one.tenant_id)


def test_a_crash_at_any_step_leaves_nothing_half_done_and_a_repeat_does_nothing_twice(
    late: Callable[[], Late],
) -> None:
    one = late()
    for verb, after in ((lapses.due, (0, 0)), (lapses.recall_over, (0, 2))):
        before = (one.counters(), one.state())
        with opened(one.tenant_id) as scope:
            verb(scope, UUID(one.order["id"]))  # killed before the commit
        assert (one.counters(), one.state()) == before
        for _ in range(2):
            one.run(verb)
        assert one.counters() == after
    assert one.owed() == 4000
    with inside(one.tenant_id) as scope:
        assert times(scope, "promise_events", "kind = 'ended'") == 1
        assert times(scope, "notices", "kind = 'cancelled'") == 1
        assert times(scope, "refunds_due", "true") == 1
    check_books(one.tenant_id)


def times(scope: Scope, table: str, which: str) -> int:
    row = scope.row(f"SELECT count(*) AS times FROM {table} WHERE tenant_id = :tenant AND {which}")
    assert row is not None
    return int(row.times)
