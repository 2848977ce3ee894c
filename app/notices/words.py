"""The sentences a delay option notice must contain (16 CFR 435.2(b)), in plain words. The mail and the page where the
buyer answers both take them from here; Spanish has sentences of its own in spanish.py. They state the buyer's choices;
they promise nothing about the law."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.notices import dates
from app.notices.facts import DelayFacts, DelayKind


@dataclass(frozen=True, slots=True)
class DelayWords:
    """One sentence or short paragraph per legal field. Empty where the kind of notice has no such field."""

    headline: str
    goods: str
    old_date: str
    new_date: str
    reason: str
    wait: str
    cancel: str
    silence: str
    reply: str
    indefinite: str
    continuing: str
    rider: str
    ways: str


def english(facts: DelayFacts) -> DelayWords:
    """The words of a delay notice for these facts, in English."""
    these = _Goods(facts)
    return DelayWords(
        headline=f"{these.title} will ship later than we promised",
        goods=these.noun,
        old_date=_long(facts, facts.promised),
        new_date=_long(facts, facts.revised) if facts.revised else "We cannot give a date",
        reason=facts.reason,
        wait=_wait(facts, these),
        cancel=_cancel(facts, these),
        silence=_silence(facts, these),
        reply=_reply(facts, these),
        indefinite=_indefinite(facts),
        continuing=_continuing(facts, these),
        rider=_rider(facts, these),
        ways=_ways(facts),
    )


class _Goods:
    """The items in a sentence: one is "this item", several "these items"."""

    def __init__(self, facts: DelayFacts) -> None:
        many = len(facts.items) > 1 or facts.items[0].quantity > 1
        self.noun, self.it = ("these items", "them") if many else ("this item", "it")
        self.ship, self.have = ("ship", "have") if many else ("ships", "has")
        self.title = facts.items[0].title if len(facts.items) == 1 else "Part of your order"


def _wait(facts: DelayFacts, these: _Goods) -> str:
    if facts.revised is None:
        return f"We ship {these.noun} as soon as we can. Until then you can still cancel at any time."
    day = _long(facts, facts.revised)
    return f"We ship {these.noun} by {day}. Until {_they(these)} {these.ship} you can still cancel."


def _cancel(facts: DelayFacts, these: _Goods) -> str:
    """The right to cancel and the refund, with what was or was not taken."""
    right = f"You have the right to cancel {these.noun} and get a prompt refund"
    if facts.paid:
        return f"{right} of the {facts.paid} you paid for {these.it}. We confirm this in writing."
    if facts.authorized:
        return (
            f"{right} of everything you paid for {these.it}. You have not been charged the {facts.authorized} "
            f"for {these.it}, so you will not be. We confirm this in writing."
        )
    return f"{right} of everything you paid for {these.it}. We confirm this in writing."


def _silence(facts: DelayFacts, these: _Goods) -> str:
    """What doing nothing means: the sentence each kind of notice stands or falls with."""
    until = _long(facts, facts.reply_day)
    if facts.delay is DelayKind.SILENT_CONSENT:
        return (
            f"Unless we receive your cancellation before {these.noun} {these.ship} and before the end of {until}, "
            "you will be taken to have agreed to the new date."
        )
    if facts.delay is DelayKind.RENEWED:
        return (
            f"Unless we receive your agreement to this further delay by the end of {until}, or {these.noun} "
            f"{these.have} shipped by then, we take it that you do not agree: we cancel {these.it} and promptly "
            "refund you."
        )
    return (
        f"We cancel {these.noun} automatically at the end of {until} and promptly refund you, unless by then "
        f"{_they(these)} {these.have} shipped, with no cancellation received before, or we have received your "
        "agreement to wait."
    )


def _reply(facts: DelayFacts, these: _Goods) -> str:
    """The last day for an answer, with the hour at which it ends for the shop: the strict midnight may be
    another's."""
    hour = dates.hour(facts.reply_by, facts.shop.timezone, language="en")
    until = f"by the end of {_long(facts, facts.reply_day)} (before {hour})"
    if facts.delay is DelayKind.SILENT_CONSENT:
        return f"A cancellation counts when we receive it before {these.noun} {these.ship} and {until}."
    return f"We must receive your answer {until}."


def _indefinite(facts: DelayFacts) -> str:
    return "" if facts.revised else "We are unable to say how long the delay will be."


def _continuing(facts: DelayFacts, these: _Goods) -> str:
    if facts.revised is not None:
        return ""
    return (
        f"If you agree to wait without a date, you keep the right to cancel at any time after "
        f"{_long(facts, facts.promised)} until {these.noun} actually {these.ship}, with a prompt refund."
    )


def _rider(facts: DelayFacts, these: _Goods) -> str:
    if facts.rider is None or facts.revised is None:
        return ""
    if facts.rider.until is not None:
        return (
            f"If you wish, you can also agree now to a further delay that we do not foresee, to "
            f"{_long(facts, facts.rider.until)} at the latest. You need not."
        )
    return (
        "If you wish, you can also agree now to a further delay that we do not foresee and whose length we cannot "
        f"say. You need not. If you do, you keep the right to cancel at any time after "
        f"{_long(facts, facts.revised)} until {these.noun} actually {these.ship}, with a prompt refund."
    )


def _ways(facts: DelayFacts) -> str:
    """How to answer at the seller's expense (435.2(b)(3)): the page, a reply, a toll-free call."""
    page = "You can answer free of charge on our page (no log-in is needed)"
    if not facts.shop.toll_free:
        return f"{page} or by replying to this message."
    hours = f", {facts.shop.hours}" if facts.shop.hours else ""
    return f"{page}, by replying to this message, or by phone at {facts.shop.toll_free}{hours}."


def _they(these: _Goods) -> str:
    return "they" if these.it == "them" else "it"


def _long(facts: DelayFacts, day: date) -> str:
    return dates.day(day, today=facts.today, language="en")
