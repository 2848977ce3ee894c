"""The Promises board: what its address asks for, its pages, its figures, and the deadlines of a month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from app.calendar import day_in_words, end_of_day, local_date
from app.calendar import zone as zone_of
from app.pages import formats
from app.promises import queries
from tenants.scope import Scope

PAGE_SIZE = 50
MOST_EXPORTED = 20_000
VIEWS = {
    "live": "All open",
    "to_decide": "To decide",
    "due_today": "Due today",
    "at_risk": "At risk",
    "late": "Late",
    "waiting": "Waiting for the buyer",
    "refund": "Refund due",
}
NOTICES = {
    "none": "None yet",
    "queued": "Waits to be sent",
    "sent": "Sent",
    "delivered": "Delivered",
    "bounced": "Not delivered",
    "failed": "Not sent",
}
STATES = {
    "open": "First promise",
    "wait_silent": "Asked; silence agrees",
    "wait_express": "Asked; silence cancels",
    "wait_renewed": "Asked again; silence cancels",
    "consent_definite": "New date agreed",
    "consent_indefinite": "Agreed to wait",
    "delivery": "To arrive in time",
    "cancelled": "Canceled",
}
ANSWERS = {"consent": "Will wait", "cancel": "Canceled", "consent_rider": "Will wait, and longer"}
KINDS = {
    "silent_consent": ("A date within 30 days", "Silence agrees to the new date."),
    "express_definite": ("A date after more than 30 days", "Silence cancels, and what was paid goes back."),
    "express_indefinite": ("No date can be given", "Silence cancels, and what was paid goes back."),
    "renewed": ("Late once more", "Silence cancels, and what was paid goes back."),
}
"""Notices by kind: what they tell, and what no answer means."""


@dataclass(frozen=True)
class Filters:
    """What the address asks for."""

    view: str = "live"
    q: str = ""
    sku: str = ""
    state: str = ""
    notice: str = ""
    day: date | None = None
    latest_first: bool = False
    after: str = ""
    before: str = ""

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Filters:
        """From a query string; what is not known falls back to the default."""
        return cls(
            view=_known(args.get("view", ""), VIEWS, "live"),
            q=args.get("q", "").replace("\x00", "").strip()[:200],
            sku=args.get("sku", "").replace("\x00", "").strip()[:100],
            state=_known(args.get("state", ""), STATES, ""),
            notice=_known(args.get("notice", ""), NOTICES, ""),
            day=_day(args.get("day", "")),
            latest_first=args.get("sort", "") == "-deadline",
            after=args.get("after", ""),
            before=args.get("before", ""),
        )

    @property
    def narrowed(self) -> bool:
        """Whether anything beside the view narrows the list."""
        return bool(self.q or self.sku or self.state or self.notice or self.day)


def _known(value: str, table: Mapping[str, Any], default: str) -> str:
    return value if value in table else default


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


@dataclass(frozen=True)
class Page:
    """One page of promises, and whether there is more on either side."""

    rows: list[dict[str, Any]]
    has_before: bool
    has_after: bool


def page(scope: Scope, filters: Filters, limit: int = PAGE_SIZE) -> Page:
    """A page of promises by deadline. Raises Problem 422 for a cursor that is none of ours."""
    backward = bool(filters.before)
    asked = _asked(filters, scope.tenant.timezone)
    asked |= {
        "after": filters.before or filters.after,
        "latest_first": filters.latest_first != backward,
    }
    found = queries.found(scope, asked, limit + 1)
    shown, more = found[:limit], len(found) > limit
    rows = [row(one, scope) for one in (reversed(shown) if backward else shown)]
    came_from = bool(filters.before or filters.after)
    return Page(
        rows,
        has_before=more if backward else came_from,
        has_after=came_from if backward else more,
    )


def each(scope: Scope, filters: Filters) -> Iterator[dict[str, Any]]:
    """Every promise the filters leave, from the first on, a thousand at a time; at most MOST_EXPORTED."""
    at = replace(filters, after="", before="")
    for _ in range(MOST_EXPORTED // 1000):
        part = page(scope, at, 1000)
        yield from part.rows
        if not part.has_after:
            return
        at = replace(at, after=part.rows[-1]["id"])


def _asked(filters: Filters, zone: str) -> dict[str, Any]:
    """The filters as the read of promises takes them. A deadline is the first instant after its day."""
    asked: dict[str, Any] = {
        "bucket": filters.view,
        "q": filters.q,
        "sku": filters.sku or None,
        "state": filters.state or None,
        "notice_state": filters.notice or None,
    }
    if filters.day is not None:
        second = timedelta(seconds=1)
        asked["due_from"] = _begins(filters.day, zone) + second
        asked["due_before"] = end_of_day(filters.day, zone) + second
    return asked


def _begins(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, zone_of(zone)).astimezone(UTC)


def row(one: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """A promise as the board shows it: how it stands, its last day, and what was told and answered, in words."""
    now, zone = scope.now(), scope.tenant.timezone
    s, word = stands(one, now)
    notice = one["notice"]
    return {
        **one,
        "s": s,
        "word": word,
        "day": local_date(one["deadline"] - timedelta(seconds=1), zone),
        "indefinite": one["state"] == "consent_indefinite",
        "state_words": STATES.get(one["state"], ""),
        "notice_words": KINDS[notice["kind"]][0] if notice and notice["kind"] in KINDS else "",
        "notice_state": NOTICES[notice["state"] if notice else "none"],
        "notice_missed": bool(notice) and notice["state"] in ("bounced", "failed"),
        "reply_day": local_date(_instant(notice["reply_by"]) - timedelta(seconds=1), zone)
        if notice and one["state"].startswith("wait_")
        else None,
        "answer_words": ANSWERS.get(one["answer"] or "", ""),
        "proposed_day": _day(one["proposed"]["ship_by"] or "") if one["proposed"] else None,
        "why": _why(one["proposed"]["basis"], zone, now) if one["proposed"] else "",
    }


def stands(one: Mapping[str, Any], now: datetime) -> tuple[str, str]:
    """The mark of a promise and its word."""
    if one["state"] == "cancelled":
        return "idle", "Canceled"
    if one["state"] == "consent_indefinite":
        return "due", "Agreed to wait"
    if one["deadline"] <= now:
        return "late", "Late"
    if one["expected_ship_at"] is None or one["expected_ship_at"] >= one["deadline"]:
        return "risk", "At risk"
    return "due", "Due"


def _why(basis: Mapping[str, Any], zone: str, now: datetime) -> str:
    """What a proposed date rests on, in one sentence."""
    expected = basis["expected_ship_at"]
    today = local_date(now, zone)
    supply = (
        f"Expected {formats.short_date(_instant(expected), zone, today, weekday=False)}"
        if expected
        else "No supply is known"
    )
    inbound = "".join(
        f", by {one['reference']} due {day_in_words(date.fromisoformat(one['expected_on']), today=today)}"
        for one in basis.get("inbound", [])[-1:]
    )
    return f"{supply}{inbound}. {formats.number(basis['free'])} free, {formats.number(basis['waiting'])} waiting."


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


# ---- as a calendar

MARKS = {
    "late": ("late", "late"),
    "risk": ("risk", "at risk"),
    "waiting": ("due", "asked"),
    "due": ("due", "due"),
    "refund": ("idle", "to refund"),
}
"""How a day's lines stand -> mark and word, the worst first."""
DAYS_OF_WEEK = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


