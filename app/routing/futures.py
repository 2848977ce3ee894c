"""Futures: orders as they may come, drawn from those of the past, and what they take at given prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.routing import spread
from app.routing.facts import Flags, Ints

Floats = np.ndarray

MOST_ORDERS = 4_000  # of one future; more are stood for by weight
MOST_LINES = 4  # an order with more counts as several
CANDIDATES = 24  # nodes looked at for one order
MIXED = 0.5  # share of orders that go where another past order went: few orders of a SKU say little of place
ABSENT = np.float32(1e7)  # a price that nobody pays


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Past orders. `opening[order, node]`: what a package costs before it holds anything, and `per_lb` a pound in
    it; lines as parallel arrays, in order of orders.
    """

    opening: Floats
    per_lb: Floats
    order: Ints
    sku: Ints
    quantity: Ints

    def __len__(self) -> int:
        return len(self.opening)

    def part(self, start: int, stop: int) -> Past:
        """The orders from one place to another."""
        orders = slice(start, stop)
        lines = slice(*np.searchsorted(self.order, (start, stop)).tolist())
        return Past(
            self.opening[orders],
            self.per_lb[orders],
            self.order[lines] - start,
            self.sku[lines],
            self.quantity[lines],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Goods:
    """Pounds of a unit by SKU; handling of a unit by node."""

    weight_lb: Floats
    per_unit: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Orders with the same number of lines and, for each, the nodes that may serve it."""

    node: Ints  # [candidate, order]
    opening: Floats  # likewise
    cost: list[Floats]  # of each line as a whole, likewise
    place: list[Ints]  # of each line: SKU and candidate as one index
    sku: list[Ints]
    quantity: list[Floats]
    today: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Future:
    """Some orders. `asked[sku]`: units they want."""

    groups: list[_Group]
    orders: int
    asked: Floats


def usual_package(past: Past) -> float:
    """What an order's cheapest package costs before it holds anything: the median."""
    return max(float(np.median(past.opening.min(axis=1))), 1.0)


def sample(
    past: Past, goods: Goods, stock: Ints, orders: float, today: float, rng: np.random.Generator
) -> Future:
    """About so many orders drawn from the past with repetition; the share `today` of them comes today."""
    count = max(1, min(round(orders), MOST_ORDERS))
    chosen = rng.integers(0, len(past), count)
    mixed = rng.random(count) < MIXED
    place = np.where(mixed, chosen[rng.integers(0, count, count)], chosen)
    soon = rng.random(count) < today
    return _future(past, goods, stock, chosen, place, soon)


def certain(known: Past, goods: Goods, stock: Ints) -> Future:
    """Orders that are known to come, today."""
    each = np.arange(len(known))
    return _future(known, goods, stock, each, each, np.ones(len(each), dtype=bool))


def _future(past: Past, goods: Goods, stock: Ints, chosen: Ints, place: Ints, today: Flags) -> Future:
    start = np.searchsorted(past.order, np.arange(len(past) + 1))
    first, lines, which = _parts(start[chosen], np.diff(start)[chosen])
    groups = [
        _group(past, goods, stock, first[lines == size], size, place[at], today[at])
        for size in np.unique(lines).tolist()
        for at in (which[lines == size],)
    ]
    asked = np.zeros(len(stock))
    for group in groups:
        for sku, quantity in zip(group.sku, group.quantity, strict=True):
            asked += np.bincount(sku, quantity, len(stock))
    return Future(groups, len(chosen), asked)


def _parts(start: Ints, size: Ints) -> tuple[Ints, Ints, Ints]:
    """Orders cut into parts of at most MOST_LINES: first line, number of lines, and which order."""
    parts = -(-size // MOST_LINES)
    which = np.repeat(np.arange(len(size)), parts)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
    first = start[which] + nth * MOST_LINES
    return first, np.minimum(size[which] - nth * MOST_LINES, MOST_LINES), which


def _group(
    past: Past, goods: Goods, stock: Ints, first: Ints, size: int, place: Ints, today: Flags
) -> _Group:
    sku = [past.sku[first + line] for line in range(size)]
    quantity = [past.quantity[first + line].astype(np.float32) for line in range(size)]
    opening, per_lb = past.opening[place].astype(np.float32), past.per_lb[place].astype(np.float32)
    weight, per_unit = goods.weight_lb.astype(np.float32), goods.per_unit.astype(np.float32)
    cost = [
        (per_lb * weight[row][:, None] + per_unit) * units[:, None]
        for row, units in zip(sku, quantity, strict=True)
    ]
    nodes = opening.shape[1]
    node: Ints = np.broadcast_to(np.arange(nodes), opening.shape)
    if nodes > CANDIDATES:
        node = _candidates(opening, cost, [stock[row] > 0 for row in sku])
        opening = np.take_along_axis(opening, node, axis=1)
        opening[:, 1:][node[:, 1:] == node[:, :-1]] = ABSENT
        cost = [np.take_along_axis(each, node, axis=1) for each in cost]
    node, opening = np.ascontiguousarray(node.T), np.ascontiguousarray(opening.T)
    cost = [np.ascontiguousarray(each.T) for each in cost]
    return _Group(node, opening, cost, [row * nodes + node for row in sku], sku, quantity, today)


def _candidates(opening: Floats, cost: Sequence[Floats], there: Sequence[Flags]) -> Ints:
    """[order, candidate]: the cheapest holders of each line, ascending; the same node may come again."""
    each = CANDIDATES // len(cost)
    found = [
        np.argpartition(np.where(holds, opening + line, ABSENT), each, axis=1)[:, :each]
        for line, holds in zip(cost, there, strict=True)
    ]
    return np.sort(np.concatenate(found, axis=1), axis=1)


def taken(
    future: Future,
    kept: Floats,
    weight: float,
    stock: Ints,
    price: Floats,
    capacity: Floats | None,
    softness: float,
) -> tuple[Floats, Floats]:
    """What a future takes at these prices: units by SKU and node, packages by [today or later] and node.

    Every order stands for `weight` orders; `kept[sku]` of each unit counts. Without a price of capacity packages
    are not counted.
    """
    nodes = stock.shape[1]
    units = np.zeros(stock.size)
    packages = np.zeros((2, nodes))
    by_place = np.where(stock > 0, price, ABSENT).astype(np.float32).ravel()
    for group in future.groups:
        opening = group.opening
        if capacity is not None:
            row = np.where(group.today, 0, 1)
            opening = opening + capacity.astype(np.float32)[row, group.node]
        cost = [
            whole + by_place[place] * quantity
            for whole, place, quantity in zip(group.cost, group.place, group.quantity, strict=True)
        ]
        shares, opened = spread.over_plans(opening, cost, softness)
        for share, place, sku, quantity in zip(shares, group.place, group.sku, group.quantity, strict=True):
            amount = share * (quantity * kept[sku])
            units += np.bincount(place.ravel(), amount.ravel(), len(units))
        if capacity is not None:
            place = row * nodes + group.node
            packages += weight * np.bincount(place.ravel(), opened.ravel(), 2 * nodes).reshape(2, nodes)
    return units.reshape(stock.shape), packages
