"""The lines of a basket by the way they go, and the nodes that each may come from: before anything is chosen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.routing.facts import GOODS, Basket, Flags, Ints, Network, line_routes
from app.routing.fields import LineFacts, NodeView, OrderFacts, first_failed
from app.routing.policy import LineRoute, Rule, Strategy
from app.routing.terms import Lanes

MOST_PREPARED = 256
NO_FILTER = np.iinfo(np.int16).max
CAPACITY = "capacity"
_GOODS = frozenset(GOODS)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Lines that are planned together: one row per SKU, with the lines behind each row.

    `places[row, node]` where a row may come from, None where its kind alone decides; `filtered[row]` whether the
    strategy's nodes and filters speak of it. `whole`: all lines are one row, from one node or not at all.
    """

    kinds: tuple[str, ...]
    lines: list[list[int]]
    quantity: Ints
    available: Ints
    places: Flags | None = None
    filtered: Flags | None = None
    whole: bool = False

    @property
    def is_goods(self) -> bool:
        """Whether the strategy speaks of it; what is made or digital goes by itself."""
        return not _GOODS.isdisjoint(self.kinds)


def parts_of(network: Network, basket: Basket, available: Ints, rule: Rule) -> list[Part]:
    """The lines by their ways: as their kind goes, as line routes say, apart or together."""
    routes = _routes(basket, rule)
    groups: dict[tuple, list[int]] = {}
    for at, line in enumerate(basket.lines):
        groups.setdefault(_group(line_routes(line.kind), routes[at]), []).append(at)
    return [_part(network, basket, available, key, lines, routes) for key, lines in groups.items()]


def _routes(basket: Basket, rule: Rule) -> list[LineRoute | None]:
    if not rule.line_routes:
        return [None] * len(basket.lines)
    order = OrderFacts.of(basket)
    facts = [LineFacts.of(line, order) for line in basket.lines]
    return [next((route for route in rule.line_routes if route.when.holds(line)), None) for line in facts]


def _group(kinds: tuple[str, ...], route: LineRoute | None) -> tuple:
    if route is None:
        return kinds, "", False
    kinds = route.kinds or kinds
    joint = kinds if _GOODS.isdisjoint(kinds) else GOODS
    return joint, route.id if route.apart or route.together else "", route.together


def _part(
    network: Network,
    basket: Basket,
    available: Ints,
    key: tuple,
    lines: list[int],
    routes: list[LineRoute | None],
) -> Part:
    kinds, _, together = key
    rows: dict[tuple, list[int]] = {}
    for at in lines:
        own = routes[at]
        rows.setdefault((basket.lines[at].sku, own.id if own else ""), []).append(at)
    behind = list(rows.values())
    quantity = np.array([sum([basket.lines[at].quantity for at in row]) for row in behind], dtype=np.int64)
    first = [row[0] for row in behind]
    seen = available if len(first) == len(available) else available[first]
    part = Part(kinds, behind, quantity, np.maximum(seen, 0))
    if any(routes[at] is not None for at in first):
        part = _placed(network, basket, part, [routes[at] for at in first])
    return _as_one(part) if together else part


def _placed(network: Network, basket: Basket, part: Part, routes: list[LineRoute | None]) -> Part:
    """With the places that line routes allow. Where a route names kinds or nodes, neither the nodes nor the filters of
    a strategy speak of its lines."""
    places = np.empty((len(routes), len(network)), dtype=bool)
    filtered = np.ones(len(routes), dtype=bool)
    for row, route in enumerate(routes):
        line = basket.lines[part.lines[row][0]]
        kinds = (route.kinds if route else ()) or line_routes(line.kind)
        places[row] = np.array([kind in kinds for kind in network.kinds], dtype=bool)
        if route is None:
            continue
        filtered[row] = not (route.kinds or route.nodes)
        if route.nodes:
            places[row] &= np.array([code in route.nodes for code in network.codes], dtype=bool)
        for capability in route.capabilities:
            places[row] &= network.capable(capability)
    return Part(part.kinds, part.lines, part.quantity, part.available, places, filtered)


