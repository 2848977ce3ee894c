"""What rules look at: facts of an order, of a line, and of every node for one order; each field's way to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.calendar import local_date
from app.routing.facts import Basket, BasketLine, Flags, Ints, Network
from app.routing.vocabulary import WEEKDAYS

Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...]
Known = Scalar | frozenset[str] | None
"""A fact; None where nothing is known."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order as conditions see it. Weights in grams, value in minor units, `at` in the merchant's own zone."""

    channel: str = ""
    units: int = 0
    lines: int = 0
    weight_g: int = 0
    value: int | None = None
    ship_complete: bool = False
    service: str = ""
    source_code: str = ""
    country: str = ""
    region: str = ""
    postal_code: str = ""
    kinds: frozenset[str] = frozenset()
    skus: frozenset[str] = frozenset()
    hazards: frozenset[str] = frozenset()
    temperatures: frozenset[str] = frozenset()
    vendors: frozenset[str] = frozenset()
    email_domain: str = ""
    is_business: bool | None = None
    at: datetime | None = None

    @classmethod
    def of(cls, basket: Basket) -> OrderFacts:
        """What a basket says of its order."""
        to, lines = basket.destination, basket.lines
        return cls(
            channel=basket.channel,
            units=sum(line.quantity for line in lines),
            lines=len(lines),
            weight_g=sum(line.weight_g * line.quantity for line in lines),
            value=basket.value,
            ship_complete=basket.ship_complete,
            service=basket.service,
            source_code=basket.source_code,
            country=to.country,
            region=to.region,
            postal_code=to.postal_code,
            kinds=frozenset(line.kind for line in lines),
            skus=frozenset(line.sku for line in lines),
            hazards=frozenset(hazard for line in lines if (hazard := _hazard(line.attributes))),
            temperatures=_named(lines, "temperature"),
            vendors=_named(lines, "vendor"),
            email_domain=basket.email_domain,
            is_business=basket.is_business,
            at=basket.at,
        )


def _hazard(attributes: Mapping[str, Any]) -> str | None:
    """What a place must be cleared for: a product that says no more than that it is hazardous has the hazard `hazard`,
    as the capability is called."""
    said = attributes.get("hazard")
    return "hazard" if said is True else said or None


def _named(lines: Any, attribute: str) -> frozenset[str]:
    return frozenset(str(line.attributes[attribute]) for line in lines if line.attributes.get(attribute))


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line as a line route's condition sees it, with its order."""

    order: OrderFacts
    kind: str = "stock"
    quantity: int = 1
    weight_g: int = 0
    value: int | None = None
    tax_code: str = ""
    sku: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    price: int | None = None

    @classmethod
    def of(cls, line: BasketLine, order: OrderFacts) -> LineFacts:
        """What a basket says of one of its lines."""
        return cls(
            order,
            line.kind,
            line.quantity,
            line.weight_g * line.quantity,
            line.value,
            line.tax_code,
            line.sku,
            line.attributes,
            None if line.value is None else line.value // max(line.quantity, 1),
        )


@dataclass(frozen=True, slots=True, eq=False)
class NodeView:
    """All nodes as filters see them for one order; every array in the network's order, None where not known.

    `distance` in millionths of a mile; in `zone`, `transit_days` and `days_late` -1 is not known; in
    `capacity_left` (packages) -1 is no limit. `available[row, node]` against `quantity[row]` in units.
    """

    network: Network
    order: OrderFacts = OrderFacts()
    distance: Ints | None = None
    zone: Ints | None = None
    transit_days: Ints | None = None
    days_late: Ints | None = None
    capacity_left: Ints | None = None
    quantity: Ints | None = None
    available: Ints | None = None


Column = NDArray[Any] | tuple[Any, ...] | None


def read(facts: OrderFacts | LineFacts, name: str) -> Known:
    """A fact by its field's name; None where it is not known."""
    if name in _OF_LINE:
        return _OF_LINE[name](facts) if isinstance(facts, LineFacts) else None
    return _OF_ORDER[name](facts.order if isinstance(facts, LineFacts) else facts)


def _room(view: NodeView) -> Ints | None:
    left = view.capacity_left
    return None if left is None else np.where(left < 0, np.iinfo(np.int64).max, left)


def _open_today(view: NodeView) -> Flags | None:
    """Each by the day of its own zone."""
    at = view.order.at
    if at is None:
        return None
    return np.array([own.works(local_date(at, own.zone)) for own in view.network.timetables], dtype=bool)


def _same(
    names: Callable[[Network], tuple[str, ...]], of: Callable[[OrderFacts], str]
) -> Callable[[NodeView], Column]:
    def column(view: NodeView) -> Column:
        there = of(view.order)
        if not there:
            return None
        return np.array([name == there for name in names(view.network)], dtype=bool)

    return column


