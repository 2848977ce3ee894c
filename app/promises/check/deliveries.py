"""The clock of delivery of a scenario's line (European Union, United Kingdom). Pure."""

from __future__ import annotations

from datetime import date, timedelta

from app.promises.check.events import Happening
from app.promises.check.scenarios import Scenario, ScenarioLine
from app.promises.regimes import (
    DELIVERY_LAWS,
    Delivered,
    Delivery,
    DeliveryRefused,
    EndedByConsumer,
    PeriodGranted,
    deliver,
    delivery,
)
from app.promises.rules import clock


def delivery_of(scenario: Scenario, line: ScenarioLine) -> Delivery | None:
    """The line's clock of delivery when it was ordered; None where no such law governs."""
    if not DELIVERY_LAWS & set(scenario.regimes):
        return None
    agreed = _agreed(scenario, line)
    return delivery(scenario.ordered, scenario.zones, agreed=agreed, essential=scenario.essential)


def _agreed(scenario: Scenario, line: ScenarioLine) -> date | None:
    """The day agreed for delivery: of several the earliest; a time to ship within, plus the days under way."""
    days = []
    for promise in line.promises:
        if promise.deliver_by is not None:
            days.append(promise.deliver_by)
        else:
            told = clock(scenario.ordered, scenario.zones.buyer, scenario.zones.seller, promise)
            days.append(told.ship_by + timedelta(days=promise.transit_days))
    return min(days, default=None)


def after(state: Delivery | None, event: Happening) -> Delivery | None:
    """The clock after an event of the line; what has no place changes nothing."""
    if state is None:
        return None
    match event.verb:
        case "delivered":
            return deliver(state, Delivered(event.at))
        case "period_granted":
            return deliver(state, PeriodGranted(event.at, event.get("until")))
        case "delivery_refused" | "will_not_ship":
            return deliver(state, DeliveryRefused(event.at))
        case "ended_by_consumer" | "cancel":
            return deliver(state, EndedByConsumer(event.at))
    return state
