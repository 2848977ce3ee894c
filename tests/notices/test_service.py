"""Letters to buyers, as a real mail server takes them."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from uuid import UUID

import pytest

from app.calendar import local_date
from app.money import Money
from app.notices import service
from app.notices.facts import Item, ReceivedFacts, Shop
from tenants.scope import inside
from tests.outside import Inbox
from tests.shop import Shop as OpenShop
from workers.runner import run


def mails(shop: OpenShop, inbox: Inbox, order: dict) -> list[str]:
    """Subjects of what the order's buyer got, oldest first."""
    return [mail.subject for mail in inbox.to(order["customer"]["email"])]


def test_an_order_is_confirmed_and_its_shipment_announced_with_what_was_charged(
    shop: OpenShop, inbox: Inbox
) -> None:
    order = shop.order(2)
    shop.ship(order, 2)
    received, shipped = inbox.to(order["customer"]["email"])
    assert received.subject == f"We have your order {order['number']}"
    assert "$40.00" in received.text
    assert "/o/" in received.html
    assert shipped.subject == f"Your order {order['number']} is on its way"
    assert "We charged $40.00 for what shipped." in shipped.text
    assert shop.timeline(order).count("notice.sent") == 2


def test_a_partial_shipment_says_what_is_still_to_come(shop: OpenShop, inbox: Inbox) -> None:
    order = shop.order(3)
    shop.ship(order, 1)
    mail = inbox.to(order["customer"]["email"])[-1]
    assert mail.subject == f"Part of your order {order['number']} is on its way"
    assert "We charged $20.00" in mail.text
    assert "Still to come" in mail.text


def test_goods_that_could_not_be_charged_are_announced_all_the_same(shop: OpenShop, inbox: Inbox) -> None:
    order = shop.order(1)
    with inside(shop.tenant_id) as scope:
        scope.execute(
            "UPDATE tenders SET payment_method = 'pm_card_chargeDeclined' WHERE tenant_id = :tenant"
            " AND order_id = :order",
            order=order["id"],
        )
    shop.oversleep(days=8)
    shop.ship(order, 1)
    subjects = mails(shop, inbox, order)
    assert f"Your order {order['number']} is on its way" in subjects
    assert f"Your order {order['number']} needs a payment" in subjects
    shipped = next(mail for mail in inbox.to(order["customer"]["email"]) if "on its way" in mail.subject)
    assert "We charged" not in shipped.text


def test_a_cancellation_says_what_becomes_of_the_money(shop: OpenShop, inbox: Inbox) -> None:
    held = shop.order(1)
    shop.cancel(held)
    letter, statement = inbox.to(held["customer"]["email"])[-2:]
    assert "$20.00 was held on your card and not charged" in letter.text
    assert statement.subject == f"Not charged: $20.00, order {held['number']}"
    paid = shop.order(2, tenders=[{"kind": "check", "reference": "1001"}])
    shop.cancel(paid, 1)
    mail = inbox.to(paid["customer"]["email"])[-1]
    assert mail.subject == f"Part of your order {paid['number']} is canceled"
    assert "We refund $20.00 by check" in mail.text


@pytest.mark.parametrize("in_order", [True, False])
def test_of_two_cancellations_that_wait_at_once_each_letter_names_its_own_money(
    shop: OpenShop, inbox: Inbox, *, in_order: bool
) -> None:
    order = shop.order(4, tenders=[{"kind": "check", "reference": "1001"}])
    path, line = f"/orders/{order['id']}/cancellation", order["lines"][0]["id"]
    for units in (1, 2):
        shop.oversleep(days=1)
        shop.merchant.ok("POST", path, {"reason": "too many", "lines": [{"id": line, "quantity": units}]})
    with inside(shop.tenant_id) as scope:
        today = local_date(scope.now(), scope.tenant.timezone)
        waiting = scope.rows(
            "SELECT id FROM outbox WHERE tenant_id = :tenant AND state = 'waiting'"
            " AND topic = 'order.lines_cancelled' ORDER BY id"
        )
    assert len(waiting) == 2
    for row in waiting if in_order else waiting[::-1]:
        run(shop.tenant_id, row.id)
    shop.merchant.drain()
    texts = [mail.text for mail in inbox.to(order["customer"]["email"]) if "canceled" in mail.subject]
    named = [re.findall(r"We refund (\S+) by check", text) for text in texts]
    assert named == ([["$20.00"], ["$40.00"]] if in_order else [["$40.00"], ["$20.00"]])
    with inside(shop.tenant_id) as scope:
        owed = scope.rows(
            "SELECT amount, vests_on FROM refunds_due WHERE tenant_id = :tenant AND order_id = :order"
            " ORDER BY amount",
            order=order["id"],
        )
    assert [tuple(row) for row in owed] == [(2000, today - timedelta(days=1)), (4000, today)]


