"""The hold `payment` of an order: nothing leaves until the buyer has mended the payment, and not for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app import events
from app.payments.rules import HOLD_HOURS
from infra import outbox
from infra.ids import new_id
from tenants.scope import Scope

LAPSED = "payment.hold_lapsed"


def place(scope: Scope, order_id: UUID, reason: str, **facts: Any) -> None:
    """Hold the order for its payment and ask the buyer. A hold that stands keeps its time; the buyer is asked again
    about each attempt (`entry`)."""
    now = scope.now()
    made = scope.execute(
        "INSERT INTO order_holds (tenant_id, id, order_id, kind, reason, placed_at, placed_by)"
        " VALUES (:tenant, :id, :order, 'payment', :reason, :now, :actor)"
        " ON CONFLICT (tenant_id, order_id, kind) WHERE released_at IS NULL DO NOTHING",
        id=new_id(),
        order=order_id,
        reason=reason,
        now=now,
        actor=str(scope.actor),
    )
    if made:
        hours = int(scope.tenant.settings.get("payment_hold_hours", HOLD_HOURS))
        scope.at(now + timedelta(hours=hours), LAPSED, order_id, key=_timer(order_id))
        events.tell(scope, order_id, events.HOLD_PLACED, kind="payment", reason=reason)
    if made or facts.get("entry"):
        events.record(scope, order_id, events.PAYMENT_NEEDED, reason=reason, **facts)


def release(scope: Scope, order_id: UUID) -> bool:
    """Lift the hold, if there is one. Tells whether there was."""
    released = scope.execute(
        "UPDATE order_holds SET released_at = :now, released_by = :actor WHERE tenant_id = :tenant"
        " AND order_id = :order AND kind = 'payment' AND released_at IS NULL",
        order=order_id,
        now=scope.now(),
        actor=str(scope.actor),
    )
    if not released:
        return False
    outbox.disarm(scope.session, scope.tenant_id, _timer(order_id))
    events.record(scope, order_id, events.HOLD_RELEASED, kind="payment")
    return True


def standing(scope: Scope, order_id: UUID) -> Any | None:
    """The live payment hold with the instant at which the order is given up, or None."""
    return scope.row(
        "SELECT h.reason, h.placed_at, t.due_at FROM order_holds h"
        " LEFT JOIN timers t ON t.tenant_id = :tenant AND t.key = :key AND t.state = 'armed'"
        " WHERE h.tenant_id = :tenant AND h.order_id = :order AND h.kind = 'payment' AND h.released_at IS NULL",
        order=order_id,
        key=_timer(order_id),
    )


def _timer(order_id: UUID) -> str:
    return f"payment-hold:{order_id}"
