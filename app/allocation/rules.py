"""Who gives units back, and what is left of the work. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from app.routing.policy import Strategy
from infra.errors import Problem, refused

Row = Mapping[str, Any]


def give_back(short: int, holders: Iterable[Row]) -> dict[UUID, int]:
    """Which fulfillment-order lines release how many ordered units, so that `short` stock units come free.

    `holders` are open fulfillment-order lines whose goods lie on the position, the latest promise first:
    {id, open, each, held}. `each` is stock units per ordered unit, `held` what the position holds for the line.
    """
    released: dict[UUID, int] = {}
    for holder in holders:
        if short <= 0:
            break
        units = min(holder["open"], -(-short // holder["each"]), -(-holder["held"] // holder["each"]))
        if units > 0:
            released[holder["id"]] = units
            short -= min(units * holder["each"], holder["held"])
    return released


def take_from(
    reservations: Iterable[Row],
    wanted: Mapping[tuple[UUID, UUID], int],
    short: Collection[UUID] = (),
) -> dict[UUID, int]:
    """Units to take off each reservation: (order line, SKU) -> units. Those on positions that are `short` come
    first, then the newest.

    Raises ValueError when the reservations do not hold that much: the books would be wrong.
    """
    left = dict(wanted)
    taken: dict[UUID, int] = {}
    for one in sorted(
        reservations, key=lambda row: (row.get("position_id") in short, row["id"]), reverse=True
    ):
        key = (one["order_line_id"], one["sku_id"])
        units = min(left.get(key, 0), one["quantity"])
        if units:
            taken[one["id"]] = units
            left[key] -= units
    if any(left.values()):
        raise ValueError(f"reservations hold less than the work: {left}")
    return taken


def outcome(lines: Iterable[Row]) -> str | None:
    """The work status in which work ends after units were released, or None while units are open."""
    lines = list(lines)
    if any(line["quantity"] > line["shipped"] + line["released"] for line in lines):
        return None
    return "incomplete" if any(line["shipped"] for line in lines) else "cancelled"


def limits(strategy: Strategy) -> frozenset[str]:
    """What of a rule a person may look past: its filters and the limits of a split; not stock and not capacity."""
    return frozenset({each.id for each in strategy.filters} | {"max_packages", "least_package_value"})


def more_than_open(sku: str, units: int, open_units: int) -> Problem:
    """409: somebody wants more back than is there."""
    return refused("more-than-open", f"Only {open_units} of {units} units of {sku} are open here.")
