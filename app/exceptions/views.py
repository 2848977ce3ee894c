"""The exception queue as a page: why an order has no place, and the acts that clear it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.entries import address
from app.exceptions import queries, replies, service, waiting
from app.notices import inbound
from app.pages import register_nav, toast
from app.pages.formats import plural
from app.shapes import identifier
from app.web import page
from infra.errors import Problem, invalid
from tenants.scope import current

blueprint = Blueprint("exception_pages", __name__, template_folder="templates")
register_nav("", "Exceptions", "exception_pages.queue", "alert-triangle", permission="orders:read", order=24)

MOST = 100
STATES = {"open": "To decide", "closed": "Decided"}
KINDS = {
    "nowhere": "No place can send it",
    "cycles": "Refused too often",
    "cancel": "Its rule has it canceled",
    "gone": "Left although canceled by law",
}
OWNERS = {"me": "Mine", "none": "Nobody’s"}
DONE = {
    "route": "{} has a place now.",
    "assign": "{} is given to the node.",
    "backorder": "{} waits for stock.",
    "cancel": "What waited of {} is canceled.",
    "settle": "{} is noted as settled.",
}
OWNED = {"take": "You look after {}.", "leave": "Nobody looks after {} any more."}
TOLD_BELOW = ("stuck", "notice")
"""Causes that have lists of their own on this page."""
TOLD = 2
"""Reasons that a message names; the rows stay in the list with theirs."""


@blueprint.get("/exceptions", endpoint="queue")
@page("orders:read")
def queue() -> str:
    """What needs a person, orders that routing left to one, and work at nodes that cannot do it."""
    return _queue_page()


def _queue_page(problem: Problem | None = None) -> str:
    scope = current()
    now = scope.now()
    chosen = _chosen()
    state, kind, owner = chosen.get("state", "open"), chosen.get("kind", ""), chosen.get("owner", "")
    found = queries.to_decide(
        scope, state, MOST, kind=kind, owner={"me": str(scope.actor), "none": ""}.get(owner)
    )
    is_whole = state == "open" and not kind and not owner
    urgent, urgent_total = waiting.found(scope, now, MOST, TOLD_BELOW) if is_whole else ([], 0)
    return render_template(
        "exceptions/queue.html",
        urgent=[waiting.described(row, now) for row in urgent],
        urgent_total=urgent_total,
        found=found,
        chosen=chosen,
        state=state,
        kind=kind,
        owner=owner,
        states=STATES,
        kinds=KINDS,
        owners=OWNERS,
        counts=queries.counts(scope),
        of_kind=queries.kinds(scope),
        holders=queries.holders(scope, [one.order_id for one in found]) if state == "open" else {},
        strained=queries.strained(scope, MOST),
        me=str(scope.actor),
        soon=now + timedelta(days=1),
        address=address,
        replies=inbound.to_read(scope, MOST),
        undelivered=queries.undelivered(scope, MOST),
        problem=problem,
    )


def _chosen() -> dict[str, Any]:
    """The filters of the list that the address names; what is not known is none."""
    known = {"state": STATES, "kind": KINDS, "owner": OWNERS}
    return {name: value for name, value in request.args.items() if value in known.get(name, {})}


@blueprint.post("/exceptions", endpoint="bulk")
@page("orders:write")
def bulk() -> Response:
    """Decide the selected ones in the same way, or say who looks after them; what cannot be is skipped and told."""
    action, scope = request.form.get("action", ""), current()
    ids = sorted({identifier(value) for value in request.form.getlist("ids")})
    if not ids or len(ids) > MOST or action not in (*DONE, *OWNED) or action == "assign":
        raise invalid("/ids", f"Select up to {MOST} exceptions, then choose what to do with them.")
    if action in OWNED:
        count = service.own(scope, ids, str(scope.actor) if action == "take" else "")
        late = len(ids) - count
        left = f" Not open any more: {late:,}." if late else ""
        toast(
            f"{OWNED[action].format(plural(count, 'exception')) if count else 'Nothing was changed.'}{left}"
        )
    else:
        done, skipped = service.resolve_all(scope, ids, action)
        told = [f"{order}: {reason}" for order, reason in skipped[:TOLD]]
        more = f" And {len(skipped) - TOLD:,} more." if len(skipped) > TOLD else ""
        left = f" {len(skipped):,} skipped. {' '.join(told)}{more}" if skipped else ""
        toast(f"{plural(done, 'exception')} decided.{left}")
    return _back()


@blueprint.post("/exceptions/<exception_id>", endpoint="resolve")
@page("orders:write")
def resolve(exception_id: str) -> Any:
    """Decide one; a refusal is told and changes nothing."""
    action = request.form.get("action", "")
    if action not in DONE:
        action = "assign" if request.form.get("node") else "route"
    node = request.form.get("node") or None
    scope = current()
    try:
        with scope.session.begin_nested():  # a refusal is told on a page that is committed
            decided = service.resolve(
                scope, identifier(exception_id), action, node if action == "assign" else None
            )
    except Problem as problem:
        if problem.status == 404:
            raise
        return _queue_page(problem), problem.status
    toast(DONE[action].format(decided["order"]))
    return _back()


def _back() -> Response:
    """To the list that was acted on, as it was filtered: what needs a person stands above it and may be long."""
    return redirect(url_for("exception_pages.queue", _anchor="list", **_chosen()), 303)


READ = {
    "consent": "Recorded: the buyer agrees to wait.",
    "cancel": "Recorded: the buyer cancels.",
    "read": "Marked as read.",
}


@blueprint.post("/exceptions/replies/<mail_id>", endpoint="reply")
@page("orders:write")
def reply(mail_id: str) -> Any:
    """Say what a buyer's reply means; a refusal is told and changes nothing."""
    decision = request.form.get("decision", "")
    scope = current()
    try:
        with scope.session.begin_nested():
            replies.decide(scope, identifier(mail_id), decision)
    except Problem as problem:
        if problem.status == 404:
            raise
        return _queue_page(problem), problem.status
    toast(READ[decision])
    return redirect(url_for("exception_pages.queue"), 303)
