"""The rules of the instance format hold on whatever instance, for every policy; and what cannot be read is named."""

from __future__ import annotations

import copy
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.routing.replay.__main__ import lines, main
from app.routing.replay.instance import Order, Profile
from app.routing.replay.policies import POLICIES, route
from app.routing.replay.reading import instance_of
from app.routing.replay.stream import Ledger, Placements
from tests.routing.test_replay import check, small

SKUS, ZIPS = ("A", "B", "C", "D"), ("10001", "33101", "60601", "94103", "99501")
PLACES = {
    "10001": (40.75, -73.99),
    "33101": (25.78, -80.2),
    "60601": (41.89, -87.62),
    "94103": (37.77, -122.41),
}


@st.composite
def places(draw: st.DrawFn) -> dict[str, Any]:
    code = draw(st.sampled_from(ZIPS))
    lat, lon = PLACES.get(code, (61.2, -149.9))
    return {"lat": lat, "lon": lon} | ({"postal_code": code} if draw(st.booleans()) else {})


@st.composite
def orders(draw: st.DrawFn, name: str) -> list[dict[str, Any]]:
    days = sorted(draw(st.lists(st.integers(0, 2), max_size=6)))
    line = st.fixed_dictionaries({"sku": st.sampled_from(SKUS), "qty": st.integers(1, 6)})
    return [
        {"id": f"{name}{at}", "day": day, **draw(places()), "lines": draw(st.lists(line, max_size=5))}
        for at, day in enumerate(days)
    ]


@st.composite
def carriers(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"zone_miles": [300, 1000], "base": [600, 700, 950], "per_lb": [20, 30, 80]}
    return {
        "zone_miles": [300, 1000],
        "prices": [
            {"up_to_lb": 2, "by_zone": [600, 700, 950, 990]},
            {"up_to_lb": 10, "by_zone": [700, 900, 1500, 1700]},
        ],
        "zone_pairs": {"100": {"941": 4, "331": 1}, "606": {"100": 2}},
    }


@st.composite
def instances(draw: st.DrawFn) -> dict[str, Any]:
    nodes = [
        {
            "id": f"N{at}",
            "kind": "store",
            **draw(places()),
            "handling_per_package": draw(st.sampled_from([0, 120.5])),
            "handling_per_unit": draw(st.sampled_from([0, 35])),
            "capacity_per_day": draw(st.sampled_from([None, None, 0, 1, 3])),
            "priority": draw(st.integers(-1, 2)),
        }
        for at in range(draw(st.integers(1, 4)))
    ]
    stock = draw(
        st.lists(st.tuples(st.integers(0, len(nodes) - 1), st.sampled_from(SKUS), st.integers(0, 5)))
    )
    weights = st.sampled_from([0, 0.5, 3, 11])
    return {
        "currency": "USD",
        "days": 3,
        "carrier": draw(carriers()),
        "nodes": nodes,
        "skus": [{"sku": sku, "weight_lb": draw(weights), "lost_unit_penalty": 2500} for sku in SKUS],
        "stock": [{"node": f"N{at}", "sku": sku, "qty": units} for at, sku, units in stock],
        "history": draw(orders("h")),
        "orders": draw(orders("o")),
    }


def decided(document: dict[str, Any], policy: str) -> list[dict[str, Any]]:
    instance = instance_of(json.loads(json.dumps(document)))
    return [json.loads(line) for line in lines(instance, route(instance, Profile(), policy))]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=instances(), policy=st.sampled_from(list(POLICIES)))
def test_the_rules_hold_on_any_instance(document: dict[str, Any], policy: str) -> None:
    check(document, decided(document, policy))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=instances())
def test_no_policy_is_cheaper_than_myopic_on_a_first_order(document: dict[str, Any]) -> None:
    document["orders"] = document["orders"][:1]
    costs = {policy: sum(one["cost"] for one in decided(document, policy)) for policy in POLICIES}
    assert costs["myopic"] <= min(costs.values()) + 1e-6


def wide(count: int, quantity: int = 1) -> dict[str, Any]:
    """One order of so many lines after another; each SKU lies in one or two of five nodes, twice what is asked."""
    document = small(4)
    names = [f"W{at:02}" for at in range(count)]
    document["nodes"] = [
        {**document["nodes"][0], "id": f"N{at}", "capacity_per_day": None} for at in range(5)
    ]
    for at, node in enumerate(document["nodes"]):
        node["lat"], node["lon"] = 30.0 + 3 * at, -80.0 - 9 * at
    document["skus"] = [
        {"sku": name, "weight_lb": 1 + at % 4, "lost_unit_penalty": 2500} for at, name in enumerate(names)
    ]
    document["stock"] = [
        {"node": f"N{(at * step + step) % 5}", "sku": name, "qty": 2 * quantity}
        for at, name in enumerate(names)
        for step in (1, 2)
    ]
    document["orders"] = [
        {
            "id": f"o{nth}",
            "day": nth,
            "lat": 33.0 + nth,
            "lon": -90.0,
            "lines": [{"sku": name, "qty": quantity} for name in names],
        }
        for nth in range(3)
    ]
    document["history"] = document["orders"][:1]
    return document


