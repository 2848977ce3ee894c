"""The fewest nodes that meet additive needs: sizes in turn, branching on the scarcest row, the last two at once.

For quantities that no node holds whole a node gives a number of units, so the tables of `cover` do not do. Some
node of a plan of k must give at least one k-th of each need: branch on the row with the fewest such nodes. The
work is counted, not timed, so that the same input takes the same path on every machine.
"""

from __future__ import annotations

import numpy as np

from app.routing.facts import Flags, Ints

MOST_WORK = 12_000_000  # cells looked at: some 50 ms
STEP = 5_000  # what a step costs besides
NEVER = np.iinfo(np.int64).max


class TooMuchWork(Exception):
    """The search was given up. No plan is smaller than `size`; `nodes` is one of that size, if any was met."""

    def __init__(self, size: int, nodes: tuple[int, ...] | None) -> None:
        super().__init__(f"given up at {size} nodes")
        self.size = size
        self.nodes = nodes


def fewest(gives: Ints, need: Ints, keys: Ints, most_work: int = MOST_WORK) -> tuple[int, ...]:
    """Positions of the smallest set of columns whose `gives` reach every `need`; ties as in `cover`.

    The needs are positive and can be met by all columns together. Raises TooMuchWork.
    """
    search = _Search(np.minimum(gives, need[:, None]), keys, most_work)
    for size in range(_least_size(search.gives, need), gives.shape[1] + 1):
        try:
            search.branch(need, search.useful(size), size, 0, ())
        except _Exhausted:
            raise TooMuchWork(size, search.best[1] if search.best else None) from None
        if search.best is not None:
            return search.best[1]
    raise AssertionError("the needs cannot be met")


def _least_size(gives: Ints, need: Ints) -> int:
    """No plan is smaller than the number of greatest givers that one row takes."""
    running = np.cumsum(-np.sort(-gives, axis=1), axis=1)
    return int((running < need[:, None]).sum(axis=1).max()) + 1


class _Exhausted(Exception):
    pass


class _Search:
    def __init__(self, gives: Ints, keys: Ints, most_work: int) -> None:
        self.gives = gives
        self.keys = keys
        self.best: tuple[int, tuple[int, ...]] | None = None
        self.left = most_work

    def spend(self, cells: int) -> None:
        self.left -= cells + STEP
        if self.left < 0:
            raise _Exhausted

    def useful(self, size: int) -> Ints:
        """Columns that a plan of this size may need: fewer than `size` others are as good and cheaper."""
        rows, count = self.gives.shape
        self.spend(rows * count * count)
        at = np.arange(count)
        better = self.keys[:, None] < self.keys[None, :]
        better |= (self.keys[:, None] == self.keys[None, :]) & (at[:, None] < at[None, :])
        for row in self.gives:
            better &= row[:, None] >= row[None, :]
        return np.flatnonzero(better.sum(axis=0) < size)

    def branch(self, need: Ints, allowed: Ints, size: int, key: int, prefix: tuple[int, ...]) -> None:
        """Try every set of `size` allowed columns (ascending) that meets the need; keep the best."""
        rows = need > 0
        need, given = need[rows], self.gives[np.ix_(rows, allowed)]
        self.spend(given.size)
        if size == 1:
            fits = (given >= need[:, None]).all(axis=0)
            self._keep(
                np.where(fits, self.keys[allowed], NEVER)[None, :], np.array([-1]), allowed, key, prefix
            )
            return
        if len(allowed) < size or (np.partition(given, -size, axis=1)[:, -size:].sum(axis=1) < need).any():
            return
        shares = given >= -(-need // size)[:, None]
        row = int(shares.sum(axis=1).argmin())
        pivots = np.flatnonzero(shares[row])
        if size == 2:
            self._pairs(need, given, pivots, allowed, key, prefix)
            return
        self._each_pivot(rows, need, given, pivots, allowed, size, key, prefix)

    def _each_pivot(
        self,
        rows: Flags,
        need: Ints,
        given: Ints,
        pivots: Ints,
        allowed: Ints,
        size: int,
        key: int,
        prefix: tuple[int, ...],
    ) -> None:
        """Branch on each pivot, the cheapest first; one that has been tried is closed to the others."""
        rest = np.ones(len(allowed), dtype=bool)
        for pivot in pivots[np.argsort(self.keys[allowed[pivots]], kind="stable")]:
            rest[pivot] = False
            node = int(allowed[pivot])
            others = allowed[rest]
            spent = key + int(self.keys[node])
            if self.best is not None and spent + self._cheapest(others, size - 1) > self.best[0]:
                continue
            wanted = np.zeros(len(rows), dtype=np.int64)
            wanted[rows] = np.maximum(need - given[:, pivot], 0)
            self.branch(wanted, others, size - 1, spent, (*prefix, node))

    def _cheapest(self, columns: Ints, size: int) -> int:
        keys = self.keys[columns]
        return int(np.partition(keys, size - 1)[:size].sum()) if len(keys) > size else int(keys.sum())

    def _pairs(
        self, need: Ints, given: Ints, pivots: Ints, allowed: Ints, key: int, prefix: tuple[int, ...]
    ) -> None:
        """All pairs of a pivot and any other column at once."""
        costs = self.keys[allowed[pivots]][:, None] + self.keys[allowed][None, :]
        fits = np.ones(costs.shape, dtype=bool)
        if self.best is not None:
            fits = costs <= self.best[0] - key
        fits[np.arange(len(pivots)), pivots] = False
        for row, wanted in zip(given, need, strict=True):
            self.spend(costs.size)
            fits &= row[pivots][:, None] + row[None, :] >= wanted
            if not fits.any():
                return
        self._keep(np.where(fits, costs, NEVER), allowed[pivots], allowed, key, prefix)

    def _keep(self, costs: Ints, firsts: Ints, seconds: Ints, key: int, prefix: tuple[int, ...]) -> None:
        """Note the cheapest of these ends of a plan if it beats what stands; among equals the lowest columns."""
        if not costs.size or (least := int(costs.min())) == NEVER:
            return
        first, second = np.nonzero(costs == least)
        low = np.minimum(firsts[first], seconds[second])
        high = np.maximum(firsts[first], seconds[second])
        at = np.lexsort((high, low))[0]
        ends = [int(node) for node in (low[at], high[at]) if node >= 0]
        found = (key + least, tuple(sorted((*prefix, *ends))))
        if self.best is None or found < self.best:
            self.best = found
