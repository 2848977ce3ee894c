"""Routing's figures for `bench`: the time of one whole decision, explanation and sentence included, and of the kernel
in it; and what the policies of a replay cost and save on a made-up network.
"""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from app.routing import cheapest, documents, figures
from app.routing.bills import Bill
from app.routing.facts import MICRO, Basket, BasketLine, Destination, Network, NodeFacts
from app.routing.policy import Rule, Split
from app.routing.replay import shapes
from app.routing.replay.table import measured
from app.routing.rules import decide
from app.routing.terms import NO_PRICES, Goods, Lanes, Prices

SHAPES = ((50, 3, 1.0), (200, 6, 2.0), (500, 10, 5.0))  # nodes, lines, p99 aimed at in milliseconds
RUNS, REPEATS = 2_000, 5
Item = TypeVar("Item")
REPLAY_SEED = 201
KINDS = ("warehouse", "store", "store", "store")
CARD = {
    "code": "GROUND",
    "service": "Ground",
    "zone_by": "distance",
    "zone_miles": [150, 300, 600, 1000, 1400, 1800],
    "dim_divisor": 139,
    "dim_unit": "in3_per_lb",
    "dim_over": 0,
    "surcharges": [],
    "fuel_basis_points": 0,
    "transit_days": [1, 2, 2, 3, 4, 5, 6],
    "prices": [
        [454 * pound, [690 + 60 * zone + (25 + 12 * zone) * (pound - 1) for zone in range(7)]]
        for pound in range(1, 51)
    ],
}
"""A carrier with a price for every pound and zone."""
BY_COST = ("shipping", "handling", "stock_price", "capacity_price")
STOCKED = (0.9, 0.5, 0.3, 0.15)  # share of the assortment on hand, order by order: plentiful to scarce


def network_of(nodes: int, seed: int = 1) -> Network:
    """A synthetic network over the contiguous United States."""
    rng = np.random.default_rng(seed)
    return Network.build(
        [
            NodeFacts(
                id=f"node-{at}",
                code=f"N-{at:03d}",
                name=f"Node {at}",
                kind=KINDS[at % len(KINDS)],
                lat=float(rng.uniform(28.0, 48.0)),
                lon=float(rng.uniform(-122.0, -72.0)),
                priority=int(rng.integers(0, 3)),
                country="US",
                handling_per_package=float(rng.integers(50, 300)),
                handling_per_unit=float(rng.integers(5, 60)),
                rate_card="GROUND",
            )
            for at in range(nodes)
        ],
        [(CARD, {})],
    )


def baskets_of(
    network: Network, lines: int, count: int, stocked: Sequence[float], seed: int = 2
) -> list[Basket]:
    """Orders of 1 to 3 units a line, against stock that holds a share of the assortment at each node."""
    rng = np.random.default_rng(seed)
    baskets = []
    for at in range(count):
        share = stocked[at % len(stocked)]
        shape = (lines, len(network))
        available = np.where(rng.random(shape) < share, rng.integers(1, 20, shape), 0)
        baskets.append(
            Basket(
                lines=[BasketLine(f"SKU-{n}", "stock", int(rng.integers(1, 4)), 500) for n in range(lines)],
                destination=Destination(
                    float(rng.uniform(28, 48)), float(rng.uniform(-122, -72)), "", "", "US"
                ),
                available=available,
                channel="web",
            )
        )
    return baskets


def prices_of(network: Network, lines: int, seed: int = 3) -> Prices:
    """A price on every unit and package, up to four dollars and one."""
    rng = np.random.default_rng(seed)
    stock = {f"SKU-{n}": rng.integers(0, 400 * MICRO, len(network)) for n in range(lines)}
    return Prices(1, stock, rng.integers(0, 100 * MICRO, len(network)), None, b"1")


def rule_in_money() -> Rule:
    """Every cost that a rule can weigh by itself."""
    objective = {"mode": "cost", "terms": [{"term": name} for name in BY_COST]}
    return documents.parse({"name": "Cost", "strategies": [{"id": "all", "objective": objective}]})


def bill_of(network: Network, basket: Basket, rule: Rule, prices: Prices) -> Bill:
    """What the kernel is asked for a basket of which every node may send what it holds."""
    quantity = np.array([line.quantity for line in basket.lines], dtype=np.int64)
    goods = Goods.of(basket, [[line] for line in range(len(basket.lines))], quantity, basket.available)
    given = (network, goods, Lanes(network, basket), prices)
    stock = np.minimum(basket.available, quantity[:, None])
    counted = figures.weighed(rule.strategies[0].objective, given, np.logical_or.reduce(stock > 0))
    return figures.bill(counted, stock, given, Split())