def scattered(nodes: int) -> dict[str, Any]:
    """Many nodes with a single unit of most SKUs: whatever is wanted twice must be gathered."""
    document, rng = small(5), np.random.default_rng(5)
    document["nodes"] = [
        {
            **document["nodes"][0],
            "id": f"N{at:02}",
            "lat": float(rng.uniform(25, 48)),
            "lon": float(rng.uniform(-122, -70)),
            "capacity_per_day": None,
        }
        for at in range(nodes)
    ]
    skus = [sku["sku"] for sku in document["skus"]]
    document["stock"] = [
        {"node": f"N{at:02}", "sku": sku, "qty": 1}
        for at in range(nodes)
        for sku in skus
        if rng.random() < 0.8
    ]
    return document


def without(*names: str) -> dict[str, Any]:
    return {**small(2), **{name: [] for name in names}}


def single(order: dict[str, Any]) -> dict[str, Any]:
    return {**small(2), "orders": [{"id": 1, "day": 0, "lat": 40.0, "lon": -90.0, **order}]}


def changed(path: str, value: Any) -> dict[str, Any]:
    """A good instance with one value changed; `path` is dotted, positions are numbers."""
    document = copy.deepcopy(small(2))
    document["history"] = copy.deepcopy(document["orders"][:3])
    *names, last = [int(name) if name.isdigit() else name for name in path.split(".")]
    place: Any = document
    for name in names:
        place = place[name]
    place[last] = value
    return document


EDGES = {
    "no history": without("history"),
    "no orders": without("orders"),
    "no stock": without("stock"),
    "nothing at all but a node": without("history", "orders", "stock", "skus"),
    "an order of nothing": single({"lines": []}),
    "an order of nothing, by a rate card": single({"lines": []})
    | {"carrier": {"zone_miles": [300], "prices": [{"up_to_lb": 5, "by_zone": [600, 900]}]}},
    "one SKU in many rows": single({"lines": [{"sku": "S0", "qty": 1}] * 7}),
    "far more than there is": single({"lines": [{"sku": "S0", "qty": 10**9}]}),
    "no capacity": changed("nodes", [{**node, "capacity_per_day": 0} for node in small(2)["nodes"]]),
    "one node": changed("nodes", small(2)["nodes"][:1])
    | {"stock": [row for row in small(2)["stock"] if row["node"] == "N0"]},
    "quantities gathered from many": scattered(60),
    "15 lines": wide(15),
    "40 lines": wide(40),
    "15 lines of ten thousand units": wide(15, quantity=10_000),
}


@pytest.mark.parametrize("policy", ["nearest", "myopic", "windowed"])
@pytest.mark.parametrize("name", EDGES)
def test_edges(name: str, policy: str) -> None:
    check(EDGES[name], decided(EDGES[name], policy))


def numbered() -> dict[str, Any]:
    """Nodes and SKUs named by numbers, all alike and in one place, the higher number first."""
    document = single({"lines": [{"sku": 12, "qty": 1}]})
    node = {**document["nodes"][0], "capacity_per_day": None}
    document["nodes"] = [{**node, "id": name} for name in (10, 9)]
    document["skus"] = [{"sku": 12, "weight_lb": 1, "lost_unit_penalty": 100}]
    document["stock"] = [{"node": name, "sku": 12, "qty": 5} for name in (10, 9)]
    document["history"] = []
    return document


@pytest.mark.parametrize("policy", POLICIES)
def test_names_may_be_numbers_and_compare_as_such(policy: str) -> None:
    """They are written as they were given; 9 comes before 10, as of equals the lowest node sends."""
    found = decided(numbered(), policy)
    check(numbered(), found)
    assert [one["plan"] for one in found] == [[{"node": 9, "lines": [{"sku": 12, "qty": 1}]}]]


def test_an_instance_of_great_numbers_is_routed_or_refused_but_never_wrong(tmp_path: Path) -> None:
    """Quantities of a thousand million that are there."""
    document = single({"lines": [{"sku": "S0", "qty": 10**9}, {"sku": "S1", "qty": 3}]})
    for row in document["stock"]:
        row["qty"] = 10**9
    for policy in POLICIES:
        check(document, decided(document, policy))


