"""Persons: signing up, proving an address, logging in, choosing a password. Real time throughout.

An address counts as a person's only when they proved it, by a link sent there or by an identity provider. What an
unproven account was given (a password, a name) came from a stranger and is dropped when the owner turns up.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from infra.clock import real_now
from infra.errors import Problem
from infra.ids import new_id
from tenants import members, passwords, service, sessions
from tenants.scope import directory

ADDRESS = re.compile(
    r"[^@\s\x00-\x1f\x7f<>(),;:\"\[\]\\]{1,64}@[^@\s\x00-\x1f\x7f<>(),;:\"\[\]\\]+\.[^@\s.]{2,}"
)
MOST_ADDRESS = 254


@dataclass(frozen=True)
class Account:
    """A person who logs in."""

    id: UUID
    email: str
    name: str
    is_verified: bool
    fingerprint: str
    """Of the password now: a link that carries it dies when the password changes."""


def is_address(email: str) -> bool:
    """Whether this can be an email address; only a mail proves that it is one."""
    return len(email) <= MOST_ADDRESS and ADDRESS.fullmatch(email) is not None


def find(session: Session, email: str) -> Account | None:
    """The account with this address, proven or not."""
    row = session.execute(
        text("SELECT * FROM accounts WHERE lower(email) = lower(:email)"), {"email": email}
    ).one_or_none()
    return None if row is None else _account(row)


def get(session: Session, account_id: UUID) -> Account | None:
    """The account with this id."""
    row = session.execute(text("SELECT * FROM accounts WHERE id = :id"), {"id": account_id}).one_or_none()
    return None if row is None else _account(row)


def _account(row: Any) -> Account:
    verified = row.email_verified_at is not None
    return Account(row.id, row.email, row.name, verified, _fingerprint(row.password_hash))


def _fingerprint(password_hash: str | None) -> str:
    return hashlib.sha256((password_hash or "").encode()).hexdigest()[:16]


def sign_up(session: Session, *, email: str, name: str, password: str) -> Account:
    """A new account, its address unproven. An address already proven is left alone: look at `is_verified`."""
    chosen = passwords.hash_password(password)
    session.execute(
        text(
            "INSERT INTO accounts (id, email, name, password_hash, created_at)"
            " VALUES (:id, :email, :name, :hash, :now) ON CONFLICT (lower(email)) DO UPDATE"
            " SET name = EXCLUDED.name, password_hash = EXCLUDED.password_hash"
            " WHERE accounts.email_verified_at IS NULL"
        ),
        {"id": new_id(), "email": email, "name": name, "hash": chosen, "now": real_now()},
    )
    account = find(session, email)
    assert account is not None
    return account


def verify(session: Session, account_id: UUID, fingerprint: str) -> bool:
    """The address is proven by the link. False when it was already; Problem 404 when the link was overtaken."""
    account = get(session, account_id)
    if account is None or (not account.is_verified and account.fingerprint != fingerprint):
        raise overtaken()
    changed = session.execute(
        text(
            "UPDATE accounts SET email_verified_at = :now WHERE id = :id AND email_verified_at IS NULL RETURNING id"
        ),
        {"id": account_id, "now": real_now()},
    ).one_or_none()
    return changed is not None


def overtaken() -> Problem:
    """A signed link whose account changed since."""
    return Problem(
        404,
        "link-overtaken",
        "It was used, or a newer one was sent. Ask for a new one.",
        title="This link works no longer",
    )


def log_in(session: Session, email: str, password: str) -> Account | None:
    """The account when the password is right; the same work for addresses nobody has."""
    row = session.execute(
        text("SELECT * FROM accounts WHERE lower(email) = lower(:email)"), {"email": email}
    ).one_or_none()
    known = None if row is None else row.password_hash
    if not passwords.matches(password, known):
        return None
    assert row is not None
    if passwords.outdated(row.password_hash):
        _set_password(session, row.id, password)
    return get(session, row.id)


def is_password(session: Session, account_id: UUID, password: str) -> bool:
    """Whether this is the account's password."""
    known = session.execute(
        text("SELECT password_hash FROM accounts WHERE id = :id"), {"id": account_id}
    ).scalar_one_or_none()
    return passwords.matches(password, known)


