"""The best plan of lines that are whole: the least of one package, of two, of three.

best[T] is the least cost of one package with the state T; opt_k[S] = min over T within S of best[T] + opt_(k-1)[S - T].
Where one node would serve twice in that, nodes are taken in `turns`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from app.routing import ties
from app.routing.facts import Ints
from app.routing.states import DEAREST, MOST_DIVIDED, NEVER, divisions
from app.routing.tables import Found, Task


def complete(task: Task, without: int | None = None) -> Found | None:
    """The best plan that places everything, of all columns or of those `without` one; None if there is none, or if in
    it one node would serve twice. Only where no line is gathered."""
    if not task.is_small and (column := _alone(task, () if without is None else (without,))) is not None:
        return [(column, task.size - 1)]
    return _of(task, task.best_without(without)[None, :], [without]).found(0)


def spared(task: Task, columns: Sequence[int]) -> list[Found] | None:
    """As `complete`, each time without another one of these columns: the best plan of all, one for each column without
    which it comes to the same. None if there is none, or if in one of them a node would serve twice."""
    if not task.is_small and (column := _alone(task, columns)) is not None:
        return [[(column, task.size - 1)]]
    bests = np.empty((len(columns), task.size), dtype=np.int64)
    for at, column in enumerate(columns):
        bests[at] = task.best_without(column)
    plans = _of(task, bests, columns)
    found = [plans.found(at) for at in plans.least()]
    kept = [each for each in found if each is not None]
    return kept if kept and len(kept) == len(found) else None


def _alone(task: Task, without: Sequence[int]) -> int | None:
    """The column of a package of everything that costs less than any two packages can; no tables are needed then.
    Where it is the only one of `without`, the best of the others."""
    single, column = task.alone, int(task.alone.argmin())
    if len(without) == 1 and column == without[0]:
        single = single.copy()
        single[column] = NEVER
        column = int(single.argmin())
    return column if single[column] < min(task.floors[2] + task.least_units, DEAREST) else None


def _of(task: Task, bests: Ints, without: Sequence[int | None]) -> Plans:
    return (Divided if len(task.steps) <= MOST_DIVIDED else Levels)(task, bests, without)


class Plans(ABC):
    """The least that everything costs by several tables `bests` at once, each `without` a column, and the packages."""

    value: int
    """The least of all tables."""

    def __init__(self, task: Task, bests: Ints, without: Sequence[int | None]) -> None:
        self.task, self.bests, self.without = task, bests, without

    @abstractmethod
    def least(self) -> list[int]:
        """The tables that reach the least value."""

    @abstractmethod
    def ways(self, at: int) -> tuple[list[int] | None, int]:
        """The only way to divide everything into packages of the least value by one table, None where there are
        several; and how many packages it has at most."""

    def found(self, at: int) -> Found | None:
        """The packages of the best plan by a table that reaches the least value."""
        if self.value >= DEAREST:
            return None
        parts, most = self.ways(at)
        if parts is None:
            return self._settled(at, most)
        columns = self.task.at_others(self.without[at])(parts).argmin(axis=0).tolist()
        if len(set(columns)) < len(columns):
            return None
        return list(zip(columns, parts, strict=True))

    def _settled(self, at: int, most: int) -> Found | None:
        """Among equals the lowest nodes."""
        best = self.bests[at]
        tables = [best]
        while len(tables) < most - 1:
            tables.append(self.task.states.joined(best, tables[-1]))
        keys, last = self.task.at_others(self.without[at]), self.task.size - 1
        lowest = ties.lowest(self.task.states, best, tables, keys, [last], most)
        if lowest is None:
            return None
        return ties.in_order(self.task.states, self.task.of_columns(lowest), lowest, [last], self.value)


class Divided(Plans):
    """By every way to divide a few lines."""

    def __init__(self, task: Task, bests: Ints, without: Sequence[int | None]) -> None:
        super().__init__(task, bests, without)
        self._divisions = divisions(len(task.steps))
        opened = bests.copy()
        opened[:, 0] = 0
        self._sums = np.add.reduce(opened.take(self._divisions, axis=1), axis=1)
        """[table, way]"""
        self.value = int(np.minimum.reduce(self._sums, axis=None))

    def least(self) -> list[int]:
        return [
            at
            for at, least in enumerate(np.minimum.reduce(self._sums, axis=1).tolist())
            if least == self.value
        ]

    def ways(self, at: int) -> tuple[list[int] | None, int]:
        hits = (self._sums[at] == self.value).nonzero()[0]
        if len(hits) > 1:
            return None, int(np.add.reduce(self._divisions[:, hits] > 0).max())
        parts = [part for part in self._divisions[:, hits[0]].tolist() if part]
        return parts, len(parts)


class Levels(Plans):
    """By opt_k of everything for k = 1, 2, ..., as long as one more package may be cheaper, until the least of all is
    certain.

    Whatever the plan, some package has the first line; so the tables of what is left need only the states without
    it, the lower half of all.
    """

    def __init__(self, task: Task, bests: Ints, without: Sequence[int | None]) -> None:
        super().__init__(task, bests, without)
        self._half = bests.shape[1] // 2
        self.tables: list[Ints] = [bests[:, : self._half]]
        """opt_k of the states without the first line, from k = 1."""
        self.values: list[list[int]] = [bests[:, -1].tolist()]
        self.value = min(self.values[0])
        while len(self.values) < len(task.steps) and self._floor(len(self.values) + 1) <= self.value:
            self.further()
        if without == [None]:
            task.levels.append(self)

    def further(self) -> None:
        """One package more."""
        if len(self.values) > 1:
            rest = self.task.states.rest
            assert rest is not None
            self.tables.append(rest.joined(self.tables[0], self.tables[-1]))
        sums = self.bests[:, self._half : -1] + self.tables[-1][:, :0:-1]
        self.values.append(np.minimum.reduce(sums, axis=1).tolist())
        self.value = min(self.value, *self.values[-1])

    def _floor(self, count: int) -> int:
        """No plan of so many packages, or of more, costs less. What all columns together can do is known when some are
        left out, or is found out, for that is the work of one table instead of several."""
        if not self.task.levels:
            return self._bound(count)
        of_all = self.task.levels[0]
        while True:
            known = [own[0] for own in of_all.values[count - 1 :]]
            beyond = self._bound(count + len(known))
            if beyond > self.value or min(known, default=NEVER) <= self.value:
                return min([beyond, *known])
            of_all.further()

    def _bound(self, count: int) -> int:
        by_units = self.task.floors[count] + self.task.least_units
        if by_units > self.value or count == 2:
            return by_units
        cheapest, shares = self.task.shared
        return max(by_units, count * cheapest + shares)

    def least(self) -> list[int]:
        return [at for at in range(len(self.bests)) if any(own[at] == self.value for own in self.values)]

    def ways(self, at: int) -> tuple[list[int] | None, int]:
        levels = [level for level, own in enumerate(self.values) if own[at] == self.value]
        parts = self._parts(at, levels[0], self.task.size - 1, self.value) if len(levels) == 1 else None
        return parts, levels[-1] + 1

    def _parts(self, at: int, level: int, state: int, value: int) -> list[int] | None:
        """The only way to divide a state into packages of this value; None where there are several."""
        if level == 0:
            return [state]
        best = self.bests[at]
        parts = self.task.states.firsts(state)
        parts = parts[best[parts] + self.tables[level - 1][at][state - parts] == value]
        if len(parts) != 1:
            return None
        part = int(parts[0])
        rest = self._parts(at, level - 1, state - part, value - int(best[part]))
        return None if rest is None else [part, *rest]


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
