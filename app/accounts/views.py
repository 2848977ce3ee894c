"""The blueprints of the door, and the address without a path."""

from __future__ import annotations

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from app import browser
from app.accounts import account, console, invitations, log_in, onboarding, sign_up, sso
from app.page_context import home_url
from app.web import public_page

root = Blueprint("root", __name__)


@root.get("/")
@public_page()
def front() -> Response:
    """To Home for who is logged in, to the log-in for everybody else."""
    return redirect(home_url() if browser.visit() is not None else "/log-in", 303)


BLUEPRINTS = (
    root,
    sign_up.blueprint,
    log_in.blueprint,
    sso.blueprint,
    invitations.blueprint,
    account.blueprint,
    onboarding.blueprint,
    console.blueprint,
)
