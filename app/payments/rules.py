"""Which tender bears what, and what a card needs next. Amounts are minor units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

PAY_NOW = frozenset({"check", "cash", "external"})
"""Tenders that are money in hand when the order is placed."""
RENEW_BEFORE = timedelta(hours=24)
"""How long before it lapses an authorization is renewed while goods are awaited."""
RETRY_AFTER = timedelta(hours=24)
"""How long until a card that did not pay for goods already gone is tried again."""
HOLD_HOURS = 24
"""How long an order waits for its buyer to mend the payment, unless the tenant says otherwise."""
LOST = "lost"
SUPERSEDED = "superseded"
GONE = "cancelled"
RETRIED_BY_ITSELF = frozenset({LOST, SUPERSEDED, GONE})
"""Codes that say nothing about the card: the next attempt is made without asking anybody."""


def parts(tenders: Sequence[tuple[str, int]], value: int) -> list[int]:
    """How the first `value` of an order falls on its tenders, given as (kind, amount) by position.

    Money already in hand covers first, then the others in their order. The parts never exceed the amounts.
    """
    shares = [0] * len(tenders)
    for at in sorted(range(len(tenders)), key=lambda at: (tenders[at][0] not in PAY_NOW, at)):
        shares[at] = max(0, min(tenders[at][1], value))
        value -= shares[at]
    return shares


@dataclass(frozen=True, slots=True)
class CardState:
    """One card of an order.

    `open` is what it must still bear: the part of what shipped or may yet ship, less what was taken.
    `held` are the amounts of live authorizations, newest first. `waiting` is the first capture that was not asked
    for yet, `stuck` when the processor refused it. `asking`: the attempt under way waits for the buyer (3-D Secure).
    """

    open: int
    held: tuple[int, ...] = ()
    waiting: int | None = None
    stuck: bool = False
    authorizing: bool = False
    asking: bool = False
    capturing: bool = False
    voiding: bool = False
    refused: bool = False
    has_card: bool = True


@dataclass(frozen=True, slots=True)
class Next:
    """What to do with a card: `authorize` an amount, `capture` the waiting one from the newest hold, `void` some of
    the holds (their places in `held`), `drop` the attempt that waits for the buyer, `ask` for a card, or nothing."""

    step: Literal["nothing", "authorize", "capture", "void", "drop", "ask"]
    amount: int = 0
    holds: tuple[int, ...] = ()


NOTHING = Next("nothing")


def next_step(card: CardState) -> Next:
    """What a card needs now. One attempt at a time: while an answer is awaited nothing else is begun."""
    if card.asking and card.open <= 0:
        return NOTHING if card.voiding else Next("drop")
    if card.authorizing or card.capturing or card.stuck:
        return NOTHING
    if card.waiting is not None and card.held and card.held[0] >= card.waiting:
        return Next("capture", card.waiting)
    if card.open <= 0:
        return _void(card, 0)
    if card.held and card.held[0] >= card.open:
        return _void(card, 1)
    if card.refused:
        return NOTHING
    return Next("authorize", card.open) if card.has_card else Next("ask", card.open)


def _void(card: CardState, first: int) -> Next:
    """Let go of the holds from this place on. A void is never begun twice."""
    if card.voiding or len(card.held) <= first:
        return NOTHING
    return Next("void", holds=tuple(range(first, len(card.held))))


def covered(card: CardState) -> bool:
    """Whether what the card must still bear is held, or is being taken."""
    return card.open <= 0 or card.capturing or (bool(card.held) and card.held[0] >= card.open)


def lapses_at(asked_at: datetime, hold_seconds: int | None) -> datetime | None:
    """When a hold ends, in the tenant's time: counted from the attempt, so never too late."""
    return asked_at + timedelta(seconds=hold_seconds) if hold_seconds else None


def renewal_at(now: datetime, capture_before: datetime) -> datetime:
    """When to renew: a day before it lapses, or half-way when it is shorter than two days."""
    return max(capture_before - RENEW_BEFORE, now + (capture_before - now) / 2)


def refund_shares(captured: Sequence[tuple[int, int]], amount: int) -> list[int]:
    """A refund over the captures of a tender, each (captured, refunded so far), newest first.

    Raises ValueError when they hold less.
    """
    shares = []
    for taken, given_back in captured:
        shares.append(min(amount, max(0, taken - given_back)))
        amount -= shares[-1]
    if amount > 0:
        raise ValueError("more than was captured")
    return shares


def refund_cause(key: str) -> str:
    """The cause that a refund's entry was made for: its key is `refund:CAUSE:TENDER:TRY`."""
    return key.removeprefix("refund:").rsplit(":", 2)[0]


def concerns(event: str, kind: str, outcome: str, ended: bool) -> bool:
    """Whether a processor's event may tell something new about an entry of ours.

    Events come twice, late and in any order, so they never say what is true: they only make us ask.
    """
    if outcome in ("pending", "unknown"):
        return True
    if kind == "authorize" and outcome == "succeeded" and not ended:
        return event in ("payment_intent.canceled", "charge.expired", "payment_intent.succeeded")
    if kind == "refund" and outcome == "succeeded":
        return event in ("refund.failed", "charge.refund.updated", "refund.updated")
    return False
