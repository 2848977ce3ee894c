"""What a wording of each kind may say: the placeholders, what they mean, and their values for given facts. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from app.notices import dates, parts
from app.notices.facts import (
    CancelledFacts,
    DelayFacts,
    OrderFacts,
    PaymentNeededFacts,
    ReceivedFacts,
    RefundFacts,
    ShippedFacts,
    UndeliveredFacts,
)
from app.notices.labels import label, said
from app.notices.parts import Link, Part
from app.notices.spanish import spanish
from app.notices.words import DelayWords, english

Value = str | Link | Part | bool
"""Text, a link, a block of its own, or a flag that only `if` may ask for."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One placeholder as the editor lists it. `shape`: `text`, `block` or `flag`."""

    name: str
    meaning: str
    shape: str = "text"
    owed: bool = False
    """Whether the law needs it in the message."""


COMMON = (
    Placeholder("shop", "Your name"),
    Placeholder("order_number", "The order's number"),
    Placeholder("buyer", "The buyer's name"),
    Placeholder("page", "Address of the buyer's own page"),
    Placeholder("order_link", "Link to the buyer's own page"),
    Placeholder("items", "The goods, as a table", "block"),
)
BY_KIND: dict[str, tuple[Placeholder, ...]] = {
    "received": (
        Placeholder("total", "What the order costs"),
        Placeholder("address", "Where it goes", "block"),
        Placeholder("order_button", "Button to the buyer's page", "block"),
    ),
    "shipped": (
        Placeholder("carrier", "Who carries it"),
        Placeholder("shipped_on", "The day it left"),
        Placeholder("taken", "What was charged for it; empty when nothing"),
        Placeholder("tracking", "Carrier and tracking number", "block"),
        Placeholder("follow_button", "Button that follows the parcel", "block"),
        Placeholder("rest", "What is still to come; empty when nothing", "block"),
    ),
    "delay": (
        Placeholder("headline", "What ships later"),
        Placeholder("reason", "Why, in your words", owed=True),
        Placeholder("dates", "Old and new date, as a table", "block", owed=True),
        Placeholder("old_date", "The day promised until now", owed=True),
        Placeholder("first_date", "The day promised at first", owed=True),
        Placeholder("new_date", "The new day, or that none can be given", owed=True),
        Placeholder("choices", "Wait or cancel, with both buttons", "block", owed=True),
        Placeholder("wait", "What waiting means"),
        Placeholder("cancel", "The right to cancel and be refunded", owed=True),
        Placeholder("silence", "What doing nothing means", owed=True),
        Placeholder("reply", "Until when an answer counts", owed=True),
        Placeholder("ways", "How to answer free of charge", owed=True),
        Placeholder("reply_email", "Your address for answers"),
        Placeholder("indefinite", "That no date can be given; empty with a date", owed=True),
        Placeholder("continuing", "The right to cancel later; empty with a date", owed=True),
        Placeholder("rider", "A further delay one may agree to; mostly empty", owed=True),
        Placeholder("rider_link", "Where one agrees to it", owed=True),
        Placeholder("rest", "What is said of the other goods"),
    ),
    "undelivered": (
        Placeholder("due", "The day on which it was to arrive"),
        Placeholder("late", "Whether that day is over; if not, you said that you will not deliver", "flag"),
        Placeholder("may_end", "Whether the buyer may end the contract; if not, give a further time", "flag"),
        Placeholder("order_button", "Button to the buyer's page", "block"),
    ),
    "cancelled": (
        Placeholder("reason", "Why"),
        Placeholder("part", "Whether only a part is canceled", "flag"),
        Placeholder("money", "What becomes of the money, with amounts and dates", "block", owed=True),
        Placeholder("order_button", "Button to the buyer's page", "block"),
    ),
    "refund": (
        Placeholder("amount", "How much"),
        Placeholder("taken", "Whether it had been taken", "flag"),
        Placeholder("statement", "Amount, day and tender, or that nothing was taken", "block", owed=True),
        Placeholder("order_button", "Button to the buyer's page", "block"),
    ),
    "payment_needed": (
        Placeholder("reason", "What the bank said"),
        Placeholder("amount", "What is to be paid"),
        Placeholder("cancels_at", "Until when the order is kept"),
        Placeholder("payment", "Amount and time, as a table", "block"),
        Placeholder("pay_button", "Button to the payment page", "block"),
    ),
}
KINDS = tuple(BY_KIND)


