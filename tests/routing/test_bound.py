"""The bound of a replay: below whatever any plans could cost, and not far below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from app.routing.replay.bound import bound
from app.routing.replay.instance import Profile
from app.routing.replay.policies import route
from app.routing.replay.reading import instance_of
from tests.routing.test_replay import package, small

Sent = Counter[tuple[str, str]]


def few(seed: int) -> dict[str, Any]:
    """So few orders that every way to send them can be looked at."""
    given = small(seed, days=1)
    given["orders"] = given["orders"][:3]
    for order in given["orders"]:
        order["lines"] = order["lines"][:2]
    given["nodes"] = given["nodes"][:3]
    given["stock"] = [one for one in given["stock"] if one["node"] in {"N0", "N1", "N2"}]
    return given


def divisions(units: int, nodes: int) -> Iterator[tuple[int, ...]]:
    """Every way to take so many units from so many nodes."""
    if nodes == 1:
        yield (units,)
        return
    for first in range(units + 1):
        for rest in divisions(units - first, nodes - 1):
            yield (first, *rest)


def ways(given: dict[str, Any], order: dict[str, Any], units: dict[str, int]) -> list[tuple[float, Sent]]:
    """Every way to send an order's units, lines divided or not, with what its packages cost."""
    names = [node["id"] for node in given["nodes"]]
    found = []
    for division in product(*(divisions(count, len(names)) for count in units.values())):
        cost, sent = 0.0, Sent()
        for at, node in enumerate(given["nodes"]):
            inside = Counter({sku: line[at] for sku, line in zip(units, division, strict=True) if line[at]})
            if inside:
                cost += package(given, order, node, inside)
                sent.update({(node["id"], sku): count for sku, count in inside.items()})
                sent[node["id"], ""] += 1
        found.append((cost, sent))
    return sorted(found, key=lambda way: way[0])


def cheapest(choices: list[list[tuple[float, Sent]]], left: Sent) -> float:
    """The least that all orders cost together within what is left."""
    if not choices:
        return 0.0
    least = float("inf")
    for cost, sent in choices[0]:
        if cost >= least:
            break
        if all(count <= left[place] for place, count in sent.items()):
            least = min(least, cost + cheapest(choices[1:], left - sent))
    return least


@pytest.mark.parametrize("seed", range(40))
def test_no_plans_cost_less_than_the_bound(seed: int) -> None:
    given = few(seed)
    instance = instance_of(given)
    decisions = list(route(instance, Profile(), "nearest"))
    left = Sent({(one["node"], one["sku"]): one["qty"] for one in given["stock"]})
    for node in given["nodes"]:
        limit = node["capacity_per_day"]
        left[node["id"], ""] = 99 if limit is None else limit
    choices, lost = [], 0
    for order, decision in zip(given["orders"], decisions, strict=True):
        filled: Counter[str] = Counter()
        for line, _, units in decision.placements:
            filled[str(instance.skus[decision.order.skus[line]])] += units
        choices.append(ways(given, order, filled))
        lost += sum(units for _, units in decision.unfilled)
    least = cheapest(choices, left) + 5000.0 * lost
    assert 0.85 * least <= bound(instance, decisions) <= least * (1 + 1e-9)
