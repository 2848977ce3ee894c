"""Refunds due under 435.1(b) and (d): in which form, how much to which tender, and by when at the latest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app import calendar
from app.promises.rules import DEFAULT, Settings

WORKING_DAYS = 7  # 435.1(b)(1)
TARGET_DAYS = 2  # our own aim, well inside the law


class TenderClass(StrEnum):
    CASH = "cash"  # cash, check, money order; also the cash part of a credit sale
    THIRD_PARTY_CREDIT = "third_party_credit"  # card, pay-later credit
    SELLER_CREDIT = "seller_credit"  # the seller itself is the creditor
    OTHER = "other"  # debit, gift card, wallet, bank transfer, anything else


# How a tender of an order is refunded. A tender paid through another party's checkout goes back the way it
# came.
CLASS_OF_TENDER = {
    "cash": TenderClass.CASH,
    "check": TenderClass.CASH,
    "card": TenderClass.THIRD_PARTY_CREDIT,
    "terms": TenderClass.SELLER_CREDIT,
    "gift_card": TenderClass.OTHER,
    "credit": TenderClass.OTHER,
    "external": TenderClass.OTHER,
}


class RefundForm(StrEnum):
    """What counts as a refund (435.1(d)). Store credit never does for money tendered otherwise."""

    CASH_OR_CHECK = "cash_or_check"  # cash, check or money order sent to the buyer
    CREDIT_MEMO_AND_COPY = (
        "credit_memo_and_copy"  # to the creditor, and a copy with date and amount to the buyer
    )
    NOT_CHARGED_STATEMENT = "not_charged_statement"  # nothing was taken, and nothing will be
    ACCOUNT_STATEMENT = "account_statement"  # the seller's own account shows the charge removed or absent
    SAME_FORM_AND_STATEMENT = "same_form_and_statement"  # in the form tendered, and a statement to the buyer


@dataclass(frozen=True, slots=True)
class Tender:
    """What one tender of the order paid, in minor units, and what of it went back already. `taken` is false
    while nothing was captured: then the refund is a void and a statement."""

    kind: str
    paid: int
    refunded: int = 0
    taken: bool = True

    @property
    def refund_class(self) -> TenderClass:
        return CLASS_OF_TENDER.get(self.kind, TenderClass.OTHER)


@dataclass(frozen=True, slots=True)
class RefundDue:
    """One tender's part. `latest` is the last lawful day, `latest_strict` the earlier one when observed
    Fridays are counted as working days, `target` our own aim."""

    tender: Tender
    amount: int
    form: RefundForm
    latest: date
    latest_strict: date
    target: date


def refunds_due(
    vests_on: date,
    amount: int,
    tenders: Sequence[Tender],
    *,
    cycle_ends: date | None = None,
    settings: Settings = DEFAULT,
) -> list[RefundDue]:
    """The parts of a refund of `amount` minor units that vested on that day, one per tender that gives any
    back.

    Raises ValueError when more is asked than the tenders still hold.
    """
    parts = over_tenders(amount, tenders)
    return [
        RefundDue(
            tender,
            part,
            form(tender.refund_class, taken=tender.taken),
            latest(vests_on, tender.refund_class, cycle_ends=cycle_ends, settings=settings),
            latest(vests_on, tender.refund_class, cycle_ends=cycle_ends, settings=settings, strict=True),
            calendar.add_working_days(vests_on, TARGET_DAYS, strict=True),
        )
        for tender, part in zip(tenders, parts, strict=True)
        if part
    ]


def latest(
    vests_on: date,
    tender: TenderClass,
    *,
    impossible_since: date | None = None,
    cycle_ends: date | None = None,
    strict: bool = False,
    settings: Settings = DEFAULT,
) -> date:
    """The last lawful day of a refund that vested on `vests_on` (both in the seller's zone).

    Seven working days, counted from the day after; one billing cycle where the seller is the creditor
    (`cycle_ends` when its end is known, else a month). `impossible_since`: the day it was found that the
    money cannot go back the same way, from which cash or a check is due within seven working days.
    """
    if impossible_since is None and tender is TenderClass.SELLER_CREDIT:
        month = calendar.add_month(vests_on)
        return month if cycle_ends is None else min(cycle_ends, month)
    start = vests_on if impossible_since is None else impossible_since
    if settings.count_vesting_day:
        start -= timedelta(days=1)
    return calendar.add_working_days(start, WORKING_DAYS, strict=strict or not settings.observed_fridays)


def form(tender: TenderClass, *, taken: bool = True, impossible: bool = False) -> RefundForm:
    """The form that counts as a refund of that tender."""
    if impossible or tender is TenderClass.CASH:
        return RefundForm.CASH_OR_CHECK
    if tender is TenderClass.SELLER_CREDIT:
        return RefundForm.ACCOUNT_STATEMENT
    if not taken:
        return RefundForm.NOT_CHARGED_STATEMENT
    if tender is TenderClass.THIRD_PARTY_CREDIT:
        return RefundForm.CREDIT_MEMO_AND_COPY
    return RefundForm.SAME_FORM_AND_STATEMENT


def amount_due(paid: int, shipped_alone: int, *, pro_rata: int = 0) -> int:
    """The refund for what will not ship, in minor units: all that was tendered less what the buyer would
    have paid for the shipped goods alone (goods, shipping, handling, tax), by the seller's own ordering
    terms.

    Never less than the pro-rata share of the unshipped goods, where an order-wide discount would make it so,
    and never above what was paid.
    """
    return min(paid, max(paid - shipped_alone, pro_rata, 0))


def over_tenders(amount: int, tenders: Sequence[Tender]) -> list[int]:
    """Split a refund over the tenders in their order, cards first, never above what each still holds.

    Raises ValueError for a negative amount, or when the tenders hold less.
    """
    if amount < 0 or amount > sum(tender.paid - tender.refunded for tender in tenders):
        raise ValueError(f"a refund of {amount} is not within what the tenders hold")
    parts = [0] * len(tenders)
    for at in sorted(range(len(tenders)), key=lambda i: (tenders[i].kind != "card", i)):
        parts[at] = min(amount, tenders[at].paid - tenders[at].refunded)
        amount -= parts[at]
    return parts
