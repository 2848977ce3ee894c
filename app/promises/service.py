"""The verbs of promises: tell a buyer of a delay and offer the choice, take the answer, show how each line stands.

A line's state is never stored alone: it is folded from its clock, the notices that left and the answers that came
(standing.py), and `promises.state` shows the result. What a canceled line means for stock, work and money is done
in app/cancellation/lapses.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from app import events
from app.money import Money
from app.notices import letters
from app.notices import service as notices
from app.notices.facts import DelayFacts, DelayKind, Item, RiderFacts
from app.promises import records, watch
from app.promises.standing import Standing, standings
from app.promises.states import NoticePlan, advance, plan_notice
from app.promises.timing import next_look
from app.promises.vocabulary import (
    BOUND_TO_R,
    LIVE,
    CancelRequested,
    Consented,
    NoticeKind,
    Outcome,
    Rider,
)
from infra.errors import Problem, invalid, not_found, refused
from infra.ids import new_id
from tenants.scope import Scope

NO_CLOCK = frozenset({"incomplete", "not_covered", "delivery"})
"""What a promise is where no clock of the delay rule runs."""
TAKEN = frozenset({Outcome.APPLIED, Outcome.CORRECTED, Outcome.DUPLICATE})


def send_delay_notice(
    scope: Scope,
    order_id: UUID,
    line_ids: Sequence[UUID] | None,
    revised: date | None,
    reason: str,
    *,
    rider: Rider | None = None,
) -> list[UUID]:
    """Tell the buyer that lines (None: every open, covered one) will ship later, and offer the lawful choice.

    `revised` is the new day to ship by; None says that no date can be given. The kind follows from the first promise
    and the new date (16 CFR 435.2(b)); lines that share kind and dates share one notice. Returns the notices.
    `rider`: ask besides for consent to a further, unforeseen delay; only a notice with a date may. Raises Problem 404,
    409 `no-delay`, `promise-over`, `notice-incomplete`, 422 at /rider.
    """
    if rider is not None and (revised is None or (rider.until is not None and rider.until <= revised)):
        raise invalid("/rider/until", "A further delay is one after ship_by.")
    lock(scope, order_id)
    groups: dict[tuple[Any, ...], list[Standing]] = {}
    for standing in _chosen(scope, order_id, line_ids):
        groups.setdefault(_dates(standing), []).append(standing)
    return [_send(scope, order_id, group, revised, reason, rider) for group in groups.values()]


NO_NOTICE = "silence would mean nothing. Write to the buyer; when it is late, they may give a further time."


def lock(scope: Scope, order_id: UUID) -> None:
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
        if one.line.promise == "delivery":
            raise refused("no-notice-duty", f"The law of {one.line.title} knows no delay notice: {NO_NOTICE}")
        if not one.lives(now):
            raise refused(
                "promise-over", f"{one.line.title} is shipped, canceled or past its last day already."
            )
    if not chosen:
        raise refused("promise-over", "The order has no open line under a promise.")
    return chosen


def _dates(standing: Standing) -> tuple[Any, ...]:
    state, clock = standing.state, standing.state.clock
    assert clock is not None
    return state.phase, clock.ship_by, clock.deadline_at, state.revised


def _send(
    scope: Scope,
    order_id: UUID,
    group: list[Standing],
    revised: date | None,
    reason: str,
    rider: Rider | None,
) -> UUID:
    told_last = group[0].state.notices[-1:]
    if told_last and (told_last[0].event.revised, told_last[0].event.rider) == (revised, rider):
        return UUID(told_last[0].event.key)  # the same words again are no second notice
    plan = plan_notice(group[0].state, revised)
    if plan.kind is NoticeKind.INFORMATION:
        raise refused(
            "no-delay", "That date is within what holds already: there is nothing to ask the buyer."
        )
    facts = _facts(scope, order_id, group, plan, revised, reason, rider)
    faults = notices.faults_of(scope, facts)
    if faults:
        raise refused("notice-incomplete", f"The notice may not be sent: it lacks {', '.join(faults)}.")
    lines = sorted(str(one.line.id) for one in group)
    told = len(group[0].state.notices)
    notice_id = notices.queue(
        scope, order_id, facts, cause=f"delay:{order_id}:{lines[0]}:{told + 1}:{revised}", lines=lines
    )
    ids = [one.line.id for one in group]
    said = {"revised": revised, "reason": reason, "kind": plan.kind.value, "notice": notice_id}
    kept = {line: {**said, "basis": basis} for line, basis in records.bases(scope, ids).items()}
    records.note(scope, order_id, "revised", scope.now(), kept, key=str(notice_id))
    stand(scope, order_id)
    return notice_id


def _facts(
    scope: Scope,
    order_id: UUID,
    group: list[Standing],
    plan: NoticePlan,
    revised: date | None,
    reason: str,
    rider: Rider | None,
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
    common = letters.common(scope, order, items)
    return DelayFacts(
        **common,
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
        rider=RiderFacts(rider.until, common["url"]) if rider is not None else None,
    )


# ---- answers


ANSWERS = ("consent", "cancel", "consent_rider")
TOO_LATE = (
    "The time to answer is over, and it is canceled by law. To have it all the same, place a new order."
)


def answer_delay(
    scope: Scope,
    notice_id: UUID,
    answer: str,
    channel: str,
    evidence: dict[str, Any],
    received_at: datetime | None = None,
) -> str:
    """Take a buyer's answer to a delay notice: `consent`, `cancel`, or `consent_rider` (also to a further delay the
    notice asks about). Received now, or at `received_at` (UTC) as an agent can show. Returns what it did: `applied`
    or `duplicate`. A cancellation takes effect on stock and money after the commit.

    Raises Problem 404, 409 `too-late`, `already-shipped`, `not-asked`, 422 for a time that lies ahead or before the
    notice.
    """
    notice = scope.row(
        "SELECT order_id, facts, created_at FROM notices"
        " WHERE tenant_id = :tenant AND id = :id AND kind = 'delay'",
        id=notice_id,
    )
    if notice is None:
        raise not_found("notice")
    lock(scope, notice.order_id)
    at = received_at or scope.now()
    if not notice.created_at <= at <= scope.now():
        raise invalid("/received_at", "received_at lies after the notice was sent, and not in the future.")
    event = (
        CancelRequested(at)
        if answer == "cancel"
        else Consented(at, str(notice_id), to_rider=answer == "consent_rider")
    )
    lines = [one for one in standings(scope, notice.order_id) if str(one.line.id) in notice.facts["lines"]]
    outcomes = {_outcome(one, event) for one in lines if one.open_units}
    if not outcomes & TAKEN:
        raise _not_taken(outcomes)
    if outcomes & TAKEN == {Outcome.DUPLICATE}:
        return "duplicate"
    _keep_answer(scope, notice.order_id, notice_id, answer, channel, evidence, at)
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


def _outcome(one: Standing, event: CancelRequested | Consented) -> Outcome:
    """What an answer does. A cancellation that has taken effect stands, whatever a late report says."""
    if one.vested:
        return Outcome.DUPLICATE if isinstance(event, CancelRequested) else Outcome.TOO_LATE
    return advance(one.state, event).outcome


def _keep_answer(
    scope: Scope,
    order_id: UUID,
    notice_id: UUID,
    answer: str,
    channel: str,
    evidence: dict[str, Any],
    received_at: datetime,
) -> None:
    scope.execute(
        "INSERT INTO delay_answers (tenant_id, id, order_id, notice_id, answer, received_at, channel, evidence)"
        " VALUES (:tenant, :id, :order, :notice, :answer, :at, :channel, CAST(:evidence AS jsonb))",
        id=new_id(),
        order=order_id,
        notice=notice_id,
        answer=answer,
        at=received_at,
        channel=channel,
        evidence=orjson.dumps(
            {**evidence, "recorded_at": scope.now(), "recorded_by": str(scope.actor)}, default=str
        ).decode(),
    )


def _not_taken(outcomes: set[Outcome]) -> Problem:
    if Outcome.ALREADY_SHIPPED in outcomes or not outcomes:
        return refused("already-shipped", "It has shipped already, or is canceled. You can send it back.")
    if Outcome.TOO_LATE in outcomes:
        return refused("too-late", TOO_LATE)
    if Outcome.NO_EFFECT in outcomes:
        return refused("too-late", "The time to answer is over, or a newer message asks something else.")
    return refused("not-asked", "There is nothing to answer.")


# ---- how each line stands

STAND = """
UPDATE promises p SET state = s.state, deadline = coalesce(s.deadline, p.deadline), due_at = s.due_at
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS s(line uuid, state text, deadline timestamptz, due_at timestamptz)
WHERE p.tenant_id = :tenant AND p.order_line_id = s.line AND p.order_line_id = ANY(:lines)
"""


def stand(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Bring the shown state and deadline of the order's promises, and the next instant to look at them, in line with
    what was sent, answered and recorded. A line that time or the buyer has canceled is due now; it is shown so when
    the cancellation has its effect."""
    show(scope, standings(scope, order_id))


def show(scope: Scope, every: Iterable[Standing]) -> None:
    """As `stand`, by what was read of the lines before: nothing may have changed of them since."""
    now, rows = scope.now(), []
    for one in every:
        if not one.open_units or one.vested or one.line.promise in NO_CLOCK:
            continue
        live = one.state.phase in LIVE
        rows.append(
            {
                "line": one.line.id,
                "state": one.state.phase.value if live else one.line.promise,
                "deadline": one.state.expires_at,
                "due_at": next_look(one.state, one.expected, one.since, now) if live else now,
            }
        )
    if not rows:
        return
    scope.execute(STAND, doc=orjson.dumps(rows, default=str).decode(), lines=[row["line"] for row in rows])
    due = [row["due_at"] for row in rows if row["due_at"] is not None]
    if due:
        watch.sooner(scope, min(due))