WRONG = {
    "days": ("days", 2.5),
    "nodes[0].lat": ("nodes.0.lat", 91),
    "nodes[1].id": ("nodes.1.id", 7.5),
    "nodes[0].id": ("nodes.0.id", True),
    "nodes[0].capacity_per_day": ("nodes.0.capacity_per_day", -1),
    "skus[0].weight_lb": ("skus.0.weight_lb", float("nan")),
    "skus[1].sku": ("skus.1.sku", "\ud800"),
    "skus: the sku": ("skus.1.sku", "S0"),
    "orders[3].lines[0].qty": ("orders.3.lines.0.qty", 0),
    "orders[2].lines[0].sku": ("orders.2.lines.0.sku", "unheard of"),
    "orders[0].lines": ("orders.0.lines", {}),
    "orders[0].id": ("orders.0.id", None),
    "orders[1]": ("orders.1", "an order"),
    "history[0].lon": ("history.0.lon", "west"),
    "carrier.base": ("carrier.base", [1, 2]),
    "carrier.zone_miles": ("carrier.zone_miles", [5, 5, 5, 5, 5, 5]),
    "carrier.prices": ("carrier.prices", []),
    "carrier.prices[1].up_to_lb": (
        "carrier.prices",
        [{"up_to_lb": 1, "by_zone": [1] * 7}, {"up_to_lb": 1, "by_zone": [1] * 7}],
    ),
    "carrier.prices[0].by_zone": ("carrier.prices", [{"up_to_lb": 1, "by_zone": [1]}]),
}


@pytest.mark.parametrize("said", WRONG)
def test_a_bad_value_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str) -> None:
    source, out = tmp_path / "instance.json", tmp_path / "out"
    source.write_text(json.dumps(changed(*WRONG[said])))
    assert main([str(source), "--out", str(out)]) == 2
    assert f"error: {said}" in capsys.readouterr().err
    assert not out.exists()


def test_an_order_that_costs_a_fortune_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand units of a thousand million pounds each."""
    document = single({"lines": [{"sku": "S0", "qty": 1000}]})
    document["skus"][0]["weight_lb"] = 10**9
    for row in document["stock"]:
        row["qty"] = 1000
    source = tmp_path / "instance.json"
    source.write_text(json.dumps(document))
    for policy in POLICIES:
        assert main([str(source), "--policy", policy, "--out", str(tmp_path / "out")]) == 2
        assert capsys.readouterr().err.startswith("error: orders[0]: may cost too much")


@pytest.mark.parametrize("value", [10**400, [1] * 1000, {"units": "x" * 1000}])
@pytest.mark.parametrize("member", ["qty", "sku"])
def test_a_long_value_is_not_told_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], member: str, value: Any
) -> None:
    source = tmp_path / "instance.json"
    source.write_text(json.dumps(changed(f"orders.0.lines.0.{member}", value)))
    assert main([str(source), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert f"error: orders[0].lines[0].{member}: " in said
    assert len(said) < 250


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        gzip.compress(b"{}")[:-4],
        gzip.compress(b"{}" * 50)[:12] + b"x" * 30,
    ],
    ids=("empty", "open", "list", "no text", "deep", "cut off", "spoiled"),
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, raw: bytes) -> None:
    source = tmp_path / "instance.json"
    source.write_bytes(raw)
    assert main([str(source), "--out", str(tmp_path / "out")]) == 2
    assert main([str(tmp_path / "nowhere.json"), "--out", str(tmp_path / "out")]) == 2


def test_a_file_of_decisions_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stops half way leaves what stood there before, and nothing beside it."""
    source, out = tmp_path / "instance.json", tmp_path / "out"
    source.write_text(json.dumps(small(1)))
    assert main([str(source), "--out", str(out)]) == 0
    before, take = out.read_bytes(), Ledger.take

    def stopped(ledger: Ledger, order: Order, placements: Placements) -> None:
        if order.id == "o-5":
            raise KeyboardInterrupt
        take(ledger, order, placements)

    monkeypatch.setattr(Ledger, "take", stopped)
    with pytest.raises(KeyboardInterrupt):
        main([str(source), "--policy", "nearest", "--out", str(out)])
    assert out.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [source, out]


def test_decisions_may_go_to_standard_output(tmp_path: Path) -> None:
    source = tmp_path / "instance.json"
    source.write_text(json.dumps(small(1)))
    command = [sys.executable, "-m", "app.routing.replay", str(source), "--policy", "nearest"]
    told = subprocess.run([*command, "--out", "/dev/stdout"], capture_output=True, check=True)
    assert len(told.stdout.splitlines()) == len(small(1)["orders"])
