"""The fewest nodes that meet additive needs: sizes in turn, branching on the scarcest row.

For quantities that no node holds whole a node gives a number of units, so bit masks do not do. Some node of a
plan of k must give at least one k-th of each need: branch on the row with the fewest such nodes. The work is
counted, not timed, so that the same input takes the same path on every machine.
"""

from __future__ import annotations

import numpy as np

from app.routing.facts import Ints

MOST_STEPS = 1_200


class TooMuchWork(Exception):
    """The search was given up: the caller turns to the integer program."""


def fewest(gives: Ints, need: Ints, keys: Ints) -> tuple[int, ...]:
    """Positions of the smallest set of columns whose `gives` reach every `need`; ties as in `cover`.

    The needs are positive and can be met by all columns together. Raises TooMuchWork.
    """
    gives = np.minimum(gives, need[:, None])
    search = _Search(gives, keys)
    for size in range(_least_size(gives, need), gives.shape[1] + 1):
        useful = np.flatnonzero(_within(gives, keys, size))
        search.best = None
        search.branch(need, useful, size, 0, ())
        if search.best is not None:
            return search.best[1]
    raise AssertionError("the needs cannot be met")


def _least_size(gives: Ints, need: Ints) -> int:
    """No plan is smaller than the number of greatest givers that one row takes."""
    running = np.cumsum(-np.sort(-gives, axis=1), axis=1)
    return int((running < need[:, None]).sum(axis=1).max()) + 1


def _within(gives: Ints, keys: Ints, size: int) -> Ints:
    """Columns that a plan of this size may need: fewer than `size` others are as good and cheaper."""
    count = gives.shape[1]
    better = keys[:, None] < keys[None, :]
    better |= (keys[:, None] == keys[None, :]) & (np.arange(count)[:, None] < np.arange(count)[None, :])
    for row in gives:
        better &= row[:, None] >= row[None, :]
    return better.sum(axis=0) < size


class _Search:
    def __init__(self, gives: Ints, keys: Ints) -> None:
        self.gives = gives
        self.keys = keys
        self.best: tuple[int, tuple[int, ...]] | None = None
        self.steps = 0

    def branch(self, need: Ints, allowed: Ints, size: int, key: int, prefix: tuple[int, ...]) -> None:
        """Try every set of `size` allowed columns (ascending) that meets the need; keep the best."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooMuchWork
        given = self.gives[:, allowed]
        if size == 1:
            self._finish(allowed[(given >= need[:, None]).all(axis=0)], key, prefix)
            return
        shares = given >= np.maximum(-(-need // size), 1)[:, None]
        counts = np.where(need > 0, shares.sum(axis=1), len(allowed) + 1)
        row = int(counts.argmin())
        if counts[row] == 0 or (given.sum(axis=1) < need).any():
            return
        pivots = allowed[shares[row]]
        cheapest = int(self.keys[allowed].min())
        for pivot in pivots[np.argsort(self.keys[pivots], kind="stable")]:
            lower = key + int(self.keys[pivot]) + (size - 1) * cheapest
            if self.best is not None and lower > self.best[0]:
                return
            allowed = allowed[allowed != pivot]
            self.branch(
                np.maximum(need - self.gives[:, pivot], 0),
                allowed,
                size - 1,
                key + int(self.keys[pivot]),
                (*prefix, int(pivot)),
            )

    def _finish(self, fitting: Ints, key: int, prefix: tuple[int, ...]) -> None:
        if not len(fitting):
            return
        last = int(fitting[self.keys[fitting].argmin()])
        found = (key + int(self.keys[last]), tuple(sorted((*prefix, last))))
        if self.best is None or found < self.best:
            self.best = found
