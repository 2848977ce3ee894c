"""Who buys: one record per person or company over all channels."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantTable


class Customer(TenantTable):
    """A buyer, by email where one is known."""

    __tablename__ = "customers"
    email: Mapped[str | None]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]
    __table_args__ = (Index("uq_customers_email", "tenant_id", text("lower(email)"), unique=True),)
