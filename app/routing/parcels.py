"""Past orders as a what-if sees them, and what one version of the rules makes of them."""

from __future__ import annotations

from dataclasses import dataclass

from app.catalog.rules import DIGITAL
from app.routing.baskets import Asked
from app.routing.facts import BasketLine, Destination
from app.routing.terms import Lanes

Placements = list[tuple[int, int, int]]
"""[(line, node, units)]"""


@dataclass(frozen=True, slots=True)
class PastLine:
    """A line as it was placed; `parts`: (SKU id, units per unit) on the shelf, empty for what is made."""

    line: BasketLine
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """The lines of an order that go to one place."""

    to: Destination
    asked: Asked
    lines: tuple[PastLine, ...]


@dataclass(frozen=True, slots=True)
class PastOrder:
    """An order of the period. `number` is the merchant's."""

    id: str
    number: int
    parcels: tuple[Parcel, ...]
    fill_or_kill: bool = False


@dataclass(frozen=True, slots=True)
class StockChange:
    """Units that came to a position or went, other than by a shipment."""

    position: int
    delta: int


Event = PastOrder | StockChange


@dataclass(frozen=True, slots=True)
class Sent:
    """A parcel by one version: the units that leave, as (line, node, units), with the ways to its place."""

    parcel: Parcel
    placements: Placements
    lanes: Lanes

    @property
    def travels(self) -> Placements:
        """What leaves in packages."""
        lines = self.parcel.lines
        return [one for one in self.placements if lines[one[0]].line.kind not in DIGITAL]


@dataclass(frozen=True, slots=True)
class Decided:
    """An order by one version, and what it took: (position, units), and (node, day) of each package."""

    order: PastOrder
    sent: tuple[Sent, ...]
    taken: list[tuple[int, int]]
    loaded: list[tuple[int, int]]
