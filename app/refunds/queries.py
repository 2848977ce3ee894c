"""Reads of refunds due: for the API, the page and an order's ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.refunds import rules
from app.shapes import cursor, money, page
from infra.errors import not_found
from tenants.scope import Scope

LISTED = """
SELECT d.*, t.kind AS tender_kind, t.card, t.reference AS tender_reference, o.number, o.currency,
    o.customer->>'name' AS customer, n.state AS statement_state, n.sent_at AS statement_sent_at
FROM refunds_due d
JOIN tenders t ON t.tenant_id = :tenant AND t.id = d.tender_id
JOIN orders o ON o.tenant_id = :tenant AND o.id = d.order_id
LEFT JOIN notices n ON n.tenant_id = :tenant AND n.id = d.statement_id
WHERE d.tenant_id = :tenant {where}
"""
STATES = {
    "open": "d.proven_at IS NULL AND d.paid_at IS NULL",
    "paid": "d.proven_at IS NULL AND d.paid_at IS NOT NULL",
    "proven": "d.proven_at IS NOT NULL",
    "late": "d.proven_at IS NULL AND d.due_at <= :now",
}
TO_DO = """d.proven_at IS NULL AND (
    (d.paid_at IS NULL AND d.taken AND (t.kind <> ALL(:by_itself) OR d.impossible_on IS NOT NULL))
    OR (d.paid_at IS NOT NULL AND n.state IN ('failed', 'bounced')) OR d.alarm > 0)"""


def listed(
    scope: Scope,
    *,
    limit: int,
    after: str | None = None,
    state: str | None = None,
    due_before: datetime | None = None,
) -> dict[str, Any]:
    """A page of refunds due, the oldest first."""
    where, values = "", dict[str, Any]()
    if state is not None:
        where += f" AND {STATES[state]}"
        values |= {"now": scope.now()} if state == "late" else {}
    if due_before is not None:
        where, values = f"{where} AND d.due_at < :before", values | {"before": due_before}
    if after is not None:
        where, values = f"{where} AND d.id > :after", values | {"after": cursor(after)}
    rows = scope.rows(LISTED.format(where=where) + " ORDER BY d.id LIMIT :limit", limit=limit + 1, **values)
    return page([document(row, scope.now()) for row in rows], limit)


def of_order(scope: Scope, order_id: UUID) -> list[Any]:
    """The rows of one order's refunds due, oldest first."""
    return scope.rows(LISTED.format(where="AND d.order_id = :order") + " ORDER BY d.id", order=order_id)


def shown_of_order(scope: Scope, order_id: UUID) -> dict[str, Any]:
    """The refunds due of one order as the API shows them. Raises Problem 404."""
    if scope.row("SELECT 1 FROM orders WHERE tenant_id = :tenant AND id = :id", id=order_id) is None:
        raise not_found("order")
    return {"data": [document(row, scope.now()) for row in of_order(scope, order_id)]}


def one(scope: Scope, due_id: UUID) -> Any | None:
    """One refund due with its tender and order, or None."""
    return scope.row(LISTED.format(where="AND d.id = :id"), id=due_id)


def shown(scope: Scope, due_id: UUID) -> dict[str, Any]:
    """One refund due as the API shows it; the caller knows that it is there."""
    return document(one(scope, due_id), scope.now())


def document(row: Any, now: datetime) -> dict[str, Any]:
    """The contract's refund due."""
    return {
        "id": str(row.id),
        "order_id": str(row.order_id),
        "order": f"K-{row.number}",
        "tender": row.tender_kind,
        "amount": money(row.amount, row.currency),
        "taken": row.taken,
        "form": row.form,
        "cause": row.cause,
        "state": rules.state(row),
        "late": row.proven_at is None and row.due_at <= now,
        "to_do": rules.to_do(row, row.tender_kind),
        "vests_on": row.vests_on,
        "target_on": row.target_on,
        "latest_on": row.latest_on,
        "strict_on": row.strict_on,
        "due_at": row.due_at,
        "sent_on": row.sent_on,
        "sent_form": row.paid_form,
        "reference": row.reference,
        "impossible_on": row.impossible_on,
        "impossible_reason": row.impossible_reason,
        "statement": str(row.statement_id) if row.statement_id else None,
        "statement_sent_on": row.stated_on,
        "proven_at": row.proven_at,
    }


def board(scope: Scope, view: str, most: int) -> list[Any]:
    """Rows for the page: `todo` what a person must do, `open` all that is not proven, by the last day; `proven` the
    newest first."""
    where = (
        f"AND {TO_DO}" if view == "todo" else f"AND d.proven_at IS {'NOT' if view == 'proven' else ''} NULL"
    )
    order = "d.proven_at DESC" if view == "proven" else "d.due_at, d.id"
    values = {"by_itself": sorted(rules.BY_ITSELF)} if view == "todo" else {}
    return scope.rows(LISTED.format(where=where) + f" ORDER BY {order} LIMIT :most", most=most, **values)


def counts(scope: Scope) -> dict[str, int]:
    """How many refunds each view of the page holds."""
    row = scope.row(
        f"SELECT count(*) FILTER (WHERE {TO_DO}) AS todo, count(*) FILTER (WHERE d.proven_at IS NULL) AS open,"
        " count(*) FILTER (WHERE d.proven_at IS NOT NULL) AS proven FROM refunds_due d"
        " JOIN tenders t ON t.tenant_id = :tenant AND t.id = d.tender_id"
        " LEFT JOIN notices n ON n.tenant_id = :tenant AND n.id = d.statement_id WHERE d.tenant_id = :tenant",
        by_itself=sorted(rules.BY_ITSELF),
    )
    return dict(row._mapping) if row else {}
