"""Refunds due under 435.1(b) and (d): in which form, how much to which tender, by when at the latest, and what
counts as one. Pure; amounts in minor units, days in the seller's zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from app import calendar
from app.money import round_half_up
from app.promises.readings import DEFAULT, Settings

WORKING_DAYS = 7  # 435.1(b)(1)


class TenderClass(StrEnum):
    CASH = "cash"  # cash, check, money order; also the cash part of a credit sale
    THIRD_PARTY_CREDIT = "third_party_credit"  # card, pay-later credit
    SELLER_CREDIT = "seller_credit"  # the seller itself is the creditor
    OTHER = "other"  # debit, gift card, wallet, bank transfer, anything else


# How a tender is refunded. One paid through another party's checkout goes back the way it came. A store's own
# brand of card issued by a bank is another's credit.
CLASS_OF_TENDER = {
    "cash": TenderClass.CASH,
    "check": TenderClass.CASH,
    "money_order": TenderClass.CASH,
    "card": TenderClass.THIRD_PARTY_CREDIT,
    "pay_later": TenderClass.THIRD_PARTY_CREDIT,
    "terms": TenderClass.SELLER_CREDIT,
    "debit_card": TenderClass.OTHER,
    "gift_card": TenderClass.OTHER,
    "credit": TenderClass.OTHER,
    "wallet": TenderClass.OTHER,
    "bank_transfer": TenderClass.OTHER,
    "crypto": TenderClass.OTHER,
    "external": TenderClass.OTHER,
}
_CARDS = frozenset({"card", "debit_card"})


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
    while nothing was captured: then the refund is a void and a statement. `cycle_ends`: the last day of the
    billing cycle, where the seller is the creditor and it is known."""

    kind: str
    paid: int
    refunded: int = 0
    taken: bool = True
    cycle_ends: date | None = None

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
            latest(vests_on, tender.refund_class, cycle_ends=tender.cycle_ends, settings=settings),
            latest(
                vests_on, tender.refund_class, cycle_ends=tender.cycle_ends, settings=settings, strict=True
            ),
            calendar.add_working_days(vests_on, settings.refund_target_days, strict=True),
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
    for at in sorted(range(len(tenders)), key=lambda i: (tenders[i].kind not in _CARDS, i)):
        parts[at] = min(amount, tenders[at].paid - tenders[at].refunded)
        amount -= parts[at]
    return parts


# --- What the shipped goods alone would have cost ---


@dataclass(frozen=True, slots=True)
class Discount:
    """Money off an order whose goods are worth at least `over`: an amount, or a percentage of the goods."""

    over: int = 0
    off: int = 0
    percent: Decimal = Decimal(0)

    def on(self, goods: int) -> int:
        """What it takes off goods of that worth."""
        if goods < self.over:
            return 0
        return min(goods, self.off + round_half_up(goods * self.percent / 100))


@dataclass(frozen=True, slots=True)
class OrderingTerms:
    """The seller's ordering instructions: what a basket of goods costs in all.

    `shipping` holds steps (goods worth at least, charge), the last that fits applies; `handling` is what any
    order costs besides (insurance too). `tax_percent` is taken of goods after discounts and, if `taxes_charges`, of
    the charges.
    """

    shipping: tuple[tuple[int, int], ...] = ()
    handling: int = 0
    discounts: tuple[Discount, ...] = ()
    tax_percent: Decimal = Decimal(0)
    taxes_charges: bool = True

    def charges(self, goods: int) -> int:
        """Shipping and handling of goods of that worth; nothing for no goods."""
        fitting = [charge for least, charge in sorted(self.shipping) if goods >= least]
        return (fitting[-1] if fitting else 0) + self.handling if goods else 0

    def discount(self, goods: int) -> int:
        return min(goods, sum(one.on(goods) for one in self.discounts))

    def total(self, goods: int) -> int:
        """What the buyer pays for goods of that worth."""
        net, charges = goods - self.discount(goods), self.charges(goods)
        taxed = net + charges if self.taxes_charges else net
        return net + charges + round_half_up(taxed * self.tax_percent / 100)

    def loses_benefit(self, goods: int, kept: int) -> bool:
        """Whether the goods kept no longer earn a discount or cheaper shipping that all of them earned."""
        lost = any(one.on(goods) and not one.on(kept) for one in self.discounts)
        return bool(kept) and (lost or self.charges(kept) > self.charges(goods))


def due_by_terms(paid: int, goods: int, kept: int, terms: OrderingTerms) -> int:
    """The refund when of goods worth `goods` only those worth `kept` ship or have shipped: by the formula, or
    by their share where the canceled goods took a discount or free shipping with them, if that is more."""
    if not kept:
        return paid
    pro_rata = pro_rata_share(paid, goods, kept) if terms.loses_benefit(goods, kept) else 0
    return amount_due(paid, terms.total(kept), pro_rata=pro_rata)


def pro_rata_share(paid: int, goods: int, kept: int) -> int:
    """The share of all that was paid that the goods not kept bear by their worth."""
    return round_half_up(Decimal(paid) * (goods - kept) / goods) if goods else paid


# --- What counts as a refund ---

_NEEDS_STATEMENT = frozenset({RefundForm.CREDIT_MEMO_AND_COPY, RefundForm.SAME_FORM_AND_STATEMENT})
_BY_STATEMENT_ALONE = frozenset({RefundForm.NOT_CHARGED_STATEMENT, RefundForm.ACCOUNT_STATEMENT})


@dataclass(frozen=True, slots=True)
class Sent:
    """What was done for a refund: the money on its way back on `money_on` (None: not yet), and a statement to
    the buyer with date and amount on `statement_on`."""

    form: RefundForm | str
    amount: int
    money_on: date | None = None
    statement_on: date | None = None


class RefundFault(StrEnum):
    """Why something sent is no refund yet."""

    FORM = "not_a_lawful_form"  # store credit, a voucher, another form than the tender's
    AMOUNT = "too_little"
    MONEY = "money_not_sent"
    STATEMENT = "statement_not_sent"


def accepted_forms(
    tender: TenderClass, *, taken: bool = True, impossible: bool = False
) -> frozenset[RefundForm]:
    """Every form that counts for the tender: beside the usual one, cash or a check for what was not credit."""
    usual = form(tender, taken=taken, impossible=impossible)
    return frozenset({usual, RefundForm.CASH_OR_CHECK} if tender is TenderClass.OTHER else {usual})


def fault_of(due: RefundDue, sent: Sent, *, impossible: bool = False) -> RefundFault | None:
    """What is missing until `sent` counts as the refund due (435.1(d)); None when it does."""
    if sent.form not in accepted_forms(
        due.tender.refund_class, taken=due.tender.taken, impossible=impossible
    ):
        return RefundFault.FORM
    if sent.amount < due.amount:
        return RefundFault.AMOUNT
    if sent.form not in _BY_STATEMENT_ALONE and sent.money_on is None:
        return RefundFault.MONEY
    if sent.form in _NEEDS_STATEMENT | _BY_STATEMENT_ALONE and sent.statement_on is None:
        return RefundFault.STATEMENT
    return None


def refunded_on(sent: Sent) -> date:
    """The day on which it was complete, to be compared with the latest lawful one: the later of money and
    statement. Raises ValueError when nothing was sent."""
    return max(day for day in (sent.money_on, sent.statement_on) if day is not None)
