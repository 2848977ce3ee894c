"""Placing waiting units in memory: a chunk of locked orders against one shelf, and the rows that come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from sqlalchemy.exc import IntegrityError

from app import events
from app.allocation import rules
from app.allocation.days import Turns
from app.allocation.service import COUNT_LINES, LOWER
from app.allocation.statement import EARLIER, EXCLUDED, LINES, ORDERS, RESTING, STOCK, WRITE
from app.allocation.waiting import Line, Order, add, asked, basket_line, goes_to
from app.catalog.rules import there_from
from app.inventory.ledger import Ledger
from app.inventory.rules import MADE, PLENTY
from app.inventory.shelf import Shelf
from app.orders.shapes import order_number
from app.routing import recording, stuck
from app.routing.baskets import basket, resting_pairs
from app.routing.configuration import Configuration, loads
from app.routing.rules import Decision, decide
from infra.clock import real_now
from infra.ids import new_id
from tenants.scope import Contended, Scope


@dataclass
class _Made:
    """One decision for lines of one destination, what it was made from, and what came of it."""

    decision: Decision
    inputs: str
    group: list[Line]
    placements: list[_Placement]


@dataclass
class _Placement:
    line: Line
    node: int
    units: int
    taken: list[tuple[str, str, int]]
    """(position id, SKU id, units)"""


class Chunk:
    """Some locked orders, read in a fixed number of statements, placed and written together."""

    def __init__(self, scope: Scope, configured: Configuration, order_ids: Sequence[UUID]) -> None:
        self.scope, self.configured = scope, configured
        self.now = scope.now()
        ids = list(order_ids)
        self.orders = {row.id: Order(row) for row in scope.rows(ORDERS, orders=ids)}
        for row in scope.rows(LINES, orders=ids):
            if row.order_id in self.orders:
                add(self.orders[row.order_id], row)
        for row in scope.rows(EXCLUDED, orders=ids):
            if row.order_id in self.orders:
                self.orders[row.order_id].barred.add((row.node, row.sku))
        self.shelf = self._shelf(ids)
        self.loads = loads(scope, configured)
        self.resting = [
            (str(row.node_id), None if row.sku_id is None else str(row.sku_id))
            for row in scope.rows(RESTING, now=self.now)
        ]
        self._rows: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("work", "work_lines", "reservations", "decisions", "expected", "news")
        }
        self._taken: dict[str, int] = {}
        self._lowered: dict[UUID, int] = {}
        self._counted: list[dict[str, Any]] = []
        self._stuck: list[tuple[UUID, str, str]] = []
        self._turns = Turns(configured, self.now, scope.tenant.timezone)

    def _shelf(self, ids: list[UUID]) -> Shelf:
        """Free stock, less what orders outside the chunk wait for with an earlier promise."""
        lines = [line for order in self.orders.values() for line in order.lines]
        stocked = sorted({sku for line in lines if line.row.kind not in MADE for sku, _ in line.parts})
        if not stocked:
            return Shelf([], {}, {})
        segments = {"shared", *(order.row.channel for order in self.orders.values())}
        stock = self.scope.rows(STOCK, skus=[UUID(sku) for sku in stocked], segments=sorted(segments))
        first: dict[str, tuple[datetime, datetime]] = {}
        for line in lines:
            for sku, _ in line.parts:
                mine = (line.ship_by, line.made_at)
                first[sku] = min(first.get(sku, mine), mine)
        own = [{"sku_id": sku, "ship_by": at[0], "made_at": at[1]} for sku, at in first.items()]
        earlier = self.scope.rows(EARLIER, doc=orjson.dumps(own).decode(), orders=ids)
        return Shelf(
            [(str(row.id), str(row.sku_id), str(row.node_id), row.segment, row.free) for row in stock],
            {str(row.sku_id): int(row.units) for row in earlier},
            {},
            self.configured.allotments,
        )

    def any_left(self, skus: Sequence[str]) -> bool:
        """Whether anything of these SKUs is still free for some channel of the chunk."""
        return any(
            units > 0
            for sku in skus
            for order in self.orders.values()
            for units in self.shelf.offered(sku, order.row.channel).values()
        )

    def place(self, order: Order, *, always: bool = False) -> int:
        """Place what waits of an order, as far as stock and its policy allow. Returns units.

        `always`: the decision is kept also when nothing could be placed, and a rule that does not let the rest
        wait opens an exception for it.
        """
        groups: dict[str, list[Line]] = {}
        for line in order.lines:
            groups.setdefault(repr(line.row.ship_to), []).append(line)
        made: list[_Made] = []
        for group in groups.values():
            decision, given = self._decide(order, group)
            made.append(_Made(decision, given, group, self._take_all(order, group, decision)))
        if (order.row.policy or {}).get("ship_complete") and any(
            line.placed < line.waiting for line in order.lines
        ):
            self._put_back(made)
        units = sum(line.placed for line in order.lines)
        if units or always:
            self._decisions(order, made)
        self._turns.note(order, self.loads, partial(self._has, order))
        if always:
            self._nowhere(order, made)
        if units:
            self._work(order, [placement for own in made for placement in own.placements])
            self._counters(order)
        return units

    def _decide(self, order: Order, group: list[Line]) -> tuple[Decision, str]:
        network = self.configured.network
        available = np.zeros((len(group), len(network)), dtype=np.int64)
        for at, line in enumerate(group):
            if line.row.kind in MADE:
                available[at, :] = PLENTY
                continue
            for node in self.shelf.offered(line.parts[0][0], order.row.channel):
                position = network.index.get(node)
                if position is not None:
                    available[at, position] = self._whole(line, node, order.row.channel)
        given = basket(
            self.configured,
            asked(self.scope, order, group),
            [basket_line(line) for line in group],
            goes_to(order, group[0]),
            available,
            self.loads,
        )
        _, rule = self.configured.ruled(order.row.channel)
        excluded, relaxed = self._excluded(order, group), frozenset[str]()
        if order.only is not None:
            relaxed = rules.limits(rule.strategy_for(given)[1])
        decision = decide(
            network, given, rule, excluded=excluded, prices=self.configured.prices, relaxed=relaxed
        )
        return decision, recording.inputs(self.configured, given, excluded, relaxed)

    def _whole(self, line: Line, node: str, channel: str) -> int:
        """Ordered units that a node's free stock makes up."""
        return min(max(0, self.shelf.free(sku, node, channel)) // each for sku, each in line.parts)

    def _has(self, order: Order, line: Line, node: str) -> bool:
        return self._whole(line, node, order.row.channel) > 0

    def _excluded(self, order: Order, group: list[Line]) -> set[tuple[int | None, int]]:
        positions = self.configured.network.position
        if order.only is not None:
            return {(None, at) for code, at in positions.items() if code != order.only}
        pairs: set[tuple[int | None, int]] = set()
        for node, sku in order.barred:
            if node in positions:
                at = [i for i, line in enumerate(group) if line.row.sku == sku]
                pairs |= {(i, positions[node]) for i in at} if sku else {(None, positions[node])}
        skus = [str(line.row.sku_id) for line in group]
        return pairs | resting_pairs(self.configured.network, self.resting, skus)

    def _take_all(self, order: Order, group: list[Line], decision: Decision) -> list[_Placement]:
        network, placements = self.configured.network, []
        for at, node, units in decision.placements:
            line, node_id = group[at], network.ids[node]
            taken: list[tuple[str, str, int]] = []
            if line.row.kind not in MADE:
                units = min(units, self._whole(line, node_id, order.row.channel))
                taken = [
                    (position, sku, count)
                    for sku, each in line.parts
                    for position, count in self.shelf.take(sku, node_id, order.row.channel, units * each)
                ]
            if units:
                line.placed += units
                ahead = int(self.loads.ahead([node_id])[0])
                leaves = network.departures.leaves(node, self._there(line), order.service, ahead)
                line.expected = max(line.expected or leaves, leaves)
                placements.append(_Placement(line, node, units, taken))
        return placements

    def _there(self, line: Line) -> datetime:
        """From when the line's goods can be there to send."""
        row = line.row
        return there_from(
            self.now, row.kind, row.lead_time_days, row.release_date, self.scope.tenant.timezone
        )

    def _put_back(self, made: list[_Made]) -> None:
        for own in made:
            for one in own.placements:
                one.line.placed -= one.units
                for position, sku, count in one.taken:
                    self.shelf.put_back(sku, self.configured.network.ids[one.node], position, count)
            own.placements.clear()

    def _decisions(self, order: Order, made: list[_Made]) -> None:
        codes = self.configured.network.codes
        for own in made:
            decision, placements = own.decision, own.placements
            self._rows["decisions"].append(
                {
                    "id": new_id(),
                    "order_id": order.row.id,
                    "rule_version": self.configured.ruled(order.row.channel)[0],
                    "plan": [
                        {"node": codes[one.node], "line": own.group.index(one.line), "quantity": one.units}
                        for one in placements
                    ],
                    "explanation": decision.explanation,
                    "sentence": decision.sentence,
                    "input_hash": decision.input_hash,
                    "inputs": own.inputs,
                    "packages": decision.packages if placements else 0,
                    "miles": decision.miles if placements else 0.0,
                }
            )

    def _nowhere(self, order: Order, made: list[_Made]) -> None:
        """What the rule leaves to a person, or has canceled, as far as nobody can fill it."""
        for then in dict.fromkeys(own.decision.then for own in made):
            if then in stuck.KINDS:
                reason = next(own.decision.sentence for own in made if own.decision.then == then)
                self._stuck.append((order.row.id, stuck.KINDS[then], reason))

    def _work(self, order: Order, placements: list[_Placement]) -> None:
        work: dict[tuple[int, str], dict[str, Any]] = {}
        for one in placements:
            key = (one.node, repr(one.line.row.ship_to))
            if key not in work:
                work[key] = {
                    "id": new_id(),
                    "order_id": order.row.id,
                    "node_id": self.configured.node_ids[one.node],
                    "node": self.configured.network.codes[one.node],
                    "number": f"{order_number(order.row.number)}-{order.row.works + len(work) + 1}",
                    "service": order.service or "standard",
                    "ship_to": one.line.row.ship_to,
                    "promised_by": one.line.ship_by,
                    "leaves_on": self._load(order, one.node),
                }
            own = work[key]
            own["promised_by"] = min(own["promised_by"], one.line.ship_by)
            self._rows["work_lines"].append(
                {
                    "id": new_id(),
                    "fulfillment_order_id": own["id"],
                    "order_line_id": one.line.row.id,
                    "sku_id": one.line.row.sku_id,
                    "sku": one.line.row.sku,
                    "quantity": one.units,
                }
            )
            self._reserve(own["node_id"], one)
        self._rows["work"] += work.values()
        self._rows["news"].append(
            {
                "id": new_id(),
                "row_id": new_id(),
                "order_id": order.row.id,
                "data": {
                    "nodes": [own["node"] for own in work.values()],
                    "units": sum(one.units for one in placements),
                },
            }
        )

    def _load(self, order: Order, node: int) -> date | None:
        """Take a package of the node's day, where its capacity is limited: that day."""
        network = self.configured.network
        ahead = self.loads.ahead(network.ids) if network.paced else None
        self.loads.queue(network.ids[node])
        if network.ids[node] not in self.configured.capacities:
            return None
        day = int(network.departures.at(self.now, order.service, ahead).days[node])
        self.loads.add(network.ids[node], day)
        return date.fromordinal(day)

    def _reserve(self, node_id: UUID, one: _Placement) -> None:
        supply = MADE.get(one.line.row.kind)
        held: list[tuple[str | None, Any, int]] = [(p, sku, count) for p, sku, count in one.taken]
        if supply:
            held = [(None, one.line.row.sku_id, one.units)]
        for position, sku, count in held:
            if position is not None:
                self._taken[position] = self._taken.get(position, 0) + count
            self._rows["reservations"].append(
                {
                    "id": new_id(),
                    "order_line_id": one.line.row.id,
                    "sku_id": sku,
                    "node_id": node_id,
                    "position_id": position,
                    "supply": supply or "on_hand",
                    "quantity": count,
                    "ship_by": one.line.ship_by,
                }
            )

    def _counters(self, order: Order) -> None:
        for line in order.lines:
            if not line.placed:
                continue
            wanted = {(line.row.id, line.row.sku_id): line.placed}
            self._lowered |= rules.take_from(line.reservations, wanted)
            self._counted.append(
                {
                    "id": line.row.id,
                    "allocated": -line.placed,
                    "backordered": -line.placed,
                    "cancelled": 0,
                }
            )
            if line.placed == line.waiting:
                self._rows["expected"].append({"line": line.row.id, "at": line.expected})

    def write(self, cause: str) -> None:
        """Reserve the stock and write everything. Raises Contended when stock was taken meanwhile."""
        self._turns.arm(self.scope)
        if not any(self._rows.values()):
            return
        recording.keep(self.scope, self.configured)
        given = self.loads.rows(self.configured.capacities)
        self._rows["loads"] = [{"id": new_id(), **row} for row in given]
        ledger = Ledger(self.scope, ids=[UUID(position) for position in self._taken])
        for position, count in self._taken.items():
            locked = ledger.by_id[UUID(position)]
            if locked.free < max(count, self.shelf.needed().get(position, 0)):
                raise Contended
            ledger.release(locked, -count)
        ledger.write()
        if self._counted:
            lowered = [{"id": one, "units": count} for one, count in self._lowered.items()]
            self.scope.execute(LOWER, doc=_json(lowered))
            self.scope.execute(COUNT_LINES, doc=_json(self._counted))
        try:
            self.scope.execute(
                WRITE,
                doc=_json(self._rows),
                cause=cause,
                event=events.ORDER_ROUTED,
                now=self.now,
                real=real_now(),
                actor=str(self.scope.actor),
            )
        except IntegrityError as error:
            if "packages_within_capacity" in str(error.orig):  # a node took its last package meanwhile
                raise Contended from error
            raise
        for order_id, kind, reason in self._stuck:
            stuck.leave(self.scope, order_id, kind, reason)


def _json(value: list[dict[str, Any]] | Mapping[str, Any]) -> str:
    return orjson.dumps(value, default=str).decode()
