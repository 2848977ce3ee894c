"""Orders that wait are planned together: one integer program at cost plus prices, on top of the plans that stand.

Each order fills what it fills as it stands, and lines stay whole that are whole. HiGHS is stopped by a number of
search nodes, so that the same input gives the same plans; the clock is only a guard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.routing.bills import FORBIDDEN, Bill, cost_of
from app.routing.facts import MICRO, Flags, Ints
from app.routing.program import Market, Program, program, solver

Placements = Sequence[tuple[int, int, int]]

CANDIDATES = 10  # nodes of a line, cheapest first, besides those that stand
FEWEST = 2  # where orders have many lines: with the square of them the search grows beyond its time
MOST_BRANCHES = 200  # nodes of the search tree
GAP = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One order of a window: its bill (costs with prices, millionths), its SKUs, and the plan that stands."""

    bill: Bill
    skus: Ints
    stands: Placements


def together(
    waiting: Sequence[Waiting], stock: Ints, packages: Ints, time_limit_s: float
) -> list[Placements] | None:
    """Plans for all orders that are meant to cost less together than those that stand; None when there are none.

    `stock[sku, node]` and `packages[node]` are what is left before the first of them.
    """
    rows = [(at, line, units) for at, each in enumerate(waiting) for line, units in _filled(each)]
    if not rows:
        return None
    market = _market(waiting, rows, stock, packages)
    return _solved(waiting, rows, market, time_limit_s)


def rank(waiting: Sequence[Waiting]) -> tuple[int, int]:
    """Of all plans that stand: units that go unfilled, then cost with prices. The least is the best."""
    wanted = sum(int(each.bill.quantity.sum()) for each in waiting)
    filled = sum(units for each in waiting for _, _, units in each.stands)
    return wanted - filled, sum(cost(each.bill, each.stands) for each in waiting)


def allowed(bill: Bill, placements: Placements) -> bool:
    """Whether a plan asks for no more than is offered, fills all that can be, and divides no line needlessly."""
    given = np.zeros_like(bill.stock)
    for line, node, units in placements:
        given[line, node] += units
    fills = np.minimum(bill.quantity, bill.stock.sum(axis=1))
    divided = (given > 0).sum(axis=1) > 1
    return bool(
        (given <= bill.stock).all()
        and (given.sum(axis=1) == fills).all()
        and not (divided & bill.whole).any()
    )


def cost(bill: Bill, placements: Placements) -> int:
    """Of a plan, with prices, in millionths."""
    return cost_of(bill, list(placements))


def _filled(order: Waiting) -> list[tuple[int, int]]:
    """(line, units) that the standing plan fills."""
    units: dict[int, int] = {}
    for line, _, given in order.stands:
        units[line] = units.get(line, 0) + given
    return sorted(units.items())


def _straight(bill: Bill) -> tuple[Ints, Ints, Flags]:
    """Costs of a package and of a unit, [node] and [line, node], what a package costs besides as a straight line;
    and by node whether there is such a line.

    Exact for the whole order in one package and for all but one line of it; between them a step of weight more or
    less may be missed, so what comes out is compared at its true cost.
    """
    if bill.extra is None or bill.row is None:
        return bill.package, bill.unit, np.ones(len(bill.package), dtype=bool)
    everything = np.tile(bill.quantity, (1 + len(bill.quantity), 1))
    everything[np.arange(1, len(everything)), np.arange(len(bill.quantity))] = 0
    costs = bill.extra(everything)
    known = np.logical_and.reduce(costs < FORBIDDEN, axis=1)
    table = np.where(known[:, None], costs, 0).T
    whole = table[0]
    unit = (whole - table[1:]) // bill.quantity[:, None]
    package = whole - bill.quantity @ unit
    return bill.package + package[bill.row], bill.unit + unit[:, bill.row], known[bill.row]


