"""The least-cost plan of one basket, exact, over plain arrays: any package cost up to some dozen lines.

A plan fills the most units; then costs the least; then has the least sum of priority numbers; then the lowest
nodes, compared as sorted tuples; then gives lines in order to the lower node. A line goes whole to one node when
any node holds it whole; only a quantity that none holds is gathered from several.

A *state* says how many units of each line are placed: nothing or all of a line that some node holds whole, any
number of one that is gathered. best[T] is the least cost of one package with T; opt_k[S] = min over T within S of
best[T] + opt_(k-1)[S - T]. Where lines are gathered, one node could serve twice in that recursion, so nodes are then
taken in turn. Wider orders than the tables hold are solved by `wide`, for costs that add up over units.

Costs are whole numbers (millionths of a minor unit, or of a mile): sums are exact in any order, so a replay finds
the same plan to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from app.routing import wide
from app.routing.facts import Flags, Ints
from app.routing.states import States, states_of

MOST_STATES = 4096
NEVER = 1 << 58
PRIORITY_BITS = 17
LARGEST_COST = 1 << (57 - PRIORITY_BITS)
FEW_NODES = 24  # so few are quicker solved than thinned
FIRST_PER_LINE = 6  # cheapest nodes of each line that the first, rough plan is made of
MOST_TIES = 16
HALF = 32  # states of the last lines: a table of them and 500 nodes stays in the cache


@dataclass(frozen=True, eq=False)
class Bill:
    """What to place, what there is, and what it costs.

    `stock[line, node]` is capped at the quantity, 0 where the node may not serve the line. `package[node]` is the
    cost of opening a package there, `unit[line, node]` of each unit; both may be below zero. `extra` gives what a
    package costs besides, by the units in it, one row per class of nodes, and `row[node]` its class: weight
    steps, dimensional weight, floors. `value[line]` is the worth of a unit, `least_value` what each package of a
    divided order must be worth at least (minor units). `gather` is false where no line may be divided.
    """

    quantity: Ints
    stock: Ints
    package: Ints
    unit: Ints
    priority: Ints
    extra: Callable[[Ints], Ints] | None = None  # units[state, line] -> cost[class, state]
    row: Ints | None = None
    cap: int | None = None
    value: Ints | None = None
    least_value: int = 0
    gather: bool = True

    @cached_property
    def holds(self) -> Flags:
        """[line, node]: the node holds the line whole."""
        return self.stock == self.quantity[:, None]

    @cached_property
    def whole(self) -> Flags:
        """Lines that some node holds whole."""
        return np.logical_or.reduce(self.holds, axis=1)

    @cached_property
    def bounded(self) -> bool:
        """Whether packages are limited in number or worth, so that not every unit may find its place."""
        return self.cap is not None or self.least_value > 0

    def without(self, node: int) -> Bill:
        """The same bill as though the node were not there."""
        stock = self.stock.copy()
        stock[:, node] = 0
        return replace(self, stock=stock)


@dataclass(frozen=True, slots=True)
class Plan:
    """Nodes that ship (ascending) and what: (line, node, units) in order of lines. `cost` in the bill's own units.

    `rank` orders plans of one bill, the least is the best. `exact`: proven best.
    """

    nodes: tuple[int, ...]
    placements: tuple[tuple[int, int, int], ...]
    filled: int
    cost: int
    rank: tuple
    method: str
    exact: bool


def cheapest(bill: Bill) -> Plan | None:
    """The best plan, or None when no unit can be placed."""
    task = _Task.of(bill)
    if task is None:
        return None
    if bill.bounded:
        free = cheapest(replace(bill, cap=None, least_value=0))
        if free is not None and _within_bounds(bill, free):
            return free
    if task.size > MOST_STATES:
        return _wide(bill, task)
    task = task.thinned()
    found = task.solved()
    return _plan(bill, task, found) if found else None


def _within_bounds(bill: Bill, plan: Plan) -> bool:
    """Whether a plan made without bounds keeps them; it is then the best within them too."""
    if bill.cap is not None and len(plan.nodes) > bill.cap:
        return False
    if bill.value is None or len(plan.nodes) == 1:
        return True
    worth = dict.fromkeys(plan.nodes, 0)
    for line, node, units in plan.placements:
        worth[node] += units * int(bill.value[line])
    return min(worth.values()) >= bill.least_value


def runner_up(bill: Bill, plan: Plan, most_nodes: int = 4) -> Plan | None:
    """The best plan that does without at least one of the chosen nodes; None for plans of more than `most_nodes`."""
    if len(plan.nodes) > most_nodes or plan.method != "set":
        return None
    others = [cheapest(bill.without(node)) for node in plan.nodes]
    return min((other for other in others if other), key=lambda other: other.rank, default=None)


def best_single(bill: Bill) -> Plan | None:
    """The best plan of one package."""
    return cheapest(replace(bill, cap=1))


def ranked(bill: Bill, placements: list[tuple[int, int, int]], cost: int, method: str, exact: bool) -> Plan:
    """A plan with its place in the order of plans."""
    nodes = tuple(sorted({node for _, node, _ in placements}))
    filled = sum(units for _, _, units in placements)
    numbers = sum(int(bill.priority[node]) for node in nodes)
    rank = (-filled, cost, numbers, nodes)
    return Plan(nodes, tuple(sorted(placements)), filled, cost, rank, method, exact)


Found = list[tuple[int, int]]
"""(column, state) of each package."""


@dataclass(frozen=True, eq=False)
class _Task:
    """A bill cut to the lines that anything can fill and the nodes that can fill them.

    `need[line]` units can be placed; `step[line]` units at a time (all of a whole line at once).
    """

    bill: Bill
    lines: Ints
    columns: Ints
    need: Ints
    step: Ints

    @classmethod
    def of(cls, bill: Bill) -> _Task | None:
        whole, total = bill.whole, np.add.reduce(bill.stock, axis=1)
        gathered = np.minimum(total, bill.quantity) if bill.gather else np.zeros_like(total)
        need = np.where(whole, bill.quantity, gathered)
        lines = need.nonzero()[0]
        if not len(lines):
            return None
        useful = np.where(whole[:, None], bill.holds, bill.stock > 0)[lines]
        columns = np.logical_or.reduce(useful).nonzero()[0]
        return cls(bill, lines, columns, need[lines], np.where(whole, need, 1)[lines])

    @cached_property
    def stock(self) -> Ints:
        """[line, column]: steps that a column can give."""
        return self.bill.stock[np.ix_(self.lines, self.columns)] // self.step[:, None]

    @cached_property
    def steps(self) -> Ints:
        return self.need // self.step

    @cached_property
    def size(self) -> int:
        """Number of states."""
        size = 1
        for count in self.steps.tolist():
            size *= count + 1
            if size > MOST_STATES:
                break
        return size

    @cached_property
    def states(self) -> States:
        return states_of(tuple(self.steps.tolist()))

    @cached_property
    def units(self) -> Ints:
        """[state, line of the bill]: units placed."""
        units = np.zeros((self.states.size, len(self.bill.quantity)), dtype=np.int64)
        units[:, self.lines] = self.states.digits * self.step
        return units

    @cached_property
    def extra(self) -> Ints | None:
        return self.bill.extra(self.units) if self.bill.extra is not None else None

    @cached_property
    def unit(self) -> Ints:
        """[line, column]: cost of a step."""
        return self.bill.unit[np.ix_(self.lines, self.columns)] * self.step[:, None]

    @cached_property
    def package(self) -> Ints:
        """[column]: the least that any package costs there, whatever is in it."""
        package = self.bill.package[self.columns]
        if self.extra is None or self.bill.row is None:
            return package
        return package + self.extra[:, 1:].min(axis=1)[self.bill.row[self.columns]]

    def only(self, columns: Ints) -> _Task:
        """With these of its columns alone."""
        return _Task(self.bill, self.lines, self.columns[columns], self.need, self.step)

    # ---- fewer nodes

    def thinned(self) -> _Task:
        """Without columns that no best plan has: each would cost more than a plan that is already there."""
        if len(self.columns) <= FEW_NODES or self.bill.bounded or self.package.min() < 0:
            return self
        rough = self.only(self._first_columns())
        found = rough.solved()
        assert found is not None
        known = rough.cost(found)
        kept = self.floors() <= known
        kept[np.searchsorted(self.columns, rough.columns[[column for column, _ in found]])] = True
        return self.only(kept.nonzero()[0])

    def _first_columns(self) -> Ints:
        """For each line its cheapest columns, and as many as hold what it needs."""
        chosen = np.zeros(len(self.columns), dtype=bool)
        for stock, unit, steps in zip(self.stock, self.unit, self.steps.tolist(), strict=True):
            order = np.where(stock > 0, self.package + unit, NEVER).argsort(kind="stable")
            enough = int((np.cumsum(stock[order]) < steps).sum()) + 1
            chosen[order[: max(FIRST_PER_LINE, enough)]] = True
        chosen &= np.logical_or.reduce(self.stock > 0)
        alone = np.logical_and.reduce(self.stock >= self.steps[:, None]).nonzero()[0]
        if len(alone):
            costs = self.package[alone] + self.steps @ self.unit[:, alone]
            chosen[alone[costs.argsort(kind="stable")[:FIRST_PER_LINE]]] = True
        return chosen.nonzero()[0]

    def floors(self) -> Ints:
        """[column]: no plan with this column costs less."""
        there = self.stock > 0
        least = np.where(there, self.unit, NEVER).min(axis=1)
        above = np.where(there, self.unit - least[:, None], NEVER).min(axis=0)
        alone = np.logical_and.reduce(self.stock >= self.steps[:, None])
        other = np.where(alone, 0, self.package.min())
        return self.package + above + other + int(least @ self.steps)

    # ---- the tables

    @cached_property
    def shift(self) -> int:
        """Bits by which costs are made coarser so that a plan's cost and priorities fit one whole number."""
        most = np.where(self.stock > 0, self.unit, 0)
        largest = int(np.abs(most).max(axis=1) @ self.steps) + len(self.steps) * int(
            np.abs(self.bill.package[self.columns]).max()
        )
        if self.extra is not None:
            largest += len(self.steps) * int(np.abs(self.extra).max())
        return max(0, (largest // LARGEST_COST).bit_length())

    @cached_property
    def opening(self) -> Ints:
        """[column]: cost and priority number of a package, as one whole number."""
        package = (self.bill.package[self.columns] >> self.shift) << PRIORITY_BITS
        return package + self.bill.priority[self.columns]

    def keys(self, lines: slice, opening: Ints) -> Ints:
        """[column, state of these lines]: what a package costs; NEVER or more if impossible."""
        keys = opening[:, None]
        unit = (self.unit[lines] >> self.shift) << PRIORITY_BITS
        for each, stock, steps in zip(unit, self.stock[lines], self.steps[lines].tolist(), strict=True):
            counts = np.arange(steps + 1)
            added = np.where(stock[:, None] >= counts, each[:, None] * counts, NEVER)
            keys = (keys[:, :, None] + added[:, None, :]).reshape(len(keys), -1)
        return keys

    @cached_property
    def every(self) -> Ints:
        """[column, state]: what a package costs with what comes besides; NEVER if impossible or empty."""
        keys = self.keys(slice(None), self.opening)
        if self.surcharge is not None:
            keys = keys + self.surcharge[self.rows]
        keys[:, 0] = NEVER
        return np.minimum(keys, NEVER, out=keys)

    @cached_property
    def surcharge(self) -> Ints | None:
        """[class, state]: what a package costs besides."""
        return (self.extra >> self.shift) << PRIORITY_BITS if self.extra is not None else None

    @cached_property
    def rows(self) -> Ints:
        """[column]: its class."""
        if self.bill.row is None:
            return np.zeros(len(self.columns), dtype=np.int64)
        return self.bill.row[self.columns]

    @cached_property
    def best(self) -> Ints:
        """[state]: the least that one package costs, wherever it comes from.

        Costs of the first lines and of the last are added pair by pair, so that no table of all columns and all
        states is ever made.
        """
        middle, size = len(self.steps), 1
        while middle and size * (int(self.steps[middle - 1]) + 1) <= HALF:
            middle -= 1
            size *= int(self.steps[middle]) + 1
        first = self.keys(slice(None, middle), self.opening)
        last = self.keys(slice(middle, None), np.zeros(len(self.columns), dtype=np.int64))
        if self.surcharge is None:
            best = _least_sums(first, last)
        else:
            best = np.full(self.states.size, NEVER, dtype=np.int64)
            for row in np.unique(self.rows).tolist():
                own = self.rows == row
                np.minimum(best, _least_sums(first[own], last[own]) + self.surcharge[row], out=best)
        best[0] = NEVER
        return np.minimum(best, NEVER, out=best)

    def at(self, state: int) -> Ints:
        """[column]: what a package with this state costs; NEVER if impossible."""
        units = self.states.digits[state]
        keys = self.opening + (((self.unit >> self.shift) << PRIORITY_BITS).T @ units)
        if self.surcharge is not None:
            keys += self.surcharge[self.rows, state]
        keys[np.logical_or.reduce(self.stock < units[:, None])] = NEVER
        return keys

    @cached_property
    def worth(self) -> Ints:
        """[state]: minor units that a package is worth."""
        assert self.bill.value is not None
        return self.units @ self.bill.value

    def cost(self, found: Found) -> int:
        """Of some packages, in the bill's own units."""
        total = 0
        for column, state in found:
            node = self.columns[column]
            total += int(self.bill.package[node]) + int(self.unit[:, column] @ self.states.digits[state])
            if self.extra is not None and self.bill.row is not None:
                total += int(self.extra[self.bill.row[node], state])
        return total

    def solved(self) -> Found | None:
        """The packages of the best plan of these columns; None if nothing may be placed."""
        if self.states.binary and not (self.bill.bounded and self.bill.least_value):
            found = self._joined()
            if found is None or len({column for column, _ in found}) == len(found):
                return found
        return self._in_turn()

    def _joined(self) -> Found | None:
        """By the recursion over the best package of each state, whichever node's it is."""
        best, last = self.best, self.states.size - 1
        if not self.bill.bounded:
            return self._least_of_all(best, last)
        tables = [best]
        reached = best < NEVER
        for _ in range(1, min(self.bill.cap or len(self.steps), len(self.steps))):
            if reached[last]:
                break
            tables.append(self.states.joined(best, tables[-1], NEVER))
            reached |= tables[-1] < NEVER
        if not reached.any():
            return None
        filled = np.where(reached, self.units.sum(axis=1), 0)
        wanted = (filled == filled.max()).nonzero()[0]
        while len(tables) < min(self.bill.cap or len(self.steps), len(self.steps)):
            tables.append(self.states.joined(best, tables[-1], NEVER))
        value = min(int(table[wanted].min()) for table in tables)
        ends = [
            self._traced(tables, level, int(state), value)
            for level, table in enumerate(tables)
            for state in wanted[table[wanted] == value]
        ]
        return min(ends, key=self._order)

    def _least_of_all(self, best: Ints, last: int) -> Found | None:
        """Everything placed: packages are added as long as one more could still be cheaper."""
        tables, values = [best], [int(best[last])]
        opening = int((self.package.min() >> self.shift) << PRIORITY_BITS)
        there = self.stock > 0
        units = (
            int((np.where(there, self.unit, NEVER).min(axis=1) >> self.shift) @ self.steps) << PRIORITY_BITS
        )
        for count in range(2, len(self.steps) + 1):
            if opening > 0 and min(values) < NEVER and count * opening + units > min(values):
                break
            values.append(int((best + tables[-1][::-1])[1:-1].min(initial=NEVER)))
            if count < len(self.steps):
                tables.append(self.states.joined(best, tables[-1], NEVER))
        value = min(values)
        if value >= NEVER:
            return None
        ends = [
            self._traced(tables, level, last, value) for level, each in enumerate(values) if each == value
        ]
        return min(ends, key=self._order)

    def _order(self, found: Found) -> tuple:
        """Lowest nodes first; then lines in order to the lower node."""
        by_column = sorted(found)
        return tuple(column for column, _ in by_column), tuple(-state for _, state in by_column)

    def _traced(self, tables: list[Ints], level: int, state: int, value: int) -> Found:
        """The packages behind a value of table `level`: the lowest node of any best plan first."""
        if level == 0:
            return [(int((self.at(state) == value).argmax()), state)]
        parts = self.states.within(state)
        parts = parts[self.best[parts] + tables[level - 1][state - parts] == value]
        firsts = {int(part): int((self.at(part) == self.best[part]).argmax()) for part in parts[:MOST_TIES]}
        column = min(firsts.values())
        ends = [
            [(column, part), *self._traced(tables, level - 1, state - part, value - int(self.best[part]))]
            for part, first in firsts.items()
            if first == column
        ]
        return min(ends, key=self._order) if len(ends) > 1 else ends[0]

    def _in_turn(self) -> Found | None:
        """Node by node from the last: least[S] over the nodes from here on. No node serves twice."""
        columns, states = len(self.columns), self.states
        alone = keys = self.every
        if self.bill.least_value:
            keys = np.where(self.worth >= self.bill.least_value, keys, NEVER)
        layers = 0 if self.bill.cap is None else min(self.bill.cap, int(self.steps.sum()))
        tables = np.full((columns + 1, layers + 1, states.size), NEVER, dtype=np.int64)
        tables[columns, :, 0] = 0
        for column in range(columns - 1, -1, -1):
            for left in range(layers + 1):
                before = tables[column + 1, left]
                if self.bill.cap is None:
                    tables[column, left] = np.minimum(before, states.added(keys[column], before, NEVER))
                elif left == 0:
                    tables[column, left] = before
                else:
                    after = states.added(keys[column], tables[column + 1, left - 1], NEVER)
                    tables[column, left] = np.minimum(before, after)
        divided = tables[0, layers]
        single = alone.min(axis=0)
        reached = (divided < NEVER) | (single < NEVER)
        reached[0] = False
        if not reached.any():
            return None
        filled = np.where(reached, self.units.sum(axis=1), -1)
        wanted = (filled == filled.max()).nonzero()[0]
        value = int(min(divided[wanted].min(), single[wanted].min()))
        ends: list[Found] = []
        for state in wanted.tolist():
            if single[state] == value:
                ends.append([(int((alone[:, state] == value).argmax()), state)])
            if divided[state] == value:
                ends.append(self._followed(tables, keys, state, value))
        return min(ends, key=self._order)

    def _followed(self, tables: Ints, keys: Ints, state: int, value: int) -> Found:
        """The packages behind tables[0, ..., state]: each node that may ship in a best plan does, lowest first."""
        found: Found = []
        left, capped = tables.shape[1] - 1, self.bill.cap is not None
        for column in range(len(keys)):
            if not state:
                break
            parts = self.states.within(state)
            sums = keys[column, parts] + tables[column + 1, left - 1 if capped else left][state - parts]
            fits = parts[sums == value] if left or not capped else parts[:0]
            if len(fits):
                part = int(fits[-1])  # the most of the first line, then of the next
                found.append((column, part))
                value -= int(keys[column, part])
                state -= part
                left -= capped
        return found


def _least_sums(first: Ints, last: Ints) -> Ints:
    """[a x b]: the least over columns of first[column, a] + last[column, b]."""
    sums = np.empty(last.shape, dtype=np.int64)
    least = np.empty((first.shape[1], last.shape[1]), dtype=np.int64)
    for at in range(first.shape[1]):
        np.add(last, first[:, at, None], out=sums)
        np.minimum.reduce(sums, axis=0, out=least[at])
    return least.ravel()


def _plan(bill: Bill, task: _Task, found: Found) -> Plan:
    cost = task.cost(found)
    nodes = [int(task.columns[column]) for column, _ in found]
    if bill.extra is None and not bill.bounded:
        placements = wide.assigned(bill.stock, bill.unit, bill.holds, task.lines, task.need, nodes)
    else:
        placements = [
            (line, node, units)
            for node, (_, state) in zip(nodes, found, strict=True)
            for line, units in enumerate(task.units[state].tolist())
            if units
        ]
    return ranked(bill, placements, cost, "set", True)


def _wide(bill: Bill, task: _Task) -> Plan | None:
    """More states than the tables hold: by sets of nodes, or as an integer program; costs that add up only."""
    unit, approximate = bill.unit, bill.extra is not None
    if bill.extra is not None and bill.row is not None:
        unit = bill.unit + _slopes(bill, task)[:, bill.row]
    nodes, exact, method = wide.chosen(
        task.stock * task.step[:, None],
        task.need,
        task.package,
        unit[np.ix_(task.lines, task.columns)],
        bill.priority[task.columns],
        whole=bill.whole[task.lines],
        cap=bill.cap,
    )
    chosen = task.columns[list(nodes)].tolist()
    placements = wide.assigned(bill.stock, unit, bill.holds, task.lines, task.need, chosen)
    if not placements:
        return None
    exact = exact and not approximate and not bill.least_value
    return ranked(bill, placements, cost_of(bill, placements), method, exact)


def _slopes(bill: Bill, task: _Task) -> Ints:
    """[line, class]: what a unit of each line adds to a package of everything: a straight line through steps."""
    assert bill.extra is not None
    everything = np.zeros((1 + len(bill.quantity), len(bill.quantity)), dtype=np.int64)
    everything[:, task.lines] = task.need
    everything[np.arange(1, len(everything)), np.arange(len(bill.quantity))] = 0
    costs = bill.extra(everything)
    return ((costs[:, :1] - costs[:, 1:]) // np.maximum(bill.quantity, 1)).T


def cost_of(bill: Bill, placements: list[tuple[int, int, int]]) -> int:
    """What some placements cost, in the bill's own units."""
    by_node: dict[int, Ints] = {}
    for line, node, units in placements:
        by_node.setdefault(node, np.zeros(len(bill.quantity), dtype=np.int64))[line] += units
    total = 0
    for node, given in by_node.items():
        total += int(bill.package[node]) + int(bill.unit[:, node] @ given)
        if bill.extra is not None and bill.row is not None:
            total += int(bill.extra(given[None, :])[bill.row[node], 0])
    return total