@dataclass(frozen=True)
class Day:
    """One day of the grid: [(mark, word, lines)] of what is due on it."""

    day: date
    is_past: bool
    is_today: bool
    marks: list[tuple[str, str, int]]
    lines: int
    """Promises due on it; refunds are not among them."""


WEEKS = 6
"""Of the grid: whatever today is, the thirty days in which goods are due by law lie within them."""


@dataclass(frozen=True)
class Grid:
    """Whole weeks, Sundays first."""

    first: date
    last: date
    weeks: list[list[Day]]
    before: date
    after: date
    lines: int
    """All promises and refunds of these weeks."""


def grid_from(given: str, today: date) -> date:
    """The Sunday on or before a day such as 2026-12-06; of this week when it is none, or years away."""
    day = _day(given)
    if day is None or abs(day.year - today.year) > 5:
        day = today
    return day - timedelta(days=(day.weekday() + 1) % 7)


def grid(scope: Scope, first: date) -> Grid:
    """Deadlines day by day, from a Sunday on; one statement."""
    zone = scope.tenant.timezone
    span = timedelta(weeks=WEEKS)
    last = first + span - timedelta(days=1)
    found: dict[date, dict[str, int]] = {}
    for one in queries.by_day(scope, _begins(first, zone), end_of_day(last, zone)):
        found.setdefault(one.day, {})[one.stands] = one.lines
    today = local_date(scope.now(), zone)
    days = [first + timedelta(days=at) for at in range(span.days)]
    every = [_of_day(day, today, found.get(day, {})) for day in days]
    return Grid(
        first,
        last,
        [every[at : at + 7] for at in range(0, len(every), 7)],
        first - span,
        first + span,
        sum(sum(of_day.values()) for of_day in found.values()),
    )


def _of_day(day: date, today: date, lines: Mapping[str, int]) -> Day:
    marks = [(mark, word, lines[key]) for key, (mark, word) in MARKS.items() if key in lines]
    total = sum(count for key, count in lines.items() if key != "refund")
    return Day(day, day < today, day == today, marks, total)
