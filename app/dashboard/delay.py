"""Sending a delay notice: choose the lines and the new date, read what the buyer will read, then send it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.orders.shapes import order_number
from app.pages import formats, toast
from app.promises.service import send_delay_notice
from app.promises.standing import standings
from app.promises.vocabulary import LIVE
from app.shapes import identifier
from app.web import page
from infra.errors import Problem, not_found
from tenants.scope import Scope, current

blueprint = Blueprint("delay_pages", __name__, template_folder="templates")
REASON = "It is taking longer than we expected to get this ready for you."


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
        "reason": REASON,
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
        drafts = _preview(scope, order_id, chosen, revised, values["reason"])
    except Problem as problem:
        return make_response(_shown(scope, order_id, lines, values, errors={"": problem.detail}), 422)
    return make_response(_shown(scope, order_id, lines, values, drafts=drafts))


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


def _preview(scope: Scope, order_id: UUID, lines: list[UUID], revised: date | None, reason: str) -> list[Any]:
    """What would be sent: the real verb, undone."""
    scope.execute("SAVEPOINT preview")
    try:
        ids = send_delay_notice(scope, order_id, lines, revised, reason)
        return scope.rows(
            "SELECT subject, body_text, recipient, facts FROM notices WHERE tenant_id = :tenant AND id = ANY(:ids)"
            " ORDER BY id",
            ids=ids,
        )
    finally:
        scope.execute("ROLLBACK TO SAVEPOINT preview")


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
    drafts: list[Any] | None = None,
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
        drafts=drafts or [],
    )
