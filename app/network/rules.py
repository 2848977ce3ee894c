"""Where a node stands and when its parcels leave, worked out from what was given. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from app.calendar import end_of_day, federal_holidays, local_date, zone
from app.network.places import locate
from infra.errors import FieldError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CAPABILITIES = ("hazard", "temperature", "gift_wrap", "personalization", "pickup")
"""What a node may be able to do; a merchant may add codes of its own."""
FEDERAL = "us_federal"
MOST_DAYS = 400
"""How far ahead an open day is looked for."""
_MINUTE = timedelta(minutes=1)
_CODE = re.compile(r"[^/\x00-\x1f\x7f\ud800-\udfff]{1,100}")


def code_error(code: str) -> str | None:
    """What is wrong with a merchant's own code (of a node or a SKU), or None."""
    if not _CODE.fullmatch(code) or code != code.strip() or code in (".", ".."):
        return "A code has 1 to 100 characters, without a slash, control characters or spaces at its ends."
    return None


def local_time(text: str) -> time:
    """HH:MM as a time of day; 24:00 is the end of the day."""
    return time.max if text == "24:00" else time.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a node works and its parcels leave, read once from what is kept."""

    zone: str
    weekdays: tuple[bool, ...] = (True,) * 5 + (False,) * 2
    hours: tuple[tuple[time, time] | None, ...] = (None,) * 7
    """Opening and closing by weekday; None = the whole day."""
    closed: tuple[date, ...] = ()
    federal: bool = False
    cutoff: time | None = None
    cutoffs: tuple[tuple[str, time], ...] = ()
    """(service, cut-off)"""
    handling_minutes: int | None = None

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> Timetable:
        """From a node's row. Without `open_days` it works Monday to Friday."""
        calendar = node["calendar"]
        open_days = calendar.get("open_days") or WEEKDAYS[:5]
        hours = {
            day: (local_time(opens), local_time(closes))
            for day, (opens, closes) in calendar.get("hours", {}).items()
        }
        return cls(
            zone=node["timezone"],
            weekdays=tuple(day in open_days for day in WEEKDAYS),
            hours=tuple(hours.get(day) for day in WEEKDAYS),
            closed=tuple(date.fromisoformat(day) for day in sorted(calendar.get("closed", []))),
            federal=calendar.get("holidays") == FEDERAL,
            cutoff=local_time(node["cutoff"]) if node["cutoff"] else None,
            cutoffs=tuple((service, local_time(text)) for service, text in sorted(node["cutoffs"].items())),
            handling_minutes=node["handling_minutes"],
        )

    def works(self, day: date) -> bool:
        """Whether the node works on that day of its own zone."""
        if not self.weekdays[day.weekday()] or day in self.closed:
            return False
        return not (self.federal and day in federal_holidays(day.year))

    def opening(self, day: date) -> tuple[datetime, datetime]:
        """First and last instant of its work on a day, UTC."""
        opens, closes = self.hours[day.weekday()] or (time.min, time.max)
        end = end_of_day(day, self.zone) if closes == time.max else self.at(day, closes)
        return self.at(day, opens), end

    def at(self, day: date, moment: time) -> datetime:
        """A local time of a day as an instant, UTC; one that a clock change skips is moved on by the change."""
        return datetime.combine(day, moment, zone(self.zone)).astimezone(UTC)


