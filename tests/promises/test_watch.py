"""The watch finds who is due by one index, however many clocks are live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.promises import watch
from tenants.scope import Scope, inside
from tests.factories import Merchant
from tests.services import Database

DUE = 500
COPY_LINES = """
INSERT INTO order_lines SELECT (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(),
    'position', l.position + n))).* FROM order_lines l, generate_series(1, :live) n WHERE l.tenant_id = :tenant
"""
COPY_CLOCKS = """
INSERT INTO promises SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(),
    'order_line_id', l.id, 'due_at', CASE WHEN l.position <= :due THEN p.made_at
        ELSE p.made_at + interval '1 day' * (5 + l.position % 60) END))).*
FROM promises p JOIN order_lines l ON l.tenant_id = :tenant AND l.id <> p.order_line_id
WHERE p.tenant_id = :tenant
"""


@pytest.fixture
def clocks(merchant: Merchant, database: Database, request: pytest.FixtureRequest) -> Iterator[Merchant]:
    """A merchant with so many live clocks, of which some are due."""
    merchant.drain()
    merchant.node("RENO")
    merchant.sku("MUG")
    merchant.stock("RENO", "MUG", 5)
    merchant.order(("MUG", 1), tenders=[{"kind": "terms"}])
    merchant.drain()
    with inside(merchant.tenant_id) as scope:
        scope.execute(COPY_LINES, live=request.param)
        scope.execute(COPY_CLOCKS, due=DUE)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE promises")
    yield merchant
    with inside(merchant.tenant_id) as scope:
        for table, line in (("promises", "order_line_id"), ("order_lines", "id")):
            scope.execute(
                f"DELETE FROM {table} x WHERE x.tenant_id = :tenant AND NOT EXISTS (SELECT 1 FROM reservations r"
                f" WHERE r.tenant_id = :tenant AND r.order_line_id = x.{line})"
            )


def plan(scope: Scope, sql: str, **values: Any) -> dict[str, Any]:
    """What the database does, and how long it takes (ms)."""
    row = scope.row(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", **values)
    assert row is not None
    found: dict[str, Any] = row[0][0]
    return found


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every step of a plan."""
    yield tree
    for below in tree.get("Plans", []):
        yield from nodes(below)


@pytest.mark.parametrize(
    "clocks",
    [
        pytest.param(20_000, id="20,000 clocks"),
        pytest.param(1_000_000, id="1,000,000 clocks", marks=[pytest.mark.full, pytest.mark.timeout(900)]),
    ],
    indirect=True,
)
def test_what_is_due_is_found_by_the_index_within_a_second(clocks: Merchant) -> None:
    with inside(clocks.tenant_id) as scope:
        now = scope.now()
        first = plan(scope, watch.NEXT)
        found = plan(scope, watch.FIND, now=now, again=now + timedelta(hours=1), most=watch.MOST_ORDERS)
        second = plan(scope, watch.FIND, now=now, again=now + timedelta(hours=1), most=watch.MOST_ORDERS)
    for one in (first, found):
        steps = list(nodes(one["Plan"]))
        assert any(step.get("Index Name") == "ix_promises_due" for step in steps), steps
        assert not any(
            step["Node Type"] == "Seq Scan" and step.get("Relation Name") == "promises" for step in steps
        ), steps
    assert any(step["Node Type"] == "Index Only Scan" for step in nodes(first["Plan"]))
    assert sum(one["Execution Time"] + one["Planning Time"] for one in (first, found)) < 1000
    assert rows_of(found) == DUE - 1, "the line that was copied has position 1 and is not due"
    assert rows_of(second) == 0, "who was found is not found again while it is looked at"


def rows_of(one: dict[str, Any]) -> int:
    return int(one["Plan"]["Actual Rows"])


def test_one_order_is_looked_at_once_and_the_watch_wakes_at_the_next_instant(merchant: Merchant) -> None:
    merchant.drain()
    merchant.node("RENO")
    merchant.sku("MUG")
    soon = {"promise": {"within": {"value": 9, "unit": "days"}}}
    merchant.order(("MUG", 1), tenders=[{"kind": "terms"}], **soon)
    with inside(merchant.tenant_id) as scope:
        armed = scope.row(
            "SELECT due_at FROM timers WHERE tenant_id = :tenant AND key = :key", key=watch.TIMER
        )
        due = scope.row("SELECT due_at FROM promises WHERE tenant_id = :tenant")
        assert armed is not None
        assert due is not None
        assert armed.due_at <= due.due_at
        scope.execute("UPDATE promises SET due_at = :now WHERE tenant_id = :tenant", now=scope.now())
        watch.scan(scope, merchant.tenant_id)
        watch.scan(scope, merchant.tenant_id)
        row = scope.row(
            "SELECT count(*) AS looks FROM outbox WHERE tenant_id = :tenant AND topic = :topic",
            topic=watch.DUE,
        )
        assert row is not None
        assert row.looks == 1
        again = scope.row(
            "SELECT due_at FROM timers WHERE tenant_id = :tenant AND key = :key", key=watch.TIMER
        )
        assert again is not None
        assert again.due_at - scope.now() <= watch.LOOKED_AT
