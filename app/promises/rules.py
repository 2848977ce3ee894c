"""The legal clock of a line under 16 CFR Part 435: is it covered, and by when must it ship or the buyer be
asked?

Section numbers are those of the regulation in force (435.1 definitions, 435.2 duties, 435.3 scope). Where the
text is silent the reading with the earlier deadline is taken; readings.py names each such reading. Days are
calendar days, day 0 is the day of the properly completed order, and no deadline rolls over a weekend or
holiday. This module helps a merchant keep the rule; it is no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from app import calendar
from app.promises.readings import DEFAULT, Settings

UNSTATED_DAYS = 30  # 435.2(a)(1)(ii)
CREDIT_DAYS = 50  # 435.2(a)(1)(ii), proviso: the buyer applied to the seller for credit
CONSENT_DAYS = 30  # 435.2(b)(1)(ii): a delay up to this long may be consented to by silence


# --- Is the line covered? (435.3(a)) ---


class Exemption(StrEnum):
    """Why a sale is outside the rule. There is no exemption for custom goods, pre-orders, businesses or
    exports."""

    IN_PERSON = "in_person"  # 435.1(a): not ordered by mail, Internet or telephone
    PAID_IN_STORE = "paid_in_store"  # reserved online, paid at the counter: nothing was tendered
    LATER_SERIAL_DELIVERY = "later_serial_delivery"  # 435.3(a)(1): after a first one that complied
    SEEDS_AND_PLANTS = "seeds_and_plants"  # 435.3(a)(2)
    CASH_ON_DELIVERY = "cash_on_delivery"  # 435.3(a)(3)
    NEGATIVE_OPTION = "negative_option"  # 435.3(a)(4): a prenotification plan under 16 CFR 425
    SERVICE = "service"  # not merchandise; photo-finishing included, printed gifts not
    BUSINESS_BUYER = "business_buyer"  # no exemption of the text: only by a setting that names counsel


@dataclass(frozen=True, slots=True)
class Coverage:
    covered: bool
    exemption: Exemption | None = None


def coverage(
    *,
    ordered_in_person: bool = False,
    cash_on_delivery: bool = False,
    exemption: Exemption | str | None = None,
    business_buyer: bool = False,
    settings: Settings = DEFAULT,
) -> Coverage:
    """Whether the rule covers a line, by how it was ordered and paid and by what its SKU declares.

    Every remote order is covered unless an exemption of 435.3(a) is named; the buyer may be a company. A
    self-service kiosk is no counter. Raises ValueError for an exemption that the rule does not know.
    """
    if ordered_in_person:
        return Coverage(False, Exemption.IN_PERSON)
    if cash_on_delivery:
        return Coverage(False, Exemption.CASH_ON_DELIVERY)
    if exemption:
        return Coverage(False, Exemption(exemption))
    if business_buyer and settings.business_buyers == "exempt":
        return Coverage(False, Exemption.BUSINESS_BUYER)
    return Coverage(True)


# --- The applicable time (435.2(a)(1)) ---


class Unit(StrEnum):
    HOURS = "hours"
    DAYS = "days"
    BUSINESS_DAYS = "business_days"
    WEEKS = "weeks"


@dataclass(frozen=True, slots=True)
class PromiseInput:
    """What the buyer was told, as data: one of a date to ship by, a time to ship within, a date to deliver
    by.

    Of a range take the bound that `Settings.range_end` names. `transit_days` (calendar days of the service)
    turns a delivery date into a shipping date. `not_before` is a later date the buyer asked for: a time
    `within` then counts from it, and alone it is the stated date. With none of these no time was stated.
    Raises ValueError when more than one is given or a time is not positive.
    """

    ship_by: date | None = None
    within: int | None = None
    unit: Unit = Unit.DAYS
    deliver_by: date | None = None
    transit_days: int = 0
    not_before: date | None = None

    def __post_init__(self) -> None:
        if sum(given is not None for given in (self.ship_by, self.within, self.deliver_by)) > 1:
            raise ValueError("a promise is one of ship_by, within and deliver_by")
        if (self.within is not None and self.within < 0) or self.transit_days < 0:
            raise ValueError("a promised time is not negative")

    @property
    def stated(self) -> bool:
        return any(
            given is not None for given in (self.ship_by, self.within, self.deliver_by, self.not_before)
        )


@dataclass(frozen=True, slots=True)
class Zones:
    """Whose midnights count: the seller's, and those where the buyer is or, unknown, may be."""

    seller: str
    buyer: tuple[str, ...] = ()

    def binding(self, settings: Settings = DEFAULT) -> tuple[str, ...]:
        """The zones among which the earliest midnight ends a day."""
        if settings.zone == "seller" or not self.buyer:
            return (self.seller,)
        return self.buyer if settings.zone == "buyer" else (*self.buyer, self.seller)

    def seller_day(self, instant: datetime) -> date:
        """The day of an event in the seller's zone, in which refunds are counted."""
        return calendar.local_date(instant, self.seller)


