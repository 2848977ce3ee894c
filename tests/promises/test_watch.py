"""The watch finds who is due by one index, however many clocks are live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.promises import watch
from tenants.scope import Scope, inside, opened
from tests.factories import Merchant

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
def clocks(merchant: Merchant, request: pytest.FixtureRequest) -> Iterator[Scope]:
    """A merchant with so many live clocks, of which some are due, in a transaction that is given up."""
    merchant.drain()
    merchant.node("RENO")
    merchant.sku("MUG")
    merchant.stock("RENO", "MUG", 5)
    merchant.order(("MUG", 1), tenders=[{"kind": "terms"}])
    merchant.drain()
    with opened(merchant.tenant_id) as scope:
        scope.execute(COPY_LINES, live=request.param)
        scope.execute(COPY_CLOCKS, due=DUE)
        yield scope


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
def test_what_is_due_is_found_by_the_index_within_a_second(clocks: Scope) -> None:
    now = clocks.now()
    first = plan(clocks, watch.NEXT)
    found = plan(clocks, watch.FIND.format(due="due_at"), now=now, most=watch.MOST_LINES)
    for one in (first, found):
        steps = list(nodes(one["Plan"]))
        assert any(step.get("Index Name") == "ix_promises_due" for step in steps), steps
        assert not any(step["Node Type"] == "Seq Scan" for step in steps), steps
    assert any(step["Node Type"] == "Index Only Scan" for step in nodes(first["Plan"]))
    assert found["Plan"]["Actual Rows"] == DUE
    assert sum(one["Execution Time"] + one["Planning Time"] for one in (first, found)) < 1000
    watch.scan(clocks, clocks.tenant_id)
    row = clocks.row(
        "SELECT count(*) AS looks FROM outbox WHERE tenant_id = :tenant AND topic = :topic", topic=watch.DUE
    )
    assert row is not None
    assert row.looks == 1, "they are lines of one order"
    again = plan(clocks, watch.FIND.format(due="due_at"), now=now, most=watch.MOST_LINES)
    assert again["Plan"]["Actual Rows"] == 0, "who was found is not found again while it is looked at"


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
