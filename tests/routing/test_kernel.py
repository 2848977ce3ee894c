"""The kernel against every possible set of nodes, and its fast ways against each other."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing import cover, kernel, milp, search
from app.routing.facts import FEWEST, NEAREST, PRIORITY
from app.routing.kernel import Task
from tests.routing.reference import best_nodes, check_placements, fill_of, random_task, rank_of

OBJECTIVES = [
    (FEWEST, None),
    (FEWEST, 1),
    (FEWEST, 2),
    (FEWEST, 3),
    (PRIORITY, None),
    (PRIORITY, 2),
    (NEAREST, None),
]


def assert_best(task: Task) -> None:
    plan, expected = kernel.best(task), best_nodes(task)
    if expected is None:
        assert plan is None
        return
    assert plan is not None
    assert plan.nodes == expected
    assert plan.exact
    assert plan.filled == fill_of(task, expected)
    assert plan.distance == sum(int(task.distance[node]) for node in expected)
    if task.objective != NEAREST:
        assert plan.rank == rank_of(task, expected)
    check_placements(task, plan.nodes, kernel.place(task, plan))


@pytest.mark.parametrize(("objective", "cap"), OBJECTIVES)
def test_the_plan_is_the_best_of_all_sets(objective: str, cap: int | None) -> None:
    rng = np.random.default_rng(20_240 + (cap or 0))
    for _ in range(700):
        assert_best(random_task(rng, objective=objective, cap=cap))


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    nodes, lines = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    quantity = np.array(draw(st.lists(st.integers(1, 5), min_size=lines, max_size=lines)))
    row = st.lists(st.integers(0, 5), min_size=nodes, max_size=nodes)
    stock = np.array(draw(st.lists(row, min_size=lines, max_size=lines)))
    small = st.lists(st.integers(0, 2), min_size=nodes, max_size=nodes)
    objective, cap = draw(st.sampled_from(OBJECTIVES))
    return Task(
        quantity,
        np.minimum(stock, quantity[:, None]),
        np.array(draw(small)) * 1_000_000,
        np.array(draw(small)),
        objective,
        cap,
    )


@settings(max_examples=400, deadline=None)
@given(tasks())
def test_the_plan_is_the_best_of_all_sets_for_any_order(task: Task) -> None:
    assert_best(task)


def test_a_runner_up_is_the_best_plan_that_misses_a_chosen_node() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        task = random_task(rng, most_nodes=6, most_lines=4)
        plan = kernel.best(task)
        if plan is None or len(plan.nodes) > 4:
            continue
        without = [task.without(node) for node in plan.nodes]
        ranks = [rank_of(other, nodes) for other in without if (nodes := best_nodes(other)) is not None]
        found = kernel.runner_up(task, plan)
        assert (found.rank if found else None) == min(ranks, default=None)


def test_the_best_single_node_fills_most() -> None:
    rng = np.random.default_rng(8)
    for _ in range(200):
        task = random_task(rng)
        single = kernel.best_single(task)
        expected = best_nodes(Task(task.quantity, task.stock, task.distance, task.priority, FEWEST, 1))
        assert (single.nodes if single else None) == expected


def test_a_thousand_units_are_gathered_without_unit_lines() -> None:
    rng = np.random.default_rng(9)
    stock = rng.integers(50, 300, (1, 12))
    task = Task(np.array([1000]), stock, rng.integers(1, 5, 12) * 1_000_000, rng.integers(0, 2, 12))
    assert_best(task)


def test_stock_that_falls_short_is_used_to_the_last_unit() -> None:
    stock = np.array([[2, 0, 1, 0], [0, 0, 0, 0], [0, 3, 0, 3]])
    task = Task(np.array([9, 4, 3]), stock, np.array([4, 3, 2, 1]) * 1_000_000, np.zeros(4, dtype=np.int64))
    plan = kernel.best(task)
    assert plan is not None
    assert (plan.nodes, plan.filled) == ((0, 2, 3), 6)
    assert kernel.place(task, plan) == [(0, 0, 2), (0, 2, 1), (2, 3, 3)]


@pytest.mark.parametrize("rows", [1, 4, 9, 12])
def test_wide_covers_agree_with_the_integer_program(rows: int) -> None:
    rng = np.random.default_rng(rows)
    for _ in range(6):
        assert_ways_agree(rng, rows, 30, 0.25)


def assert_ways_agree(rng: np.random.Generator, rows: int, nodes: int, density: float) -> None:
    """Set program, branching and integer program give the same nodes."""
    covers = rng.random((rows, nodes)) < density
    covers[np.arange(rows), rng.integers(0, nodes, rows)] = True
    distance, priority = rng.integers(1, 8, nodes) * 1_000_000, rng.integers(0, 3, nodes)
    keys = (distance << kernel.PRIORITY_BITS) + priority
    need, gives = np.ones(rows, dtype=np.int64), covers.astype(np.int64)
    masks = (1 << np.arange(rows)) @ gives
    expected = cover.fewest(masks, keys, rows)
    assert milp.choose(gives, need, need, distance, priority) == (expected, True)
    with contextlib.suppress(search.TooMuchWork):
        assert search.fewest(gives, need, keys) == expected
    weights = rng.integers(1, 5, rows)
    for cap in (2, 3):
        heaviest = cover.heaviest(masks, keys, weights, cap)
        assert milp.choose(gives, need, weights, distance, priority, cap) == (heaviest, True)


def assert_amounts_agree(rng: np.random.Generator, rows: int, nodes: int) -> None:
    """Branching and integer program give the same nodes where units are gathered."""
    gives = np.where(rng.random((rows, nodes)) < 0.6, rng.integers(1, 40, (rows, nodes)), 0)
    gives[:, 0] = 40
    need = np.minimum(gives.sum(axis=1) // 2, rng.integers(30, 120, rows))
    distance, priority = rng.integers(1, 8, nodes) * 1_000_000, rng.integers(0, 3, nodes)
    keys = (distance << kernel.PRIORITY_BITS) + priority
    found, proven = milp.choose(gives, need, np.ones(rows, dtype=np.int64), distance, priority)
    assert proven
    with contextlib.suppress(search.TooMuchWork):
        assert search.fewest(gives, need, keys) == found


def test_gathered_amounts_agree_with_the_integer_program() -> None:
    rng = np.random.default_rng(5)
    for _ in range(15):
        assert_amounts_agree(rng, int(rng.integers(1, 4)), 14)


def test_an_order_beyond_the_set_program_is_exact() -> None:
    rng = np.random.default_rng(3)
    for _ in range(3):
        task = random_task(rng, most_nodes=9, most_lines=16, density=0.3, most_quantity=1)
        assert_best(task)


@pytest.mark.full
@pytest.mark.parametrize(("objective", "cap"), OBJECTIVES)
def test_ten_thousand_orders(objective: str, cap: int | None) -> None:
    rng = np.random.default_rng(99)
    for _ in range(10_000 // len(OBJECTIVES) + 1):
        assert_best(random_task(rng, most_nodes=8, most_lines=6, objective=objective, cap=cap))


@pytest.mark.full
def test_wide_sweep_against_the_integer_program() -> None:
    rng = np.random.default_rng(100)
    for _ in range(300):
        assert_ways_agree(
            rng, int(rng.integers(1, 13)), int(rng.integers(5, 60)), float(rng.uniform(0.1, 0.5))
        )
        assert_amounts_agree(rng, int(rng.integers(1, 5)), int(rng.integers(4, 25)))


def test_the_integer_program_says_nothing() -> None:
    """Also the first time in a process; what else is printed may be read by a program."""
    asked = (
        "import numpy as np; from app.routing import milp; one = np.ones((2, 3), dtype=np.int64);"
        " print(milp.choose(one, one[:, 0], one[:, 0], np.arange(3), np.zeros(3, dtype=np.int64))[1])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True\n", "")
