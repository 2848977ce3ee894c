"""Random orders through the whole decision by figures in order, each with a tolerance, and by a score, against every
plan there is.

As in `test_proof`, the reference knows nothing of the kernel. A figure is counted in whole millionths of its own unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.routing.test_proof import (
    Order,
    Parcel,
    Parcels,
    Placements,
    allowed,
    decided,
    groups,
    miles,
    postage,
    random_order,
    ties,
)

MILLION = 1_000_000
WEST = (0.0, 0.11, 0.31, 0.73)  # degrees: no two pairs of nodes are as far together
SCORE_SCALE = 1_000 * MILLION
OF_PACKAGES: dict[str, Callable[[Order, int], int]] = {
    "packages": lambda order, node: MILLION,
    "distance": lambda order, node: round(miles(order, node) * MILLION),
    "transit_days": lambda order, node: (1, 2, 3)[order.zones[node]] * MILLION,
    "priority": lambda order, node: order.nodes[node].priority * MILLION,
    "handling": lambda order, node: round(order.nodes[node].handling_per_package * MILLION),
}
OF_UNITS: dict[str, Callable[[Order, int, int], int]] = {
    "handling": lambda order, node, line: round(order.nodes[node].handling_per_unit * MILLION),
    "inventory_balance": lambda order, node, line: emptiness(order.stock[line], node),
}
OF_CONTENTS: dict[str, Callable[[Order, int, Parcel], int]] = {
    "shipping": lambda order, node, parcel: round(postage(order, node, parcel) * MILLION),
}
FIGURES = sorted(OF_PACKAGES | OF_UNITS | OF_CONTENTS)
Terms = list[dict[str, Any]]


def emptiness(row: list[int], node: int) -> int:
    """How far a node's stock lies below the fullest node's: (e^x - 1) / (e - 1) of the share that is missing."""
    return round(math.expm1(1 - row[node] / max(1, *row)) / (math.e - 1) * MILLION)


def random_terms(rng: np.random.Generator, extra: str, values: list[float]) -> Terms:
    names = rng.permutation(FIGURES)[: int(rng.integers(1, 4))].tolist()
    return [{"term": name, extra: float(rng.choice(values))} for name in names]


def random_case(rng: np.random.Generator) -> Order:
    order = random_order(rng)
    nodes = [
        replace(node, rate_card="C", lon=(node.lon or 0) - west)
        for node, west in zip(order.nodes, WEST, strict=False)
    ]
    return replace(order, nodes=nodes)


def counted(order: Order, name: str, parcels: Parcels, times: float = 1) -> int:
    """What the packages of a plan come to in one figure, every amount times a weight."""
    total = 0
    for node, parcel in parcels.items():
        if name in OF_PACKAGES:
            total += round(OF_PACKAGES[name](order, node) * times)
        if name in OF_UNITS:
            total += sum(round(OF_UNITS[name](order, node, line) * times) * units for line, units in parcel)
        if name in OF_CONTENTS:
            total += round(OF_CONTENTS[name](order, node, parcel) * times)
    return total


def fullest(order: Order, lines: list[int], whole: bool) -> list[tuple[Placements, Parcels]]:
    """The plans that fill the most units."""
    found = list(allowed(order, lines, whole))
    filled = [sum(units for _, _, units in plan) for plan, _ in found]
    return [each for each, units in zip(found, filled, strict=True) if units == max(filled)]


def first_in_order(order: Order, terms: Terms, lines: list[int], whole: bool) -> Placements:
    """Figure by figure the plans that come within its tolerance of the least; of the last figure the least."""
    left = fullest(order, lines, whole)
    for term in terms:
        values = [counted(order, term["term"], parcels) for _, parcels in left]
        if not values:
            return ()
        most = min(values)
        if term is not terms[-1]:
            most += int(abs(most) * term["tolerance"])
        left = [each for each, value in zip(left, values, strict=True) if value <= most]
    return min(ties(order, plan) for plan, _ in left)[-1]


def best_score(order: Order, terms: Terms, lines: list[int], whole: bool) -> Placements:
    """Shares of figures, each on the scale of how far the nodes lie apart in it if they sent everything."""
    everything = [(at, order.lines[at].quantity) for at in lines]
    total = sum(term["weight"] for term in terms)
    scales = {}
    for term in terms:
        alone = [counted(order, term["term"], {node: everything}) for node in range(len(order.nodes))]
        scales[term["term"]] = (
            term["weight"] / total * SCORE_SCALE / float(max(alone) - min(alone) or MILLION)
        )
    ranks = [
        (sum(counted(order, name, parcels, times) for name, times in scales.items()), *ties(order, plan))
        for plan, parcels in fullest(order, lines, whole)
    ]
    return min(ranks)[-1] if ranks else ()


def check_in_order(rng: np.random.Generator) -> None:
    order, terms = random_case(rng), random_terms(rng, "tolerance", [0.0, 0.0, 0.05, 0.3, 1.0])
    expected = [first_in_order(order, terms, lines, whole) for lines, whole in groups(order)]
    found = decided(order, {"mode": "lexicographic", "terms": terms})
    assert list(found) == sorted(one for each in expected for one in each)


def check_score(rng: np.random.Generator) -> None:
    order, terms = random_case(rng), random_terms(rng, "weight", [0.5, 1.0, 2.0, 3.5])
    if order.routed == "together":  # amounts of lines that are one are rounded together
        order = replace(order, routed="apart")
    expected = [best_score(order, terms, lines, whole) for lines, whole in groups(order)]
    found = decided(order, {"mode": "score", "terms": terms})
    assert list(found) == sorted(one for each in expected for one in each)


CHECKS = [check_in_order, check_score]


@pytest.mark.parametrize("check", CHECKS)
def test_every_order_by_its_best_plan(check: Callable[[np.random.Generator], None]) -> None:
    rng = np.random.default_rng(60_000)
    for _ in range(200):
        check(rng)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(CHECKS))
def test_any_order_by_its_best_plan(seed: int, check: Callable[[np.random.Generator], None]) -> None:
    check(np.random.default_rng(seed))


@pytest.mark.full
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("part", range(5))
def test_ten_thousand_orders(check: Callable[[np.random.Generator], None], part: int) -> None:
    rng = np.random.default_rng(70_000 + part)
    for _ in range(1_000):
        check(rng)
