"""What suppliers have been asked to send, and what has come of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantTable, tenant_key


class InboundOrder(TenantTable):
    """A purchase order, a transfer or an advance notice: goods on their way to one node. Whether it is open follows
    from its lines."""

    __tablename__ = "inbound_orders"
    reference: Mapped[str]
    """The merchant's own number."""
    supplier: Mapped[str]
    node_id: Mapped[UUID]
    ordered_on: Mapped[date]
    created_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    """What had not come by then will not come."""
    __table_args__ = (
        tenant_key("node_id", "nodes"),
        Index("uq_inbound_orders_reference", "tenant_id", "reference", unique=True),
        Index(None, "tenant_id", "supplier"),
    )


class InboundLine(TenantTable):
    """Units of one SKU in an inbound order."""

    __tablename__ = "inbound_lines"
    inbound_order_id: Mapped[UUID]
    sku_id: Mapped[UUID]
    quantity: Mapped[int]
    received: Mapped[int] = mapped_column(server_default="0")
    expected_on: Mapped[date | None]
    """The day in the node's zone by which they are to be there; null while the supplier names none."""
    first_expected_on: Mapped[date | None]
    """The first day the supplier named: what its record is measured against."""
    received_at: Mapped[datetime | None]
    """When the last of them came."""
    __table_args__ = (
        CheckConstraint("quantity > 0", name="brings_something"),
        CheckConstraint("received >= 0 AND received <= quantity", name="received_within_quantity"),
        CheckConstraint("(received_at IS NOT NULL) = (received = quantity)", name="received_at_end"),
        tenant_key("inbound_order_id", "inbound_orders"),
        tenant_key("sku_id", "skus"),
        Index("uq_inbound_lines_sku", "tenant_id", "inbound_order_id", "sku_id", unique=True),
        Index("ix_inbound_lines_open", "tenant_id", "sku_id", postgresql_where="received < quantity"),
    )


class InboundReceipt(TenantTable):
    """One delivery as it was reported: reported twice, it is taken once. Append-only."""

    __tablename__ = "inbound_receipts"
    __append_only__ = True
    inbound_order_id: Mapped[UUID]
    receipt: Mapped[str]
    """The caller's own number of the delivery."""
    lines: Mapped[dict[str, Any]]
    """SKU code -> units."""
    actor: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (
        tenant_key("inbound_order_id", "inbound_orders"),
        Index("uq_inbound_receipts_receipt", "tenant_id", "inbound_order_id", "receipt", unique=True),
    )
