"""Messages to buyers: legal or courtesy, each sent once for one cause."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantTable, one_of, tenant_key


class Notice(TenantTable):
    """One message as rendered. `cause` is unique: a retry never becomes a second notice."""

    __tablename__ = "notices"
    order_id: Mapped[UUID]
    kind: Mapped[str]
    cause: Mapped[str]
    channel: Mapped[str] = mapped_column(server_default="email")
    recipient: Mapped[str]
    subject: Mapped[str]
    body_text: Mapped[str]
    body_html: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """What it said, as data: dates, lines, deadline for the answer."""
    state: Mapped[str] = mapped_column(server_default="queued")
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("state", "queued", "sent", "failed"),
        tenant_key("order_id", "orders"),
        Index("uq_notices_cause", "tenant_id", "cause", unique=True),
        Index(None, "tenant_id", "order_id"),
        Index("ix_notices_failed", "tenant_id", "created_at", postgresql_where=text("state = 'failed'")),
    )
