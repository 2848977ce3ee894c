"""Seals: what makes an order's history tamper-evident."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from infra.db import TenantTable, tenant_key


class Seal(TenantTable):
    """One link of an order's chain: the rows of its history that were new, each with its hash, and the link before.
    Append-only; kept as long as the history (at least five years)."""

    __tablename__ = "seals"
    __append_only__ = True
    order_id: Mapped[UUID]
    position: Mapped[int]
    """1, 2, 3 ... within the order."""
    made_at: Mapped[datetime]
    """Real time, also in a sandbox."""
    rows: Mapped[dict[str, Any]]
    """{row id: SHA-256 of the row, hexadecimal}."""
    previous: Mapped[str]
    """The digest before; empty for the first."""
    digest: Mapped[str]
    """SHA-256 over the digest before and the rows, hexadecimal."""
    __table_args__ = (
        CheckConstraint("position > 0", name="position_positive"),
        tenant_key("order_id", "orders"),
        Index("uq_seals_position", "tenant_id", "order_id", "position", unique=True),
        Index(None, "tenant_id", "made_at"),
    )
