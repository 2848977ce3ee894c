"""Parcels that go outright from one node: told for many at once, before anybody knows what stock there is. Pure.

What a package costs depends on no stock. Where one package of everything costs less than any division of the lines
could, if every node held everything, it is the best plan from wherever it can be sent, and which of two such packages
is the better one is known beforehand. What is left is to find the first node that holds everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.routing import figures, kernel
from app.routing.baskets import basket
from app.routing.bills import FORBIDDEN
from app.routing.configuration import Configuration
from app.routing.facts import FEWEST, GOODS, Flags, Ints, Network, line_routes
from app.routing.parcels import Parcel
from app.routing.parts import Part, eligible
from app.routing.policy import COST, LEXICOGRAPHIC, Objective, Rule, Strategy, Term
from app.routing.states import DEAREST, NEVER, divisions, states_of
from app.routing.tables import LARGEST_COST, PRIORITY_BITS
from app.routing.terms import Goods, Lanes, Prices
from app.routing.vocabulary import OF_DESTINATION

MOST_LINES = 4
CELLS = 1 << 17  # packages of all parcels that are looked at together
SHIPPING = Term("shipping")
NOT_KNOWN = {"inventory_balance", "margin_floor"}
"""Terms that look at stock, or that are not added up over packages and units."""
NOTHING = np.zeros((1, 0), dtype=np.int64)
Within = Sequence[tuple[list[int], float]]


@dataclass(frozen=True, slots=True)
class Outright:
    """One package of everything is the best plan of a parcel if one of `nodes` holds it (and, if `bounded`, has room):
    from the first of those that do and keep the figures in `within`, one after the other. Where none of them does,
    other plans must be looked at.

    `within`: of each figure what every node comes to, and how far above the least of them one may be, as a share.
    """

    lanes: Lanes
    nodes: list[int]
    bounded: bool
    within: Within = ()

    def best(self, able: Iterator[int]) -> int | None:
        """The node that sends it; `able`: those of `nodes`, in their order, that can send everything."""
        if not self.within:
            return next(able, None)
        left = list(able)
        for amounts, tolerance in self.within:
            least = min([amounts[node] for node in left], default=0)
            most = least + int(abs(least) * tolerance)
            left = [node for node in left if amounts[node] <= most]
        return left[0] if left else None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A parcel, by its place in the list, with the strategy that decides it and the nodes that this one allows."""

    at: int
    lanes: Lanes
    strategy: Strategy
    allowed: Flags


