"""How messages reach buyers: crashes, refusals, bounces before and after the deadline, texts, letters and calls."""

from __future__ import annotations

import json
from datetime import date, timedelta
from email import message_from_bytes
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from standardwebhooks import Webhook

from app.calendar import local_date
from app.notices import delivery, printing
from infra.errors import Problem
from infra.settings import Settings
from tenants.scope import inside
from tests.factories import BOISE
from tests.outside import Inbox, System
from tests.shop import Shop
from workers.postman import Postman, take

PHONE = "+12025550136"
IN_TEN_DAYS = {"within": {"value": 10, "unit": "days"}}


def settings(shop: Shop, **notices: Any) -> None:
    """These ways and no quiet hours, whatever time of the day the tests run."""
    shop.settings(json.dumps({"notices": {"quiet": {"begins": 0, "ends": 0}, "received": "off"} | notices}))


def late(shop: Shop, email: str, *, phone: str = PHONE, **customer: Any) -> tuple[dict[str, Any], UUID]:
    """An order that will be late, its buyer told; the order and its delay notice."""
    order = shop.order(
        1, promise=IN_TEN_DAYS, customer={"email": email, "name": "Maya Ortiz", "phone": phone, **customer}
    )
    with inside(shop.tenant_id) as scope:
        first = scope.row(
            "SELECT original_date AS day FROM promises WHERE tenant_id = :tenant AND order_id = :order",
            order=order["id"],
        )
    assert first is not None
    body = {"ship_by": (first.day + timedelta(days=5)).isoformat(), "reason": "The kiln broke."}
    answer = shop.merchant.post(f"/orders/{order['id']}/delay-notices", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return order, UUID(answer.get_json()["data"][0]["id"])


def notice(shop: Shop, notice_id: UUID) -> Any:
    with inside(shop.tenant_id) as scope:
        row = scope.row("SELECT * FROM notices WHERE tenant_id = :tenant AND id = :id", id=notice_id)
    assert row is not None
    return row


def learned(shop: Shop, notice_id: UUID) -> list[tuple[int, str, str]]:
    """What was learned of each attempt, in order."""
    with inside(shop.tenant_id) as scope:
        rows = scope.rows(
            "SELECT attempt, channel, state FROM notice_deliveries WHERE tenant_id = :tenant AND notice_id = :id"
            " ORDER BY at, id",
            id=notice_id,
        )
    return [(row.attempt, row.channel, row.state) for row in rows]


def fetch(shop: Shop, in_force: Settings) -> int:
    """Read the mailbox, and do what follows."""
    taken = Postman(in_force.inbound_url).fetch()
    shop.merchant.drain()
    return taken


def promise(shop: Shop, order: dict[str, Any]) -> str:
    with inside(shop.tenant_id) as scope:
        rows = scope.rows(
            "SELECT state FROM promises WHERE tenant_id = :tenant AND order_id = :order", order=order["id"]
        )
    return str(rows[0].state)


def test_a_crash_between_the_servers_yes_and_our_note_repeats_the_same_mail(shop: Shop, inbox: Inbox) -> None:
    settings(shop)
    order, notice_id = late(shop, "crash@delivery.example")
    with inside(shop.tenant_id) as scope:
        outgoing = delivery.begin(scope, notice_id)
    assert outgoing is not None
    assert delivery.call(outgoing).state == "accepted"
    shop.merchant.drain()
    ids = {message_from_bytes(raw)["Message-ID"] for raw in inbox.raw("crash@delivery.example")}
    assert len(inbox.to("crash@delivery.example")) == 2
    assert len(ids) == 1, "a mail program shows the repeat once"
    assert learned(shop, notice_id) == [(1, "email", "started"), (1, "email", "accepted")]
    assert shop.timeline(order).count("notice.sent") == 1
    with inside(shop.tenant_id) as scope:
        delivery.finish(scope, outgoing, delivery.Outcome("accepted"))
        assert delivery.begin(scope, notice_id) is None
    assert shop.timeline(order).count("notice.sent") == 1


def test_a_bounce_in_time_moves_on_to_the_next_way(shop: Shop, inbox: Inbox, in_force: Settings) -> None:
    settings(shop)
    order, notice_id = late(shop, "early-bounce@delivery.example", phone="(202) 555-0136")
    shop.merchant.drain()
    assert notice(shop, notice_id).state == "sent"
    assert fetch(shop, in_force) >= 1
    assert learned(shop, notice_id) == [
        (1, "email", "started"), (1, "email", "accepted"), (1, "email", "bounced"),
        (2, "sms", "started"), (2, "sms", "accepted")]  # fmt: skip
    found = notice(shop, notice_id)
    assert (found.state, found.channel, found.recipient, found.bounced_at) == ("sent", "sms", PHONE, None)
    text = inbox.texts_to(PHONE)[-1].text
    assert found.facts["words"]["silence"] in text
    assert "/o/" in text
    assert promise(shop, order) == "wait_silent"


def test_the_same_report_twice_is_one_bounce(shop: Shop, inbox: Inbox, in_force: Settings) -> None:
    settings(shop)
    _, notice_id = late(shop, "twice-bounce@delivery.example")
    shop.merchant.drain()
    sender = (
        message_from_bytes(inbox.raw("twice-bounce@delivery.example")[0])["Message-ID"]
        .strip(" \r\n<>")
        .split("@")[0]
    )
    report = inbox.raw(f"mail+{sender}@kept.example")[0]
    assert take(report)
    assert take(report)
    shop.merchant.drain()
    fetch(shop, in_force)
    assert [one for one in learned(shop, notice_id) if one[2] == "bounced"] == [(1, "email", "bounced")]
    assert notice(shop, notice_id).state == "sent"


def test_a_bounce_learned_after_the_deadline_counts_as_not_offered(
    shop: Shop, inbox: Inbox, in_force: Settings
) -> None:
    settings(shop)
    order, notice_id = late(shop, "late-bounce@delivery.example")
    shop.merchant.drain()
    shop.oversleep(days=11)
    fetch(shop, in_force)
    found = notice(shop, notice_id)
    assert (found.state, found.error[:3]) == ("bounced", "550")
    assert found.bounced_at > found.send_by
    assert "notice.bounced" in shop.timeline(order)
    assert not [one for one in learned(shop, notice_id) if one[1] == "sms"], "too late for another way"


def test_all_ways_exhausted_before_the_deadline_is_told_at_once(shop: Shop, inbox: Inbox) -> None:
    settings(shop, channels=["sms", "email"])
    order, notice_id = late(shop, "reject@delivery.example", phone="+12025550400")
    shop.merchant.drain()
    assert [one for one in learned(shop, notice_id) if one[2] == "refused"] == [
        (1, "sms", "refused"), (2, "email", "refused")]  # fmt: skip
    assert notice(shop, notice_id).state == "bounced"
    assert shop.timeline(order).count("notice.bounced") == 1
    assert promise(shop, order) == "open"


def test_a_gateway_that_does_not_answer_is_left_in_time(shop: Shop, inbox: Inbox) -> None:
    settings(shop, channels=["sms", "email"])
    _, notice_id = late(shop, "patience@delivery.example", phone="+12025550500")
    shop.merchant.drain()
    assert notice(shop, notice_id).state == "queued"
    shop.later(hours=5)
    assert notice(shop, notice_id).channel == "email"
    assert (1, "sms", "given_up") in learned(shop, notice_id)
    assert len(inbox.to("patience@delivery.example")) == 1


def test_the_buyers_own_choice_and_language(shop: Shop, inbox: Inbox) -> None:
    settings(shop)
    _, notice_id = late(shop, "elige@delivery.example", phone="+12025550137", language="es", reach_by="sms")
    shop.merchant.drain()
    assert inbox.to("elige@delivery.example") == []
    assert "Nueva fecha de envío" in inbox.texts_to("+12025550137")[-1].text
    assert notice(shop, notice_id).language == "es"


def test_a_text_waits_for_the_morning_but_not_past_the_deadline(shop: Shop, inbox: Inbox) -> None:
    with inside(shop.tenant_id) as scope:
        hour = scope.now().astimezone(ZoneInfo("America/Boise")).hour
    begins, ends = (hour - 1) % 24, (hour + 2) % 24
    settings(shop, channels=["sms"], quiet={"begins": begins, "ends": ends})
    _, notice_id = late(shop, "night@delivery.example", phone="+12025550138")
    shop.merchant.drain()
    assert notice(shop, notice_id).state == "queued"
    assert learned(shop, notice_id) == []
    shop.later(hours=3)
    assert len(inbox.texts_to("+12025550138")) == 1
    settings(shop, channels=["sms"], quiet={"begins": begins, "ends": (begins - 1) % 24})
    _, urgent = late(shop, "urgent@delivery.example", phone="+12025550139")
    with inside(shop.tenant_id) as scope:
        scope.execute(
            "UPDATE notices SET send_by = :soon WHERE tenant_id = :tenant AND id = :id",
            id=urgent,
            soon=scope.now() + timedelta(hours=1),
        )
    shop.merchant.drain()
    assert notice(shop, urgent).state == "sent", "the deadline is kept above all"


# ---- answers by mail


@pytest.mark.parametrize(
    ("text", "answer"), [("Yes, I will wait.", "consent"), ("Please cancel my order. Thanks", "cancel")]
)
def test_an_unmistakable_reply_is_the_buyers_answer(
    shop: Shop, inbox: Inbox, in_force: Settings, text: str, answer: str
) -> None:
    settings(shop)
    email = f"{answer}@delivery.example"
    order, notice_id = late(shop, email)
    shop.merchant.drain()
    content = inbox.answer(email, text)
    fetch(shop, in_force)
    assert take(content), "the same mail again changes nothing"
    shop.merchant.drain()
    with inside(shop.tenant_id) as scope:
        (row,) = scope.rows(
            "SELECT answer, channel, evidence FROM delay_answers WHERE tenant_id = :tenant AND notice_id = :id",
            id=notice_id,
        )
        mails = scope.rows("SELECT state, outcome FROM received_mails WHERE tenant_id = :tenant")
    assert (row.answer, row.channel, row.evidence["text"]) == (answer, "email", text)
    assert [(mail.state, mail.outcome) for mail in mails] == [("closed", answer)]
    assert "reply.received" in shop.timeline(order)


@pytest.mark.parametrize(
    ("name", "text", "sender"),
    [
        ("asks", "When exactly will it come?", ""),
        ("other", "Please cancel my order.", "stranger@delivery.example"),
    ],
)
def test_a_question_and_a_strangers_words_are_left_to_a_person(
    shop: Shop, inbox: Inbox, in_force: Settings, name: str, text: str, sender: str
) -> None:
    settings(shop)
    email = f"{name}@delivery.example"
    order, _ = late(shop, email)
    shop.merchant.drain()
    inbox.answer(email, text, sender=sender)
    fetch(shop, in_force)
    with inside(shop.tenant_id) as scope:
        (mail,) = scope.rows("SELECT state, body FROM received_mails WHERE tenant_id = :tenant")
        answers = scope.rows("SELECT 1 FROM delay_answers WHERE tenant_id = :tenant")
    assert (mail.state, mail.body, answers) == ("open", text, [])
    assert promise(shop, order) == "wait_silent"


def test_mail_about_nothing_of_ours_stays_in_the_mailbox(inbox: Inbox, in_force: Settings) -> None:
    stranger = b"From: a@b.example\nTo: mail@kept.example\nMessage-ID: <x@b.example>\n\nBuy now\n"
    inbox.store.add(stranger, "a@b.example", ["mail@kept.example"])
    postman = Postman(in_force.inbound_url)
    postman.fetch()
    assert not take(stranger.replace(b"mail@", f"mail+{'a' * 58}@".encode()))
    assert stranger in [content for _, content in inbox.store.mailbox("mail")]


# ---- letters and calls


def test_a_letter_is_printed_mailed_and_marked(shop: Shop) -> None:
    settings(shop, channels=["post"])
    _, notice_id = late(shop, "paper@delivery.example")
    shop.merchant.drain()
    found = notice(shop, notice_id)
    assert (found.state, found.channel, found.recipient.split("\n")[1]) == ("queued", "post", BOISE["line1"])
    with inside(shop.tenant_id) as scope:
        assert printing.pages(scope, None) == printing.pages(scope, [notice_id])
        assert printing.pages(scope, None).startswith(b"%PDF-")
        today = local_date(scope.now(), scope.tenant.timezone)
        assert printing.mark_mailed(scope, [notice_id], today) == 1
        assert printing.mark_mailed(scope, [notice_id], today) == 0
    assert notice(shop, notice_id).state == "sent"
    assert learned(shop, notice_id) == [(1, "post", "started"), (1, "post", "accepted")]


def test_a_letter_that_nobody_mails_gives_over_to_the_next_way_in_time(shop: Shop, inbox: Inbox) -> None:
    settings(shop, channels=["post", "email"])
    _, notice_id = late(shop, "unmailed@delivery.example")
    shop.merchant.drain()
    send_by = notice(shop, notice_id).send_by
    shop.later(days=11)
    found = notice(shop, notice_id)
    assert (found.state, found.channel) == ("sent", "email")
    assert found.sent_at < send_by
    assert len(inbox.to("unmailed@delivery.example")) >= 1


def test_a_call_to_the_merchants_own_system_is_signed_and_repeated_under_one_id(
    shop: Shop, system: System
) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    system.status = 500
    settings(shop, channels=["webhook"], webhook={"url": system.url, "secret": secret})
    _, notice_id = late(shop, "hook@delivery.example")
    shop.merchant.drain()
    assert notice(shop, notice_id).state == "queued"
    system.status = 204
    shop.later(minutes=2)
    assert notice(shop, notice_id).state == "sent"
    ids = {headers["webhook-id"] for headers, _ in system.got}
    assert (len(system.got), len(ids)) == (2, 1)
    headers, body = system.got[-1]
    told = Webhook(secret).verify(body, headers)
    assert told["data"]["customer"]["email"] == "hook@delivery.example"
    assert "The kiln broke." in told["data"]["text"]


def test_a_day_to_come_or_before_the_letter_is_refused(shop: Shop) -> None:
    settings(shop, channels=["post"])
    _, notice_id = late(shop, "days@delivery.example")
    shop.merchant.drain()
    with inside(shop.tenant_id) as scope:
        for day in (scope.now().date() + timedelta(days=2), date(2026, 1, 1)):
            with pytest.raises(Problem) as refused:
                printing.mark_mailed(scope, [notice_id], day)
            assert refused.value.status == 422
    assert notice(shop, notice_id).state == "queued"
