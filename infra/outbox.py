"""Later means a row here, written in the same transaction as its cause.

The relay moves rows to the queue; the runner finishes them. Redis may be wiped at any moment: a row that was
sent but not finished within its lease is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from infra import statements
from infra.clock import real_now
from infra.ids import new_id

MOST_ATTEMPTS = 12
LEASE_SECONDS = 20
"""How long a worker may be silent about a row before it is sent again: its effects have keys of their own."""


def add(session: Session, tenant_id: UUID, topic: str, subject_id: UUID, payload: dict[str, Any]) -> None:
    """Record work for later."""
    add_all(session, tenant_id, topic, [(subject_id, payload)])


def add_all(
    session: Session, tenant_id: UUID, topic: str, news: Sequence[tuple[UUID, Mapping[str, Any]]]
) -> None:
    """Record the same work for several subjects: (subject, payload)."""
    now = real_now()
    statements.execute_many(
        session,
        "INSERT INTO outbox (tenant_id, id, topic, subject_id, payload, available_at, created_at)"
        " VALUES (:tenant, :id, :topic, :subject, CAST(:payload AS jsonb), :now, :now)",
        [
            {
                "tenant": tenant_id,
                "id": new_id(),
                "topic": topic,
                "subject": subject_id,
                "payload": orjson.dumps(payload, default=str).decode(),
                "now": now,
            }
            for subject_id, payload in news
        ],
    )


def arm(
    session: Session,
    tenant_id: UUID,
    topic: str,
    subject_id: UUID,
    *,
    key: str,
    due_at: datetime,
    payload: dict[str, Any] | None = None,
) -> None:
    """Have `topic` happen at `due_at` (business time). The same key again moves the timer and re-arms it."""
    statements.execute(
        session,
        "INSERT INTO timers (tenant_id, id, topic, subject_id, key, payload, due_at)"
        " VALUES (:tenant, :id, :topic, :subject, :key, CAST(:payload AS jsonb), :due)"
        " ON CONFLICT (tenant_id, key) DO UPDATE SET due_at = EXCLUDED.due_at,"
        " payload = EXCLUDED.payload, state = 'armed', fired_at = NULL",
        {
            "tenant": tenant_id,
            "id": new_id(),
            "topic": topic,
            "subject": subject_id,
            "key": key,
            "payload": orjson.dumps(payload or {}, default=str).decode(),
            "due": due_at,
        },
    )


def arm_shared(
    session: Session,
    tenant_id: UUID,
    topic: str,
    subject_id: UUID,
    *,
    key: str,
    due_at: datetime,
    payload: dict[str, Any] | None = None,
) -> None:
    """As `arm`, for a timer of many: one that stands is only held until this transaction ends, so that those who
    share it do not wait for each other, and it does not fire past one of them who has not committed yet."""
    standing = statements.row(
        session,
        "SELECT id FROM timers WHERE tenant_id = :tenant AND key = :key AND state = 'armed' FOR SHARE",
        {"tenant": tenant_id, "key": key},
    )
    if standing is None:
        arm(session, tenant_id, topic, subject_id, key=key, due_at=due_at, payload=payload)


def disarm(session: Session, tenant_id: UUID, key: str) -> None:
    """Forget a timer that has not fired."""
    statements.execute(
        session,
        "UPDATE timers SET state = 'disarmed' WHERE tenant_id = :tenant AND key = :key AND state = 'armed'",
        {"tenant": tenant_id, "key": key},
    )


def fire_due(session: Session, tenant_id: UUID, now: datetime, most: int = 200) -> int:
    """Turn timers due by `now` (business time) into outbox rows, oldest first. Returns how many."""
    due = statements.rows(
        session,
        "SELECT id, topic, subject_id, payload FROM timers WHERE tenant_id = :tenant AND state = 'armed'"
        " AND due_at <= :now ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED",
        {"tenant": tenant_id, "now": now, "most": most},
    )
    for row in due:
        add(session, tenant_id, row.topic, row.subject_id, row.payload)
    if due:
        statements.execute(
            session,
            "UPDATE timers SET state = 'fired', fired_at = :now WHERE tenant_id = :tenant AND id = ANY(:ids)",
            {"tenant": tenant_id, "now": now, "ids": [row.id for row in due]},
        )
    return len(due)


@dataclass(frozen=True)
class Claimed:
    """One row handed to the queue."""

    id: UUID
    topic: str


def claim(session: Session, tenant_id: UUID, most: int, first: Sequence[str] = ()) -> list[Claimed]:
    """Take up to `most` waiting rows (and rows whose lease ran out) for sending: those of the topics `first` before all
    others, each in order of time."""
    now = real_now()
    # An array is made once. A subquery that is joined may be run again for each row, and passes its limit then: what
    # it took is no longer there for it.
    rows = statements.rows(
        session,
        "UPDATE outbox SET state = 'sent', leased_until = :until WHERE tenant_id = :tenant AND id = ANY(ARRAY("
        " SELECT id FROM outbox WHERE tenant_id = :tenant AND ("
        "  (state = 'waiting' AND available_at <= :now) OR"
        "  (state = 'sent' AND leased_until < :now))"
        " ORDER BY topic <> ALL(:first), available_at, id LIMIT :most FOR UPDATE SKIP LOCKED))"
        " RETURNING id, topic",
        {
            "tenant": tenant_id,
            "now": now,
            "until": now + timedelta(seconds=LEASE_SECONDS),
            "most": most,
            "first": list(first),
        },
    )
    return [Claimed(row.id, row.topic) for row in sorted(rows, key=lambda row: row.id)]


def in_flight(session: Session, tenant_id: UUID) -> bool:
    """Whether another worker still has rows of this tenant."""
    return bool(
        statements.rows(
            session,
            "SELECT 1 FROM outbox WHERE tenant_id = :tenant AND state = 'sent' LIMIT 1",
            {"tenant": tenant_id},
        )
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """A row held for the length of a transaction."""

    topic: str
    subject_id: UUID
    payload: dict[str, Any]
    handled: list[str]


def lock(session: Session, tenant_id: UUID, row_id: UUID) -> Taken | None:
    """The row, locked for this transaction, or None when it is finished or another worker holds it."""
    row = statements.row(
        session,
        "SELECT topic, subject_id, payload, handled FROM outbox WHERE tenant_id = :tenant AND id = :id"
        " AND state IN ('waiting', 'sent') FOR UPDATE SKIP LOCKED",
        {"tenant": tenant_id, "id": row_id},
    )
    return None if row is None else Taken(*row)


def partly(session: Session, tenant_id: UUID, row_id: UUID, handled: list[str]) -> None:
    """Some handlers of the row are done and will not run again; the caller lets the row fail for the others."""
    statements.execute(
        session,
        "UPDATE outbox SET handled = CAST(:handled AS jsonb) WHERE tenant_id = :tenant AND id = :id",
        {"tenant": tenant_id, "id": row_id, "handled": orjson.dumps(handled).decode()},
    )


def finish(session: Session, tenant_id: UUID, row_id: UUID) -> None:
    """The work is done; it will not be sent again."""
    statements.execute(
        session,
        "UPDATE outbox SET state = 'done', finished_at = :now, error = NULL"
        " WHERE tenant_id = :tenant AND id = :id AND state <> 'done'",
        {"tenant": tenant_id, "id": row_id, "now": real_now()},
    )


def fail(session: Session, tenant_id: UUID, row_id: UUID, error: str) -> str:
    """Try again later (2, 4, 8 ... 600 seconds), or dead-letter with the reason after the last attempt. Returns the
    row's topic; empty when it was finished meanwhile."""
    row = statements.row(
        session,
        "UPDATE outbox SET attempts = attempts + 1, error = :error, leased_until = NULL,"
        " state = CASE WHEN attempts + 1 >= :most THEN 'dead' ELSE 'waiting' END,"
        " available_at = :now + make_interval(secs => least(600, power(2, attempts + 1)))"
        " WHERE tenant_id = :tenant AND id = :id AND state IN ('waiting', 'sent') RETURNING topic",
        {"tenant": tenant_id, "id": row_id, "error": error[:2000], "most": MOST_ATTEMPTS, "now": real_now()},
    )
    return row.topic if row is not None else ""


def again(session: Session, tenant_id: UUID, row_id: UUID) -> None:
    """Try a dead row again, with all its attempts; its last error stays to be read. The caller holds the row."""
    statements.execute(
        session,
        "UPDATE outbox SET state = 'waiting', attempts = 0, available_at = :now, leased_until = NULL"
        " WHERE tenant_id = :tenant AND id = :id",
        {"tenant": tenant_id, "id": row_id, "now": real_now()},
    )


def discard(session: Session, tenant_id: UUID, row_id: UUID, reason: str) -> None:
    """End a dead row undone. `reason` (without a full stop) is put before what had failed. The caller
    holds the row."""
    statements.execute(
        session,
        "UPDATE outbox SET state = 'done', finished_at = :now,"
        " error = left(:reason || '. It had failed: ' || error, 2000) WHERE tenant_id = :tenant AND id = :id",
        {"tenant": tenant_id, "id": row_id, "now": real_now(), "reason": reason},
    )
