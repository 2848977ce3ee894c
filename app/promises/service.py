"""The verbs of promises: tell a buyer of a delay and offer the choice, take the answer, watch what comes near.

A line's state is never stored alone: it is folded from its clock, the notices that left and the answers that came
(states.py), and `promises.state` shows the result. What silence does is not done here: a person is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson

from app import events
from app.calendar import local_date
from app.money import Money
from app.notices import letters
from app.notices import service as notices
from app.notices.facts import DelayFacts, DelayKind, Item
from app.promises.standing import Standing, standings
from app.promises.states import NoticePlan, advance, plan_notice
from app.promises.vocabulary import (
    BOUND_TO_R,
    LIVE,
    CancelRequested,
    Consented,
    NoticeKind,
    Outcome,
    Phase,
    TimePassed,
)
from infra.errors import Problem, not_found, refused
from infra.ids import new_id
from tenants.scope import Scope

TAKEN = frozenset({Outcome.APPLIED, Outcome.CORRECTED, Outcome.DUPLICATE})


def send_delay_notice(
    scope: Scope, order_id: UUID, line_ids: Sequence[UUID] | None, revised: date | None, reason: str
) -> list[UUID]:
    """Tell the buyer that lines (None: every open, covered one) will ship later, and offer the lawful choice.

    `revised` is the new day to ship by; None says that no date can be given. The kind follows from the first promise
    and the new date (16 CFR 435.2(b)); lines that share kind and dates share one notice. Returns the notices.
    Raises Problem 404, 409 `no-delay`, `promise-over`, `notice-incomplete`.
    """
    _lock(scope, order_id)
    groups: dict[tuple[Any, ...], list[Standing]] = {}
    for standing in _chosen(scope, order_id, line_ids):
        groups.setdefault(_dates(standing), []).append(standing)
    return [_send(scope, order_id, group, revised, reason) for group in groups.values()]


def _lock(scope: Scope, order_id: UUID) -> None:
    found = scope.row("SELECT id FROM orders WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=order_id)
    if found is None:
        raise not_found("order")


def _chosen(scope: Scope, order_id: UUID, line_ids: Sequence[UUID] | None) -> list[Standing]:
    every = {one.line.id: one for one in standings(scope, order_id)}
    if line_ids is None:
        chosen = [one for one in every.values() if one.open_units and one.state.phase in LIVE]
    else:
        if not set(line_ids) <= every.keys():
            raise not_found("line")
        chosen = [every[one] for one in line_ids]
    now = scope.now()
    for one in chosen:
        if not one.open_units or advance(one.state, TimePassed(now)).state.phase not in LIVE:
            raise refused(
                "promise-over", f"{one.line.title} is shipped, cancelled or past its last day already."
            )
    if not chosen:
        raise refused("promise-over", "The order has no open line under a promise.")
    return chosen


def _dates(standing: Standing) -> tuple[Any, ...]:
    state, clock = standing.state, standing.state.clock
    assert clock is not None
    return state.phase, clock.ship_by, clock.deadline_at, state.revised


def _send(scope: Scope, order_id: UUID, group: list[Standing], revised: date | None, reason: str) -> UUID:
    plan = plan_notice(group[0].state, revised)
    if plan.kind is NoticeKind.INFORMATION:
        raise refused(
            "no-delay", "That date is within what holds already: there is nothing to ask the buyer."
        )
    facts = _facts(scope, order_id, group, plan, revised, reason)
    faults = notices.faults_of(scope, facts)
    if faults:
        raise refused("notice-incomplete", f"The notice may not be sent: it lacks {', '.join(faults)}.")
    lines = sorted(str(one.line.id) for one in group)
    told = len(group[0].state.notices)
    notice_id = notices.queue(
        scope, order_id, facts, cause=f"delay:{order_id}:{lines[0]}:{told + 1}:{revised}", lines=lines
    )
    stand(scope, order_id)
    return notice_id


def _facts(
    scope: Scope,
    order_id: UUID,
    group: list[Standing],
    plan: NoticePlan,
    revised: date | None,
    reason: str,
) -> DelayFacts:
    order, state = letters.order_row(scope, order_id), group[0].state
    clock = state.clock
    assert clock is not None
    assert plan.reply_day is not None
    assert plan.reply_by is not None
    assert plan.send_by is not None
    worth = sum(one.open_value for one in group)
    items = tuple(
        Item(one.line.title, one.open_units, Money(one.open_value, order.currency)) for one in group
    )
    held = order.authorized_total > order.captured_total
    paid = order.captured_total >= order.total
    return DelayFacts(
        **letters.common(scope, order, items),
        delay=DelayKind(plan.kind.value),
        ship_by=clock.ship_by,
        promised=state.bound_by if state.phase in BOUND_TO_R else clock.ship_by,
        revised=revised,
        reason=reason,
        reply_day=plan.reply_day,
        reply_by=plan.reply_by,
        send_by=plan.send_by,
        paid=Money(worth, order.currency) if paid else None,
        authorized=Money(worth, order.currency) if held and not paid else None,
    )


# ---- answers


def answer_delay(scope: Scope, notice_id: UUID, answer: str, channel: str, evidence: dict[str, Any]) -> str:
    """Take a buyer's answer (`consent` or `cancel`) to a delay notice, received now. Returns what it did: `applied`
    or `duplicate`. A cancellation takes effect on stock and money after the commit.

    Raises Problem 404, 409 `too-late`, `already-shipped`, `not-asked`.
    """
    notice = scope.row(
        "SELECT order_id, facts FROM notices WHERE tenant_id = :tenant AND id = :id AND kind = 'delay'",
        id=notice_id,
    )
    if notice is None:
        raise not_found("notice")
    _lock(scope, notice.order_id)
    now = scope.now()
    event = Consented(now, str(notice_id)) if answer == "consent" else CancelRequested(now)
    lines = [one for one in standings(scope, notice.order_id) if str(one.line.id) in notice.facts["lines"]]
    outcomes = {advance(one.state, event).outcome for one in lines if one.open_units}
    if not outcomes & TAKEN:
        raise _not_taken(outcomes)
    if outcomes & TAKEN == {Outcome.DUPLICATE}:
        return "duplicate"
    scope.execute(
        "INSERT INTO delay_answers (tenant_id, id, order_id, notice_id, answer, received_at, channel, evidence)"
        " VALUES (:tenant, :id, :order, :notice, :answer, :now, :channel, CAST(:evidence AS jsonb))",
        id=new_id(),
        order=notice.order_id,
        notice=notice_id,
        answer=answer,
        now=now,
        channel=channel,
        evidence=orjson.dumps(evidence, default=str).decode(),
    )
    stand(scope, notice.order_id)
    events.record(
        scope,
        notice.order_id,
        events.DELAY_ANSWERED,
        notice=notice_id,
        answer=answer,
        channel=channel,
        lines=notice.facts["lines"],
    )
    return "applied"


def _not_taken(outcomes: set[Outcome]) -> Problem:
    if Outcome.ALREADY_SHIPPED in outcomes or not outcomes:
        return refused("already-shipped", "It has shipped already. You can send it back.")
    if Outcome.TOO_LATE in outcomes or Outcome.NO_EFFECT in outcomes:
        return refused("too-late", "The time to answer is over, or a newer message asks something else.")
    return refused("not-asked", "There is nothing to answer.")


def stand(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Bring the shown state and deadline of the order's promises in line with what was sent and answered. A line
    that time or the buyer has cancelled is shown so when its units are."""
    for one in standings(scope, order_id):
        if not one.open_units or one.state.phase not in LIVE:
            continue
        scope.execute(
            "UPDATE promises SET state = :state, deadline = coalesce(:deadline, deadline)"
            " WHERE tenant_id = :tenant AND order_line_id = :line"
            " AND state NOT IN ('shipped', 'cancelled', 'not_covered')",
            line=one.line.id,
            state=one.state.phase.value,
            deadline=one.state.expires_at,
        )


