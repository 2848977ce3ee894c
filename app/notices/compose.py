"""A message out of facts and a wording: subject, text, HTML and short form. Pure.

The wording gives the order of paragraphs and what is said between; the values come from the facts. In a wording a blank
line begins a paragraph, `# ` a title, `- ` a list, and `**...**` stands for strong words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup, escape

from app.notices.facts import (
    AccountFacts,
    DelayFacts,
    Facts,
    InvitationFacts,
    OrderFacts,
    Rendered,
    ResetPasswordFacts,
)
from app.notices.labels import label
from app.notices.parts import Link, Part, environment, html
from app.notices.placeholders import Value, delay_words, values
from app.notices.source import MARK, Unfit, Wording, filled, paragraphs

LARGEST = 200_000
"""Characters of one part of a message."""
STRONG = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)


def render(facts: Facts, wording: Wording | None = None) -> Rendered:
    """The message for these facts by this wording, Kept's own without one. Dates and amounts in US form; every value
    is escaped in the HTML part. Raises Unfit for a wording that cannot be used."""
    if isinstance(facts, AccountFacts):
        return _account(facts)
    return _order(facts, wording or own_wording(facts.kind, facts.language))


@lru_cache(maxsize=32)
def own_wording(kind: str, language: str) -> Wording:
    """Kept's own wording of a kind in a language."""
    file = Path(__file__).with_name("wordings") / language / f"{kind}.txt"
    head, _, body = file.read_text().partition("\n---\n")
    subject, sms = (line.partition(": ")[2] for line in head.splitlines())
    return Wording(subject, body.strip() + "\n", sms)


def _order(facts: OrderFacts, wording: Wording) -> Rendered:
    known = values(facts)
    has = {name: bool(value) for name, value in known.items()}
    subject = _one_line(filled(wording.subject, has), known)
    body = paragraphs(filled(wording.body, has))
    text = "\n\n".join(part for part in (_text(paragraph, known) for paragraph in body) if part)
    drawn = Markup("").join(Markup(_html(paragraph, known)) for paragraph in body)
    frame = environment().get_template("frame.html")
    whole = frame.render(facts=facts, language=facts.language, subject=subject, body=drawn, label=label)
    framed = f"{_head(facts)}\n\n{text}\n\n{_foot(facts)}\n"
    if max(len(framed), len(whole)) > LARGEST:
        raise Unfit("The message is too long.")
    words = asdict(delay_words(facts)) if isinstance(facts, DelayFacts) else {}
    return Rendered(
        subject, re.sub(r"\n{3,}", "\n\n", framed), whole, words, _one_line(filled(wording.sms, has), known)
    )


def _head(facts: OrderFacts) -> str:
    return f"{facts.shop.name}\n{label('order', facts.language)} {facts.order_number}"


def _foot(facts: OrderFacts) -> str:
    phone = f", {facts.shop.toll_free}" if facts.shop.toll_free else ""
    return f"{facts.shop.name}, {facts.shop.reply_email}{phone}"


def _one_line(marked: str, known: Mapping[str, Value]) -> str:
    """A subject or short form: one line, whatever the values hold."""
    return " ".join(_replaced(marked, known, _as_text).split())


def _text(paragraph: str, known: Mapping[str, Value]) -> str:
    plain = STRONG.sub(r"\1", paragraph.removeprefix("# "))
    return _replaced(plain, known, _as_text).strip()


def _html(paragraph: str, known: Mapping[str, Value]) -> str:
    alone = MARK.fullmatch(paragraph)
    if alone and isinstance(part := known[alone[1]], Part):
        return part.html
    if paragraph.startswith("# "):
        return html("title", _sentence(paragraph[2:], known))
    lines = paragraph.splitlines()
    if all(line.startswith("- ") for line in lines):
        return html("bullets", [_sentence(line[2:], known) for line in lines])
    words = _sentence(paragraph, known)
    return html("said", words) if words.strip() else ""


def _sentence(source: str, known: Mapping[str, Value]) -> Markup:
    strong = STRONG.sub(r"<b>\1</b>", str(escape(source)))
    return Markup(_replaced(strong, known, _as_html).replace("\n", "<br>\n"))


def _replaced(marked: str, known: Mapping[str, Value], form: Callable[[Value], str]) -> str:
    return MARK.sub(lambda mark: form(known[mark[1]]), marked)


def _as_text(value: Value) -> str:
    if isinstance(value, Link):
        return f"{value.label}: {value.url}"
    return value.text if isinstance(value, Part) else str(value)


def _as_html(value: Value) -> str:
    if isinstance(value, Link):
        return html("link", value.label, value.url).strip()
    return value.html if isinstance(value, Part) else str(escape(value))


# ---- the portal's own mails


def _account(facts: AccountFacts) -> Rendered:
    kind: str = facts.kind  # type: ignore[attr-defined]
    subject = " ".join(_account_subject(facts).split())
    context = {"facts": facts, "language": "en", "subject": subject}
    text = environment().get_template(f"{kind}.txt").render(context)
    whole = environment().get_template(f"{kind}.html").render(context)
    return Rendered(subject, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", whole)


def _account_subject(facts: AccountFacts) -> str:
    if isinstance(facts, InvitationFacts):
        return f"{facts.inviter or facts.tenant} invites you to {facts.tenant} on Kept"
    if isinstance(facts, ResetPasswordFacts):
        return "Choose a new password for Kept"
    return "Confirm your email address for Kept"
