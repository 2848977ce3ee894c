"""Orders of a window before they are released: who gives way to whom, so that all of them together come cheaper. Pure.

`windows` proposes plans for all of them at once. Each order that is to move is then decided by itself, on what the
others leave it: so every move keeps the rules, has an explanation, and replays like any decision. Moves that need
each other's goods or room stand or fall together, and only those that are better by the rules' own objective stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from app.inventory.shelf import Shelf
from app.network.loads import Loads
from app.routing import recording, windows
from app.routing.baskets import Asked, basket
from app.routing.configuration import Configuration
from app.routing.facts import Basket, BasketLine, Destination, Ints
from app.routing.rules import Decision, decide
from app.routing.windows import Waiting
from app.routing.worth import Worth, worth_of

Placements = tuple[tuple[int, int, int], ...]
"""(line, node, units), sorted"""
NO_LIMIT = 1_000_000


class Held(NamedTuple):
    """Units that a line holds: of its SKU (id) at one position of a node (id)."""

    line: int
    sku: str
    node: str
    position: str
    units: int


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Goods of one order for one address that wait for their window, with the plan that stands."""

    asked: Asked
    lines: tuple[BasketLine, ...]
    skus: tuple[str, ...]
    """Ids, by line."""
    to: Destination
    excluded: frozenset[tuple[int | None, int]]
    stands: Placements
    held: tuple[Held, ...]
    days: tuple[tuple[int, int], ...]
    """(node, day's ordinal) of each package that takes some of its node's capacity."""


