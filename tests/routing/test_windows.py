"""Orders planned together: against every possible way to place them, and never worse than one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from app.routing import windows
from app.routing.bills import FORBIDDEN
from app.routing.cheapest import Bill, cheapest
from app.routing.facts import MICRO, Ints
from app.routing.replay.instance import Profile
from app.routing.replay.policies import Routing, _one_by_one, spans, windowed
from app.routing.replay.reading import instance_of
from app.routing.replay.shapes import SHAPES, document, quick
from app.routing.windows import Waiting, allowed, cost, rank, together

NO_LIMIT = 1_000_000


def window(rng: np.random.Generator, orders: int = 3, nodes: int = 3) -> tuple[list[Waiting], Ints, Ints]:
    """A few orders of one or two single units, planned one by one against stock that does not last."""
    stock = rng.integers(0, 3, (3, nodes))
    packages = np.where(rng.random(nodes) < 0.3, rng.integers(0, 3, nodes), NO_LIMIT)
    left, room, waiting = stock.copy(), packages.copy(), []
    for _ in range(orders):
        skus = np.sort(rng.choice(3, int(rng.integers(1, 3)), replace=False))
        bill = Bill(
            quantity=np.ones(len(skus), dtype=np.int64),
            stock=np.minimum(left[skus], 1) * (room > 0),
            package=rng.integers(1, 9, nodes) * 100 * MICRO,
            unit=rng.integers(0, 9, (len(skus), nodes)) * 10 * MICRO,
            priority=np.zeros(nodes, dtype=np.int64),
        )
        plan = cheapest(bill)
        stands = plan.placements if plan else ()
        for line, node, units in stands:
            left[skus[line], node] -= units
        for node in {node for _, node, _ in stands}:
            room[node] -= 1
        waiting.append(Waiting(bill, skus, stands))
    return waiting, stock, packages


def least(waiting: list[Waiting], stock: Ints, packages: Ints) -> int:
    """The least cost of all ways to place what each order fills."""
    nodes = stock.shape[1]
    lines = [(at, line) for at, each in enumerate(waiting) for line, _, _ in each.stands]
    found = []
    for choice in product(range(nodes), repeat=len(lines)):
        left, opened = stock.copy(), {(at, node) for (at, _), node in zip(lines, choice, strict=True)}
        for (at, line), node in zip(lines, choice, strict=True):
            left[waiting[at].skus[line], node] -= 1
        sent = np.bincount([node for _, node in opened], minlength=nodes)
        if (left >= 0).all() and (sent <= packages).all():
            units = sum(
                int(waiting[at].bill.unit[line, node]) for (at, line), node in zip(lines, choice, strict=True)
            )
            found.append(units + sum(int(waiting[at].bill.package[node]) for at, node in opened))
    return min(found)


@pytest.mark.parametrize("seed", range(40))
def test_the_plans_are_the_cheapest_of_all(seed: int) -> None:
    waiting, stock, packages = window(np.random.default_rng(seed))
    plans = together(waiting, stock, packages, time_limit_s=60.0)
    if plans is None:
        assert not any(each.stands for each in waiting)
        return
    total = sum(cost(each.bill, plan) for each, plan in zip(waiting, plans, strict=True))
    assert total == least(waiting, stock, packages)


def test_steps_of_weight_count_and_what_no_package_may_hold_is_not_proposed() -> None:
    """Two orders of two units; from a node of the second class two units in one package are forbidden."""
    stock, packages = np.array([[2, 4, 4]]), np.full(3, NO_LIMIT)

    def extra(units: Ints) -> Ints:
        count = units.sum(axis=1)
        return np.array([np.where(count > 1, 700, 400) * MICRO, np.where(count > 1, FORBIDDEN, 300 * MICRO)])

    def bill(far: int, there: list[int]) -> Bill:
        return Bill(
            quantity=np.array([2]),
            stock=np.array([there]),
            package=np.array([100, far, 50]) * MICRO,
            unit=np.zeros((1, 3), dtype=np.int64),
            priority=np.zeros(3, dtype=np.int64),
            extra=extra,
            row=np.array([0, 0, 1]),
        )

    only = np.array([0])
    waiting = [
        Waiting(bill(110, [2, 2, 2]), only, ((0, 0, 2),)),
        Waiting(bill(500, [0, 2, 2]), only, ((0, 1, 2),)),
    ]
    plans = together(waiting, stock, packages, time_limit_s=60.0)
    assert plans == [[(0, 1, 2)], [(0, 0, 2)]]
    assert [cost(each.bill, plan) for each, plan in zip(waiting, plans, strict=True)] == [
        810 * MICRO,
        800 * MICRO,
    ]


def test_two_orders_give_way_to_each_other() -> None:
    """One by one, the first takes the only unit that the second badly needs; together, it goes elsewhere."""
    stock, packages = np.array([[1, 2]]), np.array([NO_LIMIT, NO_LIMIT])

    def bill(near: int, far: int, there: list[int]) -> Bill:
        return Bill(
            quantity=np.array([1]),
            stock=np.array([there]),
            package=np.array([near, far]) * MICRO,
            unit=np.zeros((1, 2), dtype=np.int64),
            priority=np.zeros(2, dtype=np.int64),
        )

    only = np.array([0])
    waiting = [
        Waiting(bill(100, 110, [1, 1]), only, ((0, 0, 1),)),
        Waiting(bill(100, 500, [0, 1]), only, ((0, 1, 1),)),
    ]
    assert together(waiting, stock, packages, time_limit_s=60.0) == [[(0, 1, 1)], [(0, 0, 1)]]


def test_what_is_allowed() -> None:
    bill = Bill(
        quantity=np.array([2, 3]),
        stock=np.array([[2, 1, 0], [2, 1, 1]]),
        package=np.ones(3, dtype=np.int64),
        unit=np.ones((2, 3), dtype=np.int64),
        priority=np.zeros(3, dtype=np.int64),
    )
    assert allowed(bill, ((0, 0, 2), (1, 0, 2), (1, 2, 1)))
    assert not allowed(bill, ((0, 0, 1), (0, 1, 1), (1, 0, 2), (1, 2, 1))), "divides a line that a node holds"
    assert not allowed(bill, ((0, 0, 2), (1, 0, 2))), "leaves a unit that is there"
    assert not allowed(bill, ((0, 0, 2), (1, 0, 1), (1, 1, 2))), "asks for more than is offered"


@pytest.mark.parametrize("name", ["twenty nodes", "fifty, surge and capacity"])
def test_together_is_never_worse_than_one_by_one(name: str) -> None:
    instance = instance_of(document(quick(SHAPES[name], 0.15), 31))
    routing = Routing.of(instance, Profile(window_orders=60))
    better = 0
    for span in spans(instance.orders, 60):
        plans = windowed(routing, span)
        day = instance.orders[span.start].day
        alone = _one_by_one(routing, span, {})
        joint = _one_by_one(routing, span, dict(zip(span, plans, strict=True)))
        assert [each.stands for each in joint] == plans, "the plans keep the rules in turn"
        assert rank(joint) <= rank(alone)
        better += rank(joint) < rank(alone)
        for at, plan in zip(span, plans, strict=True):
            routing.ledger.take(instance.orders[at], plan)
        assert (routing.ledger.left(day) >= 0).all()
    assert better


def test_a_window_of_wide_orders_is_searched_to_its_end() -> None:
    """Forty orders of twelve lines over 150 nodes: the clock does not decide what comes out."""
    shape = replace(SHAPES["two hundred nodes"], nodes=150, orders=200, history=200, lines=(*[0.0] * 11, 1.0))
    routing, span = Routing.of(instance_of(document(shape, 31)), Profile()), range(40)
    routing.prices.refresh(span, routing.ledger)
    alone = _one_by_one(routing, span, {})
    left = routing.ledger.stock, routing.ledger.left(0)
    plans = together(alone, *left, time_limit_s=15.0)
    assert plans is not None
    assert plans == together(alone, *left, time_limit_s=150.0)
    assert rank(_one_by_one(routing, span, dict(zip(span, plans, strict=True)))) < rank(alone)


def test_a_window_that_cannot_be_improved_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """With no search at all the plans that stand come back, or better ones; never none, never worse."""
    waiting, stock, packages = window(np.random.default_rng(3), orders=4)
    monkeypatch.setattr(windows, "MOST_BRANCHES", 0)
    plans = together(waiting, stock, packages, time_limit_s=0.0)
    if plans is not None:
        after = sum(cost(each.bill, plan) for each, plan in zip(waiting, plans, strict=True))
        assert after <= sum(cost(each.bill, each.stands) for each in waiting)
