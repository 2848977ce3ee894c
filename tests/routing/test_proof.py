"""Random orders through the whole decision, by rules in money, against every plan there is.

The reference knows nothing of the kernel: it tries every way to place every line, prices each package from the rate
card and the nodes as they were written down, and compares plans as the design says.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing import documents
from app.routing.facts import MICRO, Basket, BasketLine, Destination, Network, NodeFacts
from app.routing.policy import Rule
from app.routing.rules import decide
from app.routing.terms import Prices

TO = Destination(43.6, -116.2, "ID", "83702", "US")
DIVISOR = 5000  # cubic centimeters to a kilogram
Placements = tuple[tuple[int, int, int], ...]
Parcel = list[tuple[int, int]]
"""(line, units) of what one node sends."""
Parcels = dict[int, Parcel]


@dataclass(frozen=True)
class Order:
    """Nodes, lines, stock, the rules' bounds, and the rate card by zone: [(heaviest grams, price)]."""

    nodes: list[NodeFacts]
    lines: list[BasketLine]
    stock: list[list[int]]
    stock_price: list[list[int]]
    steps: list[list[tuple[int, int]]]
    zones: list[int]
    cap: int | None
    least_value: int
    gather: bool
    routed: str
    """What becomes of the marked lines: `apart`, `together`, or nothing of their own."""


def random_order(rng: np.random.Generator) -> Order:
    """Few different prices and distances in half of the orders, so that many plans are as good."""
    count, lines = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    coarse = rng.random() < 0.5
    zones = sorted(rng.integers(0, 3, count).tolist())
    price = lambda most: int(rng.integers(0, 3)) * 100 if coarse else int(rng.integers(0, most))  # noqa: E731
    nodes = [
        NodeFacts(
            f"id-{at}", f"N{at}", f"Node {at}", "warehouse", 43.6 + (0.5, 5.0, 12.0)[zone] + at / 1000, -116.2,
            priority=int(rng.integers(0, 3)), country="US", rate_card="C" if rng.random() < 0.97 else None,
            handling_per_package=price(400), handling_per_unit=price(90),
        )
        for at, zone in enumerate(zones)
    ]  # fmt: skip
    quantities = rng.integers(1, 4, lines).tolist()
    return Order(
        nodes=nodes,
        lines=[
            BasketLine(
                f"S{at}", "stock", quantity, int(rng.integers(1, 9)) * 100, int(rng.integers(0, 5)) * 800,
                value=int(rng.integers(1, 6)) * quantity * 100,
                attributes={"hazard": True} if rng.random() < 0.4 else {},
            )
            for at, quantity in enumerate(quantities)
        ],
        stock=np.where(rng.random((lines, count)) < rng.random(), rng.integers(0, 4, (lines, count)), 0).tolist(),
        stock_price=[[price(300) for _ in range(count)] for _ in range(lines)],
        steps=[
            [(grams, (at + 1) * 200 + int(rng.integers(0, 4)) * 50) for at, grams in enumerate((500, 1200, 3000))]
            for _ in range(3)
        ],
        zones=zones,
        cap=int(rng.integers(1, 4)) if rng.random() < 0.4 else None,
        least_value=int(rng.integers(1, 8)) * 100 if rng.random() < 0.3 else 0,
        gather=bool(rng.random() < 0.8),
        routed=str(rng.choice(["", "apart", "together"])),
    )  # fmt: skip


IN_MONEY = {"mode": "cost", "terms": [{"term": "shipping"}, {"term": "handling"}, {"term": "stock_price"}]}


def network_of(order: Order) -> Network:
    """Its nodes with the rate card."""
    card = {
        "code": "C", "service": "Ground", "zone_by": "distance", "zone_miles": [100, 500],
        "dim_divisor": DIVISOR, "dim_unit": "cm3_per_kg", "dim_over": 0, "surcharges": [],
        "fuel_basis_points": 0, "transit_days": [1, 2, 3],
        "prices": [
            [grams, [order.steps[zone][at][1] for zone in range(3)]]
            for at, (grams, _) in enumerate(order.steps[0])
        ],
    }  # fmt: skip
    return Network.build(order.nodes, [(card, {})])


def rule_of(order: Order, objective: dict[str, Any] | str) -> Rule:
    """A rule with its bounds."""
    split = {"least_package_value": order.least_value, "lines": order.gather}
    rule: dict[str, Any] = {
        "name": "Proof",
        "strategies": [
            {
                "id": "all",
                "objective": objective,
                "split": split | ({"max_packages": order.cap} if order.cap else {}),
            }
        ],
    }
    if order.routed:
        hazard = {"field": "product.hazard", "op": "exists", "value": True}
        rule["line_routes"] = [{"id": "marked", "when": hazard, order.routed: True}]
    assert documents.validate(rule) == []
    return documents.parse(rule)


def prices_of(order: Order) -> Prices:
    """Its table of prices."""
    stock_price = {
        line.sku: np.array(row) * MICRO for line, row in zip(order.lines, order.stock_price, strict=True)
    }
    return Prices(1, stock_price, None, None, b"1")


def decided(order: Order, objective: dict[str, Any] | str) -> Placements:
    """By the rules, as live."""
    given = Basket(order.lines, TO, np.array(order.stock), "web")
    decision = decide(network_of(order), given, rule_of(order, objective), prices=prices_of(order))
    assert decision.exact
    return tuple(decision.placements)


