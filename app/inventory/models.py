"""Stock: positions, their ledger, and what is reserved on them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.inventory.vocabulary import CAUSES, DISPOSITIONS
from infra.db import TenantTable, one_of, tenant_key


class StockPosition(TenantTable):
    """Node x SKU x disposition x segment. on_hand is the sum of its movements."""

    __tablename__ = "stock_positions"
    node_id: Mapped[UUID]
    sku_id: Mapped[UUID]
    disposition: Mapped[str] = mapped_column(server_default="sellable")
    segment: Mapped[str] = mapped_column(server_default="shared")
    """`shared`, or the code of the channel it is held for."""
    on_hand: Mapped[int] = mapped_column(server_default="0")
    reserved: Mapped[int] = mapped_column(server_default="0")
    safety: Mapped[int] = mapped_column(server_default="0")
    __table_args__ = (
        one_of("disposition", *DISPOSITIONS),
        CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="reserved_within_on_hand"),
        CheckConstraint("safety >= 0", name="safety_not_negative"),
        tenant_key("node_id", "nodes"),
        tenant_key("sku_id", "skus"),
        Index(
            "uq_stock_positions_place",
            "tenant_id",
            "sku_id",
            "node_id",
            "disposition",
            "segment",
            unique=True,
        ),
        Index(None, "tenant_id", "node_id"),
    )


class Allotment(TenantTable):
    """Units of the shared stock that one channel may count on: the others do not see them."""

    __tablename__ = "allotments"
    channel: Mapped[str]
    sku_id: Mapped[UUID | None]
    """Null: every SKU."""
    node_id: Mapped[UUID | None]
    """Null: every node, each by itself."""
    share_percent: Mapped[int | None]
    """Of the units free at the moment."""
    units: Mapped[int | None]
    """The last units at a node."""
    borrow: Mapped[bool] = mapped_column(server_default="false")
    """Whether this channel may take what others hold."""
    __table_args__ = (
        CheckConstraint("(share_percent IS NULL) <> (units IS NULL)", name="one_measure"),
        CheckConstraint("share_percent BETWEEN 0 AND 100", name="share_is_percent"),
        CheckConstraint("units >= 0", name="units_not_negative"),
        tenant_key("sku_id", "skus"),
        tenant_key("node_id", "nodes"),
        Index(
            "uq_allotments_place",
            "tenant_id",
            "channel",
            "sku_id",
            "node_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )


class StockMovement(TenantTable):
    """One change of one position, with its cause. Append-only."""

    __tablename__ = "stock_movements"
    __append_only__ = True
    position_id: Mapped[UUID]
    delta: Mapped[int]
    cause: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    reference: Mapped[str] = mapped_column(server_default="")
    """The caller's own reference, or the shipment line's id."""
    actor: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (
        one_of("cause", *CAUSES),
        CheckConstraint("delta <> 0", name="moves_something"),
        tenant_key("position_id", "stock_positions"),
        Index(None, "tenant_id", "position_id", "id"),
        Index(None, "tenant_id", "reference"),
    )


class Reservation(TenantTable):
    """Units of one order line on one supply. A backorder is a reservation without supply yet."""

    __tablename__ = "reservations"
    order_line_id: Mapped[UUID]
    sku_id: Mapped[UUID]
    node_id: Mapped[UUID | None]
    """Null while no node can act (a backorder)."""
    position_id: Mapped[UUID | None]
    """Null for backorders and for supply without stock: made to order, digital, vendor."""
    supply: Mapped[str]
    quantity: Mapped[int]
    ship_by: Mapped[datetime]
    """The promise it serves: new stock is matched by promise, then age."""
    made_at: Mapped[datetime]
    __table_args__ = (
        one_of("supply", "on_hand", "none", "made", "unlimited", "vendor"),
        CheckConstraint("quantity > 0", name="holds_something"),
        CheckConstraint("(supply = 'on_hand') = (position_id IS NOT NULL)", name="on_hand_has_position"),
        CheckConstraint("(supply = 'none') = (node_id IS NULL)", name="backorder_has_no_node"),
        tenant_key("order_line_id", "order_lines"),
        tenant_key("position_id", "stock_positions"),
        Index(None, "tenant_id", "order_line_id"),
        Index(None, "tenant_id", "position_id"),
        Index(
            "ix_reservations_backorders",
            "tenant_id",
            "sku_id",
            "ship_by",
            "made_at",
            postgresql_where="supply = 'none'",
        ),
    )


class QuoteHold(TenantTable):
    """Units of a position kept for a quote; they are counted in `reserved` as an order's are."""

    __tablename__ = "quote_holds"
    quote_id: Mapped[UUID]
    position_id: Mapped[UUID]
    units: Mapped[int]
    __table_args__ = (
        CheckConstraint("units > 0", name="holds_something"),
        tenant_key("quote_id", "quotes"),
        tenant_key("position_id", "stock_positions"),
        Index("uq_quote_holds_position", "tenant_id", "quote_id", "position_id", unique=True),
        Index(None, "tenant_id", "position_id"),
    )


class StockCase(TenantTable):
    """A difference a person must look at: a count that disagrees, units held after a rejection."""

    __tablename__ = "stock_cases"
    node_id: Mapped[UUID]
    sku_id: Mapped[UUID]
    kind: Mapped[str]
    expected: Mapped[int]
    counted: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="open")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(server_default="")
    reference: Mapped[str] = mapped_column(server_default="")
    __table_args__ = (
        one_of("kind", "count", "rejection"),
        one_of("state", "open", "accepted", "dismissed"),
        tenant_key("node_id", "nodes"),
        tenant_key("sku_id", "skus"),
        Index(None, "tenant_id", "state"),
    )
