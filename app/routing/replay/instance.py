"""What is replayed: nodes, SKUs, stock, orders and the carrier's prices, as plain values.

Nodes lie in the order of their ids, so positions compare as ids do. Money is floats of minor units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.network.tariffs import Tariff
from app.routing.facts import EARTH_RADIUS_MILES, Ints
from app.routing.prices import USUAL, Weights

Floats = np.ndarray
UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class Profile:
    """How prices are weighed and windows planned. `time_limit_s` is the most a window may take."""

    weights: Weights = USUAL
    window_orders: int = 150
    seed: int = 1
    time_limit_s: float = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Carrier:
    """Prices by zone; a zone is the number of thresholds (miles) that a distance has passed.

    With a `card`, zones and the price of every weight are those of a rate card, as live orders have them; `base`
    and `per_lb` are then empty.
    """

    zone_miles: Floats
    base: Floats
    per_lb: Floats
    card: Tariff | None = None

    def zones(self, miles: Floats) -> Ints:
        return np.searchsorted(self.zone_miles, miles, side="left")


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """One order: positions of distinct SKUs and whole units of each. `area`: its three-digit ZIP area, if told."""

    id: str | int
    day: int
    lat: float
    lon: float
    skus: Ints
    quantity: Ints
    area: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A network, what it holds (`stock[sku, node]`), what was ordered before, and the orders to route."""

    currency: str
    days: int
    carrier: Carrier
    nodes: tuple[str | int, ...]
    kinds: tuple[str, ...]
    lat: Floats
    lon: Floats
    handling_per_package: Floats
    handling_per_unit: Floats
    capacity_per_day: Ints
    priority: Ints
    skus: tuple[str | int, ...]
    weight_lb: Floats
    lost_unit_penalty: Floats
    stock: Ints
    history: tuple[Order, ...]
    orders: tuple[Order, ...]


def miles(lat: Floats, lon: Floats, to_lat: Floats, to_lon: Floats) -> Floats:
    """Great-circle miles of every destination (rows) to every node (columns); degrees in."""
    lat, lon = np.radians(lat)[None, :], np.radians(lon)[None, :]
    to_lat, to_lon = np.radians(to_lat)[:, None], np.radians(to_lon)[:, None]
    half = np.sin((lat - to_lat) / 2) ** 2 + np.cos(lat) * np.cos(to_lat) * np.sin((lon - to_lon) / 2) ** 2
    found: Floats = 2 * EARTH_RADIUS_MILES * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return found
