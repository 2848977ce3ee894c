"""The clocks of delivery of one order (European Union, United Kingdom): what was said of it by carrier, buyer and
seller, and where each contract stands.

A contract is folded from its events like a line under the delay rule, by the machine of regimes.py. Time only changes
what the buyer may do: nothing here cancels by silence. What it means that the buyer ends the contract is done in
app/cancellation/lapses.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from app import events
from app.calendar import day_in_words, earliest_local_date, strict_deadline, subtract_working_days
from app.network.places import destination_zones
from app.notices import letters
from app.notices.facts import Item
from app.promises import records, watch
from app.promises.readings import from_settings
from app.promises.regimes import (
    Delivered,
    Delivery,
    DeliveryEvent,
    DeliveryPhase,
    DeliveryRefused,
    EndedByConsumer,
    PeriodGranted,
    deliver,
)
from app.promises.rules import Zones
from app.promises.timing import decide_at
from infra.errors import Problem, invalid, not_found, refused
from tenants.scope import Scope

LINES = """
SELECT l.id, l.sku, l.title, l.ordered, l.cancelled, l.shipped, l.allocated + l.backordered AS open_units,
    p.made_at, p.evidence, p.state AS promise, p.deadline, p.expected_ship_at, p.delivery_state, p.regimes,
    coalesce(l.ship_to, o.ship_to) AS ship_to
