"""The stream: orders in turn against stock and capacity that deplete, and what each plan costs.

What is left is kept in one place, `Ledger`, which refuses to be overdrawn; planners only look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.network.tariffs import GRAMS_PER_LB
from app.routing.facts import MICRO, Flags, Ints
from app.routing.replay.instance import UNLIMITED, Floats, Instance, Order, miles

LIGHT_G, HEAVY_G = 454, 4536  # of the straight line through a rate card's prices
DECIMALS = 6  # of a minor unit: costs closer than this are equal
Placements = Sequence[tuple[int, int, int]]
"""(line, node, units) in order of lines."""


@dataclass(frozen=True, slots=True, eq=False)
class Quotes:
    """For every order (rows) and node (columns): miles, what a package costs before it holds anything, and a pound.

    Where a rate card prices packages by steps of weight, `zones` are its zones and the two costs are those of a
    straight line through its prices: good for estimates, while plans and their costs use the card itself.
    """

    instance: Instance
    miles: Floats
    opening: Floats
    per_lb: Floats
    zones: Ints | None = None

    @classmethod
    def of(cls, instance: Instance, orders: Sequence[Order]) -> Quotes:
        lat = np.array([order.lat for order in orders], dtype=np.float64)
        lon = np.array([order.lon for order in orders], dtype=np.float64)
        far = miles(instance.lat, instance.lon, lat, lon)
        carrier = instance.carrier
        if carrier.card is None:
            zones = carrier.zones(far)
            opening = carrier.base[zones] + instance.handling_per_package
            return cls(instance, far, opening, carrier.per_lb[zones])
        zones = np.empty(far.shape, dtype=np.int64)
        for at, order in enumerate(orders):
            zones[at] = carrier.card.zones(order.area, np.rint(far[at] * MICRO).astype(np.int64))
        light, heavy = carrier.card.table(np.array([LIGHT_G, HEAVY_G], dtype=np.int64)).T.astype(np.float64)
        per_lb = (heavy - light) / (HEAVY_G - LIGHT_G) * GRAMS_PER_LB
        opening = (light - per_lb * LIGHT_G / GRAMS_PER_LB)[zones] + instance.handling_per_package
        return cls(instance, far, opening, per_lb[zones], zones)

    def package(self, at: int) -> Floats:
        """[node]: what a package costs before it holds anything, and apart from the card's price."""
        return self.opening[at] if self.zones is None else self.instance.handling_per_package

    def units(self, at: int, order: Order) -> Floats:
        """[line, node]: what one unit adds to a package, apart from the card's price."""
        if self.zones is not None:
            return np.tile(self.instance.handling_per_unit, (len(order.skus), 1))
        found: Floats = (
            self.per_lb[at] * self.instance.weight_lb[order.skus][:, None] + self.instance.handling_per_unit
        )
        return found

    def by_card(self, order: Order, units: Ints) -> Ints:
        """[zone, package]: the card's price of packages that hold `units[package, line]`; nothing costs nothing."""
        card = self.instance.carrier.card
        assert card is not None
        grams = np.rint(units @ self.instance.weight_lb[order.skus] * GRAMS_PER_LB).astype(np.int64)
        return np.where(units.any(axis=1), card.table(np.maximum(grams, 1)), 0)


@dataclass(slots=True, eq=False)
class Ledger:
    """What is left: units by SKU and node, packages by day and node."""

    instance: Instance
    stock: Ints
    packages: dict[int, Ints] = field(default_factory=dict)

    @classmethod
    def of(cls, instance: Instance) -> Ledger:
        return cls(instance, instance.stock.copy())

    def copy(self) -> Ledger:
        return Ledger(
            self.instance, self.stock.copy(), {day: left.copy() for day, left in self.packages.items()}
        )

    def left(self, day: int) -> Ints:
        """Packages that each node can still send that day; a great many where there is no limit."""
        if day not in self.packages:
            limit = self.instance.capacity_per_day
            self.packages[day] = np.where(limit == UNLIMITED, np.iinfo(np.int64).max // 2, limit)
        return self.packages[day]

    def offered(self, order: Order) -> Ints:
        """[line, node]: units that each node can give to each line, capped at what is wanted."""
        sendable: Flags = self.left(order.day) > 0
        offered: Ints = np.minimum(self.stock[order.skus], order.quantity[:, None])
        offered[:, ~sendable] = 0
        return offered

    def take(self, order: Order, placements: Placements) -> None:
        """Book a plan. ValueError when it asks for more than there is."""
        left = self.left(order.day)
        for line, node, units in placements:
            self.stock[order.skus[line], node] -= units
            if self.stock[order.skus[line], node] < 0:
                raise ValueError(f"order {order.id}: stock overdrawn")
        for node in {node for _, node, _ in placements}:
            left[node] -= 1
            if left[node] < 0:
                raise ValueError(f"order {order.id}: capacity overdrawn")


@dataclass(frozen=True, slots=True)
class Decision:
    """Where one order goes. `unfilled` are (line, units)."""

    order: Order
    placements: Placements
    unfilled: tuple[tuple[int, int], ...]
    cost: float

    @property
    def packages(self) -> int:
        return len({node for _, node, _ in self.placements})


def decided(instance: Instance, quotes: Quotes, at: int, order: Order, placements: Placements) -> Decision:
    """The decision that a plan amounts to, with its cost."""
    left = order.quantity.tolist()
    for line, _, units in placements:
        left[line] -= units
    unfilled = tuple((line, units) for line, units in enumerate(left) if units)
    cost, package, unit = 0.0, quotes.package(at), quotes.units(at, order)
    for node in sorted({node for _, node, _ in placements}):
        given = [(line, units) for line, place, units in placements if place == node]
        cost += float(package[node]) + sum(float(unit[line, node]) * units for line, units in given)
        if quotes.zones is not None:
            held = np.zeros((1, len(order.skus)), dtype=np.int64)
            for line, units in given:
                held[0, line] = units
            cost += float(quotes.by_card(order, held)[quotes.zones[at, node], 0])
    for line, missing in unfilled:
        cost += float(instance.lost_unit_penalty[order.skus[line]]) * missing
    return Decision(order, placements, unfilled, round(cost, DECIMALS))


def written(instance: Instance, decision: Decision) -> dict[str, Any]:
    """The decision as its JSON document; nodes in the order of their ids, lines in the order's own."""
    order = decision.order

    def lines(rows: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
        return [{"sku": instance.skus[order.skus[line]], "qty": units} for line, units in rows]

    return {
        "order": order.id,
        "plan": [
            {
                "node": instance.nodes[node],
                "lines": lines(
                    [(line, units) for line, place, units in decision.placements if place == node]
                ),
            }
            for node in sorted({node for _, node, _ in decision.placements})
        ],
        "unfilled": lines(decision.unfilled),
        "cost": decision.cost,
    }
