"""Reads of promises."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.calendar import end_of_day, local_date
from app.shapes import cursor, page
from infra.errors import not_found
from tenants.scope import Scope

LIVE = "p.state NOT IN ('shipped', 'cancelled', 'not_covered', 'incomplete')"
ENDING = f"{LIVE} AND p.state <> 'consent_indefinite'"
BUCKETS = {
    "due_today": f"{ENDING} AND p.deadline > :now AND p.deadline <= :today",
    "at_risk": f"{ENDING} AND p.deadline > :now AND (p.expected_ship_at IS NULL OR p.expected_ship_at >= p.deadline)",
    "late": f"{ENDING} AND p.deadline <= :now",
    "waiting": f"{LIVE} AND p.state IN ('wait_silent', 'wait_express', 'wait_renewed')",
    "live": LIVE,
}
"""Conditions over `promises p`; `:now` is business time, `:today` the end of the seller's day."""

LISTED = """
SELECT p.*, o.number, o.customer, l.sku, l.title, l.allocated + l.backordered AS units, n.id AS notice_id,
    n.state AS notice_state, n.facts AS notice_facts, a.answer, r.due_at AS refund_by, k.at AS known_at, k.data AS known
FROM promises p JOIN orders o ON o.tenant_id = :tenant AND o.id = p.order_id
JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id
LEFT JOIN LATERAL (SELECT n.id, n.state, n.facts FROM notices n WHERE n.tenant_id = :tenant AND n.order_id = p.order_id
    AND n.kind = 'delay' AND n.facts->'lines' ? CAST(p.order_line_id AS text) ORDER BY n.created_at DESC, n.id DESC
    LIMIT 1) n ON true
LEFT JOIN LATERAL (SELECT a.answer FROM delay_answers a WHERE a.tenant_id = :tenant AND a.order_id = p.order_id
    AND a.notice_id = n.id ORDER BY a.received_at DESC, a.id DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT min(r.due_at) AS due_at FROM refunds_due r WHERE r.tenant_id = :tenant
    AND r.order_id = p.order_id AND r.paid_at IS NULL) r ON true
LEFT JOIN LATERAL (SELECT k.at, k.data FROM promise_events k WHERE k.tenant_id = :tenant AND k.order_id = p.order_id
    AND k.order_line_id = p.order_line_id AND k.kind = 'late_known' ORDER BY k.id DESC LIMIT 1) k ON true
WHERE p.tenant_id = :tenant AND {where} ORDER BY p.deadline, p.id LIMIT :limit
"""


def listed(scope: Scope, filters: dict[str, Any]) -> dict[str, Any]:
    """A page of promises, the earliest deadline first, by PromiseListIn."""
    now, limit = scope.now(), filters["limit"]
    where, values = [BUCKETS[filters.get("bucket") or "live"]], dict[str, Any](limit=limit + 1)
    if filters.get("state"):
        where = ["p.state = :state", BUCKETS[filters["bucket"]] if filters.get("bucket") else "true"]
    values["state"], values["now"], values["today"] = filters.get("state"), now, _today_ends(scope, now)
    for clause, value in (
        ("p.deadline < :before", filters.get("due_before")),
        ("l.sku = :sku", filters.get("sku")),
        ("coalesce(n.state, 'none') = :notice", filters.get("notice_state")),
        (
            "(p.deadline, p.id) > (SELECT q.deadline, q.id FROM promises q WHERE q.tenant_id = :tenant"
            " AND q.id = :after)",
            cursor(filters.get("after")),
        ),
    ):
        if value is not None:
            where.append(clause)
            values[clause.rpartition(":")[2].rstrip(")")] = value
    sql = LISTED.format(where=" AND ".join(where))
    used = {name: value for name, value in values.items() if f":{name}" in sql}
    return page([_shown(row, now) for row in scope.rows(sql, **used)], limit)


def counts(scope: Scope) -> dict[str, int]:
    """Lines in each bucket."""
    now = scope.now()
    columns = ", ".join(f"count(*) FILTER (WHERE {sql}) AS {name}" for name, sql in BUCKETS.items())
    row = scope.row(
        f"SELECT {columns} FROM promises p WHERE p.tenant_id = :tenant AND {LIVE}",
        now=now,
        today=_today_ends(scope, now),
    )
    return dict(row._mapping) if row is not None else {}


