"""A supplier slips: one act, and every buyer concerned is told rightly. Previewed by the same code that sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from app import events
from app.pages import formats
from app.promises.queries import UNDECIDED
from app.promises.revisions import LATE_REASON
from app.promises.service import lock, send_delay_notice
from app.promises.standing import Standing, standings
from app.promises.states import plan_notice
from app.promises.vocabulary import LIVE, NoticeKind
from infra.errors import Problem, not_found, refused
from tenants import audit
from tenants.scope import Scope

REVISE = "promise.revise"
MOST_LINES = 5000
FIND = """
SELECT l.id, l.order_id, o.number, o.customer FROM order_lines l
JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
    AND p.state NOT IN ('shipped', 'cancelled', 'not_covered', 'incomplete')
JOIN orders o ON o.tenant_id = :tenant AND o.id = l.order_id
WHERE l.tenant_id = :tenant AND l.allocated + l.backordered > 0 AND {which} ORDER BY o.number, l.position LIMIT :most
"""


def revise(
    scope: Scope,
    revised: date | None,
    reason: str,
    *,
    sku: str | None = None,
    line_ids: Sequence[UUID] | None = None,
    preview: bool = False,
) -> dict[str, Any]:
    """Tell the buyers of all open lines of a SKU, or of these lines, that they ship by `revised` (None: no date).

    Returns by order what its buyer is told, or why nothing; the notices leave after the commit, order by order.
    A preview changes nothing. Raises Problem 404 for a SKU or a line that is not here, 409 `too-many-lines`.
    """
    lines = _found(scope, sku, line_ids)
    orders: dict[UUID, list[Any]] = {}
    for line in lines:
        orders.setdefault(line.order_id, []).append(line)
    chosen = {line.id for line in lines}
    told = []
    for one in standings(scope, *orders):
        if one.line.id in chosen:
            told.append(_told(scope, one, orders[one.line.order_id][0], revised))
    made = _merged(told)
    sending = [one for one in made if one["refused"] is None]
    if sending and not preview:
        acts = _by_order(sending)
        scope.all_later(
            REVISE,
            [
                (UUID(order), {"lines": own, "revised": revised, "reason": reason})
                for order, own in acts.items()
            ],
        )
        named = sku or formats.plural(sum(len(own) for own in acts.values()), "line")
        audit.record(
            scope, "promises.revised", named, ship_by=str(revised or "none"), reason=reason, orders=len(acts)
        )
    return {"data": made, "sent": 0 if preview else len(sending)}


def _found(scope: Scope, sku: str | None, line_ids: Sequence[UUID] | None) -> list[Any]:
    if sku is not None:
        if scope.row("SELECT id FROM skus WHERE tenant_id = :tenant AND code = :sku", sku=sku) is None:
            raise not_found("SKU")
        lines = scope.rows(FIND.format(which="l.sku = :sku"), sku=sku, most=MOST_LINES + 1)
    else:
        lines = scope.rows(
            FIND.format(which="l.id = ANY(:ids)"), ids=list(line_ids or ()), most=MOST_LINES + 1
        )
        if len({line.id for line in lines}) < len(set(line_ids or ())):
            raise not_found("open line")
    if len(lines) > MOST_LINES:
        raise refused("too-many-lines", f"More than {MOST_LINES} lines are open. Name the lines, in parts.")
    return lines


def _told(scope: Scope, one: Standing, order: Any, revised: date | None) -> dict[str, Any]:
    """What the buyer of one line is told."""
    row = {
        "order_id": str(order.order_id),
        "order": f"K-{order.number}",
        "buyer": order.customer.get("name") or order.customer.get("email") or "",
        "lines": [str(one.line.id)],
        "units": one.open_units,
        "kind": None,
        "ship_by": revised,
        "send_by": None,
        "reply_by": None,
        "refused": None,
    }
    if one.line.promise == "delivery":
        return {**row, "refused": "Its law knows no delay notice: write to the buyer."}
    if one.vested or one.at(scope.now()).phase not in LIVE:
        return {**row, "refused": "Its time is over: it is canceled."}
    plan = plan_notice(one.state, revised)
    if plan.kind is NoticeKind.INFORMATION:
        return {**row, "refused": "That date is within what holds already: there is nothing to ask."}
    told_last = one.state.notices[-1:]
    if told_last and told_last[0].event.revised == revised:
        return {**row, "refused": "The buyer was told this already."}
    return {**row, "kind": plan.kind.value, "send_by": plan.send_by, "reply_by": plan.reply_by}


def _merged(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines of one order that share all but themselves are one notice."""
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in told:
        key = tuple(one[name] for name in ("order_id", "kind", "send_by", "reply_by", "refused"))
        if key in merged:
            merged[key]["lines"] += one["lines"]
            merged[key]["units"] += one["units"]
        else:
            merged[key] = dict(one)
    return list(merged.values())


def _by_order(sending: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    orders: dict[str, list[str]] = {}
    for one in sending:
        orders.setdefault(one["order_id"], []).extend(one["lines"])
    return orders


PROPOSED = f"""
SELECT p.order_id, p.order_line_id, (SELECT k.data->>'proposed' FROM promise_events k WHERE k.tenant_id = :tenant
    AND k.order_id = p.order_id AND k.order_line_id = p.order_line_id AND k.kind = 'late_known'
    ORDER BY k.id DESC LIMIT 1) AS day
FROM promises p WHERE p.tenant_id = :tenant AND p.order_line_id = ANY(:lines) AND {UNDECIDED} ORDER BY p.order_id
"""


def approve(scope: Scope, line_ids: Sequence[UUID]) -> tuple[int, int]:
    """A person agrees to the dates Kept proposes for these lines: their buyers are told after the commit, order by
    order. Returns how many orders that are, and how many of the lines have nothing to decide (any more)."""
    rows = scope.rows(PROPOSED, lines=list(line_ids), now=scope.now())
    acts: dict[tuple[UUID, str | None], list[str]] = {}
    for row in rows:
        acts.setdefault((row.order_id, row.day), []).append(str(row.order_line_id))
    if acts:
        scope.all_later(
            REVISE,
            [
                (order, {"lines": own, "revised": day, "reason": LATE_REASON})
                for (order, day), own in acts.items()
            ],
        )
        audit.record(scope, "promises.approved", formats.plural(len(rows), "line"))
    return len({order for order, _ in acts}), len(set(line_ids)) - len(rows)


def send(
    scope: Scope, order_id: UUID, *, lines: Sequence[str], revised: str | None, reason: str, **_: Any
) -> None:
    """Tell one order's buyer. What has shipped or ended meanwhile is left out, and told to nobody."""
    lock(scope, order_id)
    wanted, now = {UUID(line) for line in lines}, scope.now()
    still = [one.line.id for one in standings(scope, order_id) if one.line.id in wanted and one.lives(now)]
    day = date.fromisoformat(revised) if revised else None
    if not still:
        return
    try:
        with scope.session.begin_nested():
            send_delay_notice(scope, order_id, still, day, reason)
    except Problem as problem:
        events.tell(scope, order_id, events.NOTICE_FAILED, kind="delay", reason=problem.detail)
