"""When a line will be late: noticed at once, proposed with its basis, and told to the buyer in time.

By the tenant's setting (`notices.delay`) Kept sends the notice itself as soon as it knows a later date
(`automatic`), or asks a person first (`approve`), who sees the proposal, is alarmed days before the deadline, and has
until the last call: then Kept sends it, so that no deadline passes because somebody was silent.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app import events
from app.promises import records
from app.promises.service import lock, send_delay_notice
from app.promises.standing import Standing, standings
from app.promises.timing import decide_at, is_late, last_call, proposed_day
from infra.errors import Problem
from tenants.scope import Scope

LATE_REASON = "It is taking longer than we expected to get this ready for you."


def automatic(scope: Scope) -> bool:
    """Whether notices leave without a person's approval."""
    return (scope.tenant.settings.get("notices") or {}).get("delay", "automatic") == "automatic"


def review(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Look whether lines of the order will be late: note it, alarm, and send the notices that are to leave now."""
    lock(scope, order_id)
    now = scope.now()
    live = [
        one
        for one in standings(scope, order_id)
        if one.open_units and not one.vested and one.state.expires_at is not None
    ]
    late = [one for one in live if is_late(one.state, one.expected, one.since, now)]
    _become_aware(scope, order_id, late)
    for one in live:
        if _is_at_risk(one, now):
            _alarm(scope, order_id, one, now)
    to_send: dict[date | None, list[UUID]] = {}
    for one in late:
        if automatic(scope) or _is_last_call(one, now):
            day = proposed_day(one.state, one.expected, now, scope.tenant.timezone)
            to_send.setdefault(day, []).append(one.line.id)
    for revised, line_ids in to_send.items():
        _send(scope, order_id, line_ids, revised)


def _is_last_call(one: Standing, now: datetime) -> bool:
    expires = one.state.expires_at
    return expires is not None and now >= last_call(expires, one.since)


def _become_aware(scope: Scope, order_id: UUID, late: list[Standing]) -> None:
    """Keep when it was first known that a line cannot ship in time, and on what that rests."""
    if not late:
        return
    now = scope.now()
    known = records.bases(scope, [one.line.id for one in late])
    for one in late:
        day = proposed_day(one.state, one.expected, now, scope.tenant.timezone)
        data = {"deadline": one.state.expires_at, "proposed": day, "basis": known[one.line.id]}
        new = records.note(
            scope, order_id, "late_known", now, {one.line.id: data}, key=f"{one.state.expires_at}:{day}"
        )
        if new:
            events.tell(
                scope,
                order_id,
                events.PROMISE_LATE,
                line=one.line.id,
                sku=one.line.sku,
                units=one.open_units,
                deadline=one.state.expires_at,
                proposed=day,
            )


def _send(scope: Scope, order_id: UUID, line_ids: list[UUID], revised: date | None) -> None:
    """A notice that may not be sent is told to a person; the order's other notices still leave."""
    try:
        with scope.session.begin_nested():
            send_delay_notice(scope, order_id, line_ids, revised, LATE_REASON)
    except Problem as problem:
        events.tell(scope, order_id, events.NOTICE_FAILED, kind="delay", reason=problem.detail)


def _is_at_risk(one: Standing, now: datetime) -> bool:
    """Whether a deadline is near and nothing says that the line will ship before it."""
    expires, clock = one.state.expires_at, one.state.clock
    if expires is None or clock is None or now < decide_at(expires, clock.settings.decide_days):
        return False
    return one.expected is None or not now < one.expected < expires


def _alarm(scope: Scope, order_id: UUID, one: Standing, now: datetime) -> None:
    """Tell it once for each deadline."""
    deadline = str(one.state.expires_at)
    if records.note(scope, order_id, "at_risk", now, {one.line.id: {}}, key=deadline):
        line, sku, units = one.line.id, one.line.sku, one.open_units
        events.tell(
            scope, order_id, events.PROMISE_AT_RISK, line=line, sku=sku, units=units, deadline=deadline
        )
