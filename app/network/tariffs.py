"""What carriers ask for a parcel, prepared once per network and rate card, asked for whole tables at once. Pure.

Zones count from 0 here and from 1 on a rate card; amounts are minor units. A price is the card's price for the
parcel's billed weight, plus surcharges, plus fuel of both rounded half up. What is billed is the greater of weight
and dimensional weight. What exceeds a card's heaviest step goes in several cartons, each priced by itself.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
    """Heaviest billed weight of each step in grams, rising. Surcharges by weight have steps of their own."""
    sizes: Ints
    """Cubic centimeters above which a surcharge by volume is asked, rising."""
    prices: Ints
    """[to a home, sizes exceeded, zone, step]: the price of one carton with all that comes on top."""
    days: Ints
    """Business days under way by zone; -1: not known."""
    thresholds: Ints
    """Millionths of a mile."""
    by_area: Rows | None
    """[three-digit ZIP area of the destination, node] -> zone, -1 where only the distance tells; None: always so."""
    grams_per_cm3: float
    dim_over_cm3: float
    digest: str
    """Names everything it was laid out from."""

    @classmethod
    def build(
        cls, card: Mapping[str, Any], origins: Sequence[Origin], pairs: Mapping[int, bytes] | None = None
    ) -> Tariff:
        """Lay out a rate card (a row of `rate_cards` with prices). `pairs`: its zones by origin area (a byte for
        each destination area, zones from 1, 0 = not said)."""
        steps, amounts = _steps(card)
        zones = len(amounts)
        thresholds = np.rint(np.array(card["zone_miles"], dtype=np.float64) * MICRO).astype(np.int64)
        sizes = sorted({one["value"] for one in card["surcharges"] if one["when"] == "volume_over_cm3"})
        return cls(
            code=card["code"],
            service=card["service"],
            steps=steps,
            sizes=np.array(sizes, dtype=np.int64),
            prices=np.array(
                [
                    [_with_all(card, steps, amounts, home, sizes[:over]) for over in range(len(sizes) + 1)]
                    for home in (False, True)
                ]
            ),
            days=np.array([*card["transit_days"], *[UNKNOWN] * zones][:zones], dtype=np.int64),
            thresholds=thresholds,
            by_area=_by_area(origins, pairs or {}, card["zone_miles"], zones)
            if card["zone_by"] == "zip3"
            else None,
            grams_per_cm3=_density(card["dim_divisor"], card["dim_unit"]),
            dim_over_cm3=card["dim_over"] * (CM3_PER_IN3 if card["dim_unit"] == "in3_per_lb" else 1.0),
            digest=_digest(card, pairs or {}),
        )

    @property
    def zone_count(self) -> int:
        """How many zones its prices have."""
        return self.prices.shape[2]

    def zones(self, area: int | None, distances: Ints) -> Ints:
        """The zone from every node. `area`: the destination's three-digit ZIP area (places.zip3), `distances`:
        millionths of a mile from every node."""
        near = self.thresholds.searchsorted(distances)
        near = np.minimum(near, self.zone_count - 1)
        if self.by_area is None or area is None:
            return near
        told = self.by_area[area]
        return np.where(told == UNKNOWN, near, told)

    def transit_days(self, zones: Ints) -> Ints:
        """Business days under way; -1 where the card does not say."""
        return self.days[zones]

    def table(self, weights_g: Ints, volumes_cm3: Ints | None = None, *, residential: bool = True) -> Ints:
        """[zone, weight]: the price of a parcel of each weight to each zone."""
        billed = weights_g if volumes_cm3 is None else self.billed(weights_g, volumes_cm3)
        heaviest = int(self.steps[-1])
        if int(np.maximum.reduce(billed, initial=0)) <= heaviest:
            return self._cartons(billed, volumes_cm3, residential)
        more = np.clip((billed - 1) // heaviest, 0, MOST_CARTONS)
        each = None if volumes_cm3 is None else volumes_cm3 // (more + 1)
        last = self._cartons(np.clip(billed - more * heaviest, 0, heaviest), each, residential)
        full = self._cartons(np.full_like(billed, heaviest), each, residential)
        return np.minimum(last + more * full, NOT_CARRIED)

    def price(
        self, zones: Ints, weights_g: Ints, volumes_cm3: Ints | None = None, *, residential: bool = True
    ) -> Ints:
        """The price of each parcel to its own zone."""
        table = self.table(weights_g, volumes_cm3, residential=residential)
        return table[zones, np.arange(len(weights_g))]

    def billed(self, weights_g: Ints, volumes_cm3: Ints) -> Ints:
        """Grams that count: the greater of weight and dimensional weight."""
        if not self.grams_per_cm3 or not volumes_cm3.any():
            return weights_g
        sized = np.ceil(np.where(volumes_cm3 > self.dim_over_cm3, volumes_cm3, 0) * self.grams_per_cm3 - 1e-6)
        return np.maximum(weights_g, sized.astype(np.int64))

    def _cartons(self, billed: Ints, volumes: Ints | None, residential: bool) -> Ints:
        """[zone, weight] of single cartons, none heavier than the heaviest step."""
        prices, step = self.prices[int(residential)], self.steps.searchsorted(billed)
        if not len(self.sizes) or volumes is None:
            return prices[0].take(step, axis=1)
        over = self.sizes.searchsorted(volumes)
        return prices[over, :, step].T


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
    priced: NDArray[np.bool_]
    """By node, whether a card prices its parcels."""
    all_priced: bool
    shipped_by: tuple[Ints, ...]
    """By card, the nodes that ship by it."""

    @classmethod
    def build(cls, cards: Sequence[Tariff], codes: Sequence[str | None]) -> Tariffs:
        """`codes`: by node, the code of its card. A code that no card bears counts as none."""
        at = {card.code: position for position, card in enumerate(cards)}
        of = np.array([at.get(code or "", UNKNOWN) for code in codes], dtype=np.int64)
        starts = np.cumsum([0, *(card.zone_count for card in cards)])
        return cls(
            cards=tuple(cards),
            of=of,
            first=np.where(of == UNKNOWN, starts[-1], starts[of]).astype(np.int64),
            days=np.concatenate([*(card.days for card in cards), np.array([UNKNOWN], dtype=np.int64)]),
            priced=of != UNKNOWN,
            all_priced=bool((of != UNKNOWN).all()),
            shipped_by=tuple((of == at).nonzero()[0] for at in range(len(cards))),
        )

    def rows(self, country: str, postal_code: str | None, distances: Ints) -> Ints:
        """By node, the row of `table` and `days` that holds for a destination. `distances`: millionths of a mile
        from every node."""
        area, found = zip3(postal_code, country), self.first.copy()
        for card, own in zip(self.cards, self.shipped_by, strict=True):
            zones = card.zones(area, distances)
            if len(own) == len(found):
                return found + zones
            found[own] += zones[own]
        return found

    def table(self, weights_g: Ints, volumes_cm3: Ints | None = None, *, residential: bool = True) -> Ints:
        """[row, weight]: minor units of a parcel of each weight."""
        found = np.zeros((len(self.days), len(weights_g)), dtype=np.int64)
        first = 0
        for card in self.cards:
            found[first : first + card.zone_count] = card.table(
                weights_g, volumes_cm3, residential=residential
            )
            first += card.zone_count
        return found

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


def _steps(card: Mapping[str, Any]) -> tuple[Ints, Ints]:
    """Weights and amounts [zone, step] of a card, with a step that ends where a surcharge by weight begins."""
    prices: list[Any] = card["prices"]
    begins = {one["value"] for one in card["surcharges"] if one["when"] == "weight_over_g"}
    own = {grams for grams, _ in prices}
    more = [
        (value, next(amounts for grams, amounts in prices if grams > value))
        for value in sorted(begins - own)
        if 0 < value < prices[-1][0]
    ]
    found = sorted([*((grams, amounts) for grams, amounts in prices), *more], key=lambda step: step[0])
    amounts = [[NOT_CARRIED if one is None else one for one in row] for _, row in found]
    return (
        np.array([grams for grams, _ in found], dtype=np.int64),
        np.ascontiguousarray(np.array(amounts, dtype=np.int64).T),
    )


def _with_all(card: Mapping[str, Any], steps: Ints, amounts: Ints, home: bool, over: Sequence[int]) -> Ints:
    """[zone, step]: price, surcharges and fuel of one carton. `over`: the sizes it exceeds."""
    total = amounts
    zones = np.arange(1, len(amounts) + 1)[:, None]
    for one in card["surcharges"]:
        applies: Any = {
            "always": True,
            "residential": home,
            "weight_over_g": steps > (one["value"] or 0),
            "volume_over_cm3": one["value"] in over,
            "zone_at_least": zones >= (one["value"] or 0),
        }[one["when"]]
        total = total + one["amount"] * applies
    total = total + (total * card["fuel_basis_points"] * 2 + 10_000) // 20_000
    return np.minimum(total, NOT_CARRIED)


def _by_area(
    origins: Sequence[Origin], pairs: Mapping[int, bytes], zone_miles: Sequence[float], zones: int
) -> Rows:
    """[destination area, node] -> zone: as the pair says, else the pair of the way back, else by distance between
    the areas' middles."""
    said = np.zeros((AREAS, AREAS), dtype=np.uint8)
    for area, row in pairs.items():
        said[area] = np.frombuffer(row, dtype=np.uint8)
    middles = _middles()
    own = [zip3(origin.postal_code) for origin in origins]
    points = np.array(
        [_start(origin, area, middles) for origin, area in zip(origins, own, strict=True)]
    ).reshape(-1, 3)
    # Farther is a smaller cosine: thresholds and cosines are compared as they are, without an arc per pair.
    ends = -np.cos(np.array(zone_miles, dtype=np.float64) / EARTH_RADIUS_MILES)
    cosines = points @ middles.T
    rows = np.minimum(np.searchsorted(ends, -cosines, side="left"), zones - 1).astype(np.int8)
    rows[np.isnan(cosines)] = UNKNOWN
    in_area = np.array([area is not None for area in own], dtype=bool)
    areas = np.array([area for area in own if area is not None], dtype=np.int64)
    told = np.where(said[areas] > 0, said[areas], said[:, areas].T)
    rows[in_area] = np.where(told > 0, np.minimum(told, zones).astype(np.int8) - 1, rows[in_area])
    return np.ascontiguousarray(rows.T)


def _start(origin: Origin, area: int | None, middles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where a node's parcels start: the middle of its area, else its own point, else nowhere."""
    if area is not None and not np.isnan(middles[area, 0]):
        return middles[area]
    if origin.lat is None or origin.lon is None:
        return np.full(3, np.nan)
    return _vector(origin.lat, origin.lon)


@lru_cache(maxsize=1)
def _middles() -> NDArray[np.float64]:
    """[area, axis]: the middles of the three-digit areas as unit vectors; NaN where nobody lives."""
    middles = np.full((AREAS, 3), np.nan)
    for area, place in zip3_middles().items():
        middles[area] = _vector(place.lat, place.lon)
    middles.setflags(write=False)
    return middles


def _vector(lat: float, lon: float) -> NDArray[np.float64]:
    north, east = math.radians(lat), math.radians(lon)
    return np.array([math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)])