def _today_ends(scope: Scope, now: datetime) -> datetime:
    zone = scope.tenant.timezone
    return end_of_day(local_date(now, zone), zone)


def _shown(row: Any, now: datetime) -> dict[str, Any]:
    facts = row.notice_facts or {}
    return {
        "id": str(row.id),
        "order_id": str(row.order_id),
        "order": f"K-{row.number}",
        "buyer": row.customer.get("name") or row.customer.get("email") or "",
        "line": str(row.order_line_id),
        "sku": row.sku,
        "title": row.title,
        "units": row.units,
        "state": row.state,
        "first_deadline": row.original_deadline,
        "deadline": row.deadline,
        "days_left": (row.deadline - now).days,
        "expected_ship_at": row.expected_ship_at,
        "cancelled_at": row.vested_at,
        "notice": None
        if row.notice_id is None
        else {
            "id": str(row.notice_id),
            "kind": facts["delay"],
            "state": row.notice_state,
            "ship_by": facts["revised"],
            "reply_by": facts["reply_by"].replace("+00:00", "Z"),
        },
        "answer": row.answer,
        "proposed": _proposed(row),
        "refund_by": row.refund_by,
    }


def _proposed(row: Any) -> dict[str, Any] | None:
    """The date that Kept proposes and nobody has told the buyer yet."""
    if row.known is None or row.state not in ("open", "wait_silent", "consent_definite"):
        return None
    if row.known["deadline"] is None or datetime.fromisoformat(row.known["deadline"]) != row.deadline:
        return None
    return {
        "ship_by": row.known["proposed"],
        "since": row.known_at.isoformat().replace("+00:00", "Z"),
        "basis": row.known["basis"],
    }


def delay_notices(scope: Scope, ids: list[UUID]) -> list[dict[str, Any]]:
    """Delay notices as the API shows them, oldest first."""
    rows = scope.rows(
        "SELECT id, subject, state, facts FROM notices WHERE tenant_id = :tenant AND id = ANY(:ids)"
        " ORDER BY created_at, id",
        ids=ids,
    )
    return [
        {
            "id": str(row.id),
            "kind": row.facts["delay"],
            "lines": row.facts["lines"],
            "ship_by": row.facts["revised"],
            "reply_by": row.facts["reply_by"].replace("+00:00", "Z"),
            "state": row.state,
            "subject": row.subject,
        }
        for row in rows
    ]


def open_question(scope: Scope, order_id: UUID) -> Any | None:
    """The latest delay notice of the order that the buyer has not answered, with its facts; None when there is none
    to answer in time."""
    return scope.row(
        "SELECT n.id, n.subject, n.facts, n.created_at FROM notices n WHERE n.tenant_id = :tenant"
        " AND n.order_id = :order AND n.kind = 'delay' AND n.state NOT IN ('bounced', 'failed')"
        " AND CAST(n.facts->>'reply_by' AS timestamptz) > :now"
        " AND NOT EXISTS (SELECT 1 FROM delay_answers a WHERE a.tenant_id = :tenant AND a.notice_id = n.id)"
        " ORDER BY n.created_at DESC, n.id DESC LIMIT 1",
        order=order_id,
        now=scope.now(),
    )


def notice_of(scope: Scope, order_id: UUID, notice_id: UUID) -> UUID:
    """A delay notice of that order. Raises Problem 404."""
    found = scope.row(
        "SELECT id FROM notices WHERE tenant_id = :tenant AND order_id = :order AND id = :id AND kind = 'delay'",
        order=order_id,
        id=notice_id,
    )
    if found is None:
        raise not_found("delay notice")
    return UUID(str(found.id))


def asked_by(scope: Scope, order_id: UUID) -> list[Any]:
    """The order's delay notices that left, the newest first."""
    return scope.rows(
        "SELECT id, subject, coalesce(sent_at, created_at) AS at FROM notices WHERE tenant_id = :tenant"
        " AND order_id = :order AND kind = 'delay' AND state NOT IN ('bounced', 'failed')"
        " ORDER BY created_at DESC, id DESC",
        order=order_id,
    )
