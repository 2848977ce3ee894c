"""What the buyer was told, on what basis, and what they answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.promises.vocabulary import DELIVERY_STATES, EVENTS, STATES
from infra.db import TenantTable, one_of, tenant_key


class Promise(TenantTable):
    """The legal clock of one order line."""

    __tablename__ = "promises"
    order_id: Mapped[UUID]
    order_line_id: Mapped[UUID]
    stated: Mapped[bool]
    basis: Mapped[str]
    """`stated`, `30 days`, `50 days`, `delivery` (so that it arrives in time) or `not covered`."""
    regimes: Mapped[list[Any]] = mapped_column(server_default='["us_federal"]')
    """The laws the line follows (promises/regimes.py), as decided when it was ordered."""
    evidence: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """What was shown and when, and the reasonable basis: available units, nodes, lead time."""
    made_at: Mapped[datetime]
    original_deadline: Mapped[datetime]
    """T: the first instant after the last moment to ship, UTC."""
    original_date: Mapped[date]
    """T as a calendar day, in the strict zone."""
    deadline: Mapped[datetime]
    """The deadline in force: T, or the revised date consented to."""
    expected_ship_at: Mapped[datetime | None]
    """Kept's own computed ship date; null when no supply is known."""
    state: Mapped[str] = mapped_column(server_default="open")
    due_at: Mapped[datetime | None]
    """When the watch must look at the line next (UTC, business time): a person is to decide, the last call for a
    notice, or the deadline. Null: time does nothing to it."""
    vested_at: Mapped[datetime | None]
    """The instant from which the line, or units of it, is canceled by law; what was handed over before it shipped."""
    vests_on: Mapped[date | None]
    """The seller's day from which the refund's working days count."""
    deliver_by: Mapped[date | None]
    """Under a law of delivery: the last day to deliver that is in force, agreed or granted since."""
    delivery_deadline: Mapped[datetime | None]
    """The first instant after that day in the zone that binds, UTC."""
    delivery_state: Mapped[str | None]
    delivery_due_at: Mapped[datetime | None]
    """When the watch must look at the delivery next (UTC, business time)."""
    __table_args__ = (
        one_of("state", *STATES),
        one_of("delivery_state", *DELIVERY_STATES),
        tenant_key("order_line_id", "order_lines"),
        tenant_key("order_id", "orders"),
        Index("uq_promises_line", "tenant_id", "order_line_id", unique=True),
        Index(None, "tenant_id", "order_id"),
        Index(
            "ix_promises_live",
            "tenant_id",
            "deadline",
            postgresql_where="state NOT IN ('shipped', 'cancelled', 'not_covered', 'incomplete')",
        ),
        Index(
            "ix_promises_without_date",
            "tenant_id",
            "deadline",
            postgresql_where="state NOT IN ('shipped', 'cancelled', 'not_covered', 'incomplete')"
            " AND state <> 'consent_indefinite' AND (expected_ship_at IS NULL OR expected_ship_at >= deadline)",
        ),
        Index(
            "ix_promises_waiting",
            "tenant_id",
            "deadline",
            postgresql_where="state IN ('wait_silent', 'wait_express', 'wait_renewed')",
        ),
        Index(
            "ix_promises_due",
            "tenant_id",
            "due_at",
            postgresql_include=["order_id"],
            postgresql_where="due_at IS NOT NULL",
        ),
        Index(
            "ix_promises_delivery_due",
            "tenant_id",
            "delivery_due_at",
            postgresql_include=["order_id"],
            postgresql_where="delivery_due_at IS NOT NULL",
        ),
        Index(
            "ix_promises_undelivered",
            "tenant_id",
            "delivery_deadline",
            postgresql_where="delivery_state IN ('late', 'terminable')",
        ),
    )


class PromiseEvent(TenantTable):
    """What happened to a line's promise and cannot be derived from notices, answers and shipments. Append-only;
    one per cause."""

    __tablename__ = "promise_events"
    __append_only__ = True
    order_id: Mapped[UUID]
    order_line_id: Mapped[UUID]
    kind: Mapped[str]
    key: Mapped[str]
    """What caused it: the same cause again is the same event."""
    at: Mapped[datetime]
    """When it took effect for the law, UTC, business time."""
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """By kind: the clock before and after, the basis of a revised date, the paragraph and units of a cancellation."""
    __table_args__ = (
        one_of("kind", *EVENTS),
        tenant_key("order_id", "orders"),
        tenant_key("order_line_id", "order_lines"),
        Index("uq_promise_events_cause", "tenant_id", "order_line_id", "kind", "key", unique=True),
        Index(None, "tenant_id", "order_id"),
    )


class DelayAnswer(TenantTable):
    """A buyer's answer to one delay notice, stamped when the server received it. Append-only."""

    __tablename__ = "delay_answers"
    __append_only__ = True
    order_id: Mapped[UUID]
    notice_id: Mapped[UUID]
    answer: Mapped[str]
    received_at: Mapped[datetime]
    channel: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    __table_args__ = (
        one_of("answer", "consent", "cancel", "consent_rider"),
        tenant_key("order_id", "orders"),
        tenant_key("notice_id", "notices"),
        Index(None, "tenant_id", "order_id"),
    )
