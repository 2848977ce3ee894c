"""The tables of the exact search: what a package with every state of the lines costs from every node.

A *state* says how many units of each line are placed: nothing or all of a line that some node holds whole, any
number of one that is gathered.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.routing.bills import FORBIDDEN, Bill
from app.routing.facts import Flags, Ints
from app.routing.kept import kept
from app.routing.packages import MOST_CELLS, Classed, Listed, Packages, spread
from app.routing.states import NEVER, States, possible, states_of

MOST_STATES = 4096
PRIORITY_BITS = 17
LARGEST_COST = 1 << (56 - PRIORITY_BITS)

Found = list[tuple[int, int]]
"""(column, state) of each package."""


@dataclass(frozen=True, eq=False)
class Task:
    """A bill cut to the lines that anything can fill and the nodes that can fill them.

    `need[line]` units can be placed; `step[line]` units at a time (all of a whole line at once).
    """

    bill: Bill
    lines: Ints
    columns: Ints
    need: Ints
    step: Ints
    binary: bool
    """Whether no line is gathered."""
    levels: list[Any] = field(default_factory=list)
    """The `levels.Levels` of all columns, once somebody has made them."""

    @classmethod
    def of(cls, bill: Bill) -> Task | None:
        """None when nothing can be placed."""
        whole = bill.whole
        if np.logical_and.reduce(whole):
            columns = np.logical_or.reduce(bill.holds).nonzero()[0]
            return cls(bill, np.arange(len(whole)), columns, bill.quantity, bill.quantity, binary=True)
        total = np.add.reduce(bill.stock, axis=1)
        gathered = np.minimum(total, bill.quantity) if bill.gather else np.zeros_like(total)
        need = np.where(whole, bill.quantity, gathered)
        lines = need.nonzero()[0]
        if not len(lines):
            return None
        useful = np.where(whole[:, None], bill.holds, bill.stock > 0)[lines]
        columns = np.logical_or.reduce(useful).nonzero()[0]
        step = np.where(whole, need, 1)[lines]
        return cls(bill, lines, columns, need[lines], step, binary=bool((step == need[lines]).all()))

    @kept
    def stock(self) -> Ints:
        """[line, column]: steps that a column can give."""
        stock = self._cut(self.bill.stock) // self.step[:, None]
        return np.minimum(stock, self.steps[:, None])

    @kept
    def holds(self) -> Flags:
        """[line, column]: the column can give all that is needed."""
        if self.need is self.bill.quantity:
            return self._cut(self.bill.holds)
        return self._cut(self.bill.stock) >= self.need[:, None]

    def _cut(self, values: NDArray[Any]) -> NDArray[Any]:
        """The rows of these lines and the columns of these nodes."""
        rows = values if len(self.lines) == len(values) else values[self.lines]
        return self._of_nodes(rows)

    def _of_nodes(self, values: NDArray[Any]) -> NDArray[Any]:
        """The columns of these nodes."""
        return values if len(self.columns) == values.shape[-1] else values.take(self.columns, axis=-1)

    @kept
    def holders(self) -> Ints:
        """[line]: how many columns can give all that is needed."""
        return np.add.reduce(self.holds, axis=1)

    @kept
    def steps(self) -> Ints:
        return self.need // self.step

    @kept
    def size(self) -> int:
        """Number of states, counted no farther than it matters."""
        if self.binary:
            return 1 << len(self.need)
        size = 1
        for count in self.steps.tolist():
            size *= count + 1
            if size > MOST_STATES:
                break
        return size

    @kept
    def states(self) -> States:
        return states_of(tuple(self.steps.tolist()))

    @kept
    def units(self) -> Ints:
        """[state, line of the bill]: units placed."""
        if len(self.lines) == len(self.bill.quantity):
            return self.states.digits * self.step
        units = np.zeros((self.states.size, len(self.bill.quantity)), dtype=np.int64)
        units[:, self.lines] = self.states.digits * self.step
        return units

    @kept
    def extra(self) -> Ints | None:
        return self.bill.extra(self.units) if self.bill.extra is not None else None

    @kept
    def unit(self) -> Ints:
        """[line, column]: cost of a step."""
        return self._cut(self.bill.unit) * self.step[:, None]

    def only(self, columns: Ints) -> Task:
        """With these of its columns alone."""
        return Task(self.bill, self.lines, self.columns[columns], self.need, self.step, self.binary)

    def priced(self, bill: Bill) -> Task:
        """With the costs of another bill of the same lines and stock."""
        return replace(self, bill=bill, levels=[])

    # ---- costs as whole numbers that carry their priority numbers along

    @kept
    def shift(self) -> int:
        """Bits by which costs are made coarser so that a plan's cost and priorities fit one whole number."""
        if self.fits:
            return 0
        largest = int(np.abs(self.unit).max(axis=1) @ self.steps)
        largest += len(self.steps) * int(np.abs(self.package).max())
        if self.extra is not None:
            possible = np.abs(self.extra)
            highest = int(possible.max())
            if highest >= FORBIDDEN:
                highest = int(possible[possible < FORBIDDEN].max(initial=0))
            largest += len(self.steps) * highest
        return max(0, (largest // LARGEST_COST).bit_length())

    @kept
    def fits(self) -> bool:
        """Whether costs are nowhere below zero, forbidden, or so large that a plan of so many packages as there are
        lines would not fit. Of all bits that occur together one tells at once."""
        unit = int(np.bitwise_or.reduce(self.unit, axis=None))
        package = int(np.bitwise_or.reduce(self.package))
        extra = 0 if self.extra is None else int(np.bitwise_or.reduce(self.extra, axis=None))
        highest = max(unit, package, extra)
        return min(unit, package, extra) >= 0 and 3 * highest * sum(self.steps.tolist()) < LARGEST_COST

    @kept
    def package(self) -> Ints:
        """[column]: cost of opening a package."""
        return self._of_nodes(self.bill.package)

    @kept
    def opening(self) -> Ints:
        """[column]: cost and priority number of a package, as one whole number."""
        return self._as_key(self.package) + self._of_nodes(self.bill.priority)

    @kept
    def taking(self) -> Ints:
        """[line, column]: what a whole line costs there; NEVER where it is not held. Of lines that are whole."""
        return np.where(self.holds, self._as_key(self.unit), NEVER)

    @kept
    def surcharge(self) -> Ints | None:
        """[class, state]: what a package costs besides; NEVER where it may not be."""
        if self.extra is None:
            return None
        keys = self._as_key(self.extra)
        return keys if self.fits else np.where(self.extra >= FORBIDDEN, NEVER, keys)

    def _as_key(self, costs: Ints) -> Ints:
        return (costs >> self.shift if self.shift else costs) << PRIORITY_BITS

    @kept
    def rows(self) -> Ints:
        """[column]: its class."""
        if self.bill.row is None:
            return np.zeros(len(self.columns), dtype=np.int64)
        return self._of_nodes(self.bill.row)

    @kept
    def every(self) -> Ints:
        """[column, state]: what a package costs with what comes besides; NEVER if impossible or empty."""
        if self.binary:
            keys = spread(self.opening, self.taking)
        else:
            keys = self.opening[:, None]
            unit = self._as_key(self.unit)
            for each, stock, steps in zip(unit, self.stock, self.steps.tolist(), strict=True):
                counts = np.arange(steps + 1)
                added = np.where(stock[:, None] >= counts, each[:, None] * counts, NEVER)
                keys = (keys[:, :, None] + added[:, None, :]).reshape(len(keys), -1)
        if self.surcharge is not None:
            keys += self.surcharge.take(self.rows, axis=0)
        keys[:, 0] = NEVER
        return np.minimum(keys, NEVER, out=keys) if self.fits else possible(keys)

    @kept
    def is_small(self) -> bool:
        """Whether one table of all columns and states is small enough to be made."""
        return len(self.columns) * self.size <= MOST_CELLS

    @kept
    def worth(self) -> Ints:
        """[state]: minor units that a package is worth."""
        assert self.bill.value is not None
        return self.units @ self.bill.value

    def cost(self, found: Found) -> int:
        """Of some packages, in the bill's own units."""
        if self.binary and self.is_small and not self.shift:
            return sum(self.every.item(each) for each in found) >> PRIORITY_BITS
        total = 0
        for column, state in found:
            node = self.columns[column]
            total += int(self.bill.package[node]) + int(self.unit[:, column] @ self.states.digits[state])
            if self.extra is not None and self.bill.row is not None:
                total += int(self.extra[self.bill.row[node], state])
        return total

    # ---- the least that one package costs; lines that are whole

    @kept
    def best(self) -> Ints:
        """[state]: the least that one package costs, wherever it comes from."""
        return np.minimum.reduce(self.every) if self.is_small else self._packages.best

    def best_without(self, column: int | None) -> Ints:
        """[state]: the least that one package costs from any other column; None: from any."""
        if column is None:
            return self.best
        if not self.is_small:
            return self._packages.without(column)
        own = self.every[column].copy()
        self.every[column] = NEVER  # put aside for this once
        best: Ints = np.minimum.reduce(self.every)
        self.every[column] = own
        return best

    def at(self, states: Sequence[int]) -> Ints:
        """[column, state of these]: what a package costs; NEVER or more if impossible."""
        return self.every.take(states, axis=1) if self.is_small else self._packages.at(states)

    def at_others(self, column: int | None) -> Callable[[Sequence[int]], Ints]:
        """As `at`, as though a column were not there."""
        if column is None:
            return self.at

        def without(states: Sequence[int]) -> Ints:
            keys = self.at(states)
            keys[column] = NEVER
            return keys

        return without

    def of_columns(self, columns: Sequence[int]) -> Ints:
        """[column of these, state]: what a package costs; NEVER if impossible or empty."""
        at = list(columns)
        if self.is_small:
            return self.every[at]
        keys = spread(self.opening[at], self.taking[:, at])
        if self.surcharge is not None:
            keys += self.surcharge[self.rows[at]]
        keys[:, 0] = NEVER
        return possible(keys)

    @kept
    def _packages(self) -> Packages:
        """Where there are too many columns for one table of all that each can send."""
        held = np.add.reduce(self.holds)
        few = int(np.add.reduce(1 << held)) <= MOST_CELLS
        return (Listed if few else Classed)(self.opening, self.taking, self.rows, self.surcharge)

    # ---- bounds on plans that place everything

    @kept
    def alone(self) -> Ints:
        """[column]: what one package of everything costs; NEVER or more where that cannot be."""
        if self.is_small:
            return self.every[:, -1]
        keys = self.opening + np.add.reduce(self.taking)
        if self.surcharge is not None:
            keys += self.surcharge[:, -1].take(self.rows)
        return keys

    @kept
    def fullest(self) -> tuple[Ints, Ints]:
        """By column the most units that one package holds, and its state. Of lines that are whole."""
        lines = np.arange(len(self.need))[::-1]
        held = self.holds.T
        return held @ self.need, held @ (1 << lines)

    @kept
    def least_units(self) -> int:
        """No plan of everything has units that cost less together."""
        return int(np.add.reduce(np.minimum.reduce(self.taking, axis=1)))

    @kept
    def openings(self) -> list[int]:
        """The least that packages cost to open, rising; as many as a plan can have."""
        lowest = self.opening
        if self.surcharge is not None:
            lowest = lowest + np.minimum.reduce(self.surcharge[:, 1:], axis=1).take(self.rows)
        count = len(self.steps)
        if len(lowest) > count:
            lowest = np.partition(lowest, count - 1)[:count]
        return sorted(lowest.tolist())

    @kept
    def floors(self) -> list[int]:
        """[k]: what k packages, or more, cost at least to open; NEVER for more than there can be."""
        opened = [0, *itertools.accumulate(self.openings)]
        further = [min(one, 0) for one in self.openings]
        return [one + sum(further[at:]) for at, one in enumerate(opened)] + [NEVER] * len(self.steps)

    @kept
    def shared(self) -> tuple[int, int]:
        """What every package costs at least, and what all lines add to that: of each its least share in what any
        package costs above the cheapest. Of lines that are whole."""
        cheapest = int(np.minimum.reduce(self.best))
        shares = (self.best - cheapest) // self.states.sizes
        return cheapest, int(np.add.reduce(np.minimum.reduce(shares[self.states.having], axis=1)))
