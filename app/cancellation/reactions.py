"""What an order's cancellation follows from, and what follows from it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

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


def owe_back(scope: Scope, order_id: UUID, **_: Any) -> None:
    """The buyer's money for canceled units is owed or let go (16 CFR 435.1(b))."""
    owing.cancelled(scope, order_id)
