"""What it means that a line is canceled by law: by time, by its buyer's answer, or because a notice never arrived.

The line's promise ends at the instant the rule says, however late this runs; from then on nothing of it may be
picked or shipped. Units that no provider has accepted are canceled at once, with their money and the buyer's letter.
Accepted ones are asked back: a hand-over from before that instant may still be reported, so money and letter wait for
the provider's answer, some hours at most.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from app import events
from app.calendar import local_date
from app.cancellation import rules
from app.cancellation.service import cancel, cancel_lines, reasons, take_unanswered
from app.orders.service import lock
from app.promises import deliveries, records
from app.promises.service import show, stand
from app.promises.standing import Standing, standings
from app.promises.vocabulary import Case, Phase
from app.refunds import owing
from infra.errors import not_found, refused
from tenants.scope import Scope

RECALL_OVER = "cancellation.recall_over"
RECALL_HOURS = 4
"""How long a provider may take to answer, unless the tenant says otherwise (setting `recall_hours`)."""

VEST = """
UPDATE promises p SET state = 'cancelled', vested_at = v.vested_at, vests_on = v.vests_on, due_at = NULL
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS v(line uuid, vested_at timestamptz, vests_on date)
WHERE p.tenant_id = :tenant AND p.order_line_id = v.line
"""

VEST_OPEN = (
    VEST
    + """
    AND EXISTS (SELECT 1 FROM order_lines l WHERE l.tenant_id = :tenant AND l.id = v.line
        AND l.allocated + l.backordered > 0)
"""
)
"""As above, of lines of which something is still open: what has left stays `shipped`."""

ASKED = """
SELECT f.id, array_agg(w.order_line_id) AS lines FROM fulfillment_order_lines w
JOIN fulfillment_orders f ON f.tenant_id = :tenant AND f.id = w.fulfillment_order_id
JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = w.order_line_id AND p.vested_at IS NOT NULL
WHERE w.tenant_id = :tenant AND f.order_id = :order AND w.cancel_requested > 0 GROUP BY f.id ORDER BY f.id
"""


def due(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Give its effect to every cancellation by law of the order that has none yet, and show how the others stand."""
    order, now = lock(scope, order_id), scope.now()
    every = standings(scope, order_id)
    ended = {
        one.line.id: one
        for one in every
        if one.open_units and not one.vested and one.at(now).phase is Phase.CANCELLED
    }
    if not ended:
        show(scope, every)
        return
    for case, lines in _vest(scope, order_id, ended).items():
        cancel_lines(scope, order, lines, rules.REASONS[case])
    _await_answers(scope, order_id)
    stand(scope, order_id)


def will_not_ship(scope: Scope, order_id: UUID, line_ids: Collection[UUID] | None, reason: str) -> list[UUID]:
    """The seller will not ship these lines (None: all that is open) and says so to the buyer (435.2(b)(4), (c)(4)):
    from this moment nobody may. Under a law of delivery alone the word ends nothing: the buyer may end the contract at
    once. Returns the lines. Raises Problem 404, 409 `promise-over`."""
    lock(scope, order_id)
    under = [one.line for one in deliveries.contracts(scope, order_id) if not one.is_void]
    refusing = {line.id for line in under if line_ids is None or line.id in line_ids}
    if refusing:
        deliveries.say(scope, order_id, "delivery_refused", refusing, {"reason": reason})
    only = {line.id for line in under if line.promise == "delivery"} & refusing
    if only and not _live(scope, order_id, line_ids) - only:
        return sorted(only)
    rest = None if line_ids is None else set(line_ids) - only
    return [*sorted(only), *_end(scope, order_id, rest, "will_not_ship", {"reason": reason})]


def _live(scope: Scope, order_id: UUID, line_ids: Collection[UUID] | None) -> set[UUID]:
    """Those of the lines (None: of all) that live under the delay rule. Raises Problem 404."""
    every, now = {one.line.id: one for one in standings(scope, order_id)}, scope.now()
    wanted = every.keys() if line_ids is None else set(line_ids)
    if not wanted <= every.keys():
        raise not_found("line")
    return {line for line in wanted if every[line].lives(now)}


