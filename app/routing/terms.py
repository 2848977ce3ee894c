"""What the terms of an objective are worked out from: the prices in force, the ways to a destination, the goods."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.network.departures import arrivals
from app.routing.facts import MICRO, Basket, BasketLine, Ints, Network
from app.routing.kept import kept

ESTIMATED_PACKAGE = 700 * MICRO
ESTIMATED_PER_MILE = 0.35
ESTIMATED_PER_KG = 45
"""Minor units: what a parcel is taken to cost from a node without a rate card."""
ESTIMATED_PER_GRAM = ESTIMATED_PER_KG * MICRO // 1000
"""The same, in millionths."""
ESTIMATED_MILES_A_DAY = 450
USUAL_MARGIN_PERCENT = 40
USUAL_MARKDOWN_PERCENT = 30


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """The price table in force: millionths of a minor unit, nodes in the network's order.

    `stock[sku]` of one unit at each node, `capacity` of one package, `risk` the share of work each node refused of
    late in millionths. `version` 0: no table yet.
    """

    version: int = 0
    stock: Mapping[str, Ints] = field(default_factory=dict)
    capacity: Ints | None = None
    risk: Ints | None = None
    digest: bytes = b""

    @classmethod
    def of(cls, network: Network, version: int, document: Mapping[str, Any]) -> Prices:
        """A table as it is kept: {stock: {sku: {node: minor units}}, capacity: {node: minor units}, risk: {node:
        share}}. Nodes that are gone are passed over."""

        def row(given: Mapping[str, float]) -> Ints:
            found = np.zeros(len(network), dtype=np.int64)
            for code, amount in given.items():
                if code in network.position:
                    found[network.position[code]] = round(amount * MICRO)
            return found

        said = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
        return cls(
            version,
            {sku: row(by_node) for sku, by_node in document.get("stock", {}).items()},
            row(document.get("capacity", {})),
            row(document.get("risk", {})),
            hashlib.sha256(said).digest(),
        )


NO_PRICES = Prices()


def transit_days(network: Network, rows: Ints, distance: Ints) -> Ints:
    """Business days under way by row of the tariffs and millionths of a mile; estimated from the distance where no
    card says."""
    known = network.tariffs.transit_days(rows)
    return np.where(known < 0, 1 + distance // (ESTIMATED_MILES_A_DAY * MICRO), known)


class Lanes:
    """The ways from every node to the destination of a basket; each fact is worked out when it is asked for."""

    def __init__(self, network: Network, basket: Basket) -> None:
        self.network, self.basket = network, basket
        self._kept = network.lanes(basket.destination)
        self.distance = self._kept.distance
        """Millionths of a mile."""

    @property
    def rows(self) -> Ints:
        """The row of the tariffs that holds for each node."""
        return self._kept.rows

    @kept
    def zones(self) -> Ints:
        """The carrier's zone, from 1; -1 from a node without a rate card."""
        tariffs = self.network.tariffs
        return np.where(tariffs.priced, self.rows - tariffs.first + 1, -1)

    @kept
    def days(self) -> Ints:
        """Business days under way."""
        return transit_days(self.network, self.rows, self.distance)

    @property
    def is_promised(self) -> bool:
        """Whether anything was promised that may be late."""
        return self.basket.at is not None and self.basket.promised_by is not None

    @kept
    def late(self) -> Ints:
        """Days after the promise, of leaving or of arriving as it was promised; 0 where nothing was."""
        basket = self.basket
        if basket.at is None or basket.promised_by is None:
            return np.zeros(len(self.network), dtype=np.int64)
        leaving = self.network.departures.at(basket.at, basket.service, basket.ahead).days
        due = arrivals(leaving, self.days) if basket.promise_is_delivery else leaving
        late: Ints = np.maximum(due - basket.promised_by.toordinal(), 0)
        return late


@dataclass(frozen=True, eq=False)
class Goods:
    """The rows of a basket that are planned together, one per SKU: a line of each; per unit grams, cubic centimeters,
    minor units of value; `available[row, node]` before any capping. `whole`: all rows are one unit, from one node or
    not at all."""

    lines: tuple[BasketLine, ...]
    quantity: Ints
    weight_g: Ints
    volume_cm3: Ints
    value: Ints
    available: Ints
    whole: bool = False

    @classmethod
    def together(cls, basket: Basket, lines: Sequence[int]) -> Goods:
        """Lines that go as one."""
        quantity = np.array([basket.lines[at].quantity for at in lines], dtype=np.int64)
        goods = cls.of(basket, [[at] for at in lines], quantity, np.asarray(basket.available)[list(lines)])
        return replace(goods, whole=True)

    @classmethod
    def of(cls, basket: Basket, rows: Sequence[Sequence[int]], quantity: Ints, available: Ints) -> Goods:
        """`rows`: the lines of the basket behind each row."""
        lines = tuple(basket.lines[row[0]] for row in rows)
        weight_g, volume_cm3, value = np.array(
            [
                [line.weight_g for line in lines],
                [line.volume_cm3 for line in lines],
                [0 if line.value is None else line.value // max(line.quantity, 1) for line in lines],
            ],
            dtype=np.int64,
        )
        return cls(lines, quantity, weight_g, volume_cm3, value, available)

    @property
    def margin(self) -> Ints:
        """Minor units per unit of each row."""
        return self._share("margin_percent", USUAL_MARGIN_PERCENT)

    @property
    def markdown(self) -> Ints:
        """Minor units per unit of each row."""
        return self._share("markdown_percent", USUAL_MARKDOWN_PERCENT)

    def _share(self, name: str, usual: int) -> Ints:
        percent = [_number(line.attributes.get(name), usual) for line in self.lines]
        return self.value * np.array(percent, dtype=np.int64) // 100


def _number(given: object, usual: int) -> int:
    return int(given) if isinstance(given, int | float) and 0 <= given <= 100 else usual


Given = tuple[Network, Goods, Lanes, Prices]
