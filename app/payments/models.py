"""Money: tenders, and the ledger of attempts against them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.payments.vocabulary import TENDER_KINDS
from infra.db import TenantTable, one_of, tenant_key


class Tender(TenantTable):
    """One way an order is paid, and how much of the total it bears."""

    __tablename__ = "tenders"
    order_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    payment_method: Mapped[str | None]
    processor_customer: Mapped[str | None]
    card: Mapped[dict[str, Any] | None]
    """{brand, last4} once the processor told us."""
    code: Mapped[str | None]
    reference: Mapped[str | None]
    mandate_at: Mapped[datetime | None]
    """When the buyer allowed later off-session authorizations of this order."""
    __table_args__ = (
        one_of("kind", *TENDER_KINDS),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        tenant_key("order_id", "orders"),
        Index("uq_tenders_position", "tenant_id", "order_id", "position", unique=True),
    )


class LedgerEntry(TenantTable):
    """One attempt with a key, an outcome (or unknown) and the processor's reference."""

    __tablename__ = "ledger_entries"
    order_id: Mapped[UUID]
    tender_id: Mapped[UUID]
    kind: Mapped[str]
    amount: Mapped[int]
    outcome: Mapped[str]
    key: Mapped[str]
    """Names the effect: a second attempt for the same effect cannot be written."""
    authorization_id: Mapped[UUID | None]
    """Of a capture, void or expiry: the authorization it draws on."""
    shipment_id: Mapped[UUID | None]
    reference: Mapped[str | None]
    captured: Mapped[int] = mapped_column(server_default="0")
    """Of an authorization: what was captured from it."""
    capture_before: Mapped[datetime | None]
    """Of an authorization: when the processor lets it lapse (business time)."""
    ended_at: Mapped[datetime | None]
    """Of an authorization: captured, voided or expired; nothing more can be drawn."""
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    next_action: Mapped[dict[str, Any] | None]
    at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    """Real time at which the outcome became known."""
    asked_at: Mapped[datetime | None]
    """Real time at which the processor was asked: the janitor's measure for lost answers."""
    __table_args__ = (
        one_of("kind", "authorize", "capture", "refund", "void", "expire"),
        one_of("outcome", "pending", "succeeded", "failed", "unknown"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("captured BETWEEN 0 AND amount", name="captured_within_authorized"),
        tenant_key("order_id", "orders"),
        tenant_key("tender_id", "tenders"),
        tenant_key("authorization_id", "ledger_entries"),
        tenant_key("shipment_id", "shipments"),
        Index("uq_ledger_entries_key", "tenant_id", "key", unique=True),
        Index(None, "tenant_id", "order_id"),
        Index(None, "tenant_id", "reference"),
        Index(
            "ix_ledger_entries_unsettled",
            "tenant_id",
            "asked_at",
            postgresql_where=text("outcome IN ('pending', 'unknown')"),
        ),
    )
