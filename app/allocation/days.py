"""What waits for another time: packages in the days of nodes, given back or waited for where every day that would do is
full, and rules that look at the hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from app import events
from app.allocation.waiting import Line, Order
from app.calendar import zone
from app.network.loads import Loads
from app.routing.configuration import Configuration
from app.routing.facts import Flags
from tenants.scope import Scope

FULL = "full:"
"""Before the id of a SKU: the key of the timer of those who wait for a node's day, or for another hour."""
HOUR = timedelta(hours=1)


@dataclass
class Turns:
    """When nodes that have what waits, and may not give it now, can be asked again: those that are full when their day
    turns, all of them at the next hour of the merchant's `zone` where the rules look at the time."""

    configured: Configuration
    now: datetime
    zone: str
    _by_sku: dict[str, datetime] = field(default_factory=dict)
    _of_nodes: dict[tuple[int, str], datetime] = field(default_factory=dict)
    """By node and carrier service."""

    def note(self, order: Order, loads: Loads, has: Callable[[Line, str], bool]) -> None:
        """Remember what still waits of an order. `has`: whether a node (its id) has a line's goods."""
        network = self.configured.network
        waiting = [line for line in order.lines if line.placed < line.waiting]
        if not waiting:
            return
        if self.configured.ruled(order.row.channel)[1].is_timed:
            self._note(waiting, network.open, has, lambda _: self._next_hour)
        if network.limited:
            ahead = loads.ahead(network.ids)
            days = network.departures.at(self.now, order.service, ahead if network.paced else None).days
            full = (loads.of(network.ids, days) >= network.capacity_per_day) & (network.capacity_per_day > 0)
            self._note(
                waiting, full & network.open, has, lambda at: self._turn(at, order.service, int(ahead[at]))
            )

    def _note(
        self,
        waiting: list[Line],
        nodes: Flags,
        has: Callable[[Line, str], bool],
        turns: Callable[[int], datetime],
    ) -> None:
        for node in np.flatnonzero(nodes).tolist():
            own = [line.parts[0][0] for line in waiting if has(line, self.configured.network.ids[node])]
            if own:
                at = turns(node)
                self._by_sku |= {sku: min(at, self._by_sku.get(sku, at)) for sku in own}

    @property
    def _next_hour(self) -> datetime:
        minute = self.now.astimezone(zone(self.zone)).minute
        return self.now.replace(second=0, microsecond=0) - timedelta(minutes=minute) + HOUR

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