def choose_password(
    session: Session, account_id: UUID, password: str, *, fingerprint: str, name: str | None = None
) -> None:
    """Set the password by a link sent to the address, which proves the address too. Every browser is logged out.

    Raises Problem 404 when the link was used before or the password changed since.
    """
    row = session.execute(
        text("SELECT password_hash FROM accounts WHERE id = :id FOR NO KEY UPDATE"), {"id": account_id}
    ).one_or_none()
    if row is None or _fingerprint(row.password_hash) != fingerprint:
        raise overtaken()
    _set_password(session, account_id, password)
    session.execute(
        text(
            "UPDATE accounts SET email_verified_at = coalesce(email_verified_at, :now),"
            " name = coalesce(:name, name) WHERE id = :id"
        ),
        {"id": account_id, "now": real_now(), "name": name},
    )
    sessions.revoke_all(session, account_id)


def change_password(session: Session, account_id: UUID, password: str, *, keep: UUID) -> None:
    """Set a new password from within; the other browsers are logged out, this session goes on."""
    _set_password(session, account_id, password)
    sessions.revoke_all(session, account_id, but=keep)


def _set_password(session: Session, account_id: UUID, password: str) -> None:
    session.execute(
        text("UPDATE accounts SET password_hash = :hash WHERE id = :id"),
        {"id": account_id, "hash": passwords.hash_password(password)},
    )


def tenants_of(session: Session, account_id: UUID) -> list[UUID]:
    """The tenants an account belongs to: the one it worked in last first, the others by id."""
    found = session.execute(
        text(
            "SELECT b.tenant_id FROM account_tenants b LEFT JOIN (SELECT tenant_id, max(seen_at) AS seen_at"
            " FROM web_sessions WHERE account_id = :account GROUP BY tenant_id) w ON w.tenant_id = b.tenant_id"
            " WHERE b.account_id = :account ORDER BY w.seen_at DESC NULLS LAST, b.tenant_id"
        ),
        {"account": account_id},
    ).scalars()
    return list(found.all())


def open_first_merchant(
    account_id: UUID, name: str, *, timezone: str, first_rules: dict[str, object]
) -> UUID:
    """A merchant for a person who has none. Asked twice at once it opens one. Returns the sandbox to work in."""
    with directory() as session:
        # NO KEY: opening writes rows that refer to this account, from transactions of their own.
        session.execute(
            text("SELECT id FROM accounts WHERE id = :id FOR NO KEY UPDATE"), {"id": account_id}
        ).one()
        if not tenants_of(session, account_id):
            return service.open_merchant(
                name, owner=account_id, timezone=timezone, first_rules=first_rules
            ).sandbox
    choices = members.choices(account_id)
    return next((each for each in choices if each.environment == "sandbox"), choices[0]).tenant_id


def join(session: Session, *, email: str, name: str, password: str) -> UUID:
    """An account for somebody whose link proves the address. Raises Problem 409 when there is one: log in."""
    account_id = session.execute(
        text(
            "INSERT INTO accounts (id, email, name, password_hash, email_verified_at, created_at)"
            " VALUES (:id, :email, :name, :hash, :now, :now) ON CONFLICT (lower(email)) DO UPDATE"
            " SET name = EXCLUDED.name, password_hash = EXCLUDED.password_hash,"
            " email_verified_at = EXCLUDED.email_verified_at WHERE accounts.email_verified_at IS NULL RETURNING id"
        ),
        {
            "id": new_id(),
            "email": email,
            "name": name,
            "hash": passwords.hash_password(password),
            "now": real_now(),
        },
    ).scalar_one_or_none()
    if account_id is None:
        raise Problem(
            409, "account-exists", "There is an account with this address. Log in, then open the link again."
        )
    sessions.revoke_all(session, account_id)
    return account_id
