"""Sign up, and the proof of the address that opens the business."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from app import browser
from app.accounts import doors, mails
from app.forms import Form
from app.page_context import home_url
from app.routing.documents import default_document
from app.web import account_page, public_page, visit
from app.zones import ZONE_CODES, ZONES
from infra import settings
from infra.errors import Problem
from tenants import accounts, links, sessions
from tenants.accounts import Account
from tenants.scope import directory

blueprint = Blueprint("sign_up", __name__, template_folder="templates")

FIRST_STEPS = "/onboarding"


@blueprint.get("/sign-up")
@public_page()
def form() -> Any:
    """The form."""
    if browser.visit() is not None:
        return redirect(home_url(), 303)
    return render_template("accounts/sign_up.html", form=Form(), zones=ZONES)


@blueprint.post("/sign-up")
@public_page()
def send() -> Any:
    """Make the account and mail the link; an address that has an account gets another mail and the same page."""
    form = Form(request.form)
    name = form.text("name", "Enter your name.")
    business = form.text("business", "Enter the name your buyers know.")
    email = form.email("email")
    password = form.new_password("password", email, name, business)
    zone = form.choice("zone", ZONE_CODES)
    if form.has_faults:
        return form.again("accounts/sign_up.html", zones=ZONES)
    doors.count_mail("sign-up", email)
    with directory() as database:
        account = accounts.sign_up(database, email=email, name=name, password=password)
    doors.remember(email=email, business=business, zone=zone, account=_mark(account))
    _send_mail(account, business, zone)
    return redirect("/sign-up/sent", 303)


def _mark(account: Account) -> str:
    """Lets the browser that chose the password skip typing it again. Looks the same for an existing account."""
    subject = secrets.token_hex(16) if account.is_verified else f"{account.id}:{account.fingerprint}"
    key = settings.current().secret_key.encode()
    return hmac.new(key, f"signed-up:{subject}".encode(), hashlib.sha256).hexdigest()


def _send_mail(account: Account, business: str, zone: str) -> None:
    if account.is_verified:
        mails.send_known(account)
    else:
        mails.send_verification(account, business, zone)


@blueprint.get("/sign-up/sent")
@public_page()
def sent() -> Any:
    """Look into your mail; or have it sent again."""
    known = doors.remembered()
    if "email" not in known:
        return redirect("/sign-up", 303)
    return render_template("accounts/sent.html", email=known["email"], again=request.args.get("again") == "1")


@blueprint.post("/sign-up/again")
@public_page()
def again() -> Any:
    """The mail once more."""
    known = doors.remembered()
    if "email" not in known:
        return redirect("/sign-up", 303)
    doors.count_mail("sign-up", known["email"])
    with directory() as database:
        account = accounts.find(database, known["email"])
    if account is not None:
        _send_mail(account, known["business"], known["zone"])
    return redirect("/sign-up/sent?again=1", 303)


@blueprint.get("/verify/<token>")
@public_page()
def confirm(token: str) -> Any:
    """One button: a mail reader that opens links by itself must not prove anything."""
    _, account = _read(token)
    if account.is_verified:
        return redirect("/log-in", 303)
    return render_template(
        "accounts/verify.html", form=Form(), email=account.email, ask=not _is_same_browser(account)
    )


@blueprint.post("/verify/<token>")
@public_page()
def verify(token: str) -> Any:
    """The address is proven: open the business, log in, and go to the first steps.

    In a browser other than the one that signed up, the password is asked for: whoever opens a mail they did not
    ask for must not end up in an account prepared by a stranger.
    """
    facts, account = _read(token)
    if not _is_same_browser(account):
        doors.count_attempt("log-in", account.email)
        form = Form(request.form)
        with directory() as database:
            if not accounts.is_password(database, account.id, form.value("password")):
                form.errors["password"] = (
                    "This is not the password chosen at sign-up. A new one can be chosen below."
                )
        if form.has_faults:
            return form.again("accounts/verify.html", email=account.email, ask=True)
    with directory() as database:
        accounts.verify(database, account.id, facts["password"])
    if not facts["business"]:
        return doors.enter(account.id)
    tenant_id = _open(account.id, facts["business"], facts["zone"])
    return doors.enter(account.id, tenant_id=tenant_id, to=FIRST_STEPS)


def _read(token: str) -> tuple[dict[str, Any], Account]:
    facts = links.read(links.VERIFY, token)
    with directory() as database:
        account = accounts.get(database, UUID(facts["account"]))
    if account is None or (not account.is_verified and account.fingerprint != facts["password"]):
        raise accounts.overtaken()
    return facts, account


def _is_same_browser(account: Account) -> bool:
    return not account.is_verified and hmac.compare_digest(
        doors.remembered().get("account", ""), _mark(account)
    )


def _open(account_id: UUID, business: str, zone: str) -> UUID:
    rules = default_document()
    return accounts.open_first_merchant(account_id, business, timezone=zone, first_rules=rules)


@blueprint.get("/start")
@account_page()
def start() -> Any:
    """For a person without any tenant: name the business."""
    if _has_tenants():
        return redirect("/tenants", 303)
    return render_template("accounts/start.html", form=Form(), zones=ZONES)


@blueprint.post("/start")
@account_page()
def open_business() -> Any:
    """Open it, and work in its sandbox."""
    form = Form(request.form)
    business = form.text("business", "Enter the name your buyers know.")
    zone = form.choice("zone", ZONE_CODES)
    if form.has_faults:
        return form.again("accounts/start.html", zones=ZONES)
    account_id = visit().account_id
    assert account_id is not None
    with directory() as database:
        account = accounts.get(database, account_id)
    if account is None or not account.is_verified:
        raise Problem(403, "unverified-address", "Confirm your email address first.")
    return _into(_open(account_id, business, zone))


def _into(tenant_id: UUID) -> Response:
    with directory() as database:
        sessions.choose_tenant(database, visit().session_id, tenant_id)
    return redirect(FIRST_STEPS, 303)


def _has_tenants() -> bool:
    account_id = visit().account_id
    assert account_id is not None
    with directory() as database:
        return bool(accounts.tenants_of(database, account_id))
