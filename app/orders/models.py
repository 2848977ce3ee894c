"""Demand: orders, their lines, holds, history and the one timeline."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import events
from app.orders.vocabulary import HOLD_KINDS
from infra.db import TenantTable, one_of, tenant_key


class Order(TenantTable):
    """One buyer's order. Status is one of four words; everything else on a screen is derived."""

    __tablename__ = "orders"
    number: Mapped[int]
    channel: Mapped[str]
    external_ref: Mapped[str]
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    """Digest of the normalized request: a repeat is told from a conflict by it."""
    source_code: Mapped[str | None]
    status: Mapped[str]
    currency: Mapped[str]
    customer_id: Mapped[UUID | None]
    customer: Mapped[dict[str, Any]]
    """{email, name, phone} as given with this order."""
    ship_to: Mapped[dict[str, Any]]
    bill_to: Mapped[dict[str, Any] | None]
    ship_lat: Mapped[float | None] = mapped_column(Float)
    ship_lon: Mapped[float | None] = mapped_column(Float)
    buyer_zone: Mapped[str]
    placed_at: Mapped[datetime]
    """Business time at which the properly completed order was received."""
    reference_date: Mapped[date | None]
    """The order's date in the system it was imported from."""
    items_total: Mapped[int]
    discounts_total: Mapped[int]
    charges_total: Mapped[int]
    tax_total: Mapped[int]
    total: Mapped[int]
    authorized_total: Mapped[int] = mapped_column(server_default="0")
    captured_total: Mapped[int] = mapped_column(server_default="0")
    refunded_total: Mapped[int] = mapped_column(server_default="0")
    tax_status: Mapped[str]
    charges: Mapped[list[Any]] = mapped_column(server_default="[]")
    discounts: Mapped[list[Any]] = mapped_column(server_default="[]")
    policy: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    lines: Mapped[list[OrderLine]] = relationship(
        order_by="OrderLine.position",
        viewonly=True,
        primaryjoin="and_(Order.tenant_id == OrderLine.tenant_id, Order.id == OrderLine.order_id)",
        foreign_keys="[OrderLine.tenant_id, OrderLine.order_id]",
    )
    holds: Mapped[list[OrderHold]] = relationship(
        viewonly=True,
        primaryjoin="and_(Order.tenant_id == OrderHold.tenant_id, Order.id == OrderHold.order_id)",
        foreign_keys="[OrderHold.tenant_id, OrderHold.order_id]",
    )
    __table_args__ = (
        one_of("status", "draft", "placed", "closed", "cancelled"),
        one_of("tax_status", "given", "estimated", "settled"),
        CheckConstraint(
            "total = items_total - discounts_total + charges_total + tax_total AND total >= 0", name="adds_up"
        ),
        tenant_key("channel", "channels", "code"),
        tenant_key("customer_id", "customers"),
        Index("uq_orders_external_ref", "tenant_id", "channel", "external_ref", unique=True),
        Index("uq_orders_number", "tenant_id", "number", unique=True),
        Index(None, "tenant_id", "placed_at", "id"),
        Index(None, "tenant_id", "status", "placed_at"),
        Index(None, "tenant_id", "customer_id"),
        Index("ix_orders_email", "tenant_id", text("lower(customer->>'email')")),
    )


