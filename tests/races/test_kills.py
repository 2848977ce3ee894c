"""kill -9 around every commit on the way of a notice, by each of its ways, a lapse by silence, a cancellation, a void
and a refund.

Each piece of later work is done by a process of its own, which is killed before its first commit, right after it,
before its second (with the answer of the outside in hand), and so on, until one comes through. Whatever is found after
a kill is what the next process starts from.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool
from standardwebhooks import Webhook

from app import events
from app.calendar import local_date
from app.notices import references
from app.notices.references import Reference
from app.promises import watch
from infra import db, outbox, stripe_gateway
from tenants.scope import inside
from tests.outside import Inbox, System
from tests.portal import member
from tests.shop import Shop
from workers.runner import run

pytestmark = pytest.mark.races
BEFORE, AFTER = "before", "after"
IN_A_DAY, IN_TEN_DAYS = ({"within": {"value": days, "unit": "days"}} for days in (1, 10))
PHONE = "+12025550177"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True, slots=True)
class Kill:
    """A process that died over a piece of later work: at which commit, and what was to be seen then."""

    topic: str
    subject_id: UUID
    moment: str
    commit: int
    seen: Any


def kill_at(moment: str, commit: int) -> None:
    """Have this process killed right before, or right after its so-manieth commit."""
    seen = {"commits": 0}

    def before(_: Any) -> None:
        seen["commits"] += 1
        if moment == BEFORE and seen["commits"] == commit:
            os.kill(os.getpid(), signal.SIGKILL)

    def after(*_: Any) -> None:
        if moment == AFTER and seen["commits"] == commit:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", before)
    event.listen(Pool, "checkin", after)


def killed(work: Callable[[], object], moment: str, commit: int) -> bool:
    """Have a process do some work and be killed there. False: it was through before that."""
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        db.engine.cache_clear()  # its own connections; the ones of this process are not its to speak on
        stripe_gateway._client_of.cache_clear()
        kill_at(moment, commit)
        try:
            work()
        except BaseException:  # whatever it is, the child may not go on with the tests
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return bool(status)


def kills_of(work: Callable[[], object], look: Callable[[], Any]) -> list[tuple[str, int, Any]]:
    """Have the work done, every process dying one step further on, until one comes through. Returns the kills: (moment,
    commit, what was seen)."""
    steps = ((moment, commit) for commit in itertools.count(1) for moment in (BEFORE, AFTER))
    return [(*step, look()) for step in itertools.takewhile(lambda step: killed(work, *step), steps)]


def next_row(shop: Shop) -> Any:
    """The oldest piece of later work, whoever died over it; what waits for its next try is tried now."""
    with inside(shop.tenant_id) as scope:
        scope.execute(
            "UPDATE outbox SET state = 'waiting', leased_until = NULL, available_at = :now"
            " WHERE tenant_id = :tenant AND state = 'sent'",
            now=datetime.now(UTC),
        )
        rows = scope.rows(
            "SELECT id, topic, subject_id FROM outbox WHERE tenant_id = :tenant AND state = 'waiting'"
            " ORDER BY id LIMIT 1"
        )
    return rows[0] if rows else None


def worked_off(shop: Shop, look: Callable[[], Any] = lambda: None) -> list[Kill]:
    """Do all later work, every process dying at its every step; `look` tells what is to be seen after each."""
    kills: list[Kill] = []
    while (row := next_row(shop)) is not None:
        died = kills_of(lambda row=row: run(shop.tenant_id, row.id), look)
        kills += [Kill(row.topic, row.subject_id, *one) for one in died]
    return kills


def rows(shop: Shop, table: str, order: dict[str, Any], which: str = "true") -> list[Any]:
    """The order's rows of a table."""
    with inside(shop.tenant_id) as scope:
        return scope.rows(
            f"SELECT * FROM {table} WHERE tenant_id = :tenant AND order_id = :order AND {which}",
            order=order["id"],
        )


def letters(shop: Shop, inbox: Inbox, order: dict[str, Any], subject: str) -> set[str]:
    """The mails of such a subject as the buyer sees them: a repeat under one Message-ID is shown once."""
    mails = map(message_from_bytes, inbox.raw(order["customer"]["email"]))
    return {str(mail["Message-ID"]) for mail in mails if subject in str(mail["Subject"])}


def settings(shop: Shop, **notices: Any) -> None:
    """No quiet hours, whatever time of the day the tests run, and only the messages that are owed."""
    shop.settings(json.dumps({"notices": {"quiet": {"begins": 0, "ends": 0}, "received": "off"} | notices}))


