"""What is owed back and how it may go: pure. Days are days of the seller's zone, amounts are minor units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.calendar import add_working_days, end_of_day, is_working_day
from app.promises import refunds as law
from app.promises.readings import DEFAULT, Settings
from app.promises.regimes import (
    DELIVERY_LAWS,
    Regime,
    california_latest,
    delivery_refund_latest,
    delivery_refund_target,
)
from infra.errors import invalid, refused

MONEY = frozenset({"cash", "check", "money_order"})
BY_ITSELF = frozenset({"card", "gift_card", "credit", "terms"})
"""Tenders that Kept gives back without a person."""
FORMS = ("original", "cash", "check", "money_order", "gift_card", "store_credit")
OWN_NAME = {"gift_card": "gift_card", "store_credit": "credit"}
"""Forms that are the form tendered only for this kind of tender."""
SOON_DAYS = 2
TARGET_MISSED, SOON, LATE = 1, 2, 3
OPEN = ("pending", "unknown")
NEVER_HAPPENED = "lost"


@dataclass(frozen=True, slots=True)
class Days:
    """When a refund is due: the lawful day, the earlier strict one, our own target, and the strict day's end (UTC)."""

    latest_on: date
    strict_on: date
    target_on: date
    due_at: datetime


def days(
    vests_on: date,
    kind: str,
    zone: str,
    *,
    impossible_on: date | None = None,
    regimes: frozenset[Regime] = frozenset({Regime.US_FEDERAL}),
    settings: Settings = DEFAULT,
) -> Days:
    """The days of a refund of that kind of tender by the laws of its order, of several the earliest: the delay rule's
    (16 CFR 435.1(b)), counted anew from the day on which the same method was found impossible; California's week
    (Bus. & Prof. 17538); without undue delay where a law of delivery governs."""
    if regimes and regimes <= DELIVERY_LAWS:
        began = impossible_on or vests_on
        last = delivery_refund_latest(began)
        return Days(last, last, delivery_refund_target(began, settings), end_of_day(last, zone))
    tender = law.CLASS_OF_TENDER.get(kind, law.TenderClass.OTHER)
    latest = law.latest(vests_on, tender, impossible_since=impossible_on, settings=settings)
    strict = law.latest(vests_on, tender, impossible_since=impossible_on, settings=settings, strict=True)
    if Regime.US_CALIFORNIA in regimes and impossible_on is None:
        latest, strict = california_latest(latest, vests_on), california_latest(strict, vests_on)
    if DELIVERY_LAWS & regimes:
        last = delivery_refund_latest(impossible_on or vests_on)
        latest, strict = min(latest, last), min(strict, last)
    target = add_working_days(impossible_on or vests_on, settings.refund_target_days, strict=True)
    return Days(latest, strict, min(target, strict), end_of_day(strict, zone))


def form(kind: str, *, taken: bool, impossible: bool = False) -> str:
    """What counts as the refund of that kind of tender (435.1(d))."""
    tender = law.CLASS_OF_TENDER.get(kind, law.TenderClass.OTHER)
    return law.form(tender, taken=taken, impossible=impossible).value


@dataclass(frozen=True, slots=True)
class Share:
    """One tender, minor units: what it agreed to pay and what was `captured`; what it still bears of the units that
    are left by their share (`needed`) and by the lawful formula (`least`); what is owed back already of taken money
    (`owed`) and what was let go already (`let_go`)."""

    agreed: int
    captured: int
    needed: int
    least: int
    owed: int = 0
    let_go: int = 0


def newly_due(share: Share) -> tuple[int, int]:
    """(what was taken and must go back, what was never taken and is let go) that is not open yet."""
    taken = max(0, min(share.agreed, share.captured) - share.least - share.owed)
    left = share.agreed - share.needed - share.owed - share.let_go - taken
    return taken, max(0, left)


@dataclass(frozen=True, slots=True)
class LineMoney:
    """What one line was sold for, minor units: `goods` after discounts, with its charges and tax; and its units."""

    goods: int
    charges: int
    tax: int
    ordered: int
    kept: int