def _market(
    waiting: Sequence[Waiting], rows: list[tuple[int, int, int]], stock: Ints, packages: Ints
) -> Market:
    units = np.array([units for _, _, units in rows])
    divided = np.array(
        [sum(1 for given in waiting[at].stands if given[0] == line) > 1 for at, line, _ in rows]
    )
    step = np.where(divided, 1, units)
    sku = np.array([waiting[at].skus[line] for at, line, _ in rows])
    costs = [_straight(each.bill) for each in waiting]
    known = np.array([straight for _, _, straight in costs])
    for at, each in enumerate(waiting):
        known[at, [node for _, node, _ in each.stands]] = True
    order = np.array([at for at, _, _ in rows])
    return Market(
        package=np.array([package for package, _, _ in costs]) / MICRO,
        day=np.zeros(len(waiting), dtype=np.int64),
        order=order,
        sku=sku,
        steps=units // step,
        step=step,
        unit=np.array([costs[at][1][line] for at, line, _ in rows]) / MICRO,
        there=(stock[sku] >= step[:, None]) & (packages > 0) & known[order],
        stock=stock,
        packages=np.where(packages > len(waiting), np.inf, packages)[None, :],
    )


def _solved(
    waiting: Sequence[Waiting], rows: list[tuple[int, int, int]], market: Market, time_limit_s: float
) -> list[Placements] | None:
    task = program(market, _active(waiting, market), whole=True)
    highs = solver(
        task.model, mip_max_nodes=MOST_BRANCHES, mip_rel_gap=GAP, time_limit=max(time_limit_s, 0.01)
    )
    highs.setSolution(_standing(waiting, rows, task))
    highs.run()
    values = np.rint(np.asarray(highs.getSolution().col_value)).astype(np.int64)
    if len(values) != len(task.line) + len(task.order):
        return None
    return _read(waiting, rows, task, values)


def _active(waiting: Sequence[Waiting], market: Market) -> Flags:
    """(order, node): the cheapest nodes of each line, and those that stand."""
    active: Flags = np.zeros(market.package.shape, dtype=bool)
    lines = len(market.order) / len(waiting)
    keep = min(max(int((CANDIDATES / lines) ** 2), FEWEST), CANDIDATES)
    full = market.package[market.order] + market.unit * (market.step * market.steps)[:, None]
    cheapest = np.argsort(np.where(market.there, full, np.inf), axis=1, kind="stable")[:, :keep]
    active[market.order[:, None], cheapest] = True
    for at, each in enumerate(waiting):
        active[at, [node for _, node, _ in each.stands]] = True
    return active


def _standing(waiting: Sequence[Waiting], rows: list[tuple[int, int, int]], task: Program) -> Any:
    """The plans that stand, as a solution to start from."""
    import highspy

    place = {
        (int(line), int(node)): at for at, (line, node) in enumerate(zip(task.line, task.node, strict=True))
    }
    row = {(at, line): position for position, (at, line, _) in enumerate(rows)}
    opened = {
        (int(order), int(node)): at for at, (order, node) in enumerate(zip(task.order, task.at, strict=True))
    }
    values = np.zeros(len(task.line) + len(task.order))
    for at, each in enumerate(waiting):
        for line, node, units in each.stands:
            position = row[at, line]
            values[place[position, node]] = units / task.market.step[position]
            values[len(task.line) + opened[at, node]] = 1
    solution = highspy.HighsSolution()
    solution.col_value = values.tolist()
    return solution


def _read(
    waiting: Sequence[Waiting], rows: list[tuple[int, int, int]], task: Program, values: Ints
) -> list[Placements]:
    plans: list[list[tuple[int, int, int]]] = [[] for _ in waiting]
    for column in np.flatnonzero(values[: len(task.line)] > 0).tolist():
        position = int(task.line[column])
        at, line, _ = rows[position]
        units = int(values[column] * task.market.step[position])
        plans[at].append((line, int(task.node[column]), units))
    return [sorted(plan) for plan in plans]
