"""Figures in order, each with a tolerance, against every plan there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.routing.bills import Bill, Plan, cost_of
from app.routing.ordered import best_in_order
from tests.routing.test_cheapest import every_plan, random_bill


def value(bill: Bill, plan: Plan) -> int:
    return cost_of(bill, list(plan.placements))


@pytest.mark.parametrize("seed", range(30))
def test_each_figure_is_least_within_those_before_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(8):
        nodes, lines = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        bounds = {"cap": int(rng.integers(1, 3)) if rng.random() < 0.3 else None}
        first = random_bill(rng, nodes, lines, **bounds)
        bills = [first]
        for _ in range(int(rng.integers(1, 3))):
            costs = random_bill(rng, nodes, lines)
            bills.append(replace(first, package=costs.package, unit=costs.unit))
        tolerances = [float(rng.choice([0.0, 0.1, 0.5])) for _ in bills]
        found = best_in_order(bills, tolerances)
        plans = list(every_plan(first))
        assert (found is None) == (not plans)
        if found is None:
            continue
        filled = max(plan.filled for plan in plans)
        assert found.filled == filled
        plans = [plan for plan in plans if plan.filled == filled]
        for bill, tolerance in zip(bills, tolerances, strict=True):
            least = min(value(bill, plan) for plan in plans)
            most = least + int(abs(least) * tolerance)
            if bill is bills[-1]:
                assert value(bill, found) == least
            assert value(bill, found) <= most
            plans = [plan for plan in plans if value(bill, plan) <= most]