def buyer_cancels(
    scope: Scope, order_id: UUID, line_ids: Sequence[UUID] | None, evidence: dict[str, Any], reason: str
) -> None:
    """The buyer cancels these lines (None: all that is open). Where a delay notice gave the right to, which goes on
    until shipment (435.2(c)(1)), it takes effect now; of the rest providers are asked, as by the merchant's policy.
    Raises as `cancel` when nothing of it can be canceled."""
    order, now = lock(scope, order_id), scope.now()
    every = standings(scope, order_id)
    wanted = {one.line.id for one in every} if line_ids is None else set(line_ids)
    by_right = {
        one.line.id for one in every if one.line.id in wanted and one.state.offered and one.lives(now)
    }
    if not by_right:
        cancel(scope, order_id, [{"id": str(one)} for one in line_ids] if line_ids else None, reason)
        return
    _end(scope, order_id, by_right, "cancel_requested", evidence)
    cancel_lines(scope, order, wanted - by_right, reason)


def contract_ended(
    scope: Scope,
    order_id: UUID,
    line_ids: Collection[UUID] | None,
    evidence: dict[str, Any],
    at: datetime | None = None,
) -> list[UUID]:
    """The buyer ends the contract about lines that were not delivered (Directive 2011/83/EU, Art. 18(2); Consumer
    Rights Act 2015, s. 28(6) to (9)); None: all about which they may. Nobody may send what has not left, and
    everything paid goes back, also for what is lost on its way. Raises as `deliveries.say`."""
    order = lock(scope, order_id)
    data = {**evidence, "case": rules.CONTRACT}
    ended = deliveries.say(scope, order_id, "ended_by_buyer", line_ids, data, at=at)
    if not ended:
        return []
    vested = at or scope.now()
    day = local_date(vested, scope.tenant.timezone)
    vests = [{"line": line, "vested_at": vested, "vests_on": day} for line in ended]
    scope.execute(VEST_OPEN, doc=orjson.dumps(vests).decode())
    cancel_lines(scope, order, ended, rules.CONTRACT_ENDED)
    _await_answers(scope, order_id)
    owing.owe(scope, order_id, day, why="undelivered")
    return ended


def _end(
    scope: Scope,
    order_id: UUID,
    line_ids: Collection[UUID] | None,
    kind: str,
    data: dict[str, Any],
) -> list[UUID]:
    lock(scope, order_id)
    now = scope.now()
    every = {one.line.id: one for one in standings(scope, order_id)}
    if line_ids is not None and not set(line_ids) <= every.keys():
        raise not_found("line")
    chosen = [
        line for line, one in every.items() if (line_ids is None or line in line_ids) and one.lives(now)
    ]
    if not chosen:
        raise refused("promise-over", "Nothing of that is open under a promise.")
    records.note(scope, order_id, kind, now, dict.fromkeys(chosen, data), key=now.isoformat())
    due(scope, order_id)
    return chosen


def _vest(scope: Scope, order_id: UUID, ended: dict[UUID, Standing]) -> dict[Case, set[UUID]]:
    """End the promises. Returns their lines by the case of 435.2(c)."""
    now, rows = scope.now(), []
    cases: dict[Case, set[UUID]] = {}
    for line, one in ended.items():
        end = one.at(now).cancellation
        assert end is not None
        cases.setdefault(end.case, set()).add(line)
        rows.append({"line": line, "vested_at": end.vested_at, "vests_on": end.vests_on})
        late = rules.late_by(max(end.vested_at, end.learned_at), now)
        facts = {"case": end.case.value, "units": one.open_units, "vests_on": end.vests_on, "late_by": late}
        key = f"{end.case.value}:{end.vested_at.isoformat()}"
        records.note(scope, order_id, "ended", end.vested_at, {line: facts}, key=key)
        events.tell(
            scope, order_id, events.PROMISE_ENDED, line=line, sku=one.line.sku, at=end.vested_at, **facts
        )
    scope.execute(VEST, doc=orjson.dumps(rows, default=str).decode())
    return cases


def _await_answers(scope: Scope, order_id: UUID) -> None:
    """Where a provider was asked: do without its answer when it does not come."""
    if scope.rows(ASKED, order=order_id):
        hours = float(scope.tenant.settings.get("recall_hours", RECALL_HOURS))
        scope.at(scope.now() + timedelta(hours=hours), RECALL_OVER, order_id, key=f"recall:{order_id}")


def recall_over(scope: Scope, order_id: UUID, **_: Any) -> None:
    """The provider had its time: what it was asked for and has not reported is canceled now."""
    lock(scope, order_id)
    why = reasons(scope, order_id)
    for work in scope.rows(ASKED, order=order_id):
        for reason in sorted({why[line] for line in work.lines}):
            own = {line for line in work.lines if why[line] == reason}
            take_unanswered(scope, work.id, own, reason)
