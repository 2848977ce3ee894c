"""Prices on scarce stock and on capacity: what a unit at a node is worth to the orders still to come.

    price[sku, node] = w1 value + a balance + b breadth

*value* is the mean, over sampled futures of the past's own orders, of what one unit more would save: the dual
price of stock in the cheapest plan for all orders of a future at once. Whole orders take part, so that the node
which can send everything in one package is worth more than one that is merely near. The dual is found by scaling:
at given prices the orders of a future spread over their plans (a soft least, `softness` wide); where they would
take more than there is, the price rises by the logarithm of the excess, elsewhere it falls, never below zero.
Demand beyond all stock is left out in proportion, for nobody can choose who is late.

Plain arrays in, plain arrays out; money is floats of minor units. The same arguments give the same prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from app.routing.facts import Ints

Floats = np.ndarray

FUTURES = 4
MOST_ORDERS = 4_000  # orders of one future; more are stood for by weight
MOST_LINES = 4  # an order with more lines counts as several
CANDIDATES = 24  # nodes looked at for one order of a future
FIRST_STEPS, STEPS = 20, 6  # of scaling: per softness at first, and at each refresh
SOFTNESS = 0.025  # as a share of a usual package
COOLING = (0.15, 0.075)  # softer at first, so that prices travel far
OVERSTEP = 1.5
UNIT = 0.3  # of stock, added on both sides: a single unit is not all or nothing
HIGHEST = 6.0  # usual packages: no price is above
ABSENT = np.float32(1e7)
MIXED = 0.5  # share of future orders that go where another past order went: few orders say little of place


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Past orders. `opening[order, node]`: cost of a package; `per_lb` likewise; lines as parallel arrays."""

    opening: Floats
    per_lb: Floats
    order: Ints  # of each line, ascending
    sku: Ints
    quantity: Ints

    def __len__(self) -> int:
        return len(self.opening)


@dataclass(frozen=True, slots=True, eq=False)
class Goods:
    """`weight_lb` by SKU and `per_unit` (handling) by node."""

    weight_lb: Floats
    per_unit: Floats


@dataclass(frozen=True, slots=True)
class Demand:
    """Orders expected for the rest of today, for all later days, and how many later days there are."""

    today: float
    later: float
    days_later: int


@dataclass(slots=True, eq=False)
class _Group:
    """Orders of a future with the same number of lines, with the nodes that may serve them."""

    node: Ints  # [order, candidate]
    opening: Floats
    unit: list[Floats]  # by line: cost of the whole line, [order, candidate]
    sku: list[Ints]
    quantity: list[Floats]
    place: list[Ints]  # by line: sku and node as one index
    count: Floats
    today: np.ndarray


@dataclass(slots=True, eq=False)
class _Future:
    groups: list[_Group]
    orders: float
    price: Floats
    capacity: Floats  # [today or later, node]
    fresh: bool = True


