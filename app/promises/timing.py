"""When the watch looks at a line, and whether it will be late. Pure; times are UTC, business time."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from app.calendar import is_working_day, local_date
from app.promises.vocabulary import BOUND_TO_R, Phase, State

ASKS = frozenset({Phase.OPEN, Phase.WAIT_SILENT, Phase.CONSENT_DEFINITE})
"""Phases in which a delay needs a notice. In the others the buyer is asked already, or has agreed to wait."""
FINAL = timedelta(hours=3)
_DAY = timedelta(days=1)


def decide_at(deadline: datetime, days: int) -> datetime:
    """From when a person is asked to decide, and alarmed if nobody has."""
    return deadline - days * _DAY


def last_call(deadline: datetime, since: datetime) -> datetime:
    """When the notice leaves by itself if nobody decided: one working day before the deadline, but never before half
    of the time since the promise or the last notice has passed, so that a short promise is not broken at once."""
    moment = deadline - _DAY
    while not is_working_day(local_date(moment, "UTC"), strict=True):
        moment -= _DAY
    return max(moment, since + (deadline - since) / 2)


def final_call(deadline: datetime, expected: datetime) -> datetime:
    """Until when an expectation is trusted that has passed without a shipment: some hours before the deadline, so
    that a parcel which is late by hours causes no notice, and one that is not going to leave still does."""
    return max(deadline - FINAL, expected)


def next_look(state: State, expected: datetime | None, since: datetime, now: datetime) -> datetime | None:
    """The next instant after `now` at which time alone may do something to the line; a deadline that has passed is
    due at once. None when time does nothing."""
    expires = state.expires_at
    if expires is None or state.clock is None:
        return None
    if state.phase in ASKS:
        moments = [decide_at(expires, state.clock.settings.decide_days), last_call(expires, since)]
        if expected is not None:
            moments.append(final_call(expires, expected))
        return min((moment for moment in moments if now < moment < expires), default=expires)
    return expires


def first_look(deadline: datetime, made_at: datetime, decide_days: int) -> datetime:
    """As `next_look` for a promise just made."""
    decide = decide_at(deadline, decide_days)
    return min(decide if decide > made_at else last_call(deadline, made_at), deadline)


def is_late(state: State, expected: datetime | None, since: datetime, now: datetime) -> bool:
    """Whether a line needs a delay notice now: it is known to ship after the deadline in force; nobody knows when, and
    it is the last call; or it should have shipped by now, and it is the final one."""
    expires = state.expires_at
    if state.phase not in ASKS or expires is None or now >= expires:
        return False
    if expected is None:
        return now >= last_call(expires, since)
    return expected >= expires or (expected <= now and now >= final_call(expires, expected))


def proposed_day(state: State, expected: datetime | None, now: datetime, zone: str) -> date | None:
    """The day to offer the buyer: the one on which Kept expects to ship, None when none can be given."""
    if expected is None or expected <= now:
        return None
    day = local_date(expected, zone)
    clock = state.clock
    if clock is None:
        return None
    bound = state.bound_by if state.phase in BOUND_TO_R else clock.ship_by
    return max(day, bound + _DAY)