def outright(
    configured: Configuration, rule_of: Callable[[str], Rule], parcels: Sequence[Parcel]
) -> list[Outright | None]:
    """Of each parcel; None where its rule or its lines are such that more must be known. `rule_of` a channel."""
    network = configured.network
    found: list[Outright | None] = [None] * len(parcels)
    if network.paced:
        return found
    masks: dict[tuple, Flags] = {}
    together: dict[tuple[Objective, int], list[_Asked]] = {}
    for at, parcel in enumerate(parcels):
        one = _asked(configured, rule_of(parcel.asked.channel), at, parcel, masks)
        if one is not None:
            together.setdefault((one.strategy.objective, len(parcel.lines)), []).append(one)
    for (_, lines), alike in together.items():
        size = max(1, (CELLS >> lines) // len(network))
        for first in range(0, len(alike), size):
            some = alike[first : first + size]
            for one, (nodes, within) in zip(some, _best_first(network, configured.prices, some), strict=True):
                bounded = network.limited and one.strategy.respect_capacity
                found[one.at] = Outright(one.lanes, nodes, bounded, within)
    return found


def _asked(
    configured: Configuration, rule: Rule, at: int, parcel: Parcel, masks: dict[tuple, Flags]
) -> _Asked | None:
    network, lines = configured.network, [one.line for one in parcel.lines]
    if rule.line_routes or len(lines) > MOST_LINES or len({line.sku for line in lines}) < len(lines):
        return None
    if any(not one.parts or line_routes(one.line.kind) != GOODS for one in parcel.lines):
        return None
    given = basket(configured, parcel.asked, lines, parcel.to, NOTHING, None)
    position, strategy = rule.strategy_for(given)
    if not _is_plain(strategy):
        return None
    lanes, key = Lanes(network, given), (rule.digest, position, parcel.to)
    if key not in masks:
        row = np.zeros((1, len(network)), dtype=np.int64)
        part = Part(GOODS, [[0]], np.ones(1, dtype=np.int64), row)
        masks[key] = eligible(network, given, part, strategy, key[:2], lanes, ()).nodes
    return _Asked(at, lanes, strategy, masks[key])


def _is_plain(strategy: Strategy) -> bool:
    """Whether its objective is one of those known here, and its nodes are the same for every order to a destination."""
    if not all(one.fields <= OF_DESTINATION for one in strategy.filters):
        return False
    objective, split = strategy.objective, strategy.split
    if objective.mode == FEWEST:
        return split.lines and not split.least_package_value
    if not NOT_KNOWN.isdisjoint(one.name for one in objective.terms):
        return False
    if objective.mode == LEXICOGRAPHIC:
        first = objective.terms[0]
        return first.name == "packages" and first.tolerance < 1
    return objective.mode == COST and SHIPPING in objective.terms


def _best_first(network: Network, prices: Prices, some: Sequence[_Asked]) -> list[tuple[list[int], Within]]:
    """Of each parcel the nodes from which one package of everything beats every division, the best first, and the
    figures that these must keep."""
    objective = some[0].strategy.objective
    allowed = np.array([one.allowed for one in some])
    within: list[Within] = [()] * len(some)
    if objective.mode == LEXICOGRAPHIC:
        keys, bound, within = _in_order(network, prices, some, allowed)
    elif objective.mode == COST:
        keys, bound = _undivided(network, prices, some, allowed)
    else:
        keys, bound = _distances(network, some, allowed)
    counts = np.add.reduce(keys < bound[:, None], axis=1).tolist()
    order = keys.argsort(axis=1, kind="stable").tolist()
    return [(nodes[:count], own) for nodes, count, own in zip(order, counts, within, strict=True)]


def _in_order(
    network: Network, prices: Prices, some: Sequence[_Asked], allowed: Flags
) -> tuple[Ints, Ints, list[Within]]:
    """[parcel, node]: the last figure of one package of everything, with its priority number; and what every node comes
    to in those between the first and the last. The first are packages: no division has as few."""
    goods, every = [_goods(one) for one in some], some[0].strategy.objective.terms
    terms = every[1:] or every
    whole = np.ones((1, len(goods[0].lines)), dtype=np.int64)
    tables = [_costs(network, prices, some, goods, allowed, [Term(term.name)], whole) for term in terms]
    coarse = np.logical_or.reduce([coarser for _, coarser in tables])
    amounts = [(keys[:, 0] >> PRIORITY_BITS).tolist() for keys, _ in tables[:-1]]
    within: list[Within] = [
        [(own[at], term.tolerance) for own, term in zip(amounts, terms, strict=False)]
        for at in range(len(some))
    ]
    keys = np.where(allowed, np.minimum(tables[-1][0][:, 0], NEVER - 1), NEVER)
    return keys, np.where(coarse, -NEVER, NEVER), within


def _distances(network: Network, some: Sequence[_Asked], allowed: Flags) -> tuple[Ints, Ints]:
    """[parcel, node]: distance with priority number, as `kernel.Task.keys`; where fewest packages are best, no division
    comes near one package."""
    distance = np.array([one.lanes.distance for one in some])
    keys = (distance << kernel.PRIORITY_BITS) + network.priority
    return np.where(allowed, keys, NEVER), np.full(len(some), NEVER)


def _undivided(network: Network, prices: Prices, some: Sequence[_Asked], allowed: Flags) -> tuple[Ints, Ints]:
    """[parcel, node]: what one package of everything costs, with its priority number; and of each parcel the least that
    a division costs."""
    goods = [_goods(one) for one in some]
    states = states_of((1,) * len(goods[0].lines)).digits
    terms = some[0].strategy.objective.terms
    keys, coarse = _costs(network, prices, some, goods, allowed, terms, states)
    bound = _least_divided(np.minimum.reduce(keys, axis=2))
    bound[coarse] = -NEVER
    return keys[:, -1], bound


def _costs(
    network: Network,
    prices: Prices,
    some: Sequence[_Asked],
    goods: Sequence[Goods],
    allowed: Flags,
    terms: Sequence[Term],
    states: Ints,
) -> tuple[Ints, Flags]:
    """[parcel, state, node]: what one package with each of these states of its lines costs, with its priority number,
    as `tables.Task.every`; and the parcels whose costs the tables make coarser."""
    quantity = np.array([one.quantity for one in goods])
    shipping, dearest = np.zeros((1, 1, 1), dtype=np.int64), np.zeros(1, dtype=np.int64)
    if SHIPPING in terms:
        shipping, dearest = _shipping(network, some, goods, quantity, states)
    others = [term for term in terms if term != SHIPPING]
    package, unit = _others(network, prices, some, goods, others)
    unit *= quantity[:, :, None]
    keys = ((shipping + package[:, None] + states @ unit) << PRIORITY_BITS) + network.priority
    keys = np.where(allowed[:, None] & (shipping < FORBIDDEN), keys, NEVER)
    largest = states.shape[1] * (dearest + np.abs(package).max(axis=1)) + np.abs(unit).max(axis=2).sum(axis=1)
    return keys, largest >= LARGEST_COST


def _goods(one: _Asked) -> Goods:
    """Its lines, a row each."""
    lines = one.lanes.basket.lines
    quantity = np.array([line.quantity for line in lines], dtype=np.int64)
    return Goods.of(one.lanes.basket, [[at] for at in range(len(lines))], quantity, NOTHING)


def _shipping(
    network: Network, some: Sequence[_Asked], goods: Sequence[Goods], quantity: Ints, states: Ints
) -> tuple[Ints, Ints]:
    """The term `shipping`; and by parcel more than any package comes to that is carried at all."""
    grams, sizes = (
        ((quantity * np.array(each)) @ states.T)[:, :, None]
        for each in zip(*[(one.weight_g, one.volume_cm3) for one in goods], strict=True)
    )
    row, distance = (
        np.array(each)[:, None]
        for each in zip(*[(one.lanes.rows, one.lanes.distance) for one in some], strict=True)
    )
    homes = np.array([one.lanes.basket.residential for one in some])[:, None, None]
    table = figures.carried(network, grams, sizes, np.broadcast_to(homes, grams.shape))
    carried = np.where(table < FORBIDDEN, table, 0).max(axis=0).reshape(len(some), -1)
    dearest = figures.estimated(distance, grams).max(axis=(1, 2)) + carried.max(axis=1)
    return figures.shipped(network, network.every, row, distance, grams, table), dearest


def _others(
    network: Network, prices: Prices, some: Sequence[_Asked], goods: Sequence[Goods], others: Sequence[Term]
) -> tuple[Ints, Ints]:
    """[parcel, node] and [parcel, line, node]: what other terms ask for a package and for a unit."""
    bills = []
    for one, own in zip(some, goods, strict=True):
        given = network, own, one.lanes, prices
        counted = [(term, figures.figure(term.name, given)) for term in others]
        stock = np.empty((len(own.lines), len(network)), dtype=np.int64)
        bills.append(figures.bill(counted, stock, given, one.strategy.split))
    return np.array([one.package for one in bills]), np.array([one.unit for one in bills])


def _least_divided(best: Ints) -> Ints:
    """By parcel, the least that any division into several packages costs; `best[parcel, state]` of one package."""
    best[:, 0] = 0
    ways = divisions(best.shape[1].bit_length() - 1)
    several = ways[:, ways[0] < best.shape[1] - 1]
    divided = np.add.reduce(best.take(several, axis=1), axis=1)
    least: Ints = np.minimum.reduce(divided, axis=1, initial=DEAREST)
    return least
