"""Packages in the days of nodes: given back, and waited for where every day that would do is full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import numpy as np

from app import events
from app.allocation.waiting import Line, Order
from app.network.loads import Loads
from app.routing.configuration import Configuration
from tenants.scope import Scope

FULL = "full:"
"""Before the id of a SKU: the key of the timer of those who wait for a node's day."""


@dataclass
class Turns:
    """When nodes that are full, and have what waits, can give it on another day."""

    configured: Configuration
    now: datetime
    _by_sku: dict[str, datetime] = field(default_factory=dict)
    _of_nodes: dict[tuple[int, str], datetime] = field(default_factory=dict)
    """By node and carrier service."""

    def note(self, order: Order, loads: Loads, has: Callable[[Line, str], bool]) -> None:
        """Remember what still waits of an order. `has`: whether a node (its id) has a line's goods."""
        network = self.configured.network
        waiting = [line for line in order.lines if line.placed < line.waiting]
        if not (network.limited and waiting):
            return
        ahead = loads.ahead(network.ids)
        days = network.departures.at(self.now, order.service, ahead if network.paced else None).days
        full = loads.of(network.ids, days) >= network.capacity_per_day
        for node in np.flatnonzero(full & network.open & (network.capacity_per_day > 0)).tolist():
            own = [line.parts[0][0] for line in waiting if has(line, network.ids[node])]
            if own:
                at = self._turn(node, order.service, int(ahead[node]))
                self._by_sku |= {sku: min(at, self._by_sku.get(sku, at)) for sku in own}

    def _turn(self, node: int, service: str, ahead: int) -> datetime:
        if (node, service) not in self._of_nodes:
            turns = self.configured.network.departures.turns(node, self.now, service, ahead)
            self._of_nodes[node, service] = turns
        return self._of_nodes[node, service]

    def arm(self, scope: Scope) -> None:
        """Have whoever waits for these SKUs asked again then."""
        for sku, at in sorted(self._by_sku.items()):
            key = f"{FULL}{sku}"
            scope.at(at, events.STOCK_AVAILABLE, UUID(sku), key=key, skus=[sku], cause="rested")


def free_day(scope: Scope, work_id: UUID) -> None:
    """Give back the package that canceled work took of its node's day; where that day was full, whoever waits for a
    place is asked. The caller holds the work."""
    given = scope.row(
        "WITH given AS (UPDATE fulfillment_orders f SET leaves_on = NULL FROM fulfillment_orders was"
        " WHERE f.tenant_id = :tenant AND f.id = :id AND was.tenant_id = :tenant AND was.id = f.id"
        " AND was.leaves_on IS NOT NULL RETURNING was.node_id, was.leaves_on)"
        " UPDATE node_loads n SET packages = n.packages - 1 FROM given"
        " WHERE n.tenant_id = :tenant AND n.node_id = given.node_id AND n.day = given.leaves_on"
        " RETURNING coalesce(n.packages + 1 >= n.capacity, true) AS full",
        id=work_id,
    )
    if given is not None and given.full:
        ask_now(scope)


def ask_now(scope: Scope) -> None:
    """A full day has a place again: whoever waits for one is asked now."""
    scope.execute(
        "UPDATE timers SET due_at = :now WHERE tenant_id = :tenant AND state = 'armed' AND due_at > :now"
        " AND starts_with(key, :full)",
        now=scope.now(),
        full=FULL,
    )