FROM promises p JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id
JOIN orders o ON o.tenant_id = :tenant AND o.id = p.order_id
WHERE p.tenant_id = :tenant AND p.order_id = :order AND p.delivery_state IS NOT NULL ORDER BY l.position
"""
RECORDS = """
SELECT order_line_id, kind, at, data FROM promise_events
WHERE tenant_id = :tenant AND order_id = :order AND kind = ANY(:kinds) ORDER BY at, id
"""
COUNT = """
UPDATE order_lines SET delivered = shipped WHERE tenant_id = :tenant AND id = ANY(:lines)
"""
RECORDED: dict[str, Callable[[Any], DeliveryEvent]] = {
    "delivered": lambda record: Delivered(record.at),
    "period_granted": lambda record: PeriodGranted(record.at, date.fromisoformat(record.data["until"])),
    "delivery_refused": lambda record: DeliveryRefused(record.at),
    "ended_by_buyer": lambda record: EndedByConsumer(record.at),
}
"""Recorded events that the machine of delivery knows."""
TOLD = {
    "delivered": events.DELIVERED,
    "period_granted": events.DELIVERY_EXTENDED,
    "delivery_refused": events.DELIVERY_REFUSED,
    "ended_by_buyer": events.CONTRACT_ENDED,
}
OVER = frozenset({DeliveryPhase.DELIVERED, DeliveryPhase.ENDED})
FURTHEST_DAYS = 366
"""A further time longer than this is taken for a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One line under a law of delivery."""

    line: Any
    state: Delivery

    @property
    def is_void(self) -> bool:
        """Whether all of it was canceled otherwise, so that nothing is left to be delivered."""
        return bool(self.line.cancelled == self.line.ordered and self.state.ended_at is None)

    @property
    def transit_days(self) -> int:
        """Working days under way, as the clock was reckoned with."""
        return int(self.line.evidence["transit_days"])


def contracts(scope: Scope, order_id: UUID) -> list[Contract]:
    """Every line of the order under a law of delivery, in order. One statement where there is none, else two."""
    lines = scope.rows(LINES, order=order_id)
    if not lines:
        return []
    said = scope.rows(RECORDS, order=order_id, kinds=list(RECORDED))
    return [_contract(scope, line, [one for one in said if one.order_line_id == line.id]) for line in lines]


def _contract(scope: Scope, line: Any, said: list[Any]) -> Contract:
    first, goes_to = line.evidence["delivery"], line.ship_to
    buyer = destination_zones(
        goes_to.get("country") or "US", goes_to.get("region"), goes_to.get("postal_code")
    )
    state = Delivery(
        date.fromisoformat(first["deliver_by"]),
        datetime.fromisoformat(first["deadline"]),
        Zones(scope.tenant.timezone, tuple(buyer)),
        essential=bool(first["essential"]),
    )
    for one in said:
        state = deliver(state, RECORDED[one.kind](one))
    return Contract(line, state)


# ---- what is said


def say(
    scope: Scope,
    order_id: UUID,
    kind: str,
    line_ids: Collection[UUID] | None,
    evidence: Mapping[str, Any],
    *,
    at: datetime | None = None,
    until: date | None = None,
) -> list[UUID]:
    """Record `delivered`, `period_granted` (until the end of a day), `delivery_refused` (by the seller) or
    `ended_by_buyer` of these lines (None: all to which it can apply), at `at` (UTC), else now. Said again, it is
    nothing. Returns the lines for which it was new.

    Raises Problem 404; 409 `no-delivery-law`, `not-late`, `may-end`, `may-not-end`, `not-shipped`, `delivery-over`,
    `period-runs`; 422 at /until, /at.
    """
    _lock(scope, order_id)
    now = scope.now()
    at, chosen = at or now, _chosen(scope, order_id, line_ids)
    if at > now or any(at < one.line.made_at for one in chosen):
        raise invalid("/at", "Give a time after the order, and not in the future.")
    data = {**evidence, **({"until": until} if until is not None else {})}
    event = _event(kind, at, until, chosen[0].state.zones)
    refusals = {one.line.id: _refusal(one, event) for one in chosen}
    wanted = [one for one in chosen if refusals[one.line.id] is None]
    if not wanted:
        raise next(iter(refusals.values())) or refused("delivery-over", "Nothing of it is open.")
    if line_ids is not None and len(wanted) < len(chosen):
        raise next(problem for problem in refusals.values() if problem is not None)
    new = records.note(
        scope,
        order_id,
        kind,
        at,
        {one.line.id: data for one in wanted if deliver(one.state, event) != one.state},
        key=str(until or kind),
    )
    if new:
        said = ", ".join(one.line.title for one in wanted if one.line.id in new)
        if until is not None:
            said += f", until {day_in_words(until)}"
        events.tell(scope, order_id, TOLD[kind], reason=said)
    if kind == "delivered":
        scope.execute(COUNT, lines=new)
    if kind == "delivery_refused":
        alone = [one for one in wanted if one.line.id in new and one.line.promise == "delivery"]
        _write(scope, order_id, alone, now, refused=True)  # of others the delay rule's letter tells
    stand(scope, order_id)
    return new


def _lock(scope: Scope, order_id: UUID) -> None:
    found = scope.row("SELECT id FROM orders WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=order_id)
    if found is None:
        raise not_found("order")


def _chosen(scope: Scope, order_id: UUID, line_ids: Collection[UUID] | None) -> list[Contract]:
    every = contracts(scope, order_id)
    if not every:
        raise refused(
            "no-delivery-law",
            "No line of this order is under a law of delivery: the delay rule's answers apply.",
        )
    if line_ids is None:
        return every
    if not set(line_ids) <= {one.line.id for one in every}:
        raise not_found("line under a law of delivery")
    return [one for one in every if one.line.id in line_ids]


EVENTS: dict[str, Callable[[datetime], DeliveryEvent]] = {
    "delivered": Delivered,
    "delivery_refused": DeliveryRefused,
    "ended_by_buyer": EndedByConsumer,
}


def _event(kind: str, at: datetime, until: date | None, zones: Zones) -> DeliveryEvent:
    if kind != "period_granted":
        return EVENTS[kind](at)
    said_on = earliest_local_date(at, zones.buyer or (zones.seller,))
    if until is None or not 0 < (until - said_on).days <= FURTHEST_DAYS:
        raise invalid("/until", "Give the last day of the further time: after today, within a year.")
    return PeriodGranted(at, until)


def _refusal(one: Contract, event: DeliveryEvent) -> Problem | None:
    """Why the event has no place; None where it has, or was said before."""
    phase, title = one.state.phase(event.at), one.line.title
    if isinstance(event, Delivered):
        if phase is DeliveryPhase.ENDED:
            return refused("delivery-over", f"The buyer has ended the contract about {title}.")
        if one.line.open_units or not one.line.shipped:
            return refused("not-shipped", f"{title} has not left as a whole yet.")
        return None
    if one.is_void or (phase in OVER and not isinstance(event, EndedByConsumer)):
        return refused("delivery-over", f"{title} is delivered, or the contract about it is over.")
    by = day_in_words(one.state.extended_until or one.state.deliver_by)
    if isinstance(event, PeriodGranted):
        if phase is DeliveryPhase.DUE:
            return refused("not-late", f"The time to deliver {title} is not over: it ends with {by}.")
        if phase is DeliveryPhase.TERMINABLE:
            return refused("may-end", f"The buyer may end the contract about {title} now.")
        if phase is DeliveryPhase.EXTENDED and event.until != one.state.extended_until:
            return refused("period-runs", f"A further time for {title} runs already, until {by}.")
    if isinstance(event, EndedByConsumer) and phase not in (DeliveryPhase.TERMINABLE, DeliveryPhase.ENDED):
        if phase is DeliveryPhase.DELIVERED:
            return refused("delivery-over", f"{title} is delivered. It can be sent back.")
        first = "" if phase is not DeliveryPhase.LATE else " Give the shop a further time first."
        return refused(
            "may-not-end", f"The contract about {title} cannot be ended yet: its time ends with {by}.{first}"
        )
    return None


# ---- time


def look(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Time has passed: alarm where it may not arrive in time, and tell when it is late or the buyer may end it."""
    now, missed = scope.now(), []
    for one in contracts(scope, order_id):
        if one.is_void:
            continue
        phase = one.state.phase(now)
        if phase in (DeliveryPhase.DUE, DeliveryPhase.EXTENDED):
            _alarm(scope, order_id, one, now)
        if phase in MISSED and phase.value != one.line.delivery_state:
            events.tell(
                scope, order_id, MISSED[phase], line=one.line.id, sku=one.line.sku, reason=one.line.title
            )
            missed.append(one)
    _write(scope, order_id, missed, now)
    stand(scope, order_id)


