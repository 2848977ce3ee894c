"""Delay notices by hand: choose the lines and the new date, read what the buyer will read, then send it; and record
what a buyer answered to a person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.calendar import zone
from app.orders.shapes import order_number
from app.pages import formats, toast
from app.promises.drafts import drafts
from app.promises.queries import asked_by, notice_of
from app.promises.revisions import LATE_REASON
from app.promises.schemas import CHANNELS
from app.promises.service import ANSWERS, answer_delay, send_delay_notice
from app.promises.standing import standings
from app.promises.vocabulary import LIVE
from app.shapes import identifier
from app.web import page
from infra.errors import Problem, not_found
from tenants.scope import Scope, current

blueprint = Blueprint("delay_pages", __name__, template_folder="templates")
ANSWER_WORDS = {
    "consent": "Yes, the buyer will wait",
    "cancel": "Cancel and refund",
    "consent_rider": "Yes, and also if it takes longer",
}


@blueprint.get("/orders/<uuid:order_id>/delay", endpoint="form")
@page("orders:write")
def form(order_id: UUID) -> str:
    """The lines that may be late, ticked, with the day on which they can ship now."""
    scope = current()
    lines = _lines(scope, order_id)
    now = scope.now()
    behind = [one for one in lines if one["expected"] is None or one["expected"] >= one["deadline"]]
    days = [formats.local_day(one["expected"], scope.tenant.timezone) for one in behind if one["expected"]]
    known = max(days) if days and len(days) == len(behind) else None
    values: dict[str, Any] = {
        "lines": {one["id"] for one in behind or lines},
        "revised": known.isoformat()
        if known and known > formats.local_day(now, scope.tenant.timezone)
        else "",
        "reason": LATE_REASON,
    }
    return _shown(scope, order_id, lines, values)


@blueprint.post("/orders/<uuid:order_id>/delay", endpoint="send")
@page("orders:write")
def send(order_id: UUID) -> Response:
    """Preview the notice, or send it."""
    scope = current()
    lines = _lines(scope, order_id)
    values: dict[str, Any] = {
        "lines": {identifier(value) for value in request.form.getlist("line")},
        "revised": request.form.get("revised", "").strip(),
        "reason": request.form.get("reason", "").strip()[:1000],
    }
    errors, revised = _checked(values)
    if errors:
        return make_response(_shown(scope, order_id, lines, values, errors=errors), 422)
    chosen = sorted(values["lines"])
    if request.form.get("do") == "send":
        sent = send_delay_notice(scope, order_id, chosen, revised, values["reason"])
        toast(f"{formats.plural(len(sent), 'notice')} on the way to the buyer.")
        return redirect(url_for("order_pages.detail", order_id=order_id), 303)
    try:
        made = drafts(scope, order_id, chosen, revised, values["reason"])
    except Problem as problem:
        return make_response(_shown(scope, order_id, lines, values, errors={"": problem.detail}), 422)
    return make_response(_shown(scope, order_id, lines, values, made=made))


def _checked(values: dict[str, Any]) -> tuple[dict[str, str], date | None]:
    errors, revised = {}, None
    if not values["lines"]:
        errors["lines"] = "Choose the lines that will be late."
    if not values["reason"]:
        errors["reason"] = "Say why in a sentence: the buyer reads it."
    if values["revised"]:
        try:
            revised = date.fromisoformat(values["revised"])
        except ValueError:
            errors["revised"] = "Enter a day, or leave it empty when none is known."
    return errors, revised


def _lines(scope: Scope, order_id: UUID) -> list[dict[str, Any]]:
    """The order's open lines under a promise. Raises Problem 404."""
    return [
        {
            "id": one.line.id,
            "title": one.line.title,
            "units": one.open_units,
            "expected": one.expected,
            "deadline": one.state.expires_at,
        }
        for one in standings(scope, order_id)
        if one.open_units and one.state.phase in LIVE and one.state.expires_at is not None
    ]


def _shown(
    scope: Scope,
    order_id: UUID,
    lines: list[dict[str, Any]],
    values: dict[str, Any],
    *,
    errors: dict[str, str] | None = None,
    made: list[Any] | None = None,
) -> str:
    order = scope.row("SELECT number FROM orders WHERE tenant_id = :tenant AND id = :id", id=order_id)
    if order is None:
        raise not_found("order")
    return render_template(
        "dashboard/delay.html",
        order_id=order_id,
        number=order_number(order.number),
        lines=lines,
        chosen=values,
        errors=errors or {},
        drafts=made or [],
    )


# ---- an answer given to a person


@blueprint.get("/orders/<uuid:order_id>/delay-answer", endpoint="answer_form")
@page("orders:write")
def answer_form(order_id: UUID) -> str:
    """What the buyer said, to whom and when."""
    return _answer_shown(current(), order_id, {})


@blueprint.post("/orders/<uuid:order_id>/delay-answer", endpoint="answer")
@page("orders:write")
def answer(order_id: UUID) -> Response:
    """Record it. A question is no answer."""
    scope = current()
    names = ("notice", "answer", "channel", "received", "evidence")
    values = {name: request.form.get(name, "").strip()[:2000] for name in names}
    errors, received_at = _answer_checked(values, scope.tenant.timezone)
    if not errors:
        try:
            with scope.session.begin_nested():
                notice = notice_of(scope, order_id, identifier(values["notice"]))
                evidence = {"text": values["evidence"]}
                answer_delay(scope, notice, values["answer"], values["channel"], evidence, received_at)
            toast("The answer is recorded.")
            return redirect(url_for("order_pages.detail", order_id=order_id), 303)
        except Problem as problem:
            errors = {"": problem.detail}
    return make_response(_answer_shown(scope, order_id, values, errors), 422)


def _answer_checked(values: dict[str, str], zone_name: str) -> tuple[dict[str, str], datetime | None]:
    errors, received_at = {}, None
    if values["answer"] not in ANSWERS:
        errors["answer"] = "Choose what the buyer said."
    if values["channel"] not in CHANNELS:
        errors["channel"] = "Choose how it was said."
    if len(values["evidence"]) < 3:
        errors["evidence"] = "Write down the buyer's words, or where the letter or recording is kept."
    if values["received"]:
        try:
            received_at = datetime.fromisoformat(values["received"]).replace(tzinfo=zone(zone_name))
        except ValueError:
            errors["received"] = "Enter a day and a time, or leave it empty for now."
    return errors, received_at


def _answer_shown(
    scope: Scope, order_id: UUID, values: dict[str, str], errors: dict[str, str] | None = None
) -> str:
    order = scope.row("SELECT number FROM orders WHERE tenant_id = :tenant AND id = :id", id=order_id)
    if order is None:
        raise not_found("order")
    return render_template(
        "dashboard/delay_answer.html",
        order_id=order_id,
        number=order_number(order.number),
        notices=asked_by(scope, order_id),
        answers=list(ANSWER_WORDS.items()),
        channels=[(code, code.capitalize()) for code in CHANNELS],
        values=values,
        errors=errors or {},
    )
