"""Reads of money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.payments import holds
from app.shapes import instant, money
from infra.errors import not_found
from tenants.scope import Scope


def ledger(scope: Scope, order_id: UUID) -> list[dict[str, Any]]:
    """The order's ledger as the API shows it, oldest first. Raises Problem 404."""
    order = scope.row("SELECT currency FROM orders WHERE tenant_id = :tenant AND id = :order", order=order_id)
    if order is None:
        raise not_found("order")
    rows = scope.rows(
        "SELECT e.id, e.kind, e.amount, e.outcome, e.reference, e.at, e.error_code, e.error, e.capture_before,"
        " e.tender_id, t.kind AS tender_kind, t.card FROM ledger_entries e"
        " JOIN tenders t ON t.tenant_id = :tenant AND t.id = e.tender_id"
        " WHERE e.tenant_id = :tenant AND e.order_id = :order ORDER BY e.at, e.id",
        order=order_id,
    )
    return [
        {
            "id": str(row.id),
            "tender": {"id": str(row.tender_id), "kind": row.tender_kind, "card": row.card},
            "kind": row.kind,
            "amount": money(row.amount, order.currency),
            "outcome": row.outcome,
            "reference": row.reference,
            "at": instant(row.at),
            "error": row.error or row.error_code,
            "capture_before": instant(row.capture_before) if row.capture_before else None,
        }
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Needed:
    """What the buyer must mend. `amount` in minor units; `url`: the bank's page, where it asks."""

    amount: int
    currency: str
    reason: str
    url: str | None
    cancels_at: datetime | None


def needed(scope: Scope, order_id: UUID) -> Needed | None:
    """The payment that the buyer must mend, while the order is held for it."""
    hold = holds.standing(scope, order_id)
    if hold is None:
        return None
    row = scope.row(
        "SELECT e.amount, e.next_action, t.currency FROM tenders t LEFT JOIN LATERAL ("
        "   SELECT amount, next_action, outcome FROM ledger_entries WHERE tenant_id = :tenant"
        "   AND tender_id = t.id AND kind = 'authorize' ORDER BY at DESC, id DESC LIMIT 1) e ON true"
        " WHERE t.tenant_id = :tenant AND t.order_id = :order AND t.kind = 'card'"
        " ORDER BY (e.outcome = 'succeeded') NULLS FIRST, t.position LIMIT 1",
        order=order_id,
    )
    if row is None:
        return None
    amount = row.amount if row.amount is not None else 0
    return Needed(amount, row.currency, hold.reason, (row.next_action or {}).get("url"), hold.due_at)
