"""The mails of accounts: each is one link. Sent after the transaction, never inside one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from flask import render_template

from app.notices.compose import render
from app.notices.facts import InvitationFacts, ResetPasswordFacts, VerifyEmailFacts
from infra import mailer, settings
from infra.ids import new_id
from infra.mailer import Mail, Refused, Undelivered
from tenants import audit, links, members
from tenants.accounts import Account
from tenants.scope import Scope

log = structlog.get_logger()
ROLE_WORDS = {
    "owner": "an owner",
    "manager": "a manager",
    "agent": "an agent",
    "picker": "a picker",
    "analyst": "an analyst",
}


def send_verification(account: Account, business: str, zone: str) -> bool:
    """The link that proves the address and opens the business. False when no mail could be sent."""
    token = links.sign(
        links.VERIFY,
        account=str(account.id),
        password=account.fingerprint,
        business=business,
        zone=zone,
    )
    facts = VerifyEmailFacts(
        email=account.email,
        url=_address(f"/verify/{token}"),
        expires=links.IN_WORDS[links.VERIFY],
        name=account.name,
    )
    return _send(account.email, facts)


def send_known(account: Account) -> bool:
    """To the owner of an address with which somebody signed up again."""
    values = {"account": account, "log_in": _address("/log-in"), "reset": _address("/forgot-password")}
    return _delivered(
        account.email,
        "You already have an account with Kept",
        render_template("accounts/mail_known.txt", **values),
        render_template("accounts/mail_known.html", **values),
    )


def send_reset(account: Account) -> bool:
    """The link to a new password; it works once, because it dies with the old one."""
    token = links.sign(links.RESET, account=str(account.id), password=account.fingerprint)
    facts = ResetPasswordFacts(
        email=account.email, url=_address(f"/reset-password/{token}"), expires=links.IN_WORDS[links.RESET]
    )
    return _send(account.email, facts)


def _send(to: str, facts: VerifyEmailFacts | ResetPasswordFacts) -> bool:
    rendered = render(facts)
    return _delivered(to, rendered.subject, rendered.text, rendered.html)


def _delivered(to: str, subject: str, text: str, html: str) -> bool:
    try:
        mailer.send(Mail(to, subject, text, html, message_id=f"account-{new_id()}"))
    except (Refused, Undelivered) as error:
        log.warning("mail.not_sent", subject=subject, error=str(error))
        return False
    return True


def _address(path: str) -> str:
    return settings.current().public_url.rstrip("/") + path


@dataclass(frozen=True)
class InvitationMail:
    """An invitation's mail, ready to send."""

    row_id: UUID
    facts: InvitationFacts


def begin_invitation(scope: Scope, subject_id: UUID, **_: Any) -> InvitationMail | None:
    """The mail of an invitation; None when it was withdrawn or accepted meanwhile."""
    invitation = members.invitation(scope, subject_id)
    if invitation is None:
        return None
    token = links.sign(links.INVITATION, tenant=str(scope.tenant_id), invitation=str(invitation.id))
    facts = InvitationFacts(
        email=invitation.email,
        url=_address(f"/invitations/{token}"),
        expires=links.IN_WORDS[links.INVITATION],
        tenant=scope.tenant.name,
        inviter=invitation.invited_by,
        role=ROLE_WORDS[invitation.role],
    )
    return InvitationMail(invitation.id, facts)


def send_invitation(mail: InvitationMail) -> bool:
    """Send it. False when the address refuses for good; Undelivered is raised, and the outbox tries again."""
    rendered = render(mail.facts)
    message_id = f"invitation-{mail.row_id}"
    try:
        mailer.send(Mail(mail.facts.email, rendered.subject, rendered.text, rendered.html, message_id))
    except Refused as refusal:
        log.warning("invitation.refused", invitation=str(mail.row_id), error=str(refusal))
        return False
    return True


def finish_invitation(scope: Scope, mail: InvitationMail, taken: bool) -> None:
    """An address that takes no mail is written down, where who invited it finds it."""
    if not taken:
        audit.record(scope, "invitation.undeliverable", mail.facts.email)
