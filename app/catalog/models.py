"""What is sold."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.catalog.vocabulary import KINDS
from infra.db import TenantTable, one_of


class Sku(TenantTable):
    """A variant that can be ordered, by the merchant's own code."""

    __tablename__ = "skus"
    code: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    price: Mapped[int]
    """Minor units of `currency`, per unit."""
    currency: Mapped[str]
    weight_g: Mapped[int] = mapped_column(server_default="0")
    tax_code: Mapped[str] = mapped_column(server_default="standard")
    release_date: Mapped[date | None]
    lead_time_days: Mapped[int | None]
    components: Mapped[list[Any]] = mapped_column(server_default="[]")
    """Of a kit: [{sku, quantity}]."""
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    exempt_from_delay_rule: Mapped[bool] = mapped_column(server_default="false")
    updated_at: Mapped[datetime]
    __table_args__ = (
        one_of("kind", *KINDS),
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint("weight_g >= 0", name="weight_not_negative"),
        Index("uq_skus_code", "tenant_id", "code", unique=True),
    )
