"""A repeated POST gets its first answer again. A unique constraint decides, not an `if`.

Only 2xx answers are remembered: a refused request rolls its key back with everything else, so it may be mended
and sent again. Keys are kept 7 days (the janitor forgets older ones).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from infra.clock import real_now
from infra.errors import Problem
from infra.ids import new_id

KEPT_DAYS = 7


@dataclass(frozen=True)
class Remembered:
    """The first answer."""

    status: int
    answer: str


def begin(
    session: Session, tenant_id: UUID, *, route: str, key: str, body: bytes, actor_key: str = ""
) -> Remembered | None:
    """Claim the key in this transaction, or return the first answer.

    While the first still runs, its uncommitted row blocks the insert; `lock_timeout` turns the wait into a 409
    with Retry-After. Raises Problem 409 for the same key with another body.
    """
    digest = hashlib.sha256(body).digest()
    values = {
        "tenant": tenant_id,
        "id": new_id(),
        "route": route,
        "key": key,
        "actor": actor_key,
        "hash": digest,
        "now": real_now(),
    }
    session.execute(text("SET LOCAL lock_timeout = '300ms'"))
    made = session.execute(
        text(
            "INSERT INTO idempotency_keys (tenant_id, id, route, actor_key, key, body_hash, created_at)"
            " VALUES (:tenant, :id, :route, :actor, :key, :hash, :now)"
            " ON CONFLICT (tenant_id, route, actor_key, key) DO NOTHING"
        ),
        values,
    )
    session.execute(text("SET LOCAL lock_timeout = 0"))
    if made.rowcount:  # type: ignore[attr-defined]
        return None
    row = session.execute(
        text(
            "SELECT body_hash, status, answer FROM idempotency_keys"
            " WHERE tenant_id = :tenant AND route = :route AND actor_key = :actor AND key = :key"
        ),
        values,
    ).one()
    if bytes(row.body_hash) != digest:
        raise Problem(
            409,
            "idempotency-key-reused",
            "This Idempotency-Key was used with another body. Send a new key with a new request.",
        )
    return Remembered(row.status, row.answer)


def complete(
    session: Session,
    tenant_id: UUID,
    *,
    route: str,
    key: str,
    status: int,
    answer: str,
    actor_key: str = "",
) -> None:
    """Remember the answer, in the same transaction as the effect."""
    session.execute(
        text(
            "UPDATE idempotency_keys SET status = :status, answer = :answer"
            " WHERE tenant_id = :tenant AND route = :route AND actor_key = :actor AND key = :key"
        ),
        {
            "tenant": tenant_id,
            "route": route,
            "key": key,
            "actor": actor_key,
            "status": status,
            "answer": answer,
        },
    )


def forget_old(session: Session, tenant_id: UUID, before: datetime) -> None:
    """Drop keys older than their keeping time."""
    session.execute(
        text("DELETE FROM idempotency_keys WHERE tenant_id = :tenant AND created_at < :before"),
        {"tenant": tenant_id, "before": before},
    )
