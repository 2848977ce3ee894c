"""Under which laws a line is sold, and the clocks that follow: values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.calendar import add_working_days, subtract_working_days
from app.intake.rules import SkuFacts
from app.network.places import destination_zones
from app.promises.laws import Laws, governing
from app.promises.readings import Settings
from app.promises.regimes import DELIVERY_LAWS, Delivery, Regime, california_clock, delivery
from app.promises.rules import (
    Clock,
    PromiseFault,
    PromiseInput,
    Unit,
    clock,
    coverage,
    promise_faults,
)
from infra.errors import invalid

NOT_GOODS = frozenset({"digital", "gift_card_digital"})
"""Kinds that the laws of delivery say nothing of: they are about goods."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The laws of one line, the federal rule first, and its clocks. `clock` is by when it must ship: by the federal
    rule where it covers the line, else so that it arrives in time. `delivery` is None where no law of delivery
    governs. `transit_days` are working days under way, where a clock was reckoned with them."""

    regimes: tuple[Regime, ...]
    covered: bool
    clock: Clock
    delivery: Delivery | None
    transit_days: int | None


@dataclass(frozen=True, slots=True)
class Sale:
    """What an order says that its lines have in common. `in_person`: at a counter; `charged`: paid with the order."""

    channel: str
    placed_at: datetime
    seller_zone: str
    business: bool = False
    in_person: bool = False
    charged: bool = False


def zones_of(goes_to: Mapping[str, Any]) -> tuple[str, ...]:
    """The zones whose midnight may bind at an address."""
    return destination_zones(goes_to["country"], goes_to.get("region"), goes_to.get("postal_code"))


def terms(
    sale: Sale,
    sku: SkuFacts,
    shown: Mapping[str, Any] | None,
    goes_to: Mapping[str, Any],
    zones: tuple[str, ...],
    under_way: Callable[[], int],
    readings: Settings,
    laws: Laws,
) -> Terms:
    """The terms of a line. `shown`: what the buyer was told; `zones`: the buyer's; `under_way`: gives the working days
    of a parcel on its way, and is asked only where a day of delivery counts."""
    regimes = governing(laws, sale.channel, goes_to, business=sale.business)
    if sku.kind in NOT_GOODS:
        regimes = tuple(one for one in regimes if one not in DELIVERY_LAWS)
    covered = Regime.US_FEDERAL in regimes and _coverage(sale, sku, readings)
    by_delivery = bool(DELIVERY_LAWS & set(regimes))
    transit_days = under_way() if by_delivery or (shown and shown.get("deliver_by")) else None
    told = promise_input(shown, transit_days)
    made = clock(sale.placed_at, zones, sale.seller_zone, told, settings=readings)
    to_deliver = None
    if by_delivery and transit_days is not None:
        to_deliver = _delivery(sale.placed_at, made, told, shown or {}, transit_days)
        if not covered and (told is None or not told.stated):
            by = PromiseInput(ship_by=subtract_working_days(to_deliver.deliver_by, transit_days))
            made = clock(sale.placed_at, zones, sale.seller_zone, by, settings=readings)
    if covered and Regime.US_CALIFORNIA in regimes:
        made = california_clock(made, sale.placed_at, [told] if told else [], readings)
    return Terms(regimes, covered, made, to_deliver, transit_days)


def _coverage(sale: Sale, sku: SkuFacts, readings: Settings) -> bool:
    return coverage(
        ordered_in_person=sale.in_person,
        exemption=sku.attributes.get("exemption") or ("seeds_and_plants" if sku.exempt else None),
        business_buyer=sale.business,
        settings=readings,
    ).covered


def _delivery(
    placed_at: datetime, made: Clock, told: PromiseInput | None, shown: Mapping[str, Any], transit_days: int
) -> Delivery:
    """Until when it must be delivered: on the day told; where a day of shipping was told, so many working days after
    it; else by the law's own thirty days."""
    agreed = None
    if told is not None and told.stated:
        agreed = told.deliver_by or add_working_days(made.ship_by, transit_days)
    return delivery(placed_at, made.zones, agreed=agreed, essential=bool(shown.get("essential")))


def check_preorder(
    terms: Terms, sale: Sale, sku: SkuFacts, shown: Mapping[str, Any] | None, path: str
) -> None:
    """Raises Problem 422 for a pre-order that is paid for now and says not when it ships: it would have to in thirty
    days."""
    told = promise_input(shown, terms.transit_days)
    released = date.fromisoformat(sku.release_date) if sku.release_date else None
    out = released is not None and released <= terms.clock.day_zero
    preorder = not out and bool(sku.kind == "preorder" or sku.attributes.get("preorder") or released)
    faults = promise_faults([told] if told else [], terms.clock, preorder=preorder, charged=sale.charged)
    if (terms.covered or terms.delivery) and PromiseFault.CHARGED_PREORDER_WITHOUT_DATE in faults:
        raise invalid(
            path,
            f"{sku.code} is a pre-order that is paid for now: state the day it ships, or charge at shipment.",
        )


def check_day(terms: Terms, shown: Mapping[str, Any], path: str) -> None:
    """Raises Problem 422 for a stated day before the order's own, on which nothing could have left. The day before is
    let be: where the seller is it may still be that day. `path`: of the promise in the request."""
    for name in ("ship_by", "deliver_by"):
        if shown.get(name) and shown[name] < terms.clock.day_zero - timedelta(days=1):
            raise invalid(
                f"{path}/{name}",
                f"{shown[name]} is before the day of the order, {terms.clock.day_zero}. State that day or a later one.",
            )


def promise_input(given: Mapping[str, Any] | None, transit_days: int | None) -> PromiseInput | None:
    """What the buyer was shown, as the rule reads it. `transit_days`: working days under way, by which a day of
    delivery becomes one of shipping."""
    if not given:
        return None
    within, deliver_by = given.get("within"), given.get("deliver_by")
    under_way = (
        deliver_by - subtract_working_days(deliver_by, transit_days or 0) if deliver_by else timedelta()
    )
    return PromiseInput(
        ship_by=given.get("ship_by"),
        within=within["value"] if within else None,
        unit=Unit(within["unit"]) if within else Unit.DAYS,
        deliver_by=deliver_by,
        transit_days=under_way.days,
    )