def busy_minutes(ahead: int, per_hour: int | None) -> int:
    """Minutes of its opening time that a node takes for the packages ahead of a new one; 0 where its pace is not
    known."""
    return -(-ahead * 60 // per_hour) if per_hour else 0


def whole_minute(now: datetime) -> datetime:
    """The minute, UTC, that an instant counts as: cut-offs, hours and handling times are whole minutes, and a begun
    one is over."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    return minute + _MINUTE if minute < now else minute


def ships_on(now: datetime, timetable: Timetable, service: str = "", busy: int = 0) -> datetime:
    """When a parcel of work given to a node now should leave it, UTC.

    The node is `busy` with earlier work for so many minutes of its opening time; then the work takes the node's
    handling minutes of it. What is ready by the service's cut-off (else the node's) leaves with it, later work with
    the next working day's. A node without a cut-off hands over as soon as it is ready; where its handling time is not
    known either, 24 hours are reckoned.
    """
    now = whole_minute(now)
    if busy:
        now = _ready(now, timetable, timedelta(minutes=busy))
    cutoff = dict(timetable.cutoffs).get(service, timetable.cutoff)
    minutes = timetable.handling_minutes
    if cutoff is None and minutes is None:
        return _a_day_later(now, timetable)
    ready = _ready(now, timetable, timedelta(minutes=minutes or 0))
    if cutoff is None:
        return ready
    for day in _working_days(ready, timetable):
        leaves = timetable.at(day, cutoff)
        if leaves >= ready:
            return leaves
    return ready + timedelta(days=MOST_DAYS)


def next_cutoff(now: datetime, timetable: Timetable) -> datetime | None:
    """The node's next cut-off of any service, UTC; None when it has none."""
    moments = [
        one for one in (timetable.cutoff, *(moment for _, moment in timetable.cutoffs)) if one is not None
    ]
    if not moments:
        return None
    ahead = (timetable.at(day, moment) for day in _working_days(now, timetable) for moment in sorted(moments))
    return next((at for at in ahead if at >= now), None)


def _a_day_later(now: datetime, timetable: Timetable) -> datetime:
    """The same time of the first working day at least 24 hours away, within its opening hours."""
    then = (now + timedelta(days=1)).astimezone(zone(timetable.zone))
    for day in _working_days(then, timetable):
        opens, closes = timetable.opening(day)
        return min(max(timetable.at(day, then.time()), opens), closes)
    return then.astimezone(UTC) + timedelta(days=MOST_DAYS)


def _ready(now: datetime, timetable: Timetable, left: timedelta) -> datetime:
    """When work that takes `left` of opening time is done: within a working day, so never at the midnight that ends
    it."""
    for day in _working_days(now, timetable):
        opens, closes = timetable.opening(day)
        begins = max(now.astimezone(UTC), opens)
        done = begins + left
        if begins < closes and done <= closes and local_date(done, timetable.zone) == day:
            return done
        left -= max(closes - begins, timedelta())
    return now.astimezone(UTC) + timedelta(days=MOST_DAYS)


def _working_days(now: datetime, timetable: Timetable) -> Iterator[date]:
    day = local_date(now, timetable.zone)
    for _ in range(MOST_DAYS):
        if timetable.works(day):
            yield day
        day += timedelta(days=1)


def calendar_errors(given: Mapping[str, Any]) -> list[FieldError]:
    """What does not fit together in a node's calendar (loaded schemas.CalendarIn)."""
    open_days = given.get("open_days") or WEEKDAYS[:5]
    errors = []
    for day, (opens, closes) in given.get("hours", {}).items():
        if day not in open_days:
            errors.append(
                FieldError(
                    f"/calendar/hours/{day}", f"{day} is no open day. Add it to open_days, or leave it out."
                )
            )
        elif local_time(closes) <= local_time(opens):
            errors.append(
                FieldError(f"/calendar/hours/{day}", "Closing comes after opening, such as 09:00 and 17:00.")
            )
    return errors


def placed(given: Mapping[str, Any], home_zone: str) -> tuple[dict[str, Any], list[FieldError]]:
    """latitude, longitude and timezone: as given, else from the address; and what cannot be found.

    A virtual node needs no place; its zone is the merchant's (`home_zone`).
    """
    address = given["address"]
    country, region = address.get("country", "US"), address.get("region")
    latitude, longitude, timezone = given["latitude"], given["longitude"], given["timezone"]
    errors = []
    if (latitude is None) != (longitude is None):
        missing = "latitude" if latitude is None else "longitude"
        errors.append(FieldError(f"/{missing}", "Send latitude and longitude together, or neither."))
    place = locate(address.get("postal_code"), country, region)
    if latitude is None and longitude is None and place is not None:
        latitude, longitude = round(place.lat, 5), round(place.lon, 5)
    if timezone is None:
        timezone = place.timezone if place is not None else None
    if given["kind"] == "virtual":
        timezone = timezone or home_zone
    elif latitude is None and not errors:
        errors.append(
            FieldError("/latitude", "The address tells no place. Send latitude and longitude, or a ZIP code.")
        )
    if timezone is None:
        errors.append(FieldError("/timezone", "The address tells no time zone. Send one."))
    return {"latitude": latitude, "longitude": longitude, "timezone": timezone}, errors
