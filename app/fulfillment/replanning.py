"""Moves of a window, written: held work ends at its node and begins at another, with its goods and its place in the
day; every move with the decision that made it, and what it saves. Set-based, whatever the number of moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.exc import IntegrityError

from app import events
from app.allocation.days import ask_now
from app.allocation.service import COUNT_WORK, LOWER, offer
from app.allocation.statement import ORDERS, WRITE
from app.allocation.waiting import Line
from app.catalog.rules import there_from
from app.fulfillment.fitting import Standing
from app.fulfillment.gathering import Parcel, Window
from app.orders.shapes import order_number
from app.routing import recording
from app.routing.joint import Group, Held, Move
from app.transitions import REQUEST, WORK, transition_all
from infra.clock import real_now
from infra.ids import new_id
from tenants.scope import Contended, Scope

WINDOW = "window"
"""The cause that a decision of a window is kept with."""
LIGHTER = """
UPDATE node_loads n SET packages = n.packages + w.packages
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS w(node_id uuid, day date, packages bigint)
WHERE n.tenant_id = :tenant AND n.node_id = w.node_id AND n.day = w.day
"""


def apply(scope: Scope, window: Window, groups: Sequence[Group], free: Mapping[UUID, Any]) -> list[UUID]:
    """Write the groups of which every move still holds; returns the new work. The orders are locked by the caller;
    `free`: those of which work may be released. Raises Contended when a day was filled by somebody who committed
    meanwhile."""
    standing = Standing(scope, window, free)
    fitting = standing.fitting(groups)
    return _Moves(scope, window, standing).write(fitting) if fitting else []


@dataclass
class _Rows:
    """What is written of the moves, by what `WRITE` calls it."""

    work: list[dict[str, Any]] = field(default_factory=list)
    work_lines: list[dict[str, Any]] = field(default_factory=list)
    reservations: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    expected: list[dict[str, Any]] = field(default_factory=list)
    loads: list[dict[str, Any]] = field(default_factory=list)
    news: list[dict[str, Any]] = field(default_factory=list)
    """None here: nobody reacts to a move."""


class _Moves:
    """The rows that moves end, change and begin."""

    def __init__(self, scope: Scope, window: Window, standing: Standing) -> None:
        self.scope, self.window, self.standing = scope, window, standing
        self.network, self.now = window.configured.network, scope.now()
        self.parcel = standing.parcel
        self.rows = _Rows()

    def write(self, groups: Sequence[Group]) -> list[UUID]:
        """Everything, set-based. Returns the ids of the new work."""
        moves = [move for group in groups for move in group.moves]
        recording.keep(self.scope, self.window.configured)
        self._end(moves)
        self._move_stock(moves)
        self._begin(groups)
        self._move_days(groups)
        try:
            self.scope.execute(
                WRITE,
                doc=_json(vars(self.rows)),
                cause=WINDOW,
                event=events.ORDER_ROUTED,
                now=self.now,
                real=real_now(),
                actor=str(self.scope.actor),
            )
        except IntegrityError as error:
            if "packages_within_capacity" in str(error.orig):  # a day that had no row took its first packages
                raise Contended from error
            raise
        return [row["id"] for row in self.rows.work]

    def _end(self, moves: Sequence[Move]) -> None:
        """The old work is over: all of its units go elsewhere."""
        works = [one for move in moves for one in self.parcel(move).works]
        units = [
            {"id": line, "units": count} for move in moves for line, count in self.parcel(move).units.items()
        ]
        self.scope.execute(COUNT_WORK, doc=_json(units))
        transition_all(self.scope, WORK, works, "open", "cancelled", why=WINDOW)
        transition_all(self.scope, REQUEST, works, "held", "closed", why=WINDOW)
        self.scope.execute(
            "UPDATE fulfillment_orders SET leaves_on = NULL WHERE tenant_id = :tenant AND id = ANY(:ids)",
            ids=works,
        )

    def _move_stock(self, moves: Sequence[Move]) -> None:
        given: Counter[UUID] = Counter()
        freed = set()
        for move in moves:
            given.update(self.standing.given[move.at])
        for reservation, units in given.items():
            position = self.standing.ledger.by_id[self.standing.reservations[reservation].position_id]
            self.standing.ledger.release(position, units)
            freed.add(position.place[1])
        for move in moves:
            for one in move.taken:
                self.standing.ledger.release(self.standing.ledger.by_id[UUID(one.position)], -one.units)
        self.standing.ledger.write()
        self.scope.execute(LOWER, doc=_json([{"id": one, "units": units} for one, units in given.items()]))
        offer(self.scope, freed, without={self.parcel(move).order.row.id for move in moves})

    def _begin(self, groups: Sequence[Group]) -> None:
        ids = [self.parcel(move).order.row.id for group in groups for move in group.moves]
        works = {row.id: row.works for row in self.scope.rows(ORDERS, orders=ids)}
        news = []
        for group in groups:
            for move in group.moves:
                parcel = self.parcel(move)
                works[parcel.order.row.id] = self._work(move, parcel, works[parcel.order.row.id])
                self.rows.decisions.append(self._decision(group, move))
                news.append((parcel.order.row.id, self._story(group, move)))
        events.tell_all(self.scope, events.ORDER_REPLANNED, news)

    def _work(self, move: Move, parcel: Parcel, number: int) -> int:
        """New work, a fulfillment order for each node; returns the last number."""
        days = dict(move.days)
        work: dict[int, dict[str, Any]] = {}
        for line, node, units in move.decision.placements:
            own = parcel.lines[line]
            if node not in work:
                number += 1
                work[node] = self._fulfillment_order(parcel, node, number, days.get(node), own)
            work[node]["promised_by"] = min(work[node]["promised_by"], own.ship_by)
            self.rows.work_lines.append(
                {
                    "id": new_id(),
                    "fulfillment_order_id": work[node]["id"],
                    "order_line_id": own.row.id,
                    "sku_id": own.row.sku_id,
                    "sku": own.row.sku,
                    "quantity": units,
                }
            )
            leaves = self._leaves(parcel, own, node)
            own.expected = max(own.expected or leaves, leaves)
        self.rows.work += work.values()
        self.rows.reservations += [self._reservation(parcel, one) for one in move.taken]
        self.rows.expected += [{"line": own.row.id, "at": own.expected} for own in parcel.lines]
        return number

    def _leaves(self, parcel: Parcel, line: Line, node: int) -> datetime:
        zone = self.scope.tenant.timezone
        there = there_from(self.now, line.row.kind, None, line.row.release_date, zone)
        ahead = int(self.window.loads.ahead([self.network.ids[node]])[0])
        return self.network.departures.leaves(node, there, parcel.order.service, ahead)

    def _fulfillment_order(
        self, parcel: Parcel, node: int, number: int, day: int | None, line: Any
    ) -> dict[str, Any]:
        order = parcel.order.row
        return {
            "id": new_id(),
            "order_id": order.id,
            "node_id": self.window.configured.node_ids[node],
            "node": self.network.codes[node],
            "number": f"{order_number(order.number)}-{number}",
            "service": parcel.order.service or "standard",
            "ship_to": line.row.ship_to,
            "promised_by": line.ship_by,
            "leaves_on": None if day is None else date.fromordinal(day),
        }

    def _reservation(self, parcel: Parcel, one: Held) -> dict[str, Any]:
        return {
            "id": new_id(),
            "order_line_id": parcel.lines[one.line].row.id,
            "sku_id": one.sku,
            "node_id": one.node,
            "position_id": one.position,
            "supply": "on_hand",
            "quantity": one.units,
            "ship_by": parcel.lines[one.line].ship_by,
        }

    def _decision(self, group: Group, move: Move) -> dict[str, Any]:
        decision, parcel = move.decision, self.parcel(move)
        return {
            "id": new_id(),
            "order_id": parcel.order.row.id,
            "rule_version": self.window.configured.ruled(parcel.gathered.asked.channel)[0],
            "plan": [
                {"node": self.network.codes[node], "line": line, "quantity": units}
                for line, node, units in decision.placements
            ],
            "explanation": {**decision.explanation, WINDOW: self._story(group, move)},
            "sentence": decision.sentence,
            "input_hash": decision.input_hash,
            "inputs": move.inputs,
            "packages": decision.packages,
            "miles": decision.miles,
        }

    def _story(self, group: Group, move: Move) -> dict[str, Any]:
        """What the window changed: plans as [node, units], money in minor units, alone and with those it moved with."""
        before = self.parcel(move).gathered.stands
        worse = move.after.figures > move.before.figures
        return {
            "until": self.window.until.isoformat(),
            "orders": len(self.window.orders),
            "moved": len(group.moves),
            "before": self._units_by_node(before),
            "after": self._units_by_node(move.decision.placements),
            "cost": [move.before.money, move.after.money],
            "saved": group.saved,
            "gave_way_to": self._takers(group, move) if worse else [],
        }

    def _takers(self, group: Group, move: Move) -> list[str]:
        """Numbers of the orders that take goods, or a place in the day, which this one held."""
        parcel = self.parcel(move)
        held = _claims(parcel.gathered.held, parcel.gathered.days)
        takers = {
            self.parcel(other).order.row.number
            for other in group.moves
            if not held.isdisjoint(_claims(other.taken, other.days))
        }
        return [order_number(number) for number in sorted(takers - {parcel.order.row.number})]

    def _units_by_node(self, plan: Iterable[tuple[int, int, int]]) -> list[list[Any]]:
        units: Counter[str] = Counter()
        for _, node, count in plan:
            units[self.network.codes[node]] += count
        return [[node, count] for node, count in sorted(units.items())]

    def _move_days(self, groups: Sequence[Group]) -> None:
        changes = {
            what: more
            for what, more in self.standing.changes(groups).items()
            if isinstance(what, tuple) and more
        }
        rows = [
            {
                "id": new_id(),
                "node_id": node,
                "day": date.fromordinal(day).isoformat(),
                "packages": more,
                "capacity": self.window.configured.capacities.get(node),
            }
            for (node, day), more in sorted(changes.items())
        ]
        lighter = [row for row in rows if row["packages"] < 0]
        if lighter:
            self.scope.execute(LIGHTER, doc=_json(lighter))
            ask_now(self.scope)
        self.rows.loads = [row for row in rows if row["packages"] > 0]


def _claims(held: Iterable[Held], days: Iterable[tuple[int, int]]) -> set[tuple[Any, Any]]:
    """What two orders may both want: goods as (SKU, node), room as (node, day)."""
    return {(one.sku, one.node) for one in held} | set(days)


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
