"""How many units of each line are placed, as one number: the arithmetic of the `tables`.

State numbers are mixed-radix with the first line the most significant, so that S - T of states with T within S is
the difference of their numbers, and a greater part of equal cost gives more of the first line.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.routing.facts import Ints
from app.routing.kept import kept

NEVER = 1 << 58
"""Of what cannot be; some dozens of it may be added up."""
DEAREST = 1 << 57
"""No plan costs so much, even with what cannot be made cheaper by costs below zero."""
BLOCK = 1 << 14  # pairs handled at once: keeps temporaries at 128 kB
MOST_DIVIDED = 7
"""Up to so many lines every way to divide them is looked at: 877 ways of seven lines, 4,140 of eight."""

MOST_QUICK_PAIRS = 1 << 16
"""Up to so many pairs are kept as whole words, by which numpy looks up at twice the speed."""

Index = NDArray[np.int16] | NDArray[np.intp]
Pairs = tuple[Index, Index, list[tuple[slice, Ints, slice]]]
"""Parts, rests, and blocks (the pairs, bounds for reduceat, the states they are of)."""


@dataclass(frozen=True, eq=False)
class States:
    """All ways to place `steps[line]` or fewer of each line."""

    steps: tuple[int, ...]
    size: int
    digits: Ints  # [state, line]
    binary: bool
    _pairs: dict[bool, Pairs] = field(default_factory=dict)

    def within(self, state: int) -> Ints:
        """The states from 1 that are parts of this one, ascending, itself included."""
        if state == self.size - 1:
            return np.arange(1, self.size)
        if self.binary:
            every = np.arange(state + 1)
            return every[every & state == every][1:]
        return (np.logical_and.reduce(self.digits <= self.digits[state], axis=1).nonzero()[0])[1:]

    def firsts(self, state: int) -> Ints:
        """Those of its parts that have some of its first line."""
        if self.binary:
            every = np.arange(1 << (state.bit_length() - 1), state + 1)
            return every[every & state == every]
        parts = self.within(state)
        return parts[self.digits[parts, int(self.digits[state].nonzero()[0][0])] > 0]

    @property
    def rest(self) -> States | None:
        """The states without the first line: their numbers are the same."""
        return states_of(self.steps[1:]) if len(self.steps) > 1 else None

    @kept
    def sizes(self) -> Ints:
        """By state, how many units are placed; 1 for nothing, so that one may divide by it."""
        return np.maximum(np.add.reduce(self.digits, axis=1), 1)

    @kept
    def having(self) -> Index:
        """[line, its states]: the states that have some of a line. Of lines that are whole."""
        every = np.arange(self.size)
        return np.stack([every[some] for some in self.digits.T > 0])

    def joined(self, best: Ints, last: Ints) -> Ints:
        """For every state the least of best[part] + last[rest], over parts with some of its first line. States are the
        last axis."""
        return self._least(best, last, first_line=True)

    def added(self, one: Ints, last: Ints) -> Ints:
        """For every state the least of one[part] + last[rest], over all parts."""
        return self._least(one, last, first_line=False)

    def _least(self, one: Ints, last: Ints, first_line: bool) -> Ints:
        if first_line not in self._pairs:
            self._pairs[first_line] = _pairs_of(self.steps, first_line)
        parts, rests, blocks = self._pairs[first_line]
        found = np.full(one.shape, NEVER)
        for pairs, bounds, of in blocks:  # no index is out of range: `clip` saves looking
            sums = one.take(parts[pairs], axis=-1, mode="clip")
            sums += last.take(rests[pairs], axis=-1, mode="clip")
            np.minimum.reduceat(sums, bounds, axis=-1, out=found[..., of])
        return possible(found)


def possible(costs: Ints) -> Ints:
    """The same array with NEVER for all that cannot be."""
    np.putmask(costs, costs >= DEAREST, NEVER)
    return costs


@lru_cache(maxsize=128)
def states_of(steps: tuple[int, ...]) -> States:
    """The states of lines with so many steps each."""
    grids = np.meshgrid(*(np.arange(count + 1) for count in steps), indexing="ij")
    digits = np.stack([grid.ravel() for grid in grids], axis=1)
    digits.setflags(write=False)
    return States(steps, len(digits), digits, all(count == 1 for count in steps))


@lru_cache(maxsize=MOST_DIVIDED + 1)
def divisions(lines: int) -> Index:
    """[package, way]: every way to divide whole lines into packages, each as its state, in order of their first lines.
    0 where a way has fewer packages than others."""
    ways: list[tuple[int, ...]] = [()]
    for line in range(lines):
        bit = 1 << (lines - 1 - line)
        joined = [(*way[:at], way[at] | bit, *way[at + 1 :]) for way in ways for at in range(len(way))]
        ways = joined + [(*way, bit) for way in ways]
    found = np.array(list(itertools.zip_longest(*ways, fillvalue=0)), dtype=np.intp)
    found.setflags(write=False)
    return found


def _pairs_of(steps: tuple[int, ...], first_line: bool) -> Pairs:
    """Every state from 1 with each of its parts from 1 (or those with some of its first line), whole states in a
    block. Built up line by line, the last first."""
    state = part = np.zeros(1, dtype=np.int64)
    firsts: list[tuple[Ints, Ints]] = []
    width = 1
    for count in reversed(steps):
        ways = [(whole, own) for whole in range(count + 1) for own in range(whole + 1)]
        grown = [(state + whole * width, part + own * width) for whole, own in ways]
        firsts += [pair for pair, (_, own) in zip(grown, ways, strict=True) if own]
        state, part = (np.concatenate([pair[at] for pair in grown]) for at in (0, 1))
        width *= count + 1
    if first_line:
        state, part = (np.concatenate([pair[at] for pair in firsts]) for at in (0, 1))
    else:
        state, part = state[part > 0], part[part > 0]
    order = state.argsort(kind="stable")
    state, part = state[order], part[order]
    blocks = _blocks(np.bincount(state)[1:].tolist())
    kept: Any = np.intp if len(part) <= MOST_QUICK_PAIRS else np.int16
    return part.astype(kept), (state - part).astype(kept), blocks


def _blocks(counts: list[int]) -> list[tuple[slice, Ints, slice]]:
    blocks = []
    start = first = 0
    while first < len(counts):
        stop, last = start, first
        while last < len(counts) and (last == first or stop - start + counts[last] <= BLOCK):
            stop += counts[last]
            last += 1
        bounds = np.cumsum([0, *counts[first : last - 1]])
        blocks.append((slice(start, stop), bounds, slice(first + 1, last + 1)))
        start, first = stop, last
    return blocks