@dataclass(slots=True, eq=False)
class Values:
    """Keeps the futures and their prices from refresh to refresh, so that few steps suffice."""

    goods: Goods
    shape: tuple[int, int]
    seed: int = 1
    limited: bool = False
    futures: list[_Future] = field(default_factory=list)
    turn: int = 0
    opts: dict = field(default_factory=dict)

    def refresh(
        self, past: Past, stock: Ints, capacity: Floats, left_today: Floats, demand: Demand, recent: Floats
    ) -> tuple[Floats, Floats]:
        g=self.opts.get
        nf=g('futures',FUTURES)
        if not len(past):
            return np.zeros(self.shape), np.zeros(self.shape[1])
        usual = float(np.median(past.opening.min(axis=1)))
        rng = np.random.default_rng((self.seed, self.turn))
        if self.futures:
            for r in range(g('renew',1)):
                at = (self.turn*g('renew',1)+r) % nf
                old = self.futures[at]
                self.futures[at] = self.sampled(past, stock, recent, rng, demand)
                self.futures[at].price, self.futures[at].capacity, self.futures[at].fresh = old.price, old.capacity, False
        else:
            self.futures = [self.sampled(past, stock, recent, rng, demand) for _ in range(nf)]
        self.turn += 1
        for future in self.futures:
            self.settle(future, stock, np.stack((left_today, capacity * demand.days_later)), demand, usual)
        return (
            np.mean([future.price for future in self.futures], axis=0),
            np.mean([future.capacity[0] for future in self.futures], axis=0),
        )

    def sampled(self, past, stock, recent, rng, demand) -> _Future:
        g=self.opts.get
        wanted = demand.today + demand.later
        number = max(1,int(min(round(wanted), g('most',MOST_ORDERS))))
        chosen = rng.choice(len(past), size=number, p=recent / recent.sum())
        place = chosen.copy()
        mixed = rng.random(number) < g('mixed',MIXED)
        place[mixed] = chosen[rng.integers(0, number, mixed.sum())]
        today = rng.random(number) < demand.today / max(wanted, 1e-9)
        groups = _grouped(past, self.goods, stock, chosen, place, today, g('cand',CANDIDATES))
        return _Future(groups, float(number), np.zeros(self.shape), np.zeros((2, self.shape[1])))

    def settle(self, future, stock, capacity, demand, usual) -> None:
        g=self.opts.get
        weight = (demand.today + demand.later) / future.orders
        sold = np.zeros(self.shape[0])
        for group in future.groups:
            for sku, quantity in zip(group.sku, group.quantity, strict=True):
                sold += np.bincount(sku, quantity * group.count, self.shape[0])
        kept = np.minimum(1.0, stock.sum(axis=1) / np.maximum(sold * weight, 1e-9))
        soft=g('soft',SOFTNESS)
        schedule = [*[x for x in COOLING for _ in range(g('first',FIRST_STEPS))], *[soft] * g('first',FIRST_STEPS)] if future.fresh else [soft] * g('steps',STEPS)
        future.fresh = False
        have = np.maximum(stock, 0)
        unit=g('unit',UNIT); over=g('over',OVERSTEP)
        for share in schedule:
            softness = share * usual
            taken, packages = _taken(future, kept * weight, weight, stock, self.shape, softness, self.limited)
            step = over * softness
            future.price += step * np.log((taken + unit) / (have + unit))
            np.clip(future.price, 0, HIGHEST * usual, out=future.price)
            if self.limited:
                future.capacity += step * np.log((packages + 1) / (capacity + 1))
                np.clip(future.capacity, 0, HIGHEST * usual, out=future.capacity)


def _grouped(past, goods, stock, chosen, place, today, cand) -> list[_Group]:
    start = np.searchsorted(past.order, np.arange(len(past) + 1))
    sizes = np.diff(start)[chosen]
    groups = []
    heads: dict[int, list] = {}
    for size in np.unique(sizes).tolist():
        if size == 0: continue
        which = np.flatnonzero(sizes == size)
        for first in range(0, size, MOST_LINES):
            heads.setdefault(min(MOST_LINES, size - first), []).append((which, first))
    for lines, parts in sorted(heads.items()):
        which = np.concatenate([w for w, _ in parts])
        first = np.concatenate([np.full(len(w), f) for w, f in parts])
        groups.append(_group(past, goods, stock, chosen[which], place[which], today[which], start, first, lines, cand))
    return groups


def _group(past, goods, stock, chosen, place, today, start, first, lines, cand) -> _Group:
    nodes = past.opening.shape[1]
    at = start[chosen] + first
    sku = [past.sku[at + line] for line in range(lines)]
    quantity = [past.quantity[at + line].astype(np.float32) for line in range(lines)]
    opening, per_lb = past.opening[place].astype(np.float32), past.per_lb[place].astype(np.float32)
    unit = [
        (per_lb * goods.weight_lb[s].astype(np.float32)[:, None] + goods.per_unit.astype(np.float32)) * q[:, None]
        for s, q in zip(sku, quantity, strict=True)
    ]
    if nodes <= cand:
        node = np.broadcast_to(np.arange(nodes), (len(at), nodes))
    else:
        each = cand // lines
        node = np.concatenate(
            [np.argpartition(opening + u + ABSENT * (stock[s] <= 0), each, axis=1)[:, :each] for s, u in zip(sku, unit, strict=True)], axis=1
        )
        opening = np.take_along_axis(opening, node, axis=1)
        unit = [np.take_along_axis(u, node, axis=1) for u in unit]
        if lines > 1:
            order = np.argsort(node, axis=1, kind="stable")
            node = np.take_along_axis(node, order, axis=1)
            opening = np.take_along_axis(opening, order, axis=1)
            unit = [np.take_along_axis(u, order, axis=1) for u in unit]
            opening[:, 1:][node[:, 1:] == node[:, :-1]] = ABSENT
    return _Group(node, opening, unit, sku, quantity, [s[:, None] * nodes + node for s in sku], np.ones(len(at)), today)


