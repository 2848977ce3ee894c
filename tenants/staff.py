"""Platform staff: logging in with a password, where no single sign-on is configured."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants import passwords


def log_in(session: Session, email: str, password: str) -> UUID | None:
    """The member of staff when the password is right; the same work for addresses nobody has."""
    row = session.execute(
        text("SELECT id, password_hash FROM staff WHERE lower(email) = lower(:email)"), {"email": email}
    ).one_or_none()
    known = None if row is None else row.password_hash
    return row.id if passwords.matches(password, known) and row is not None else None
