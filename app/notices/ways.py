"""By which way a message goes, when, and when the next one is taken. Pure: instants are UTC, hours the buyer's.

A message has ways in the tenant's order. Each is tried until it accepts, refuses for good, or its time is over; then
the next one is taken. A deadline (`send_by`) is kept above all: quiet hours give way, and a way that does not answer is
left while there is still time for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from app.calendar import zone

COURTESY = frozenset({"received", "shipped", "undelivered"})
"""Messages nobody is owed."""
DEFAULT_CHANNELS = ("email", "sms")
DEFAULT_QUIET = (21, 8)
PATIENCE = timedelta(hours=4)
"""How long a way may fail for now before the next one is taken."""
LAST_PATIENCE = timedelta(days=3)
"""How long the last way may, where there is no deadline."""
POST_PATIENCE = timedelta(days=30)
"""How long a letter may lie in the print queue."""
MARGIN = timedelta(minutes=30)
"""What is left before a deadline for the ways that remain."""
POST_LEAD = timedelta(days=1)
"""Less time than this before a deadline, and a person can no longer be relied on to mail a letter."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
OVER = frozenset({"refused", "bounced", "given_up"})
TAKEN = frozenset({"accepted", "delivered"})


@dataclass(frozen=True, slots=True)
class Way:
    """A channel with the address it leads to."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A way that was taken: its number, since when, and everything learned of it."""

    number: int
    way: Way
    begun_at: datetime
    states: frozenset[str]

    @property
    def is_over(self) -> bool:
        """Whether this way leads nowhere."""
        return bool(self.states & OVER)


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which texts wait, and courtesy messages too when `courtesy`. Equal hours: none."""

    begins: int
    ends: int
    courtesy: bool
    zone: str

    def over(self, now: datetime) -> datetime:
        """The first instant from `now` on that is not quiet."""
        local = now.astimezone(zone(self.zone))
        if not self._holds(local.hour):
            return now
        end = local.replace(hour=self.ends, minute=0, second=0, microsecond=0, fold=0)
        if end <= local:
            end = datetime.combine(local.date() + timedelta(days=1), time(self.ends), local.tzinfo)
        return end.astimezone(now.tzinfo)

    def _holds(self, hour: int) -> bool:
        if self.begins <= self.ends:
            return self.begins <= hour < self.ends
        return hour >= self.begins or hour < self.ends


@dataclass(frozen=True, slots=True)
class Take:
    """Take this way now (again, when the attempt has begun already)."""

    number: int
    way: Way


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done before this instant."""

    until: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """This attempt's time is over: decide again without it."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Exhausted:
    """No way is left, or it is too late for any."""

    reason: str


Step = Take | Wait | GiveUp | Exhausted


def channels_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """A tenant's channels in order (settings `notices.channels`)."""
    return tuple(settings.get("channels") or DEFAULT_CHANNELS)


def quiet_of(settings: Mapping[str, Any], buyer_zone: str) -> Quiet:
    """A tenant's quiet hours (settings `notices.quiet` {begins, ends, courtesy}) in the buyer's zone."""
    given = settings.get("quiet") or {}
    begins, ends = given.get("begins", DEFAULT_QUIET[0]), given.get("ends", DEFAULT_QUIET[1])
    return Quiet(begins, ends, bool(given.get("courtesy")), buyer_zone)


def ways(channels: Sequence[str], addresses: Mapping[str, str], chosen: str = "") -> list[Way]:
    """The ways there are: the buyer's choice first, then the tenant's order. A channel without an address is none."""
    ordered = sorted(channels, key=lambda channel: channel != chosen)
    return [Way(channel, addresses[channel]) for channel in ordered if addresses.get(channel)]


def decide(
    now: datetime,
    found: Sequence[Way],
    attempts: Sequence[Attempt],
    quiet: Quiet,
    *,
    send_by: datetime | None,
    courtesy: bool,
) -> Step:
    """What to do with a message that has not left."""
    if send_by is not None and now >= send_by:
        return Exhausted("Its time was over before any way had taken it.")
    open_ = next((one for one in attempts if not one.is_over), None)
    tried = {one.way for one in attempts}
    left = [way for way in found if way not in tried]
    if open_ is not None:
        return _go_on(now, open_, left, quiet, send_by, courtesy)
    if not left:
        return Exhausted("No way leads to the buyer.")
    way = _first(now, left, send_by)
    until = _quiet_until(now, way, quiet, send_by, courtesy)
    return Wait(until) if until > now else Take(len(attempts) + 1, way)


def _go_on(
    now: datetime,
    attempt: Attempt,
    left: Sequence[Way],
    quiet: Quiet,
    send_by: datetime | None,
    courtesy: bool,
) -> Step:
    ends = gives_up_at(attempt, bool(left), send_by)
    if now >= ends:
        return GiveUp(attempt)
    if attempt.way.channel == "post":
        return Wait(ends)
    until = _quiet_until(now, attempt.way, quiet, send_by, courtesy)
    return Wait(until) if until > now else Take(attempt.number, attempt.way)


def _first(now: datetime, left: Sequence[Way], send_by: datetime | None) -> Way:
    """The first way, but no letter on paper that nobody can mail in time while there is another."""
    if send_by is not None and send_by - now < POST_LEAD:
        return next((way for way in left if way.channel != "post"), left[0])
    return left[0]


def _quiet_until(now: datetime, way: Way, quiet: Quiet, send_by: datetime | None, courtesy: bool) -> datetime:
    if way.channel not in ("email", "sms") or not (way.channel == "sms" or (courtesy and quiet.courtesy)):
        return now
    until = quiet.over(now)
    return now if send_by is not None and until >= send_by - MARGIN else until


def gives_up_at(attempt: Attempt, has_others: bool, send_by: datetime | None) -> datetime:
    """When a way that has not answered is left. A letter waits for a person as long as it may."""
    if attempt.way.channel == "post":
        patience = attempt.begun_at + POST_PATIENCE
    else:
        patience = attempt.begun_at + (PATIENCE if has_others else LAST_PATIENCE)
    if send_by is None:
        return patience
    return min(patience, send_by - MARGIN) if has_others else send_by


def tries_again_at(now: datetime, attempt: Attempt, has_others: bool, send_by: datetime | None) -> datetime:
    """When to try a way again that failed for now: after a pause that doubles, and once more at the end of its time."""
    pause = min(max(FIRST_PAUSE, now - attempt.begun_at), LONGEST_PAUSE)
    return min(now + pause, max(now, gives_up_at(attempt, has_others, send_by)))