def placeholders(kind: str) -> tuple[Placeholder, ...]:
    """What a wording of this kind may say."""
    return (*COMMON, *BY_KIND[kind])


def values(facts: OrderFacts) -> dict[str, Value]:
    """A value for each placeholder of the facts' kind; empty when there is nothing to say."""
    common: dict[str, Value] = {
        "shop": facts.shop.name,
        "order_number": facts.order_number,
        "buyer": facts.buyer_name,
        "page": facts.url,
        "order_link": Link(label("see_order", facts.language), facts.url),
        "items": parts.items(facts.items, facts),
    }
    kind: str = facts.kind  # type: ignore[attr-defined]
    return common | OWN[kind](facts)


def delay_words(facts: DelayFacts) -> DelayWords:
    """The sentences the law needs, in the buyer's language."""
    return spanish(facts) if facts.language == "es" else english(facts)


def _received(facts: ReceivedFacts) -> dict[str, Value]:
    total = (label("total", facts.language), facts.total)
    return {
        "items": parts.items(facts.items, facts, (*facts.sums, total)),
        "total": str(facts.total),
        "address": parts.address(facts.address, facts),
        "order_button": parts.button(label("see_order", facts.language), facts.url),
    }


def _shipped(facts: ShippedFacts) -> dict[str, Value]:
    follows = bool(facts.tracking_url)
    words = label("follow" if follows else "see_order", facts.language)
    return {
        "carrier": said(facts.carrier, facts.language),
        "shipped_on": dates.day(facts.shipped_on, today=facts.today, language=facts.language),
        "taken": str(facts.taken or ""),
        "tracking": parts.tracking(facts) if facts.tracking_number else "",
        "follow_button": parts.button(words, facts.tracking_url or facts.url),
        "rest": parts.rest(facts) if facts.rest else "",
        "order_link": Link(label("see_order", facts.language), facts.url) if follows else "",
    }


def _delay(facts: DelayFacts) -> dict[str, Value]:
    words = delay_words(facts)
    said_words = asdict(words)
    first = dates.day(facts.ship_by, today=facts.today, language=facts.language)
    link = facts.rider.url if facts.rider else ""
    return {
        **{
            name: said_words[name]
            for name in ("headline", "reason", "old_date", "new_date", "wait", "cancel")
        },
        **{
            name: said_words[name]
            for name in ("silence", "reply", "ways", "indefinite", "continuing", "rider")
        },
        "first_date": first,
        "reply_email": facts.shop.reply_email,
        "rider_link": Link(label("read_more", facts.language), link) if link else "",
        "rest": facts.rest,
        "dates": parts.dates(facts, words, first),
        "choices": parts.choices(facts, words),
    }


def _undelivered(facts: UndeliveredFacts) -> dict[str, Value]:
    return {
        "due": dates.day(facts.due, today=facts.today, language=facts.language),
        "late": not facts.refused,
        "may_end": facts.may_end,
        "order_button": parts.button(label("see_order", facts.language), facts.url),
    }


def _cancelled(facts: CancelledFacts) -> dict[str, Value]:
    return {
        "reason": facts.reason,
        "part": not facts.whole_order,
        "money": parts.money(facts),
        "order_button": parts.button(label("see_order", facts.language), facts.url),
    }


def _refund(facts: RefundFacts) -> dict[str, Value]:
    return {
        "amount": str(facts.amount),
        "taken": facts.taken,
        "statement": parts.statement(facts),
        "order_button": parts.button(label("see_order", facts.language), facts.url),
    }


def _payment_needed(facts: PaymentNeededFacts) -> dict[str, Value]:
    until = dates.moment(facts.cancels_at, facts.shop.timezone, today=facts.today, language=facts.language)
    return {
        "reason": facts.reason,
        "amount": str(facts.amount),
        "cancels_at": until,
        "payment": parts.payment(facts, until),
        "pay_button": parts.button(f"{label('pay', facts.language)} {facts.amount}", facts.url),
    }


OWN: dict[str, Callable[..., dict[str, Value]]] = {
    "received": _received,
    "shipped": _shipped,
    "delay": _delay,
    "undelivered": _undelivered,
    "cancelled": _cancelled,
    "refund": _refund,
    "payment_needed": _payment_needed,
}
