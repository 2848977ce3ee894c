"""The policies: how the plan of an order is chosen. All but the windowed one see one order at a time.

Whatever the policy, a line goes whole to one node when any holds it, and all that can be filled is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from app.routing import cheapest, kernel, windows
from app.routing.facts import HIGHEST_PRIORITY, MICRO, Ints
from app.routing.replay.instance import Floats, Instance, Order, Profile
from app.routing.replay.pricing import Pricing
from app.routing.replay.stream import Decision, Ledger, Placements, Quotes, decided

DEFAULT = "priced"


@dataclass(slots=True, eq=False)
class Routing:
    """All that a policy may look at. It learns of an order when it plans it, and of later orders never."""

    instance: Instance
    profile: Profile
    quotes: Quotes
    ledger: Ledger
    priority: Ints
    pricing: Pricing | None = None

    @classmethod
    def of(cls, instance: Instance, profile: Profile) -> Routing:
        return cls(
            instance,
            profile,
            Quotes.of(instance, instance.orders),
            Ledger.of(instance),
            np.clip(instance.priority - min(0, int(instance.priority.min())), 0, HIGHEST_PRIORITY),
        )

    @property
    def prices(self) -> Pricing:
        if self.pricing is None:
            self.pricing = Pricing.of(self.instance, self.profile, self.quotes)
        return self.pricing


def route(instance: Instance, profile: Profile, policy: str = DEFAULT) -> Iterator[Decision]:
    """Decide every order in turn. The same arguments give the same decisions."""
    routing = Routing.of(instance, profile)
    plan, window = POLICIES[policy], profile.window_orders if policy == "windowed" else 1
    for together in spans(instance.orders, window):
        for at, placements in zip(together, plan(routing, together), strict=True):
            order = instance.orders[at]
            routing.ledger.take(order, placements)
            yield decided(instance, routing.quotes, at, order, placements)


def spans(orders: Sequence[Order], most: int) -> Iterator[range]:
    """Up to `most` consecutive orders of one day."""
    for _, group in groupby(range(len(orders)), key=lambda at: orders[at].day):
        day = list(group)
        for first in range(day[0], day[-1] + 1, most):
            yield range(first, min(first + most, day[-1] + 1))


def nearest(routing: Routing, window: range) -> list[Placements]:
    """Each line from the nearest node that holds it; what none holds, node by node from the nearest."""
    return [_by_miles(routing, at, kernel.NEAREST) for at in window]


def fewest_nearest(routing: Routing, window: range) -> list[Placements]:
    """Fewest packages, then the least sum of miles."""
    return [_by_miles(routing, at, kernel.FEWEST) for at in window]


def single_else_nearest(routing: Routing, window: range) -> list[Placements]:
    """The nearest node that holds everything; if none does, as `nearest`."""
    plans = []
    for at in window:
        order = routing.instance.orders[at]
        alone = (routing.ledger.offered(order) == order.quantity[:, None]).all(axis=0).any()
        plans.append(_by_miles(routing, at, kernel.FEWEST if alone else kernel.NEAREST))
    return plans


def _by_miles(routing: Routing, at: int, objective: str) -> Placements:
    order = routing.instance.orders[at]
    task = kernel.Task(
        quantity=order.quantity,
        stock=routing.ledger.offered(order),
        distance=micro(routing.quotes.miles[at]),
        priority=routing.priority,
        objective=objective,
    )
    plan = kernel.best(task) if len(order.quantity) else None
    return kernel.place(task, plan) if plan else []


def myopic(routing: Routing, window: range) -> list[Placements]:
    """The least cost of each order by itself."""
    return [_cheapest(routing, at, 0.0, 0.0) for at in window]


def priced(routing: Routing, window: range) -> list[Placements]:
    """The least cost with prices on what later orders will want."""
    plans = []
    for at in window:
        order = routing.instance.orders[at]
        if routing.prices.due(1):
            routing.prices.refresh(range(at, at), routing.ledger)
        by_unit, by_package = routing.prices.of_order(order, routing.ledger)
        plans.append(_cheapest(routing, at, by_unit, by_package))
        routing.prices.seen(order)
    return plans


def windowed(routing: Routing, window: range) -> list[Placements]:
    """The least cost of all orders of the window together, with prices; one by one where that is no better."""
    if routing.prices.due(len(window)):
        routing.prices.refresh(window, routing.ledger)
    one_by_one = _one_by_one(routing, window, {})
    for at in window:
        routing.prices.seen(routing.instance.orders[at])
    day = routing.instance.orders[window.start].day
    found = windows.together(
        one_by_one, routing.ledger.stock, routing.ledger.left(day), routing.profile.time_limit_s
    )
    if found is not None:
        moved = _one_by_one(routing, window, dict(zip(window, found, strict=True)))
        if windows.rank(moved) < windows.rank(one_by_one):
            return [each.stands for each in moved]
    return [each.stands for each in one_by_one]


def _one_by_one(routing: Routing, window: range, planned: Mapping[int, Placements]) -> list[windows.Waiting]:
    """Each order as planned, if that still keeps the rules when its turn comes, or else its cheapest plan.

    What was planned together may be wrong in turn: an order that moved away may leave room for a unit that an
    earlier one had to go without.
    """
    ledger, waiting = routing.ledger.copy(), []
    for at in window:
        order = routing.instance.orders[at]
        asked = bill(routing, ledger, at, *routing.prices.of_order(order, routing.ledger))
        plan = planned.get(at)
        if plan is None or not windows.allowed(asked, plan):
            best = cheapest.cheapest(asked) if len(order.quantity) else None
            plan = best.placements if best else ()
        waiting.append(windows.Waiting(asked, order.skus, plan))
        ledger.take(order, plan)
    return waiting


def _cheapest(routing: Routing, at: int, by_unit: Floats | float, by_package: Floats | float) -> Placements:
    order = routing.instance.orders[at]
    if not len(order.quantity):
        return []
    plan = cheapest.cheapest(bill(routing, routing.ledger, at, by_unit, by_package))
    return plan.placements if plan else []


def bill(
    routing: Routing, ledger: Ledger, at: int, by_unit: Floats | float, by_package: Floats | float
) -> cheapest.Bill:
    """What the kernel is asked: the order's costs plus prices, in millionths of a minor unit."""
    order, quotes = routing.instance.orders[at], routing.quotes
    by_card = None if quotes.zones is None else lambda units: quotes.by_card(order, units) * MICRO
    return cheapest.Bill(
        quantity=order.quantity,
        stock=ledger.offered(order),
        package=micro(quotes.package(at) + by_package),
        unit=micro(quotes.units(at, order) + by_unit),
        priority=routing.priority,
        extra=by_card,
        row=None if quotes.zones is None else quotes.zones[at],
    )


def micro(amounts: Floats) -> Ints:
    """In whole millionths, the fixed point of the kernel."""
    found: Ints = np.rint(amounts * MICRO).astype(np.int64)
    return found


Policy = Callable[[Routing, range], list[Placements]]
POLICIES: Mapping[str, Policy] = {
    "myopic": myopic,
    "priced": priced,
    "windowed": windowed,
    "nearest": nearest,
    "single_else_nearest": single_else_nearest,
    "fewest_nearest": fewest_nearest,
}
