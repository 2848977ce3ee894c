"""How a node stands: how full the day is on which work given now would leave, what needs a look, what comes next.
Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.calendar import local_date
from app.network.rules import Timetable, busy_minutes, next_cutoff, ships_on

NEARLY_FULL = 0.9
MANY_REFUSED = 0.1
FEW_ANSWERS = 5
"""Of fewer, a share says nothing."""
DAYS = 7


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a node: packages given to it and how many it can do, None without a limit."""

    day: date
    works: bool
    packages: int
    capacity: int | None

    @property
    def share(self) -> float | None:
        """Of its capacity; more than 1 is over it."""
        if self.capacity is None:
            return None
        return self.packages / self.capacity if self.capacity else float(self.packages > 0)


@dataclass(frozen=True, slots=True)
class Health:
    """How a node stands. `day` is the one that work given now takes."""

    day: Day
    next_cutoff: datetime | None
    refusal_share: float | None
    """Of the work of the last seven days that it answered; None where it answered too little to tell."""
    faults: tuple[tuple[str, str], ...]
    """(state, words) of what needs a look, the worst first."""

    @property
    def s(self) -> str:
        """The worst of it: late, risk, idle (closed) or due."""
        return self.faults[0][0] if self.faults else "due"


def health(row: Mapping[str, Any], loads: Mapping[date, int], now: datetime) -> Health:
    """Of a node's row as `listing.nodes` reads it, with its packages by day."""
    timetable = Timetable.of(row)
    busy = busy_minutes(row["ahead"], row["capacity_per_hour"])
    day = local_date(ships_on(now, timetable, busy=busy), timetable.zone)
    fills = Day(day, True, loads.get(day, 0), row["capacity_per_day"])
    share = row["refused"] / row["given"] if row["given"] >= FEW_ANSWERS else None
    return Health(fills, next_cutoff(now, timetable), share, tuple(_faults(row, fills, share)))


def _faults(row: Mapping[str, Any], fills: Day, refused: float | None) -> list[tuple[str, str]]:
    share = fills.share or 0.0
    found = []
    if row["over"]:
        found.append(("late", f"{row['over']:,} past promise"))
    if share > 1:
        found.append(("late", f"Over capacity by {fills.packages - (fills.capacity or 0):,}"))
    elif share >= 1:
        found.append(("risk", "Full"))
    elif share >= NEARLY_FULL:
        found.append(("risk", "Nearly full"))
    if not row["open"]:
        found.append(("risk", "Closed, with work") if row["work"] else ("idle", "Closed"))
    if refused is not None and refused >= MANY_REFUSED:
        found.append(("risk", f"Refuses {refused:.0%}"))
    if row["cooling"]:
        found.append(("risk", f"Rests for {row['cooling']:,} item{'s' if row['cooling'] > 1 else ''}"))
    return sorted(found, key=lambda fault: ("late", "risk", "idle").index(fault[0]))


def week(row: Mapping[str, Any], loads: Mapping[date, int], now: datetime) -> list[Day]:
    """The node's next seven days, today first."""
    timetable = Timetable.of(row)
    today = local_date(now, timetable.zone)
    days = [today + timedelta(days=ahead) for ahead in range(DAYS)]
    return [Day(day, timetable.works(day), loads.get(day, 0), row["capacity_per_day"]) for day in days]
