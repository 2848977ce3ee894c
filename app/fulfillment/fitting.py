"""Which moves of a window still hold when it is their turn: under locks, against what is there now.

What changed since it was read (an order canceled or held, stock gone, a day filled) keeps its plan, and so does every
order that counted on its goods. Locks: orders are the caller's; fulfillment orders, then stock by (node, SKU, id),
then days by (node, day).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from app.allocation.service import lock_work, read_reservations, read_work, taken_from
from app.allocation.statement import RESTING
from app.fulfillment.gathering import Parcel, Window
from app.inventory.ledger import Ledger, Position
from app.network.loads import Loads
from app.routing.joint import Group, Move
from tenants.scope import Scope

STATES = """
SELECT id FROM fulfillment_orders
WHERE tenant_id = :tenant AND id = ANY(:ids) AND request_status = 'held' AND work_status = 'open'
"""
DAYS = """
SELECT n.node_id, n.day, n.packages FROM node_loads n
JOIN jsonb_to_recordset(CAST(:doc AS jsonb)) AS w(node_id uuid, day date) ON w.node_id = n.node_id AND w.day = n.day
WHERE n.tenant_id = :tenant ORDER BY n.node_id, n.day FOR UPDATE OF n
"""


class Standing:
    """The work of a window and what it holds, locked and read once."""

    def __init__(self, scope: Scope, window: Window, free: Mapping[UUID, Any]) -> None:
        self.scope, self.window, self.free = scope, window, free
        self.network = window.configured.network
        works = [one for parcel in window.parcels for one in parcel.works]
        lock_work(scope, works)
        self.held = {row.id for row in scope.rows(STATES, ids=works)}
        self.work = read_work(scope, [one for parcel in window.parcels for one in parcel.units])
        self.reservations = read_reservations(scope, self.work)
        self.resting = {(str(row.node_id), row.sku_id) for row in scope.rows(RESTING, now=scope.now())}
        self.given: dict[int, dict[UUID, int]] = {}
        """By parcel, the units of each reservation that it gives back."""

    def parcel(self, move: Move) -> Parcel:
        """The parcel that moves."""
        return self.window.parcels[move.at]

    def fitting(self, groups: Sequence[Group]) -> list[Group]:
        """The groups that all of their orders, stock and days still allow. One that does not fit takes back what it
        would have given, so the others are looked at again."""
        left = [group for group in groups if self._stands(group)]
        moves = [move for group in left for move in group.moves]
        self.given = {move.at: self._given(self.parcel(move)) for move in moves}
        positions = {position for given in self.given.values() for position in self._by_position(given)}
        positions |= {UUID(one.position) for move in moves for one in move.taken}
        self.ledger = Ledger(self.scope, ids=positions)
        self.days = self._days(moves)
        while short := self._short(left):
            left = [group for group in left if short.isdisjoint(self._wanted(group))]
        return left

    def _stands(self, group: Group) -> bool:
        """Whether every order of it is as it was read, and no place it goes to rests since."""
        return all(self._as_read(self.parcel(move)) and not self._rests(move) for move in group.moves)

    def _as_read(self, parcel: Parcel) -> bool:
        return (
            parcel.order.row.id in self.free
            and self.held.issuperset(parcel.works)
            and all(self._open(line) == units for line, units in parcel.units.items())
        )

    def _open(self, line: UUID) -> int:
        row = self.work[line]
        return int(row.quantity - row.shipped - row.released)

    def _rests(self, move: Move) -> bool:
        places = {(one.node, UUID(one.sku)) for one in move.taken} | {(one.node, None) for one in move.taken}
        return not self.resting.isdisjoint(places)

    def _given(self, parcel: Parcel) -> dict[UUID, int]:
        """Units by reservation that a parcel gives back."""
        own = {line: self.work[line] for line in parcel.units}
        return taken_from(own, parcel.units, self.reservations)

    def _by_position(self, given: Mapping[UUID, int]) -> Counter[UUID]:
        units: Counter[UUID] = Counter()
        for reservation, count in given.items():
            units[self.reservations[reservation].position_id] += count
        return units

    def _days(self, moves: Sequence[Move]) -> Loads:
        wanted = {day for move in moves for day in self._dates(move)}
        rows = [{"node_id": node, "day": day.isoformat()} for node, day in sorted(wanted)]
        found = self.scope.rows(DAYS, doc=_json(rows)) if rows else []
        return Loads((str(row.node_id), row.day, row.packages) for row in found)

    def _dates(self, move: Move) -> set[tuple[str, date]]:
        days = (*self.parcel(move).gathered.days, *move.days)
        return {(self.network.ids[node], date.fromordinal(day)) for node, day in days}

    def changes(self, groups: Iterable[Group]) -> Counter[Any]:
        """Units more that moves take of each position, and packages of each (node, day)."""
        changes: Counter[Any] = Counter()
        for move in (move for group in groups for move in group.moves):
            for one in move.taken:
                changes[UUID(one.position)] += one.units
            for position, units in self._by_position(self.given[move.at]).items():
                changes[position] -= units
            for node, day in move.days:
                changes[self.network.ids[node], day] += 1
            for node, day in self.parcel(move).gathered.days:
                changes[self.network.ids[node], day] -= 1
        return changes

    def _wanted(self, group: Group) -> set[Any]:
        return {what for what, more in self.changes([group]).items() if more > 0}

    def _short(self, groups: Sequence[Group]) -> set[Any]:
        """Positions and days that have less than these moves take together."""
        return {
            what
            for what, more in self.changes(groups).items()
            if more > 0
            and more > (self._room(what) if isinstance(what, tuple) else self._units(what, groups))
        }

    def _room(self, what: tuple[str, int]) -> int:
        node, day = what
        limit = self.window.configured.capacities.get(node) or 0
        return limit - int(self.days.of([node], np.array([day]))[0])

    def _units(self, position: UUID, groups: Sequence[Group]) -> int:
        """Units free at a position, less what is held there for channels other than those that come for it."""
        locked = self.ledger.by_id[position]
        left = locked.on_hand - locked.reserved - locked.safety
        channels = {
            self.parcel(move).gathered.asked.channel
            for group in groups
            for move in group.moves
            if any(UUID(one.position) == position for one in move.taken)
        }
        return left - max((self._kept(locked, left, channel) for channel in channels), default=0)

    def _kept(self, locked: Position, left: int, channel: str) -> int:
        node, sku, _, segment = locked.place
        if segment != "shared":
            return 0
        return self.window.configured.allotments.kept_from(channel, str(sku), str(node), max(left, 0))


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
