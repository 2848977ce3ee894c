"""Work at nodes: fulfillment orders with the provider's handshake, and shipments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.fulfillment.vocabulary import REQUEST, WORK
from infra.db import TenantTable, one_of, tenant_key


class FulfillmentOrder(TenantTable):
    """The work of one order for one node. Work status and request status apart: a provider may refuse."""

    __tablename__ = "fulfillment_orders"
    order_id: Mapped[UUID]
    node_id: Mapped[UUID]
    node: Mapped[str]
    """The node's code."""
    number: Mapped[str]
    work_status: Mapped[str] = mapped_column(server_default="open")
    request_status: Mapped[str] = mapped_column(server_default="held")
    service: Mapped[str] = mapped_column(server_default="standard")
    ship_to: Mapped[dict[str, Any] | None]
    """Null = the order's."""
    promised_by: Mapped[datetime]
    created_at: Mapped[datetime]
    leaves_on: Mapped[date | None]
    """The day whose capacity of the node it takes; null where the node has none."""
    gathered_until: Mapped[datetime | None]
    """The end of the window it waits for, to be planned with the others of it; null where it does not wait."""
    submitted_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    reject_reason: Mapped[str | None]
    lines: Mapped[list[FulfillmentOrderLine]] = relationship(
        order_by="FulfillmentOrderLine.id",
        viewonly=True,
        primaryjoin="and_(FulfillmentOrder.tenant_id == FulfillmentOrderLine.tenant_id,"
        " FulfillmentOrder.id == FulfillmentOrderLine.fulfillment_order_id)",
        foreign_keys="[FulfillmentOrderLine.tenant_id, FulfillmentOrderLine.fulfillment_order_id]",
    )
    shipments: Mapped[list[Shipment]] = relationship(
        order_by="Shipment.id",
        viewonly=True,
        primaryjoin="and_(FulfillmentOrder.tenant_id == Shipment.tenant_id,"
        " FulfillmentOrder.id == Shipment.fulfillment_order_id)",
        foreign_keys="[Shipment.tenant_id, Shipment.fulfillment_order_id]",
    )
    __table_args__ = (
        one_of("work_status", *WORK),
        one_of("request_status", *REQUEST),
        tenant_key("order_id", "orders"),
        tenant_key("node_id", "nodes"),
        Index("uq_fulfillment_orders_number", "tenant_id", "number", unique=True),
        Index(None, "tenant_id", "order_id"),
        Index(None, "tenant_id", "request_status", "node_id", "id"),
        Index(
            "ix_fulfillment_orders_gathered",
            "tenant_id",
            "gathered_until",
            postgresql_where=text("request_status = 'held'"),
        ),
        Index(
            "ix_fulfillment_orders_open_work",
            "tenant_id",
            "node_id",
            postgresql_where=text("work_status IN ('open', 'picking', 'packed')"),
        ),
    )


class FulfillmentOrderLine(TenantTable):
    """Units of one order line to be shipped from this node."""

    __tablename__ = "fulfillment_order_lines"
    fulfillment_order_id: Mapped[UUID]
    order_line_id: Mapped[UUID]
    sku_id: Mapped[UUID]
    sku: Mapped[str]
    quantity: Mapped[int]
    picked: Mapped[int] = mapped_column(server_default="0")
    packed: Mapped[int] = mapped_column(server_default="0")
    shipped: Mapped[int] = mapped_column(server_default="0")
    released: Mapped[int] = mapped_column(server_default="0")
    """Cancelled, rejected or short units that will not ship from here."""
    cancel_requested: Mapped[int] = mapped_column(server_default="0")
    """Open units the buyer wants canceled: they stay allocated until the provider answers."""
    excludes: Mapped[str | None]
    """After a refusal: the order goes no more to this `node`, or gets no more of this `sku` from it."""
    __table_args__ = (
        one_of("excludes", "node", "sku"),
        CheckConstraint(
            "quantity > 0 AND shipped >= 0 AND released >= 0 AND cancel_requested >= 0",
            name="counts_not_negative",
        ),
        CheckConstraint("shipped + released + cancel_requested <= quantity", name="ships_within_quantity"),
        CheckConstraint(
            "picked BETWEEN 0 AND quantity AND packed BETWEEN 0 AND quantity", name="picks_within_quantity"
        ),
        tenant_key("fulfillment_order_id", "fulfillment_orders"),
        tenant_key("order_line_id", "order_lines"),
        Index(None, "tenant_id", "fulfillment_order_id"),
        Index(None, "tenant_id", "order_line_id"),
    )


class Shipment(TenantTable):
    """Goods physically handed over: to a carrier, or to the buyer at a counter. Append-only."""

    __tablename__ = "shipments"
    __append_only__ = True
    fulfillment_order_id: Mapped[UUID]
    order_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(server_default="carrier")
    carrier: Mapped[str]
    service: Mapped[str] = mapped_column(server_default="")
    tracking_number: Mapped[str]
    shipped_at: Mapped[datetime]
    """Physical hand-over, business time."""
    recorded_at: Mapped[datetime]
    cost: Mapped[int | None]
    """What the carrier charges the merchant, minor units."""
    value: Mapped[int]
    """What these units are worth to the buyer: captured at shipment, minor units."""
    handed_to: Mapped[dict[str, Any] | None]
    """At a counter: {name, identified_by}."""
    report: Mapped[str | None]
    """Digest of the report: the same hand-over told twice is one shipment. Null when nothing tells two apart."""
    lines: Mapped[list[ShipmentLine]] = relationship(
        order_by="ShipmentLine.id",
        viewonly=True,
        primaryjoin="and_(Shipment.tenant_id == ShipmentLine.tenant_id,"
        " Shipment.id == ShipmentLine.shipment_id)",
        foreign_keys="[ShipmentLine.tenant_id, ShipmentLine.shipment_id]",
    )
    __table_args__ = (
        one_of("kind", "carrier", "counter", "digital"),
        CheckConstraint("value >= 0", name="value_not_negative"),
        tenant_key("fulfillment_order_id", "fulfillment_orders"),
        tenant_key("order_id", "orders"),
        Index(None, "tenant_id", "order_id"),
        Index("uq_shipments_report", "tenant_id", "fulfillment_order_id", "report", unique=True),
    )


class ShipmentLine(TenantTable):
    """Units of one fulfillment-order line in one shipment. Append-only."""

    __tablename__ = "shipment_lines"
    __append_only__ = True
    shipment_id: Mapped[UUID]
    fulfillment_order_line_id: Mapped[UUID]
    order_line_id: Mapped[UUID]
    sku: Mapped[str]
    quantity: Mapped[int]
    value: Mapped[int]
    __table_args__ = (
        CheckConstraint("quantity > 0", name="ships_something"),
        tenant_key("shipment_id", "shipments"),
        tenant_key("fulfillment_order_line_id", "fulfillment_order_lines"),
        tenant_key("order_line_id", "order_lines"),
        Index(None, "tenant_id", "shipment_id"),
        Index(None, "tenant_id", "order_line_id"),
    )
