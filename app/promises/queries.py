"""Reads of promises."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tenants.scope import Scope


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
