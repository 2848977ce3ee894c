"""What the plans of many orders come to, worked out for all of them at once. Pure.

Amounts are those of the terms `shipping` and `handling` in `figures`, whatever a plan's objective was: here by package
of many orders, there by node for one order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from app.routing import figures
from app.routing.facts import MICRO, Ints, Network
from app.routing.parcels import Decided, Sent
from app.routing.terms import transit_days


@dataclass(frozen=True, slots=True)
class Outcome:
    """One order by one version. `plan`: (node code, SKU, units), sorted; money in minor units."""

    plan: tuple[tuple[str, str, int], ...]
    lost_units: int
    packages: int
    cost: float
    handling: float
    miles: float
    transit_days: int
    days_late: int


@dataclass(slots=True)
class _Packages:
    """The packages of many parcels, one item of each list per package. Grams and cubic centimeters of all in it."""

    parcel: list[int] = field(default_factory=list)
    node: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    grams: list[int] = field(default_factory=list)
    volume: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    distance: list[int] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    residential: list[bool] = field(default_factory=list)

    def add(self, parcel: int, sent: Sent) -> None:
        """The packages of a parcel, by node."""
        lines, lanes = sent.parcel.lines, sent.lanes
        late = lanes.late if lanes.is_promised else None
        for node, placements in groupby(sorted(sent.travels, key=_node), key=_node):
            inside = [(lines[at].line, units) for at, _, units in placements]
            self.parcel.append(parcel)
            self.node.append(node)
            self.units.append(sum(units for _, units in inside))
            self.grams.append(sum(line.weight_g * units for line, units in inside))
            self.volume.append(sum(line.volume_cm3 * units for line, units in inside))
            self.row.append(int(lanes.rows[node]))
            self.distance.append(int(lanes.distance[node]))
            self.late.append(0 if late is None else int(late[node]))
            self.residential.append(lanes.basket.residential)


def _node(placement: tuple[int, int, int]) -> int:
    return placement[1]


def outcomes(network: Network, decided: Sequence[Decided]) -> list[Outcome]:
    """What came of each order, parcels together."""
    parcels = [sent for one in decided for sent in one.sent]
    packages = _Packages()
    for at, sent in enumerate(parcels):
        packages.add(at, sent)
    measured = iter(_measured(network, parcels, packages))
    return [_together([next(measured) for _ in one.sent]) for one in decided]


def _measured(network: Network, parcels: Sequence[Sent], packages: _Packages) -> list[Outcome]:
    node, row, distance, units = (
        np.array(each, dtype=np.int64)
        for each in (packages.node, packages.row, packages.distance, packages.units)
    )
    grams, volume = np.array(packages.grams, dtype=np.int64), np.array(packages.volume, dtype=np.int64)
    parcel, count = np.array(packages.parcel, dtype=np.int64), len(parcels)
    table = figures.carried(network, grams, volume, np.array(packages.residential, dtype=bool))
    shipping = figures.shipped(network, node, row, distance, grams, table)
    handling = network.handling[0][node] + network.handling[1][node] * units
    late = np.zeros(count, dtype=np.int64)
    np.maximum.at(late, parcel, np.array(packages.late, dtype=np.int64))
    by_parcel = zip(
        parcels,
        np.bincount(parcel, minlength=count).tolist(),
        *(
            _summed(parcel, each, count)
            for each in (
                shipping,
                handling,
                np.where(network.placed[node], distance, 0),
                transit_days(network, row, distance),
            )
        ),
        late.tolist(),
        strict=True,
    )
    return [_outcome(network, sent, *amounts) for sent, *amounts in by_parcel]


def _summed(parcel: Ints, amounts: Ints, count: int) -> list[int]:
    """By parcel, the sum over its packages."""
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, parcel, amounts)
    return total.tolist()


def _outcome(
    network: Network,
    sent: Sent,
    packages: int,
    shipping: int,
    handling: int,
    distance: int,
    days: int,
    late: int,
) -> Outcome:
    lines = sent.parcel.lines
    return Outcome(
        plan=tuple(
            sorted((network.codes[node], lines[at].line.sku, units) for at, node, units in sent.placements)
        ),
        lost_units=sum(one.line.quantity for one in lines) - sum(units for _, _, units in sent.placements),
        packages=packages,
        cost=shipping / MICRO + handling / MICRO,
        handling=handling / MICRO,
        miles=distance / MICRO,
        transit_days=days,
        days_late=late,
    )


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    """The parcels of one order as one outcome."""
    if len(outcomes) == 1:
        return outcomes[0]
    return Outcome(
        plan=tuple(sorted(one for outcome in outcomes for one in outcome.plan)),
        lost_units=sum(outcome.lost_units for outcome in outcomes),
        packages=sum(outcome.packages for outcome in outcomes),
        cost=sum(outcome.cost for outcome in outcomes),
        handling=sum(outcome.handling for outcome in outcomes),
        miles=sum(outcome.miles for outcome in outcomes),
        transit_days=sum(outcome.transit_days for outcome in outcomes),
        days_late=max(outcome.days_late for outcome in outcomes),
    )