def ordered(shop: Shop, buyer: str, promise: dict[str, Any] = IN_TEN_DAYS, **customer: Any) -> dict[str, Any]:
    """Two mugs, paid by card."""
    who = {"email": f"{buyer}.{shop.tenant_id.hex[:8]}@kills.example", "name": "Maya Ortiz", **customer}
    return shop.order(2, customer=who, promise=promise)


def told_late(shop: Shop, order: dict[str, Any], days: int) -> None:
    [promise] = rows(shop, "promises", order)
    body = {"ship_by": str(promise.original_date + timedelta(days=days)), "reason": "The kiln broke."}
    answer = shop.merchant.post(f"/orders/{order['id']}/delay-notices", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)


def cancelled(shop: Shop, order: dict[str, Any]) -> None:
    shop.merchant.ok("POST", f"/orders/{order['id']}/cancellation", {"reason": "changed my mind"})


def charged_elsewhere(shop: Shop, order: dict[str, Any]) -> None:
    """Its card was charged on the processor's own dashboard, so there is money to give back."""
    [hold] = rows(shop, "ledger_entries", order)
    stripe_gateway.capture(shop.account, hold.reference, 4000, key=f"by-hand:{order['id']}")


@pytest.mark.timeout(300)
def test_notice_cancellation_void_and_refund_survive_a_kill_at_every_step(
    shop: Shop, inbox: Inbox, record_property: Callable[[str, object], None]
) -> None:
    """The end is as if nobody had died: one notice, one void, one refund, one statement of each. The shop's books are
    checked as it closes."""
    settings(shop)
    held, charged = ordered(shop, "held"), ordered(shop, "charged")
    charged_elsewhere(shop, charged)
    told_late(shop, held, 5)
    cancelled(shop, charged)
    kills = worked_off(shop)
    [notice] = rows(shop, "notices", held, "kind = 'delay'")
    assert notice.state == "sent"
    assert len(letters(shop, inbox, held, notice.subject)) == 1
    assert shop.timeline(held).count("notice.sent") == 1
    assert [one for one in shop.effects() if one[0] == "refund"] == [("refund", 4000)]
    [due] = rows(shop, "refunds_due", charged)
    assert due.proven_at is not None
    assert shop.timeline(charged).count("refund.proved") == 1

    cancelled(shop, held)
    kills += worked_off(shop)
    assert [one for one in shop.effects() if one[0] == "release"] == [("release", 4000)]
    assert [one for one in shop.entries(held) if one[0] == "void"] == [("void", 4000, "succeeded")]
    for order in (held, charged):
        [due] = rows(shop, "refunds_due", order)
        assert due.proven_at is not None
        for kind in ("cancelled", "refund"):
            told = rows(shop, "notices", order, f"kind = '{kind}'")
            assert [one.state for one in told] == ["sent"], kind
            assert len(letters(shop, inbox, order, told[0].subject)) == 1
    topics = {kill.topic for kill in kills}
    met = {"order.cancelled", "payment.ask", "payment.voided", "payment.refunded", "notice.queued"}
    assert met <= topics
    record_property("kills", len(kills))
    assert len(kills) > 2 * len(topics)


@pytest.mark.timeout(300)
def test_a_lapse_by_silence_survives_a_kill_at_every_step(shop: Shop, inbox: Inbox) -> None:
    """The buyer does not answer a renewed notice, so the order ends with the day agreed to. It ends once, however often
    the clock and those who work after it die: one end, one letter, one release of the money."""
    settings(shop)
    order = ordered(shop, "silent", IN_A_DAY)  # over before what is held on the card would lapse by itself
    told_late(shop, order, 2)
    told_late(shop, order, 5)
    shop.merchant.drain()
    [promise] = rows(shop, "promises", order)
    assert promise.state == "wait_renewed"
    with inside(shop.tenant_id) as scope:
        left = promise.deadline - scope.now()
    shop.oversleep(seconds=left.total_seconds() + 60)

    def fire() -> None:
        with inside(shop.tenant_id) as scope:
            outbox.fire_due(scope.session, shop.tenant_id, scope.now())

    def ended() -> int:
        return shop.timeline(order).count(events.PROMISE_ENDED)

    assert kills_of(fire, ended) == [(BEFORE, 1, 0), (AFTER, 1, 0)]
    kills = worked_off(shop, ended)
    due = [(kill.moment, kill.commit, kill.seen) for kill in kills if kill.topic == watch.DUE]
    assert due == [(BEFORE, 1, 0), (AFTER, 1, 1)]
    assert ended() == 1
    assert len(rows(shop, "promise_events", order, "kind = 'ended'")) == 1
    [line] = shop.shown(order)["lines"]
    assert (shop.shown(order)["status"], line["cancelled"]) == ("cancelled", 2)
    assert [one for one in shop.effects() if one[0] == "release"] == [("release", 4000)]
    assert [one for one in shop.entries(order) if one[0] == "void"] == [("void", 4000, "succeeded")]
    [owed] = rows(shop, "refunds_due", order)
    assert owed.proven_at is not None
    [told] = rows(shop, "notices", order, "kind = 'cancelled'")
    assert told.state == "sent"
    assert len(letters(shop, inbox, order, told.subject)) == 1


