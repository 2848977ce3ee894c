"""The Promises board as pages: the list, its file, the calendar, what waits for a decision, and many at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for

from app.calendar import local_date
from app.entries import address, csv_file
from app.forms import Form
from app.pages import Badge, formats, register_nav, toast
from app.promises import bulk, listing, queries
from app.promises.drafts import drafts
from app.promises.listing import KINDS, PAGE_SIZE, Filters
from app.promises.revisions import LATE_REASON, automatic
from app.shapes import identifier, instant
from app.web import page
from infra.errors import Problem
from tenants.scope import Scope, current

blueprint = Blueprint("promise_pages", __name__, template_folder="templates")
MOST_SHOWN = 50
SECOND = timedelta(seconds=1)
"""A deadline is the first instant too late; people are told the last one in time."""


def _badge() -> Badge | None:
    """Lines past their deadline, but not on the board, which says it larger."""
    if request.path.startswith("/promises"):
        return None
    late = queries.late_now(current())
    return Badge(late, hot=late > 0)


register_nav(
    "", "Promises", "promise_pages.list", "heart-handshake", permission="orders:read", order=22, badge=_badge
)


@blueprint.get("/promises", endpoint="list")
@page("orders:read")
def list_promises() -> str:
    """A page of promises, with the figures of today and of each view."""
    scope, filters = current(), Filters.read(request.args)
    found, counts = listing.page(scope, filters), queries.counts(scope)
    return render_template(
        "promises/list.html",
        filters=filters,
        rows=found.rows,
        found=found,
        start=max(1, request.args.get("at", 1, type=int) or 1),
        page_size=PAGE_SIZE,
        counts=counts,
        most_counted=queries.MOST_COUNTED,
        figures=_figures(scope, counts),
        views=listing.VIEWS,
        states=listing.STATES,
        notices=listing.NOTICES,
        automatic=automatic(scope),
        delay_url=lambda order_id: address("delay_pages.form", order_id=UUID(order_id)),
        may_act=scope.actor.may("orders:write"),
    )


def _figures(scope: Scope, counts: dict[str, int]) -> list[dict[str, Any]]:
    """The figures over list and calendar; each leads to its lines."""
    shown = (
        ("due_today", "Due today", "due", "to ship by tonight"),
        ("at_risk", "At risk", "risk", "no date in time"),
        ("late", "Late", "late", "past the deadline"),
        ("waiting", "Waiting for the buyer", "due", "asked, not answered"),
        ("refund", "Refunds due", "risk", "still to give back"),
    )
    kept = {"label": "Kept today", "value": formats.number(queries.kept_today(scope)), "s": "kept"}
    return [kept | {"word": "shipped in time", "url": ""}] + [
        {
            "label": label,
            "value": formats.number(counts[view]) + ("+" if counts[view] >= queries.MOST_COUNTED else ""),
            "s": s if counts[view] else "",
            "word": words,
            "note": "none" if not counts[view] else "",
            "url": url_for("promise_pages.list", view=view),
        }
        for view, label, s, words in shown
    ]


COLUMNS = (
    "order",
    "buyer",
    "sku",
    "title",
    "units",
    "state",
    "stands",
    "first_deadline",
    "deadline",
    "days_left",
    "expected_ship_at",
    "notice",
    "notice_state",
    "new_ship_by",
    "reply_by",
    "answer",
    "proposed",
    "refund_by",
)


@blueprint.get("/promises/export.csv", endpoint="export")
@page("orders:read")
def export_promises() -> Response:
    """The list as a file, with the same filters."""
    filters = Filters.read(request.args)
    rows = [_cells(row) for row in listing.each(current(), filters)]
    return csv_file(f"promises-{filters.view}", COLUMNS, rows)


def _cells(row: dict[str, Any]) -> list[Any]:
    notice = row["notice"] or {}
    return [
        *(row[name] for name in ("order", "buyer", "sku", "title", "units")),
        row["state"].replace("cancelled", "canceled"),
        row["word"],
        *(_moment(row[name]) for name in ("first_deadline", "deadline")),
        row["days_left"],
        _moment(row["expected_ship_at"]),
        *(notice.get(name) or "" for name in ("kind", "state", "ship_by", "reply_by")),
        row["answer"] or "",
        row["proposed_day"] or ("no date" if row["proposed"] else ""),
        _moment(row["refund_by"]),
    ]


def _moment(value: Any) -> str:
    return "" if value is None else str(instant(value))


@blueprint.get("/promises/calendar", endpoint="calendar")
@page("orders:read")
def calendar() -> str:
    """The deadlines of this week and the next ones, day by day."""
    scope = current()
    first = listing.grid_from(request.args.get("from", ""), local_date(scope.now(), scope.tenant.timezone))
    return render_template(
        "promises/calendar.html",
        grid=listing.grid(scope, first),
        days_of_week=listing.DAYS_OF_WEEK,
        figures=_figures(scope, queries.counts(scope)),
        may_act=scope.actor.may("orders:write"),
    )


# ---- what waits for a person


@blueprint.post("/promises/approvals", endpoint="approve")
@page("orders:write")
def approve() -> Any:
    """Send what Kept proposes for the chosen lines."""
    orders, left = bulk.approve(current(), [identifier(line) for line in request.form.getlist("ids")])
    words = f"{formats.plural(orders, 'buyer')} will be told." if orders else "Nothing was sent."
    if left:
        words += f" {formats.plural(left, 'line')} had nothing to decide any more."
    toast(words)
    return redirect(url_for("promise_pages.list", view="to_decide" if not orders else None), 303)


# ---- many at once


@blueprint.get("/promises/revision", endpoint="revision")
@page("orders:write")
def revision() -> str:
    """A supplier slips: choose the goods, the new date and the reason."""
    form = Form({"sku": request.args.get("sku", "")[:100], "reason": LATE_REASON})
    return _shown(form, [])


@blueprint.post("/promises/revision", endpoint="revise")
@page("orders:write")
def revise() -> Any:
    """Take the chosen lines over (`choose`), preview what their buyers are told, or send it."""
    scope, act = current(), request.form.get("do", "choose")
    lines = list(dict.fromkeys(request.form.getlist("ids")))
    form = Form(request.form)
    if act == "choose":
        form.sent.setdefault("reason", LATE_REASON)
        return _shown(form, lines)
    revised, reason, sku = _asked(form, scope, lines)
    made: dict[str, Any] | None = None
    if not form.has_faults:
        try:
            made = bulk.revise(
                scope,
                revised,
                reason,
                sku=sku or None,
                line_ids=None if sku else [identifier(line) for line in lines],
                preview=act != "send",
            )
        except Problem as problem:
            form.refused(problem, "sku" if sku else "")
    if made is None:
        return _shown(form, lines), 422
    if act == "send":
        toast(f"{formats.plural(made['sent'], 'notice')} on the way.")
        return redirect(url_for("promise_pages.list", sku=sku or None), 303)
    return _shown(form, lines, _preview(scope, made["data"], revised, reason))


def _asked(form: Form, scope: Scope, lines: list[str]) -> tuple[date | None, str, str]:
    """The new day (None: no date can be given), the reason and the SKU; faults stand at their fields."""
    sku = "" if lines else form.text("sku", "Enter the SKU that will be late.", most=100)
    reason = form.text("reason", "Say why in a sentence: the buyers read it.", most=500)
    if form.sent.get("undated"):
        return None, reason, sku
    revised = _day(form.value("ship_by"))
    if revised is None or revised <= local_date(scope.now(), scope.tenant.timezone):
        form.errors["ship_by"] = "Enter a day that is still to come, or say that no date can be given."
    return revised, reason, sku


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given.strip())
    except ValueError:
        return None


def _preview(scope: Scope, told: list[dict[str, Any]], revised: date | None, reason: str) -> dict[str, Any]:
    """What would be sent: how many of which kind to how many buyers, by when, with one letter of each kind."""
    sending = [one for one in told if one["refused"] is None]
    kinds = []
    for kind, (title, silence) in KINDS.items():
        own = [one for one in sending if one["kind"] == kind]
        if own:
            kinds.append(
                {
                    "title": title,
                    "silence": silence,
                    "notices": len(own),
                    "send_by": min(one["send_by"] for one in own) - SECOND,
                    "reply_first": min(one["reply_by"] for one in own) - SECOND,
                    "reply_last": max(one["reply_by"] for one in own) - SECOND,
                    "sample": _sample(scope, own[0], revised, reason),
                }
            )
    return {
        "kinds": kinds,
        "notices": len(sending),
        "buyers": len({one["order_id"] for one in sending}),
        "units": sum(one["units"] for one in sending),
        "rows": [
            {**one, "reply_by": one["reply_by"] and one["reply_by"] - SECOND}
            for one in sorted(told, key=lambda one: one["refused"] is None)[:MOST_SHOWN]
        ],
        "all": len(told),
        "refused": len(told) - len(sending),
        "revised": revised,
    }


def _sample(scope: Scope, one: dict[str, Any], revised: date | None, reason: str) -> dict[str, Any]:
    """The letter of one notice, or why it may not be sent."""
    try:
        made = drafts(
            scope, identifier(one["order_id"]), [identifier(line) for line in one["lines"]], revised, reason
        )
    except Problem as problem:
        return {"fault": problem.detail}
    return {"order": one["order"], "draft": made[0]}


def _shown(form: Form, lines: list[str], preview: dict[str, Any] | None = None) -> str:
    return render_template(
        "promises/revision.html",
        form=form,
        lines=lines,
        preview=preview,
        kinds=KINDS,
        most=MOST_SHOWN,
        address=address,
    )
