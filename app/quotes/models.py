"""Quotes that hold their stock for some minutes. One that holds nothing is not kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from app.quotes.vocabulary import ENDS
from infra.db import TenantTable, one_of, tenant_key


class Quote(TenantTable):
    """What a buyer was told before ordering, and until when its units are kept (`quote_holds`)."""

    __tablename__ = "quotes"
    channel: Mapped[str]
    quoted_at: Mapped[datetime]
    held_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When the hold ended. Null: its units are counted in `stock_positions.reserved`."""
    ended_by: Mapped[str | None]
    order_id: Mapped[UUID | None]
    """The order that named it: one only."""
    answer: Mapped[dict[str, Any]]
    """As it was answered."""
    promises: Mapped[dict[str, Any]]
    """SKU code -> what was told of it, and on which basis (intake.quoted.Told)."""
    __table_args__ = (
        one_of("ended_by", *ENDS),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_something"),
        tenant_key("order_id", "orders"),
        Index("uq_quotes_order", "tenant_id", "order_id", unique=True),
        Index("ix_quotes_held", "tenant_id", "held_until", postgresql_where="ended_at IS NULL"),
    )
