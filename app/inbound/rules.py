"""Which waiting units each expected delivery serves, how an inbound order stands, and what a supplier's word was
worth. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from infra.errors import Problem, refused

MOST_DAYS = 3 * 365
"""How far from today a day of an inbound order may lie: farther is a slip of the hand, and no date to tell a buyer."""

STATES = {
    "open": "On its way",
    "late": "Late",
    "undated": "Date missing",
    "received": "Received",
    "cancelled": "Canceled",
}


@dataclass(frozen=True, slots=True)
class Supply:
    """Units of an inbound line that have not come yet."""

    line: UUID
    sku: UUID
    units: int
    expected_on: date
    reference: str
    supplier: str
    node: str


@dataclass(frozen=True, slots=True)
class Demand:
    """Stock units of one SKU that one order line waits for."""

    line: UUID
    sku: UUID
    units: int


@dataclass(frozen=True, slots=True)
class Share:
    """Units of a demand and where they come from; no supply: they lie free on a shelf."""

    demand: Demand
    supply: Supply | None
    units: int


def attribute(
    demands: Iterable[Demand], on_hand: Mapping[UUID, int], supplies: Iterable[Supply]
) -> list[Share]:
    """Serve waiting units, first come first served, from what lies free (`on_hand`: SKU -> units), then from each
    delivery by its day, reference and line.

    `demands` are in the order in which stock is matched to them: by promise, then age. What no share covers has no
    supply.
    """
    queues: dict[UUID, list[tuple[Supply | None, int]]] = {
        sku: [(None, units)] for sku, units in on_hand.items() if units > 0
    }
    for supply in _by_day(supplies):
        queues.setdefault(supply.sku, []).append((supply, supply.units))
    for queue in queues.values():
        queue.reverse()
    shares = []
    for demand in demands:
        queue, wanted = queues.get(demand.sku, []), demand.units
        while wanted and queue:
            source, left = queue.pop()
            units = min(wanted, left)
            shares.append(Share(demand, source, units))
            wanted -= units
            if left > units:
                queue.append((source, left - units))
    return shares


def unreserved(supplies: Iterable[Supply], shares: Iterable[Share]) -> list[tuple[Supply, int]]:
    """The deliveries by day, each with the units that nobody waits for."""
    taken: dict[UUID, int] = {}
    for share in shares:
        if share.supply is not None:
            taken[share.supply.line] = taken.get(share.supply.line, 0) + share.units
    return [(one, one.units - taken.get(one.line, 0)) for one in _by_day(supplies)]


def _by_day(supplies: Iterable[Supply]) -> list[Supply]:
    return sorted(supplies, key=lambda one: (one.expected_on, one.reference, one.line))


def standing(order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], today: date) -> str:
    """How an inbound order stands on a day of its node: a key of STATES. The worst of its open lines counts."""
    if order["cancelled_at"] is not None:
        return "cancelled"
    still = [line for line in lines if line["received"] < line["quantity"]]
    if not still:
        return "received"
    if any(line["expected_on"] is not None and line["expected_on"] < today for line in still):
        return "late"
    return "undated" if any(line["expected_on"] is None for line in still) else "open"


def day_fault(day: date | None, today: date) -> str:
    """What is wrong with a day that was given; empty when nothing."""
    least, most = today - timedelta(MOST_DAYS), today + timedelta(MOST_DAYS)
    if day is None or least <= day <= most:
        return ""
    return f"Give a day from {least} to {most}, or none while nobody knows it."


def revision(order: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> str:
    """A mark of what an inbound order says, by which somebody who amends it tells what they saw. What came of it is
    no part: an amendment leaves that as it is."""
    said = [f"{order['supplier']}\n{order['node_id']}\n{order['ordered_on']}"]
    said += sorted(f"{line['sku_id']} {line['quantity']} {line['expected_on']}" for line in lines)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def check_seen(reference: str, seen: str | None, now: str) -> None:
    """Raises Problem 409 when another revision was amended than there is now; None: whatever there is."""
    if seen is not None and seen != now:
        raise refused(
            "inbound-changed",
            f"Somebody amended {reference} meanwhile. Open it anew, then amend what it says now.",
        )


def check_live(reference: str, cancelled_at: Any) -> None:
    """Raises Problem 409 for an inbound order that was canceled."""
    if cancelled_at is not None:
        raise refused(
            "inbound-cancelled",
            f"{reference} was canceled. Goods that come all the same belong to a new inbound order.",
        )


def more_than_ordered(sku: str, units: int, still: int) -> Problem:
    """409: more came than was expected."""
    return refused(
        "more-than-ordered",
        f"Only {still} of {sku} are still to come, not {units}. Amend the quantity first if more came.",
    )


def in_words(record: Mapping[str, Any] | None) -> str:
    """A supplier's record in a sentence's part."""
    if record is None or not record["lines"]:
        return "no delivery on record"
    share = f"{record['on_time']:,} of {record['lines']:,} on time"
    if record["promised_days"] is None:
        return share
    return f"{share}; promised in {record['promised_days']:g} days, came in {record['real_days']:g}"