def shipped_alone(lines: Sequence[LineMoney], shipping: Sequence[tuple[int, int]]) -> int | None:
    """What the buyer would have paid for the kept units alone, by the merchant's own shipping table
    [(goods from, charge)]. Discounts keep their share, tax the order's rate.

    None where the table says nothing of this order: its charges were not made by it, or nothing was canceled.
    """
    whole = sum(line.goods for line in lines)
    kept = sum(line.goods * line.kept // line.ordered for line in lines)
    charged = sum(line.charges for line in lines)
    if all(line.kept == line.ordered for line in lines) or _charge(shipping, whole) != charged:
        return None
    alone = kept + (_charge(shipping, kept) if kept else 0)
    tax = sum(line.tax for line in lines)
    return alone + (round(alone * tax / (whole + charged)) if whole + charged else 0)


def _charge(shipping: Sequence[tuple[int, int]], goods: int) -> int:
    return max((row for row in shipping if row[0] <= goods), default=(0, 0))[1]


def lawful_forms(kind: str, *, impossible: bool) -> frozenset[str]:
    """In which forms a person may give the money of a tender back."""
    if kind in ("cash", "check"):
        return MONEY
    if kind == "card":
        return MONEY | {"original"} if impossible else frozenset()
    return MONEY | {"original"}


def check_form(kind: str, given: str, *, impossible: bool) -> str:
    """The form as it is kept (`gift_card` and `store_credit` are `original` where they were tendered).

    Raises Problem 409 `store-credit-unlawful`, `card-refunds-itself`, `form-unlawful`.
    """
    if given in OWN_NAME:
        if OWN_NAME[given] != kind:
            raise refused(
                "store-credit-unlawful",
                "Store credit is no refund of money that was tendered otherwise (16 CFR 435.1(d))."
                f" Send {_either(lawful_forms(kind, impossible=impossible) or MONEY)}.",
            )
        given = "original"
    if kind == "card" and not impossible:
        raise refused(
            "card-refunds-itself",
            "Kept refunds the card through the processor. When that cannot work, report it as impossible first.",
        )
    allowed = lawful_forms(kind, impossible=impossible)
    if given not in allowed:
        raise refused(
            "form-unlawful", f"For this tender the law accepts {_either(allowed)} (16 CFR 435.1(d))."
        )
    return given


def _either(forms: frozenset[str]) -> str:
    words = {"original": "the form that was tendered", "money_order": "a money order", "check": "a check"}
    return " or ".join(words.get(one, one) for one in sorted(forms))


def check_sent(form: str, reference: str, sent_on: date, placed_on: date, today: date) -> None:
    """What a person must say of what they sent. Raises Problem 422 at /reference, /sent_on."""
    if form in ("check", "money_order") and not reference.strip():
        raise invalid("/reference", "Give the number of the check or money order.")
    if sent_on > today:
        raise invalid("/sent_on", "Give the day on which it was sent; that day is still to come.")
    if sent_on < placed_on:
        raise invalid("/sent_on", f"The order was placed on {placed_on}; nothing can have been sent before.")


def check_discovered(discovered_on: date, vests_on: date, today: date) -> None:
    """Raises Problem 422 at /discovered_on."""
    if discovered_on > today:
        raise invalid("/discovered_on", "Give the day on which it was found; that day is still to come.")
    if discovered_on < vests_on:
        raise invalid(
            "/discovered_on", f"The refund came due on {vests_on}; it cannot have been found before."
        )


def progress(outcomes: Sequence[tuple[str, int, str | None]], amount: int) -> str:
    """Where the money stands by its ledger entries (outcome, amount, error code): `begin` (nothing was asked, or what
    was asked never happened), `wait`, `paid`, or `refused`."""
    if any(outcome in OPEN for outcome, _, _ in outcomes):
        return "wait"
    if sum(part for outcome, part, _ in outcomes if outcome == "succeeded") >= amount:
        return "paid"
    failed = [code for outcome, _, code in outcomes if outcome == "failed"]
    return "refused" if failed and failed[-1] != NEVER_HAPPENED else "begin"


def soon_at(strict_on: date, zone: str) -> datetime:
    """The end of the second working day before the last day, UTC."""
    day = strict_on
    for _ in range(SOON_DAYS):
        day -= timedelta(days=1)
        while not is_working_day(day, strict=True):
            day -= timedelta(days=1)
    return end_of_day(day, zone)


def alarm(due: Any, zone: str, now: datetime) -> int:
    """The alarm that a refund not proven yet gives at that time."""
    if now >= due.due_at:
        return LATE
    if now >= soon_at(due.strict_on, zone):
        return SOON
    return TARGET_MISSED if now >= end_of_day(due.target_on, zone) else 0


def next_look(due: Any, zone: str, now: datetime) -> datetime | None:
    """When the alarm may change next; None when it cannot."""
    moments = (end_of_day(due.target_on, zone), soon_at(due.strict_on, zone), due.due_at)
    return min((moment for moment in moments if moment > now), default=None)


def state(due: Any) -> str:
    """`open`, `paid` (the buyer's statement is missing) or `proven`."""
    if due.proven_at is not None:
        return "proven"
    return "open" if due.paid_at is None else "paid"


def to_do(due: Any, kind: str) -> str:
    """What a person must do now, empty when Kept does it or nothing is left."""
    if due.proven_at is not None:
        return ""
    if due.paid_at is not None:
        return "statement" if due.statement_state in ("failed", "bounced") else ""
    if due.taken and (kind not in BY_ITSELF or due.impossible_on is not None):
        return "send"
    return ""
