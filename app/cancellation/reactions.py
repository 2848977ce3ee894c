"""What an order's cancellation follows from, and what follows from it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from app.calendar import end_of_day, local_date
from app.cancellation.service import cancel
from app.payments import service as payments
from app.payments.rules import PAY_NOW
from app.promises.refunds import CLASS_OF_TENDER, latest
from tenants.scope import Scope


def unpaid(scope: Scope, order_id: UUID, *, reason: str, **_: Any) -> None:
    """The payment was given up: cancel what is open."""
    order = scope.row(
        "SELECT status FROM orders WHERE tenant_id = :tenant AND id = :order FOR UPDATE", order=order_id
    )
    if order is not None and order.status == "placed":
        cancel(scope, order_id, None, reason)


def owe_back(scope: Scope, order_id: UUID, *, vests_on: str = "", **_: Any) -> None:
    """Money in hand for cancelled units is owed to the buyer, by the end of the lawful latest day at the seller's
    (16 CFR 435.1(b)), counted from the day on which the right to it vested (the seller's today where the cancellation
    names none)."""
    zone = scope.tenant.timezone
    day = date.fromisoformat(vests_on) if vests_on else local_date(scope.now(), zone)
    payments.owe(
        scope,
        order_id,
        {kind: end_of_day(latest(day, CLASS_OF_TENDER[kind], strict=True), zone) for kind in PAY_NOW},
    )
