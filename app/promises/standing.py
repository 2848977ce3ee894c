"""Where each line of an order stands under the delay rule: its clock, and what was sent and answered since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.calendar import earliest_local_date, strict_deadline
from app.network.places import destination_zones
from app.promises.rules import CONSENT_DAYS, Clock, Zones
from app.promises.states import fold, not_covered, opened
from app.promises.vocabulary import CancelRequested, Consented, Event, NoticeKind, NoticeSent, State
from tenants.scope import Scope


@dataclass(frozen=True, slots=True)
class Standing:
    """One line, its state, and when Kept expects to ship it (None: unknown)."""

    line: Any
    state: State
    expected: datetime | None

    @property
    def open_units(self) -> int:
        """Units neither shipped nor cancelled."""
        return int(self.line.allocated + self.line.backordered)

    @property
    def open_value(self) -> int:
        """What the open units are worth to the buyer, minor units."""
        return int(self.line.total - self.line.value_shipped - self.line.value_cancelled)


def standings(scope: Scope, order_id: UUID) -> list[Standing]:
    """Every line of the order, in order: its promise, the notices and the answers, folded into a state."""
    lines = scope.rows(
        "SELECT l.*, p.made_at, p.original_date, p.original_deadline, p.basis, p.expected_ship_at,"
        " p.state AS promise, o.ship_to AS order_ship_to FROM order_lines l"
        " JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id"
        " JOIN orders o ON o.tenant_id = :tenant AND o.id = l.order_id"
        " WHERE l.tenant_id = :tenant AND l.order_id = :order ORDER BY l.position",
        order=order_id,
    )
    told = scope.rows(
        "SELECT id, facts, state, created_at, sent_at FROM notices WHERE tenant_id = :tenant"
        " AND order_id = :order AND kind = 'delay' ORDER BY created_at, id",
        order=order_id,
    )
    answers = scope.rows(
        "SELECT notice_id, answer, received_at FROM delay_answers WHERE tenant_id = :tenant"
        " AND order_id = :order ORDER BY received_at, id",
        order=order_id,
    )
    return [_standing(scope, line, told, answers) for line in lines]


def _standing(scope: Scope, line: Any, told: list[Any], answers: list[Any]) -> Standing:
    goes_to = line.ship_to or line.order_ship_to
    buyer = destination_zones(
        goes_to.get("country") or "US", goes_to.get("region"), goes_to.get("postal_code")
    )
    zones = Zones(scope.tenant.timezone, tuple(buyer))
    if line.promise == "not_covered":
        return Standing(line, not_covered(zones), line.expected_ship_at)
    state = fold(opened(_clock(line, zones)), _events(str(line.id), told, answers))
    return Standing(line, state, line.expected_ship_at)


def _clock(line: Any, zones: Zones) -> Clock:
    """The line's clock as it was worked out when the order was placed."""
    binding = zones.binding()
    express_by = line.original_date + timedelta(days=CONSENT_DAYS)
    return Clock(
        pco=line.made_at.astimezone(UTC),
        day_zero=earliest_local_date(line.made_at, binding),
        ship_by=line.original_date,
        deadline_at=line.original_deadline,
        express_by=express_by,
        express_at=strict_deadline(express_by, binding),
        strict_by=line.original_date,
        basis=line.basis if line.basis in ("stated", "50 days") else "30 days",
        zones=zones,
    )


def _events(line_id: str, told: list[Any], answers: list[Any]) -> list[Event]:
    """What happened to the line, in order. A message that could not be delivered counts as never sent."""
    happened: list[tuple[datetime, int, Event]] = []
    own = {notice.id for notice in told if line_id in notice.facts.get("lines", [])}
    for notice in told:
        if notice.id not in own or notice.state in ("bounced", "failed"):
            continue
        revised = notice.facts.get("revised")
        sent = NoticeSent(
            notice.created_at,
            str(notice.id),
            date.fromisoformat(revised) if revised else None,
            NoticeKind(notice.facts["delay"]),
        )
        happened.append((notice.created_at, 0, sent))
    for answer in answers:
        if answer.notice_id in own:
            event: Event = (
                Consented(answer.received_at, str(answer.notice_id))
                if answer.answer == "consent"
                else CancelRequested(answer.received_at)
            )
            happened.append((answer.received_at, 1, event))
    return [event for _, _, event in sorted(happened, key=lambda one: one[:2])]
