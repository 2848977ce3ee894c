"""A person's own pages: which tenant to work in, their sessions, name and password."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from app.accounts import doors
from app.accounts.devices import device
from app.forms import Form
from app.page_context import home_url
from app.pages import toast
from app.web import account_page, visit
from infra.errors import not_found
from tenants import accounts, members, sessions
from tenants.scope import directory

blueprint = Blueprint("account", __name__)


def _own_id() -> UUID:
    account_id = visit().account_id
    assert account_id is not None
    return account_id


@blueprint.get("/tenants")
@account_page()
def tenants() -> Any:
    """Choose where to work; with one tenant there is nothing to choose."""
    choices = members.choices(_own_id())
    if not choices:
        return redirect("/start", 303)
    return render_template("accounts/tenants.html", choices=choices, current=visit().tenant_id)


@blueprint.post("/tenants/<uuid:tenant_id>")
@account_page()
def switch(tenant_id: UUID) -> Response:
    """Work there. Raises 404 for a tenant this account does not belong to."""
    with directory() as database:
        if tenant_id not in accounts.tenants_of(database, _own_id()):
            raise not_found("tenant")
        sessions.choose_tenant(database, visit().session_id, tenant_id)
    return redirect(home_url(), 303)


@blueprint.get("/account")
@account_page()
def show() -> Any:
    """Name, password, and where this person is logged in."""
    return _draw(Form())


def _draw(form: Form, status: int = 200) -> Any:
    with directory() as database:
        account = accounts.get(database, _own_id())
        found = sessions.listed(database, _own_id())
    current = visit().session_id
    rows = [{"row": row, "device": device(row.user_agent), "current": row.id == current} for row in found]
    return form.again("accounts/account.html", status, account=account, sessions=rows)


@blueprint.post("/account/password")
@account_page()
def password() -> Any:
    """A new password, given the old one; every other browser is logged out."""
    form = Form(request.form)
    doors.count_attempt("log-in", visit().email)
    with directory() as database:
        if not accounts.is_password(database, _own_id(), form.value("current")):
            form.errors["current"] = (
                "This is not your password. If you forgot it, log out and ask for a link."
            )
    chosen = form.new_password("password", visit().email, visit().name)
    if form.has_faults:
        return _draw(form, 422)
    with directory() as database:
        accounts.change_password(database, _own_id(), chosen, keep=visit().session_id)
    toast("Password changed. Other browsers are logged out.")
    return redirect("/account", 303)


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@account_page()
def end(session_id: UUID) -> Response:
    """Log one browser out."""
    with directory() as database:
        if not sessions.revoke_of(database, _own_id(), session_id):
            raise not_found("session")
    toast("That browser is logged out.")
    return redirect("/account", 303)


@blueprint.post("/account/sessions/end-others")
@account_page()
def end_others() -> Response:
    """Log every other browser out."""
    with directory() as database:
        ended = sessions.revoke_all(database, _own_id(), but=visit().session_id)
    toast("1 other browser is logged out." if ended == 1 else f"{ended} other browsers are logged out.")
    return redirect("/account", 303)