def _as_one(part: Part) -> Part:
    """All rows as one unit, there where every row is held whole."""
    held = part.available >= part.quantity[:, None]
    places = None if part.places is None else np.logical_and.reduce(part.places)[None, :]
    filtered = None if part.filtered is None else np.array([bool(part.filtered.all())])
    return Part(
        part.kinds,
        [[at for row in part.lines for at in row]],
        np.ones(1, dtype=np.int64),
        np.logical_and.reduce(held)[None, :].astype(np.int64),
        places,
        filtered,
        whole=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Eligible:
    """What of a part's stock may be used, and why not the rest.

    `seen` is the same stock before anything was ruled out. `nodes` may serve some row; `ruled_out[node]` is the
    position of the first filter that a node fails; `full` the nodes without room today; `away` those that do not
    deliver there; `unlisted` those that the strategy does not name; `refused` those excluded for this order.
    """

    seen: Ints
    stock: Ints
    nodes: Flags
    ruled_out: NDArray[np.int16] | None
    full: Flags | None
    away: Flags | None
    unlisted: Flags | None
    refused: tuple[int, ...]


def eligible(
    network: Network,
    basket: Basket,
    part: Part,
    strategy: Strategy,
    key: tuple[bytes, int],
    lanes: Lanes,
    excluded: Collection[tuple[int | None, int]],
    relaxed: frozenset[str] = frozenset(),
) -> Eligible:
    """The stock of a part that may be used, capped at what is asked for. `key` names the strategy, `relaxed` the
    constraints that are given up."""
    nodes = network.open.copy() if part.places is not None else network.open & _of_kinds(network, part.kinds)
    away = full = ruled_out = unlisted = None
    to = basket.destination
    if part.is_goods and not network.reach.everywhere:
        away = ~network.reach.serves(to.country, to.region, to.postal_code)
        nodes &= ~away
    bounded = strategy.respect_capacity and CAPACITY not in relaxed
    if part.is_goods and bounded and network.limited and basket.load is not None:
        full = (network.capacity_per_day >= 0) & (basket.load >= network.capacity_per_day)
        nodes &= ~full
    allowed: Flags = nodes
    passed: Flags | None = None
    if part.is_goods and strategy.nodes:
        passed = np.array([code in strategy.nodes for code in network.codes], dtype=bool)
        unlisted = ~passed
    if part.is_goods and strategy.filters:
        ruled_out = _ruled_out(network, basket, part, strategy, key, lanes, relaxed)
        passed = ruled_out == NO_FILTER if passed is None else passed & (ruled_out == NO_FILTER)
    if passed is not None:
        if part.filtered is None or part.filtered.all():
            nodes = allowed = nodes & passed
        else:
            allowed = nodes & (passed | ~part.filtered[:, None])
            nodes = np.logical_or.reduce(allowed)
    if part.places is not None:
        allowed = allowed & part.places
        nodes = nodes & np.logical_or.reduce(part.places)
    seen = np.minimum(part.available, part.quantity[:, None])
    stock = seen * allowed
    refused = set()
    for line, node in excluded:
        for row, lines in enumerate(part.lines):
            if line is None or line in lines:
                stock[row, node] = 0
                refused.add(node)
    return Eligible(seen, stock, nodes, ruled_out, full, away, unlisted, tuple(sorted(refused)))


def _of_kinds(network: Network, kinds: tuple[str, ...]) -> Flags:
    found = network.route_kinds.get(kinds)
    return np.array([kind in kinds for kind in network.kinds], dtype=bool) if found is None else found


def _ruled_out(
    network: Network,
    basket: Basket,
    part: Part,
    strategy: Strategy,
    key: tuple[bytes, int],
    lanes: Lanes,
    relaxed: frozenset[str],
) -> NDArray[np.int16]:
    """Per node the first filter that it fails; those of the network alone are worked out once."""
    filters = strategy.filters
    if not relaxed.isdisjoint(each.id for each in filters):
        view = view_of(network, basket, part, lanes)
        first = np.full(len(network), NO_FILTER, dtype=np.int16)
        for at in range(len(filters) - 1, -1, -1):
            if filters[at].id not in relaxed:
                first[~filters[at].passes(view)] = at
        return first
    fixed = network.prepared.get(key)
    if fixed is None:
        fixed = first_failed(filters, NodeView(network), fixed=True)
        if len(network.prepared) >= MOST_PREPARED:
            network.prepared.clear()
        network.prepared[key] = fixed
    if all(each.is_fixed for each in filters):
        return fixed
    return np.minimum(fixed, first_failed(filters, view_of(network, basket, part, lanes), fixed=False))


def view_of(network: Network, basket: Basket, part: Part, lanes: Lanes) -> NodeView:
    """The nodes as filters see them for this basket. A destination without a place says nothing of distances."""
    located = basket.destination.lat is not None and basket.destination.lon is not None
    left = None
    if basket.load is not None:
        left = np.where(network.capacity_per_day < 0, -1, network.capacity_per_day - basket.load)
        left = np.where(network.capacity_per_day < 0, -1, np.maximum(left, 0))
    return NodeView(
        network,
        OrderFacts.of(basket),
        distance=lanes.distance if located else None,
        zone=lanes.zones,
        transit_days=lanes.days if located else None,
        days_late=lanes.late if basket.promised_by is not None and basket.at is not None else None,
        capacity_left=left,
        quantity=part.quantity,
        available=part.available,
    )


def handed_out(
    basket: Basket, part: Part, rows: Sequence[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    """Placements of rows as placements of lines: lines of one SKU take from the nodes in order."""
    if part.whole:
        return [(at, node, basket.lines[at].quantity) for _, node, _ in rows for at in part.lines[0]]
    if all(len(lines) == 1 for lines in part.lines):
        return [(part.lines[row][0], node, quantity) for row, node, quantity in rows]
    left = {at: basket.lines[at].quantity for lines in part.lines for at in lines}
    handed = []
    for row, node, quantity in rows:
        for at in part.lines[row]:
            share = min(left[at], quantity)
            if share:
                handed.append((at, node, share))
                left[at] -= share
                quantity -= share
    return handed
