"""What the buyer must mend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.payments import holds
from tenants.scope import Scope


@dataclass(frozen=True, slots=True)
class Needed:
    """What the buyer must mend. `amount` in minor units; `url`: the bank's page, where it asks."""

    amount: int
    currency: str
    reason: str
    url: str | None
    cancels_at: datetime | None
    has_card: bool
    """Whether there is a card that could be tried again."""


def needed(scope: Scope, order_id: UUID) -> Needed | None:
    """The payment that the buyer must mend, while the order is held for it."""
    hold = holds.standing(scope, order_id)
    if hold is None:
        return None
    row = scope.row(
        "SELECT coalesce(e.amount, t.amount) AS amount, t.payment_method, e.next_action, t.currency"
        " FROM tenders t LEFT JOIN LATERAL ("
        "   SELECT amount, next_action, outcome FROM ledger_entries WHERE tenant_id = :tenant"
        "   AND tender_id = t.id AND kind = 'authorize' ORDER BY at DESC, id DESC LIMIT 1) e ON true"
        " WHERE t.tenant_id = :tenant AND t.order_id = :order AND t.kind = 'card'"
        " ORDER BY (e.outcome = 'succeeded') NULLS FIRST, t.position LIMIT 1",
        order=order_id,
    )
    if row is None:
        return None
    return Needed(
        amount=row.amount,
        currency=row.currency,
        reason=hold.reason,
        url=(row.next_action or {}).get("url"),
        cancels_at=hold.due_at,
        has_card=row.payment_method is not None,
    )