@pytest.mark.timeout(300)
def test_a_text_a_call_and_a_letter_survive_a_kill_before_and_after_they_are_sent(
    app: Flask, shop: Shop, inbox: Inbox, system: System
) -> None:
    """Who is killed between the other end's yes and our note sends it again: under the same key and in the same words,
    so that the other end can tell. A letter on paper is mailed by a person, whose word is taken once."""
    settings(shop, channels=["webhook", "sms", "post"], webhook={"url": system.url, "secret": SECRET})
    called = ordered(shop, "called")
    texted = ordered(shop, "texted", phone=PHONE, reach_by="sms")
    written = ordered(shop, "written", reach_by="post")
    for order in (called, texted, written):
        told_late(shop, order, 5)
    call, text, letter = (
        one for order in (called, texted, written) for one in rows(shop, "notices", order, "kind = 'delay'")
    )

    kills = worked_off(shop, lambda: (len(system.got), len(inbox.texts_to(PHONE))))
    assert died_over(kills, call.id) == [
        (BEFORE, 1, (0, 0)),
        (AFTER, 1, (0, 0)),
        (BEFORE, 2, (1, 0)),
        (AFTER, 2, (2, 0)),
    ]
    # The gateway takes one key once: the call that was repeated is answered with the text there is.
    assert died_over(kills, text.id) == [
        (BEFORE, 1, (2, 0)),
        (AFTER, 1, (2, 0)),
        (BEFORE, 2, (2, 1)),
        (AFTER, 2, (2, 1)),
    ]
    assert {headers["webhook-id"] for headers, _ in system.got} == {f"notice_{reference(shop, call)}"}
    bodies = [Webhook(SECRET).verify(body, headers) for headers, body in system.got]
    assert [(body["data"]["id"], body["data"]["text"]) for body in bodies] == 2 * [
        (str(call.id), call.body_text)
    ]
    [taken] = inbox.texts_to(PHONE)
    assert (taken.reference, taken.text) == (reference(shop, text), text.body_sms)
    assert deliveries(shop, text)[-1].reference == str(taken.id)

    desk = member(app, shop.tenant_id)
    form = {"csrf_token": desk.token_of("/letters"), "ids": str(letter.id)}
    with inside(shop.tenant_id) as scope:
        form["day"] = local_date(scope.now(), scope.tenant.timezone).isoformat()

    def mark() -> None:
        answer = desk.client.post("/letters", data=form)
        assert answer.status_code == 303, answer.text

    assert learned(shop, letter) == ["started"]
    died = kills_of(mark, lambda: learned(shop, letter))
    seen = [states for _, _, states in died]
    assert seen == sorted(seen, key=len)
    assert {tuple(states) for states in seen} == {("started",), ("started", "accepted")}
    for order, notice in ((called, call), (texted, text), (written, letter)):
        [told] = rows(shop, "notices", order)
        assert (told.id, told.cause, told.state) == (notice.id, notice.cause, "sent")
        assert learned(shop, notice) == ["started", "accepted"]
        assert shop.timeline(order).count(events.NOTICE_SENT) == 1


def died_over(kills: list[Kill], notice_id: UUID) -> list[tuple[str, int, Any]]:
    """Who died over the delivery of a message, and what was to be seen then."""
    return [
        (kill.moment, kill.commit, kill.seen)
        for kill in kills
        if (kill.topic, kill.subject_id) == (events.NOTICE_QUEUED, notice_id)
    ]


def reference(shop: Shop, notice: Any) -> str:
    """The key of the first attempt to deliver it."""
    return references.written(Reference(shop.tenant_id, notice.id, 1))


def deliveries(shop: Shop, notice: Any) -> list[Any]:
    """Everything learned of its delivery, in order."""
    with inside(shop.tenant_id) as scope:
        return scope.rows(
            "SELECT attempt, state, reference FROM notice_deliveries WHERE tenant_id = :tenant AND notice_id = :id"
            " ORDER BY at, id",
            id=notice.id,
        )


def learned(shop: Shop, notice: Any) -> list[str]:
    """What was learned of its only attempt, in order."""
    found = deliveries(shop, notice)
    assert {one.attempt for one in found} == {1}
    return [one.state for one in found]
