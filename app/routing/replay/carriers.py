"""Reading the carrier of an instance: a price that grows with weight by zone of distance, or a rate card.

A rate card is one of live routing: prices by zone and step of weight, zones by pairs of three-digit ZIP areas and,
where no pair tells, by distance between the areas' middles.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.network.tariffs import AREAS, GRAMS_PER_LB, Origin, Tariff
from app.routing.replay.instance import Carrier
from app.routing.replay.members import Unreadable, listing, mapping, member, number, numbers, whole

MOST_ZONES = 99


def carrier_of(given: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> Carrier:
    """The carrier that a member of an instance describes, with the zones from these nodes. Raises Unreadable."""
    miles = numbers(given, "zone_miles", "carrier.zone_miles")
    if any(later <= earlier for earlier, later in itertools.pairwise(miles)):
        raise Unreadable("carrier.zone_miles", "does not ascend", "Give thresholds from near to far.")
    if "prices" in given:
        return Carrier(np.array(miles), np.zeros(0), np.zeros(0), _card(given, miles, nodes))
    base = numbers(given, "base", "carrier.base")
    per_lb = numbers(given, "per_lb", "carrier.per_lb")
    for name, values in (("base", base), ("per_lb", per_lb)):
        _one_per_zone(f"carrier.{name}", len(values), miles)
    return Carrier(np.array(miles), np.array(base), np.array(per_lb))


def _one_per_zone(path: str, count: int, miles: Sequence[float]) -> None:
    if count != len(miles) + 1:
        raise Unreadable(
            path, f"has {count} values for {len(miles)} thresholds", f"Give {len(miles) + 1}: one per zone."
        )


def _card(given: Mapping[str, Any], miles: Sequence[float], nodes: Sequence[Mapping[str, Any]]) -> Tariff:
    prices = _prices(given, miles)
    card = {
        "code": "replay",
        "service": "replay",
        "zone_by": "zip3",
        "zone_miles": list(miles),
        "dim_divisor": None,
        "dim_unit": "in3_per_lb",
        "dim_over": 0,
        "surcharges": [],
        "fuel_basis_points": 0,
        "transit_days": [],
        "prices": prices,
    }
    origins = [Origin(node["postal_code"], node["lat"], node["lon"]) for node in nodes]
    return Tariff.build(card, origins, _pairs(given, len(prices[0][1])))


def _prices(given: Mapping[str, Any], miles: Sequence[float]) -> list[tuple[int, list[int]]]:
    """(grams, minor units by zone) of every step; there may be more zones than distance alone tells."""
    steps: list[tuple[int, list[int]]] = []
    for at, row in enumerate(listing(given, "prices", "carrier")):
        path = f"carrier.prices[{at}]"
        step = mapping(row, path)
        heaviest = number(member(step, "up_to_lb", path), f"{path}.up_to_lb", least=0.001)
        amounts = [
            whole(amount, f"{path}.by_zone[{zone}]", least=0)
            for zone, amount in enumerate(listing(step, "by_zone", path))
        ]
        zones = len(steps[0][1]) if steps else max(len(amounts), len(miles) + 1)
        if len(amounts) != zones or zones > MOST_ZONES:
            raise Unreadable(f"{path}.by_zone", f"has {len(amounts)} prices", f"Give {zones}: one per zone.")
        grams = round(heaviest * GRAMS_PER_LB)
        if steps and grams <= steps[-1][0]:
            raise Unreadable(f"{path}.up_to_lb", "does not ascend", "Give steps from light to heavy.")
        steps.append((grams, amounts))
    if not steps:
        raise Unreadable("carrier.prices", "is empty", "Give at least one step of weight.")
    return steps


def _pairs(given: Mapping[str, Any], zones: int) -> dict[int, bytes]:
    """By area of origin, the zone of each destination; 0 where nothing is said."""
    found = {}
    origins = mapping(given.get("zone_pairs", {}), "carrier.zone_pairs")
    for origin, destinations in origins.items():
        path = f"carrier.zone_pairs.{origin}"
        row = bytearray(AREAS)
        for area, zone in mapping(destinations, path).items():
            place = f"{path}.{area}"
            told = whole(zone, place, least=1)
            if told > zones:
                raise Unreadable(place, f"{told} is no zone", f"Give 1 to {zones}.")
            row[_area(area, place)] = told
        found[_area(origin, path)] = bytes(row)
    return found


def _area(name: str, path: str) -> int:
    if len(name) != 3 or not (name.isascii() and name.isdigit()):
        raise Unreadable(path, f"{name!r} is no ZIP area", "Give the first three digits of a ZIP code.")
    return int(name)