def measure(
    nodes: int,
    lines: int,
    runs: int = RUNS,
    stocked: Sequence[float] = STOCKED,
    *,
    in_money: bool = False,
) -> dict[str, float]:
    """Milliseconds of this thread per decision, explanation included, over different orders, each decided REPEATS
    times after a short warm-up: `{"p50", "p99"}` of all times; `{"own"}` the 99th percentile over the orders of each
    one's least time, which is what the orders themselves take, without what else goes on in the machine. By the
    default rule, or `in_money` by every cost."""
    network = network_of(nodes)
    rule = rule_in_money() if in_money else documents.parse(documents.default_document())
    prices = prices_of(network, lines) if in_money else NO_PRICES
    baskets = baskets_of(network, lines, max(1, runs // REPEATS), stocked)
    return _timed(lambda basket: decide(network, basket, rule, prices=prices).explanation, baskets)


def measure_kernel(nodes: int, lines: int, runs: int = RUNS) -> dict[str, float]:
    """As `measure` by every cost, of the kernel alone: the best plan, its runner-up and the best single node, of costs
    that are known. What is due each order besides is reading its rule and stock, and saying why."""
    network, rule = network_of(nodes), rule_in_money()
    prices = prices_of(network, lines)
    baskets = baskets_of(network, lines, max(1, runs // REPEATS), STOCKED)
    return _timed(cheapest.compared, [bill_of(network, basket, rule, prices) for basket in baskets])


def _timed(work: Callable[[Item], object], items: Sequence[Item]) -> dict[str, float]:
    for item in items[:40]:
        work(item)
    taken = np.empty((REPEATS, len(items)))
    for repeat, at in itertools.product(range(REPEATS), range(len(items))):
        started = time.thread_time()
        work(items[at])
        taken[repeat, at] = (time.thread_time() - started) * 1_000
    p50, p99 = np.percentile(taken, [50, 99])
    own = np.percentile(taken.min(axis=0), 99)
    return {"p50": float(p50), "p99": float(p99), "own": float(own)}


def rows(runs: int = RUNS) -> list[dict[str, str | float]]:
    """`{name, value, unit}` per figure; under a target also `ratio_to_limit` (1 and less is within it)."""
    gc.freeze()  # as the processes that decide live
    found: list[dict[str, str | float]] = []
    measures: dict[str, Callable[..., dict[str, float]]] = {
        "decision": measure,
        "by cost": partial(measure, in_money=True),
        "kernel by cost": measure_kernel,
    }
    for (nodes, lines, limit), (what, measure_it) in itertools.product(SHAPES, measures.items()):
        taken = measure_it(nodes, lines, runs)
        name = f"routing {what}, {nodes} nodes x {lines} lines"
        found.append({"name": f"{name}, p50", "value": round(taken["p50"], 4), "unit": "ms"})
        for words, which in (("p99", "p99"), ("p99 of the orders' least times", "own")):
            found.append(
                {
                    "name": f"{name}, {words}",
                    "value": round(taken[which], 4),
                    "unit": "ms",
                    "ratio_to_limit": round(taken[which] / limit, 3),
                }
            )
    return found


def policy_rows() -> list[dict[str, str | float]]:
    """Each policy on one made-up instance: cost against the nearest walk, orders split, CPU of the whole replay."""
    name = "twenty nodes"
    shape = shapes.SHAPES[name]
    found: list[dict[str, str | float]] = []
    for _, _, by_policy in measured({name: shape}, [REPLAY_SEED], bounded=False):
        nearest = by_policy["nearest"].cost
        for policy, result in by_policy.items():
            what = f"replay of {shape.orders} orders, {name}, {policy}"
            found += [
                {"name": f"{what}: cost", "value": round(result.cost / nearest, 4), "unit": "of nearest"},
                {"name": f"{what}: split", "value": round(100 * result.split, 1), "unit": "% of orders"},
                {"name": f"{what}: CPU", "value": round(result.seconds, 2), "unit": "s"},
            ]
    return found


def main() -> None:
    for row in [*rows(), *policy_rows()]:
        print(f"{row['name']:<64} {row['value']:>9} {row['unit']}")


if __name__ == "__main__":
    main()
