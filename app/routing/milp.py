"""The same choice of nodes as an integer program (HiGHS), for orders too wide for the exact tables.

The terms are settled one after the other: units filled, packages, distance, priority, then the lowest node
positions. Each answer is rounded and checked in whole numbers before it counts.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from app.routing.facts import MICRO, Ints

MOST_BRANCHES = 20_000  # nodes of the search tree per term: bounds the time without looking at a clock


def choose(
    gives: Ints, need: Ints, weights: Ints, distance: Ints, priority: Ints, cap: int | None = None
) -> tuple[tuple[int, ...], bool]:
    """Positions of the best set of columns, and whether it is proven best.

    Without a cap every need is met (they must be reachable together); with one, at most `cap` columns meet
    the greatest weight of needs.
    """
    program = _Program(np.minimum(gives, need[:, None]), need, weights)
    count = gives.shape[1]
    if cap is not None:
        program.bound(range(count), np.ones(count), 0, cap)
        most = program.worth(program.least(-program.weights_of_fill()))
        program.fill_at_least(most)
    else:
        program.fill_at_least(int(weights @ need))
    size = len(program.least(program.columns(np.ones(count))))
    program.bound(range(count), np.ones(count), size, size)
    miles = distance / MICRO
    nodes = program.least(program.columns(miles))
    program.bound(range(count), miles, -np.inf, float(distance[list(nodes)].sum()) / MICRO + 5e-7)
    program.limits.append((distance, int(distance[list(nodes)].sum())))
    nodes = program.least(program.columns(priority.astype(np.float64)), nodes)
    limit = int(priority[list(nodes)].sum())
    program.bound(range(count), priority.astype(np.float64), -np.inf, limit + 0.25)
    program.limits.append((priority, limit))
    return _lowest(program, nodes), program.proven


def _lowest(program: _Program, nodes: tuple[int, ...]) -> tuple[int, ...]:
    """Among equals the lowest positions, compared as sorted tuples: ask for one lower position at a time."""
    settled = 0
    while settled < len(nodes):
        floor = nodes[settled - 1] + 1 if settled else 0
        lower = range(floor, nodes[settled])
        found = program.any_with(nodes[:settled], lower) if lower else None
        if found is None:
            settled += 1
        else:
            nodes = found
    return nodes


class _Program:
    """One HiGHS model: a yes or no per column, an amount met per need."""

    def __init__(self, gives: Ints, need: Ints, weights: Ints) -> None:
        import highspy  # only when wanted: it costs memory in every process that never meets such an order

        self.highspy = highspy
        self.gives, self.need, self.weights = gives, need, weights
        self.limits: list[tuple[Ints, int]] = []
        self.least_fill = 0
        self.proven = True
        rows, count = gives.shape
        self.count, self.total = count, count + rows
        self.model = model = highspy.Highs()
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("random_seed", 0),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 1e-7),
            ("mip_feasibility_tolerance", 1e-9),
            ("primal_feasibility_tolerance", 1e-9),
            ("mip_max_nodes", MOST_BRANCHES),
        ):
            model.setOptionValue(option, value)
        model.addVars(self.total, np.zeros(self.total), np.concatenate((np.ones(count), need)))
        whole = np.arange(count, dtype=np.int32)
        model.changeColsIntegrality(count, whole, np.full(count, highspy.HighsVarType.kInteger))
        for row in range(rows):
            columns = np.flatnonzero(gives[row])
            self.bound([*columns, count + row], [*(gives[row, columns].astype(np.float64)), -1.0], 0, np.inf)

    def columns(self, costs: np.ndarray) -> np.ndarray:
        return np.concatenate((costs, np.zeros(self.total - self.count)))

    def weights_of_fill(self) -> np.ndarray:
        return np.concatenate((np.zeros(self.count), self.weights.astype(np.float64)))

    def bound(self, at: Iterable[int], values: Iterable[float], low: float, high: float) -> None:
        """Add a row: low <= values over the columns at <= high."""
        index = np.fromiter(at, dtype=np.int32)
        self.model.addRow(low, high, len(index), index, np.fromiter(values, dtype=np.float64))

    def fill_at_least(self, worth: int) -> None:
        self.least_fill = worth
        at = range(self.count, self.total)
        self.bound(at, self.weights.astype(np.float64), worth - 0.25, np.inf)

    def worth(self, nodes: tuple[int, ...]) -> int:
        met = np.minimum(self.gives[:, list(nodes)].sum(axis=1), self.need)
        return int(self.weights @ met)

    def least(self, costs: np.ndarray, known: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """The columns of the least cost; `known` when the answer fails the check in whole numbers."""
        self.model.changeColsCost(self.total, np.arange(self.total, dtype=np.int32), costs)
        nodes = self._solved()
        if nodes is None:
            self.proven = False
            if known is None:
                raise RuntimeError("the integer program found no plan")
            return known
        return nodes

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
        self.model.run()
        status = self.model.getModelStatus()
        if status == self.highspy.HighsModelStatus.kInfeasible:
            return None
        if status != self.highspy.HighsModelStatus.kOptimal:
            self.proven = False
        values = np.asarray(self.model.getSolution().col_value)[: self.count]
        nodes = tuple(int(node) for node in np.flatnonzero(values > 0.5)) if len(values) else ()
        exact = self.worth(nodes) >= self.least_fill and all(
            int(costs[list(nodes)].sum()) <= limit for costs, limit in self.limits
        )
        return nodes if exact else None
