"""The least-cost plan against every plan there is."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from app.routing.bills import FORBIDDEN, Bill, Plan, cost_of, ranked
from app.routing.cheapest import _wide, cheapest, compared
from app.routing.tables import Task


def random_bill(rng: np.random.Generator, nodes: int, lines: int, **bounds: object) -> Bill:
    """Scarce stock, few different costs: many ties."""
    quantity = rng.integers(1, 4, lines)
    stock = np.where(rng.random((lines, nodes)) < rng.random(), rng.integers(0, 4, (lines, nodes)), 0)
    coarse = rng.random() < 0.5
    most, step = (4, 1000) if coarse else (10**9, 1)
    return Bill(
        quantity=quantity,
        stock=np.minimum(stock, quantity[:, None]),
        package=rng.integers(0, most, nodes) * step + 1,
        unit=rng.integers(0, most, (lines, nodes)) * step - (1500 if coarse and rng.random() < 0.3 else 0),
        priority=rng.integers(0, 3, nodes),
        **bounds,
    )


def with_steps(rng: np.random.Generator, bill: Bill) -> Bill:
    """Packages cost by weight steps, by two classes of nodes."""
    weight = rng.integers(1, 5, len(bill.quantity))
    prices = np.sort(rng.integers(0, 5000, (2, 60)), axis=1)
    return Bill(
        **{name: getattr(bill, name) for name in Bill.__dataclass_fields__ if name not in ("extra", "row")},
        extra=lambda units: prices[:, np.minimum(units @ weight, 59)],
        row=rng.integers(0, 2, len(bill.package)),
    )


def every_plan(bill: Bill) -> Iterator[Plan]:
    """All of them, by trying."""
    lines = []
    for line, quantity in enumerate(bill.quantity.tolist()):
        row = bill.stock[line].tolist()
        whole = max(row) >= quantity
        ways: list[tuple[int, ...]] = [tuple(0 for _ in row)]
        if whole:
            ways += [
                tuple(quantity if at == node else 0 for at in range(len(row)))
                for node in range(len(row))
                if row[node] >= quantity
            ]
        elif bill.gather:
            shares = product(*(range(units + 1) for units in row))
            ways += [way for way in shares if 0 < sum(way) <= quantity]
        lines.append(ways)
    for way in product(*lines):
        placements = [
            (line, node, units) for line, row in enumerate(way) for node, units in enumerate(row) if units
        ]
        if placements and allowed(bill, placements):
            yield ranked(bill, placements, cost_of(bill, placements), "tried", True)


def allowed(bill: Bill, placements: list[tuple[int, int, int]]) -> bool:
    nodes = {node for _, node, _ in placements}
    if bill.cap is not None and len(nodes) > bill.cap:
        return False
    if bill.value is not None and len(nodes) > 1:
        worth = dict.fromkeys(nodes, 0)
        for line, node, units in placements:
            worth[node] += units * int(bill.value[line])
        return min(worth.values()) >= bill.least_value
    return True


def order(bill: Bill, plan: Plan) -> tuple:
    """As plans are compared; at last by the lines, in order to the lower node."""
    lines = [(line, node, -units) for line, node, units in plan.placements]
    return plan.rank, lines


def check(bill: Bill) -> None:
    found = cheapest(bill)
    best = min(every_plan(bill), key=lambda plan: order(bill, plan), default=None)
    assert (found is None) == (best is None)
    if found and best:
        assert order(bill, found) == order(bill, best)
        assert allowed(bill, list(found.placements))
        assert cost_of(bill, list(found.placements)) == found.cost
        assert found.exact


@pytest.mark.parametrize("seed", range(40))
def test_no_plan_is_cheaper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(15):
        bill = random_bill(rng, int(rng.integers(1, 5)), int(rng.integers(1, 4)))
        check(bill)
        check(with_steps(rng, bill))


@pytest.mark.parametrize("seed", range(20))
def test_no_plan_within_bounds_is_better(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    for _ in range(10):
        nodes, lines = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        bounds = {
            "cap": int(rng.integers(1, 3)) if rng.random() < 0.6 else None,
            "value": rng.integers(1, 5, lines),
            "least_value": int(rng.integers(0, 8)),
            "gather": bool(rng.random() < 0.7),
        }
        bill = random_bill(rng, nodes, lines, **bounds)
        check(bill)
        check(with_steps(rng, bill))


@pytest.mark.parametrize("seed", range(10))
def test_the_runner_up_is_the_best_plan_that_misses_a_chosen_node(seed: int) -> None:
    rng = np.random.default_rng(3000 + seed)
    for _ in range(12):
        nodes, lines = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        bounds = {"cap": int(rng.integers(1, 4)) if rng.random() < 0.4 else None}
        bill = with_steps(rng, random_bill(rng, nodes, lines, **bounds))
        plan, other, single = compared(bill)
        if plan is None:
            continue
        without = [cheapest(bill.without(node)) for node in plan.nodes]
        expected = min((each for each in without if each), key=lambda each: each.rank, default=None)
        assert (other.rank if other else None) == (expected.rank if expected else None)
        alone = [each for each in every_plan(bill) if len(each.nodes) == 1]
        assert single is not None
        assert single.rank == min(each.rank for each in alone)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("nodes", "lines"), [(60, 6), (500, 8)])
def test_a_runner_up_among_many_nodes(nodes: int, lines: int, seed: int) -> None:
    """Its tables are made all at once, and from some size on not of all nodes; plenty and scarcity, ties and none."""
    rng = np.random.default_rng(4000 + seed)
    shape, fine = (lines, nodes), seed % 2
    quantity = rng.integers(1, 4, lines)
    costs = [rng.integers(0, (4, 10**9)[fine], shape[at:]) * (1000, 1)[fine] for at in (0, 1)]
    stock = np.where(rng.random(shape) < (0.1, 0.3, 0.8)[seed // 2], quantity[:, None], 0)
    stock[:, :2] = quantity[:, None]
    bill = with_steps(rng, Bill(quantity, stock, costs[1] + 1000, costs[0], rng.integers(0, 3, nodes)))
    plan, other, single = compared(bill, most_nodes=lines)
    assert plan is not None
    assert other is not None
    assert single is not None
    without = [cheapest(bill.without(node)) for node in plan.nodes]
    assert other.rank == min(each.rank for each in without if each is not None)
    capped = cheapest(replace(bill, cap=1))
    assert capped is not None
    assert single.rank == capped.rank


def test_what_may_not_be_sent_stays() -> None:
    """One node may not send the heavy line at all, the other not with anything else."""
    forbidden = np.array([[0, 0, FORBIDDEN, FORBIDDEN], [0, 5, 7, FORBIDDEN]])
    number = np.array([2, 1])
    bill = Bill(
        quantity=np.array([1, 1]),
        stock=np.array([[1, 1], [1, 1]]),
        package=np.array([10, 100]),
        unit=np.zeros((2, 2), dtype=np.int64),
        priority=np.zeros(2, dtype=np.int64),
        extra=lambda units: forbidden[:, units @ number],
        row=np.array([0, 1]),
    )
    found = cheapest(bill)
    assert found is not None
    assert (found.placements, found.cost) == (((0, 1, 1), (1, 0, 1)), 117)
    alone = cheapest(bill.without(1))
    assert alone is not None
    assert (alone.placements, alone.filled) == (((1, 0, 1),), 1)


@pytest.mark.parametrize("seed", range(8))
def test_wide_orders(seed: int) -> None:
    """More lines than the tables hold: the program finds what the tables find on the same bill."""
    rng = np.random.default_rng(seed)
    bill = random_bill(rng, 12, 7)
    tables = cheapest(bill)
    task = Task.of(bill)
    if task is None:
        return
    program = _wide(bill, task)
    assert tables is not None
    assert program is not None
    assert (program.filled, program.cost) == (tables.filled, tables.cost)


def test_no_table_takes_megabytes() -> None:
    """500 nodes and ten lines, more than one table of all nodes and all states would hold in 4 MB."""
    rng = np.random.default_rng(11)
    shape = (10, 500)
    quantity = np.ones(10, dtype=np.int64)
    bill = Bill(
        quantity,
        (rng.random(shape) < 0.15).astype(np.int64),
        rng.integers(700, 1500, 500) * 1_000_000,
        rng.integers(0, 400, shape) * 1_000_000,
        rng.integers(0, 3, 500),
        extra=lambda units: units @ np.arange(10) * np.arange(1, 8)[:, None] * 1_000_000,
        row=rng.integers(0, 7, 500),
    )
    assert compared(bill)[1] is not None
    tracemalloc.start()
    compared(bill)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_500_000