def _covered(view: NodeView) -> Ints | None:
    """Units of each row that each node could fill."""
    if view.available is None or view.quantity is None:
        return None
    return np.minimum(np.maximum(view.available, 0), view.quantity[:, None])


def _share(whole: bool) -> Callable[[NodeView], Column]:
    """Percent of the lines a node holds whole, or of the units it could fill."""

    def column(view: NodeView) -> Column:
        covered = _covered(view)
        if covered is None or view.quantity is None or not len(view.quantity):
            return None
        if whole:
            return (covered == view.quantity[:, None]).sum(axis=0) * 100.0 / len(view.quantity)
        return covered.sum(axis=0) * 100.0 / max(int(view.quantity.sum()), 1)

    return column


def _all_held(view: NodeView) -> Column:
    covered = _covered(view)
    return (
        None if covered is None or view.quantity is None else (covered == view.quantity[:, None]).all(axis=0)
    )


def _filled(view: NodeView) -> Column:
    covered = _covered(view)
    return None if covered is None else covered.sum(axis=0)


def _left_after(view: NodeView) -> Column:
    """The fewest units that stay of any line the node gives to; of none it gives to, no figure rules it out."""
    covered = _covered(view)
    if covered is None or view.available is None or not len(covered):
        return None
    left = np.where(covered > 0, view.available - covered, np.iinfo(np.int64).max)
    fewest: Ints = left.min(axis=0)
    return fewest


COLUMNS: Mapping[str, Callable[[NodeView], Column]] = {
    "node.kind": lambda view: view.network.kinds,
    "node.code": lambda view: view.network.codes,
    "node.region": lambda view: view.network.regions,
    "node.country": lambda view: view.network.countries,
    "node.priority": lambda view: view.network.priority,
    "node.capabilities": lambda view: view.network.capabilities,
    "node.capacity_left": _room,
    "node.handling_per_package": lambda view: view.network.handling_per_package,
    "node.open_today": _open_today,
    "node.distance_miles": lambda view: view.distance,
    "lane.distance_miles": lambda view: view.distance,
    "lane.zone": lambda view: view.zone,
    "lane.transit_days": lambda view: view.transit_days,
    "lane.days_late": lambda view: view.days_late,
    "lane.same_region": _same(lambda network: network.regions, lambda order: order.region),
    "lane.same_country": _same(lambda network: network.countries, lambda order: order.country),
    "stock.holds_all": _all_held,
    "stock.lines_held_share": _share(whole=True),
    "stock.units_share": _share(whole=False),
    "stock.covers": _filled,
    "stock.left_after": _left_after,
}
_OF_ORDER: Mapping[str, Callable[[OrderFacts], Known]] = {
    "order.channel": lambda order: order.channel,
    "order.units": lambda order: order.units,
    "order.lines": lambda order: order.lines,
    "order.weight_g": lambda order: order.weight_g,
    "order.value": lambda order: order.value,
    "order.ship_complete": lambda order: order.ship_complete,
    "order.service": lambda order: order.service,
    "order.source_code": lambda order: order.source_code,
    "destination.country": lambda order: order.country,
    "destination.region": lambda order: order.region,
    "destination.postal_code": lambda order: order.postal_code,
    "lines.kinds": lambda order: order.kinds,
    "lines.skus": lambda order: order.skus,
    "lines.hazards": lambda order: order.hazards,
    "lines.temperatures": lambda order: order.temperatures,
    "lines.vendors": lambda order: order.vendors,
    "customer.email_domain": lambda order: order.email_domain,
    "customer.is_business": lambda order: order.is_business,
    "time.weekday": lambda order: WEEKDAYS[order.at.weekday()] if order.at else None,
    "time.hour_local": lambda order: order.at.hour if order.at else None,
    "time.date": lambda order: order.at.date().isoformat() if order.at else None,
}
_OF_LINE: Mapping[str, Callable[[LineFacts], Known]] = {
    "line.kind": lambda line: line.kind,
    "line.quantity": lambda line: line.quantity,
    "line.weight_g": lambda line: line.weight_g,
    "line.value": lambda line: line.value,
    "line.tax_code": lambda line: line.tax_code,
    "product.sku": lambda line: line.sku,
    "product.kind": lambda line: line.kind,
    "product.hazard": lambda line: _hazard(line.attributes),
    "product.temperature": lambda line: line.attributes.get("temperature"),
    "product.vendor": lambda line: line.attributes.get("vendor"),
    "product.attributes": lambda line: frozenset(name for name, value in line.attributes.items() if value),
    "product.price": lambda line: line.price,
}
