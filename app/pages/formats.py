"""How figures, dates and times read on a page. Pure: value, zone and today go in, text comes out.

US English: "Fri, Dec 4" (with the year when it is not this one), "4:40 PM" in the tenant's zone, 1,268,
−$37.80 with a true minus sign, and an en dash for what does not apply.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from markupsafe import Markup

from app.money import Money

NOT_APPLICABLE = "–"
MINUS = "−"

ZONE_NAMES = {
    "America/New_York": "Eastern",
    "America/Detroit": "Eastern",
    "America/Indiana/Indianapolis": "Eastern",
    "America/Chicago": "Central",
    "America/Denver": "Mountain",
    "America/Boise": "Mountain",
    "America/Phoenix": "Mountain",
    "America/Los_Angeles": "Pacific",
    "America/Anchorage": "Alaska",
    "Pacific/Honolulu": "Hawaii",
    "America/Puerto_Rico": "Atlantic",
    "UTC": "UTC",
}


def money(amount: Money | int | None, currency: str = "USD") -> str:
    """An amount of minor units with its currency's symbol and decimals: 3780 -> "$37.80"."""
    if amount is None:
        return NOT_APPLICABLE
    return str(amount if isinstance(amount, Money) else Money(amount, currency))


def signed_money(amount: Money | int | None, currency: str = "USD") -> str:
    """A difference, with its sign: "+$3.55", "−$0.31", "$0.00"."""
    value = amount if isinstance(amount, Money) or amount is None else Money(amount, currency)
    return f"+{value}" if value is not None and value.amount > 0 else money(value)


def number(value: int | float | Decimal | None, decimals: int = 0) -> str:
    """1268 -> "1,268"; None -> "–"; a half rounds away from zero, as money does."""
    if value is None:
        return NOT_APPLICABLE
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return f"{MINUS if exact < 0 else ''}{abs(exact):,.{decimals}f}"


def signed_number(value: int | float | Decimal | None, decimals: int = 0) -> str:
    """A difference in units: "+28", "−4", "0"."""
    text = number(value, decimals)
    return f"+{text}" if value is not None and value > 0 else text


def percent(share: float | Decimal | None, decimals: int = 0) -> str:
    """A share of one: 0.156 -> "16%"; with one decimal "15.6%"."""
    return NOT_APPLICABLE if share is None else f"{number(Decimal(str(share)) * 100, decimals)}%"


def signed_percent(share: float | Decimal | None, decimals: int = 0) -> str:
    """A change, as a share of one: 0.012 -> "+1%", -0.004 with one decimal "−0.4%"."""
    text = percent(share, decimals)
    return f"+{text}" if share is not None and share > 0 else text


