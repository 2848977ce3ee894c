"""Which law governs a delay, and the delivery clocks of California, the European Union and the United Kingdom.

The federal rule is rules.py and states.py. California's Business and Professions Code 17538 asks for the same
things, some of them sooner: of each date the earlier holds. Directive 2011/83/EU, Article 18, and the Consumer
Rights Act 2015, section 28, are about delivery, not shipment, and know neither notice nor consent by silence:
past the date the consumer grants a further time, and after it may end the contract; at once where the trader
refused or the date was essential. Pure; no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from app import calendar
from app.promises.readings import DEFAULT, Settings
from app.promises.rules import Clock, PromiseInput, Zones, clock


class Regime(StrEnum):
    US_FEDERAL = "us_federal"  # 16 CFR Part 435
    US_CALIFORNIA = "us_california"  # Bus. & Prof. Code 17538, on top of the federal rule
    EU = "eu"  # Directive 2011/83/EU, Art. 18
    UK = "uk"  # Consumer Rights Act 2015, s. 28


DELIVERY_LAWS = frozenset({Regime.EU, Regime.UK})
"""Laws about delivery to a consumer. The others are about shipment."""
IN_WORDS = {
    Regime.US_FEDERAL: "Mail, Internet, or Telephone Order Merchandise Rule, 16 CFR Part 435",
    Regime.US_CALIFORNIA: "California Business and Professions Code, section 17538",
    Regime.EU: "Directive 2011/83/EU, Article 18",
    Regime.UK: "Consumer Rights Act 2015, section 28",
}

_UNITED_STATES = frozenset({"US", "USA", "AS", "GU", "MP", "PR", "VI"})
_EUROPE = frozenset(  # the Union and, by the EEA agreement, Iceland, Liechtenstein and Norway
    {"AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT"}
    | {"LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO"}
)
_KINGDOM = frozenset({"GB", "UK"})


def regime_of(
    seller_country: str, ship_to_country: str, ship_to_region: str | None = None, consumer: bool = True
) -> tuple[Regime, ...]:
    """Every law that governs the order, the federal rule first; () when none of these does.

    The federal rule holds for a seller in the United States wherever the goods go, for any seller to a buyer
    there, and for businesses too. California's law follows a buyer there, a delivery clock a consumer.
    """
    seller, buyer = seller_country.strip().upper(), ship_to_country.strip().upper()
    region = (ship_to_region or "").strip().upper().removeprefix("US-")
    found = []
    if seller in _UNITED_STATES or buyer in _UNITED_STATES:
        found.append(Regime.US_FEDERAL)
    if buyer in ("US", "USA") and region in ("CA", "CALIFORNIA"):
        found.append(Regime.US_CALIFORNIA)
    if consumer and buyer in _EUROPE:
        found.append(Regime.EU)
    if consumer and buyer in _KINGDOM:
        found.append(Regime.UK)
    return tuple(found)


# --- California, on top of the federal rule ---

CALIFORNIA_DAYS = 30
CALIFORNIA_REFUND_DAYS = 7


def california_clock(
    federal: Clock, paid_at: datetime, promises: Iterable[PromiseInput], settings: Settings = DEFAULT
) -> Clock:
    """The stricter of the federal clock and California's: thirty days after a payment was accepted, even while the
    order lacked something, unless a time was stated; an application for credit gives no fifty days."""
    zones = federal.zones
    own = clock(paid_at, zones.buyer, zones.seller, list(promises), settings=settings)
    return min(federal, own, key=lambda one: one.deadline_at)


def california_latest(federal: date, vests_on: date) -> date:
    """The stricter last day of a refund: California's is within one week after the buyer declined to wait. We
    take the week for every case, and for a merchant's own credit."""
    return min(federal, vests_on + timedelta(days=CALIFORNIA_REFUND_DAYS))


# --- Delivery clocks: European Union, United Kingdom ---

DELIVERY_DAYS = 30


class DeliveryPhase(StrEnum):
    DUE = "due"  # the time for delivery runs
    LATE = "late"  # it is over: the consumer may grant a further time
    EXTENDED = "extended"  # the further time runs
    TERMINABLE = "terminable"  # the consumer may end the contract
    DELIVERED = "delivered"
    ENDED = "ended"  # by the consumer: everything paid goes back without undue delay


