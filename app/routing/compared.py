"""What two versions of the rules came to, side by side: their figures, and where the difference in money comes from.
Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.pages import formats


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of both versions, as it is read."""

    label: str
    before: str
    after: str
    difference: str
    better: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the difference in money, minor units, and where its bar stands, in percent of the drawing."""

    label: str
    amount: int
    left: float = 0.0
    width: float = 0.0
    zero: float = 0.0
    is_sum: bool = False


def compared(before: dict[str, Any], after: dict[str, Any], currency: str) -> list[Compared]:
    """The figures of both versions with their differences; less is better, except for units filled."""

    def money(label: str, one: float, two: float, note: str = "") -> Compared:
        one, two = round(one), round(two)
        return Compared(
            label,
            formats.money(one, currency),
            formats.money(two, currency),
            f"{formats.signed_money(two - one, currency)}{_share(one, two)}",
            None if one == two else two < one,
            note,
        )

    def number(label: str, one: float, two: float, decimals: int = 0, note: str = "") -> Compared:
        one, two = round(one, decimals), round(two, decimals)
        return Compared(
            label,
            formats.number(one, decimals),
            formats.number(two, decimals),
            f"{formats.signed_number(two - one, decimals)}{_share(one, two)}",
            None if one == two else two < one,
            note,
        )

    sides = (before, after)
    each = [_per(side["cost"], side["filled_units"]) for side in sides]
    miles = [_per(side["miles"], side["packages"]) for side in sides]
    days = [_per(side["transit_days"], side["packages"]) for side in sides]
    return [
        money("Cost", before["cost"], after["cost"], "shipping and handling"),
        money("Cost per unit", each[0], each[1]),
        number("Packages", before["packages"], after["packages"]),
        number("Split orders", before["split_orders"], after["split_orders"]),
        number("Miles per package", miles[0], miles[1]),
        number("Days under way", days[0], days[1], 2, "business days per package"),
        number("Late orders", before["late_orders"], after["late_orders"]),
        number("Days late", before["days_late"], after["days_late"], note="of all late orders"),
        number("Lost units", before["lost_units"], after["lost_units"], note="nowhere in stock when ordered"),
    ]


def _per(amount: float, count: int) -> float:
    return amount / count if count else 0.0


def _share(before: float, after: float) -> str:
    return f" ({formats.signed_percent(after / before - 1, 1)})" if before and after != before else ""


def waterfall(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Step]:
    """How the difference in cost comes about, each part beginning where the one before ended; the last is their sum.

    Units that only one of them filled are reckoned at what a unit cost before; the rest is dearer or cheaper
    shipping and handling of the same units. Empty for a what-if that did not keep them apart.
    """
    if "handling" not in before or "handling" not in after:
        return []
    grown = after["filled_units"] / before["filled_units"] if before["filled_units"] else 1.0
    filled = round(before["cost"] * (grown - 1))
    shipping = round(_shipping(after) - _shipping(before) * grown)
    handling = (
        round(after["cost"]) - round(before["cost"]) - filled - shipping
    )  # so that they add up to the cent
    label = "More units filled" if grown > 1 else "Fewer units filled"
    parts = [(label, filled), ("Shipping", shipping), ("Handling", handling)]
    return _drawn([(label, amount) for label, amount in parts if amount])


def _shipping(figures: Mapping[str, Any]) -> float:
    return float(figures["cost"] - figures["handling"])


def _drawn(parts: Sequence[tuple[str, int]]) -> list[Step]:
    ends = [0]
    for _, amount in parts:
        ends.append(ends[-1] + amount)
    low, high = min(ends), max(ends)
    span = (high - low) or 1

    def step(label: str, begin: int, end: int, is_sum: bool = False) -> Step:
        left, width = (min(begin, end) - low) / span, abs(end - begin) / span
        return Step(
            label,
            end - begin,
            round(100 * left, 1),
            round(100 * width, 1),
            round(-100 * low / span, 1),
            is_sum,
        )

    steps = [step(label, ends[at], ends[at + 1]) for at, (label, _) in enumerate(parts)]
    return [*steps, step("Together", 0, ends[-1], is_sum=True)]
