"""The cheapest nodes for orders wider than the tables of `cheapest`: an integer program over costs that add up.

Given the nodes that ship, each line is best served by itself: whole from the cheapest of them that holds it, or
gathered from the cheapest first. So only the nodes are to be found. A good set is built and improved first; nodes
that no cheaper plan could have are left out; HiGHS then looks for a better one among the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.routing.facts import MICRO, Flags, Ints
from app.routing.highs import silent

MOST_BRANCHES = 2_000  # nodes of the search tree: bounds the time without looking at a clock
MOST_ROUNDS = 20
UNPLACED = 1 << 50  # worse than any cost of a unit

Cost = tuple[int, int]
"""Units without a place, then what packages and the other units cost: the fewer the better, then the less."""


def assigned(
    stock: Ints, unit: Ints, holds: Flags, lines: Ints, need: Ints, nodes: Sequence[int]
) -> list[tuple[int, int, int]]:
    """(line, node, units) when these nodes ship: lines in order, each to its cheapest node, then the lower."""
    ordered = sorted(nodes)
    placed: list[tuple[int, int, int]] = []
    if not ordered:
        return placed
    whole = np.logical_or.reduce(holds[lines], axis=1).tolist()
    at_nodes = np.ix_(lines, np.array(ordered))
    given, costs = stock[at_nodes].tolist(), unit[at_nodes].tolist()
    for at, (line, wanted) in enumerate(zip(lines.tolist(), need.tolist(), strict=True)):
        left = wanted
        for _, place in sorted((cost, place) for place, cost in enumerate(costs[at])):
            share = min(given[at][place], left)
            if share and (share == wanted or not whole[at]):
                placed.append((line, ordered[place], share))
                left -= share
    return placed


def chosen(
    stock: Ints,
    need: Ints,
    package: Ints,
    unit: Ints,
    priority: Ints,
    *,
    whole: Flags,
    cap: int | None = None,
) -> tuple[tuple[int, ...], bool, str]:
    """Columns that ship, whether they are proven best, and by which method.

    `stock[line, column]` in units, only whole lines count where `whole`; costs in whole numbers.
    """
    given = np.where(whole[:, None], np.where(stock == need[:, None], stock, 0), stock)
    market = _Market(given, need, package, unit, whole, cap)
    best = market.improved(market.greedy())
    kept = market.useful(market.cost(best))
    found = _by_program(market, kept, best)
    if found is None:
        return best, False, "integer program"
    nodes, proven = found
    by_cost = min((market.cost(each), int(priority[list(each)].sum()), each) for each in (best, nodes))
    return by_cost[2], proven, "integer program"


class _Market:
    """What any set of columns would cost."""

    def __init__(
        self, stock: Ints, need: Ints, package: Ints, unit: Ints, whole: Flags, cap: int | None
    ) -> None:
        self.stock, self.need, self.package, self.unit = stock, need, package, unit
        self.whole, self.cap = whole, cap
        self.prices = np.where(stock > 0, unit, UNPLACED)

    def cost(self, columns: tuple[int, ...]) -> Cost:
        return self.best([columns])[0]

    def best(self, sets: list[tuple[int, ...]]) -> tuple[Cost, tuple[int, ...]]:
        """Of sets of as many columns each, the one that costs least, then the lowest."""
        missing, money = self._costs(np.array(sets))
        least = missing == missing.min()
        cheapest = int(money[least].min())
        equal = (least & (money == cheapest)).nonzero()[0].tolist()
        return (int(missing.min()), cheapest), min(sets[at] for at in equal)

    def _costs(self, sets: Ints) -> tuple[Ints, Ints]:
        """By set, one a row: units without a place, and what packages and the other units cost."""
        missing, money = np.zeros(len(sets), dtype=np.int64), self.package[sets].sum(axis=1)
        for line, (whole, need) in enumerate(zip(self.whole.tolist(), self.need.tolist(), strict=True)):
            price, there = self.prices[line][sets], self.stock[line][sets]
            if whole:
                placed = there.any(axis=1)
                money += np.where(placed, price.min(axis=1), 0) * need
                missing += np.where(placed, 0, need)
                continue
            order = np.argsort(price, axis=1, kind="stable")
            given = np.cumsum(np.take_along_axis(there, order, axis=1), axis=1)
            taken = np.diff(np.minimum(given, need), prepend=0, axis=1)
            money += (taken * np.take_along_axis(price, order, axis=1)).sum(axis=1)
            missing += np.maximum(need - given[:, -1], 0)
        return missing, money

    def greedy(self) -> tuple[int, ...]:
        """Again and again the column that lowers the cost most."""
        columns: tuple[int, ...] = ()
        known: Cost = (int(self.need.sum()), 0)
        while len(columns) < (len(self.package) if self.cap is None else min(self.cap, len(self.package))):
            cost, longer = self.best([(*columns, at) for at in self._others(columns)])
            if cost >= known:
                break
            known, columns = cost, longer
        return tuple(sorted(columns))

    def improved(self, columns: tuple[int, ...]) -> tuple[int, ...]:
        """Without what it can spare, and each column changed for another while that is cheaper."""
        known = self.cost(columns)
        for _ in range(MOST_ROUNDS):
            fewer = [tuple(at for at in columns if at != gone) for gone in columns]
            others = self._others(columns)
            changed = [tuple(sorted((*rest, at))) for rest in fewer for at in others]
            near = [self.best(sets) for sets in (fewer, changed) if sets and sets[0]]
            cost, best = min(near, default=(known, columns))
            if cost >= known:
                break
            known, columns = cost, best
        return columns

    def _others(self, columns: tuple[int, ...]) -> list[int]:
        return [at for at in range(len(self.package)) if at not in columns]

    def useful(self, known: Cost) -> Ints:
        """Columns that a plan cheaper than `known` may have."""
        missing, money = known
        if missing or self.package.min() < 0:
            return np.arange(len(self.package))
        least = self.prices.min(axis=1)
        above = np.where(self.stock > 0, self.unit - least[:, None], UNPLACED).min(axis=0)
        floors = self.package + above + int(least @ self.need)
        return (floors <= money).nonzero()[0]


def _by_program(market: _Market, kept: Ints, known: tuple[int, ...]) -> tuple[tuple[int, ...], bool] | None:
    """The same as an integer program: open a column or not, and how much of each line it gives."""
    import highspy  # only when wanted: it costs memory in every process that never meets such an order

    lines, columns = (market.stock[:, kept] > 0).nonzero()
    given = market.stock[:, kept][lines, columns]
    count, amounts, rows = len(kept), len(lines), len(market.need)
    model = silent(
        random_seed=0,
        mip_rel_gap=0.0,
        mip_abs_gap=1e-7,
        mip_max_nodes=MOST_BRANCHES,
    )
    highest = float(market.unit[:, kept].max() + market.package[kept].sum()) / MICRO
    costs = np.concatenate(
        (
            market.package[kept] / MICRO,
            market.unit[:, kept][lines, columns] / MICRO,
            np.full(rows, 10 * highest + 1),
        )
    )
    upper = np.concatenate((np.ones(count), given, market.need)).astype(np.float64)
    model.addVars(len(costs), np.zeros(len(costs)), upper)
    model.changeColsCost(len(costs), np.arange(len(costs), dtype=np.int32), costs)
    model.changeColsIntegrality(
        count, np.arange(count, dtype=np.int32), np.full(count, highspy.HighsVarType.kInteger)
    )
    for row in range(rows):
        at = np.concatenate(((lines == row).nonzero()[0] + count, [count + amounts + row])).astype(np.int32)
        model.addRow(float(market.need[row]), float(market.need[row]), len(at), at, np.ones(len(at)))
    for amount, (column, most) in enumerate(zip(columns.tolist(), given.tolist(), strict=True)):
        pair = np.array([count + amount, column], dtype=np.int32)
        model.addRow(-np.inf, 0.0, 2, pair, np.array([1.0, -float(most)]))
    if market.cap is not None:
        model.addRow(0.0, float(market.cap), count, np.arange(count, dtype=np.int32), np.ones(count))
    model.run()
    proven = model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    values = np.asarray(model.getSolution().col_value)
    if len(values) < count:
        return None
    nodes = tuple(kept[values[:count] > 0.5].tolist())
    return (nodes, proven) if nodes else (known, proven)
