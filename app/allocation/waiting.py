"""Orders with units that wait, as they are read for placing, and how routing sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.calendar import local_date
from app.catalog.rules import volume_cm3
from app.inventory.rules import parts
from app.routing.baskets import Asked, destination
from app.routing.facts import BasketLine, Destination
from tenants.scope import Scope

Barred = tuple[str, str | None]
"""(node code, SKU code; None = everything there)"""


@dataclass
class Line:
    """What of one order line waits."""

    row: Any
    waiting: int
    ship_by: datetime
    made_at: datetime
    parts: list[tuple[str, int]]
    reservations: list[dict[str, Any]]
    placed: int = 0
    expected: datetime | None = None


@dataclass
class Order:
    """One locked order with its waiting lines."""

    row: Any
    lines: list[Line] = field(default_factory=list)
    barred: set[Barred] = field(default_factory=set)
    only: str | None = None
    """The node that a person named: the rule's own limits, and what was barred, do not count there."""

    @property
    def service(self) -> str:
        """The carrier service asked for, or ''."""
        return (self.row.policy or {}).get("service") or ""


def add(order: Order, row: Any) -> None:
    """Add a row of statement.LINES to its order."""
    if not order.lines or order.lines[-1].row.id != row.id:
        own = [(str(sku), each) for sku, each in parts(row.kind, row.sku_id, row.components)]
        order.lines.append(Line(row, row.backordered, row.ship_by, row.made_at, own, []))
    line = order.lines[-1]
    line.ship_by, line.made_at = min(line.ship_by, row.ship_by), min(line.made_at, row.made_at)
    line.reservations.append(
        {
            "id": row.reservation_id,
            "order_line_id": row.id,
            "sku_id": row.sku_id,
            "quantity": row.quantity,
        }
    )


def asked(scope: Scope, order: Order, group: list[Line]) -> Asked:
    """What the order says besides these lines."""
    policy, zone = order.row.policy or {}, scope.tenant.timezone
    return Asked(
        channel=order.row.channel,
        now=scope.now(),
        timezone=zone,
        currency=scope.tenant.currency,
        ship_complete=bool(policy.get("ship_complete")),
        service=order.service,
        source_code=order.row.source_code or "",
        email=order.row.customer.get("email", ""),
        is_business=order.row.customer.get("business"),
        promised_by=local_date(min(line.ship_by for line in group) - timedelta(seconds=1), zone),
    )


def goes_to(order: Order, line: Line) -> Destination:
    """Where a line goes: its own address, else the order's."""
    if line.row.ship_to:
        return destination(line.row.ship_to)
    return destination(order.row.ship_to, order.row.ship_lat, order.row.ship_lon)


def basket_line(line: Line) -> BasketLine:
    """The waiting units of a line as routing sees them."""
    row = line.row
    return BasketLine(
        sku=row.sku,
        kind=row.kind,
        quantity=line.waiting,
        weight_g=row.weight_g,
        volume_cm3=volume_cm3(row.attributes),
        value=row.value,
        tax_code=row.tax_code,
        attributes=row.attributes,
    )
