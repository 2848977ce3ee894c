"""The exception queue as a page: why an order has no place, and the acts that clear it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from app.exceptions import queries, replies, service
from app.notices import inbound
from app.pages import register_nav, toast
from app.shapes import identifier
from app.web import page
from infra.errors import Problem
from tenants.scope import current

blueprint = Blueprint("exception_pages", __name__, template_folder="templates")
register_nav(
    "Supply", "Exceptions", "exception_pages.queue", "alert-triangle", permission="orders:read", order=50
)

MOST = 100
STATES = {"open": "To decide", "closed": "Decided"}
DONE = {
    "route": "It has a place now.",
    "assign": "The node has been given the work.",
    "backorder": "It waits for stock.",
    "cancel": "What waited is canceled.",
}


@blueprint.get("/exceptions", endpoint="queue")
@page("orders:read")
def queue() -> str:
    """Orders that routing left to a person, and work at nodes that cannot do it."""
    scope = current()
    asked = request.args.get("state", "open")
    state = asked if asked in STATES else "open"
    found = queries.to_decide(scope, state, MOST)
    return render_template(
        "exceptions/queue.html",
        found=found,
        state=state,
        states=STATES,
        counts=queries.counts(scope),
        holders=queries.holders(scope, [one.order_id for one in found]) if state == "open" else {},
        strained=queries.strained(scope, MOST),
        replies=inbound.to_read(scope, MOST),
        undelivered=queries.undelivered(scope, MOST),
    )


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
            service.resolve(scope, identifier(exception_id), action, node if action == "assign" else None)
    except Problem as problem:
        if problem.status == 404:
            raise
        toast(problem.detail)
    else:
        toast(DONE[action])
    return redirect(url_for("exception_pages.queue"), 303)


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
        toast(problem.detail)
    else:
        toast(READ[decision])
    return redirect(url_for("exception_pages.queue"), 303)
