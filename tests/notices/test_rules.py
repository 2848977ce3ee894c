import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from app.calendar import end_of_day
from app.money import Money
from app.notices.compose import render
from app.notices.facts import (
    CancelledFacts,
    DelayFacts,
    DelayKind,
    InvitationFacts,
    Item,
    PaymentNeededFacts,
    ReceivedFacts,
    Refund,
    ResetPasswordFacts,
    RiderFacts,
    ShippedFacts,
    Shop,
    VerifyEmailFacts,
    recorded,
)
from app.notices.rules import lint

NY = "America/New_York"
SHOP = Shop("Alder & Finch", "hello@alder.example", NY, "1-800-555-0136", "every day, 8 AM to 10 PM Eastern")
KETTLE = Item("Copper kettle", 1, Money(15_646, "USD"))
ORDER = {
    "shop": SHOP,
    "order_number": "K-10482",
    "buyer_name": "Maya Ortiz",
    "items": (KETTLE,),
    "url": "https://orders.example/o/token",
    "today": date(2026, 11, 30),
}
T = date(2026, 12, 4)


def delay(kind=DelayKind.SILENT_CONSENT, revised=date(2026, 12, 15), promised=T, **changes):
    """Facts of a delay notice with the deadlines that its kind has."""
    if kind is DelayKind.RENEWED:
        reply_day = promised
    else:
        reply_day = revised if kind is DelayKind.SILENT_CONSENT else T + timedelta(days=30)
    facts = {
        "delay": kind,
        "ship_by": T,
        "promised": promised,
        "revised": revised,
        "reason": "The maker's delivery to us is late.",
        "reply_day": reply_day,
        "reply_by": end_of_day(reply_day, NY),
        "send_by": end_of_day(promised, NY),
        "authorized": Money(15_646, "USD"),
    }
    return DelayFacts(**ORDER | facts | changes)


DELAYS = {
    "silent consent": delay(),
    "express, a date": delay(DelayKind.EXPRESS_DEFINITE, date(2027, 1, 20)),
    "express, no date": delay(DelayKind.EXPRESS_INDEFINITE, None),
    "renewed, a date": delay(DelayKind.RENEWED, date(2027, 1, 5), date(2026, 12, 15)),
    "renewed, no date": delay(DelayKind.RENEWED, None, date(2026, 12, 15)),
    "rider to a date": delay(rider=RiderFacts(date(2026, 12, 30), "https://orders.example/o/token/further")),
    "indefinite rider": delay(rider=RiderFacts(None, "https://orders.example/o/token/further")),
    "paid, several items": delay(
        items=(KETTLE, Item("Linen apron", 2)),
        authorized=None,
        paid=Money(20_000, "USD"),
        rest="The board is on time.",
    ),
}
OTHERS = {
    "received": ReceivedFacts(
        **ORDER,
        total=Money(16_900, "USD"),
        sums=(("Shipping", Money(700, "USD")), ("Tax", Money(554, "USD"))),
        address=("Maya Ortiz", "12 Elm St", "Portland, ME 04101"),
    ),
    "shipped": ShippedFacts(
        **ORDER,
        carrier="UPS",
        shipped_on=date(2026, 11, 30),
        tracking_number="1Z999",
        tracking_url="https://ups.example/1Z999",
        taken=Money(15_646, "USD"),
        rest=(Item("Linen apron", 2, None, date(2027, 1, 3)),),
    ),
    "cancelled, refunded": CancelledFacts(
        **ORDER,
        reason="you asked us to cancel it.",
        refunds=(Refund("to your Visa card ending 4242", Money(15_646, "USD"), date(2026, 12, 9)),),
    ),
    "cancelled, held only": CancelledFacts(
        **ORDER, reason="the goods ran out.", released=Money(15_646, "USD")
    ),
    "cancelled, nothing": CancelledFacts(**ORDER, reason="the goods ran out.", whole_order=False),
    "payment needed": PaymentNeededFacts(
        **ORDER,
        amount=Money(15_646, "USD"),
        reason="your bank did not approve the payment.",
        cancels_at=datetime(2026, 12, 1, 21, tzinfo=UTC),
    ),
    "verify email": VerifyEmailFacts(
        email="maya@shop.example", url="https://kept.example/v/1", expires="24 hours", name="Maya"
    ),
    "reset password": ResetPasswordFacts(
        email="maya@shop.example", url="https://kept.example/r/1", expires="one hour"
    ),
    "invitation": InvitationFacts(
        email="maya@shop.example",
        url="https://kept.example/i/1",
        expires="7 days",
        tenant="Alder & Finch",
        inviter="Joan",
        role="agent",
    ),
}
ALL = DELAYS | OTHERS


