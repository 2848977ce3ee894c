"""The geometry of the small drawings: clocks, sparks, arcs and pins. Pure; the macros only print the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.pages import formats
from app.pages.geography import project

SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 72, 20, 2.0
SMALLEST_PIN, LARGEST_PIN = 12, 32


@dataclass(frozen=True)
class Track:
    """A promise clock's marks, each in percent from the order (0) to the later of promise and expectation."""

    now: float
    by: float
    expected: float | None
    slips: bool
    shipped: bool


def clock_track(
    placed: date, due: date, today: date, expected: date | None = None, shipped: date | None = None
) -> Track:
    """Where the marks of a promise clock stand.

    A shipped line ends at its shipping day; an open one shows today, and its expected day when that is late.
    """
    late_expected = expected if shipped is None and expected is not None and expected > due else None
    end = max(due, shipped or today, late_expected or due)
    span = max((end - placed).days, 1)

    def at(day: date) -> float:
        return round(100 * min(max((day - placed).days / span, 0.0), 1.0), 1)

    mark = shipped or late_expected
    return Track(
        now=at(shipped or today),
        by=100.0 if due == end else at(due),
        expected=None if mark is None else at(mark),
        slips=mark is not None and mark > due,
        shipped=shipped is not None,
    )


def clock_note(due: date, today: date, expected: date | None = None, shipped: date | None = None) -> str:
    """The one note under a clock: how it went, what is expected, or what is left."""
    if shipped is not None:
        day = formats.short_date(shipped, "UTC", today, weekday=False)
        return f"Shipped {day}, {formats.against(shipped, due)}"
    if expected is not None and expected > due:
        day = formats.short_date(expected, "UTC", today, weekday=False)
        return f"Expected {day}, {formats.against(expected, due)}"
    return formats.days_left(due, today)


@dataclass(frozen=True)
class Spark:
    """A trend line in a 72 x 20 box: its path and its last point."""

    path: str
    x: float
    y: float


def spark(values: Sequence[float]) -> Spark:
    """The line of a row's trend, from zero to its highest value; one value alone is a point."""
    top = max([*values, 1])
    step = (SPARK_WIDTH - SPARK_MARGIN) / max(len(values) - 1, 1)
    height = SPARK_HEIGHT - 2 * SPARK_MARGIN
    points = [
        (round(i * step, 1), round(SPARK_MARGIN + height * (1 - value / top), 1))
        for i, value in enumerate(values)
    ]
    x, y = points[-1] if points else (0.0, SPARK_HEIGHT - SPARK_MARGIN)
    return Spark("M" + "L".join(f"{px} {py}" for px, py in points), x, y)


def arc_path(start: tuple[float, float], end: tuple[float, float], bend: float = 0.18) -> str | None:
    """An SVG path on the map between two (longitude, latitude), bent upward; None when one is off the map."""
    first, last = project(*start), project(*end)
    if first is None or last is None:
        return None
    (x1, y1), (x2, y2) = first, last
    run_x, run_y = x2 - x1, y2 - y1
    # The control point lies off the middle, at right angles to the chord, on the upper side.
    side = 1 if run_x >= 0 else -1
    mid_x, mid_y = (x1 + x2) / 2 + side * bend * run_y, (y1 + y2) / 2 - side * bend * run_x
    return f"M{x1:.0f} {y1:.0f}Q{mid_x:.0f} {mid_y:.0f} {x2:.0f} {y2:.0f}"


def pin_size(work: float, most: float) -> int:
    """A pin's diameter in pixels: its area grows with the work, between 12 and 32."""
    if most <= 0 or work <= 0:
        return SMALLEST_PIN
    return round(max(SMALLEST_PIN, LARGEST_PIN * min(work / most, 1.0) ** 0.5))


def labeled_first(pins: Sequence[Any]) -> list[Any]:
    """Pins in the order in which they get labels: the buyer, then nodes that are late, then nodes by work, then those
    not chosen."""
    rank = {"dest": 0, "off": 2}

    def place(pin: Any) -> tuple[int, bool, float]:
        role = rank.get(_part(pin, "role") or "", 1)
        return role, _part(pin, "s") != "late", -(_part(pin, "work") or 0)

    return sorted(pins, key=place)


def most_work(pins: Sequence[Any]) -> float:
    """The largest open work among the pins."""
    return max((_part(pin, "work") or 0 for pin in pins), default=0)


def busiest_first(places: Sequence[Any]) -> list[Any]:
    """Places with two bars in the order in which they get labels."""
    return sorted(places, key=lambda one: -sum(_part(one, "bars")))


def most_bar(places: Sequence[Any]) -> float:
    """The highest bar of all places, at least 1."""
    return max((bar for one in places for bar in _part(one, "bars")), default=0) or 1


def _part(pin: Any, name: str) -> Any:
    return pin.get(name) if isinstance(pin, Mapping) else getattr(pin, name, None)
