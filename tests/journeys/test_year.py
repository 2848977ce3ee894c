"""A year of a busy merchant under the delay rule: every day the books are checked, at the end every line is judged.

The ordinary run is two months of it; `./kept test --full` the whole: 365 days, 10,000 orders.
"""

from __future__ import annotations

import json
import random
import time as real
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, time, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app import integrity
from app.proof import rules as proof_rules
from infra.clock import real_now
from tenants.scope import inside, operator
from tests.counting import statements
from tests.factories import Merchant
from tests.journeys.verdicts import judged
from tests.journeys.year import Buyers, Office, Suppliers, Warehouse, Year
from tests.outside import Inbox, Processor
from workers import janitor

LAST_DAYS, GIVEN_UP = 14, 9
"""Days before the end on which the last supplies come; on which what still cannot be had is told to its buyers."""


@dataclass(frozen=True)
class Length:
    """So many days, of which orders come on the first ones."""

    days: int
    ordering: int
    orders: int


SHORT = Length(days=60, ordering=26, orders=100)
LONG = Length(days=365, ordering=320, orders=10_000)


@pytest.mark.parametrize(
    "length", [pytest.param(SHORT, id="two months"), pytest.param(LONG, id="a year", marks=pytest.mark.full)]
)
@pytest.mark.timeout(14_400)
def test_year(
    merchant: Merchant,
    processor: Processor,
    inbox: Inbox,
    length: Length,
    record_property: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = date(real_now().year + 1, 1, 2)
    year = Year(merchant, processor, inbox, random.Random(16), first)
    began, busy = real.monotonic(), real.process_time()

    def tell(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)

    with statements() as sent:
        days = lived(year, length, sent, tell)
    verdicts = judged(merchant.tenant_id)
    ends = Counter(one.end for one in verdicts)
    figures = {
        "ends": ends,
        "seen": year.seen,
        "seconds": round(real.monotonic() - began),
        "cpu": round(real.process_time() - busy, 1),
        "statements a day": {"most": max(days), "all": sum(days) // len(days)},
    }
    record_property("year", json.dumps(figures))
    tell(f"\n{length.orders} orders in {length.days} days: {figures}")
    assert [one for one in verdicts if one.fault] == []
    assert {"shipped", "c1", "c5"} <= ends.keys()
    assert ends["c2"] + ends["c3"] > 0, "silence that cancels"
    assert ends["shipped"] > len(verdicts) / 2
    assert year.seen["given up"] < len(verdicts) / 50, "what can be had ships"
    every_refund_is_proven_in_time(year)
    every_notice_has_its_answer_or_its_effect(year)
    nothing_is_left_to_do(year)


def lived(year: Year, length: Length, sent: list[str], tell: Callable[[str], None]) -> list[int]:
    """Day by day until all is over; each day is told as it ends, with the seconds of CPU of this process and those of
    the clock that the books of the day before took beside it. Returns the statements of each day."""
    year.begin()
    suppliers, office, warehouse = Suppliers(year), Office(year), Warehouse(year)
    buyers, days = Buyers(year, suppliers), []
    with ThreadPoolExecutor(1) as beside:
        books: Future[float] | None = None
        for day in range(length.days):
            before, began = len(sent), real.process_time()
            year.move(time(12))
            if day < length.days - LAST_DAYS:
                suppliers.work()
            elif day == length.days - LAST_DAYS:
                warehouse.catch_up()
                suppliers.deliver_all()
            elif day == length.days - GIVEN_UP:
                office.give_up()
            if day < length.ordering:
                buyers.order(length.orders * (day + 1) // length.ordering - buyers.placed)
            for people in (buyers, warehouse, office):
                people.work()
                year.merchant.drain()
            days.append(len(sent) - before)
            worked = real.process_time() - began
            janitor.seal()
            took = books.result() if books else 0
            books = begun(beside, year)
            tell(
                f"{year.today}: {buyers.placed} orders, {days[-1]} statements; work {worked:.2f} s,"
                f" books of the day before {took:.2f}"
            )
            year.today += timedelta(days=1)
            if day % 10 == 9:
                the_proof_holds(year)
        assert books is not None
        books.result()
    assert buyers.placed == length.orders
    return days


def begun(beside: ThreadPoolExecutor, year: Year) -> Future[float]:
    """The books, begun as the day ends and read beside the next one: they see what stood then."""
    stands = Event()
    books = beside.submit(the_books_are_sound, year.merchant.tenant_id, year.today, stands)
    assert stands.wait(60)
    return books


def the_books_are_sound(tenant_id: UUID, today: date, stands: Event) -> float:
    """Every book, of one snapshot; says when that stands. Returns the seconds it took."""
    began = real.monotonic()
    with operator() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        session.execute(text("SELECT 1"))
        stands.set()
        findings = list(integrity.check(session, tenant_id))
    assert [(today, one.book.name, one.examples) for one in findings if one.faults] == []
    return real.monotonic() - began


def the_proof_holds(year: Year) -> None:
    """The proof file of some order of the past says what happened, sealed."""
    with inside(year.merchant.tenant_id) as scope:
        orders = scope.rows("SELECT id FROM orders WHERE tenant_id = :tenant ORDER BY id")
    proof = year.merchant.ok("GET", f"/orders/{year.draw.choice(orders).id}/proof")
    assert proof_rules.faults(proof) == []
    assert proof["seal"]["unsealed_rows"] == 0
    assert len(proof["history"]) > len(proof["lines"])


def every_refund_is_proven_in_time(year: Year) -> None:
    """Money and statement have gone by the last lawful day, of every refund there was."""
    with inside(year.merchant.tenant_id) as scope:
        rows = scope.rows("SELECT * FROM refunds_due WHERE tenant_id = :tenant")
    late = [
        (row.id, row.vests_on, row.latest_on, row.sent_on, row.stated_on)
        for row in rows
        if row.proven_at is None or max(row.sent_on, row.stated_on) > row.latest_on
    ]
    assert late == []
    assert len({row.paid_form for row in rows}) > 1


def every_notice_has_its_answer_or_its_effect(year: Year) -> None:
    """What was asked was answered, or shipped in time, or ended when the answer was due at the latest; where silence
    consents, it bound the seller to the day it names."""
    with inside(year.merchant.tenant_id) as scope:
        [told] = scope.rows(
            """
            SELECT count(*) AS all, count(*) FILTER (WHERE n.state NOT IN ('sent', 'delivered', 'bounced')) AS stuck,
                count(*) FILTER (WHERE a.given) AS answered, count(*) FILTER (WHERE NOT a.given) AS silent,
                count(*) FILTER (WHERE n.state IN ('sent', 'delivered') AND NOT a.given
                    AND n.facts->>'delay' <> 'silent_consent'
                    AND g.last > CAST(n.facts->>'reply_by' AS timestamptz)) AS ignored
            FROM notices n
            CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM delay_answers a WHERE a.tenant_id = :tenant
                AND a.order_id = n.order_id AND a.received_at >= n.created_at) AS given) a
            CROSS JOIN LATERAL (SELECT max(s.shipped_at) AS last FROM shipment_lines x JOIN shipments s
                ON s.tenant_id = :tenant AND s.id = x.shipment_id AND s.order_id = n.order_id
                WHERE x.tenant_id = :tenant AND jsonb_exists(n.facts->'lines', x.order_line_id::text)) g
            WHERE n.tenant_id = :tenant AND n.kind = 'delay'
            """
        )
    assert (told.stuck, told.ignored) == (0, 0)
    assert told.answered > 0
    assert told.silent > 0


def nothing_is_left_to_do(year: Year) -> None:
    """No later work waits or has died, and no clock is watched any more."""
    with inside(year.merchant.tenant_id) as scope:
        work = scope.rows(
            "SELECT topic, state, error FROM outbox WHERE tenant_id = :tenant AND state <> 'done'"
        )
        watched = scope.rows(
            "SELECT id, state FROM promises WHERE tenant_id = :tenant AND due_at IS NOT NULL"
        )
    assert (work, watched) == ([], [])
