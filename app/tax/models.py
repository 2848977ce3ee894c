"""Tax as agreed with the buyer and as settled with the tax service."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantTable, one_of, tenant_key


class TaxRecord(TenantTable):
    """What a tax source answered for an order. A difference never raises what the buyer pays."""

    __tablename__ = "tax_records"
    order_id: Mapped[UUID]
    status: Mapped[str]
    provider: Mapped[str]
    quoted: Mapped[int]
    """What the buyer agreed to, minor units."""
    settled: Mapped[int | None]
    difference: Mapped[int] = mapped_column(server_default="0")
    """settled - quoted where positive: booked to the merchant."""
    detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    at: Mapped[datetime]
    __table_args__ = (
        one_of("status", "estimated", "settled"),
        tenant_key("order_id", "orders"),
        Index("uq_tax_records_order", "tenant_id", "order_id", unique=True),
    )