class OrderLine(TenantTable):
    """One SKU of an order, with counters in units and its share of the money in minor units."""

    __tablename__ = "order_lines"
    order_id: Mapped[UUID]
    position: Mapped[int]
    sku_id: Mapped[UUID]
    sku: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    weight_g: Mapped[int]
    ordered: Mapped[int]
    cancelled: Mapped[int] = mapped_column(server_default="0")
    backordered: Mapped[int] = mapped_column(server_default="0")
    allocated: Mapped[int] = mapped_column(server_default="0")
    shipped: Mapped[int] = mapped_column(server_default="0")
    delivered: Mapped[int] = mapped_column(server_default="0")
    returned: Mapped[int] = mapped_column(server_default="0")
    refunded: Mapped[int] = mapped_column(server_default="0")
    unit_price: Mapped[int]
    list_price: Mapped[int | None]
    """Our own price when the order came with another; the difference is reported."""
    items: Mapped[int]
    discount: Mapped[int]
    charges: Mapped[int]
    tax: Mapped[int]
    total: Mapped[int]
    """items - discount + charges + tax: what these units are worth to the buyer."""
    value_shipped: Mapped[int] = mapped_column(server_default="0")
    value_cancelled: Mapped[int] = mapped_column(server_default="0")
    tax_code: Mapped[str]
    covered: Mapped[bool]
    """Whether the delay rule covers the line."""
    components: Mapped[list[Any]] = mapped_column(server_default="[]")
    """Of a kit, frozen at order: [{sku_id, sku, quantity}] per kit."""
    options: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    ship_to: Mapped[dict[str, Any] | None]
    __table_args__ = (
        CheckConstraint(
            "ordered > 0 AND cancelled >= 0 AND backordered >= 0 AND allocated >= 0 AND shipped >= 0"
            " AND ordered = cancelled + backordered + allocated + shipped",
            name="every_unit_once",
        ),
        CheckConstraint("delivered BETWEEN 0 AND shipped", name="delivered_was_shipped"),
        CheckConstraint("returned BETWEEN 0 AND shipped", name="returned_was_shipped"),
        CheckConstraint("refunded BETWEEN 0 AND ordered", name="refunded_was_ordered"),
        CheckConstraint("total = items - discount + charges + tax AND total >= 0", name="adds_up"),
        CheckConstraint(
            "value_shipped >= 0 AND value_cancelled >= 0 AND value_shipped + value_cancelled <= total",
            name="value_within_total",
        ),
        tenant_key("order_id", "orders"),
        tenant_key("sku_id", "skus"),
        Index(None, "tenant_id", "order_id"),
        Index(None, "tenant_id", "sku_id", "order_id"),
        Index("ix_order_lines_backordered", "tenant_id", "sku_id", postgresql_where="backordered > 0"),
    )


class OrderHold(TenantTable):
    """A reason nothing may leave yet. A row, not a status."""

    __tablename__ = "order_holds"
    order_id: Mapped[UUID]
    kind: Mapped[str]
    reason: Mapped[str]
    placed_at: Mapped[datetime]
    placed_by: Mapped[str]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]
    __table_args__ = (
        one_of("kind", *HOLD_KINDS),
        tenant_key("order_id", "orders"),
        Index(
            "uq_order_holds_live",
            "tenant_id",
            "order_id",
            "kind",
            unique=True,
            postgresql_where="released_at IS NULL",
        ),
        Index("ix_order_holds_open", "tenant_id", "placed_at", postgresql_where="released_at IS NULL"),
    )


class StatusChange(TenantTable):
    """One step of one small machine: who, when, from, to, why. Append-only. The first state is not a step."""

    __tablename__ = "status_changes"
    __append_only__ = True
    machine: Mapped[str]
    """`order`, `work` or `request` (of a fulfillment order)."""
    subject_id: Mapped[UUID]
    before: Mapped[str]
    after: Mapped[str]
    why: Mapped[str] = mapped_column(server_default="")
    actor: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (Index(None, "tenant_id", "subject_id", "machine", "id"),)


class TimelineEvent(TenantTable):
    """One thing that happened to an order, in the past tense. Append-only."""

    __tablename__ = "timeline"
    __append_only__ = True
    order_id: Mapped[UUID]
    name: Mapped[str]
    at: Mapped[datetime]
    """Business time."""
    actor: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    __table_args__ = (
        tenant_key("order_id", "orders"),
        Index(None, "tenant_id", "order_id", "id"),
        Index(
            "ix_timeline_reported",
            "tenant_id",
            "at",
            postgresql_where=text("name IN ('{}')".format("', '".join(events.REPORTED))),
        ),
    )