@pytest.mark.parametrize("name", ALL)
def test_every_message_is_complete_and_well_formed(name):
    facts = ALL[name]
    mail = render(facts)
    assert lint(facts, mail, sent_at=datetime(2026, 11, 30, 12, tzinfo=UTC)) == []
    assert "\n" not in mail.subject
    for part in (mail.subject, mail.text, mail.html):
        assert "None" not in part
        assert "Undefined" not in part
        assert "{{" not in part
    assert "\n\n\n" not in mail.text
    assert "<script" not in mail.html
    assert json.loads(json.dumps(recorded(facts)))["kind"] == facts.kind


@pytest.mark.parametrize("name", ALL)
def test_no_message_guarantees_the_law(name):
    mail = render(ALL[name])
    assert not re.search(r"guarante|complian|FTC|16 CFR|!", mail.text + mail.subject)


def test_received_in_text():
    assert render(OTHERS["received"]).text == (
        "Alder & Finch\nOrder K-10482\n\nWe have your order\n\nThank you, Maya Ortiz. We tell you when it ships.\n\n"
        "- Copper kettle: $156.46\n\nShipping: $7.00\nTax: $5.54\nTotal: $169.00\n\n"
        "Ships to\nMaya Ortiz\n12 Elm St\nPortland, ME 04101\n\nSee your order: https://orders.example/o/token\n\n"
        "Alder & Finch, hello@alder.example, 1-800-555-0136\n"
    )


def test_a_silent_notice_says_what_silence_means():
    text = render(DELAYS["silent consent"]).text
    assert "Promised to ship by: Friday, December 4\nNew date to ship by: Tuesday, December 15\n" in text
    assert (
        "Unless we receive your cancellation before this item ships and before the end of Tuesday, December 15, "
        "you will be taken to have agreed to the new date." in text
    )
    assert "You have not been charged the $156.46 for it, so you will not be." in text
    assert "1-800-555-0136" in text


@pytest.mark.parametrize("name", ["express, a date", "express, no date"])
def test_an_express_notice_cancels_at_t_plus_30_unless_shipped_or_agreed(name):
    text = render(DELAYS[name]).text
    assert (
        "We cancel this item automatically at the end of Sunday, January 3, 2027 and promptly refund you, unless by "
        "then it has shipped, with no cancellation received before, or we have received your agreement to wait."
        in text
    )
    assert "We must receive your answer by the end of Sunday, January 3, 2027 (before midnight EST)." in text


@pytest.mark.parametrize(
    ("name", "after"),
    [("express, no date", "Friday, December 4"), ("renewed, no date", "Tuesday, December 15")],
)
def test_an_indefinite_notice_says_so_with_the_continuing_right(name, after):
    text = render(DELAYS[name]).text
    assert "We are unable to say how long the delay will be." in text
    assert f"you keep the right to cancel at any time after {after} until this item actually ships" in text


def test_a_renewed_notice_cancels_at_the_date_agreed_to():
    text = render(DELAYS["renewed, a date"]).text
    assert "First promised to ship by: Friday, December 4" in text
    assert (
        "Unless we receive your agreement to this further delay by the end of Tuesday, December 15, or this item has "
        "shipped by then, we take it that you do not agree: we cancel it and promptly refund you." in text
    )


def test_an_indefinite_rider_keeps_the_right_to_cancel():
    assert (
        "after Tuesday, December 15 until this item actually ships" in render(DELAYS["indefinite rider"]).text
    )