def _taken(future, kept, weight, stock, shape, softness, limited):
    nodes = shape[1]
    taken = np.zeros(shape[0] * nodes)
    packages = np.zeros((2, nodes))
    price = np.where(stock > 0, future.price, ABSENT).astype(np.float32).ravel()
    capacity = future.capacity.astype(np.float32)
    for group in future.groups:
        opening = group.opening
        if limited:
            opening = opening + np.where(group.today[:, None], capacity[0][group.node], capacity[1][group.node])
        cost = [
            unit + price[place] * quantity[:, None]
            for unit, place, quantity in zip(group.unit, group.place, group.quantity, strict=True)
        ]
        lines, opened = soft_plans(opening, cost, softness, limited)
        for line, share in enumerate(lines):
            amount = group.quantity[line] * kept[group.sku[line]]
            taken += np.bincount(group.place[line].ravel(), (share * amount[:, None]).ravel(), len(taken))
        if limited:
            for row, flag in enumerate((group.today, ~group.today)):
                packages[row] += weight * np.bincount(group.node[flag].ravel(), opened[flag].ravel(), nodes)
    return taken.reshape(shape), packages


_SPLITS: dict[int, list[tuple[int, list[int]]]] = {}


def _splits(lines: int) -> list[tuple[int, list[int]]]:
    """Every set of lines with each of its parts that holds its lowest line, as bit masks, small sets first."""
    if lines not in _SPLITS:
        found = []
        for whole in range(1, 1 << lines):
            low = whole & -whole
            rest = part = whole ^ low
            parts = [part | low]
            while part:
                part = (part - 1) & rest
                parts.append(part | low)
            found.append((whole, parts))
        _SPLITS[lines] = found
    return _SPLITS[lines]


def soft_plans(opening: Floats, cost: Sequence[Floats], softness: float, want_opened=True):
    """How orders spread over their plans: by line the share of each node; and packages by node.

    A plan splits the lines into parts, each sent from one node; shares fall by e per `softness` of cost.
    """
    lines = len(cost)
    if lines == 1:
        share, _ = _soft_least(opening + cost[0], softness)
        return [share], share
    size = 1 << lines
    shares: list = [None] * size
    sums: list = [opening] + [None] * (size - 1)
    least = np.empty((size, len(opening)), dtype=np.float32)
    for part in range(1, size):
        low = (part & -part).bit_length() - 1
        sums[part] = sums[part & (part - 1)] + cost[low]
        shares[part], least[part] = _soft_least(sums[part], softness)
    best = np.zeros((size, len(opening)), dtype=np.float32)
    ways = {}
    for whole, parts in _splits(lines):
        values = np.stack([least[part] + best[whole ^ part] for part in parts], axis=1)
        ways[whole], best[whole] = _soft_least(values, softness)
    reached = np.zeros((size, len(opening)), dtype=np.float32)
    reached[-1] = 1
    used = np.zeros((size, len(opening)), dtype=np.float32)
    for whole, parts in reversed(_splits(lines)):
        for at, part in enumerate(parts):
            flow = reached[whole] * ways[whole][:, at]
            used[part] += flow
            reached[whole ^ part] += flow
    placed: list = [0] * lines
    opened: Floats = np.zeros_like(opening)
    for part in range(1, size):
        flow = shares[part]
        flow *= used[part][:, None]
        if want_opened: opened += flow
        for line in range(lines):
            if part >> line & 1:
                placed[line] = placed[line] + flow
    return placed, opened


def _soft_least(costs: Floats, softness: float):
    least = costs.min(axis=1)
    share = costs - least[:, None]
    share *= -1 / softness
    np.exp(share, out=share)
    total = share.sum(axis=1)
    share /= total[:, None]
    return share, least - softness * np.log(total)


def balance(stock: Ints, start: Ints) -> Floats:
    """(e^x - 1) / (e - 1), x being the depleted share of what a node had of a SKU."""
    depleted = 1.0 - stock / np.maximum(start, 1)
    found: Floats = np.expm1(np.clip(depleted, 0.0, 1.0)) / (np.e - 1)
    return found
