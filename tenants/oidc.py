"""Identity providers' persons, as our accounts and our staff. Only addresses the provider calls verified count."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from infra.clock import real_now
from infra.errors import Problem
from infra.ids import new_id
from tenants import accounts, sessions


def account_of(session: Session, issuer: str, claims: dict[str, Any]) -> UUID:
    """The account of a provider's subject: the linked one, else the one with the address, else a new one.

    Raises Problem 403 when the provider has not verified the address and the subject is not linked yet.
    """
    known = session.execute(
        text("SELECT account_id FROM sso_subjects WHERE issuer = :issuer AND subject = :subject"),
        {"issuer": issuer, "subject": claims["sub"]},
    ).scalar_one_or_none()
    if known is not None:
        return known
    account_id = _by_address(session, _verified_address(claims), str(claims.get("name") or ""))
    session.execute(
        text(
            "INSERT INTO sso_subjects (issuer, subject, account_id) VALUES (:issuer, :subject, :account)"
            " ON CONFLICT DO NOTHING"
        ),
        {"issuer": issuer, "subject": claims["sub"], "account": account_id},
    )
    return account_id


def _verified_address(claims: dict[str, Any]) -> str:
    email = str(claims.get("email") or "")
    if claims.get("email_verified") is not True or not accounts.is_address(email):
        raise Problem(
            403,
            "unverified-address",
            "Your identity provider has not verified your email address. Confirm it there, or log in with a password.",
        )
    return email


def _by_address(session: Session, email: str, name: str) -> UUID:
    account = accounts.find(session, email)
    if account is not None and account.is_verified:
        return account.id
    # An unproven account of this address may be a stranger's preparation: its password and sessions go.
    account_id: UUID = session.execute(
        text(
            "INSERT INTO accounts (id, email, name, email_verified_at, created_at)"
            " VALUES (:id, :email, :name, :now, :now) ON CONFLICT (lower(email)) DO UPDATE"
            " SET email_verified_at = EXCLUDED.email_verified_at, password_hash = NULL, name = EXCLUDED.name"
            " RETURNING id"
        ),
        {"id": new_id(), "email": email, "name": name or email.partition("@")[0], "now": real_now()},
    ).scalar_one()
    sessions.revoke_all(session, account_id)
    return account_id


def staff_of(session: Session, issuer: str, claims: dict[str, Any]) -> UUID:
    """The member of platform staff. Nobody becomes staff by logging in: Problem 403 for all others."""
    subject = f"{issuer} {claims['sub']}"
    known = session.execute(
        text("SELECT id FROM staff WHERE sso_subject = :subject"), {"subject": subject}
    ).scalar_one_or_none()
    if known is not None:
        return known
    linked = session.execute(
        text(
            "UPDATE staff SET sso_subject = :subject WHERE lower(email) = lower(:email) AND sso_subject IS NULL"
            " RETURNING id"
        ),
        {"subject": subject, "email": _verified_address(claims)},
    ).scalar_one_or_none()
    if linked is None:
        raise Problem(403, "not-staff", "This person does not work on the console.")
    return linked
