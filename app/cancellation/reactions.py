"""What an order's cancellation follows from, and what follows from it."""

from __future__ import annotations

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


def owe_back(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Money in hand for cancelled units is owed to the buyer, by the end of the lawful latest day at the seller's
    (16 CFR 435.1(b))."""
    zone = scope.tenant.timezone
    today = local_date(scope.now(), zone)
    payments.owe(
        scope,
        order_id,
        {kind: end_of_day(latest(today, CLASS_OF_TENDER[kind], strict=True), zone) for kind in PAY_NOW},
    )


def delay_answered(scope: Scope, order_id: UUID, *, answer: str, lines: list[str], **_: Any) -> None:
    """The buyer did not want to wait: cancel what is still open of those lines."""
    if answer != "cancel":
        return
    order = scope.row(
        "SELECT status FROM orders WHERE tenant_id = :tenant AND id = :order FOR UPDATE", order=order_id
    )
    still_open = scope.rows(
        "SELECT id FROM order_lines WHERE tenant_id = :tenant AND order_id = :order AND id = ANY(:lines)"
        " AND allocated + backordered > 0 ORDER BY position",
        order=order_id,
        lines=[UUID(line) for line in lines],
    )
    if order is not None and order.status == "placed" and still_open:
        cancel(
            scope,
            order_id,
            [{"id": str(line.id)} for line in still_open],
            "You canceled because of the delay",
        )
