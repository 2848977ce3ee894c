"""The print queue as a page: letters to print, to mail, and to mark as mailed."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for

from app.calendar import local_date
from app.forms import Form
from app.notices import printing
from app.pages import register_nav, toast
from app.pages.formats import plural
from app.shapes import identifier
from app.web import page
from infra.errors import Problem
from tenants.scope import current

blueprint = Blueprint("print_queue", __name__, template_folder="pages")
register_nav("", "Letters", "print_queue.show", "printer", permission="orders:read", order=28)


@blueprint.get("/letters", endpoint="show")
@page("orders:read")
def show() -> Any:
    """Letters that wait, and the last ones mailed."""
    return _draw(Form(), 200)


def _draw(form: Form, status: int = 422) -> Any:
    scope = current()
    return form.again(
        "notices/letters.html",
        status,
        waiting=printing.waiting(scope),
        mailed=printing.mailed(scope),
        today=local_date(scope.now(), scope.tenant.timezone),
    )


@blueprint.get("/letters.pdf", endpoint="pages")
@page("orders:read")
def pages() -> Response:
    """All that wait, or the one named by `?id=`, ready to print."""
    asked = request.args.get("id")
    made = printing.pages(current(), [identifier(asked)] if asked else None)
    name = f"letters-{local_date(current().now(), current().tenant.timezone)}.pdf"
    return Response(
        made, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


@blueprint.post("/letters", endpoint="mailed")
@page("orders:write")
def mailed() -> Any:
    """Mark the picked letters as mailed on a day."""
    form = Form(request.form)
    ids = [identifier(one) for one in request.form.getlist("ids")]
    if not ids:
        form.problems.append("Pick the letters that were mailed.")
    day = _day(form)
    if form.has_faults or day is None:
        return _draw(form)
    return _marked(form, ids, day)


def _day(form: Form) -> date | None:
    try:
        return date.fromisoformat(form.value("day").strip())
    except ValueError:
        form.errors["day"] = "Enter the day on which they were mailed, such as 2026-12-01."
        return None


def _marked(form: Form, ids: list[UUID], day: date) -> Any:
    try:
        count = printing.mark_mailed(current(), ids, day)
    except Problem as problem:
        if problem.status == 404:
            raise
        form.refused(problem, "day" if problem.status == 422 else "")
        return _draw(form, problem.status)
    toast(f"{plural(count, 'letter')} marked as mailed." if count else "They were marked already.")
    return redirect(url_for("print_queue.show"), 303)
