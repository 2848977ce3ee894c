"""Where orders are fulfilled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Float, Index
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantTable, one_of

KINDS = ("warehouse", "store", "vendor", "workshop", "virtual")


class Node(TenantTable):
    """A fulfillment location, by the merchant's own code."""

    __tablename__ = "nodes"
    code: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    address: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """{line1, line2, city, region, postal_code, country}"""
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    timezone: Mapped[str]
    capacity_per_day: Mapped[int | None]
    """Packages; null = no limit known."""
    handling_per_package: Mapped[int] = mapped_column(server_default="0")
    """Minor units of the tenant's currency."""
    handling_per_unit: Mapped[int] = mapped_column(server_default="0")
    priority: Mapped[int] = mapped_column(server_default="100")
    """The lower number is preferred when plans tie."""
    cutoff: Mapped[str | None]
    """Local time HH:MM after which work leaves the next working day."""
    calendar: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """{open_days: [mon..sun], closed: [dates]}"""
    open: Mapped[bool] = mapped_column(server_default="true")
    updated_at: Mapped[datetime]
    __table_args__ = (
        one_of("kind", *KINDS),
        CheckConstraint("capacity_per_day IS NULL OR capacity_per_day >= 0", name="capacity_not_negative"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place_whole"),
        Index("uq_nodes_code", "tenant_id", "code", unique=True),
    )
