"""The figures that an objective adds up: what a package and each unit from every node count, term by term.

A figure is whole millionths of its own unit: minor units of money, miles, days, points. Together they make the
bills that `cheapest` and `ordered` solve, and the amounts that an explanation shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.routing.bills import FORBIDDEN, Bill
from app.routing.facts import MICRO, Flags, Ints, Network
from app.routing.policy import COST, SCORE, Objective, Split, Term
from app.routing.terms import (
    ESTIMATED_PACKAGE,
    ESTIMATED_PER_GRAM,
    ESTIMATED_PER_MILE,
    Given,
    Goods,
    Lanes,
    Prices,
)

MARKDOWN = "markdown"
"""Capability of a place that would mark down what it does not sell."""
SCORE_SCALE = 1_000 * MICRO


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """One term: per package by node, per unit by row and node (None: nothing), and besides by the units in a package
    (of all `rows`; one row per class of nodes, `row` the class of each node)."""

    package: Ints | None = None
    unit: Ints | None = None
    extra: Callable[[Ints], Ints] | None = None
    row: Ints | None = None
    rows: int = 0


def figure(name: str, given: Given) -> Figure:
    """The figure of a term. Raises KeyError for a term that is not in the list."""
    one, goods = _FIGURES[name](*given), given[1]
    return _of_one_unit(one, goods.quantity) if goods.whole else one


def _of_one_unit(one: Figure, quantity: Ints) -> Figure:
    """The figure where all rows together are the one unit that is placed."""
    extra = one.extra
    return replace(
        one,
        unit=None if one.unit is None else (quantity @ one.unit)[None, :],
        extra=None if extra is None else lambda units: extra(units * quantity),
        rows=1,
    )


def bill(figures: Sequence[tuple[Term, Figure]], stock: Ints, given: Given, split: Split) -> Bill:
    """The bill of some figures, each times its term's weight."""
    network, goods, _, _ = given
    package = [_times(one.package, term.weight) for term, one in figures if one.package is not None]
    unit = [_times(one.unit, term.weight) for term, one in figures if one.unit is not None]
    tables = [(term.weight, one.extra, one.row) for term, one in figures if one.extra is not None]
    extra, row = _joined(tables, len(network))
    value = goods.quantity @ goods.value[:, None] if goods.whole else goods.value
    return Bill(
        quantity=np.ones(1, dtype=np.int64) if goods.whole else goods.quantity,
        stock=stock,
        package=_sum(package, (len(network),)),
        unit=_sum(unit, stock.shape),
        priority=network.priority,
        extra=extra,
        row=row,
        cap=split.max_packages,
        value=value if split.least_package_value else None,
        least_value=split.least_package_value,
        gather=split.lines,
    )


def weighed(objective: Objective, given: Given, eligible: Flags) -> list[tuple[Term, Figure]]:
    """The terms of a `cost` or `score` objective with their figures. In a score each figure is scaled by how far the
    eligible nodes lie apart in it, so that weights are shares."""
    found = [(term, figure(term.name, given)) for term in objective.terms]
    if objective.mode == COST:
        return found
    assert objective.mode == SCORE
    return [
        (Term(term.name, term.weight * SCORE_SCALE / _spread(one, given, eligible)), one)
        for term, one in found
    ]


def _spread(one: Figure, given: Given, eligible: Flags) -> float:
    """How far the eligible nodes lie apart if each sent everything; 1 unit where they do not."""
    goods = given[1]
    quantity = np.ones(1, dtype=np.int64) if goods.whole else goods.quantity
    total = np.zeros(len(eligible), dtype=np.int64)
    if one.package is not None:
        total += one.package
    if one.unit is not None:
        total += quantity @ one.unit
    if one.extra is not None and one.row is not None:
        total = total + one.extra(quantity[None, :])[one.row, 0]
    seen = total[eligible & (total < FORBIDDEN)]
    apart = int(seen.max() - seen.min()) if len(seen) else 0
    return float(apart or MICRO)


def amounts(figures: Sequence[Figure], plans: Sequence[Sequence[tuple[int, int, int]]]) -> list[list[int]]:
    """What the placements [(row, node, units)] of each plan count in each figure, in millionths of its unit."""
    found = added_up(figures, plans)
    if any(one.extra is not None for one in figures):
        _add_extras(figures, plans, found)
    return found


