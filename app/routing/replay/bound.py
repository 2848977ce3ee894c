"""A lower bound with hindsight: the linear relaxation over all orders at once, with the same stock and capacity.

Units that first come, first served leaves unfilled stay unfilled here too, so the bound is fair: nobody could
have known. The program is grown: first the cheapest nodes of each order, then all whose reduced cost is below
zero, until none is; what rounding still leaves below zero is taken off, so the bound stays a bound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.routing.facts import Flags
from app.routing.program import Market, Program, program, solver
from app.routing.replay.instance import UNLIMITED, Floats, Instance
from app.routing.replay.stream import Decision, Quotes

NEAREST = 6  # nodes of each line to begin with
MOST_ROUNDS = 20
ENOUGH = 1e-6  # share of the bound that may be taken off


def bound(instance: Instance, decisions: Sequence[Decision]) -> float:
    """The least that any routing could cost which leaves unfilled what these decisions leave (minor units).

    Raises ValueError for a rate card: steps of weight are no line.
    """
    if instance.carrier.card is not None:
        raise ValueError("no bound is known for the steps of a rate card")
    market = _market(instance, decisions)
    lost = sum(
        float(instance.lost_unit_penalty[decision.order.skus[line]]) * units
        for decision in decisions
        for line, units in decision.unfilled
    )
    return lost + _least(market, _first(market, decisions)) if len(market.order) else lost


def _market(instance: Instance, decisions: Sequence[Decision]) -> Market:
    orders = [decision.order for decision in decisions]
    quotes = Quotes.of(instance, orders)
    rows = []
    for at, decision in enumerate(decisions):
        left = dict(decision.unfilled)
        for line, (sku, units) in enumerate(
            zip(decision.order.skus.tolist(), decision.order.quantity.tolist(), strict=True)
        ):
            if units > left.get(line, 0):
                rows.append((at, sku, units - left.get(line, 0)))
    order, sku, units = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    days, day = np.unique([order.day for order in orders], return_inverse=True)
    limit = np.where(instance.capacity_per_day == UNLIMITED, np.inf, instance.capacity_per_day)
    return Market(
        package=quotes.opening,
        day=day,
        order=order,
        sku=sku,
        steps=np.ones(len(rows), dtype=np.int64),
        step=units,
        unit=quotes.per_lb[order] * instance.weight_lb[sku][:, None] + instance.handling_per_unit,
        there=instance.stock[sku] > 0,
        stock=instance.stock,
        packages=np.tile(limit, (len(days), 1)),
    )


def _first(market: Market, decisions: Sequence[Decision]) -> Flags:
    active = np.zeros(market.package.shape, dtype=bool)
    full = market.package[market.order] + market.unit * market.step[:, None]
    cheapest = np.argsort(np.where(market.there, full, np.inf), axis=1, kind="stable")[:, :NEAREST]
    active[market.order[:, None], cheapest] = True
    for at, decision in enumerate(decisions):
        active[at, [node for _, node, _ in decision.placements]] = True
    return active


def _least(market: Market, active: Flags) -> float:
    for _ in range(MOST_ROUNDS):
        task = program(market, active, whole=False)
        highs = solver(task.model, solver="ipm", run_crossover="off")
        highs.run()
        value = float(highs.getInfo().objective_function_value)
        reduced = _reduced_costs(task, np.asarray(highs.getSolution().row_dual))
        off = -float(np.minimum(reduced, 0).sum())
        if off <= ENOUGH * value:
            break
        active = active | (reduced < 0)
    return value - off


def _reduced_costs(task: Program, dual: Floats) -> Floats:
    """[order, node]: what opening the node for the order would add at best to the value, at these duals."""
    market, nodes = task.market, task.market.package.shape[1]
    line = dual[: len(market.steps)]
    stock, capacity = np.zeros(market.stock.shape), np.zeros(market.packages.shape)
    ends = np.cumsum([task.rows_before_stock, len(task.pairs), len(task.limits)])
    stock.flat[task.pairs] = np.maximum(-dual[ends[0] : ends[1]], 0)
    capacity.flat[task.limits] = np.maximum(-dual[ends[1] : ends[2]], 0)
    gain = np.maximum(line[:, None] - (market.unit + stock[market.sku]) * market.step[:, None], 0)
    gain *= market.most
    by_order = np.zeros((len(market.package), nodes))
    np.add.at(by_order, market.order, gain)
    found: Floats = market.package + capacity[market.day] - by_order
    return found