def test_several_items_and_a_payment_taken():
    text = render(DELAYS["paid, several items"]).text
    assert "Part of your order will ship later than we promised" in text
    assert "- Linen apron x 2" in text
    assert "a prompt refund of the $200.00 you paid for them" in text
    assert "before these items ship and" in text


@pytest.mark.parametrize("name", DELAYS)
def test_the_two_choices_are_equal_links_that_act_on_no_get(name):
    html = render(DELAYS[name]).html
    buttons = re.findall(r'<a href="([^"]+)" style="(display:block[^"]+)">', html)
    assert [link for link, _ in buttons] == [
        "https://orders.example/o/token#wait",
        "https://orders.example/o/token#cancel",
    ]
    assert buttons[0][1] == buttons[1][1]


def test_values_are_escaped_and_the_subject_stays_one_line():
    facts = replace(
        DELAYS["silent consent"],
        items=(Item('<script>alert("x")</script>'),),
        buyer_name="Maya <b>",
        order_number="K-1\r\nBcc: all@example.com",
    )
    mail = render(facts)
    assert "<script" not in mail.html
    assert "Maya &lt;b&gt;" in mail.html
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    assert lint(facts, mail) == []


BLANKED = {
    "reason": {"reason": ""},
    "buyer": {"buyer_name": ""},
    "order": {"order_number": ""},
    "link": {"url": ""},
    "merchant": {"shop": replace(SHOP, name="")},
    "reply email": {"shop": replace(SHOP, reply_email="")},
    "kind": {"delay": DelayKind.EXPRESS_INDEFINITE},
    "reply deadline day": {"reply_day": date(2026, 12, 16)},
    "further delay date": {"rider": RiderFacts(date(2026, 12, 15), "https://orders.example/further")},
    "further delay link": {"rider": RiderFacts(date(2026, 12, 30), "")},
}


@pytest.mark.parametrize("name", BLANKED)
def test_a_delay_notice_without_a_field_is_held_back(name):
    facts = replace(DELAYS["silent consent"], **BLANKED[name])
    assert name in lint(facts, render(facts))


@pytest.mark.parametrize("word", ["silence", "cancel", "reply", "ways", "reason", "new_date", "old_date"])
@pytest.mark.parametrize("part", ["text", "html"])
def test_a_template_that_drops_a_sentence_is_found(word, part):
    facts = DELAYS["silent consent"]
    mail = render(facts)
    body = getattr(mail, part)
    sentence = mail.words[word] if part == "text" else mail.words[word].replace("'", "&#39;")
    assert sentence in body
    assert lint(facts, replace(mail, **{part: body.replace(sentence, "")})) != []


@pytest.mark.parametrize(
    ("kind", "revised", "fits"),
    [
        (DelayKind.SILENT_CONSENT, T + timedelta(days=30), True),
        (DelayKind.SILENT_CONSENT, T + timedelta(days=31), False),
        (DelayKind.EXPRESS_DEFINITE, T + timedelta(days=31), True),
        (DelayKind.EXPRESS_DEFINITE, T + timedelta(days=30), False),
        (DelayKind.EXPRESS_DEFINITE, None, False),
        (DelayKind.RENEWED, T, False),
    ],
)
def test_the_kind_must_fit_the_dates(kind, revised, fits):
    facts = delay(kind, revised)
    assert ("kind" not in lint(facts, render(facts))) is fits


def test_a_notice_is_too_late_at_the_end_of_the_promised_day():
    facts = DELAYS["silent consent"]
    mail = render(facts)
    assert lint(facts, mail, sent_at=facts.send_by - timedelta(microseconds=1)) == []
    assert lint(facts, mail, sent_at=facts.send_by) == ["sent in time"]


def test_the_end_of_the_reply_day_may_be_the_buyers_but_not_another_days():
    facts = replace(DELAYS["silent consent"], shop=replace(SHOP, timezone="America/Los_Angeles"))
    mail = render(facts)
    assert lint(facts, mail) == []
    assert "by the end of Tuesday, December 15 (before 9:00 PM PST)" in mail.text
    other = replace(facts, reply_by=end_of_day(date(2026, 12, 17), NY))
    assert lint(other, render(other)) == ["reply deadline day"]
