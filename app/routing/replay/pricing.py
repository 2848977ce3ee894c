"""The prices of a replay: estimated again every so many orders from the past, which grows as the replay goes on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from app.routing import prices
from app.routing.futures import Goods, Past
from app.routing.replay.instance import UNLIMITED, Floats, Instance, Order, Profile
from app.routing.replay.stream import Ledger, Quotes

REFRESHES = 40  # over a period as long as history
LEAST_BETWEEN = 25
PLENTY = 1e9  # packages of a node without a limit
LEAST_TODAY = 0.1  # of a day's orders: how many more may come however many have


@dataclass(slots=True, eq=False)
class Pricing:
    """What a router knows of prices at a moment. It knows history and the orders it has seen."""

    instance: Instance
    profile: Profile
    past: Past  # history, then the orders themselves; only what has been seen is used
    values: prices.Values
    breadth: Floats
    history_days: int
    seen_by_day: dict[int, int] = field(default_factory=dict)
    since: int = 0  # orders, the last refresh
    now: prices.Prices | None = None

    @classmethod
    def of(cls, instance: Instance, profile: Profile, quotes: Quotes) -> Pricing:
        before = Quotes.of(instance, instance.history)
        together = (*instance.history, *instance.orders)
        sizes = [len(order.skus) for order in together]
        past = Past(
            opening=np.vstack((before.opening, quotes.opening)).astype(np.float32),
            per_lb=np.vstack((before.per_lb, quotes.per_lb)).astype(np.float32),
            order=np.repeat(np.arange(len(together)), sizes),
            sku=np.concatenate([np.zeros(0, dtype=np.int64), *(order.skus for order in together)]),
            quantity=np.concatenate([np.zeros(0, dtype=np.int64), *(order.quantity for order in together)]),
        )
        limited = bool((instance.capacity_per_day != UNLIMITED).any())
        return cls(
            instance,
            profile,
            past,
            prices.Values(
                Goods(instance.weight_lb, instance.handling_per_unit),
                profile.seed,
                limited,
                float(quotes.opening[0].min()),
            ),
            prices.breadth(instance.stock),
            days_of([order.day for order in instance.history]),
        )

    def of_order(self, order: Order, ledger: Ledger) -> tuple[Floats, Floats]:
        """The price of a unit, [line, node], and of a package, [node]. Refresh first."""
        assert self.now is not None
        weights = self.profile.weights
        by_unit = self.now.of_units(order.skus, weights, ledger.stock, self.instance.stock, self.breadth)
        return by_unit, weights.w1 * self.now.capacity

    def seen(self, order: Order) -> None:
        """An order has been planned: from now on it is past."""
        self.since += 1
        self.seen_by_day[order.day] = self.seen_by_day.get(order.day, 0) + 1

    @property
    def every(self) -> int:
        """Orders from one refresh to the next: a share of a period as long as history, never very few."""
        return max(LEAST_BETWEEN, len(self.instance.history) // REFRESHES)

    def due(self, coming: int) -> bool:
        """Whether prices are to be estimated anew before so many orders are planned."""
        return self.now is None or self.since + coming > self.every

    def refresh(self, window: range, ledger: Ledger) -> None:
        """Estimate prices anew; the orders of the window are known and have still to be planned."""
        day = self.instance.orders[window.start].day
        limit = self.instance.capacity_per_day
        supply = prices.Supply(
            ledger.stock,
            np.minimum(ledger.left(day), PLENTY).astype(np.float64),
            np.where(limit == UNLIMITED, PLENTY, limit).astype(np.float64),
        )
        before = len(self.instance.history)
        past = self.past.part(0, before + window.start)
        known = self.past.part(before + window.start, before + window.stop) if window else None
        self.now = self.values.refresh(past, supply, self.demand(day, len(window)), known)
        self.since = 0

    def demand(self, day: int, known: int) -> prices.Demand:
        """Orders still to come besides those known, from the days of history and of those seen so far."""
        done = [number for past, number in self.seen_by_day.items() if past < day]
        orders = len(self.instance.history) + sum(done)
        per_day = orders / max(self.history_days + len(done), 1)
        later = max(0, self.instance.days - 1 - (day - self.first_day))
        today = max(per_day - self.seen_by_day.get(day, 0) - known, LEAST_TODAY * per_day)
        return prices.Demand(today, later * per_day, later)

    @property
    def first_day(self) -> int:
        """The number of the period's first day. It is 0 where every order lies in the days from there on, for they
        may be some days cut out of the period; else the day of the first order.
        """
        first, last = self.instance.orders[0].day, self.instance.orders[-1].day
        return 0 if 0 <= first <= last < self.instance.days else first


def days_of(days: Sequence[int]) -> int:
    """How many days a history tells of, by the day of each order in turn. Where the day falls back to the first or
    before it, another period begins that counts days of its own.
    """
    periods = [[day, day] for day in days[:1]]
    for earlier, day in itertools.pairwise(days):
        if day >= earlier:
            periods[-1][1] = day
        elif day <= periods[-1][0]:
            periods.append([day, day])
        else:  # in no order of time, so that nothing says where a period begins
            return max(days) - min(days) + 1
    return sum(last - first + 1 for first, last in periods)