def added_up(figures: Sequence[Figure], plans: Sequence[Sequence[tuple[int, int, int]]]) -> list[list[int]]:
    """As `amounts`, without what packages count besides by what is in them."""
    found = []
    for plan in plans:
        nodes = {node for _, node, _ in plan}
        own = [0 if one.package is None else sum(map(one.package.item, nodes)) for one in figures]
        for at, one in enumerate(figures):
            if one.unit is not None:
                own[at] += sum([one.unit.item(row, node) * units for row, node, units in plan])
        found.append(own)
    return found


def _add_extras(
    figures: Sequence[Figure],
    plans: Sequence[Sequence[tuple[int, int, int]]],
    found: list[list[int]],
) -> None:
    """What packages cost besides, by what is in them: all packages of all plans at once."""
    packages = [(at, node) for at, plan in enumerate(plans) for node in {node for _, node, _ in plan}]
    place = {package: at for at, package in enumerate(packages)}
    counts = [[0] * max(one.rows for one in figures) for _ in packages]
    for at, plan in enumerate(plans):
        for row, node, count in plan:
            counts[place[at, node]][row] += count
    units = np.array(counts, dtype=np.int64).reshape(len(packages), -1)
    for which, one in enumerate(figures):
        if one.extra is not None and one.row is not None:
            table = one.extra(units)
            for position, (at, node) in enumerate(packages):
                found[at][which] += table.item(one.row.item(node), position)


def _sum(parts: Sequence[Ints], shape: tuple[int, ...]) -> Ints:
    if not parts:
        return np.zeros(shape, dtype=np.int64)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _times(values: Ints, weight: float) -> Ints:
    if weight == 1:
        return values
    return np.where(values >= FORBIDDEN, FORBIDDEN, np.rint(values * weight)).astype(np.int64)


def _joined(
    tables: list[tuple[float, Callable[[Ints], Ints], Ints | None]], nodes: int
) -> tuple[Callable[[Ints], Ints] | None, Ints | None]:
    """Several tables as one whose classes are the pairs that occur."""
    if not tables:
        return None, None
    if len(tables) == 1:
        weight, only, row = tables[0]
        return lambda units: _times(only(units), weight), row
    rows = np.stack([np.zeros(nodes, dtype=np.int64) if row is None else row for _, _, row in tables])
    classes, row = np.unique(rows, axis=1, return_inverse=True)

    def together(units: Ints) -> Ints:
        parts = [
            _times(one(units), weight)[own] for (weight, one, _), own in zip(tables, classes, strict=True)
        ]
        forbidden = np.logical_or.reduce([part >= FORBIDDEN for part in parts])
        return np.where(forbidden, FORBIDDEN, np.add.reduce(parts))

    return together, row.reshape(-1)


# ---- the terms