@dataclass(frozen=True, slots=True)
class Delivered:
    """The consumer, or whom they named other than the carrier, has the goods."""

    at: datetime


@dataclass(frozen=True, slots=True)
class PeriodGranted:
    """The consumer gave the trader until the end of a day."""

    at: datetime
    until: date


@dataclass(frozen=True, slots=True)
class DeliveryRefused:
    """The trader said that it will not deliver."""

    at: datetime


@dataclass(frozen=True, slots=True)
class EndedByConsumer:
    """The consumer's word that the contract is at an end was received."""

    at: datetime


DeliveryEvent = Delivered | PeriodGranted | DeliveryRefused | EndedByConsumer


@dataclass(frozen=True, slots=True)
class Delivery:
    """A contract under a delivery clock. `deliver_by` is the last day and `deadline_at` the first instant after
    it; `essential`: the date is essential by the circumstances, or the consumer said so before the contract.
    `may_end_at`: since when the consumer may end it, as far as is known."""

    deliver_by: date
    deadline_at: datetime
    zones: Zones
    essential: bool = False
    extended_until: date | None = None
    refused_at: datetime | None = None
    delivered_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def may_end_at(self) -> datetime | None:
        if self.refused_at is not None:
            return self.refused_at
        if self.essential:
            return self.deadline_at
        return None if self.extended_until is None else self._end_of(self.extended_until)

    def phase(self, now: datetime) -> DeliveryPhase:
        """Where the contract stands at `now`."""
        if self.ended_at is not None:
            return DeliveryPhase.ENDED
        if self.delivered_at is not None and self.delivered_at <= now:
            return DeliveryPhase.DELIVERED
        if self.may_end_at is not None and now >= self.may_end_at:
            return DeliveryPhase.TERMINABLE
        if now < self.deadline_at:
            return DeliveryPhase.DUE
        return DeliveryPhase.LATE if self.extended_until is None else DeliveryPhase.EXTENDED

    def _end_of(self, day: date) -> datetime:
        return calendar.strict_deadline(day, self.zones.binding())


def delivery(
    contract_at: datetime,
    zones: Zones,
    *,
    agreed: date | None = None,
    essential: bool = False,
) -> Delivery:
    """The delivery clock of a contract made then: the day agreed, else the thirtieth after it. It does not roll
    over weekends or holidays; the earlier midnight of buyer and seller ends a day."""
    binding = zones.binding()
    last = agreed or calendar.earliest_local_date(contract_at, binding) + timedelta(days=DELIVERY_DAYS)
    return Delivery(last, calendar.strict_deadline(last, binding), zones, essential)


def deliver(state: Delivery, event: DeliveryEvent) -> Delivery:
    """Apply one event; what has no place changes nothing: a further time before the first is over, an end to
    which the consumer has no right yet (their right to withdraw is another matter), anything after delivery."""
    phase = state.phase(event.at)
    if phase in (DeliveryPhase.DELIVERED, DeliveryPhase.ENDED):
        return state
    if isinstance(event, Delivered):
        return replace(state, delivered_at=event.at)
    if isinstance(event, DeliveryRefused):
        return state if state.refused_at else replace(state, refused_at=event.at)
    if isinstance(event, PeriodGranted):
        return replace(state, extended_until=event.until) if phase is DeliveryPhase.LATE else state
    return replace(state, ended_at=event.at) if phase is DeliveryPhase.TERMINABLE else state


DELIVERY_REFUND_DAYS = 14
"""Our own last day for "without undue delay", in calendar days: what both legislators allow at most where they name a
day for giving money back to a consumer (Directive 2011/83/EU, Art. 13(1); Consumer Rights Act 2015, s. 20(15))."""


def delivery_refund_latest(ended_on: date) -> date:
    """The day after which money that went back would be late by our own reading; earlier by `delivery_refund_target`
    if all goes well."""
    return ended_on + timedelta(days=DELIVERY_REFUND_DAYS)


def delivery_refund_target(ended_on: date, settings: Settings = DEFAULT) -> date:
    """Both laws say "without undue delay" and name no day: our own aim, in days from Monday to Friday."""
    day, left = ended_on, settings.refund_target_days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day
