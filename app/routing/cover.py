"""The fewest nodes, then the least key, that cover a small set of rows: dynamic programming over sets.

A node covers the rows in its bit mask. `best[T]` is the least key of a node that covers T; `opt_k[S]` is the
least sum of keys of k nodes that cover S: opt_k[S] = min over T within S of best[T] + opt_(k-1)[S without T].
Tables are only read at the smallest k that covers a set, where no node can serve twice.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.routing.facts import Ints

MOST_ROWS = 12
INFINITE = 1 << 60
BLOCK = 1 << 14  # pairs handled at once: keeps temporaries at 128 kB


def fewest(masks: Ints, keys: Ints, rows: int) -> tuple[int, ...]:
    """Positions of the smallest cover of all rows; then the least sum of keys, then lowest positions.

    The nodes together must cover every row.
    """
    everything = (1 << rows) - 1
    tables = [_single(masks, keys, rows)]
    size, value = 1, int(tables[0][everything])
    while value >= INFINITE:
        size, value = size + 1, int((tables[0] + tables[-1][::-1]).min())
        if value >= INFINITE:
            tables.append(_joined(tables[0], tables[-1], rows))
    return _chosen(masks, keys, tables, size, everything, value)


def heaviest(masks: Ints, keys: Ints, weights: Ints, cap: int) -> tuple[int, ...]:
    """Positions of at most `cap` nodes that cover the greatest weight of rows; then as `fewest`."""
    rows = len(weights)
    worth = np.zeros(1 << rows, dtype=np.int64)
    for row in range(rows):
        worth[1 << row : 2 << row] = worth[: 1 << row] + weights[row]
    tables = [_single(masks, keys, rows)]
    reached = [int(worth[tables[0] < INFINITE].max())]
    for _ in range(1, min(cap, rows)):
        if max(reached) == worth[-1]:
            break
        tables.append(_joined(tables[0], tables[-1], rows))
        feasible = tables[-1] < INFINITE
        reached.append(int(worth[feasible].max()) if feasible.any() else 0)
    most = max(reached)
    size = reached.index(most) + 1
    table = tables[size - 1]
    value = int(table[worth == most].min())
    sets = np.flatnonzero((worth == most) & (table == value))
    return min(_chosen(masks, keys, tables, size, int(state), value) for state in sets)


def _single(masks: Ints, keys: Ints, rows: int) -> Ints:
    """best[T]: the least key of one node that covers T (a least over supersets, one row at a time)."""
    best = np.full(1 << rows, INFINITE, dtype=np.int64)
    np.minimum.at(best, masks, keys)
    for row in range(rows):
        halves = best.reshape(-1, 2, 1 << row)
        np.minimum(halves[:, 0], halves[:, 1], out=halves[:, 0])
    return best


def _joined(best: Ints, last: Ints, rows: int) -> Ints:
    """opt_k from opt_1 and opt_(k-1), for every set of rows."""
    parts, rests, blocks = _pairs(rows)
    joined = np.full(1 << rows, INFINITE, dtype=np.int64)
    for start, stop, first, bounds in blocks:
        sums = best[parts[start:stop]]
        sums += last[rests[start:stop]]
        least = np.minimum.reduceat(sums, bounds)
        np.minimum(least, INFINITE, out=joined[first : first + len(bounds)])
    return joined


@lru_cache(maxsize=MOST_ROWS + 1)
def _pairs(rows: int) -> tuple[NDArray[np.int16], NDArray[np.int16], list[tuple[int, int, int, Ints]]]:
    """Every set with each of its parts that holds its lowest row, in blocks of whole sets for reduceat."""
    subsets: list[NDArray[np.int16]] = [np.zeros(1, dtype=np.int16)]
    for state in range(1, 1 << rows):
        top = 1 << (state.bit_length() - 1)
        rest = subsets[state ^ top]
        subsets.append(np.concatenate((rest, rest | np.int16(top))))
    parts = [subsets[state & (state - 1)] | np.int16(state & -state) for state in range(1, 1 << rows)]
    rests = [np.int16(state) ^ part for state, part in enumerate(parts, start=1)]
    blocks: list[tuple[int, int, int, Ints]] = []
    start, first, size = 0, 1, 0
    bounds: list[int] = []
    for state, part in enumerate(parts, start=1):
        if size and size + len(part) > BLOCK:
            blocks.append((start, start + size, first, np.array(bounds, dtype=np.int64)))
            start, first, bounds, size = start + size, state, [], 0
        bounds.append(size)
        size += len(part)
    if size:
        blocks.append((start, start + size, first, np.array(bounds, dtype=np.int64)))
    return np.concatenate(parts), np.concatenate(rests), blocks


def _chosen(
    masks: Ints, keys: Ints, tables: list[Ints], size: int, state: int, value: int
) -> tuple[int, ...]:
    """The nodes behind a table's value: at each step the lowest node that belongs to some best cover."""
    chosen: list[int] = []
    for level in range(size, 0, -1):
        if level == 1:
            fits = ((masks & state) == state) & (keys == value)
        else:
            fits = keys + tables[level - 2][state & ~masks] == value
        node = int(fits.argmax())
        chosen.append(node)
        value -= int(keys[node])
        state &= ~int(masks[node])
    return tuple(sorted(chosen))
