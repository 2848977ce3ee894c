"""Tables of the plumbing: keys of repeated requests, signed messages from outside, later work and timers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantTable, one_of


class IdempotencyKey(TenantTable):
    """One key on one route, with the answer once there is one."""

    __tablename__ = "idempotency_keys"
    route: Mapped[str]
    key: Mapped[str]
    body_hash: Mapped[bytes]
    status: Mapped[int | None]
    answer: Mapped[str | None]
    created_at: Mapped[datetime]
    actor_key: Mapped[str] = mapped_column(server_default="")
    """Who asked: two providers that choose the same key do not meet."""
    __table_args__ = (
        Index("uq_idempotency_keys_key", "tenant_id", "route", "actor_key", "key", unique=True),
        Index(None, "tenant_id", "created_at"),
    )


class InboxMessage(TenantTable):
    """One message by its sender's own id."""

    __tablename__ = "inbox"
    source: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    __table_args__ = (Index("uq_inbox_external", "tenant_id", "source", "external_id", unique=True),)


class OutboxRow(TenantTable):
    """One piece of later work. Done, waiting, sent, or dead-lettered with a reason: never gone."""

    __tablename__ = "outbox"
    topic: Mapped[str]
    subject_id: Mapped[UUID]
    payload: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    state: Mapped[str] = mapped_column(server_default="waiting")
    available_at: Mapped[datetime]
    """Real time: retries wait on the wall clock, not on a sandbox's."""
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    handled: Mapped[list[Any]] = mapped_column(server_default="[]")
    """Names of the handlers that are done, when another one of the row failed: they do not run again."""
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("state", "waiting", "sent", "done", "dead"),
        CheckConstraint("state <> 'dead' OR error IS NOT NULL", name="dead_has_reason"),
        CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="done_is_finished"),
        Index(None, "tenant_id", "available_at", postgresql_where=text("state = 'waiting'")),
        Index(None, "tenant_id", "leased_until", postgresql_where=text("state = 'sent'")),
        Index("ix_outbox_dead", "tenant_id", postgresql_where=text("state = 'dead'")),
        Index(None, "tenant_id", "subject_id"),
    )


class Timer(TenantTable):
    """Work that falls due on the tenant's business clock. `key` makes it unique: arming twice is one timer."""

    __tablename__ = "timers"
    topic: Mapped[str]
    subject_id: Mapped[UUID]
    key: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="armed")
    fired_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("state", "armed", "fired", "disarmed"),
        Index("uq_timers_key", "tenant_id", "key", unique=True),
        Index(None, "tenant_id", "due_at", postgresql_where=text("state = 'armed'")),
    )
