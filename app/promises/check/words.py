"""The words, times and amounts of a scenario file (docs/promises.md), read generously and never guessed.

Whoever writes one may use the words of the trade; what cannot be read is refused with its path and a remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from app import calendar
from app.money import Money, UnknownCurrency
from app.promises.readings import Settings
from app.promises.rules import PromiseInput, Unit


class ScenarioFault(ValueError):
    """The file says something that cannot be read. `path` names the place, `detail` the remedy."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path, self.detail = path, detail


def word(value: Any) -> str:
    """A word as a key: lower case, underscores."""
    return re.sub(r"[\s\-/]+", "_", str(value).strip().lower())


def one_of(value: Any, words: Mapping[str, Any] | Iterable[str], path: str) -> Any:
    """What the word stands for in the mapping, or the word itself of the list. Raises ScenarioFault."""
    known = words if isinstance(words, Mapping) else {one: one for one in words}
    if not isinstance(value, str) or word(value) not in known:
        raise ScenarioFault(path, f"{value!r} is not known here: give one of {', '.join(sorted(known))}.")
    return known[word(value)]


def known_keys(given: Any, known: Iterable[str], path: str) -> dict[str, Any]:
    """The object with its keys as words. Raises ScenarioFault for no object or a key that means nothing."""
    if not isinstance(given, Mapping):
        raise ScenarioFault(path, "Give an object.")
    keyed = {word(key) if key != "T" and key != "R" else key: value for key, value in given.items()}
    unknown = sorted(keyed.keys() - set(known))
    if unknown:
        raise ScenarioFault(f"{path}.{unknown[0]}", f"Not known here. Known are {', '.join(sorted(known))}.")
    return keyed


def as_list(value: Any) -> list[Any]:
    """A list as it is, nothing as an empty one, anything else as a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


MOST = 100_000


def whole(value: Any, path: str, least: int = 0) -> int:
    """A whole number from `least` to 100,000. Raises ScenarioFault."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST:
        raise ScenarioFault(path, f"Give a whole number from {least} to {MOST}.")
    return value


def flag(value: Any, path: str) -> bool:
    """True or false. Raises ScenarioFault."""
    if not isinstance(value, bool):
        raise ScenarioFault(path, "Give true or false.")
    return value


