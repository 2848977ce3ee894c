"""Logging in with a password, logging out, and a new password by mail."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from app import browser
from app.accounts import doors, mails
from app.forms import Form
from app.page_context import home_url
from app.web import public_page
from infra import settings
from infra.errors import Problem
from tenants import accounts, links
from tenants.accounts import Account
from tenants.scope import directory

blueprint = Blueprint("log_in", __name__)
WRONG = "Email and password do not match."


@blueprint.get("/log-in")
@public_page()
def form() -> Any:
    """The form; who is logged in goes on."""
    if browser.visit() is not None:
        return redirect(doors.own_path(request.args.get("next", "")) or home_url(), 303)
    return _draw(Form({"next": request.args.get("next", "")}))


def _draw(form: Form, status: int = 200) -> Any:
    with_sso = bool(settings.current().oidc_issuer)
    return form.again("accounts/log_in.html", status, with_sso=with_sso)


@blueprint.post("/log-in")
@public_page()
def send() -> Any:
    """Check, and go on. The answer is the same for a wrong password and for an address nobody has."""
    form = Form(request.form)
    email, password = form.value("email").strip(), form.value("password")
    try:
        doors.count_attempt("log-in", email)
    except Problem as problem:
        form.refused(problem)
        return _draw(form, 429)
    with directory() as database:
        account = accounts.log_in(database, email, password)
    if account is None:
        form.problems.append(WRONG)
        return _draw(form, 422)
    if not account.is_verified:
        return _prove_first(account)
    return doors.enter(account.id, to=form.value("next"))


def _prove_first(account: Account) -> Response:
    """Right password, unproven address: the mail again. The business can be named after the proof."""
    doors.count_mail("sign-up", account.email)
    doors.remember(email=account.email, business="", zone="America/New_York")
    mails.send_verification(account, "", "America/New_York")
    return redirect("/sign-up/sent", 303)


@blueprint.post("/log-out")
@public_page()
def log_out() -> Response:
    """End this browser's session."""
    browser.log_out()
    return redirect("/log-in", 303)


@blueprint.get("/forgot-password")
@public_page()
def forgotten() -> Any:
    """Where to send the link."""
    return render_template("accounts/forgot.html", form=Form({"email": request.args.get("email", "")}))


@blueprint.post("/forgot-password")
@public_page()
def send_link() -> Any:
    """Mail the link if there is such an account; say the same either way."""
    form = Form(request.form)
    email = form.email("email")
    if form.has_faults:
        return form.again("accounts/forgot.html")
    doors.count_mail("reset", email)
    with directory() as database:
        account = accounts.find(database, email)
    if account is not None:
        mails.send_reset(account)
    return render_template("accounts/forgot_sent.html", email=email)


@blueprint.get("/reset-password/<token>")
@public_page()
def new_password(token: str) -> Any:
    """The form behind the link."""
    _, account = _read(token)
    return render_template("accounts/reset.html", form=Form(), email=account.email)


@blueprint.post("/reset-password/<token>")
@public_page()
def set_password(token: str) -> Any:
    """Set it, end every session, and log in here."""
    facts, account = _read(token)
    form = Form(request.form)
    password = form.new_password("password", account.email, account.name)
    if form.has_faults:
        return form.again("accounts/reset.html", email=account.email)
    with directory() as database:
        accounts.choose_password(database, account.id, password, fingerprint=facts["password"])
    return doors.enter(account.id)


def _read(token: str) -> tuple[dict[str, Any], Account]:
    facts = links.read(links.RESET, token)
    with directory() as database:
        account = accounts.get(database, UUID(facts["account"]))
    if account is None or account.fingerprint != facts["password"]:
        raise accounts.overtaken()
    return facts, account