def groups(order: Order) -> Iterator[tuple[list[int], bool]]:
    """Lines that are planned together, and whether as one."""
    marked = [at for at, line in enumerate(order.lines) if line.attributes] if order.routed else []
    rest = [at for at in range(len(order.lines)) if at not in marked]
    if marked:
        yield marked, order.routed == "together"
    if rest:
        yield rest, False


def plans(order: Order, lines: list[int], whole: bool) -> Iterator[Placements]:
    """Every way to place the lines, what is short included."""
    if whole:
        for node in range(len(order.nodes)):
            if all(order.stock[at][node] >= order.lines[at].quantity for at in lines):
                yield tuple((at, node, order.lines[at].quantity) for at in lines)
        return
    ways = []
    for at in lines:
        row, wanted = order.stock[at], order.lines[at].quantity
        one = [((at, node, wanted),) for node, units in enumerate(row) if units >= wanted]
        if not one and order.gather:
            shares = product(*(range(units + 1) for units in row))
            one = [
                tuple((at, node, units) for node, units in enumerate(share) if units)
                for share in shares
                if 0 < sum(share) <= wanted
            ]
        ways.append([(), *one])
    for way in product(*ways):
        yield tuple(placement for line in way for placement in line)


def allowed(order: Order, lines: list[int], whole: bool) -> Iterator[tuple[Placements, Parcels]]:
    """Those within the order's bounds, with what each node sends."""
    for plan in plans(order, lines, whole):
        parcels: Parcels = defaultdict(list)
        for at, node, units in plan:
            parcels[node].append((at, units))
        if order.cap and len(parcels) > order.cap:
            continue
        worth = [sum(order.lines[at].value // order.lines[at].quantity * units for at, units in parcel)
                 for parcel in parcels.values()]  # fmt: skip
        if len(parcels) < 2 or min(worth) >= order.least_value:
            yield plan, parcels


def postage(order: Order, node: int, parcel: Parcel) -> float:
    """Of one package in minor units; several cartons where it is too heavy for one."""
    grams = sum(order.lines[at].weight_g * units for at, units in parcel)
    volume = sum(order.lines[at].volume_cm3 * units for at, units in parcel)
    if order.nodes[node].rate_card is None:
        return 700 + 0.35 * miles(order, node) + 45 * grams / 1000
    billed = max(grams, math.ceil(volume * 1000 / DIVISOR - 1e-6))
    full, left = divmod(billed - 1, order.steps[0][-1][0])
    steps = order.steps[order.zones[node]]
    return full * steps[-1][1] + next(price for heaviest, price in steps if left + 1 <= heaviest)


def miles(order: Order, node: int) -> float:
    own = order.nodes[node]
    lat, lon = math.radians(own.lat or 0), math.radians(own.lon or 0)
    to = math.radians(TO.lat or 0), math.radians(TO.lon or 0)
    half = math.sin((lat - to[0]) / 2) ** 2
    half += math.cos(lat) * math.cos(to[0]) * math.sin((lon - to[1]) / 2) ** 2
    return 2 * 3958.8 * math.asin(math.sqrt(half))


def cost(order: Order, node: int, parcel: Parcel) -> float:
    """One package in minor units."""
    own, units = order.nodes[node], sum(units for _, units in parcel)
    handling = own.handling_per_package + own.handling_per_unit * units
    return (
        postage(order, node, parcel)
        + handling
        + sum(order.stock_price[at][node] * units for at, units in parcel)
    )


def ties(order: Order, plan: Placements) -> tuple[Any, ...]:
    """How plans that are as good compare: priority, nodes, lines in order to the lower node; and at last the plan."""
    nodes = tuple(sorted({node for _, node, _ in plan}))
    numbers = sum(order.nodes[node].priority for node in nodes)
    return numbers, nodes, [(at, node, -units) for at, node, units in plan], plan


def best(order: Order, lines: list[int], whole: bool) -> Placements:
    """The plan that comes first: units, cost, and what settles ties."""
    known: dict[tuple[int, tuple[tuple[int, int], ...]], float] = {}
    ranks = []
    for plan, parcels in allowed(order, lines, whole):
        total = 0.0
        for node, parcel in parcels.items():
            key = node, tuple(parcel)
            if key not in known:
                known[key] = cost(order, node, parcel)
            total += known[key]
        filled = sum(units for _, _, units in plan)
        ranks.append((-filled, round(total, 5), *ties(order, plan)))
    return min(ranks)[-1] if ranks else ()


def check(order: Order) -> None:
    expected = sorted(one for lines, whole in groups(order) for one in best(order, lines, whole))
    assert list(decided(order, IN_MONEY)) == expected


@pytest.mark.parametrize("part", range(4))
def test_every_order_by_its_cheapest_plan(part: int) -> None:
    rng = np.random.default_rng(40_000 + part)
    for _ in range(150):
        check(random_order(rng))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_any_order_by_its_cheapest_plan(seed: int) -> None:
    check(random_order(np.random.default_rng(seed)))


@pytest.mark.full
@pytest.mark.parametrize("part", range(10))
def test_ten_thousand_orders(part: int) -> None:
    rng = np.random.default_rng(50_000 + part)
    for _ in range(1_000):
        check(random_order(rng))
