"""Two ways to the least that everything costs: every division at once, and one package more at a time."""

from __future__ import annotations

import numpy as np
import pytest

from app.routing.levels import Divided, Levels
from app.routing.states import divisions
from app.routing.tables import Task
from tests.routing.test_cheapest import random_bill, with_steps

WAYS = {1: 1, 2: 2, 3: 5, 4: 15, 5: 52, 6: 203, 7: 877}  # Bell's numbers


@pytest.mark.parametrize("lines", WAYS)
def test_every_division_is_there_once(lines: int) -> None:
    ways = {tuple(part for part in way if part) for way in divisions(lines).T.tolist()}
    assert len(ways) == divisions(lines).shape[1] == WAYS[lines]
    assert all(sum(way) == (1 << lines) - 1 and sorted(way, reverse=True) == list(way) for way in ways)


@pytest.mark.parametrize("lines", WAYS)
def test_both_ways_find_the_same_packages(lines: int) -> None:
    """Of all nodes, and of several tables at once that each do without one."""
    rng = np.random.default_rng(lines)
    found = 0
    for _ in range(60):
        bill = with_steps(rng, random_bill(rng, int(rng.integers(2, 30)), lines))
        task = Task.of(bill)
        if task is None or not task.binary or len(task.steps) < lines:
            continue
        without: list[int | None] = list(range(min(3, len(task.columns))))
        for columns in ([None], without):
            bests = np.stack([task.best_without(column) for column in columns])
            by_division, by_level = Divided(task, bests, columns), Levels(task, bests, columns)
            assert by_division.value == by_level.value
            assert by_division.least() == by_level.least()
            for at in by_level.least():
                assert by_division.found(at) == by_level.found(at)
                found += 1
    assert found > 40
