"""The same choice of nodes as an integer program (HiGHS), for orders too wide for the exact tables.

The terms are settled one after the other: units filled, packages, distance, priority, then the lowest node
positions. Each answer is rounded and checked in whole numbers before it counts.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from app.routing.facts import MICRO, Ints
from app.routing.highs import silent

MOST_BRANCHES = 50  # nodes of the search tree per question: bounds the time without looking at a clock

MOST_ROUNDS = 10
MOST_CELLS = 3_000  # columns times needs (a quarter for amounts): beyond, the program takes seconds


def choose(
    gives: Ints,
    need: Ints,
    weights: Ints,
    distance: Ints,
    priority: Ints,
    cap: int | None = None,
    known: tuple[int, ...] | None = None,
    least_size: int = 1,
    branches: int = MOST_BRANCHES,
) -> tuple[tuple[int, ...], bool]:
    """Positions of the best set of columns, and whether it is proven best.

    Without a cap every need is met (they must be reachable together); with one, at most `cap` columns meet
    the greatest weight of needs. `known` is a set to start from; no set smaller than `least_size` will do.
    Where a question takes too long, or the order is too wide to ask at all, the best set met so far stands,
    and nothing is proven.
    """
    gives = np.minimum(gives, need[:, None])
    nodes = known if known is not None else _greedy(gives, need, weights, distance, cap)
    nodes = _improved(gives, need, distance, nodes)
    simple = bool(((gives == 0) | (gives == need[:, None])).all())
    if gives.size > (MOST_CELLS if simple else MOST_CELLS // 4):
        return nodes, False
    program = _Program(gives, need, weights, branches, whole=cap is None)
    count = gives.shape[1]
    if cap is not None:
        program.limit(np.ones(count, dtype=np.int64), cap)
        nodes = program.least(program.weights_of_fill(), nodes)
        program.fill_at_least(program.worth(nodes))
    if len(nodes) > least_size:
        nodes = program.least(program.columns(np.ones(count)), nodes)
    program.limit(np.ones(count, dtype=np.int64), len(nodes))
    nodes = program.least(program.columns(distance / MICRO), nodes)
    if not program.proven:
        return nodes, False
    program.limit(distance, int(distance[list(nodes)].sum()), MICRO)
    nodes = program.least(program.columns(priority.astype(np.float64)), nodes)
    program.limit(priority, int(priority[list(nodes)].sum()))
    return _lowest(program, nodes), program.proven


def _greedy(gives: Ints, need: Ints, weights: Ints, distance: Ints, cap: int | None) -> tuple[int, ...]:
    """A fair set to start from: again and again the column that meets most of what is left, then the nearest."""
    left, gives = need.copy(), gives.copy()
    chosen: list[int] = []
    while left.any() and (cap is None or len(chosen) < cap):
        met = weights @ np.minimum(gives, left[:, None])
        if not met.any():
            break
        node = int(np.lexsort((distance, -met))[0])
        chosen.append(node)
        left = np.maximum(left - gives[:, node], 0)
        gives[:, node] = 0
    return tuple(sorted(chosen))


def _improved(gives: Ints, need: Ints, distance: Ints, nodes: tuple[int, ...]) -> tuple[int, ...]:
    """The set without what it can spare, and each column changed for a nearer one that does as well."""
    chosen = sorted(nodes, key=lambda node: (-distance[node], node))
    reach = np.minimum(gives[:, chosen].sum(axis=1), need)
    for _ in range(MOST_ROUNDS):
        before = set(chosen)
        for node in list(chosen):
            chosen.remove(node)
            missing = np.maximum(reach - gives[:, chosen].sum(axis=1), 0)
            if not missing.any():
                continue
            fits = np.logical_and.reduce(gives >= missing[:, None])
            fits[chosen] = False
            fitting = np.flatnonzero(fits)
            chosen.append(int(fitting[distance[fitting].argmin()]))
        if set(chosen) == before:
            break
    return tuple(sorted(chosen))


def _lowest(program: _Program, nodes: tuple[int, ...]) -> tuple[int, ...]:
    """Among equals the lowest positions, compared as sorted tuples: ask for one lower position at a time."""
    settled = 0
    while settled < len(nodes) and program.proven:
        floor = nodes[settled - 1] + 1 if settled else 0
        lower = range(floor, nodes[settled])
        found = program.any_with(nodes[:settled], lower) if lower else None
        if found is None:
            settled += 1
        else:
            nodes = found
    return nodes


class _Program:
    """One HiGHS model: a yes or no per column and, unless every need is met `whole`, an amount per need."""

    def __init__(self, gives: Ints, need: Ints, weights: Ints, branches: int, whole: bool) -> None:
        import highspy  # only when wanted: it costs memory in every process that never meets such an order

        self.highspy = highspy
        self.gives, self.need, self.weights = gives, need, weights
        self.limits: list[tuple[Ints, int]] = []
        self.least_fill = int(weights @ need) if whole else 0
        self.proven = True
        rows, count = gives.shape
        self.count, self.total = count, count if whole else count + rows
        self.model = model = silent(
            random_seed=0,
            mip_rel_gap=0.0,
            mip_abs_gap=1e-7,
            mip_feasibility_tolerance=1e-9,
            primal_feasibility_tolerance=1e-9,
            mip_max_nodes=branches,
            mip_allow_restart=False,
            mip_heuristic_effort=0.0,
        )
        upper = np.concatenate((np.ones(count), need.astype(np.float64)))[: self.total]
        model.addVars(self.total, np.zeros(self.total), upper)
        model.changeColsIntegrality(
            count, np.arange(count, dtype=np.int32), np.full(count, highspy.HighsVarType.kInteger)
        )
        for row in range(rows):
            at = np.flatnonzero(gives[row])
            if whole:
                self.bound(at, gives[row, at], int(need[row]), np.inf)
            else:
                self.bound([*at, count + row], [*gives[row, at], -1.0], 0, np.inf)

    def columns(self, costs: np.ndarray) -> np.ndarray:
        """Costs of the columns alone."""
        return np.concatenate((costs, np.zeros(self.total - self.count)))

    def weights_of_fill(self) -> np.ndarray:
        """Costs that are least where the most weight of needs is met."""
        return np.concatenate((np.zeros(self.count), -self.weights.astype(np.float64)))

    def bound(self, at: Iterable[int], values: Iterable[float], low: float, high: float) -> None:
        """Add a row: low <= values over the columns at <= high."""
        index = np.fromiter(at, dtype=np.int32)
        self.model.addRow(low, high, len(index), index, np.fromiter(values, dtype=np.float64))

    def limit(self, costs: Ints, most: int, unit: int = 1) -> None:
        """From now on the columns' costs together may not pass `most`."""
        self.limits.append((costs, most))
        self.bound(range(self.count), costs / unit, -np.inf, (most + (0.25 if unit == 1 else 0.5)) / unit)

    def fill_at_least(self, worth: int) -> None:
        self.least_fill = worth
        self.bound(range(self.count, self.total), self.weights, worth - 0.25, np.inf)

    def worth(self, nodes: tuple[int, ...]) -> int:
        """Weight of needs that a set of columns meets."""
        met = np.minimum(self.gives[:, list(nodes)].sum(axis=1), self.need)
        return int(self.weights @ met)

    def least(self, costs: np.ndarray, known: tuple[int, ...]) -> tuple[int, ...]:
        """The columns of the least cost; `known` when there is no better answer that stands the check."""
        self.model.changeColsCost(self.total, np.arange(self.total, dtype=np.int32), costs)
        nodes = self._solved()
        if nodes is None:
            self.proven = False
            return known
        return nodes if self._cost(costs, nodes) <= self._cost(costs, known) else known

    def _cost(self, costs: np.ndarray, nodes: tuple[int, ...]) -> float:
        met = np.minimum(self.gives[:, list(nodes)].sum(axis=1), self.need)
        return float(costs[list(nodes)].sum() + costs[self.count :] @ met[: self.total - self.count])

    def any_with(self, settled: tuple[int, ...], lower: range) -> tuple[int, ...] | None:
        """A set as good as what stands that keeps the settled columns and has one of the lower ones."""
        before = self.model.getNumRow()
        self.bound(settled, np.ones(len(settled)), len(settled), np.inf)
        self.bound(lower, np.ones(len(lower)), 1, np.inf)
        nodes = self._solved()
        added = np.arange(before, before + 2, dtype=np.int32)
        self.model.deleteRows(len(added), added)
        return nodes

    def _solved(self) -> tuple[int, ...] | None:
        """The columns of the answer, or None where there is none that stands the check."""
        self.model.run()
        status = self.model.getModelStatus()
        if status == self.highspy.HighsModelStatus.kInfeasible:
            return None
        if status != self.highspy.HighsModelStatus.kOptimal:
            self.proven = False
        values = np.asarray(self.model.getSolution().col_value)[: self.count]
        nodes = tuple(np.flatnonzero(values > 0.5).tolist())
        stands = self.worth(nodes) >= self.least_fill and all(
            int(costs[list(nodes)].sum()) <= most for costs, most in self.limits
        )
        return nodes if stands else None
