"""What carriers ask for a parcel, prepared once per network and rate card, asked for whole tables at once. Pure.

Zones count from 0 here and from 1 on a rate card; amounts are minor units. A price is the card's price for the
parcel's billed weight, plus surcharges, plus fuel of both rounded half up. What is billed is the greater of weight
and dimensional weight. What exceeds a card's heaviest step goes in several cartons, each priced by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.network.places import zip3, zip3_middles

Ints = NDArray[np.int64]
Rows = NDArray[np.int8]
NOT_CARRIED = 10**12
"""The price of a parcel that a card does not carry, in minor units: dearer than any other."""
MOST_CARTONS = 100_000
AREAS = 1000
EARTH_RADIUS_MILES = 3958.8
MICRO = 1_000_000
CM3_PER_IN3 = 16.387064
GRAMS_PER_LB = 453.59237
UNKNOWN = -1
PRICING = (
    "code",
    "service",
    "zone_by",
    "zone_miles",
    "dim_divisor",
    "dim_unit",
    "dim_over",
    "surcharges",
    "fuel_basis_points",
    "transit_days",
    "prices",
)
"""What of a rate card's row decides its prices and days."""


class Origin(NamedTuple):
    """Where a node's parcels start: its ZIP code, else its point in degrees."""

    postal_code: str | None
    lat: float | None
    lon: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Tariff:
    """One rate card over the nodes of a network, in the network's order."""

    code: str
    service: str
    steps: Ints
    """Heaviest billed weight of each step in grams, rising."""
    amounts: Ints
    """[zone, step]."""
    days: Ints
    """Business days under way by zone; -1: not known."""
    thresholds: Ints
    """Millionths of a mile."""
    by_area: Rows | None
    """[three-digit ZIP area of the destination, node] -> zone, -1 where only the distance tells; None: always so."""
    grams_per_cm3: float
    dim_over_cm3: float
    surcharges: tuple[tuple[str, int, int], ...]
    """(when, value, minor units)."""
    fuel_basis_points: int
    digest: str
    """Names everything it was laid out from."""

    @classmethod
    def build(
        cls, card: Mapping[str, Any], origins: Sequence[Origin], pairs: Mapping[int, bytes] | None = None
    ) -> Tariff:
        """Lay out a rate card (a row of `rate_cards` with prices). `pairs`: its zones by origin area (a byte for
        each destination area, zones from 1, 0 = not said)."""
        prices = card["prices"]
        amounts = [[NOT_CARRIED if one is None else one for one in row] for _, row in prices]
        zones = len(amounts[0])
        thresholds = np.rint(np.array(card["zone_miles"], dtype=np.float64) * MICRO).astype(np.int64)
        days = [*card["transit_days"], *[UNKNOWN] * zones][:zones]
        return cls(
            code=card["code"],
            service=card["service"],
            steps=np.array([grams for grams, _ in prices], dtype=np.int64),
            amounts=np.ascontiguousarray(np.array(amounts, dtype=np.int64).T),
            days=np.array(days, dtype=np.int64),
            thresholds=thresholds,
            by_area=_by_area(origins, pairs or {}, thresholds, zones) if card["zone_by"] == "zip3" else None,
            grams_per_cm3=_density(card["dim_divisor"], card["dim_unit"]),
            dim_over_cm3=card["dim_over"] * (CM3_PER_IN3 if card["dim_unit"] == "in3_per_lb" else 1.0),
            surcharges=tuple((one["when"], one["value"], one["amount"]) for one in card["surcharges"]),
            fuel_basis_points=card["fuel_basis_points"],
            digest=_digest(card, pairs or {}),
        )

    def zones(self, area: int | None, distances: Ints) -> Ints:
        """The zone from every node. `area`: the destination's three-digit ZIP area (places.zip3), `distances`:
        millionths of a mile from every node."""
        near = np.searchsorted(self.thresholds, distances, side="left")
        near = np.minimum(near, len(self.amounts) - 1)
        if self.by_area is None or area is None:
            return near
        told = self.by_area[area]
        return np.where(told == UNKNOWN, near, told)

    def transit_days(self, zones: Ints) -> Ints:
        """Business days under way; -1 where the card does not say."""
        return self.days[zones]

    def table(self, weights_g: Ints, volumes_cm3: Ints | None = None, *, residential: bool = True) -> Ints:
        """[zone, weight]: the price of a parcel of each weight to each zone."""
        volumes = np.zeros_like(weights_g) if volumes_cm3 is None else volumes_cm3
        billed = self.billed(weights_g, volumes)
        heaviest = int(self.steps[-1])
        more = np.clip((billed - 1) // heaviest, 0, MOST_CARTONS)
        each = volumes // (more + 1)
        total = self._carton(np.clip(billed - more * heaviest, 0, heaviest), each, residential)
        if more.any():
            total = total + more * self._carton(np.full_like(billed, heaviest), each, residential)
        return np.minimum(total, NOT_CARRIED)

    def price(
        self, zones: Ints, weights_g: Ints, volumes_cm3: Ints | None = None, *, residential: bool = True
    ) -> Ints:
        """The price of each parcel to its own zone."""
        table = self.table(weights_g, volumes_cm3, residential=residential)
        return table[zones, np.arange(len(weights_g))]

    def billed(self, weights_g: Ints, volumes_cm3: Ints) -> Ints:
        """Grams that count: the greater of weight and dimensional weight."""
        if not self.grams_per_cm3:
            return weights_g
        sized = np.ceil(np.where(volumes_cm3 > self.dim_over_cm3, volumes_cm3, 0) * self.grams_per_cm3 - 1e-6)
        return np.maximum(weights_g, sized.astype(np.int64))

    def _carton(self, billed: Ints, volumes: Ints, residential: bool) -> Ints:
        """[zone, weight] of single cartons, none heavier than the heaviest step."""
        total = self.amounts[:, np.searchsorted(self.steps, billed, side="left")]
        for when, value, amount in self.surcharges:
            total = total + amount * self._applies(when, value, billed, volumes, residential)
        if self.fuel_basis_points:
            total = total + (total * self.fuel_basis_points * 2 + 10_000) // 20_000
        return np.minimum(total, NOT_CARRIED)

    def _applies(self, when: str, value: int, billed: Ints, volumes: Ints, residential: bool) -> Any:
        match when:
            case "residential":
                return residential
            case "weight_over_g":
                return billed > value
            case "volume_over_cm3":
                return volumes > value
            case "zone_at_least":
                return (np.arange(1, len(self.amounts) + 1) >= value)[:, None]
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Tariffs:
    """The rate cards of a network's nodes as one: the zones of all cards are rows of one table.

    The last row is that of nodes without a card: it costs nothing, and its days are not known.
    """

    cards: tuple[Tariff, ...]
    of: Ints
    """By node, its card; -1: none."""
    first: Ints
    """By node, the row of its card's zone 0."""
    days: Ints

    @classmethod
    def build(cls, cards: Sequence[Tariff], codes: Sequence[str | None]) -> Tariffs:
        """`codes`: by node, the code of its card. A code that no card bears counts as none."""
        at = {card.code: position for position, card in enumerate(cards)}
        of = np.array([at.get(code or "", UNKNOWN) for code in codes], dtype=np.int64)
        starts = np.cumsum([0, *(len(card.amounts) for card in cards)])
        return cls(
            cards=tuple(cards),
            of=of,
            first=np.where(of == UNKNOWN, starts[-1], starts[of]).astype(np.int64),
            days=np.concatenate([*(card.days for card in cards), np.array([UNKNOWN], dtype=np.int64)]),
        )

    @property
    def priced(self) -> NDArray[np.bool_]:
        """By node, whether a card prices its parcels."""
        return self.of != UNKNOWN

    def rows(self, country: str, postal_code: str | None, distances: Ints) -> Ints:
        """By node, the row of `table` and `days` that holds for a destination. `distances`: millionths of a mile
        from every node."""
        area, found = zip3(postal_code, country), self.first.copy()
        for at, card in enumerate(self.cards):
            own = self.of == at
            found[own] += card.zones(area, distances)[own]
        return found

    def table(self, weights_g: Ints, volumes_cm3: Ints | None = None, *, residential: bool = True) -> Ints:
        """[row, weight]: minor units of a parcel of each weight."""
        free = np.zeros((1, len(weights_g)), dtype=np.int64)
        tables = [card.table(weights_g, volumes_cm3, residential=residential) for card in self.cards]
        return np.concatenate([*tables, free])

    def transit_days(self, rows: Ints) -> Ints:
        """Business days under way; -1 where nothing says."""
        return self.days[rows]


def _digest(card: Mapping[str, Any], pairs: Mapping[int, bytes]) -> str:
    said = repr([(name, card[name]) for name in PRICING])
    digest = hashlib.sha256(said.encode("utf-8", "surrogatepass"))
    for origin in sorted(pairs):
        digest.update(b"%d:" % origin + pairs[origin])
    return digest.hexdigest()


def _density(divisor: int | None, unit: str) -> float:
    if not divisor:
        return 0.0
    return GRAMS_PER_LB / (CM3_PER_IN3 * divisor) if unit == "in3_per_lb" else 1000.0 / divisor


def _by_area(origins: Sequence[Origin], pairs: Mapping[int, bytes], thresholds: Ints, zones: int) -> Rows:
    """[destination area, node] -> zone: as the pair says, else the pair of the way back, else by distance between
    the areas' middles."""
    said = np.zeros((AREAS, AREAS), dtype=np.uint8)
    for area, row in pairs.items():
        said[area] = np.frombuffer(row, dtype=np.uint8)
    middles = np.full((AREAS, 2), np.nan)
    for area, place in zip3_middles().items():
        middles[area] = (place.lat, place.lon)
    rows = np.full((len(origins), AREAS), UNKNOWN, dtype=np.int8)
    for node, origin in enumerate(origins):
        own = zip3(origin.postal_code)
        point = middles[own] if own is not None else np.array([np.nan, np.nan])
        if np.isnan(point[0]) and origin.lat is not None and origin.lon is not None:
            point = np.array([origin.lat, origin.lon])
        miles = _miles(point, middles)
        known = ~np.isnan(miles)
        rows[node, known] = np.minimum(
            np.searchsorted(thresholds, miles[known] * MICRO, side="left"), zones - 1
        )
        if own is not None:
            told = np.where(said[own] > 0, said[own], said[:, own]).astype(np.int64)
            rows[node, told > 0] = np.minimum(told[told > 0], zones) - 1
    return np.ascontiguousarray(rows.T)


def _miles(point: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great-circle miles from one point to others, in degrees; NaN where either is unknown."""
    lat, lon = np.radians(point)
    lats, lons = np.radians(others).T
    half = np.sin((lats - lat) / 2) ** 2 + np.cos(lat) * np.cos(lats) * np.sin((lons - lon) / 2) ** 2
    return 2 * EARTH_RADIUS_MILES * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
