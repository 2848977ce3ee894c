"""What a routing decision is made from: the nodes, the basket and its destination, as plain values.

Nodes lie in arrays in the order of their codes. That order is the last tie-break of a plan, so it is part of
the result. Distances are whole millionths of a mile: sums are exact in any order, and two plans are equal
exactly when a replay finds them equal.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.network.departures import Departures
from app.network.reach import Reach
from app.network.rules import Timetable
from app.network.tariffs import Origin, Tariff, Tariffs
from app.routing.kept import kept

EARTH_RADIUS_MILES = 3958.8
MICRO = 1_000_000
FARTHEST = round(
    math.pi * EARTH_RADIUS_MILES * MICRO
)  # half the way round: where a node without a place counts
HIGHEST_PRIORITY = 9_999
MOST_LANES = 256

FEWEST = "fewest_packages_then_nearest"
PRIORITY = "priority_then_fewest_nearest"
NEAREST = "nearest"

WORKING_DAYS = Timetable("UTC")
"""Of a node of which nothing is said."""
GOODS = ("warehouse", "store", "vendor")
LINE_ROUTES: Mapping[str, tuple[str, ...]] = {
    "stock": GOODS,
    "preorder": GOODS,
    "kit": GOODS,
    "gift_card_physical": GOODS,
    "made_to_order": ("workshop",),
    "digital": ("virtual",),
    "gift_card_digital": ("virtual",),
}

Card = tuple[Mapping[str, Any], Mapping[int, bytes]]
"""(a row of rate cards, its zones by origin area): see tariffs.Tariff.build"""
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def line_routes(kind: str) -> tuple[str, ...]:
    """The kinds of node that can fulfill a line of this kind. An unknown kind is handled as goods."""
    return LINE_ROUTES.get(kind, GOODS)


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """One node as configured. Latitude and longitude in degrees, handling in minor units (floats here)."""

    id: str
    code: str
    name: str
    kind: str
    lat: float | None = None
    lon: float | None = None
    priority: int = 0
    region: str = ""
    country: str = ""
    capacity_per_day: int | None = None
    handling_per_package: float = 0.0
    handling_per_unit: float = 0.0
    open: bool = True
    postal_code: str = ""
    capacity_per_hour: int | None = None
    capabilities: tuple[str, ...] = ()
    zones: tuple[Mapping[str, Any], ...] = ()
    rate_card: str | None = None
    timetable: Timetable = WORKING_DAYS


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the parcels go. Without coordinates every node is equally far."""

    lat: float | None = None
    lon: float | None = None
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One line to place: a whole number of units, at least one.

    Weight and volume are of one unit; `value` what all of its units are worth, in minor units, where known.
    """

    sku: str
    kind: str
    quantity: int
    weight_g: int = 0
    volume_cm3: int = 0
    value: int | None = None
    tax_code: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Basket:
    """An order as routing sees it.

    `available[line, node]` is what the node may give to the line: available-to-promise, net of safety stock
    and segments, never below zero; nodes in the network's order. Lines of one SKU show and share one stock.
    `load` (packages already given to each node for the day on which it would leave) makes a node with a capacity
    count as full; `ahead` (packages it has still to do) makes one whose pace is known leave later.
    `value` in minor units; `promised_by` the buyer's day; `at` the moment in the merchant's own zone.
    """

    lines: Sequence[BasketLine]
    destination: Destination
    available: Ints
    channel: str = ""
    currency: str = "USD"
    ship_complete: bool = False
    load: Ints | None = None
    ahead: Ints | None = None
    value: int | None = None
    service: str = ""
    source_code: str = ""
    email_domain: str = ""
    is_business: bool | None = None
    promised_by: date | None = None
    promise_is_delivery: bool = False
    at: datetime | None = None

    @property
    def residential(self) -> bool:
        """Whether carriers may ask what they ask of homes: of everybody who is not known to be a business."""
        return self.is_business is not True


class Lane:
    """The ways from every node to one destination; `distance` in millionths of a mile."""

    def __init__(self, network: Network, destination: Destination) -> None:
        self._network, self._destination = network, destination
        self.distance = _fixed(network.distances(destination))

    @kept
    def rows(self) -> Ints:
        """The row of the tariffs that holds for each node."""
        to = self._destination
        return self._network.tariffs.rows(to.country, to.postal_code or None, self.distance)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """All nodes of a tenant, prepared once per configuration. Arrays are in the order of the sorted codes."""

    ids: tuple[str, ...]
    codes: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    regions: tuple[str, ...]
    countries: tuple[str, ...]
    lat: NDArray[np.float64]  # radians; NaN where unknown
    lon: NDArray[np.float64]
    priority: Ints
    capacity_per_day: Ints  # -1: no limit
    capacity_per_hour: Ints  # -1: no limit
    handling_per_package: NDArray[np.float64]
    handling_per_unit: NDArray[np.float64]
    handling: tuple[Ints, Ints]  # the same per package and per unit, in millionths of a minor unit
    open: Flags
    route_kinds: Mapping[tuple[str, ...], Flags]  # kinds a line may go to -> nodes of those kinds
    position: Mapping[str, int]  # code -> index
    index: Mapping[str, int]  # id -> index
    every: Ints  # 0, 1, 2 ...
    code_sizes: Ints
    code_letters: int
    digest: bytes
    points: NDArray[np.float64]  # unit vectors, one row per axis
    placed: Flags
    all_placed: bool
    limited: bool
    paced: bool
    """Some node has a capacity per hour."""
    capabilities: tuple[frozenset[str], ...]
    having: Mapping[str, Flags]  # capability -> nodes that have it
    reach: Reach  # which nodes deliver to a destination
    timetables: tuple[Timetable, ...]
    departures: Departures  # when parcels leave the nodes
    tariffs: Tariffs  # what carriers ask
    prepared: dict[tuple[bytes, int], NDArray[np.int16]] = field(default_factory=dict)
    masks: dict[Any, Flags] = field(
        default_factory=dict
    )  # comparison on the network alone -> nodes it holds for
    kept_lanes: dict[Destination, Lane] = field(default_factory=dict)

    @classmethod
    def build(cls, rows: Sequence[NodeFacts], cards: Sequence[Card] = ()) -> Network:
        """Lay out the nodes and the rate cards they ship by. Raises ValueError when two nodes share a code."""
        nodes = sorted(rows, key=lambda node: node.code)
        codes = tuple(node.code for node in nodes)
        if len(set(codes)) != len(codes):
            raise ValueError("two nodes have the same code")
        placed = np.array([n.lat is not None and n.lon is not None for n in nodes], dtype=bool)
        lat = np.radians(np.array([math.nan if n.lat is None else n.lat for n in nodes], dtype=np.float64))
        lon = np.radians(np.array([math.nan if n.lon is None else n.lon for n in nodes], dtype=np.float64))
        kinds = tuple(node.kind for node in nodes)
        sizes = [len(code.encode("utf-8", "surrogatepass")) for code in codes]
        origins = [Origin(node.postal_code, node.lat, node.lon) for node in nodes]
        tariffs = [Tariff.build(card, origins, pairs) for card, pairs in cards]
        said = repr((nodes, [tariff.digest for tariff in tariffs]))
        capacity = _ints([-1 if n.capacity_per_day is None else n.capacity_per_day for n in nodes])
        return cls(
            ids=tuple(node.id for node in nodes),
            codes=codes,
            names=tuple(node.name for node in nodes),
            kinds=kinds,
            regions=tuple(node.region for node in nodes),
            countries=tuple(node.country for node in nodes),
            lat=_fixed(lat),
            lon=_fixed(lon),
            priority=_ints([min(max(node.priority, 0), HIGHEST_PRIORITY) for node in nodes]),
            capacity_per_day=capacity,
            capacity_per_hour=_ints(
                [-1 if n.capacity_per_hour is None else n.capacity_per_hour for n in nodes]
            ),
            handling_per_package=_floats([node.handling_per_package for node in nodes]),
            handling_per_unit=_floats([node.handling_per_unit for node in nodes]),
            handling=(
                _ints([round(node.handling_per_package * MICRO) for node in nodes]),
                _ints([round(node.handling_per_unit * MICRO) for node in nodes]),
            ),
            open=_fixed(np.array([node.open for node in nodes], dtype=bool)),
            route_kinds={
                route: _fixed(np.array([kind in route for kind in kinds], dtype=bool))
                for route in set(LINE_ROUTES.values())
            },
            position={code: at for at, code in enumerate(codes)},
            index={node.id: at for at, node in enumerate(nodes)},
            every=_ints(range(len(nodes))),
            code_sizes=_ints(sizes),
            code_letters=sum(sizes),
            digest=hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest(),
            points=_fixed(np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])),
            placed=_fixed(placed),
            all_placed=bool(placed.all()),
            limited=bool((capacity >= 0).any()),
            paced=any(node.capacity_per_hour for node in nodes),
            capabilities=tuple(frozenset(node.capabilities) for node in nodes),
            having={
                code: _fixed(np.array([code in node.capabilities for node in nodes], dtype=bool))
                for code in sorted({code for node in nodes for code in node.capabilities})
            },
            reach=Reach([node.zones for node in nodes]),
            timetables=tuple(node.timetable for node in nodes),
            departures=Departures(
                [node.timetable for node in nodes], [node.capacity_per_hour for node in nodes]
            ),
            tariffs=Tariffs.build(tariffs, [node.rate_card for node in nodes]),
        )

    def __len__(self) -> int:
        return len(self.codes)

    def capable(self, code: str) -> Flags:
        """The nodes that have a capability."""
        found = self.having.get(code)
        return np.zeros(len(self.codes), dtype=bool) if found is None else found

    def lanes(self, destination: Destination) -> Lane:
        """The ways to a destination. Kept: orders decided in bulk, or again, often go to the same places."""
        found = self.kept_lanes.get(destination)
        if found is None:
            if len(self.kept_lanes) >= MOST_LANES:
                self.kept_lanes.clear()
            found = self.kept_lanes[destination] = Lane(self, destination)
        return found

    def distances(self, destination: Destination) -> Ints:
        """Great-circle distance to every node in millionths of a mile; all 0 for an unknown destination.

        From the chord between unit vectors: miles = 2 R asin(chord / 2), exact at short range too.
        """
        if destination.lat is None or destination.lon is None:
            return np.zeros(len(self.codes), dtype=np.int64)
        lat, lon = math.radians(destination.lat), math.radians(destination.lon)
        axes = (math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat))
        apart = self.points - np.array(axes)[:, None]
        apart *= apart
        chord = np.add.reduce(apart)
        np.sqrt(chord, out=chord)
        chord *= 0.5
        np.minimum(chord, 1.0, out=chord)
        if not self.all_placed:
            chord[~self.placed] = 1.0  # a node without a place is half way round
        np.arcsin(chord, out=chord)
        chord *= 2 * EARTH_RADIUS_MILES * MICRO
        return np.rint(chord, out=chord).astype(np.int64)


def _ints(values: Sequence[int]) -> Ints:
    return _fixed(np.array(values, dtype=np.int64))


def _floats(values: Sequence[float]) -> NDArray[np.float64]:
    return _fixed(np.array(values, dtype=np.float64))


def _fixed(array: NDArray) -> NDArray:
    array.setflags(write=False)
    return array
