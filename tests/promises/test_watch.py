"""The watch finds who is due by one index, however many clocks are live."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.models import metadata
from app.promises import queries, watch
from infra import db
from tenants.scope import SYSTEM, Scope, inside
from tests.factories import Merchant
from tests.services import Database

DUE = 500
LATE, AT_RISK, UNDECIDED, WAITING = 300, 4_000, 700, 2_500
"""Of the live clocks: past their deadline; without a date in time; of these, with a later one proposed; asked."""
LINES_OF_AN_ORDER = 4
NEW = {
    "orders": {"id": "gen_random_uuid()", "number": "r.number + 1000 + n", "external_ref": "'W-' || n"},
    "order_lines": {"id": "gen_random_uuid()", "order_id": "o.id", "position": "n"},
    "promises": {
        "id": "gen_random_uuid()",
        "order_id": "l.order_id",
        "order_line_id": "l.id",
        "due_at": "r.made_at + CASE WHEN n <= :due THEN interval '0' ELSE interval '1 day' * (5 + n % 60) END",
        "deadline": "CAST(:now AS timestamptz) + CASE WHEN n <= :late THEN - interval '1 hour' * (1 + n % 50)"
        " ELSE interval '1 hour' * (1 + n % 900) END",
        "expected_ship_at": "CASE WHEN n <= :at_risk THEN NULL ELSE CAST(:now AS timestamptz) + interval '1 minute'"
        " END",
        "state": "CASE WHEN n > :live - :waiting THEN 'wait_express' ELSE 'open' END",
    },
}
SOURCES = {
    "orders": "orders r, generate_series(1, :live / :each) n WHERE r.tenant_id = :tenant",
    "order_lines": "order_lines r, (SELECT id, row_number() OVER (ORDER BY id) AS at FROM orders"
    " WHERE tenant_id = :tenant AND external_ref LIKE 'W-%') o, generate_series((o.at - 1) * :each + 1, o.at * :each) n"
    " WHERE r.tenant_id = :tenant",
    "promises": "promises r, (SELECT id, order_id, position AS n FROM order_lines WHERE tenant_id = :tenant"
    " AND order_id IN (SELECT id FROM orders WHERE tenant_id = :tenant AND external_ref LIKE 'W-%')) l"
    " WHERE r.tenant_id = :tenant",
}
PROPOSED = """
INSERT INTO promise_events (tenant_id, id, order_id, order_line_id, kind, key, at, recorded_at, actor, data)
SELECT tenant_id, gen_random_uuid(), order_id, order_line_id, 'late_known', 'test', made_at, made_at, 'system:Kept',
    jsonb_build_object('deadline', to_char(deadline AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'proposed', '2099-01-01', 'basis', '{}'::jsonb)
FROM (SELECT * FROM promises WHERE tenant_id = :tenant AND expected_ship_at IS NULL AND deadline > :now
    ORDER BY id LIMIT :undecided) p
"""
RENAMED = """
UPDATE order_lines SET sku = s.code, sku_id = s.id FROM skus s
WHERE order_lines.tenant_id = :tenant AND s.tenant_id = :tenant AND s.code = :sku AND order_lines.id = (
    SELECT max(l.id::text)::uuid FROM order_lines l WHERE l.tenant_id = :tenant AND l.sku = 'MUG')
"""
"""One line of it among all the others."""


def copied(scope: Scope, table: str, **values: int) -> None:
    """Copies of the merchant's one row of a table, each with what is new of it."""
    columns = [column.name for column in metadata.tables[table].columns]
    new = ", ".join(NEW[table].get(name, f"r.{name}") for name in columns)
    sql = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {new} FROM {SOURCES[table]}"
    asked = {name: value for name, value in values.items() if f":{name}" in sql}
    now = {"now": scope.now()} if ":now" in sql else {}
    scope.execute(sql, **asked, **now)


@pytest.fixture
def clocks(merchant: Merchant, database: Database, request: pytest.FixtureRequest) -> Iterator[Scope]:
    """A merchant with so many live clocks, of which some are due, in a transaction that is given up. They are written
    as the superuser, without the checks of a million foreign keys; what is tested runs as the application."""
    merchant.drain()
    merchant.node("RENO")
    for sku in ("MUG", "RARE", "UNSOLD", "K-1001"):
        merchant.sku(sku)
        merchant.stock("RENO", sku, 5)
    merchant.order(("MUG", 1), tenders=[{"kind": "terms"}])
    merchant.drain()
    tenant = f"SET LOCAL app.tenant_id = '{merchant.tenant_id}'"
    opening = f"BEGIN; {tenant}; SET LOCAL session_replication_role = replica".encode()
    with db.transaction(database.superuser_url, opening, str(merchant.tenant_id)) as session:
        scope = Scope(merchant.tenant_id, SYSTEM, session)
        sizes = {
            "live": request.param,
            "due": DUE,
            "late": LATE,
            "waiting": WAITING,
            "each": LINES_OF_AN_ORDER,
        }
        for table in SOURCES:
            copied(scope, table, **sizes, at_risk=LATE + AT_RISK)
            scope.execute(f"ANALYZE {table}")
        for sku in ("RARE", "K-1001"):
            scope.execute(RENAMED, sku=sku)
        scope.execute(PROPOSED, now=scope.now(), undecided=UNDECIDED)
        scope.execute("ANALYZE promise_events")
        scope.execute("SET LOCAL ROLE kept_app")
        scope.execute("SET LOCAL plan_cache_mode = force_generic_plan")
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


SIZES = [
    pytest.param(20_000, id="20,000 clocks"),
    pytest.param(1_000_000, id="1,000,000 clocks", marks=[pytest.mark.full, pytest.mark.timeout(1800)]),
]


@pytest.mark.parametrize("clocks", SIZES, indirect=True)
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
    assert row.looks == DUE // LINES_OF_AN_ORDER, "an order is looked at once"
    again = plan(clocks, watch.FIND.format(due="due_at"), now=now, most=watch.MOST_LINES)
    assert again["Plan"]["Actual Rows"] == 0, "who was found is not found again while it is looked at"


@pytest.mark.parametrize("clocks", SIZES, indirect=True)
def test_the_board_counts_and_shows_its_first_page_within_a_second(clocks: Scope) -> None:
    began = time.monotonic()
    counts = queries.counts(clocks)
    first = queries.listed(clocks, {"limit": 50})
    took = time.monotonic() - began
    assert counts["live"] == queries.MOST_COUNTED
    assert (counts["late"], counts["at_risk"], counts["waiting"]) == (LATE, AT_RISK, WAITING)
    assert counts["to_decide"] == UNDECIDED
    assert len(first["data"]) == 50
    assert took < 1
    for view in queries.VIEWS:
        began = time.monotonic()
        queries.listed(clocks, {"limit": 50, "bucket": view})
        assert time.monotonic() - began < 1, view
    for text, some in (
        ("mug", True),
        ("K-1001", True),
        ("marisol", True),
        ("rare", True),
        ("unsold", False),
        ("nothing", False),
    ):
        began = time.monotonic()
        assert bool(queries.found(clocks, {"q": text, "limit": 50}, 51)) is some, text
        assert time.monotonic() - began < 1, text


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
