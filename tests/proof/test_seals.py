"""The chain over an order's history: whatever the owner of the database changes is found and named."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app import history, integrity
from app.payments import service as payments
from app.proof import rules, seals, verify
from infra import db
from infra.ids import first_id_at, new_id
from tenants.scope import SYSTEM, Scope, inside, operator
from tests.factories import Merchant
from tests.services import Database
from tests.shop import Shop
from workers import janitor

TERMS = [{"kind": "terms"}]


@pytest.fixture
def order(merchant: Merchant) -> dict[str, Any]:
    """A canceled order, sealed twice on the way."""
    sku = merchant.sku()
    merchant.stock(merchant.node(), sku, 5)
    made = merchant.order((sku, 2), tenders=TERMS)
    merchant.drain()
    seal(merchant)
    merchant.ok("POST", f"/orders/{made['id']}/cancellation", {"reason": "changed my mind"})
    merchant.drain()
    seal(merchant)
    return made


def seal(merchant: Merchant) -> int:
    """One round for this merchant."""
    with inside(merchant.tenant_id) as scope:
        return seals.seal(scope, seals.unsealed_since(scope, janitor.LOOK_BACK))


def found(merchant: Merchant) -> list[str]:
    """Faults of the books of history, as integrity names them."""
    with operator() as session:
        return [
            example
            for finding in integrity.check(session, merchant.tenant_id)
            if finding.book.number == 9
            for example in finding.examples
        ]


def as_owner(database: Database, sql: str, *values: Any) -> Any:
    """Run a statement as the role that owns the tables."""
    with psycopg.connect(database.owner_url) as connection:
        answer = connection.execute(sql, values)
        return answer.fetchall() if answer.description else answer.rowcount


def test_each_row_of_history_is_read_once() -> None:
    tables = [one.table for one in history.SOURCES]
    assert sorted(tables) == sorted(set(tables)), "a row sealed twice over breaks its chain"


def test_every_row_is_sealed_once(merchant: Merchant, order: dict[str, Any]) -> None:
    proof = merchant.ok("GET", f"/orders/{order['id']}/proof")
    sealed = [key for one in proof["seals"] for key in one["rows"]]
    assert sorted(sealed) == sorted(row["id"] for row in proof["history"])
    assert [one["position"] for one in proof["seals"]] == [1, 2]
    assert proof["seal"]["unsealed_rows"] == 0
    assert {"orders", "order_lines", "tenders", "promises", "timeline", "notices"} <= {
        row["source"] for row in proof["history"]
    }
    assert rules.faults(proof) == []
    assert seal(merchant) == 0
    assert found(merchant) == []


def test_a_row_that_commits_late_is_sealed_all_the_same(merchant: Merchant, order: dict[str, Any]) -> None:
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "INSERT INTO timeline (tenant_id, id, order_id, name, at, actor) VALUES (:tenant, :id, :order,"
            " 'order.noted', :now, 'system:Kept')",
            id=first_id_at(datetime.now(UTC) - timedelta(minutes=2)),
            order=order["id"],
            now=scope.now(),
        )
    assert seal(merchant) == 1
    proof = merchant.ok("GET", f"/orders/{order['id']}/proof")
    assert (proof["seal"]["seals"], proof["seal"]["unsealed_rows"]) == (3, 0)


def test_what_much_happens_to_is_sealed_in_time_that_grows_with_it_alone(
    merchant: Merchant, database: Database
) -> None:
    """A thousand orders that were sealed twenty times each have two new rows."""
    orders, rows = [new_id() for _ in range(1_000)], [new_id() for _ in range(22_000)]
    opening = f"BEGIN; SET LOCAL app.tenant_id = '{merchant.tenant_id}'; SET LOCAL session_replication_role = replica"
    with db.transaction(database.superuser_url, opening.encode(), str(merchant.tenant_id)) as session:
        scope = Scope(merchant.tenant_id, SYSTEM, session)
        scope.execute(HAPPENED, orders=orders, rows=rows)
        scope.execute(SEALED)
        scope.execute("ANALYZE timeline, seals")
        scope.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        began = time.monotonic()
        assert seals.seal(scope, rows[0]) == 1_000
        assert time.monotonic() - began < 5
        row = scope.row(
            "SELECT count(*) AS fresh FROM seals s, jsonb_object_keys(rows) WHERE s.position = 21"
        )
        assert row is not None
        assert row.fresh == 2_000


HAPPENED = """
INSERT INTO timeline (tenant_id, id, order_id, name, at, actor, data)
SELECT :tenant, r.id, (CAST(:orders AS uuid[]))[1 + (r.number - 1) / 22], 'order.noted', now(), 'system:Kept', '{}'
FROM unnest(CAST(:rows AS uuid[])) WITH ORDINALITY AS r(id, number)
"""
SEALED = """
INSERT INTO seals (tenant_id, id, order_id, position, made_at, rows, previous, digest)
SELECT :tenant, gen_random_uuid(), order_id, number, now(), jsonb_build_object(id, 'hash'), '', ''
FROM (SELECT order_id, id, row_number() OVER (PARTITION BY order_id ORDER BY id) AS number FROM timeline
    WHERE tenant_id = :tenant AND name = 'order.noted') r WHERE number <= 20
