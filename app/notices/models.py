"""Messages to buyers, legal or courtesy: each told once for one cause, over as many ways as it takes; the merchant's
own wordings; and the mail that came back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.notices.vocabulary import CHANNELS, LANGUAGES
from infra.db import TenantTable, one_of, tenant_key


class Notice(TenantTable):
    """One message as rendered. `cause` is unique: a retry never becomes a second notice."""

    __tablename__ = "notices"
    order_id: Mapped[UUID]
    kind: Mapped[str]
    cause: Mapped[str]
    channel: Mapped[str] = mapped_column(server_default="email")
    """The way that was taken last."""
    recipient: Mapped[str]
    """The address of that way: of mail, a telephone number, a postal address on one line."""
    language: Mapped[str] = mapped_column(server_default="en")
    template_version: Mapped[int] = mapped_column(server_default="0")
    """The merchant's wording it was made by; 0: Kept's own."""
    subject: Mapped[str]
    body_text: Mapped[str]
    body_html: Mapped[str]
    body_sms: Mapped[str] = mapped_column(server_default="")
    facts: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """What it said, as data: dates, lines, deadline for the answer."""
    state: Mapped[str] = mapped_column(server_default="queued")
    """`sent`: accepted at the other end, which counts as delivered until a bounce; `delivered`: confirmed; `bounced`:
    no way reaches the buyer, or that was learned too late; `failed`: it lacks something and may not leave."""
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    send_by: Mapped[datetime | None]
    """The first instant at which it is too late to send it; null: it has no deadline."""
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    """When it was learned that all ways are exhausted."""
    __table_args__ = (
        one_of("state", "queued", "sent", "delivered", "bounced", "failed"),
        one_of("channel", *CHANNELS),
        one_of("language", *LANGUAGES),
        tenant_key("order_id", "orders"),
        Index("uq_notices_cause", "tenant_id", "cause", unique=True),
        Index(None, "tenant_id", "order_id"),
        Index(
            "ix_notices_failed",
            "tenant_id",
            "created_at",
            postgresql_where=text("state IN ('bounced', 'failed')"),
        ),
        Index(
            "ix_notices_to_print",
            "tenant_id",
            "created_at",
            postgresql_where=text("state = 'queued' AND channel = 'post'"),
        ),
    )


class NoticeDelivery(TenantTable):
    """What became of one attempt to deliver a message: a row per thing learned. Append-only."""

    __tablename__ = "notice_deliveries"
    __append_only__ = True
    notice_id: Mapped[UUID]
    attempt: Mapped[int]
    channel: Mapped[str]
    address: Mapped[str]
    state: Mapped[str]
    """`started`, `deferred` (will be tried again), `accepted`, `delivered`; and what ends an attempt: `refused`,
    `bounced`, `given_up` (its time was over)."""
    reference: Mapped[str] = mapped_column(server_default="")
    """What the other end calls it, or our Message-ID."""
    error: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime]
    __table_args__ = (
        one_of("channel", *CHANNELS),
        one_of("state", "started", "deferred", "accepted", "delivered", "refused", "bounced", "given_up"),
        CheckConstraint("attempt >= 1", name="attempt_counted"),
        tenant_key("notice_id", "notices"),
        Index("uq_notice_deliveries_learned", "tenant_id", "notice_id", "attempt", "state", unique=True),
    )


class NoticeTemplate(TenantTable):
    """One version of a merchant's own wording. It never changes: an edit is a new version. Append-only."""

    __tablename__ = "notice_templates"
    __append_only__ = True
    kind: Mapped[str]
    language: Mapped[str]
    version: Mapped[int]
    subject: Mapped[str]
    body: Mapped[str]
    sms: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    __table_args__ = (
        one_of("language", *LANGUAGES),
        CheckConstraint("version >= 1", name="version_counted"),
        Index("uq_notice_templates_version", "tenant_id", "kind", "language", "version", unique=True),
    )


class ReceivedMail(TenantTable):
    """Mail that came back for a message: a report that it bounced, or what a buyer wrote. `key` is unique: each is
    handled once."""

    __tablename__ = "received_mails"
    notice_id: Mapped[UUID]
    order_id: Mapped[UUID]
    key: Mapped[str]
    kind: Mapped[str]
    """`bounce`, `delay` (still tried over there), `delivered`, `automatic` (out of office), `reply`."""
    sender: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="closed")
    """`open`: a person must read it."""
    outcome: Mapped[str] = mapped_column(server_default="")
    """What was done: `consent`, `cancel`, `read`; empty while it is open and for reports."""
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(server_default="")
    __table_args__ = (
        one_of("kind", "bounce", "delay", "delivered", "automatic", "reply"),
        one_of("state", "open", "closed"),
        tenant_key("notice_id", "notices"),
        tenant_key("order_id", "orders"),
        Index("uq_received_mails_key", "tenant_id", "key", unique=True),
        Index("ix_received_mails_open", "tenant_id", "received_at", postgresql_where=text("state = 'open'")),
    )
