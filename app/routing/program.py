"""Several orders at once as a linear or integer program for HiGHS: who sends what to whom, within stock and capacity.

Variables: z[order, node] packages, x[line, node] steps of a line (a whole line, or one unit of it).

    min  sum z package + sum x step unit
    s.t. sum over nodes of x[line] = steps[line]
         x[line, node] <= most[line, node] z[order of line, node]
         sum over lines of x step <= stock[sku, node];  sum over orders of a day of z <= packages[day, node]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.routing.facts import Flags, Ints
from app.routing.highs import silent

Floats = np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Orders, the lines of them that are to be filled, and what there is.

    Lines as parallel arrays in order of orders. Costs in minor units: `package[order, node]`, `unit[line, node]`.
    `stock[sku, node]`; `packages[day, node]` with `day[order]`, infinite where there is no limit. `there[line,
    node]`: the node may serve the line.
    """

    package: Floats
    day: Ints
    order: Ints
    sku: Ints
    steps: Ints
    step: Ints  # units
    unit: Floats
    there: Flags
    stock: Ints
    packages: Floats

    @property
    def most(self) -> Floats:
        """[line, node]: steps of a line that one package can hold, whole or not. No plan sends more from the node, and
        the nearer this is to what it may send, the nearer the linear program is to the integer one."""
        found: Floats = np.minimum(self.steps[:, None], self.stock[self.sku] / self.step[:, None])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A market cut to some (order, node) pairs, with its columns: first the steps, then the packages."""

    market: Market
    line: Ints  # of each x
    node: Ints
    order: Ints  # of each z
    at: Ints
    pairs: Ints  # sku and node of each row of stock, as one index
    limits: Ints  # day and node of each row of capacity
    model: Any

    @property
    def rows_before_stock(self) -> int:
        return len(self.market.steps) + len(self.line)


def program(market: Market, active: Flags, *, whole: bool) -> Program:
    """The program over the (order, node) pairs that are `active`; in whole numbers or not."""
    import highspy

    nodes = market.package.shape[1]
    order, at = active.nonzero()
    line, node = (active[market.order] & market.there).nonzero()
    position = np.full(active.shape, -1)
    position[order, at] = np.arange(len(order))
    most = market.most[line, node]
    if whole:
        most = np.floor(most)
    pairs, pair = np.unique(market.sku[line] * nodes + node, return_inverse=True)
    limited = np.isfinite(market.packages[market.day[order], at])
    limits, limit = np.unique((market.day[order] * nodes + at)[limited], return_inverse=True)
    xs, zs, needs = len(line), len(order), len(market.steps)
    x, link = np.arange(xs), needs + np.arange(xs)
    cells = (
        (line, x, np.ones(xs)),
        (link, x, np.ones(xs)),
        (link, xs + position[market.order[line], node], -most),
        (needs + xs + pair, x, market.step[line]),
        (needs + xs + len(pairs) + limit, xs + limited.nonzero()[0], np.ones(len(limit))),
    )
    row, column, value = (np.concatenate([cell[part] for cell in cells]) for part in range(3))
    by_column = np.lexsort((row, column))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = xs + zs, needs + xs + len(pairs) + len(limits)
    model.col_cost_ = np.concatenate((market.unit[line, node] * market.step[line], market.package[order, at]))
    model.col_lower_ = np.zeros(xs + zs)
    model.col_upper_ = np.concatenate((most, np.ones(zs))) if whole else np.full(xs + zs, np.inf)
    model.row_lower_ = np.concatenate((market.steps, np.full(model.num_row_ - needs, -np.inf)))
    model.row_upper_ = np.concatenate(
        (
            market.steps,
            np.zeros(xs),
            market.stock[pairs // nodes, pairs % nodes],
            market.packages[limits // nodes, limits % nodes],
        )
    ).astype(np.float64)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    counts = np.bincount(column, minlength=xs + zs)
    model.a_matrix_.start_ = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    model.a_matrix_.index_ = row[by_column].astype(np.int32)
    model.a_matrix_.value_ = value[by_column].astype(np.float64)
    if whole:
        model.integrality_ = [highspy.HighsVarType.kInteger] * (xs + zs)
    return Program(market, line, node, order, at, pairs, limits, model)


def solver(model: Any, **options: Any) -> Any:
    """HiGHS with the model: one thread, one seed, silent."""
    highs = silent(random_seed=1, **options)
    highs.passModel(model)
    return highs
