"""The page behind an invitation's link: join as who you are, or make an account on the way."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from app import browser
from app.accounts import doors
from app.accounts.mails import ROLE_WORDS
from app.forms import Form
from app.page_context import home_url
from app.web import public_page
from infra.errors import Problem
from tenants import accounts, links, members, sessions
from tenants.scope import directory, inside, opened
from tenants.sessions import Visit

blueprint = Blueprint("invitations", __name__)


class Offer:
    """An invitation, and how the person before the screen stands to it."""

    def __init__(self, token: str) -> None:
        """Raises Problem 404 when the link is not good (any more)."""
        facts = links.read(links.INVITATION, token)
        self.token, self.tenant_id, self.id = token, UUID(facts["tenant"]), UUID(facts["invitation"])
        with opened(self.tenant_id) as scope:
            found = members.invitation(scope, self.id)
            self.tenant = scope.tenant.name
        if found is None:
            raise Problem(
                404,
                "invitation-over",
                "It was accepted, withdrawn or replaced. Ask whoever invited you for a new one.",
                title="This invitation is over",
            )
        self.email, self.role, self.inviter = found.email, ROLE_WORDS[found.role], found.invited_by
        self.visitor = browser.visit()
        with directory() as database:
            account = accounts.find(database, self.email)
        self.has_account = account is not None and account.is_verified

    @property
    def is_for_visitor(self) -> bool:
        """Whether the logged-in person has the invited address."""
        return self.visitor is not None and self.visitor.email.casefold() == self.email.casefold()


@blueprint.get("/invitations/<token>")
@public_page()
def show(token: str) -> Any:
    """Who invites, to what, and the one thing to do."""
    return render_template("accounts/invitation.html", offer=Offer(token), form=Form())


@blueprint.post("/invitations/<token>")
@public_page()
def accept(token: str) -> Any:
    """Join with the account that is logged in, or with a new one."""
    offer = Offer(token)
    if offer.is_for_visitor and offer.visitor is not None:
        return _join(offer, offer.visitor)
    if offer.visitor is not None or offer.has_account:
        return redirect(f"/invitations/{token}", 303)
    form = Form(request.form)
    name = form.text("name", "Enter your name.")
    password = form.new_password("password", offer.email, name)
    if form.has_faults:
        return form.again("accounts/invitation.html", offer=offer)
    with inside(offer.tenant_id, request_id=request.headers.get("X-Request-Id", "")[:64]) as scope:
        account_id = accounts.join(scope.session, email=offer.email, name=name, password=password)
        members.accept(scope, offer.id, account_id)
    return doors.enter(account_id, tenant_id=offer.tenant_id)


def _join(offer: Offer, visitor: Visit) -> Response:
    assert visitor.account_id is not None
    with inside(offer.tenant_id) as scope:
        members.accept(scope, offer.id, visitor.account_id)
        sessions.choose_tenant(scope.session, visitor.session_id, offer.tenant_id)
    return redirect(home_url(), 303)