@dataclass(frozen=True, slots=True)
class Clock:
    """The applicable time T of one line or unit group.

    `ship_by` is T as a day and `deadline_at` the first instant (UTC) that is no longer in time: the end of
    that day in the earlier zone, or the very instant of a promise in hours. `express_by` is T + 30 days, the
    last day a longer delay can be consented to, and `express_at` its end. `strict_by` is earlier than
    `ship_by` only where a promise in business days runs over a Friday observed for a Saturday holiday.
    `conflicting`: several promises with different times were shown, which a merchant should mend.
    """

    pco: datetime
    day_zero: date
    ship_by: date
    deadline_at: datetime
    express_by: date
    express_at: datetime
    strict_by: date
    basis: Literal["stated", "30 days", "50 days"]
    zones: Zones
    conflicting: bool = False
    settings: Settings = DEFAULT

    @property
    def decide_on(self) -> date:
        """The day from which a person is asked to decide, well before the deadline."""
        return max(self.day_zero, self.strict_by - timedelta(days=self.settings.decide_days))

    def end_of(self, day: date) -> datetime:
        """First instant, in UTC, after `day` in the zone that binds."""
        return calendar.strict_deadline(day, self.zones.binding(self.settings))

    def moved_to(self, day: date) -> Clock:
        """The clock when the buyer asked for, or agreed to, another day to ship by: the new stated time."""
        express_by = day + timedelta(days=CONSENT_DAYS)
        return replace(
            self,
            ship_by=day,
            deadline_at=self.end_of(day),
            express_by=express_by,
            express_at=self.end_of(express_by),
            strict_by=day,
            basis="stated",
            conflicting=False,
        )


def clock(
    pco: datetime,
    buyer_zone: str | Sequence[str] | None,
    seller_zone: str,
    promise: PromiseInput | Sequence[PromiseInput] | None = None,
    *,
    credit_application: bool = False,
    credit_refused: bool = False,
    settings: Settings = DEFAULT,
) -> Clock:
    """The clock of a line whose order was properly completed at `pco` (435.1(c): payment and all information
    held).

    A stated time governs; of several the earliest. Without one it is 30 days, or 50 when the buyer applied to
    the seller for credit with the order (`credit_refused`: in vain, and paid otherwise since; the settings
    say which then). A stated date that lies before day 0 means day 0. `buyer_zone` may
    be several zones (an unknown one: those of the destination) or None. Raises ValueError for a `pco` without
    zone.
    """
    buyer = () if not buyer_zone else (buyer_zone,) if isinstance(buyer_zone, str) else tuple(buyer_zone)
    zones = Zones(seller_zone, buyer)
    binding = zones.binding(settings)
    day_zero = calendar.earliest_local_date(pco, binding)
    stated = [one for one in _as_list(promise) if one.stated]
    if not stated:
        on_credit = credit_application and not (credit_refused and settings.credit_refused_days == 30)
        stated = [PromiseInput(within=CREDIT_DAYS if on_credit else UNSTATED_DAYS)]
        basis: Literal["stated", "30 days", "50 days"] = "50 days" if on_credit else "30 days"
    else:
        basis = "stated"
    times = [_time(one, pco, day_zero, binding, settings) for one in stated]
    ship_by, deadline_at, strict_by = min(times, key=lambda time: (time[1], time[2]))
    express_by = ship_by + timedelta(days=CONSENT_DAYS)
    return Clock(
        pco=pco.astimezone(UTC),
        day_zero=day_zero,
        ship_by=ship_by,
        deadline_at=deadline_at,
        express_by=express_by,
        express_at=calendar.strict_deadline(express_by, binding),
        strict_by=strict_by,
        basis=basis,
        zones=zones,
        conflicting=len({time[1] for time in times}) > 1,
        settings=settings,
    )


def _as_list(promise: PromiseInput | Sequence[PromiseInput] | None) -> list[PromiseInput]:
    if promise is None:
        return []
    return [promise] if isinstance(promise, PromiseInput) else list(promise)