def _shipping(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    """By the node's rate card; from a node without one by a rough estimate of distance and weight."""
    tariffs = network.tariffs
    sized, residential = bool(np.logical_or.reduce(goods.volume_cm3)), lanes.basket.residential

    def table(units: Ints) -> Ints:
        volumes = units @ goods.volume_cm3 if sized else None
        amounts = tariffs.table(units @ goods.weight_g, volumes, residential=residential)
        amounts *= MICRO
        return np.minimum(amounts, FORBIDDEN, out=amounts)  # what is not carried comes to more

    if tariffs.all_priced:
        return Figure(extra=table, row=lanes.rows, rows=len(goods.quantity))
    priced = tariffs.priced
    package = _estimated(lanes.distance)
    unit = np.empty((len(goods.quantity), len(network)), dtype=np.int64)
    unit[:] = (goods.weight_g * ESTIMATED_PER_GRAM)[:, None]
    if not priced.any():
        return Figure(package, unit)
    unit[:, priced] = 0
    return Figure(np.where(priced, 0, package), unit, table, lanes.rows, len(goods.quantity))


def estimated(distance: Ints, grams: Ints) -> Ints:
    """The term `shipping` of packages from nodes without a rate card."""
    return _estimated(distance) + grams * ESTIMATED_PER_GRAM


def _estimated(distance: Ints) -> Ints:
    return ESTIMATED_PACKAGE + np.rint(distance * ESTIMATED_PER_MILE).astype(np.int64)


def carried(network: Network, grams: Ints, volume_cm3: Ints, residential: Flags) -> Ints:
    """[row of the tariffs, package]: the term `shipping` of many packages from nodes with a rate card."""
    packages, homes = (grams.reshape(-1), volume_cm3.reshape(-1)), residential.reshape(-1)
    table = network.tariffs.table(*packages)
    if not homes.all():
        table = np.where(homes, table, network.tariffs.table(*packages, residential=False))
    return np.minimum(table * MICRO, FORBIDDEN)


def shipped(network: Network, node: Ints, row: Ints, distance: Ints, grams: Ints, table: Ints) -> Ints:
    """The term `shipping` of many packages, each from a node, to a row of the tariffs; `table` of their `carried`. The
    other arrays may have any shapes that go together."""
    package = np.arange(grams.size).reshape(grams.shape)
    priced = network.tariffs.priced[node]
    return np.where(priced, table[row, package], estimated(distance, grams))


def _handling(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    per_package, per_unit = network.handling
    unit = np.empty((len(goods.quantity), len(network)), dtype=np.int64)
    unit[:] = per_unit
    return Figure(per_package, unit)


def _store_labor(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    """The handling of stores alone, to weigh their people's time."""
    per_package, per_unit = network.handling
    stores = np.array([kind == "store" for kind in network.kinds], dtype=np.int64)
    unit = np.empty((len(goods.quantity), len(network)), dtype=np.int64)
    unit[:] = per_unit * stores
    return Figure(per_package * stores, unit)


def _packages(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    return Figure(np.full(len(network), MICRO))


def _stock_price(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    if not prices.stock:
        return Figure()
    priced = [prices.stock.get(line.sku, 0) for line in goods.lines]
    unit = np.empty((len(priced), len(network)), dtype=np.int64)
    for row, own in enumerate(priced):
        unit[row] = own
    return Figure(unit=unit)


def _capacity_price(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    return Figure(prices.capacity)


def _balance(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    """(e^x - 1) / (e - 1) per unit; x is how far the node's stock lies below the fullest node's, as a share."""
    fullest = np.maximum(goods.available.max(axis=1, initial=0), 1)[:, None]
    x = 1.0 - np.clip(goods.available / fullest, 0.0, 1.0)
    return Figure(unit=np.rint(np.expm1(x) / (np.e - 1) * MICRO).astype(np.int64))


def _margin_floor(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    """What shipping and handling of a package cost more than the margin of what is in it."""
    shipping, handling = (
        _shipping(network, goods, lanes, prices),
        _handling(network, goods, lanes, prices),
    )
    package, unit = handling.package, handling.unit
    assert package is not None
    assert unit is not None
    if shipping.package is not None:
        package = package + shipping.package
    if shipping.unit is not None:
        unit = unit + shipping.unit

    def table(units: Ints) -> Ints:
        costs = package[:, None] + (units @ unit).T
        if shipping.extra is not None and shipping.row is not None:
            costs = np.minimum(costs + shipping.extra(units)[shipping.row], FORBIDDEN)
        short = np.maximum(costs - (units @ goods.margin) * MICRO, 0)
        return np.where(costs >= FORBIDDEN, FORBIDDEN, short)

    return Figure(extra=table, row=np.arange(len(network)), rows=len(goods.quantity))


def _markdown_bonus(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    """What a unit need not be marked down by: below zero, for it counts for a plan."""
    places = network.capable(MARKDOWN).astype(np.int64)
    return Figure(unit=-(goods.markdown * MICRO)[:, None] * places)


def _lateness(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    return Figure(lanes.late * MICRO) if lanes.is_promised else Figure()


def _risk(network: Network, goods: Goods, lanes: Lanes, prices: Prices) -> Figure:
    return Figure(prices.risk)


_FIGURES: Mapping[str, Callable[[Network, Goods, Lanes, Prices], Figure]] = {
    "shipping": _shipping,
    "handling": _handling,
    "store_labor": _store_labor,
    "packages": _packages,
    "split_penalty": _packages,
    "distance": lambda network, goods, lanes, prices: Figure(lanes.distance),
    "transit_days": lambda network, goods, lanes, prices: Figure(lanes.days * MICRO),
    "lateness": _lateness,
    "priority": lambda network, goods, lanes, prices: Figure(network.priority * MICRO),
    "stock_price": _stock_price,
    "capacity_price": _capacity_price,
    "inventory_balance": _balance,
    "margin_floor": _margin_floor,
    "markdown_bonus": _markdown_bonus,
    "rejection_risk": _risk,
}
