"""Which nodes were chosen for an order, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Index
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantTable, tenant_key


class RoutingDecision(TenantTable):
    """One decision of the kernel, with its explanation. Append-only."""

    __tablename__ = "routing_decisions"
    __append_only__ = True
    order_id: Mapped[UUID]
    made_at: Mapped[datetime]
    cause: Mapped[str]
    """`placed`, `rejected`, `short_pick`, `restocked`, `moved`."""
    rule_version: Mapped[int]
    plan: Mapped[list[Any]]
    """[{node, lines: [{line, sku, quantity}]}]"""
    explanation: Mapped[dict[str, Any]]
    sentence: Mapped[str]
    input_hash: Mapped[str]
    packages: Mapped[int]
    miles: Mapped[float] = mapped_column(Float)
    __table_args__ = (tenant_key("order_id", "orders"), Index(None, "tenant_id", "order_id", "id"))
