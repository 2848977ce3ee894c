"""Which nodes fulfill an order: the rule that applies, the nodes it allows, the best plan, and why.

Pure: the same network, basket, rule and exclusions give the same decision to the last byte, on any machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.routing import explanations, kernel
from app.routing.explanations import Findings
from app.routing.facts import (
    FEWEST,
    GOODS,
    Basket,
    BasketLine,
    Destination,
    Ints,
    Network,
    NodeFacts,
    line_routes,
)
from app.routing.fields import DISTANCE
from app.routing.policy import Rule, Strategy

__all__ = [
    "Alternative",
    "Basket",
    "BasketLine",
    "Decision",
    "Destination",
    "Network",
    "NodeFacts",
    "decide",
    "line_routes",
]

MOST_PREPARED = 256
NO_FILTER = np.iinfo(np.int16).max


@dataclass(frozen=True, slots=True)
class Alternative:
    """A plan that was not chosen, for comparison: node positions, units filled, miles of all packages."""

    nodes: tuple[int, ...]
    filled: int
    packages: int
    miles: float


@dataclass(frozen=True, slots=True)
class Decision:
    """The plan for one basket. Lines are positions in the basket, nodes are positions in the network."""

    placements: list[tuple[int, int, int]]
    unfilled: list[tuple[int, int]]
    nodes: tuple[int, ...]
    packages: int
    miles: float
    strategy: str
    runner_up: Alternative | None
    best_single: Alternative | None
    exact: bool
    explanation: dict
    sentence: str
    input_hash: str


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Lines of one route, one row per SKU, with the lines behind each row."""

    route: tuple[str, ...]
    lines: list[list[int]]
    quantity: Ints
    stock: Ints


def decide(
    network: Network,
    basket: Basket,
    rule: Rule,
    *,
    excluded: Collection[tuple[int | None, int]] = (),
) -> Decision:
    """Choose the nodes for a basket.

    `excluded` holds (line, node) pairs that may not be used, line None for the whole node. A pair counts for
    every line of the same SKU. Made-to-order and digital lines leave before the strategy is asked: they go to
    the workshop or virtual node by themselves, and no filter or package limit speaks of them.
    Raises ValueError when the basket does not fit the network.
    """
    available = _checked(network, basket)
    distance = network.distances(basket.destination)
    position, strategy = rule.strategy_for(basket)
    found = [
        _planned(network, basket, part, distance, (position, strategy, rule.digest), excluded)
        for part in _parts(basket, available)
    ]
    placements = sorted(placement for findings in found for placement in findings.placements)
    unfilled = _unfilled(basket, placements)
    complete = basket.ship_complete or strategy.split.ship_complete
    held = bool(unfilled) and complete and bool(placements)
    if held:
        placements, unfilled = [], [(line, each.quantity) for line, each in enumerate(basket.lines)]
    nodes = tuple(sorted({node for _, node, _ in placements}))
    digest = _input_hash(network, basket, rule, available, excluded)
    explained = next((f for f in found if f.route == GOODS), found[0] if found else None)
    explanation, sentence = explanations.explain(
        network, basket, strategy.id, explained, found, placements, unfilled, held, digest
    )
    return Decision(
        placements=placements,
        unfilled=unfilled,
        nodes=nodes,
        packages=len(nodes),
        miles=explanations.miles_of(network, distance, nodes),
        strategy=strategy.id,
        runner_up=_alternative(network, explained, explained.runner_up) if explained else None,
        best_single=_alternative(network, explained, explained.best_single) if explained else None,
        exact=all(findings.plan is None or findings.plan.exact for findings in found),
        explanation=explanation,
        sentence=sentence,
        input_hash=digest,
    )


def _checked(network: Network, basket: Basket) -> Ints:
    available = np.ascontiguousarray(basket.available, dtype=np.int64)
    if available.shape != (len(basket.lines), len(network)):
        raise ValueError("available must have one row per line and one column per node")
    if any(line.quantity < 1 for line in basket.lines):
        raise ValueError("a line must ask for at least one unit")
    return available


def _parts(basket: Basket, available: Ints) -> list[_Part]:
    """The lines by route; lines of one SKU become one row, for they share one stock."""
    routes: dict[tuple[str, ...], dict[str, list[int]]] = {}
    for at, line in enumerate(basket.lines):
        routes.setdefault(line_routes(line.kind), {}).setdefault(line.sku, []).append(at)
    parts = []
    for route, rows in routes.items():
        lines = list(rows.values())
        quantity = np.array([sum(basket.lines[at].quantity for at in row) for row in lines], dtype=np.int64)
        first = [row[0] for row in lines]
        stock = available if len(first) == len(available) else available[first]
        parts.append(_Part(route, lines, quantity, np.maximum(np.minimum(stock, quantity[:, None]), 0)))
    return parts