def test_a_declined_card_asks_the_buyer_once_per_attempt(shop: OpenShop, inbox: Inbox) -> None:
    order = shop.order(1, card="pm_card_chargeDeclined")
    shop.hurry()
    asked = [mail for mail in inbox.to(order["customer"]["email"]) if "needs a payment" in mail.subject]
    assert len(asked) == 1
    assert "Your card was declined." in asked[0].text


def test_a_letter_is_queued_once_per_cause(shop: OpenShop, inbox: Inbox) -> None:
    order = shop.order(1)
    facts = ReceivedFacts(
        shop=Shop("Alder", "help@alder.example", "America/New_York"),
        order_number=order["number"],
        buyer_name="Marisol Vega",
        items=(Item("Mug"),),
        url="https://kept.example/o/x",
        today=date(2026, 11, 23),
        total=Money(2000, "USD"),
    )
    with inside(shop.tenant_id) as scope:
        first = service.queue(scope, UUID(order["id"]), facts, cause="the same")
        assert service.queue(scope, UUID(order["id"]), facts, cause="the same") == first
    shop.merchant.drain()
    assert len(mails(shop, inbox, order)) == 2


def test_a_letter_that_lacks_something_never_leaves(shop: OpenShop, inbox: Inbox) -> None:
    order = shop.order(1)
    facts = ReceivedFacts(
        shop=Shop("", "help@alder.example", "America/New_York"),
        order_number=order["number"],
        buyer_name="Marisol Vega",
        items=(Item("Mug"),),
        url="https://kept.example/o/x",
        today=date(2026, 11, 23),
        total=Money(2000, "USD"),
    )
    with inside(shop.tenant_id) as scope:
        service.queue(scope, UUID(order["id"]), facts, cause="incomplete")
    shop.merchant.drain()
    assert len(mails(shop, inbox, order)) == 1
    assert "notice.failed" in shop.timeline(order)


def test_a_recipient_refused_for_good_is_told_to_a_person(shop: OpenShop, inbox: Inbox) -> None:
    inbox.refuse("gone@refused.example", 550)
    order = shop.order(1, customer={"email": "gone@refused.example", "name": "Nobody"})
    assert "notice.bounced" in shop.timeline(order)
    with inside(shop.tenant_id) as scope:
        notice = scope.rows("SELECT state, error FROM notices WHERE tenant_id = :tenant AND order_id = :order",
                            order=order["id"])[0]  # fmt: skip
    assert (notice.state, notice.error[:3]) == ("bounced", "550")


def test_a_mailbox_that_is_busy_gets_its_letter_later(shop: OpenShop, inbox: Inbox) -> None:
    inbox.refuse("busy@refused.example", 450)
    order = shop.order(1, customer={"email": "busy@refused.example", "name": "Nobody"})
    assert mails(shop, inbox, order) == []
    inbox.refuse("busy@refused.example", 0)
    shop.later(minutes=2)
    assert len(mails(shop, inbox, order)) == 1


def test_courtesy_letters_can_be_turned_off(shop: OpenShop, inbox: Inbox) -> None:
    shop.settings(json.dumps({"notices": {"received": "off", "shipped": "off"}}))
    order = shop.order(1)
    shop.ship(order, 1)
    assert mails(shop, inbox, order) == []