def amount(value: Any, currency: str, path: str) -> int:
    """Minor units of a figure in major units: 34.56, "34.56", "$1,034.56". Raises ScenarioFault."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ScenarioFault(path, 'Give an amount in major units, as 34.56 or "34.56".')
    text = re.sub(r"[$€£,\s]", "", str(value))
    if text.startswith("-"):
        raise ScenarioFault(path, "Give an amount of 0 or more.")
    try:
        return Money.parse(text, currency).amount
    except (ValueError, UnknownCurrency) as wrong:
        raise ScenarioFault(path, f"{wrong}. Give an amount as 34.56.") from wrong


# --- Times ---

FIRST_YEAR, LAST_YEAR = 1900, 2200
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WORDS = re.compile(
    r"^(?:(?P<weekday>mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?(?P<day>\d{1,2})\s+(?P<month>[a-z]{3})[a-z]*,?\s+"
    r"(?P<year>\d{4})",
    re.IGNORECASE,
)
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}")
_RELATIVE = re.compile(r"^(?:(?P<T>T)(?:\s*(?P<sign>[+-])\s*(?P<days>\d+))?|day\s*(?P<day>\d+))(?=\s|$)")
_CLOCK = re.compile(r"^[T\s]*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?")
_OFFSET = re.compile(r"^(?:Z|[+-]\d{2}:?\d{2})$")


class Times:
    """Reads days and instants. A time without a zone is in the `default` one; a day stands for its noon. `anchors`
    are the days that "day 3" (order) and "T+2" count from, as far as they are known."""

    def __init__(self, seller: str, buyer: str, default: str) -> None:
        self._zones = {"seller": seller, "buyer": buyer}
        self._default = default
        self.anchors: dict[str, date] = {}

    def zone(self, name: Any, path: str) -> str:
        """An IANA name, `buyer` or `seller`. Raises ScenarioFault."""
        found = self._zones.get(str(name).lower(), str(name))
        try:
            calendar.zone(found)
        except calendar.UnknownZone as wrong:
            raise ScenarioFault(path, f"{wrong}: give an IANA name such as America/New_York.") from wrong
        return found

    def day(self, value: Any, path: str) -> date:
        """A calendar day: 2026-01-31, "Sat 31 Jan 2026", "day 3", "T+2"; of the years 1900 to 2200. Raises
        ScenarioFault."""
        found, rest = self._day_and_rest(value, path)
        if rest.strip():
            raise ScenarioFault(path, f"{value!r} has a time; give only a day.")
        return found

    def is_day(self, value: Any) -> bool:
        """Whether the text names a day without a time."""
        try:
            self.day(value, "")
        except ScenarioFault:
            return False
        return True

    def instant(self, value: Any, path: str, zone: Any = None) -> datetime:
        """An instant in UTC: a day (its noon), a day with a time and perhaps an offset, a zone's name, `buyer` or
        `seller`; 24:00 is the end of the day. Raises ScenarioFault."""
        if isinstance(value, Mapping):
            given = known_keys(value, ("at", "zone"), path)
            return self.instant(given.get("at"), path, given.get("zone"))
        found, rest = self._day_and_rest(value, path)
        clock = _CLOCK.match(rest)
        hour, minute, second = (int(part or 0) for part in clock.groups()) if clock else (12, 0, 0)
        tail = rest[clock.end() :].strip() if clock else rest.strip()
        if (hour, minute, second) == (24, 0, 0):
            found, hour = found + timedelta(days=1), 0
        if hour > 23 or minute > 59 or second > 59:
            raise ScenarioFault(path, f"{value!r} has no such time.")
        naive = datetime.combine(found, time(hour, minute, second))
        if _OFFSET.match(tail):
            return datetime.fromisoformat(f"{naive.isoformat()}{tail}").astimezone(UTC)
        return naive.replace(tzinfo=calendar.zone(self.zone(tail or zone or self._default, path))).astimezone(
            UTC
        )

    def _day_and_rest(self, value: Any, path: str) -> tuple[date, str]:
        text = value.strip() if isinstance(value, str) else ""
        try:
            if found := _ISO.match(text):
                return _in_reach(date.fromisoformat(found[0])), text[found.end() :]
            if found := _WORDS.match(text):
                return _in_reach(self._in_words(found)), text[found.end() :]
            if found := _RELATIVE.match(text):
                return _in_reach(self._relative(found, path)), text[found.end() :]
        except (ValueError, OverflowError) as wrong:
            if isinstance(wrong, ScenarioFault):
                raise
            raise ScenarioFault(path, f"{value!r} is no such day ({wrong}).") from wrong
        raise ScenarioFault(
            path, f'{value!r} is no day: give 2026-01-31, perhaps with a time as "2026-01-31 23:10".'
        )

    @staticmethod
    def _in_words(found: re.Match[str]) -> date:
        day = date(int(found["year"]), _MONTHS.index(found["month"].lower()) + 1, int(found["day"]))
        if found["weekday"] and _DAYS[day.weekday()] != found["weekday"].lower():
            raise ValueError(f"it is a {day:%A}")
        return day

    def _relative(self, found: re.Match[str], path: str) -> date:
        anchor = self.anchors.get("T" if found["T"] else "day")
        if anchor is None:
            raise ScenarioFault(path, "There is nothing to count from here: give a date.")
        days = int(found["days"] or found["day"] or 0)
        return anchor + timedelta(days=-days if found["sign"] == "-" else days)


def _in_reach(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"give a year from {FIRST_YEAR} to {LAST_YEAR}")
    return day


# --- What the buyer was told ---

_UNITS = {
    "h": Unit.HOURS,
    "hour": Unit.HOURS,
    "d": Unit.DAYS,
    "day": Unit.DAYS,
    "calendar day": Unit.DAYS,
    "business day": Unit.BUSINESS_DAYS,
    "working day": Unit.BUSINESS_DAYS,
    "w": Unit.WEEKS,
    "week": Unit.WEEKS,
}
_SPAN = re.compile(
    r"(?<![\d.,])(?P<low>\d+)(?:\s*(?:-|–|to)\s*(?P<high>\d+))?\s*(?P<unit>(?:calendar|business|working)?\s*(?:hour|day|week|h|d|w))s?\b",
    re.IGNORECASE,
)
_A_TIME = re.compile(
    r"\d|\b(?:hours?|days?|weeks?|months?|fortnight|today|tomorrow|tonight)\b", re.IGNORECASE
)
"""Words that state a time, though perhaps not in a way that can be read: then it is not taken for none."""
_PROMISE = (
    "ship_by",
    "within",
    "unit",
    "deliver_by",
    "transit_days",
    "not_before",
    "text",
    "clear",
    "shown",
)


def promise(value: Any, times: Times, settings: Settings, path: str) -> PromiseInput | None:
    """What was stated: a date, words as "ships in 6-8 weeks", or an object (docs/promises.md); None for nothing
    clear and conspicuous. Raises ScenarioFault."""
    if value is None or value == "none":
        return None
    if isinstance(value, str):
        return _from_words(value, times, settings, path)
    given = known_keys(value, _PROMISE, path)
    if not flag(given.get("clear", True), f"{path}.clear"):
        return None
    if set(given) <= {"text", "clear", "shown"}:
        return _from_words(str(given.get("text", "")), times, settings, path)
    dates = {
        name: times.day(given[name], f"{path}.{name}")
        for name in ("ship_by", "deliver_by", "not_before")
        if given.get(name) is not None
    }
    within, unit = _within(given, settings, path)
    transit = whole(given.get("transit_days", 0), f"{path}.transit_days")
    try:
        return PromiseInput(**dates, within=within, unit=unit, transit_days=transit)
    except ValueError as wrong:
        raise ScenarioFault(path, f"{wrong}. Give only one of them.") from wrong


def _from_words(text: str, times: Times, settings: Settings, path: str) -> PromiseInput | None:
    day = re.search(r"\d{4}-\d{2}-\d{2}|\d{1,2} [a-z]{3,9} \d{4}", text, re.IGNORECASE)
    if day:
        return PromiseInput(ship_by=times.day(re.sub(r"^by\s+", "", day[0]), path))
    span = _SPAN.search(text)
    if span:
        return PromiseInput(
            within=_bound(span["low"], span["high"], settings, path), unit=_unit(span["unit"], path)
        )
    if _A_TIME.search(text):
        raise ScenarioFault(
            path, f'{text!r}: say it as "48 hours", "7-10 business days", "6-8 weeks" or a date.'
        )
    return None


def _within(given: Mapping[str, Any], settings: Settings, path: str) -> tuple[int | None, Unit]:
    value = given.get("within")
    unit = _unit(given["unit"], f"{path}.unit") if given.get("unit") else Unit.DAYS
    if value is None:
        return None, unit
    if isinstance(value, str):
        span = _SPAN.search(value)
        if span is None:
            raise ScenarioFault(f"{path}.within", 'Give a number with `unit`, or words as "48 hours".')
        return _bound(span["low"], span["high"], settings, path), _unit(span["unit"], path)
    ends = [whole(one, f"{path}.within") for one in as_list(value)]
    if not ends:
        raise ScenarioFault(f"{path}.within", "Give a number, or the two ends of a range.")
    return (max(ends) if settings.range_end == "upper" else min(ends)), unit


def _bound(low: str, high: str | None, settings: Settings, path: str) -> int:
    ends = [whole(int(one[:9]), path) for one in (low, high or low)]
    return max(ends) if settings.range_end == "upper" else min(ends)


def _unit(value: Any, path: str) -> Unit:
    name = re.sub(r"[\s_\-]+", " ", str(value).strip().lower())
    found = _UNITS.get(name) or _UNITS.get(name.removesuffix("s"))
    if found is None:
        raise ScenarioFault(path, f"{value!r} is no unit: give hours, days, business_days or weeks.")
    return found