def _planned(
    network: Network,
    basket: Basket,
    part: _Part,
    distance: Ints,
    rule: tuple[int, Strategy, bytes],
    excluded: Collection[tuple[int | None, int]],
) -> Findings:
    """The best plan of one part, with what ruled each node out."""
    position, strategy, digest = rule
    goods = part.route == GOODS
    filters = strategy.filters if goods else ()
    eligible = network.open & network.route_kinds[part.route]
    ruled_out = None
    if filters:
        ruled_out = _ruled_out(network, basket, distance, position, strategy, digest)
        eligible &= ruled_out == NO_FILTER
    if network.limited and basket.load is not None:
        eligible &= (network.capacity_per_day < 0) | (basket.load < network.capacity_per_day)
    seen = part.stock
    stock = seen * eligible
    refused = _refuse(stock, part, excluded)
    task = kernel.Task(
        part.quantity,
        stock,
        distance,
        network.priority,
        strategy.objective.mode if goods else FEWEST,
        strategy.split.max_packages if goods else None,
    )
    plan = kernel.best(task)
    return Findings(
        route=part.route,
        rows=part.lines,
        task=task,
        seen=seen,
        eligible=eligible,
        filters=filters,
        ruled_out=ruled_out,
        refused=refused,
        plan=plan,
        runner_up=kernel.runner_up(task, plan) if plan else None,
        best_single=_single(task, plan),
        placements=_handed_out(basket, part, kernel.place(task, plan)) if plan else [],
    )


def _single(task: kernel.Task, plan: kernel.Plan | None) -> kernel.Plan | None:
    return plan if plan is None or len(plan.nodes) == 1 else kernel.best_single(task)


def _ruled_out(
    network: Network, basket: Basket, distance: Ints, position: int, strategy: Strategy, digest: bytes
) -> NDArray[np.int16]:
    """Per node the first filter that it fails. A destination without a place passes filters on the distance."""
    key = (digest, position)
    first = network.prepared.get(key)
    if first is None:
        first = np.full(len(network), NO_FILTER, dtype=np.int16)
        for at, each in reversed(list(enumerate(strategy.filters))):
            if each.field != DISTANCE:
                first[~each.passes(network)] = at
        if len(network.prepared) >= MOST_PREPARED:
            network.prepared.clear()
        network.prepared[key] = first
    if basket.destination.lat is None or basket.destination.lon is None:
        return first
    for at, each in enumerate(strategy.filters):
        if each.field == DISTANCE:
            first = np.where(each.near_enough(distance), first, np.minimum(first, np.int16(at)))
    return first


def _refuse(stock: Ints, part: _Part, excluded: Collection[tuple[int | None, int]]) -> tuple[int, ...]:
    """Take excluded stock out of sight; the nodes that were excluded for any of these lines."""
    nodes = set()
    for line, node in excluded:
        for row, lines in enumerate(part.lines):
            if line is None or line in lines:
                stock[row, node] = 0
                nodes.add(node)
    return tuple(sorted(nodes))


def _handed_out(
    basket: Basket, part: _Part, rows: Sequence[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    """Placements of rows as placements of lines: lines of one SKU take from the nodes in order."""
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


def _unfilled(basket: Basket, placements: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]]:
    left = [line.quantity for line in basket.lines]
    for line, _, quantity in placements:
        left[line] -= quantity
    return [(line, quantity) for line, quantity in enumerate(left) if quantity]


def _alternative(network: Network, findings: Findings, plan: kernel.Plan | None) -> Alternative | None:
    if plan is None:
        return None
    miles = explanations.miles_of(network, findings.task.distance, plan.nodes)
    return Alternative(plan.nodes, plan.filled, len(plan.nodes), miles)


def _input_hash(
    network: Network,
    basket: Basket,
    rule: Rule,
    available: Ints,
    excluded: Collection[tuple[int | None, int]],
) -> str:
    """SHA-256 over everything the decision depends on."""
    pairs = sorted((-1 if line is None else line, node) for line, node in set(excluded))
    lines = [(line.sku, line.kind, line.quantity, line.weight_g) for line in basket.lines]
    to = basket.destination
    place = (to.lat, to.lon, to.region, to.postal_code, to.country)
    said = repr((lines, place, basket.channel, basket.ship_complete, pairs))
    digest = hashlib.sha256(network.digest + rule.digest + said.encode("utf-8", "surrogatepass"))
    digest.update(available.data)
    if basket.load is not None and network.limited:
        digest.update(np.ascontiguousarray(basket.load, dtype=np.int64).data)
    return digest.hexdigest()