# ---- the watch


SCAN, GUARD = "promise.scan", "promise.guard"
SCAN_EVERY = timedelta(hours=6)
AT_RISK = timedelta(days=5)
LAST_CALL = timedelta(days=2)
LATE_REASON = "It is taking longer than we expected to get this ready for you."
MOST_ORDERS = 500


def arm_scan(scope: Scope, tenant_id: UUID, **_: Any) -> None:
    """Begin to watch a tenant's promises."""
    scope.at(scope.now() + SCAN_EVERY, SCAN, tenant_id, key="promise-scan")


def scan(scope: Scope, tenant_id: UUID, **_: Any) -> None:
    """Have every order looked at that comes near a deadline without shipping, and look again in a while."""
    arm_scan(scope, tenant_id)
    for row in scope.rows(
        "SELECT DISTINCT p.order_id FROM promises p"
        " WHERE p.tenant_id = :tenant AND p.state NOT IN ('shipped', 'cancelled', 'not_covered')"
        " AND p.deadline <= :risk AND ((p.deadline > :now AND p.deadline <= :last AND p.state IN ("
        "   'open', 'consent_definite')) OR NOT EXISTS (SELECT 1 FROM timeline t WHERE t.tenant_id = :tenant"
        "   AND t.order_id = p.order_id AND t.name = :name AND t.data->>'line' = CAST(p.order_line_id AS text)"
        "   AND t.data->>'over' = CASE WHEN p.deadline <= :now THEN 'true' ELSE 'false' END))"
        " LIMIT :most",
        now=scope.now(),
        risk=scope.now() + AT_RISK,
        last=scope.now() + LAST_CALL,
        name=events.PROMISE_AT_RISK,
        most=MOST_ORDERS,
    ):
        scope.later(GUARD, row.order_id)