MISSED = {
    DeliveryPhase.LATE: events.DELIVERY_LATE,
    DeliveryPhase.TERMINABLE: events.CONTRACT_TERMINABLE,
}


def _write(
    scope: Scope, order_id: UUID, missed: Collection[Contract], now: datetime, *, refused: bool = False
) -> None:
    """Tell the buyer of what has not left. Of what has, only the carrier knows whether it is there."""
    groups: dict[tuple[date, bool], dict[UUID, Item]] = {}
    for one in missed:
        if one.line.open_units:
            due = one.state.extended_until or one.state.deliver_by
            may_end = refused or one.state.phase(now) is DeliveryPhase.TERMINABLE
            item = Item(one.line.title, one.line.open_units)
            groups.setdefault((due, may_end), {})[one.line.id] = item
    for (due, may_end), items in groups.items():
        letters.undelivered(scope, order_id, items, due, may_end=may_end, refused=refused)


def _alarm(scope: Scope, order_id: UUID, one: Contract, now: datetime) -> None:
    """Where no other clock does: once for each day by which it must leave to arrive in time."""
    line, days = one.line, from_settings(one.line.evidence.get("readings")).decide_days
    safe = line.expected_ship_at is not None and now < line.expected_ship_at < line.deadline
    if line.promise != "delivery" or not line.open_units or safe or now < decide_at(line.deadline, days):
        return
    if records.note(scope, order_id, "at_risk", now, {line.id: {}}, key=str(line.deadline)):
        events.tell(
            scope,
            order_id,
            events.PROMISE_AT_RISK,
            line=line.id,
            sku=line.sku,
            units=line.open_units,
            deadline=line.deadline,
        )


STAND = """
UPDATE promises p SET delivery_state = s.state, deliver_by = s.deliver_by, delivery_deadline = s.by,
    delivery_due_at = s.due_at, deadline = CASE WHEN p.state = 'delivery' THEN s.ship_by ELSE p.deadline END
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS s(line uuid, state text, deliver_by date, by timestamptz,
    due_at timestamptz, ship_by timestamptz)
WHERE p.tenant_id = :tenant AND p.order_line_id = s.line
"""


def stand(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Bring what is shown of the order's deliveries, and the next instant to look at them, in line with what was
    said."""
    now = scope.now()
    rows = [_row(one, now) for one in contracts(scope, order_id)]
    if not rows:
        return
    scope.execute(STAND, doc=orjson.dumps(rows).decode())
    due = [row["due_at"] for row in rows if row["due_at"] is not None]
    if due:
        watch.sooner(scope, min(due))


def _row(one: Contract, now: datetime) -> dict[str, Any]:
    day = one.state.extended_until or one.state.deliver_by
    by = one.state.deadline_at
    ship_by = one.line.deadline
    if one.state.extended_until is not None:
        by = strict_deadline(day, one.state.zones.binding())
        leaves = subtract_working_days(day, one.transit_days)
        ship_by = strict_deadline(leaves, one.state.zones.binding())
    phase = one.state.phase(now)
    return {
        "line": one.line.id,
        "state": "closed" if one.is_void else phase.value,
        "deliver_by": day,
        "by": by,
        "due_at": None if one.is_void else _next(one, phase, ship_by, by, now),
        "ship_by": ship_by,
    }


def _next(
    one: Contract, phase: DeliveryPhase, ship_by: datetime, by: datetime, now: datetime
) -> datetime | None:
    """The next instant after `now` at which time alone changes something."""
    if phase not in (DeliveryPhase.DUE, DeliveryPhase.EXTENDED):
        return None
    days = from_settings(one.line.evidence.get("readings")).decide_days
    moments = [decide_at(ship_by, days)] if one.line.promise == "delivery" and one.line.open_units else []
    return min((moment for moment in (*moments, by) if now < moment), default=by)