class Totals(NamedTuple):
    """A plan by its rules' objective, one figure a term (the least is the best), and its shipping and handling in
    minor units."""

    figures: tuple[int, ...]
    money: int


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """One order that goes elsewhere. `at`: its place among those gathered."""

    at: int
    decision: Decision
    inputs: str
    taken: tuple[Held, ...]
    days: tuple[tuple[int, int], ...]
    before: Totals
    after: Totals


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Moves that need each other: all of them, or none."""

    moves: tuple[Move, ...]

    @property
    def saved(self) -> int:
        """Shipping and handling that all of them save together, minor units; below zero where the rules prefer
        something else to money."""
        return sum(move.before.money - move.after.money for move in self.moves)


def replanned(
    configured: Configuration,
    gathered: Sequence[Gathered],
    shelf: Shelf,
    loads: Loads,
    time_limit_s: float,
) -> list[Group]:
    """Groups of moves, each better than what stands. `shelf` and `loads` are what is free besides what these orders
    hold; both are used up. The same input gives the same moves, unless the clock stops the search."""
    return _Window(configured, gathered, shelf, loads).groups(time_limit_s)


class _Window:
    """The orders of one window on one shelf."""

    def __init__(
        self, configured: Configuration, gathered: Sequence[Gathered], shelf: Shelf, loads: Loads
    ) -> None:
        self.configured, self.gathered, self.shelf, self.loads = configured, gathered, shelf, loads
        self.network = configured.network
        self.left, self.before = self._left(), deepcopy(loads)
        """Units free although nobody moves, by (SKU, node); and the days as they are then."""
        for each in gathered:
            self._hold(each.held, -1)
            self._load(each.stands, each.days, -1)
        self.worths = [self._worth(each) for each in gathered]

    def groups(self, time_limit_s: float) -> list[Group]:
        """Propose, decide each move by itself, and keep what is better."""
        proposed = self._proposed(time_limit_s)
        for at, each in enumerate(self.gathered):
            if at not in proposed:
                self._stay(each)
        moves = self._decided(proposed)
        return [group for group in self._joined(moves) if self._better(group)]

    # ---- what there is

    def _left(self) -> dict[tuple[str, int], int]:
        left: dict[tuple[str, int], int] = {}
        for sku, channel in {(sku, each.asked.channel) for each in self.gathered for sku in each.skus}:
            for node, units in enumerate(self._free(sku, channel).tolist()):
                left[sku, node] = min(left.get((sku, node), units), units)
        return left

    def _leaving(self, each: Gathered) -> Ints:
        ahead = self.loads.ahead(self.network.ids) if self.network.paced else None
        return self.network.departures.at(each.asked.now, each.asked.service, ahead).days

    def _free(self, sku: str, channel: str) -> Ints:
        row = np.zeros(len(self.network), dtype=np.int64)
        for node, units in self.shelf.offered(sku, channel).items():
            if node in self.network.index:
                row[self.network.index[node]] = max(units, 0)
        return row

    def _hold(self, held: Iterable[Held], sign: int) -> None:
        for one in held:
            self.shelf.put_back(one.sku, one.node, one.position, -sign * one.units)

    def _load(self, plan: Placements, days: Iterable[tuple[int, int]], sign: int) -> None:
        for node in {node for _, node, _ in plan}:
            self.loads.queue(self.network.ids[node], sign)
        for node, day in days:
            self.loads.add(self.network.ids[node], day, sign)

    def _basket(self, each: Gathered) -> Basket:
        available = np.stack([self._free(sku, each.asked.channel) for sku in each.skus])
        return basket(self.configured, each.asked, list(each.lines), each.to, available, self.loads)

    def _worth(self, each: Gathered) -> Worth | None:
        _, rule = self.configured.ruled(each.asked.channel)
        return worth_of(self.configured, self._basket(each), rule, each.excluded)

    # ---- what is proposed

    def _proposed(self, time_limit_s: float) -> dict[int, Placements]:
        """Plans by order that differ from those that stand. Orders with different objectives are not weighed against
        each other."""
        kinds: dict[object, list[int]] = {}
        for at, worth in enumerate(self.worths):
            if worth is not None and self.gathered[at].stands:
                kinds.setdefault((worth.objective, self.gathered[at].asked.service), []).append(at)
        found: dict[int, Placements] = {}
        for members in kinds.values():
            found |= self._together(members, time_limit_s / len(kinds))
        return found

    def _together(self, members: list[int], time_limit_s: float) -> dict[int, Placements]:
        skus = sorted({sku for at in members for sku in self.gathered[at].skus})
        position = {sku: row for row, sku in enumerate(skus)}
        stock = np.zeros((len(skus), len(self.network)), dtype=np.int64)
        held = np.zeros_like(stock)
        opened: Counter[int] = Counter()
        waiting = []
        dear = 4 * max(self._worth_of(at).dearest for at in members) + 1
        for at in members:
            each, worth = self.gathered[at], self._worth_of(at)
            for line, sku in enumerate(each.skus):
                seen = worth.basket.available[line]
                stock[position[sku]] = np.maximum(stock[position[sku]], seen)
            rows = worth.rows(each.stands)
            for line, node, units in each.stands:
                held[position[each.skus[line]], node] += units
            opened.update({node for _, node, _ in rows})
            own = np.array([position[each.skus[lines[0]]] for lines in worth.part.lines])
            waiting.append(Waiting(worth.flat(dear), own, rows))
        room = self._room(self._worth_of(members[0]), opened)
        plans = windows.together(waiting, np.maximum(stock, held), room, time_limit_s)
        if plans is None:
            return {}
        return {
            at: tuple(self._worth_of(at).lines(plan))
            for at, asked, plan in zip(members, waiting, plans, strict=True)
            if sorted(plan) != sorted(asked.stands)
        }

    def _worth_of(self, at: int) -> Worth:
        worth = self.worths[at]
        assert worth is not None
        return worth

    def _room(self, worth: Worth, opened: Counter[int]) -> Ints:
        """Packages that each node has room for, those that stand included."""
        capacity, load = self.network.capacity_per_day, worth.basket.load
        room = np.full(len(self.network), NO_LIMIT, dtype=np.int64)
        if load is not None:
            room = np.where(capacity < 0, NO_LIMIT, np.maximum(capacity - load, 0))
        for node, packages in opened.items():
            room[node] = max(room[node], packages)
        return room

    # ---- what is decided

    def _decided(self, proposed: dict[int, Placements]) -> list[Move]:
        """Each proposed order decided on what the others leave it; one that cannot go there keeps its plan."""
        claims: dict[int, tuple[Placements, tuple[Held, ...], tuple[tuple[int, int], ...]]] = {}
        for at, plan in sorted(proposed.items()):
            taken = self._take(self.gathered[at], plan)
            if taken is None:
                self._stay(self.gathered[at])
            else:
                claims[at] = plan, taken, self._days(at, plan)
                self._load(plan, claims[at][2], 1)
        moves = []
        for at, (plan, taken, days) in claims.items():
            self._hold(taken, -1)
            self._load(plan, days, -1)
            move = self._move(at)
            if move is None:
                self._stay(self.gathered[at])
            else:
                self._load(tuple(move.decision.placements), move.days, 1)
                moves.append(move)
        return moves

    def _stay(self, each: Gathered) -> None:
        self._hold(each.held, 1)
        self._load(each.stands, each.days, 1)

    def _move(self, at: int) -> Move | None:
        """The best plan on what the others leave; None when it is the one that stands, leaves a unit without a place,
        or comes later. What it takes is taken."""
        each, worth = self.gathered[at], self._worth_of(at)
        given = self._basket(each)
        _, rule = self.configured.ruled(each.asked.channel)
        decision = decide(self.network, given, rule, excluded=each.excluded, prices=self.configured.prices)
        plan = tuple(sorted(decision.placements))
        if decision.unfilled or plan == each.stands or worth.late(plan) > worth.late(each.stands):
            return None
        taken = self._take(each, plan)
        if taken is None:
            return None
        return Move(
            at,
            decision,
            recording.inputs(self.configured, given, each.excluded),
            taken,
            self._days(at, plan),
            Totals(worth.figures(each.stands), worth.money(each.stands)),
            Totals(worth.figures(plan), worth.money(plan)),
        )

    def _take(self, each: Gathered, plan: Placements) -> tuple[Held, ...] | None:
        """Take a plan's units; None, and nothing taken, when they are not all there for this channel."""
        taken: list[Held] = []
        for line, node, units in plan:
            sku, place = each.skus[line], self.network.ids[node]
            if self.shelf.free(sku, place, each.asked.channel) < units:
                self._hold(taken, -1)
                return None
            found = self.shelf.take(sku, place, each.asked.channel, units)
            taken += [Held(line, sku, place, position, count) for position, count in found]
        return tuple(taken)

    def _days(self, at: int, plan: Placements) -> tuple[tuple[int, int], ...]:
        leaving = self._leaving(self.gathered[at])
        nodes = sorted({node for _, node, _ in plan})
        return tuple((node, int(leaving[node])) for node in nodes if self.network.capacity_per_day[node] >= 0)

    # ---- what needs what

    def _joined(self, moves: list[Move]) -> list[Group]:
        """Moves that share what is too little without the others."""
        changes = [self._changes(move) for move in moves]
        wanted: Counter[tuple[Any, int]] = Counter()
        for own in changes:
            wanted.update({what: units for what, units in own.items() if units > 0})
        scarce = {what for what, units in wanted.items() if units > self._spare(what)}
        leader = list(range(len(moves)))

        def lead(one: int) -> int:
            while leader[one] != one:
                one = leader[one]
            return one

        first: dict[tuple[Any, int], int] = {}
        for at, own in enumerate(changes):
            for what in own.keys() & scarce:
                leader[lead(at)] = lead(first.setdefault(what, at))
        groups: dict[int, list[int]] = {}
        for at in range(len(moves)):
            groups.setdefault(lead(at), []).append(at)
        return [
            Group(tuple(moves[at] for at in members))
            for members in groups.values()
            if self._suffices([changes[at] for at in members], scarce)
        ]

    def _changes(self, move: Move) -> Counter[tuple[Any, int]]:
        """Units more (or fewer) that a move takes at each place, and packages of each day."""
        each = self.gathered[move.at]
        own: Counter[tuple[Any, int]] = Counter()
        for sign, held, days in ((-1, each.held, each.days), (1, move.taken, move.days)):
            for one in held:
                own[one.sku, self.network.index[one.node]] += sign * one.units
            for node, day in days:
                own[node, day] += sign
        return own

    def _spare(self, what: tuple[Any, int]) -> int:
        """What is free of it although nobody moves: units of (SKU, node), packages of (node, day)."""
        if isinstance(what[0], str):
            return self.left[what]
        node, day = what
        load = int(self.before.of([self.network.ids[node]], np.array([day]))[0])
        return int(self.network.capacity_per_day[node]) - load

    def _suffices(self, changes: list[Counter[tuple[Any, int]]], scarce: set[tuple[Any, int]]) -> bool:
        return all(sum(own[what] for own in changes) <= max(self._spare(what), 0) for what in scarce)

    def _better(self, group: Group) -> bool:
        """Whether no objective comes out worse, and one better."""
        sums: dict[object, list[tuple[tuple[int, ...], tuple[int, ...]]]] = {}
        for move in group.moves:
            own = sums.setdefault(self._worth_of(move.at).objective, [])
            own.append((move.before.figures, move.after.figures))
        totals = [tuple(_sum(pair[side] for pair in pairs) for side in (0, 1)) for pairs in sums.values()]
        return all(after <= before for before, after in totals) and any(
            after < before for before, after in totals
        )


def _sum(figures: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*figures, strict=True)))
