"""Prices on scarce stock and on capacity: what a unit at a node is worth to the orders still to come.

    price[sku, node] = w1 value + a balance + b breadth

*value* is the mean, over sampled futures of the past's own orders, of what one unit more would save: the dual
price of stock in the cheapest plan for all orders of a future at once. Whole orders take part, so that the node
which can send everything in one package is worth more than one that is merely near. The dual is found by scaling:
at given prices the orders of a future spread over their plans (`plans.spread`); where they would take more than
there is, the price rises by the logarithm of the excess, elsewhere it falls, never below zero. Demand beyond all
stock is left out in proportion, for nobody can choose who comes too late. Packages a day are priced likewise.

*balance* and *breadth* weigh a tenth of a usual package each. The cheapest plan knows who comes next and a router does
not, so that a node's last units, and units where much else lies, are worth more than the dual says. Breadth does not
count for a SKU of which there is far more than will be asked for.

Plain arrays in, plain arrays out; money is floats of minor units. The same arguments give the same prices.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from app.routing import futures
from app.routing.facts import Ints
from app.routing.futures import Floats, Future, Goods, Past

FUTURES = 12  # many, each settled in few steps, say more than few of many steps
STEPS = 4  # of scaling, at each refresh
FIRST_STEPS = 10  # at each softness before the first prices
SOFTNESS = 0.025  # as a share of a usual package
COOLING = (0.15, 0.075, 0.025)  # softer at first, so that prices travel far
OVERSTEP = 1.5
UNIT = 0.3  # of stock, added on both sides: a single unit is not all or nothing
PACKAGE = 1.0  # likewise
HIGHEST = 6.0  # usual packages: no price is above
SHARE = 0.1  # of a usual package: the weight of balance, and of breadth
AMPLE = 2.0  # times demand: up to here breadth counts in full, from twice as much on not at all


@dataclass(frozen=True, slots=True)
class Demand:
    """Orders expected for the rest of today and for all later days, and how many later days there are."""

    today: float
    later: float
    days_later: int

    @property
    def orders(self) -> float:
        return self.today + self.later


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """Units on hand by SKU and node; packages by node that may still leave today, and on each later day."""

    stock: Ints
    today: Floats
    per_day: Floats


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the formula. `a` and `b` in minor units; None is a tenth of a usual package."""

    w1: float = 1.0
    a: float | None = None
    b: float | None = None


USUAL = Weights()


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """What a unit (`stock[sku, node]`) and a package of today (`capacity[node]`) are worth to orders to come; what a
    usual package costs (minor units); and by SKU how scarce it is, from 0 to 1.
    """

    stock: Floats
    capacity: Floats
    usual: float
    scarce: Floats

    def of_units(
        self, rows: Ints | slice, weights: Weights, stock: Ints, start: Ints, breadth: Floats
    ) -> Floats:
        """[row, node]: the formula for these SKUs, at the stock of now and of the beginning, [sku, node]."""
        share = SHARE * self.usual
        a = share if weights.a is None else weights.a
        b = share if weights.b is None else weights.b
        found: Floats = (
            weights.w1 * self.stock[rows]
            + a * balance(stock[rows], start[rows])
            + b * self.scarce[rows][:, None] * breadth
        )
        return found


@dataclass(slots=True, eq=False)
class _Estimate:
    """One future and the prices that settle it."""

    future: Future
    stock: Floats
    capacity: Floats  # [today or later, node]
    schedule: tuple[float, ...]

    def weight(self, demand: Demand) -> float:
        """How many orders each of the future's stands for."""
        return demand.orders / self.future.orders


