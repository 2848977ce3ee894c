"""Where each line of an order stands under the delay rule: its clock, and what was sent and answered since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.calendar import earliest_local_date, strict_deadline
from app.network.places import destination_zones
from app.promises.readings import from_settings
from app.promises.rules import CONSENT_DAYS, Clock, Zones
from app.promises.states import advance, fold, incomplete, not_covered, opened
from app.promises.vocabulary import (
    LIVE,
    Bounced,
    CancelRequested,
    Consented,
    Event,
    LaterDateAsked,
    NoticeKind,
    NoticeSent,
    Rider,
    State,
    SubstitutionAgreed,
    TimePassed,
    WillNotShip,
)
from tenants.scope import Scope

TOLD = """
SELECT id, facts, state, created_at, send_by, sent_at, bounced_at FROM notices
WHERE tenant_id = :tenant AND order_id = ANY(:orders) AND kind = 'delay' ORDER BY created_at, id
"""
RECORDED: dict[str, Callable[[Any], Event]] = {
    "cancel_requested": lambda record: CancelRequested(record.at),
    "will_not_ship": lambda record: WillNotShip(record.at),
    "later_asked": lambda record: LaterDateAsked(record.at, date.fromisoformat(record.data["ship_by"])),
    "substituted": lambda record: SubstitutionAgreed(record.at, record.data["substitute"]),
}
"""Recorded events that the state machine knows."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One line, its state, and when Kept expects to ship it (None: unknown)."""

    line: Any
    state: State
    expected: datetime | None
    since: datetime
    """When the buyer was last told a date: by the promise, or by the latest notice."""

    def at(self, now: datetime) -> State:
        """The state as time has made it by `now`."""
        return advance(self.state, TimePassed(now)).state

    def lives(self, now: datetime) -> bool:
        """Whether units are open that nobody, and no missed day, has canceled by `now`."""
        return bool(self.open_units) and not self.vested and self.at(now).phase in LIVE

    @property
    def vested(self) -> bool:
        """Whether the line's cancellation by law was given its effect."""
        return self.line.vested_at is not None

    @property
    def open_units(self) -> int:
        """Units neither shipped nor canceled."""
        return int(self.line.allocated + self.line.backordered)

    @property
    def open_value(self) -> int:
        """What the open units are worth to the buyer, minor units."""
        return int(self.line.total - self.line.value_shipped - self.line.value_cancelled)


LINES = """
SELECT l.*, p.made_at, p.original_date, p.original_deadline, p.basis, p.expected_ship_at, p.state AS promise,
    p.evidence->'readings' AS readings, p.vested_at, p.vests_on, o.ship_to AS order_ship_to
FROM order_lines l JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
JOIN orders o ON o.tenant_id = :tenant AND o.id = l.order_id
WHERE l.tenant_id = :tenant AND l.order_id = ANY(:orders) ORDER BY l.order_id, l.position
"""
ANSWERS = """
SELECT notice_id, answer, received_at FROM delay_answers
WHERE tenant_id = :tenant AND order_id = ANY(:orders) ORDER BY received_at, id
"""
RECORDS = """
SELECT order_line_id, kind, at, data FROM promise_events
WHERE tenant_id = :tenant AND order_id = ANY(:orders) AND kind = ANY(:kinds) ORDER BY at, id
"""


def standings(scope: Scope, *order_ids: UUID) -> list[Standing]:
    """Every line of the orders, in order: its promise, the notices and the answers, folded into a state. Four
    statements, however many orders."""
    orders = list(order_ids)
    lines = scope.rows(LINES, orders=orders)
    told = scope.rows(TOLD, orders=orders)
    answers = scope.rows(ANSWERS, orders=orders)
    records = scope.rows(RECORDS, orders=orders, kinds=[*RECORDED, "completed"])
    return [_standing(scope, line, told, answers, records) for line in lines]


