"""Prices on stock and capacity: what they must be in cases that can be worked out, and what they do to a stream."""

from __future__ import annotations

import numpy as np
import pytest

from app.routing import futures, spread
from app.routing.futures import Goods, Past
from app.routing.prices import Demand, Supply, Values, Weights, balance, breadth


def past_of(opening: list[list[float]], skus: list[list[int]]) -> Past:
    """Orders of single units that weigh nothing."""
    return Past(
        opening=np.array(opening, dtype=np.float32),
        per_lb=np.zeros((len(opening), len(opening[0])), dtype=np.float32),
        order=np.repeat(np.arange(len(skus)), [len(each) for each in skus]),
        sku=np.array([sku for each in skus for sku in each]),
        quantity=np.ones(sum(len(each) for each in skus), dtype=np.int64),
    )


def supply(stock: list[list[int]], today: float = 1e9, per_day: float = 1e9) -> Supply:
    nodes = len(stock[0])
    return Supply(np.array(stock), np.full(nodes, today), np.full(nodes, per_day))


GOODS = Goods(weight_lb=np.ones(2), per_unit=np.zeros(2))
TWO_PLACES = past_of([[500, 700]] * 50 + [[500, 1100]] * 50, [[0]] * 100)


def test_what_is_plentiful_costs_nothing() -> None:
    prices = Values(GOODS).refresh(TWO_PLACES, supply([[500, 500], [500, 500]]), Demand(20, 80, 4))
    assert prices.stock.max() == 0
    assert prices.capacity.max() == 0


def test_a_scarce_unit_is_worth_what_it_saves_the_next_best() -> None:
    """Half of all orders pay 200 more at the second node, half 600: with 50 units at the first node, the price
    lies between, so that those who lose least go elsewhere."""
    prices = Values(GOODS).refresh(TWO_PLACES, supply([[50, 200], [1, 1]]), Demand(20, 80, 4))
    assert 200 < prices.stock[0, 0] < 600
    assert prices.stock[0, 1] == 0
    assert prices.stock[1].max() == 0, "nobody wants the second SKU"


def test_more_stock_is_never_dearer() -> None:
    found = [
        Values(GOODS).refresh(TWO_PLACES, supply([[units, 200], [1, 1]]), Demand(20, 80, 4)).stock[0, 0]
        for units in (20, 50, 90, 150)
    ]
    assert found == sorted(found, reverse=True)
    assert found[0] > 200


def test_a_node_that_completes_orders_is_worth_more() -> None:
    """Both SKUs are only at the first node together: without it, two packages."""
    past = past_of([[500, 500]] * 60, [[0, 1]] * 60)
    prices = Values(GOODS).refresh(past, supply([[30, 100], [30, 0]]), Demand(60, 0, 0))
    assert prices.stock[0, 0] > 100


def test_capacity_has_its_price_today_only_if_it_is_short_today() -> None:
    goods, demand = Goods(np.ones(1), np.zeros(2)), Demand(50, 0, 0)
    short = Supply(np.array([[500, 500]]), np.array([10.0, 1e9]), np.array([10.0, 1e9]))
    past = past_of([[500, 700]] * 50, [[0]] * 50)
    prices = Values(goods, limited=True).refresh(past, short, demand)
    assert 150 < prices.capacity[0] < 300
    assert prices.capacity[1] == 0
    free = Values(goods, limited=True).refresh(past, supply([[500, 500]], today=60.0), demand)
    assert free.capacity.max() == 0


def test_without_a_past_there_is_no_value() -> None:
    prices = Values(GOODS).refresh(TWO_PLACES.part(0, 0), supply([[1, 1], [1, 1]]), Demand(20, 80, 4))
    assert not prices.stock.any()
    assert not prices.capacity.any()
    unknown = Values(GOODS, usual=700).refresh(
        TWO_PLACES.part(0, 0), supply([[1, 1], [1, 1]]), Demand(0, 0, 0)
    )
    assert (unknown.usual, unknown.scarce.tolist()) == (700, [1, 1]), "balance and breadth need no past"


def test_the_same_arguments_give_the_same_prices_and_another_seed_others() -> None:
    first, again, other = (
        Values(GOODS, seed=seed).refresh(TWO_PLACES, supply([[50, 200], [1, 1]]), Demand(20, 80, 4))
        for seed in (1, 1, 2)
    )
    assert (first.stock == again.stock).all()
    assert (first.stock != other.stock).any()


def test_known_orders_count_before_they_are_routed() -> None:
    """Orders in hand that want the last units make them dear, though the past alone would not."""
    there, quiet = supply([[60, 200], [1, 1]]), Demand(5, 0, 0)
    without = Values(GOODS).refresh(TWO_PLACES, there, quiet)
    known = Values(GOODS).refresh(TWO_PLACES, there, quiet, TWO_PLACES)
    assert without.stock[0, 0] < 1
    assert known.stock[0, 0] > 150


