"""The blocks a message is made of, each as text and as HTML for mail programs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.money import Money
from app.notices import dates as days
from app.notices.facts import (
    CancelledFacts,
    DelayFacts,
    Item,
    OrderFacts,
    PaymentNeededFacts,
    RefundFacts,
    ShippedFacts,
)
from app.notices.labels import label, said
from app.notices.words import DelayWords


@dataclass(frozen=True, slots=True)
class Part:
    """A block in both forms."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link inside a sentence."""

    label: str
    url: str


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Kept's own templates: frame, blocks and the portal's mails."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=lambda name: bool(name) and str(name).endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def html(macro: str, *given: Any) -> str:
    """One of the macros of parts.html; what is given is escaped unless it is Markup."""
    return str(getattr(environment().get_template("parts.html").module, macro)(*given))


def items(found: Sequence[Item], facts: OrderFacts, sums: Sequence[tuple[str, Money]] = ()) -> Part:
    """Goods with what they cost and when they ship, and sums below them."""
    ships = label("ships_by", facts.language)
    rows, lines = [], []
    for item in found:
        by = days.day(item.ships_by, today=facts.today, language=facts.language) if item.ships_by else ""
        note = f"{ships} {by}" if by else ""
        rows.append((item.title, item.quantity, note, item.total))
        count = f" x {item.quantity}" if item.quantity > 1 else ""
        price = f": {item.total}" if item.total is not None else ""
        lines.append(f"- {item.title}{count}{price}" + (f"\n  {note}" if note else ""))
    named = [(said(name, facts.language), amount) for name, amount in sums]
    below = "\n".join(f"{name}: {amount}" for name, amount in named)
    text = "\n".join(lines) + (f"\n\n{below}" if below else "")
    return Part(text, html("items", rows, named))


def address(rows: Sequence[str], facts: OrderFacts) -> Part | str:
    """Where it goes; empty when it goes nowhere."""
    if not rows:
        return ""
    head = label("ships_to", facts.language)
    return Part("\n".join((head, *rows)), html("address", head, rows))


def tracking(facts: ShippedFacts) -> Part:
    """Who carries it, under which number."""
    return _rows(
        (label("carrier", facts.language), said(facts.carrier, facts.language)),
        (label("tracking_number", facts.language), facts.tracking_number),
    )


def rest(facts: ShippedFacts) -> Part:
    """What is still to come."""
    head, goods = label("still_to_come", facts.language), items(facts.rest, facts)
    return Part(f"{head}\n{goods.text}", html("heading", head) + goods.html)


def dates(facts: DelayFacts, words: DelayWords, first: str) -> Part:
    """The dates of a delay, the first promise too when it was another."""
    language = facts.language
    earlier = [(label("first_promised", language), first)] if facts.ship_by != facts.promised else []
    return _rows(
        *earlier, (label("promised", language), words.old_date), (label("new_date", language), words.new_date)
    )


def choices(facts: DelayFacts, words: DelayWords) -> Part:
    """Wait or cancel, drawn alike; both lead to the page, where nothing happens until a button is pressed."""
    language = facts.language
    both = (
        (f"{label('wait_for', language)} {words.goods}", words.wait, label("yes_wait", language), "wait"),
        (f"{label('cancel', language)} {words.goods}", words.cancel, label("yes_cancel", language), "cancel"),
    )
    text = "\n\n".join(
        f"{title}\n{said_words}\n{act}: {facts.url}#{anchor}" for title, said_words, act, anchor in both
    )
    drawn = "".join(
        html("choice", title, said_words, act, f"{facts.url}#{anchor}")
        for title, said_words, act, anchor in both
    )
    return Part(text, drawn)


def money(facts: CancelledFacts) -> Part:
    """What becomes of the money of what was canceled."""
    language = facts.language
    told = [
        label("refund", language).format(
            amount=refund.amount,
            way=said(refund.way, language),
            by=days.day(refund.by, today=facts.today, language=language),
        )
        for refund in facts.refunds
    ]
    if facts.released:
        told.append(label("released", language).format(amount=facts.released))
    elif not told:
        told.append(label("not_charged", language))
    return Part("\n\n".join(told), "".join(html("said", words) for words in told))


def statement(facts: RefundFacts) -> Part:
    """What went back, or was never taken: amount, day and tender."""
    words = label("refund_sent" if facts.taken else "never_taken", facts.language).format(
        amount=facts.amount,
        on=days.day(facts.sent_on, today=facts.today, language=facts.language),
        tender=tender(facts),
        number=label("number", facts.language).format(facts.reference) if facts.reference else "",
    )
    return Part(words, html("said", words))


def tender(facts: RefundFacts) -> str:
    """The tender in the buyer's words: "to your card (Visa 4242)", "by check"; where nothing was taken, "your card"."""
    words = label(f"{'way' if facts.taken else 'from'}_{facts.way}", facts.language)
    return f"{words} ({facts.card})" if facts.card else words


def payment(facts: PaymentNeededFacts, until: str) -> Part:
    """What is to be paid, and until when."""
    language = facts.language
    return _rows((label("to_pay", language), str(facts.amount)), (label("keep_until", language), until))


def button(words: str, url: str) -> Part:
    """One act."""
    return Part(f"{words}: {url}", html("act", words, url))


def _rows(*pairs: tuple[str, str]) -> Part:
    return Part("\n".join(f"{name}: {value}" for name, value in pairs), html("rows", pairs))
