"""When the nodes of a network would hand a parcel over, for all of them at once, and when it would arrive. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.calendar import end_of_day, federal_holidays, local_date
from app.network.rules import Timetable, busy_minutes, ships_on, whole_minute

Ints = NDArray[np.int64]
MOST_KEPT = 64
_MINUTE = timedelta(minutes=1)
_EPOCH = date(1970, 1, 1).toordinal()


class Leaving(NamedTuple):
    """By node: seconds since 1970 at which a parcel leaves, and the day of the node's zone, as its ordinal."""

    instants: Ints
    days: Ints


class Departures:
    """The departures of a network. Kept per minute and service: cut-offs, hours and handling times are whole
    minutes, so within one minute nothing changes."""

    def __init__(self, timetables: Sequence[Timetable], per_hour: Sequence[int | None] = ()) -> None:
        self._timetables, self._per_hour = timetables, per_hour
        self._distinct: list[Timetable] = []
        self._of: Ints = np.array([self._own(one) for one in timetables], dtype=np.int64)
        self._kept: dict[tuple[datetime, str], Leaving] = {}

    def _own(self, timetable: Timetable) -> int:
        """Nodes often keep the same hours: each timetable is asked once for all of them."""
        if timetable not in self._distinct:
            self._distinct.append(timetable)
        return self._distinct.index(timetable)

    def at(self, now: datetime, service: str = "", ahead: Ints | None = None) -> Leaving:
        """When work given to each node now leaves it. `ahead`: packages that each node has still to do before."""
        minute = whole_minute(now)
        found = self._kept.get((minute, service))
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[minute, service] = self._leaving(minute, service)
        return found if ahead is None else self._after(found, minute, service, ahead)

    def leaves(self, node: int, now: datetime, service: str = "", ahead: int = 0) -> datetime:
        """When work given to one node now leaves it, UTC: the instant that `at` tells."""
        return ships_on(now, self._timetables[node], service, self._busy(node, ahead))

    def turns(self, node: int, now: datetime, service: str = "", ahead: int = 0) -> datetime:
        """The first minute, UTC, from which work given to a node leaves on a later day than work given now."""
        table = self._timetables[node]
        day = local_date(self.leaves(node, now, service, ahead), table.zone)
        before, after = whole_minute(now), end_of_day(day, table.zone)
        while after - before > _MINUTE:
            middle = whole_minute(before + (after - before) / 2)
            if local_date(self.leaves(node, middle, service, ahead), table.zone) > day:
                after = middle
            else:
                before = middle
        return after

    def _busy(self, node: int, ahead: int) -> int:
        """Minutes of opening time that packages ahead take a node."""
        return busy_minutes(ahead, self._per_hour[node] if self._per_hour else None)

    def _after(self, found: Leaving, now: datetime, service: str, ahead: Ints) -> Leaving:
        """With nodes that have work to do first, at the pace that is known of them."""
        instants, days = found.instants.copy(), found.days.copy()
        for node in ahead.nonzero()[0].tolist():
            if self._busy(node, int(ahead[node])):
                leaves = self.leaves(node, now, service, int(ahead[node]))
                instants[node] = int(leaves.timestamp())
                days[node] = local_date(leaves, self._timetables[node].zone).toordinal()
        return Leaving(instants, days)

    def _leaving(self, now: datetime, service: str) -> Leaving:
        leaves = [ships_on(now, timetable, service) for timetable in self._distinct]
        days = [local_date(at, own.zone).toordinal() for at, own in zip(leaves, self._distinct, strict=True)]
        instants = np.array([int(at.timestamp()) for at in leaves], dtype=np.int64)
        return Leaving(instants[self._of], np.array(days, dtype=np.int64)[self._of])


def arrivals(days: Ints, transit_days: Ints) -> Ints:
    """Ordinals of the days on which parcels arrive that leave on these days and are so many business days under
    way; -1 where the days under way are not known (-1)."""
    years = {date.fromordinal(int(day)).year for day in np.unique(days)}
    off = [
        np.datetime64(day)
        for year in sorted({*years, *(one + 1 for one in years)})
        for day in federal_holidays(year)
    ]
    leaves = (days - _EPOCH).astype("datetime64[D]")
    arrives = np.busday_offset(leaves, np.maximum(transit_days, 0), roll="forward", holidays=off)
    return np.where(transit_days < 0, -1, arrives.astype(np.int64) + _EPOCH)