def _time(
    promise: PromiseInput, pco: datetime, day_zero: date, zones: Sequence[str], settings: Settings
) -> tuple[date, datetime, date]:
    """T of one promise: its day, the first instant after it, and the day on the strict calendar of working
    days."""
    later = promise.not_before is not None and promise.not_before > day_zero
    if promise.unit is Unit.HOURS and promise.within is not None and not later:
        instant = (pco + timedelta(hours=promise.within)).astimezone(UTC)
        day = calendar.earliest_local_date(instant, zones)
        return day, instant, day
    base = promise.not_before if later and promise.not_before else day_zero
    day, strict = _stated_day(promise, base, settings)
    day, strict = max(day, day_zero), max(strict, day_zero)
    return day, calendar.strict_deadline(day, zones), strict


def _stated_day(promise: PromiseInput, base: date, settings: Settings) -> tuple[date, date]:
    if promise.ship_by is not None:
        return promise.ship_by, promise.ship_by
    if promise.deliver_by is not None:
        day = promise.deliver_by - timedelta(days=promise.transit_days)
        return day, day
    count = promise.within or 0
    if promise.unit is Unit.BUSINESS_DAYS:
        strict = calendar.add_working_days(base, count, strict=True)
        return (calendar.add_working_days(base, count) if settings.observed_fridays else strict), strict
    if promise.unit is Unit.HOURS:
        day = base + timedelta(hours=count)  # whole days of a date: hours counted from a day round down
        return day, day
    day = base + timedelta(weeks=count) if promise.unit is Unit.WEEKS else base + timedelta(days=count)
    return day, day


# --- Faults of a promise that a merchant should mend ---


class PromiseFault(StrEnum):
    CONFLICTING = "conflicting_promises"  # two places say two things: the earliest binds
    CHARGED_PREORDER_WITHOUT_DATE = "charged_preorder_without_date"  # must be refused


def promise_faults(
    promises: Sequence[PromiseInput], clock: Clock, *, preorder: bool = False, charged: bool = False
) -> tuple[PromiseFault, ...]:
    """What is wrong with what was shown. `charged`: money is taken with the order, before the goods exist.

    A pre-order that is charged and states no time would have to ship in thirty days: it is to be refused,
    with the remedy to state a date or to charge at shipment. Refused only where intake calls this.
    """
    faults = []
    if clock.conflicting:
        faults.append(PromiseFault.CONFLICTING)
    if preorder and charged and not any(one.stated for one in promises):
        faults.append(PromiseFault.CHARGED_PREORDER_WITHOUT_DATE)
    return tuple(faults)


# --- What is a shipment (435.1(e)) ---


class Way(StrEnum):
    """How goods are to reach the buyer."""

    CARRIER = "carrier"
    STORE_PICKUP = "store_pickup"
    SHIP_TO_STORE = "ship_to_store"
    DIGITAL = "digital"


class HandOver(StrEnum):
    """What was seen of the goods."""

    CARRIER_SCAN = "carrier_scan"  # first physical scan
    CARRIER_PICKUP = "carrier_pickup"  # signed for by the carrier
    READY_FOR_PICKUP = "ready_for_pickup"  # and the buyer told
    DIGITAL_DELIVERY = "digital_delivery"
    WITH_BUYER = "with_buyer"
    OWN_FLEET = "own_fleet"  # between the seller's own places
    LABEL = "label"
    MANIFEST = "manifest"
    PACKED = "packed"
    MARKED_SHIPPED = "marked_shipped"


_BY_CARRIER = frozenset({HandOver.CARRIER_SCAN, HandOver.CARRIER_PICKUP, HandOver.WITH_BUYER})
_SHIPMENT: dict[Way, frozenset[HandOver]] = {
    Way.CARRIER: _BY_CARRIER,
    Way.STORE_PICKUP: frozenset({HandOver.READY_FOR_PICKUP, HandOver.WITH_BUYER}),
    Way.SHIP_TO_STORE: _BY_CARRIER | {HandOver.READY_FOR_PICKUP},
    Way.DIGITAL: frozenset({HandOver.DIGITAL_DELIVERY, HandOver.WITH_BUYER}),
}


def is_shipment(seen: HandOver, way: Way = Way.CARRIER) -> bool:
    """Whether that is a shipment: the carrier physically has the goods, or what stands in its place where
    there is no carrier. A label, a manifest or a mark never is."""
    return seen in _SHIPMENT[way]


def kit_shipped_at(components: Iterable[str], shipped: Mapping[str, datetime]) -> datetime | None:
    """When a kit shipped: with the last of its components; None while one is missing."""
    times = [shipped.get(one) for one in components]
    return None if None in times or not times else max(time for time in times if time)