def _standing(scope: Scope, line: Any, told: list[Any], answers: list[Any], records: list[Any]) -> Standing:
    goes_to = line.ship_to or line.order_ship_to
    buyer = destination_zones(
        goes_to.get("country") or "US", goes_to.get("region"), goes_to.get("postal_code")
    )
    zones = Zones(scope.tenant.timezone, tuple(buyer))
    if line.promise in ("not_covered", "delivery"):
        return Standing(line, not_covered(zones), line.expected_ship_at, line.made_at)
    if line.promise == "incomplete":
        return Standing(line, incomplete(zones), line.expected_ship_at, line.made_at)
    clock = _clock(line, zones, records)
    happened = _events(line, clock.pco, told, answers, records, scope.now())
    state = fold(opened(clock), happened)
    since = max((one.at for one in happened if isinstance(one, NoticeSent)), default=clock.pco)
    return Standing(line, state, line.expected_ship_at, since)


def _clock(line: Any, zones: Zones, records: list[Any]) -> Clock:
    """The line's clock as it was worked out when the order was placed; or, where a payment had failed, when its
    replacement was authorized."""
    again = [one.data for one in records if one.kind == "completed" and one.order_line_id == line.id][-1:]
    pco, ship_by, deadline = line.made_at, line.original_date, line.original_deadline
    if again:
        pco, deadline = (datetime.fromisoformat(again[0][name]) for name in ("pco", "deadline"))
        ship_by = date.fromisoformat(again[0]["ship_by"])
    settings = from_settings(line.readings)
    binding = zones.binding(settings)
    express_by = ship_by + timedelta(days=CONSENT_DAYS)
    return Clock(
        pco=pco.astimezone(UTC),
        day_zero=earliest_local_date(pco, binding),
        ship_by=ship_by,
        deadline_at=deadline,
        express_by=express_by,
        express_at=strict_deadline(express_by, binding),
        strict_by=ship_by,
        basis=line.basis if line.basis in ("stated", "50 days") else "30 days",
        zones=zones,
        settings=settings,
    )


def _events(
    line: Any, pco: datetime, told: list[Any], answers: list[Any], records: list[Any], now: datetime
) -> list[Event]:
    """What happened to the line under its clock, in order. At one instant a notice comes first, an end last."""
    happened: list[tuple[int, Event]] = []
    own = {notice.id for notice in told if str(line.id) in notice.facts.get("lines", [])}
    for notice in told:
        if notice.id in own and _left(notice, now):
            happened.append((0, _sent(notice)))
            if notice.bounced_at is not None:
                happened.append((2, Bounced(notice.bounced_at, str(notice.id))))
    for answer in answers:
        if answer.notice_id in own:
            happened.append((1, _answer(answer)))
    for record in records:
        if record.order_line_id == line.id and record.kind in RECORDED:
            happened.append((3, RECORDED[record.kind](record)))
    # What an earlier clock was told or answered has lapsed with it.
    under = [(rank, event) for rank, event in happened if event.at >= pco]
    return [event for _, event in sorted(under, key=lambda one: (one[1].at, one[0]))]


def _left(notice: Any, now: datetime) -> bool:
    """Whether a notice counts as sent: it left, or it may still leave in time. One that no way took never did; one
    that bounced did, until that was learned."""
    if notice.sent_at is not None:
        return bool(notice.state != "failed")
    return notice.state == "queued" and (notice.send_by is None or now < notice.send_by)


def _sent(notice: Any) -> NoticeSent:
    revised, rider = notice.facts.get("revised"), notice.facts.get("rider")
    return NoticeSent(
        notice.sent_at or notice.created_at,
        str(notice.id),
        date.fromisoformat(revised) if revised else None,
        NoticeKind(notice.facts["delay"]),
        rider=Rider(date.fromisoformat(rider["until"]) if rider["until"] else None) if rider else None,
    )


def _answer(answer: Any) -> Event:
    if answer.answer == "cancel":
        return CancelRequested(answer.received_at)
    return Consented(answer.received_at, str(answer.notice_id), to_rider=answer.answer == "consent_rider")
