"""The best plan of lines that are whole: the least of one package, of two, of three.

best[T] is the least cost of one package with the state T; opt_k[S] = min over T within S of best[T] + opt_(k-1)[S - T].
Where one node would serve twice in that, nodes are taken in `turns`.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from app.routing import ties
from app.routing.facts import Ints
from app.routing.states import DEAREST, NEVER
from app.routing.tables import Found, Task

DEARER: Found = []
"""There is no plan at or below the value that was asked for."""


def complete(task: Task, without: int | None = None, most: int = NEVER) -> Found | None:
    """The best plan that places everything, of all columns or of those `without` one; None if there is none, or
    if in it one node would serve twice; DEARER where it comes to more than `most`. Only where no line is gathered."""
    single = task.alone
    if without is not None:
        single = single.copy()
        single[without] = NEVER
    column = int(single.argmin())
    two = task.floors[2] + task.least_units
    if single[column] < min(two, DEAREST):
        return [(column, task.size - 1)] if single[column] <= most else DEARER
    if min(int(single[column]), two) > most:
        return DEARER
    levels = Levels(task, task.best_without(without), without, most)
    return DEARER if most < levels.value else levels.found()


class Levels:
    """opt_k of everything for k = 1, 2, ..., as long as one more package may be cheaper and at most `most`.

    Whatever the plan, some package has the first line; so the tables of what is left need only the states without
    it, the lower half of all.
    """

    def __init__(self, task: Task, best: Ints, without: int | None = None, most: int = NEVER) -> None:
        self.task, self.best, self.without = task, best, without
        self.last, self.half = len(best) - 1, len(best) // 2
        self.rest = task.states.rest
        self.tables: list[Ints] = [best[: self.half]]
        """opt_k of the states without the first line, from k = 1."""
        self.values = [int(best[self.last])]
        self.value = self.values[0]
        for count in range(2, len(task.steps) + 1):
            if self._floor(count) > min(self.value, most):
                break
            if count > 2:
                assert self.rest is not None
                self.tables.append(self.rest.joined(self.tables[0], self.tables[-1]))
            sums = best[self.half : -1] + self.tables[-1][:0:-1]
            self.values.append(int(np.minimum.reduce(sums)))
            self.value = min(self.value, self.values[-1])

    def _floor(self, count: int) -> int:
        """No plan of so many packages, or of more, costs less: whichever of two bounds is the higher."""
        task = self.task
        by_units = task.floors[count] + task.least_units
        if by_units > self.value or count == 2:
            return by_units
        return max(by_units, count * self.cheapest + int(np.add.reduce(self.shares)))

    @cached_property
    def cheapest(self) -> int:
        """The least that any package costs."""
        return int(np.minimum.reduce(self.best))

    @cached_property
    def shares(self) -> Ints:
        """By line its share of every package at least, above what the cheapest package costs."""
        states = self.task.states
        each = (self.best - self.cheapest) // states.sizes
        found: Ints = np.minimum.reduce(each[states.having], axis=1)
        return found

    def found(self) -> Found | None:
        """The packages of the best plan."""
        if self.value >= DEAREST:
            return None
        levels = [level for level, value in enumerate(self.values) if value == self.value]
        parts = self._parts(levels[0], self.last, self.value) if len(levels) == 1 else None
        if parts is None:
            return self._settled(levels[-1] + 1)
        keys = self.task.at_others(self.without)(np.array(parts))
        columns = (keys == self.best[parts]).argmax(axis=0).tolist()
        if len(set(columns)) < len(columns):
            return None
        return list(zip(columns, parts, strict=True))

    def _parts(self, level: int, state: int, value: int) -> list[int] | None:
        """The only way to divide a state into packages of this value; None where there are several."""
        if level == 0:
            return [state]
        parts = self.task.states.firsts(state)
        parts = parts[self.best[parts] + self.tables[level - 1][state - parts] == value]
        if len(parts) != 1:
            return None
        part = int(parts[0])
        rest = self._parts(level - 1, state - part, value - int(self.best[part]))
        return None if rest is None else [part, *rest]

    def _settled(self, most: int) -> Found | None:
        """Among equals the lowest nodes."""
        tables = [self.best]
        while len(tables) < most - 1:
            tables.append(self.task.states.joined(self.best, tables[-1]))
        keys = self.task.at_others(self.without)
        lowest = ties.lowest(self.task.states, self.best, tables, keys, [self.last], most)
        if lowest is None:
            return None
        return ties.in_order(self.task.states, self.task.of_columns(lowest), lowest, [self.last], self.value)


def capped(task: Task, most: int, without: int | None = None) -> Found | None:
    """The most units from at most `most` packages (or as many as may be sent), then as `complete`. Only where no
    line is gathered; None if nothing may be sent, or if one node would serve twice."""
    best = task.best_without(without)
    tables = [best]
    while len(tables) < min(most, len(task.steps)):
        tables.append(task.states.joined(best, tables[-1]))
    least: Ints = np.minimum.reduce(tables)
    reached = least < NEVER
    if not reached.any():
        return None
    filled = np.where(reached, task.units.sum(axis=1), 0)
    wanted = (filled == filled.max()).nonzero()[0]
    value = int(least[wanted].min())
    ends = wanted[least[wanted] == value].tolist()
    lowest = ties.lowest(task.states, best, tables, task.at_others(without), ends, len(tables))
    return (
        None if lowest is None else ties.in_order(task.states, task.of_columns(lowest), lowest, ends, value)
    )
