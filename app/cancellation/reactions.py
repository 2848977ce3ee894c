"""What an order's cancellation follows from, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def owe_back(
    scope: Scope, order_id: UUID, *, lines: Sequence[Mapping[str, Any]], value: int, gone: int, **_: Any
) -> None:
    """The buyer's money for cancelled units is owed or let go (16 CFR 435.1(b)), counted from the day on which the
    right to it vested: the earliest of these lines'. `value`: of these units; `gone`: of all that was cancelled of the
    order until then, minor units."""
    row = scope.row(
        "SELECT min(vests_on) AS day FROM promises WHERE tenant_id = :tenant AND order_line_id = ANY(:lines)",
        lines=[UUID(line["id"]) for line in lines],
    )
    today = local_date(scope.now(), scope.tenant.timezone)
    owing.cancelled(
        scope, order_id, row.day if row is not None and row.day is not None else today, value=value, gone=gone
    )
