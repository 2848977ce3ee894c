"""The check of a message before it may leave: what it lacks, by name.

A message with a non-empty list must not be sent. For a delay notice these are the fields that 16 CFR 435.2(b) asks for,
and a kind, dates and deadlines that fit together. The same check refuses a merchant's wording that drops one of them.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from html import unescape

from app.calendar import end_of_day
from app.notices import dates, parts
from app.notices.facts import (
    AccountFacts,
    CancelledFacts,
    DelayFacts,
    DelayKind,
    Facts,
    OrderFacts,
    RefundFacts,
    Rendered,
)
from app.notices.placeholders import delay_words

CONSENT_DAYS = 30  # 16 CFR 435.2(b)(1)(ii)


def lint(facts: Facts, rendered: Rendered, *, sent_at: datetime | None = None) -> list[str]:
    """What the message lacks, by name; empty when it may leave. `sent_at` is when it would.

    Both parts must hold what the facts say, so a template that drops a field is found. For a delay notice
    these are the fields that 16 CFR 435.2(b) asks for, and a kind, dates and deadlines that fit together.
    """
    missing = [name for name, value in _expected(facts).items() if not _holds(rendered, value)]
    if not rendered.subject:
        missing.append("subject")
    if not isinstance(facts, AccountFacts):
        missing += _short_form_faults(facts, rendered)
    if isinstance(facts, DelayFacts):
        missing += _delay_faults(facts, sent_at)
    return missing


def _expected(facts: Facts) -> dict[str, str | None]:
    """Field name -> words that must stand in the message; None: the facts themselves lack it."""
    if isinstance(facts, AccountFacts):
        return {"link": facts.url or None}
    expected: dict[str, str | None] = {
        "merchant": facts.shop.name or None,
        "order": facts.order_number or None,
        "buyer": facts.buyer_name or None,
        "lines": facts.items[0].title if facts.items else None,
        **{f"line {n}": item.title for n, item in enumerate(facts.items[1:], 2)},
        "link": facts.url or None,
    }
    if isinstance(facts, CancelledFacts):
        expected["reason"] = facts.reason or None
        for n, refund in enumerate(facts.refunds, 1):
            expected[f"refund {n}"] = str(refund.amount)
            expected[f"refund {n} date"] = dates.day(refund.by, today=facts.today, language=facts.language)
    if isinstance(facts, RefundFacts):
        expected |= {
            "amount": str(facts.amount),
            "date sent": dates.day(facts.sent_on, today=facts.today, language=facts.language),
            "tender": parts.tender(facts),
        }
    if isinstance(facts, DelayFacts) and facts.items:
        expected |= _expected_of_delay(facts)
    return expected


def _expected_of_delay(facts: DelayFacts) -> dict[str, str | None]:
    words = delay_words(facts)
    expected: dict[str, str | None] = {
        "promised date": words.old_date,
        "first promised date": dates.day(facts.ship_by, today=facts.today, language=facts.language),
        "new date": words.new_date,
        "reason": words.reason or None,
        "cancel right and refund": words.cancel,
        "meaning of silence": words.silence,
        "reply deadline": words.reply,
        "reply email": facts.shop.reply_email or None,
        "free reply means": words.ways,
    }
    if facts.revised is None:
        expected |= {
            "unknown length of delay": words.indefinite,
            "continuing right to cancel": words.continuing,
        }
    if facts.rider is not None:
        expected |= {"further delay": words.rider or None, "further delay link": facts.rider.url or None}
    return expected


def _delay_faults(facts: DelayFacts, sent_at: datetime | None) -> list[str]:
    faults = []
    if not _kind_fits(facts):
        faults.append("kind")
    if facts.reply_day != _reply_day(facts) or not _is_end_of(facts, facts.reply_day):
        faults.append("reply deadline day")
    if facts.rider and facts.rider.until and facts.revised and facts.rider.until <= facts.revised:
        faults.append("further delay date")
    if sent_at is not None and sent_at >= facts.send_by:
        faults.append("sent in time")
    return faults


def _short_form_faults(facts: OrderFacts, rendered: Rendered) -> list[str]:
    """What the text message lacks: it leads to the whole; of a delay it says the new date and what silence means."""
    needed = {"merchant": facts.shop.name, "order": facts.order_number, "link": facts.url}
    if isinstance(facts, DelayFacts) and facts.items:
        words = delay_words(facts)
        needed |= {"new date": words.new_date, "meaning of silence": words.silence}
    return [
        f"{name} in the text message"
        for name, value in needed.items()
        if _squeezed(value) not in rendered.sms
    ]


def _kind_fits(facts: DelayFacts) -> bool:
    """Whether the kind is the one its dates need: the 30 days always count from the first promised day."""
    last_silent_day = facts.ship_by + timedelta(days=CONSENT_DAYS)
    if facts.delay is DelayKind.RENEWED:
        return facts.revised is None or facts.revised > facts.promised
    if facts.delay is DelayKind.EXPRESS_INDEFINITE:
        return facts.revised is None
    if facts.revised is None or facts.promised != facts.ship_by:
        return False
    if facts.delay is DelayKind.EXPRESS_DEFINITE:
        return facts.revised > last_silent_day
    return facts.ship_by <= facts.revised <= last_silent_day


def _reply_day(facts: DelayFacts) -> date | None:
    if facts.delay is DelayKind.RENEWED:
        return facts.promised
    if facts.delay is DelayKind.SILENT_CONSENT:
        return facts.revised
    return facts.ship_by + timedelta(days=CONSENT_DAYS)


def _is_end_of(facts: DelayFacts, day: date) -> bool:
    """Whether `reply_by` is the end of that day somewhere: within a day of its end at the seller's."""
    return abs(end_of_day(day, facts.shop.timezone) - facts.reply_by) < timedelta(days=1)


def _holds(rendered: Rendered, value: str | None) -> bool:
    if value is None:
        return False
    words = _squeezed(value)
    return words in _squeezed(rendered.text) and words in _visible(rendered.html)


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _visible(html: str) -> str:
    """The words of an HTML part and the addresses its links lead to."""
    links = " ".join(re.findall(r'href="([^"]*)"', html))
    body = re.sub(r"(?s)<(style|head)\b.*?</\1>", " ", html)
    return _squeezed(unescape(re.sub(r"<[^>]+>", " ", body) + " " + links))
