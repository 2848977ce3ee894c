"""What one package costs, state by state, where columns are too many for one table of all of them by all states: listed
one by one where stock is scarce, else by class of columns. Of lines that are whole.
"""

from __future__ import annotations

import bisect
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from app.routing.facts import Ints
from app.routing.states import DEAREST, NEVER, possible

MOST_CELLS = 1 << 14  # of a table of all columns by all states: 128 kB stay in the cache
HALF = 32  # states of the last lines, where they are halved


class Packages(ABC):
    """What a package costs: `opening[column]` and `taking[line, column]` added up, NEVER where a line is not held, and
    `surcharge[row, state]` besides, by the column's row of `rows`."""

    best: Ints
    """[state]: the least that a package costs; NEVER if impossible or empty."""

    def __init__(self, opening: Ints, taking: Ints, rows: Ints, surcharge: Ints | None) -> None:
        self._opening, self._taking, self._rows, self._surcharge = opening, taking, rows, surcharge

    @abstractmethod
    def without(self, column: int) -> Ints:
        """`best` as though a column were not there."""

    def at(self, states: Sequence[int]) -> Ints:
        """[column, state of these]: what a package costs; NEVER or more if impossible."""
        keys = np.empty((len(states), len(self._opening)), dtype=np.int64)
        last = len(self._taking) - 1
        for at, state in enumerate(states):
            lines = [line for line in range(last + 1) if state >> (last - line) & 1]
            np.add.reduce(self._taking[lines], out=keys[at])
            if self._surcharge is not None:
                keys[at] += self._surcharge[:, state].take(self._rows)
        keys += self._opening
        return keys.T


class Listed(Packages):
    """Every package that some column can send. A column that holds two lines of ten sends three kinds of package, not
    a thousand."""

    def __init__(self, opening: Ints, taking: Ints, rows: Ints, surcharge: Ints | None) -> None:
        super().__init__(opening, taking, rows, surcharge)
        self._size = 1 << len(taking)
        columns, states, keys = _listed(opening, taking)
        if surcharge is not None:
            keys += surcharge[rows[columns], states]
        sent = ((states > 0) & (keys < DEAREST)).nonzero()[0]
        self._columns, self._states, self._keys = columns[sent], states[sent], keys[sent]
        self.best = self._least(self._states, self._keys)

    def without(self, column: int) -> Ints:
        others = self._columns != column
        return self._least(self._states[others], self._keys[others])

    def _least(self, states: Ints, keys: Ints) -> Ints:
        best = np.full(self._size, NEVER)
        np.minimum.at(best, states, keys)
        return best


class Classed(Packages):
    """The least key of each state by class of columns, surcharges apart: costs of the first lines and of the last are
    added pair by pair, so that no table of all columns and all states is ever made."""

    def __init__(self, opening: Ints, taking: Ints, rows: Ints, surcharge: Ints | None) -> None:
        super().__init__(opening, taking, rows, surcharge)
        self._order = rows.argsort(kind="stable")
        sorted_rows = rows[self._order]
        starts = np.concatenate(([True], sorted_rows[1:] != sorted_rows[:-1])).nonzero()[0]
        self._names = sorted_rows[starts]
        self._bounds = [*starts.tolist(), len(rows)]
        middle = max(len(taking) - HALF.bit_length() + 1, 0)
        self._first = spread(opening[self._order], taking[:middle, self._order]).T.copy()
        nothing = np.zeros(len(opening), dtype=np.int64)
        self._last = spread(nothing, taking[middle:, self._order]).T.copy()
        self._table = self._least(self._first, self._last, starts)
        self.best = self._surcharged(self._table)

    def without(self, column: int) -> Ints:
        """Only the states that are cheapest from the column are worked out again."""
        place = int((self._order == column).argmax())
        at = bisect.bisect_right(self._bounds, place) - 1
        own = slice(self._bounds[at], self._bounds[at + 1])
        table = self._table.copy()
        cheapest = (self._first[:, place, None] + self._last[:, place]).reshape(-1) == table[at]
        states = cheapest.nonzero()[0]
        block = max(1, MOST_CELLS // (own.stop - own.start))
        for begin in range(0, len(states), block):
            some = states[begin : begin + block]
            high, low = np.divmod(some, len(self._last))
            sums = self._first[high, own]
            sums += self._last[low, own]
            sums[:, place - own.start] = NEVER
            table[at, some] = np.minimum.reduce(sums, axis=1)
        return self._surcharged(table)

    def _surcharged(self, table: Ints) -> Ints:
        """The least over the classes."""
        if self._surcharge is not None:
            table = table + self._surcharge[self._names]
        best: Ints = np.minimum.reduce(table)
        best[0] = NEVER
        return possible(best)

    @staticmethod
    def _least(first: Ints, last: Ints, starts: Ints) -> Ints:
        """[class, a x b]: the least over the columns of each class of first[a, column] + last[b, column]."""
        block = max(1, MOST_CELLS // last.size)
        sums = np.empty((block, *last.shape), dtype=np.int64)
        least = np.empty((len(first), len(last), len(starts)), dtype=np.int64)
        for at in range(0, len(first), block):
            some = first[at : at + block]
            np.add(last, some[:, None, :], out=sums[: len(some)])
            np.minimum.reduceat(sums[: len(some)], starts, axis=2, out=least[at : at + block])
        return least.reshape(-1, len(starts)).T.copy()


def spread(opening: Ints, taking: Ints) -> Ints:
    """[column, state]: the opening and the lines of each state; the first line is the most significant."""
    keys = np.empty((len(opening), 1 << len(taking)), dtype=np.int64)
    keys[:, 0] = opening
    width = 1
    for line in taking[::-1]:
        np.add(keys[:, :width], line[:, None], out=keys[:, width : 2 * width])
        width *= 2
    return keys


def _listed(opening: Ints, taking: Ints) -> tuple[Ints, Ints, Ints]:
    """The cells of `spread` that can be: (column, state, key) of each."""
    columns, keys = np.arange(len(opening)), opening
    states = np.zeros(len(opening), dtype=np.int64)
    for bit, line in enumerate(taking[::-1]):
        added = line[columns]
        held = (added < NEVER).nonzero()[0]
        keys = np.concatenate((keys, keys[held] + added[held]))
        states = np.concatenate((states, states[held] + (1 << bit)))
        columns = np.concatenate((columns, columns[held]))
    return columns, states, keys
