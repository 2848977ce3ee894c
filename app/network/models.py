"""Where orders are fulfilled, and what carriers ask to bring them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.network.vocabulary import DIM_UNITS, KINDS, ZONES_BY
from infra.db import TenantTable, one_of, tenant_key


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
    capacity_per_hour: Mapped[int | None]
    """Packages in an hour in which it is open; null = no limit known."""
    handling_minutes: Mapped[int | None]
    """From release to ready, of the time it is open; null = not known."""
    handling_per_package: Mapped[int] = mapped_column(server_default="0")
    """Minor units of the tenant's currency."""
    handling_per_unit: Mapped[int] = mapped_column(server_default="0")
    priority: Mapped[int] = mapped_column(server_default="100")
    """The lower number is preferred when plans tie."""
    cutoff: Mapped[str | None]
    """Local time HH:MM after which work leaves the next working day."""
    cutoffs: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """{carrier service: HH:MM}, where a service has a cut-off of its own."""
    calendar: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """{open_days: [mon..sun], hours: {mon: [HH:MM, HH:MM]}, closed: [dates], holidays: us_federal}"""
    capabilities: Mapped[list[Any]] = mapped_column(server_default="[]")
    """Codes: hazard, temperature, gift_wrap, personalization, pickup, and the merchant's own."""
    zones: Mapped[list[Any]] = mapped_column(server_default="[]")
    """Where it delivers: [{country, regions, zip_prefixes}]; none = everywhere."""
    rate_card: Mapped[str | None]
    """Code of the rate card by which its parcels are priced."""
    open: Mapped[bool] = mapped_column(server_default="true")
    updated_at: Mapped[datetime]
    __table_args__ = (
        one_of("kind", *KINDS),
        CheckConstraint("capacity_per_day IS NULL OR capacity_per_day >= 0", name="capacity_not_negative"),
        CheckConstraint("capacity_per_hour IS NULL OR capacity_per_hour >= 0", name="hourly_not_negative"),
        CheckConstraint("handling_minutes IS NULL OR handling_minutes >= 0", name="minutes_not_negative"),
        tenant_key("rate_card", "rate_cards", target="code"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place_whole"),
        Index("uq_nodes_code", "tenant_id", "code", unique=True),
    )


class RateCard(TenantTable):
    """What one carrier service asks for a parcel, by zone and weight."""

    __tablename__ = "rate_cards"
    code: Mapped[str]
    name: Mapped[str]
    carrier: Mapped[str] = mapped_column(server_default="")
    service: Mapped[str] = mapped_column(server_default="")
    currency: Mapped[str]
    zone_by: Mapped[str] = mapped_column(server_default="distance")
    zone_miles: Mapped[list[Any]] = mapped_column(server_default="[]")
    """Thresholds, rising: zone 1 reaches to the first, the last zone lies beyond the last."""
    dim_divisor: Mapped[int | None]
    dim_unit: Mapped[str] = mapped_column(server_default="in3_per_lb")
    dim_over: Mapped[int] = mapped_column(server_default="0")
    """Cubic inches or centimeters (as dim_unit): only larger parcels are weighed by their size."""
    surcharges: Mapped[list[Any]] = mapped_column(server_default="[]")
    """[{code, amount, when, value}]; amounts in minor units."""
    fuel_basis_points: Mapped[int] = mapped_column(server_default="0")
    """Hundredths of a percent of price and surcharges."""
    transit_days: Mapped[list[Any]] = mapped_column(server_default="[]")
    """Business days by zone."""
    prices: Mapped[list[Any]] = mapped_column(server_default="[]")
    """[[up to grams, [minor units by zone, null where it does not go]]], rising."""
    updated_at: Mapped[datetime]
    __table_args__ = (
        one_of("zone_by", *ZONES_BY),
        one_of("dim_unit", *DIM_UNITS),
        CheckConstraint("dim_divisor IS NULL OR dim_divisor > 0", name="divisor_positive"),
        CheckConstraint("dim_over >= 0 AND fuel_basis_points >= 0", name="not_negative"),
        Index("uq_rate_cards_code", "tenant_id", "code", unique=True),
    )


class ZoneRow(TenantTable):
    """The zones of a rate card from one three-digit ZIP area to all others.

    One row per origin instead of one per pair: routing reads a whole card of 850,000 pairs in milliseconds.
    """

    __tablename__ = "rate_card_zones"
    rate_card_id: Mapped[UUID]
    origin: Mapped[int]
    zones: Mapped[bytes] = mapped_column(LargeBinary)
    """A byte for each destination 000 to 999; 0 = the file does not say."""
    __table_args__ = (
        tenant_key("rate_card_id", "rate_cards"),
        CheckConstraint("origin BETWEEN 0 AND 999 AND length(zones) = 1000", name="whole_row"),
        Index("uq_rate_card_zones_origin", "tenant_id", "rate_card_id", "origin", unique=True),
    )


class NodeLoad(TenantTable):
    """Packages given to a node with a capacity, by the day they leave it."""

    __tablename__ = "node_loads"
    node_id: Mapped[UUID]
    day: Mapped[date]
    packages: Mapped[int]
    capacity: Mapped[int | None]
    """What the node could do when it was last given work; null where a rule looked past it."""
    __table_args__ = (
        CheckConstraint("packages >= 0", name="packages_not_negative"),
        CheckConstraint("capacity IS NULL OR packages <= capacity", name="packages_within_capacity"),
        tenant_key("node_id", "nodes"),
        Index("uq_node_loads_day", "tenant_id", "node_id", "day", unique=True),
    )
