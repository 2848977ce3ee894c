"""What one package costs from 500 nodes, listed or by class, against a table of all nodes by all states."""

from __future__ import annotations

import numpy as np
import pytest

from app.routing.facts import Ints
from app.routing.packages import Classed, Listed, spread
from app.routing.states import DEAREST, NEVER, possible

NODES, LINES, ROWS = 500, 10, 7
STOCKED = (0.05, 0.2, 0.5, 0.9)  # share of the lines that a node holds


def whole_table(opening: Ints, taking: Ints, rows: Ints, surcharge: Ints | None) -> Ints:
    """[column, state], nothing left out."""
    keys = spread(opening, taking)
    if surcharge is not None:
        keys += surcharge[rows]
    keys[:, 0] = NEVER
    return possible(keys)


@pytest.mark.parametrize("ways", [Listed, Classed])
@pytest.mark.parametrize("stocked", STOCKED)
@pytest.mark.parametrize("few_prices", [True, False])
def test_nothing_is_left_out(ways: type[Listed] | type[Classed], stocked: float, few_prices: bool) -> None:
    """Also as though a node were not there that is the cheapest of many states; some packages are not carried."""
    rng = np.random.default_rng(int(stocked * 100) + few_prices)
    least, most, step = (-1, 4, 1000) if few_prices else (-1000, 10**12, 1)

    def price(*shape: int) -> Ints:
        return rng.integers(least, most, shape) * step

    holds = rng.random((LINES, NODES)) < stocked
    opening, taking = price(NODES), np.where(holds, price(LINES, NODES), NEVER)
    rows = rng.integers(0, ROWS, NODES)
    carried = rng.random((ROWS, 1 << LINES)) < 0.9
    for surcharge in (None, np.where(carried, price(ROWS, 1 << LINES), NEVER)):
        table = whole_table(opening, taking, rows, surcharge)
        found = ways(opening, taking, rows, surcharge)
        assert (found.best == table.min(axis=0)).all()
        cheapest = np.bincount(table.argmin(axis=0)[table.min(axis=0) < NEVER]).argsort()[::-1]
        for column in [*cheapest[:4].tolist(), *rng.integers(0, NODES, 4).tolist()]:
            assert (found.without(column) == np.delete(table, column, axis=0).min(axis=0)).all()
        states = rng.permutation(np.arange(1, 1 << LINES))[:40]
        assert (np.where((told := found.at(states)) >= DEAREST, NEVER, told) == table[:, states]).all()