def test_balance_and_breadth() -> None:
    assert balance(np.array([10, 5, 0, 12]), np.array([10, 10, 10, 10])) == pytest.approx(
        [0, (np.exp(0.5) - 1) / (np.e - 1), 1, 0]
    )
    assert balance(np.array([0]), np.array([0])) == pytest.approx([1])
    assert breadth(np.array([[1, 0], [3, 0], [0, 0], [1, 1]])).tolist() == [0.75, 0.25]


def test_balance_and_breadth_weigh_a_tenth_of_a_usual_package_unless_told() -> None:
    """500 is the usual package of this past, in which all ask for the first SKU; half of the first node's is gone."""
    stock, start = np.array([[25, 200], [1, 1]]), np.array([[50, 200], [1, 1]])
    found = Values(GOODS).refresh(TWO_PLACES, supply(stock.tolist()), Demand(20, 180, 4))
    wide = np.array([1.0, 0.5])
    half = balance(np.array([1]), np.array([2]))[0]
    own = found.of_units(slice(None), Weights(), stock, start, wide) - found.stock
    assert own[0] == pytest.approx([50 * half + 50, 25])
    assert own[1].tolist() == [0, 0], "nobody asks for the second SKU, so that it is not scarce"
    told = found.of_units(np.array([0]), Weights(w1=2, a=10, b=0), stock, start, wide)
    assert told[0] == pytest.approx(2 * found.stock[0] + [10 * half, 0])


def test_breadth_fades_where_stock_is_ample() -> None:
    """In full up to twice what will be asked for, from four times on not at all."""
    found = [
        Values(GOODS).refresh(TWO_PLACES, supply([[0, units], [1, 1]]), Demand(20, 80, 4)).scarce[0]
        for units in (50, 200, 300, 400)
    ]
    assert found == pytest.approx([1, 1, 0.5, 0])


@pytest.mark.parametrize("lines", [1, 2, 3, 4])
def test_shares_are_those_of_all_plans(lines: int) -> None:
    """Against every plan written out: every way to divide the lines, every node for every part."""
    rng = np.random.default_rng(lines)
    nodes, softness = 3, 40.0
    opening = rng.uniform(100, 300, (nodes, 5)).astype(np.float32)
    cost = [rng.uniform(0, 200, (nodes, 5)).astype(np.float32) for _ in range(lines)]
    shares, opened = spread.over_plans(opening, cost, softness)
    for order in range(5):
        placed, packages, total = np.zeros((lines, nodes)), np.zeros(nodes), 0.0
        for division in _divisions(list(range(lines))):
            for choice in np.ndindex(*(nodes,) * len(division)):
                amount = sum(
                    float(opening[node, order]) + sum(float(cost[line][node, order]) for line in part)
                    for node, part in zip(choice, division, strict=True)
                )
                weight = np.exp(-amount / softness)
                total += weight
                for node, part in zip(choice, division, strict=True):
                    packages[node] += weight
                    for line in part:
                        placed[line, node] += weight
        assert np.array([share[:, order] for share in shares]) == pytest.approx(placed / total, rel=1e-3)
        assert opened[:, order] == pytest.approx(packages / total, rel=1e-3)


def _divisions(lines: list[int]) -> list[list[list[int]]]:
    """Every way to divide lines into parts."""
    if not lines:
        return [[]]
    first, rest = lines[0], lines[1:]
    found = []
    for division in _divisions(rest):
        found.append([[first], *division])
        found += [[*division[:at], [first, *part], *division[at + 1 :]] for at, part in enumerate(division)]
    return found


def test_wide_orders_and_many_nodes_are_cut_to_what_matters() -> None:
    """Ten lines count as several orders; of forty nodes only the cheapest holders are looked at; no unit is lost."""
    rng = np.random.default_rng(5)
    past = Past(
        opening=rng.uniform(500, 900, (3, 40)).astype(np.float32),
        per_lb=np.ones((3, 40), dtype=np.float32),
        order=np.repeat(np.arange(3), [10, 1, 3]),
        sku=np.concatenate([np.arange(10), [0], [1, 2, 3]]),
        quantity=np.full(14, 2),
    )
    goods = Goods(np.ones(10), np.zeros(40))
    future = futures.certain(past, goods, np.ones((10, 40), dtype=np.int64))
    stock = np.full((10, 40), 9)
    units, packages = futures.taken(
        future, np.ones(10), 1.0, stock, np.zeros((10, 40)), np.zeros((2, 40)), softness=20.0
    )
    assert units.sum(axis=1) == pytest.approx(future.asked, rel=1e-4)
    assert future.asked.sum() == 28
    assert packages[0].sum() >= 3
    assert packages[1].sum() == 0