def guard(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Alarm for each line near or past its deadline, once; tell the buyer in time, if the merchant lets us (setting
    `notices.delay`: automatic, or manual)."""
    _lock(scope, order_id)
    now = scope.now()
    near = [
        one
        for one in standings(scope, order_id)
        if one.open_units and one.state.phase in LIVE and one.state.expires_at is not None
    ]
    for one in near:
        if one.state.expires_at is not None and one.state.expires_at <= now + AT_RISK:
            _alarm(scope, order_id, one, over=one.state.expires_at <= now)
    if (scope.tenant.settings.get("notices") or {}).get("delay", "automatic") != "automatic":
        return
    waiting: dict[date | None, list[UUID]] = {}
    for one in near:
        if _needs_notice(scope, one):
            waiting.setdefault(_expected_day(scope, one), []).append(one.line.id)
    for revised, line_ids in waiting.items():
        try:
            send_delay_notice(scope, order_id, line_ids, revised, LATE_REASON)
        except Problem as problem:
            events.tell(scope, order_id, events.NOTICE_FAILED, kind="delay", reason=problem.detail)


def _needs_notice(scope: Scope, one: Standing) -> bool:
    expires, now = one.state.expires_at, scope.now()
    if expires is None or not now < expires <= now + LAST_CALL:
        return False
    if one.state.phase not in (Phase.OPEN, Phase.CONSENT_DEFINITE):
        return False
    return one.expected is None or one.expected <= now or one.expected >= expires


def _expected_day(scope: Scope, one: Standing) -> date | None:
    """The day on which it will ship now, if that is known and still to come."""
    if one.expected is None or one.expected <= scope.now():
        return None
    return local_date(one.expected, scope.tenant.timezone)


def _alarm(scope: Scope, order_id: UUID, one: Standing, *, over: bool) -> None:
    told = scope.row(
        "SELECT count(*) AS times FROM timeline WHERE tenant_id = :tenant AND order_id = :order AND name = :name"
        " AND data->>'line' = :line AND data->>'over' = :over",
        order=order_id,
        name=events.PROMISE_AT_RISK,
        line=str(one.line.id),
        over="true" if over else "false",
    )
    if told is None or not told.times:
        events.tell(
            scope,
            order_id,
            events.PROMISE_AT_RISK,
            line=one.line.id,
            sku=one.line.sku,
            units=one.open_units,
            deadline=one.state.expires_at,
            over=over,
        )
