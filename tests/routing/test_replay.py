"""The replay of streams: every policy keeps the rules of the instance format, and prices are worth their while."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.network.places import zip3_middles
from app.routing.replay.__main__ import main
from app.routing.replay.bound import bound
from app.routing.replay.instance import Profile
from app.routing.replay.policies import POLICIES, route
from app.routing.replay.pricing import days_of
from app.routing.replay.reading import instance_of
from app.routing.replay.shapes import SHAPES, document, quick

RADIUS = 3958.8


def small(seed: int, *, days: int = 3) -> dict[str, Any]:
    """Scarce stock, capacities, quantities that no node holds, repeated SKUs, ties."""
    rng = np.random.default_rng(seed)
    nodes, skus = int(rng.integers(1, 7)), int(rng.integers(1, 9))

    def orders(count: int, name: str) -> list[dict[str, Any]]:
        return [
            {
                "id": f"{name}-{at}",
                "day": at * days // count,
                "lat": float(rng.uniform(25, 48)),
                "lon": float(rng.uniform(-122, -70)),
                "lines": [
                    {"sku": f"S{rng.integers(skus)}", "qty": int(rng.integers(1, 5))}
                    for _ in range(int(rng.integers(1, 4)))
                ],
            }
            for at in range(count)
        ]

    return {
        "currency": "USD",
        "days": days,
        "carrier": {
            "zone_miles": [150, 300, 600, 1000, 1400, 1800],
            "base": [690, 720, 760, 800, 850, 900, 950],
            "per_lb": [25, 30, 35, 40, 50, 60, 70],
        },
        "nodes": [
            {
                "id": f"N{at}",
                "kind": "warehouse",
                "lat": float(rng.uniform(25, 48)),
                "lon": float(rng.uniform(-122, -70)),
                "handling_per_package": float(rng.integers(0, 3) * 50),
                "handling_per_unit": 10.0,
                "capacity_per_day": int(rng.integers(0, 9)) if rng.random() < 0.4 else None,
                "priority": int(rng.integers(0, 3)),
            }
            for at in range(nodes)
        ],
        "skus": [
            {"sku": f"S{at}", "weight_lb": float(rng.integers(1, 9)), "lost_unit_penalty": 5000.0}
            for at in range(skus)
        ],
        "stock": [
            {"node": f"N{node}", "sku": f"S{sku}", "qty": int(rng.integers(0, 8))}
            for node in range(nodes)
            for sku in range(skus)
            if rng.random() < 0.7
        ],
        "history": orders(30, "h") if rng.random() < 0.8 else [],
        "orders": orders(25, "o"),
    }


def far(order: dict[str, Any], node: dict[str, Any]) -> float:
    """Great-circle miles by the haversine formula."""
    a, b = math.radians(order["lat"]), math.radians(node["lat"])
    half = math.sin((b - a) / 2) ** 2
    half += math.cos(a) * math.cos(b) * math.sin(math.radians(node["lon"] - order["lon"]) / 2) ** 2
    return 2 * RADIUS * math.asin(math.sqrt(half))


def zone(given: dict[str, Any], order: dict[str, Any], node: dict[str, Any]) -> int:
    """From 0: by miles; where a rate card tells zones of ZIP areas, by those, or by the miles between their middles."""
    carrier = given["carrier"]
    start, end = (place.get("postal_code", "")[:3] for place in (node, order))
    if "prices" in carrier and end:
        pairs = carrier["zone_pairs"]
        told = pairs.get(start, {}).get(end) or pairs.get(end, {}).get(start)
        if told:
            return int(told) - 1
        node, order = (
            dict(zip(("lat", "lon"), zip3_middles()[int(area)][:2], strict=True)) if area else place
            for area, place in ((start, node), (end, order))
        )
    return sum(far(order, node) > limit for limit in carrier["zone_miles"])


def package(given: dict[str, Any], order: dict[str, Any], node: dict[str, Any], units: Counter[str]) -> float:
    carrier, at = given["carrier"], zone(given, order, node)
    weights = {sku["sku"]: sku["weight_lb"] for sku in given["skus"]}
    pounds = sum(weights[name] * qty for name, qty in units.items())
    handling = node["handling_per_package"] + node["handling_per_unit"] * units.total()
    if "prices" not in carrier:
        return float(carrier["base"][at] + carrier["per_lb"][at] * pounds + handling)
    cost, heaviest = 0.0, carrier["prices"][-1]
    while pounds > heaviest["up_to_lb"] + 1e-9:
        cost, pounds = cost + heaviest["by_zone"][at], pounds - heaviest["up_to_lb"]
    step = next(step for step in carrier["prices"] if pounds <= step["up_to_lb"] + 1e-9)
    return float(cost + step["by_zone"][at] + handling)


def check(given: dict[str, Any], decisions: list[dict[str, Any]]) -> float:
    """Every rule of the format, worked out anew. Returns the cost of all."""
    nodes = {node["id"]: node for node in given["nodes"]}
    stock: Counter[tuple[str, str]] = Counter()
    for one in given["stock"]:
        stock[one["node"], one["sku"]] += one["qty"]
    packages: dict[int, Counter[str]] = defaultdict(Counter)
    total = 0.0
    assert [one["order"] for one in decisions] == [order["id"] for order in given["orders"]]
    for order, made in zip(given["orders"], decisions, strict=True):
        wanted: Counter[str] = Counter()
        for line in order["lines"]:
            wanted[line["sku"]] += line["qty"]
        day = packages[order["day"]]
        able = [
            name
            for name, node in nodes.items()
            if node["capacity_per_day"] is None or day[name] < node["capacity_per_day"]
        ]
        placed: dict[str, Counter[str]] = {}
        for part in made["plan"]:
            assert part["node"] in able
            placed[part["node"]] = Counter({line["sku"]: line["qty"] for line in part["lines"]})
        assert len(placed) == len(made["plan"])
        unfilled = Counter({line["sku"]: line["qty"] for line in made["unfilled"]})
        cost = 0.0
        for sku, quantity in wanted.items():
            given_by = [name for name, units in placed.items() if units[sku]]
            filled = sum(placed[name][sku] for name in given_by)
            there = [stock[name, sku] for name in able]
            assert all(placed[name][sku] <= stock[name, sku] for name in given_by)
            assert filled + unfilled[sku] == quantity
            if any(units >= quantity for units in there):
                assert (filled, len(given_by)) == (quantity, 1)
            else:
                assert filled == min(quantity, sum(there))
        for name, units in placed.items():
            cost += package(given, order, nodes[name], units)
            day[name] += 1
            for sku, quantity in units.items():
                stock[name, sku] -= quantity
        penalty = {sku["sku"]: sku["lost_unit_penalty"] for sku in given["skus"]}
        cost += sum(penalty[sku] * quantity for sku, quantity in unfilled.items())
        assert made["cost"] == pytest.approx(cost, abs=1e-6)
        total += cost
    return total


def written(folder: Path, given: dict[str, Any], policy: str) -> list[dict[str, Any]]:
    source, out = folder / "instance.json", folder / f"{policy}.jsonl"
    source.write_text(json.dumps(given))
    assert main([str(source), "--policy", policy, "--out", str(out)]) == 0
    return [json.loads(line) for line in out.read_text().splitlines()]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(6))
def test_every_policy_keeps_the_rules(tmp_path: Path, policy: str, seed: int) -> None:
    given = small(seed)
    check(given, written(tmp_path, given, policy))


def test_the_cheapest_of_one_order_is_the_cheapest(tmp_path: Path) -> None:
    """On the first order, when nothing is taken yet, no policy is cheaper than myopic."""
    for seed in range(6):
        given = small(seed)
        given["orders"] = given["orders"][:1]
        costs = {policy: check(given, written(tmp_path, given, policy)) for policy in POLICIES}
        assert costs["myopic"] <= min(costs.values()) + 1e-6


@pytest.mark.parametrize("policy", ["priced", "windowed"])
def test_the_same_bytes_in_fresh_processes(tmp_path: Path, policy: str) -> None:
    source = tmp_path / "instance.json.gz"
    source.write_bytes(gzip.compress(json.dumps(small(3)).encode()))
    outs = []
    for at in range(2):
        out = tmp_path / f"{at}.jsonl"
        command = [sys.executable, "-m", "app.routing.replay", str(source), "--policy", policy]
        subprocess.run([*command, "--out", str(out)], capture_output=True, check=True)
        outs.append(out.read_bytes())
    assert outs[0] == outs[1]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"nodes": None}, "nodes"),
        ({"days": "five"}, "days"),
        ({"stock": [{"node": "nowhere", "sku": "S0", "qty": 1}]}, "stock"),
        ({"stock": [{"node": "N0", "sku": "S0", "qty": -1}]}, "stock"),
        ({"carrier": {"zone_miles": [1], "base": [1], "per_lb": [1, 2]}}, "carrier"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], path: str
) -> None:
    source = tmp_path / "instance.json"
    source.write_text(json.dumps({**small(1), **change}))
    assert main([str(source), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert path in said
    assert not (tmp_path / "out").exists()


def test_unknown_fields_are_passed_over(tmp_path: Path) -> None:
    given = small(2)
    given["remark"] = "anything"
    given["nodes"][0]["color"] = "red"
    check(given, written(tmp_path, given, "priced"))


def test_prices_pay() -> None:
    """A guard with slack: the figures of many seeds are in docs/routing.md."""
    instance = instance_of(document(quick(SHAPES["twenty nodes"], 0.5), 77))
    costs, split = {}, {}
    for policy in ("nearest", "single_else_nearest", "myopic", "priced", "windowed"):
        decisions = list(route(instance, Profile(), policy))
        costs[policy] = sum(one.cost for one in decisions)
        split[policy] = sum(len({node for _, node, _ in one.placements}) > 1 for one in decisions)
        if policy == "windowed":
            least = bound(instance, decisions)
    assert costs["priced"] < 0.88 * costs["nearest"]
    assert costs["priced"] < 0.985 * costs["myopic"]
    assert costs["windowed"] < 0.98 * costs["myopic"]
    assert least <= costs["windowed"] < 1.08 * least
    assert split["priced"] < 0.8 * split["single_else_nearest"]


@pytest.mark.parametrize("policy", ["priced", "windowed"])
def test_the_unit_of_money_does_not_matter(policy: str) -> None:
    """Every amount four times as high: the same plans."""
    given = document(quick(SHAPES["twenty nodes"], 0.3), 77)
    carrier = given["carrier"]
    dear = given | {
        "carrier": carrier | {name: [4 * each for each in carrier[name]] for name in ("base", "per_lb")},
        "nodes": [
            node | {name: 4 * node[name] for name in ("handling_per_package", "handling_per_unit")}
            for node in given["nodes"]
        ],
        "skus": [sku | {"lost_unit_penalty": 4 * sku["lost_unit_penalty"]} for sku in given["skus"]],
    }
    assert plans(dear, policy) == plans(given, policy)


@pytest.mark.parametrize("policy", ["priced", "windowed"])
def test_a_day_cut_out_of_a_period_knows_how_many_are_left(policy: str) -> None:
    """A driver may replay a period day by day, with what is left and a history that grows. Of five days numbered from 0
    three come after day 1, as many as after the first of four.
    """
    given = document(quick(SHAPES["twenty nodes"], 0.3), 77)
    second = [order for order in given["orders"] if order["day"] == 1]
    cut = given | {"orders": second}
    told = given | {"orders": [order | {"day": 0} for order in second], "days": 4}
    assert plans(cut, policy) == plans(told, policy)
    assert plans(cut, policy) != plans(cut | {"days": 9}, policy)


@pytest.mark.parametrize("policy", ["priced", "windowed"])
def test_a_history_grown_by_days_that_count_anew(policy: str) -> None:
    """History of days 0 to 4, and after it the days 0 and 1 of this period: seven days, not five."""
    given = document(quick(SHAPES["twenty nodes"], 0.3), 77)
    gone = [order for order in given["orders"] if order["day"] < 2]
    third = [order for order in given["orders"] if order["day"] == 2]
    earlier = [order | {"day": order["day"] - given["days"]} for order in given["history"]]
    anew = given | {"orders": third, "history": given["history"] + gone}
    assert plans(anew, policy) == plans(anew | {"history": earlier + gone}, policy)


def test_days_of_a_history() -> None:
    assert [days_of(days) for days in ([], [3], [-2, -2, 0], [0, 4, 0, 1], [0, 4, 0, 4, 0])] == [
        0,
        1,
        3,
        7,
        11,
    ]
    assert days_of([2, 0, 1, 2, 1, 0]) == 3  # in no order of time


def plans(given: dict[str, Any], policy: str) -> list[Any]:
    return [list(one.placements) for one in route(instance_of(given), Profile(), policy)]
