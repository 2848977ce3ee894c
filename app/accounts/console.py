"""The console's door: a password with the embedded parts only, single sign-on otherwise."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from app import browser
from app.accounts import doors
from app.accounts.log_in import WRONG
from app.forms import Form
from app.web import public_page
from infra import settings
from infra.errors import Problem
from tenants import staff
from tenants.scope import directory

blueprint = Blueprint("console_door", __name__)


@blueprint.get("/console/log-in")
@public_page()
def form() -> Any:
    """The form, or the way to the identity provider."""
    if browser.staff_visit() is not None:
        return redirect(doors.CONSOLE, 303)
    return _draw(Form())


def _draw(form: Form, status: int = 200) -> Any:
    return form.again("accounts/console_log_in.html", status, with_sso=_has_sso())


def _has_sso() -> bool:
    return bool(settings.current().operator_oidc_issuer)


@blueprint.post("/console/log-in")
@public_page()
def send() -> Any:
    """Check the password; there is none where single sign-on is set."""
    if _has_sso():
        abort(404)
    form = Form(request.form)
    email = form.value("email").strip()
    try:
        doors.count_attempt("console", email)
    except Problem as problem:
        form.refused(problem)
        return _draw(form, 429)
    with directory() as database:
        staff_id = staff.log_in(database, email, form.value("password"))
    if staff_id is None:
        form.problems.append(WRONG)
        return _draw(form, 422)
    return doors.enter_console(staff_id)


@blueprint.post("/console/log-out")
@public_page()
def log_out() -> Response:
    """End this browser's console session."""
    browser.log_out(staff=True)
    return redirect("/console/log-in", 303)
