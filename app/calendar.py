"""Days, zones and United States federal holidays (5 USC 6103), for promises and refunds. Times are UTC.

A day ends at the first instant of the next day in its zone, and "by" a day means strictly before that
instant.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAY = timedelta(days=1)
_FRIDAY = 4


class UnknownZone(ValueError):
    """The name is not in the time zone database."""


def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises UnknownZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
        raise UnknownZone(f"{name!r} is not a time zone") from wrong


def local_date(instant: datetime, zone_name: str) -> date:
    """The calendar day on which `instant` falls in that zone. Raises ValueError for a time without a zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return instant.astimezone(zone(zone_name)).date()


def earliest_local_date(instant: datetime, zones: Iterable[str]) -> date:
    """The earlier of the calendar days on which `instant` falls in these zones."""
    return min(local_date(instant, name) for name in zones)


@lru_cache(maxsize=8192)
def end_of_day(day: date, zone_name: str) -> datetime:
    """First instant of the day after `day` in that zone, in UTC: what happens before it happened "by" that
    day.

    Where a clock change skips midnight this is the instant of the change; where it repeats midnight, the
    first.
    """
    return datetime.combine(day + _DAY, time(), zone(zone_name)).astimezone(UTC)


def strict_deadline(day: date, zones: Iterable[str]) -> datetime:
    """The earliest end of `day` among these zones, in UTC."""
    return _earliest_end(day, tuple(zones))


@lru_cache(maxsize=8192)
def _earliest_end(day: date, zones: tuple[str, ...]) -> datetime:
    return min(end_of_day(day, name) for name in zones)


@lru_cache(maxsize=64)
def federal_holidays(year: int) -> frozenset[date]:
    """Days of `year` on which federal offices close, observed days included (a Saturday's Friday, a Sunday's
    Monday)."""
    return frozenset(_holidays(year, observed=True))


@lru_cache(maxsize=64)
def _strict_holidays(year: int) -> frozenset[date]:
    """As above, but the Friday before a Saturday holiday stays a working day, as at the Federal Reserve."""
    actual = _holidays(year, observed=False) | _holidays(year + 1, observed=False)
    return frozenset(
        day
        for day in federal_holidays(year)
        if day in actual or not (day.weekday() == _FRIDAY and day + _DAY in actual)
    )


def _holidays(year: int, *, observed: bool) -> set[date]:
    from holidays.countries.united_states import UnitedStates  # 60 ms: only where days are counted

    return {day for day in UnitedStates(years=year, observed=observed) if day.year == year}


def is_working_day(day: date, *, strict: bool = False) -> bool:
    """Monday to Friday and not a federal holiday.

    `strict` counts the observed Friday of a Saturday holiday as a working day: the reading with the earlier
    deadline.
    """
    if day.weekday() > _FRIDAY:
        return False
    return day not in (_strict_holidays(day.year) if strict else federal_holidays(day.year))


def add_working_days(day: date, count: int, *, strict: bool = False) -> date:
    """The `count`-th working day after `day`; counting starts the day after. `day` itself when `count` is
    0."""
    if count < 0:
        raise ValueError("working days are counted forward")
    while count:
        day += _DAY
        if is_working_day(day, strict=strict):
            count -= 1
    return day


def subtract_working_days(day: date, count: int) -> date:
    """The `count`-th working day before `day`; `day` itself when `count` is 0."""
    while count > 0:
        day -= _DAY
        if is_working_day(day):
            count -= 1
    return day


def add_weeks(day: date, weeks: int) -> date:
    return day + timedelta(weeks=weeks)


def add_month(day: date) -> date:
    """The same day of the next month, or that month's last day."""
    year, month = (day.year, day.month + 1) if day.month < 12 else (day.year + 1, 1)
    return date(year, month, min(day.day, months.monthrange(year, month)[1]))


def day_in_words(day: date, *, today: date | None = None, long: bool = False) -> str:
    """US form: "Fri, Dec 4"; `long` gives "Friday, December 4". The year is added unless it is the year of
    `today`."""
    words = f"{day:%A, %B} {day.day}" if long else f"{day:%a, %b} {day.day}"
    return words if today is not None and day.year == today.year else f"{words}, {day.year}"


def time_in_words(instant: datetime, zone_name: str) -> str:
    """US form with the zone's short name: "4:40 PM EST"."""
    local = instant.astimezone(zone(zone_name))
    return f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'} {local.tzname()}"
