"""What an order's cancellation follows from, and what follows from it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from app.calendar import local_date
from app.cancellation.service import cancel
from app.refunds import owing
from tenants.scope import Scope


def unpaid(scope: Scope, order_id: UUID, *, reason: str, **_: Any) -> None:
    """The payment was given up: cancel what is open."""
    order = scope.row(
        "SELECT status FROM orders WHERE tenant_id = :tenant AND id = :order FOR UPDATE", order=order_id
    )
    if order is not None and order.status == "placed":
        cancel(scope, order_id, None, reason)


def owe_back(scope: Scope, order_id: UUID, *, vests_on: str = "", **_: Any) -> None:
    """The buyer's money for cancelled units is owed or let go, from the day the right vested (the seller's today
    where the cancellation names none)."""
    today = local_date(scope.now(), scope.tenant.timezone)
    owing.owe(scope, order_id, date.fromisoformat(vests_on) if vests_on else today)
