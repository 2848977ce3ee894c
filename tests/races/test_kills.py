"""kill -9 around every commit on the way of a notice, a cancellation, a void and a refund.

Each piece of later work is done by a process of its own, which is killed before its first commit, right after it,
before its second (with the answer of the outside in hand), and so on, until one comes through. Whatever is found after
a kill is what the next process starts from.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from infra import db, stripe_gateway
from tenants.scope import inside
from tests.outside import Inbox
from tests.shop import Shop
from workers.runner import run

pytestmark = pytest.mark.races
BEFORE, AFTER = "before", "after"
MOST_COMMITS = 6
"""More than the work of one row commits."""


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


def killed(tenant_id: UUID, row_id: UUID, moment: str, commit: int) -> bool:
    """Have a process do the work of one row and be killed there. False: it was through before that."""
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        db.engine.cache_clear()  # its own connections; the ones of this process are not its to speak on
        stripe_gateway._client_of.cache_clear()
        kill_at(moment, commit)
        run(tenant_id, row_id)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return bool(status)


def next_row(shop: Shop) -> Any:
    """The oldest piece of later work, whoever died over it; what waits for its next try is tried now."""
    with inside(shop.tenant_id) as scope:
        scope.execute(
            "UPDATE outbox SET state = 'waiting', leased_until = NULL, available_at = :now"
            " WHERE tenant_id = :tenant AND state = 'sent'",
            now=datetime.now(UTC),
        )
        rows = scope.rows(
            "SELECT id, topic FROM outbox WHERE tenant_id = :tenant AND state = 'waiting' ORDER BY id LIMIT 1"
        )
    return rows[0] if rows else None


def worked_off(shop: Shop) -> tuple[int, list[str]]:
    """Do all later work, every process dying at its every step. Returns the kills, and the topics met."""
    kills, topics = 0, []
    while (row := next_row(shop)) is not None:
        topics.append(row.topic)
        for step in range(2 * MOST_COMMITS):
            if not killed(shop.tenant_id, row.id, (BEFORE, AFTER)[step % 2], step // 2 + 1):
                break
            kills += 1
    return kills, topics


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


def ordered(shop: Shop, buyer: str, **fields: Any) -> dict[str, Any]:
    who = {"email": f"{buyer}.{shop.tenant_id.hex[:8]}@kills.example", "name": "Maya Ortiz"}
    return shop.order(2, customer=who, **fields)


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
    shop.settings(json.dumps({"notices": {"quiet": {"begins": 0, "ends": 0}, "received": "off"}}))
    promise = {"within": {"value": 10, "unit": "days"}}
    held, charged = ordered(shop, "held", promise=promise), ordered(shop, "charged", promise=promise)
    charged_elsewhere(shop, charged)
    told_late(shop, held, 5)
    cancelled(shop, charged)
    kills, topics = worked_off(shop)
    [notice] = rows(shop, "notices", held, "kind = 'delay'")
    assert notice.state == "sent"
    assert len(letters(shop, inbox, held, notice.subject)) == 1
    assert shop.timeline(held).count("notice.sent") == 1
    assert [one for one in shop.effects() if one[0] == "refund"] == [("refund", 4000)]
    [due] = rows(shop, "refunds_due", charged)
    assert due.proven_at is not None
    assert shop.timeline(charged).count("refund.proved") == 1

    cancelled(shop, held)
    more, met = worked_off(shop)
    assert [one for one in shop.effects() if one[0] == "release"] == [("release", 4000)]
    assert [one for one in shop.entries(held) if one[0] == "void"] == [("void", 4000, "succeeded")]
    for order in (held, charged):
        [due] = rows(shop, "refunds_due", order)
        assert due.proven_at is not None
        for kind in ("cancelled", "refund"):
            told = rows(shop, "notices", order, f"kind = '{kind}'")
            assert [one.state for one in told] == ["sent"], kind
            assert len(letters(shop, inbox, order, told[0].subject)) == 1
    assert {"order.cancelled", "payment.ask", "payment.voided", "payment.refunded", "notice.queued"} <= {
        *topics,
        *met,
    }
    record_property("kills", kills + more)
    assert kills + more > 2 * len({*topics, *met})