"""


def test_a_clock_that_begins_anew_is_no_change(shop: Shop, act: Callable[..., Any]) -> None:
    """A payment that was refused gives the line another clock when it is mended; the first one stays sealed."""
    order = shop.order(1, card="pm_card_chargeDeclined")
    seal(shop.merchant)
    shop.later(hours=3)
    act(payments.retry_payment, UUID(order["id"]), "pm_card_visa")
    seal(shop.merchant)
    kinds = [one["kind"] for one in proof_of(shop.merchant, order)["lines"][0]["promise_events"]]
    assert kinds == ["dishonored", "completed"]
    assert found(shop.merchant) == []
    assert rules.faults(proof_of(shop.merchant, order)) == []


def proof_of(merchant: Merchant, order: dict[str, Any]) -> dict[str, Any]:
    return dict(merchant.ok("GET", f"/orders/{order['id']}/proof"))


CHANGES: dict[str, tuple[str, str]] = {
    "an event's facts": (
        "UPDATE timeline SET data = '{\"reason\": \"other\"}' WHERE order_id = %s AND name = 'order.cancelled'",
        "was changed",
    ),
    "an event's time": (
        "UPDATE timeline SET at = at - interval '1 day' WHERE order_id = %s AND name = 'order.placed'",
        "was changed",
    ),
    "a message's words": ("UPDATE notices SET body_text = 'We told you' WHERE order_id = %s", "was changed"),
    "a promise's day": (
        "UPDATE promises SET original_date = original_date + 9 WHERE order_id = %s",
        "was changed",
    ),
    "a refund's day": ("UPDATE refunds_due SET vests_on = vests_on + 3 WHERE order_id = %s", "was changed"),
    "an event taken out": (
        "DELETE FROM timeline WHERE order_id = %s AND name = 'order.cancelled'",
        "is gone",
    ),
    "a seal's rows": (
        "UPDATE seals SET rows = rows - (SELECT min(k) FROM jsonb_object_keys(rows) k) WHERE order_id = %s"
        " AND position = 1",
        "seal 1 was changed",
    ),
    "a seal taken out": ("DELETE FROM seals WHERE order_id = %s AND position = 1", "seal 1 is gone"),
    "a seal made to fit": (
        "UPDATE seals SET previous = '', digest = encode(sha256(convert_to(E'\\n' || (SELECT string_agg(key || ' ' ||"
        " value, E'\\n' ORDER BY key) FROM jsonb_each_text(rows)), 'UTF8')), 'hex') WHERE order_id = %s"
        " AND position = 2",
        "seal 2 does not follow",
    ),
}


def test_whatever_is_changed_is_found_and_named(
    merchant: Merchant, order: dict[str, Any], database: Database
) -> None:
    missed = []
    for what, (sql, words) in CHANGES.items():
        with psycopg.connect(database.owner_url) as connection:
            touched = connection.execute(sql, [order["id"]]).rowcount
            shown = [
                f"{row.subject}: {row.fault}"
                for book in integrity.SEALED
                for row in _faults(connection, book, merchant.tenant_id)
            ]
            connection.rollback()
        if not touched or not any(order["id"] in one and words in one for one in shown):
            missed.append((what, touched, shown))
    assert missed == []
    assert found(merchant) == []


def _faults(connection: psycopg.Connection[Any], book: integrity.Book, tenant_id: UUID) -> list[Any]:
    from psycopg.rows import namedtuple_row

    query = integrity.narrowed(book.query, tenant_id).replace(":tenant", "%(tenant)s")
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        cursor.execute(f"SELECT * FROM ({query}) b WHERE fault IS NOT NULL", {"tenant": tenant_id})
        return cursor.fetchall()


def test_a_row_put_in_between_is_found(merchant: Merchant, order: dict[str, Any], database: Database) -> None:
    between = first_id_at(datetime.now(UTC) - timedelta(hours=5))
    as_owner(
        database,
        "INSERT INTO timeline (tenant_id, id, order_id, name, at, actor)"
        " VALUES (%s, %s, %s, 'notice.sent', now(), 'x')",
        merchant.tenant_id,
        between,
        order["id"],
    )
    assert [f"timeline {between} was added" in one for one in found(merchant)] == [True]
    as_owner(database, "DELETE FROM timeline WHERE id = %s", between)


def test_the_app_can_neither_change_nor_drop_a_seal(merchant: Merchant, order: dict[str, Any]) -> None:
    for sql in ("UPDATE seals SET digest = ''", "DELETE FROM seals"):
        with pytest.raises(Exception, match="permission denied"), inside(merchant.tenant_id) as scope:
            scope.execute(f"{sql} WHERE tenant_id = :tenant")


def test_a_proof_file_is_checked_without_a_database(
    merchant: Merchant, order: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = merchant.ok("GET", f"/orders/{order['id']}/proof")
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    assert verify.main([str(file)]) == 0
    assert proof["seal"]["digest"] in capsys.readouterr().out
    row = next(one for one in proof["history"] if "order.cancelled" in one["text"])
    row["text"] = row["text"].replace("changed my mind", "asked us to wait")
    file.write_text(json.dumps(proof))
    assert verify.main([str(file)]) == 1
    assert row["id"] in capsys.readouterr().out
    assert verify.main([str(tmp_path / "none")]) == 2


def test_the_janitor_seals_every_tenant(merchant: Merchant) -> None:
    sku = merchant.sku()
    merchant.stock(merchant.node(), sku, 1)
    made = merchant.order((sku, 1), tenders=TERMS)
    janitor.seal()
    assert merchant.ok("GET", f"/orders/{made['id']}/proof")["seal"]["unsealed_rows"] == 0
    with inside(merchant.tenant_id) as scope:
        assert seals.unsealed_since(scope, janitor.LOOK_BACK) < new_id()