@dataclass(slots=True, eq=False)
class Values:
    """Estimates prices again and again. Futures and their prices stay from one refresh to the next, but one that
    is drawn anew, so that few steps suffice and orders seen meanwhile take part.
    """

    goods: Goods
    seed: int = 1
    limited: bool = False  # whether any node's packages are
    usual: float = 0.0  # what a package costs about (minor units), as long as there is no past to tell
    estimates: list[_Estimate] = field(default_factory=list)
    turn: int = 0

    def refresh(self, past: Past, supply: Supply, demand: Demand, known: Past | None = None) -> Prices:
        """Prices for what is left now, if `known` orders come first and the rest of the period is like the past."""
        skus, nodes = supply.stock.shape
        usual = futures.usual_package(past) if len(past) else self.usual
        if not len(past) or demand.orders <= 0:
            return Prices(np.zeros((skus, nodes)), np.zeros(nodes), usual, np.ones(skus))
        self._renew(past, supply, demand)
        sure = futures.certain(known, self.goods, supply.stock) if known else None
        for estimate in self.estimates:
            for share in estimate.schedule:
                self._step(estimate, sure, supply, demand, share * usual, HIGHEST * usual)
            estimate.schedule = (SOFTNESS,) * STEPS
        return Prices(
            np.mean([estimate.stock for estimate in self.estimates], axis=0),
            np.mean([estimate.capacity[0] for estimate in self.estimates], axis=0),
            usual,
            self._scarce(supply, demand),
        )

    def _scarce(self, supply: Supply, demand: Demand) -> Floats:
        asked = np.mean([each.future.asked * each.weight(demand) for each in self.estimates], axis=0)
        there = supply.stock.sum(axis=1) / (AMPLE * np.maximum(asked, 1e-9))
        found: Floats = np.clip(2.0 - there, 0.0, 1.0)
        return found

    def _renew(self, past: Past, supply: Supply, demand: Demand) -> None:
        rng = np.random.default_rng((self.seed, self.turn))
        share = demand.today / demand.orders
        if self.estimates:
            oldest = self.estimates[self.turn % len(self.estimates)]
            oldest.future = futures.sample(past, self.goods, supply.stock, demand.orders, share, rng)
        else:
            skus, nodes = supply.stock.shape
            self.estimates = [
                _Estimate(
                    futures.sample(past, self.goods, supply.stock, demand.orders, share, rng),
                    np.zeros((skus, nodes)),
                    np.zeros((2, nodes)),
                    tuple(share for share in COOLING for _ in range(FIRST_STEPS)),
                )
                for _ in range(FUTURES)
            ]
        self.turn += 1

    def _step(
        self,
        estimate: _Estimate,
        sure: Future | None,
        supply: Supply,
        demand: Demand,
        softness: float,
        highest: float,
    ) -> None:
        """Scale prices once towards those at which nothing is asked for that is not there."""
        step = OVERSTEP * softness
        parts = [(estimate.future, estimate.weight(demand))]
        if sure is not None:
            parts.append((sure, 1.0))
        wanted = sum(future.asked * weight for future, weight in parts)
        kept = np.minimum(1.0, supply.stock.sum(axis=1) / np.maximum(wanted, 1e-9))
        capacity = estimate.capacity if self.limited else None
        asked, packages = np.zeros(supply.stock.shape), np.zeros(estimate.capacity.shape)
        for future, weight in parts:
            units, sent = futures.taken(
                future, kept * weight, weight, supply.stock, estimate.stock, capacity, softness
            )
            asked, packages = asked + units, packages + sent
        estimate.stock += step * np.log((asked + UNIT) / (supply.stock + UNIT))
        np.clip(estimate.stock, 0, highest, out=estimate.stock)
        if self.limited:
            there = np.stack((supply.today, supply.per_day * demand.days_later))
            estimate.capacity += step * np.log((packages + PACKAGE) / (there + PACKAGE))
            np.clip(estimate.capacity, 0, highest, out=estimate.capacity)


def balance(stock: Ints, start: Ints) -> Floats:
    """(e^x - 1) / (e - 1), x being the depleted share of what a node had of a SKU. Needs no forecast."""
    depleted = np.clip(1.0 - stock / np.maximum(start, 1), 0.0, 1.0)
    found: Floats = np.expm1(depleted) / (np.e - 1)
    return found


def breadth(stock: Ints) -> Floats:
    """[node]: the share of the assortment that each node holds."""
    found: Floats = (stock > 0).mean(axis=0)
    return found
