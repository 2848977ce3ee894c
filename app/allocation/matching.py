"""Units that wait are matched to stock that came: by promise, then age, with the same kernel as a new order.

A chunk of orders is locked (orders first, in the order of their ids; then stock), placed in memory one after the
other against one shelf, and written set-based. An order that somebody works on is waited for, not passed over:
its promise may be the earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from app import events
from app.allocation.placing import Chunk, Order
from app.allocation.service import lock_orders, offer
from app.allocation.statement import WAITING_FOR
from app.routing.configuration import configuration
from tenants.scope import Scope

CHUNK = 100
"""Orders placed in one transaction."""


def match_waiting(scope: Scope, skus: Sequence[UUID], *, cause: str = "restocked") -> int:
    """Place what waits for these SKUs (or for kits made of them), the earliest promise first.

    Returns how many orders got something. More than a chunk is left to a later transaction.
    """
    return _match(scope, [str(sku) for sku in skus], cause, None)


def stock_available(
    scope: Scope,
    _sku: UUID,
    *,
    skus: list[str],
    cause: str = "restocked",
    without: Sequence[str] = (),
    after: list[str] | None = None,
) -> None:
    """Handle STOCK_AVAILABLE: match the SKUs; `after` is where the chunk before ended. `without`: orders that gave
    these units back, which are routed on their own."""
    _match(scope, skus, cause, after, without)


def network_changed(scope: Scope, _tenant: UUID, *, after: list[str] | None = None, **_: Any) -> None:
    """Handle NETWORK_CHANGED: nodes or rules are others, so everything that waits is asked again."""
    _match(scope, None, "network_changed", after)


def order_placed(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Stock that came between an order's reading and its commit saw nobody waiting: offer it now."""
    rows = scope.rows(
        "SELECT DISTINCT p.sku_id FROM order_lines l JOIN stock_positions p ON p.tenant_id = :tenant"
        " AND (p.sku_id = l.sku_id OR p.sku_id IN (SELECT CAST(part->>'sku_id' AS uuid)"
        " FROM jsonb_array_elements(l.components) part))"
        " WHERE l.tenant_id = :tenant AND l.order_id = :order AND l.backordered > 0"
        " AND p.disposition = 'sellable' AND p.on_hand - p.reserved - p.safety > 0",
        order=order_id,
    )
    offer(scope, [row.sku_id for row in rows])


def reroute(scope: Scope, order_id: UUID, *, cause: str, only: str | None = None) -> int:
    """Place one order's backordered units now. Returns the units placed.

    What refusals exclude for the order stays excluded (see `fulfillment_order_lines.excludes`). `only`: a person
    named this node; the rule's filters do not count there, stock and capacity do. A decision is written also when
    nothing could be placed. Call it in a transaction of its own where you can: after a release in the same one,
    stock is locked a second time, out of order.
    """
    lock_orders(scope, [order_id])
    chunk = Chunk(scope, configuration(scope), [order_id])
    order = chunk.orders.get(order_id)
    if order is None or not order.lines:
        return 0
    order.only = only
    placed = chunk.place(order, always=True)
    chunk.write(cause)
    return placed


def _match(
    scope: Scope,
    skus: list[str] | None,
    cause: str,
    after: list[str] | None,
    without: Sequence[str] = (),
) -> int:
    waiting = _waiting(scope, skus, after, without)
    if not waiting:
        return 0
    lock_orders(scope, (row.order_id for row in waiting))
    chunk = Chunk(scope, configuration(scope), [row.order_id for row in waiting])
    placed = 0
    for order in _in_order(chunk.orders, waiting):
        placed += bool(chunk.place(order))
    chunk.write(cause)
    if len(waiting) == CHUNK and (skus is None or chunk.any_left(skus)):
        last = waiting[-1]
        cursor = [last.ship_by.isoformat(), last.made_at.isoformat(), str(last.order_id)]
        if skus is None:
            scope.later(events.NETWORK_CHANGED, scope.tenant_id, after=cursor)
        else:
            scope.later(
                events.STOCK_AVAILABLE, UUID(skus[0]), skus=skus, cause=cause, without=without, after=cursor
            )
    else:
        scope.later(events.SUPPLY_CHANGED, UUID(skus[0]) if skus else scope.tenant_id, skus=skus)
    return placed


def _waiting(
    scope: Scope, skus: list[str] | None, after: list[str] | None, without: Sequence[str]
) -> list[Any]:
    ship_by, made_at, order = after or (None, None, None)
    return scope.rows(
        WAITING_FOR,
        every=skus is None,
        skus=[UUID(sku) for sku in skus or []],
        without=[UUID(order) for order in without],
        ship_by=ship_by,
        made_at=made_at,
        order=order,
        limit=CHUNK,
    )


def _in_order(orders: dict[UUID, Order], waiting: Iterable[Any]) -> list[Order]:
    return [orders[row.order_id] for row in waiting if row.order_id in orders]
