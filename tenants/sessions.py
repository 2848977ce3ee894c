"""Logged-in browsers: random tokens kept as digests, rotating, expiring, revocable. Real time throughout.

A token is good for 15 minutes of requests; the next request gets a new one. The one before stays good for a
minute, because a browser sends several requests at once. Used after that it was copied: the session ends.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from infra.clock import real_now
from infra.ids import new_id
from tenants.credentials import digest

ROTATE_AFTER = timedelta(minutes=15)
GRACE = timedelta(seconds=60)
NOTE_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class Lifetime:
    """How long a session lives: unused, and at all."""

    idle: timedelta
    absolute: timedelta


MEMBER = Lifetime(timedelta(hours=12), timedelta(days=14))
STAFF = Lifetime(timedelta(hours=1), timedelta(hours=10))


@dataclass(frozen=True)
class Visit:
    """A browser that proved its token."""

    session_id: UUID
    account_id: UUID | None
    staff_id: UUID | None
    tenant_id: UUID | None
    """The tenant being worked in; a choice, not a right."""
    email: str
    name: str
    fresh_token: str | None = None
    """The token's successor, when it was time for one: the answer must carry it."""


def begin(
    session: Session,
    *,
    account_id: UUID | None = None,
    staff_id: UUID | None = None,
    tenant_id: UUID | None = None,
    user_agent: str = "",
) -> str:
    """Open a session for an account or a member of staff. Returns its token, which is kept nowhere."""
    token, now = secrets.token_urlsafe(32), real_now()
    lifetime = STAFF if staff_id is not None else MEMBER
    session.execute(
        text(
            "INSERT INTO web_sessions (id, token_digest, account_id, staff_id, tenant_id, created_at, rotated_at,"
            " seen_at, expires_at, user_agent) VALUES (:id, :digest, :account, :staff, :tenant, :now, :now, :now,"
            " :expires, :agent)"
        ),
        {
            "id": new_id(),
            "digest": digest(token),
            "account": account_id,
            "staff": staff_id,
            "tenant": tenant_id,
            "now": now,
            "expires": now + lifetime.absolute,
            "agent": user_agent[:300],
        },
    )
    return token


def recognize(session: Session, token: str) -> Visit | None:
    """Whose session this token opens, or None when it opens none (any more)."""
    presented = digest(token)
    row = session.execute(
        text(
            "SELECT w.id, w.token_digest = :digest AS is_current, w.account_id, w.staff_id, w.tenant_id,"
            " w.rotated_at, w.seen_at, w.expires_at, w.revoked_at, coalesce(a.email, s.email) AS email,"
            " coalesce(a.name, s.name) AS name FROM web_sessions w LEFT JOIN accounts a ON a.id = w.account_id"
            " LEFT JOIN staff s ON s.id = w.staff_id WHERE w.token_digest = :digest OR w.previous_digest = :digest"
        ),
        {"digest": presented},
    ).one_or_none()
    now = real_now()
    if row is None or not _alive(row, now):
        return None
    if not row.is_current and now - row.rotated_at > GRACE:
        revoke(session, row.id)
        return None
    fresh = _rotated(session, row, presented, now) if row.is_current else None
    return Visit(row.id, row.account_id, row.staff_id, row.tenant_id, row.email, row.name, fresh)


def _alive(row: Any, now: datetime) -> bool:
    idle = (STAFF if row.staff_id is not None else MEMBER).idle
    return row.revoked_at is None and now < row.expires_at and now - row.seen_at <= idle


def _rotated(session: Session, row: Any, presented: bytes, now: datetime) -> str | None:
    """Give the session a new token when its time has come; note that it was seen."""
    if now - row.rotated_at <= ROTATE_AFTER:
        if now - row.seen_at > NOTE_AFTER:
            session.execute(
                text("UPDATE web_sessions SET seen_at = :now WHERE id = :id"), {"id": row.id, "now": now}
            )
        return None
    token = secrets.token_urlsafe(32)
    # Of several requests at once only one finds its digest still current; the others go on with the old token.
    changed = session.execute(
        text(
            "UPDATE web_sessions SET token_digest = :new, previous_digest = :old, rotated_at = :now,"
            " seen_at = :now WHERE id = :id AND token_digest = :old RETURNING id"
        ),
        {"id": row.id, "new": digest(token), "old": presented, "now": now},
    ).one_or_none()
    return token if changed is not None else None


def rotate_soon(session: Session, account_id: UUID) -> None:
    """What the account may do changed: its next request in each browser gets a new token."""
    session.execute(
        text(
            "UPDATE web_sessions SET rotated_at = :past, previous_digest = NULL WHERE account_id = :account"
            " AND revoked_at IS NULL"
        ),
        {"account": account_id, "past": real_now() - 2 * ROTATE_AFTER},
    )


def choose_tenant(session: Session, session_id: UUID, tenant_id: UUID | None) -> None:
    """Work in this tenant from the next request on."""
    session.execute(
        text("UPDATE web_sessions SET tenant_id = :tenant WHERE id = :id"),
        {"id": session_id, "tenant": tenant_id},
    )


def revoke(session: Session, session_id: UUID) -> None:
    """Log this browser out."""
    session.execute(
        text("UPDATE web_sessions SET revoked_at = coalesce(revoked_at, :now) WHERE id = :id"),
        {"id": session_id, "now": real_now()},
    )


def revoke_of(session: Session, account_id: UUID, session_id: UUID) -> bool:
    """Log out one browser of this account. False when it is not theirs."""
    row = session.execute(
        text(
            "UPDATE web_sessions SET revoked_at = coalesce(revoked_at, :now) WHERE id = :id"
            " AND account_id = :account RETURNING id"
        ),
        {"id": session_id, "account": account_id, "now": real_now()},
    ).one_or_none()
    return row is not None


def revoke_all(session: Session, account_id: UUID, *, but: UUID | None = None) -> int:
    """Log the account out everywhere (`but`: except in this session). Returns how many ended."""
    ended = session.execute(
        text(
            "UPDATE web_sessions SET revoked_at = :now WHERE account_id = :account AND revoked_at IS NULL"
            " AND id <> :but RETURNING id"
        ),
        {"account": account_id, "now": real_now(), "but": but or UUID(int=0)},
    ).all()
    return len(ended)


def listed(session: Session, account_id: UUID) -> list[Any]:
    """The account's living sessions, the last used first: id, created_at, seen_at, user_agent."""
    now = real_now()
    return list(
        session.execute(
            text(
                "SELECT id, created_at, seen_at, user_agent FROM web_sessions WHERE account_id = :account"
                " AND revoked_at IS NULL AND expires_at > :now AND seen_at > :idle ORDER BY seen_at DESC"
            ),
            {"account": account_id, "now": now, "idle": now - MEMBER.idle},
        ).all()
    )