def miles(value: float | None) -> str:
    """ "339 miles"; below ten with one decimal, unless whole."""
    if value is None:
        return NOT_APPLICABLE
    text = number(value, 1 if abs(value) < 10 and value != int(value) else 0)
    return f"{text} {'mile' if text == '1' else 'miles'}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """(1, "line") -> "1 line"; (5, "line") -> "5 lines"."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def duration(seconds: float | None) -> str:
    """The two largest units: "4 min 12 s", "2 h 5 min", "3 days 4 h"; under a second "0 s"."""
    if seconds is None:
        return NOT_APPLICABLE
    left = int(seconds)
    parts = []
    for size, unit in ((86400, "day"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(plural(count, unit) if unit == "day" else f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def local_day(value: date | datetime, zone: str) -> date:
    """The calendar day: a moment's in the zone, a date as it stands."""
    return value.astimezone(ZoneInfo(zone)).date() if isinstance(value, datetime) else value


def short_date(value: date | datetime | None, zone: str, today: date, *, weekday: bool = True) -> str:
    """ "Fri, Dec 4", with the year when not this one; without `weekday` "Dec 4"."""
    if value is None:
        return NOT_APPLICABLE
    day = local_day(value, zone)
    year = "" if day.year == today.year else f", {day.year}"
    return f"{f'{day:%a}, ' if weekday else ''}{day:%b} {day.day}{year}"


def long_date(value: date | datetime | None, zone: str, today: date) -> str:
    """ "Friday, December 4", for headings and words read aloud."""
    if value is None:
        return NOT_APPLICABLE
    day = local_day(value, zone)
    year = "" if day.year == today.year else f", {day.year}"
    return f"{day:%A}, {day:%B} {day.day}{year}"


def clock_time(value: datetime | None, zone: str) -> str:
    """ "4:40 PM"."""
    if value is None:
        return NOT_APPLICABLE
    local = value.astimezone(ZoneInfo(zone))
    return f"{local.hour % 12 or 12}:{local:%M %p}"


def time_of_day(value: str) -> str:
    """ "16:00" as "4:00 PM"."""
    hour, minute = value.split(":")[:2]
    return f"{int(hour) % 12 or 12}:{minute} {'PM' if int(hour) >= 12 else 'AM'}"


def moment(value: datetime | None, zone: str, today: date) -> str:
    """ "Today, 9:20 AM", "Yesterday, 4:42 PM", else "Nov 21, 6:12 PM"."""
    if value is None:
        return NOT_APPLICABLE
    days = (today - local_day(value, zone)).days
    day = {0: "Today", 1: "Yesterday"}.get(days) or short_date(value, zone, today, weekday=False)
    return f"{day}, {clock_time(value, zone)}"


def brief(value: datetime | None, zone: str, today: date) -> str:
    """For a narrow column: today's times as "10:38 AM", other days as "Nov 21"."""
    if value is None:
        return NOT_APPLICABLE
    if local_day(value, zone) == today:
        return clock_time(value, zone)
    return short_date(value, zone, today, weekday=False)


def exact(value: date | datetime | None, zone: str) -> str:
    """For hovering: "Nov 21, 2026, 6:12:09 PM Eastern"."""
    if value is None:
        return ""
    if not isinstance(value, datetime):
        return f"{value:%A}, {value:%B} {value.day}, {value.year}"
    local = value.astimezone(ZoneInfo(zone))
    seconds = f"{local.hour % 12 or 12}:{local:%M:%S %p}"
    return f"{local:%b} {local.day}, {local.year}, {seconds} {ZONE_NAMES.get(zone) or local.tzname()}"


def stands_at(value: datetime, zone: str) -> str:
    """A sandbox's clock, always with the year: "Thu, Nov 26, 2026, 9:05 AM"."""
    local = value.astimezone(ZoneInfo(zone))
    return f"{local:%a}, {local:%b} {local.day}, {local.year}, {clock_time(value, zone)}"


def in_unit(value: float | None, unit: str = "") -> str:
    """A chart's figure for its legend and table: unit "", "percent" (of one) or "money:USD" (minor units)."""
    if value is None:
        return NOT_APPLICABLE
    if unit == "percent":
        return percent(value, 1)
    if unit.startswith("money:"):
        return money(int(value), unit.removeprefix("money:"))
    return number(value, 0 if value == int(value) else 1)


def money_input(value: Money | str | None) -> str:
    """An amount as it stands in an entry field: "1268.00", or the text as it was typed."""
    return str(value.decimal()) if isinstance(value, Money) else value or ""


def time_tag(value: date | datetime | None, text: str, zone: str) -> Markup:
    """`<time>` around a text, the machine's form in `datetime` and the exact form on hover."""
    if value is None:
        return Markup("{}").format(text)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat(),
        exact(value, zone),
        text,
    )


def relative_day(value: date | datetime | None, zone: str, today: date) -> str:
    """ "today", "tomorrow", "yesterday", "in 3 days", "2 days ago"."""
    if value is None:
        return NOT_APPLICABLE
    days = (local_day(value, zone) - today).days
    known = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days)
    return known or (f"in {days} days" if days > 0 else f"{-days} days ago")


def days_left(due: date, today: date) -> str:
    """What remains of a deadline: "13 days left", "due today", "2 days over"."""
    days = (due - today).days
    if days == 0:
        return "due today"
    return f"{plural(days, 'day')} left" if days > 0 else f"{plural(-days, 'day')} over"


def against(actual: date, promised: date) -> str:
    """How an actual or expected day compares: "2 days early", "on the day", "11 days late"."""
    days = (actual - promised).days
    if days == 0:
        return "on the day"
    return f"{plural(days, 'day')} late" if days > 0 else f"{plural(-days, 'day')} early"
