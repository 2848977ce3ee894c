"""Which nodes were chosen for an order, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantTable, one_of, tenant_key


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
    inputs: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Compressed JSON of everything it was decided from: see `recording`. Null for what was never decided here."""
    packages: Mapped[int]
    miles: Mapped[float] = mapped_column(Float)
    __table_args__ = (tenant_key("order_id", "orders"), Index(None, "tenant_id", "order_id", "id"))


class RoutingNetwork(TenantTable):
    """A network that decisions were made on, kept once for each change of the settings. Append-only."""

    __tablename__ = "routing_networks"
    __append_only__ = True
    digest: Mapped[str]
    document: Mapped[bytes] = mapped_column(LargeBinary)
    """Compressed JSON: see `configuration.Source.document`."""
    made_at: Mapped[datetime]
    __table_args__ = (Index("uq_routing_networks_digest", "tenant_id", "digest", unique=True),)


class PriceTable(TenantTable):
    """Prices on scarce stock and capacity, from the tenant's own past. Append-only; the newest is in force."""

    __tablename__ = "price_tables"
    __append_only__ = True
    version: Mapped[int]
    document: Mapped[dict[str, Any]]
    """{stock: {sku: {node: minor units}}, capacity: {node: minor units}, risk: {node: share}}"""
    basis: Mapped[dict[str, Any]]
    """What it was made from: {orders, from, to, seconds}."""
    made_at: Mapped[datetime]
    __table_args__ = (Index("uq_price_tables_version", "tenant_id", "version", unique=True),)


class RoutingException(TenantTable):
    """An order that routing could not place by itself, or goods that left though canceled by law (`gone`): a person
    decides. Closed by what was done."""

    __tablename__ = "routing_exceptions"
    order_id: Mapped[UUID]
    kind: Mapped[str]
    reason: Mapped[str]
    """In plain words: what happened, with its figures."""
    state: Mapped[str] = mapped_column(server_default="open")
    action: Mapped[str] = mapped_column(server_default="")
    """What closed it: `routed`, `assigned`, `backordered`, `cancelled`, `settled`."""
    owner: Mapped[str] = mapped_column(server_default="")
    """Who said that they look after it; empty: nobody yet."""
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(server_default="")
    __table_args__ = (
        one_of("kind", "nowhere", "cycles", "cancel", "gone"),
        one_of("state", "open", "closed"),
        tenant_key("order_id", "orders"),
        Index(
            "uq_routing_exceptions_open",
            "tenant_id",
            "order_id",
            "kind",
            unique=True,
            postgresql_where="state = 'open'",
        ),
        Index(None, "tenant_id", "state", "opened_at"),
    )


class CoolDown(TenantTable):
    """A node that gets no more of a SKU (or, without one, of anything) from any order until a time."""

    __tablename__ = "cool_downs"
    node_id: Mapped[UUID]
    sku_id: Mapped[UUID | None]
    reason: Mapped[str]
    until: Mapped[datetime]
    __table_args__ = (
        tenant_key("node_id", "nodes"),
        tenant_key("sku_id", "skus"),
        Index(
            "uq_cool_downs_place",
            "tenant_id",
            "node_id",
            "sku_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "tenant_id", "until"),
    )


class Simulation(TenantTable):
    """A what-if: past orders decided again by one or two versions of the rules, against the stock as it was."""

    __tablename__ = "simulations"
    version: Mapped[int]
    """The version that is looked at."""
    against: Mapped[int]
    """The version it is compared with."""
    orders_from: Mapped[datetime]
    orders_to: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="queued")
    orders_total: Mapped[int] = mapped_column(server_default="0")
    orders_done: Mapped[int] = mapped_column(server_default="0")
    result: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """Figures of both versions and load by node: see `slices.Slice.result`."""
    changes: Mapped[list[Any]] = mapped_column(server_default="[]")
    """Orders that go otherwise, those where it matters most: [{order, number, before, after}]."""
    basis: Mapped[bytes | None] = mapped_column(LargeBinary)
    """While it runs, compressed JSON: the stock at the start and how it changed. See `runs._begin`."""
    left_before: Mapped[bytes | None] = mapped_column(LargeBinary)
    left_after: Mapped[bytes | None] = mapped_column(LargeBinary)
    """While it runs, compressed JSON: what each version left so far. See `slices.Side.left`."""
    error: Mapped[str] = mapped_column(server_default="")
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("state", "queued", "running", "done", "failed", "cancelled"),
        Index(None, "tenant_id", "created_at"),
    )


class SimulationSlice(TenantTable):
    """Orders of a what-if that are decided in one transaction by each version; gone when it is over."""

    __tablename__ = "simulation_slices"
    simulation_id: Mapped[UUID]
    position: Mapped[int]
    orders: Mapped[list[Any]]
    """Their ids, oldest first."""
    size: Mapped[int]
    before: Mapped[bytes | None] = mapped_column(LargeBinary)
    after: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Compressed JSON: what each version made of them. See `slices.Side.decided`."""
    __table_args__ = (
        tenant_key("simulation_id", "simulations"),
        Index("uq_simulation_slices_position", "tenant_id", "simulation_id", "position", unique=True),
    )
