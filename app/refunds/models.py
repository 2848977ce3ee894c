"""Money owed back to a buyer: one row per tender and cause, open until the money and the statement have gone."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantTable, one_of, tenant_key


class RefundDue(TenantTable):
    """One tender's part of a refund under 16 CFR 435.1(b) and (d). Amounts are minor units."""

    __tablename__ = "refunds_due"
    order_id: Mapped[UUID]
    tender_id: Mapped[UUID]
    amount: Mapped[int]
    """What must go back; where nothing was taken, what will not be charged."""
    cause: Mapped[str]
    taken: Mapped[bool] = mapped_column(server_default=text("true"))
    """False: the money was never taken. It is let go, and the buyer told so."""
    form: Mapped[str] = mapped_column(server_default="same_form_and_statement")
    """What counts as the refund of this tender."""
    vests_on: Mapped[date]
    """The day of the seller's zone on which the right to the refund came to be."""
    latest_on: Mapped[date]
    """The last lawful day."""
    strict_on: Mapped[date]
    """The last day when observed Fridays count as working days: the one Kept keeps."""
    target_on: Mapped[date]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """The end of `strict_on` in the seller's zone."""
    paid_at: Mapped[datetime | None]
    """When the money had gone, or was let go."""
    sent_on: Mapped[date | None]
    """The day the money was sent, as the buyer's statement says."""
    paid_form: Mapped[str | None]
    reference: Mapped[str | None]
    entry_id: Mapped[UUID | None]
    impossible_on: Mapped[date | None]
    """The day it was found that the money cannot go back the way it came."""
    impossible_reason: Mapped[str | None]
    statement_id: Mapped[UUID | None]
    stated_on: Mapped[date | None]
    """The day the buyer's statement left."""
    statement_reference: Mapped[str | None]
    """How a person sent the statement, where no message of ours did."""
    proven_at: Mapped[datetime | None]
    """When both had gone: from then on the refund counts as made."""
    alarm: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """0 none; 1 our own target was missed; 2 the lawful day is near; 3 it has passed."""
    __table_args__ = (
        CheckConstraint("amount > 0", name="owes_something"),
        CheckConstraint("alarm BETWEEN 0 AND 3", name="alarm_known"),
        CheckConstraint(
            "proven_at IS NULL OR (paid_at IS NOT NULL AND stated_on IS NOT NULL)", name="proof_is_whole"
        ),
        one_of(
            "form",
            "cash_or_check",
            "credit_memo_and_copy",
            "not_charged_statement",
            "account_statement",
            "same_form_and_statement",
        ),
        tenant_key("order_id", "orders"),
        tenant_key("tender_id", "tenders"),
        tenant_key("entry_id", "ledger_entries"),
        tenant_key("statement_id", "notices"),
        Index("uq_refunds_due_cause", "tenant_id", "tender_id", "cause", unique=True),
        Index(None, "tenant_id", "order_id"),
        Index("ix_refunds_due_open", "tenant_id", "due_at", postgresql_where=text("proven_at IS NULL")),
        Index("ix_refunds_due_statement", "tenant_id", "statement_id", unique=True),
    )
