"""The verbs of an order that touch no stock and no money: its end, its holds, its address."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from app.events import (
    ADDRESS_CHANGED,
    HOLD_PLACED,
    HOLD_RELEASED,
    ORDER_CLOSED,
    record,
    tell,
)
from app.network.places import locate
from app.transitions import ORDER, transition
from infra.errors import invalid, not_found, refused
from infra.ids import new_id
from tenants.scope import Scope


def finish(scope: Scope, order_id: UUID, status: str, *, open_units: int, shipped: bool) -> str:
    """End a placed order when no unit is open: closed when something shipped, else canceled. The caller holds
    the order's row. Returns the status it has now; who cancels records what was canceled."""
    if open_units or status != "placed":
        return status
    after = "closed" if shipped else "cancelled"
    transition(scope, ORDER, order_id, status, after)
    if shipped:
        tell(scope, order_id, ORDER_CLOSED)
    return after


def lock(scope: Scope, order_id: UUID) -> Any:
    """The order's row, locked. Raises Problem 404."""
    order = scope.row("SELECT * FROM orders WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=order_id)
    if order is None:
        raise not_found("order")
    return order


def place_hold(scope: Scope, order_id: UUID, kind: str, reason: str) -> None:
    """Nothing leaves until the hold is lifted. The same kind again keeps the first. Raises 404, 409."""
    order = lock(scope, order_id)
    if order.status != "placed":
        raise refused(f"order-{order.status}", f"The order is {order.status}: there is nothing to hold.")
    made = scope.execute(
        "INSERT INTO order_holds (tenant_id, id, order_id, kind, reason, placed_at, placed_by)"
        " VALUES (:tenant, :id, :order, :kind, :reason, :now, :actor)"
        " ON CONFLICT (tenant_id, order_id, kind) WHERE released_at IS NULL DO NOTHING",
        id=new_id(),
        order=order_id,
        kind=kind,
        reason=reason,
        now=scope.now(),
        actor=str(scope.actor),
    )
    if made:
        tell(scope, order_id, HOLD_PLACED, kind=kind, reason=reason)


def release_hold(scope: Scope, order_id: UUID, kind: str, reason: str) -> None:
    """Lift a hold; its fulfillment orders go out when nothing else keeps them. Raises 404, 409."""
    lock(scope, order_id)
    lifted = scope.execute(
        "UPDATE order_holds SET released_at = :now, released_by = :actor"
        " WHERE tenant_id = :tenant AND order_id = :order AND kind = :kind AND released_at IS NULL",
        order=order_id,
        kind=kind,
        now=scope.now(),
        actor=str(scope.actor),
    )
    if not lifted:
        raise refused("no-such-hold", f"The order has no {kind} hold.")
    record(scope, order_id, HOLD_RELEASED, kind=kind, reason=reason)


def change_address(scope: Scope, order_id: UUID, ship_to: dict[str, Any]) -> None:
    """Send the order elsewhere while no node has accepted it. When the place itself changes, the units are
    routed again after this (subscription of ADDRESS_CHANGED). Raises 404, 409, 422."""
    if not (ship_to.get("postal_code") or ship_to.get("region")):
        raise invalid("/postal_code", "Say where it goes: a postal code, or at least a region.")
    order = lock(scope, order_id)
    if order.status != "placed":
        raise refused(f"order-{order.status}", f"The order is {order.status}. Its address stays.")
    started = scope.row(
        "SELECT count(*) AS started FROM fulfillment_orders WHERE tenant_id = :tenant AND order_id = :order"
        " AND (request_status IN ('accepted', 'cancel_requested') OR work_status IN ('shipped', 'incomplete'))",
        order=order_id,
    )
    if started is not None and started.started:
        raise refused("already-accepted", "A node has accepted the work. Cancel, or ask the node.")
    place = locate(ship_to.get("postal_code"), ship_to["country"], ship_to.get("region"))
    lat, lon = (place.lat, place.lon) if place else (None, None)
    scope.execute(
        "UPDATE orders SET ship_to = CAST(:ship_to AS jsonb), ship_lat = :lat, ship_lon = :lon"
        " WHERE tenant_id = :tenant AND id = :id",
        ship_to=orjson.dumps(ship_to).decode(),
        lat=lat,
        lon=lon,
        id=order_id,
    )
    moved = (lat, lon) != (order.ship_lat, order.ship_lon)
    record(scope, order_id, ADDRESS_CHANGED, moved=moved, before=order.ship_to)
