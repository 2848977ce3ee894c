"""A window closes: its orders are planned together on what they hold and what is free, then go to their nodes.

`begin` reads; `call` plans with no transaction open; `finish` moves what is still as it was read, and releases all of
them, moved or not. So work never waits for the plan longer than that takes: where planning fails, it goes as it stands.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.allocation.service import lock_orders
from app.events import WINDOW_CLOSED
from app.fulfillment import gathering, replanning
from app.fulfillment.gathering import Window
from app.fulfillment.service import releasable, submit
from app.routing import joint
from app.routing.configuration import configuration, loads
from app.routing.joint import Group
from tenants.scope import Scope

MOST_ORDERS = 150
"""Planned together; more of one window follow in a plan of their own."""
SECONDS = 5.0
"""What the search may take at most; a worker may be silent for longer."""


def begin(scope: Scope, _: UUID, *, until: str, **__: Any) -> Window | None:
    """Read the orders that wait for this window (ISO time of its end); None when there are none."""
    end = datetime.fromisoformat(until)
    orders = gathering.due(scope, end, MOST_ORDERS)
    if not orders:
        return None
    configured = configuration(scope)
    found = gathering.parcels(scope, configured, orders, end)
    return Window(
        end,
        orders,
        found,
        configured,
        scope.tenant.config_version,
        gathering.shelf(scope, configured, found),
        loads(scope, configured),
    )


def call(window: Window) -> list[Group]:
    """Who should go elsewhere so that all together are better off."""
    gathered = [one.gathered for one in window.parcels]
    return joint.replanned(window.configured, gathered, window.shelf, window.loads, SECONDS)


def finish(scope: Scope, window: Window, groups: list[Group]) -> None:
    """Move what can still be moved, and release everything that may go. Raises Contended when a node's day was
    filled meanwhile by somebody who has not committed yet."""
    lock_orders(scope, window.orders)
    free = releasable(scope, window.orders)
    made: list[UUID] = []
    if groups and scope.tenant.config_version == window.version:
        made = replanning.apply(scope, window, groups, free)
    _release(scope, window, set(free), made)


def failed(scope: Scope, window: Window, _: Exception) -> None:
    """Planning went wrong: release everything as it stands."""
    finish(scope, window, [])


def _release(scope: Scope, window: Window, free: set[UUID], made: list[UUID]) -> None:
    """What may not go now (a hold, a payment that is missing) waits for that alone from now on."""
    rows = scope.rows(
        "SELECT id, order_id, node FROM fulfillment_orders WHERE tenant_id = :tenant AND order_id = ANY(:orders)"
        " AND request_status = 'held' AND (gathered_until <= :until OR id = ANY(:made)) ORDER BY order_id, id"
        " FOR UPDATE",
        orders=window.orders,
        until=window.until,
        made=made,
    )
    submit(scope, [row for row in rows if row.order_id in free])
    scope.execute(
        "UPDATE fulfillment_orders SET gathered_until = NULL WHERE tenant_id = :tenant AND id = ANY(:ids)",
        ids=[row.id for row in rows if row.order_id not in free],
    )
    if len(window.orders) == MOST_ORDERS:
        scope.later(WINDOW_CLOSED, scope.tenant_id, until=window.until.isoformat())
