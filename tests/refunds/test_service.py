"""Refunds due through the real door: orders and cancellations over the API, the real processor, the real mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.calendar import add_working_days, local_date
from app.payments import calls
from app.payments import service as payments
from app.refunds import owing, service
from tenants.scope import inside
from tests.outside import Inbox
from tests.payments.test_faults import CANCEL, REFUND, age
from tests.shop import Shop
from tests.webhooks.test_api import Door, door, event
from workers import janitor

__all__ = ["door"]

CHECK = [{"kind": "check", "reference": "1041"}]


def dues(shop: Shop, order: dict[str, Any]) -> list[dict[str, Any]]:
    """The refunds due of an order, as the API shows them."""
    return list(shop.merchant.ok("GET", f"/orders/{order['id']}/refunds-due")["data"])


def statements(shop: Shop, inbox: Inbox, order: dict[str, Any]) -> list[str]:
    """Texts of the refund statements that the buyer got."""
    mails = inbox.to(shop.shown(order)["customer"]["email"])
    return [
        mail.text for mail in mails if "refund has been sent" in mail.text or "not been charged" in mail.text
    ]


def today(shop: Shop) -> date:
    with inside(shop.tenant_id) as scope:
        return local_date(scope.now(), scope.tenant.timezone)


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["type"].rsplit("/", 1)[1]


def taken_by_card(shop: Shop, card: str = "pm_card_visa") -> dict[str, Any]:
    """A canceled order whose card was charged all the same: on the processor's own dashboard, before the hold was
    let go."""
    order = shop.order(2, card=card)
    with inside(shop.tenant_id) as scope:
        hold = scope.row(
            "SELECT reference FROM ledger_entries WHERE tenant_id = :tenant AND order_id = :order",
            order=order["id"],
        )
    assert hold is not None
    from infra import stripe_gateway

    stripe_gateway.capture(shop.account, hold.reference, 4000, key=f"by-hand:{order['id']}")
    shop.cancel(order)
    return order


def test_a_card_that_was_only_held_is_let_go_and_the_buyer_told(shop: Shop, inbox: Inbox) -> None:
    order = shop.order(2)
    shop.cancel(order)
    [due] = dues(shop, order)
    assert (due["amount"]["amount"], due["taken"], due["state"]) == (4000, False, "proven")
    assert (due["form"], due["to_do"], due["late"]) == ("not_charged_statement", "", False)
    assert shop.effects() == [("authorize", 4000), ("release", 4000)]
    [told] = statements(shop, inbox, order)
    assert "$40.00" in told
    assert "your card (Visa 4242)" in told
    assert "refund.proved" in shop.timeline(order)


def test_a_part_is_let_go_at_once_while_the_rest_stays_held(shop: Shop, inbox: Inbox) -> None:
    order = shop.order(3)
    shop.cancel(order, 1)
    shop.cancel(order, 1)
    assert [(one["amount"]["amount"], one["state"]) for one in dues(shop, order)] == [(2000, "proven")] * 2
    assert len(statements(shop, inbox, order)) == 2
    shop.ship(order, 1)
    assert len(dues(shop, order)) == 2


def test_a_card_that_was_never_accepted_is_owed_nothing(shop: Shop) -> None:
    order = shop.order(1, card="pm_card_chargeDeclined")
    shop.cancel(order)
    assert dues(shop, order) == []


def test_a_check_is_sent_by_a_person_and_proven_by_the_statement(shop: Shop, inbox: Inbox) -> None:
    order = shop.order(2, tenders=CHECK)
    shop.cancel(order, 1)
    [due] = dues(shop, order)
    day = today(shop)
    assert (due["amount"]["amount"], due["taken"], due["state"], due["to_do"]) == (2000, True, "open", "send")
    assert due["latest_on"] == add_working_days(day, 7).isoformat()
    assert due["target_on"] == add_working_days(day, 2, strict=True).isoformat()
    path = f"/refunds-due/{due['id']}/payment"
    sent = {"form": "check", "reference": "2207", "sent_on": day.isoformat()}
    wrong = shop.merchant.post(path, sent | {"form": "store_credit"})
    assert problem(wrong) == (409, "store-credit-unlawful")
    assert "435.1(d)" in wrong.get_json()["detail"]
    assert problem(shop.merchant.post(path, sent | {"form": "original"})) == (409, "form-unlawful")
    assert (
        shop.merchant.post(path, sent | {"reference": ""}).get_json()["errors"][0]["pointer"] == "/reference"
    )
    late = sent | {"sent_on": (day + timedelta(days=1)).isoformat()}
    for wrong_day in (late, sent | {"sent_on": "2019-01-01"}):
        assert shop.merchant.post(path, wrong_day).get_json()["errors"][0]["pointer"] == "/sent_on"
    assert dues(shop, order) == [due]
    paid = shop.merchant.ok("POST", path, sent)
    assert (paid["state"], paid["sent_form"], paid["reference"]) == ("paid", "check", "2207")
    assert shop.merchant.ok("POST", path, sent)["state"] == "paid"
    shop.merchant.drain()
    [due] = dues(shop, order)
    assert due["state"] == "proven"
    [told] = statements(shop, inbox, order)
    assert "by check, number 2207" in told
    assert ("refund", 2000, "succeeded") in shop.entries(order)
    assert problem(shop.merchant.post(path, sent | {"reference": "9999"})) == (409, "refund-paid")
    assert len(statements(shop, inbox, order)) == 1


def test_terms_need_a_statement_within_a_billing_cycle(shop: Shop) -> None:
    order = shop.order(1, tenders=[{"kind": "terms"}])
    shop.cancel(order)
    [due] = dues(shop, order)
    assert (due["form"], due["taken"], due["state"]) == ("account_statement", False, "proven")
    assert date.fromisoformat(due["latest_on"]) > add_working_days(today(shop), 7)


def test_a_card_charged_elsewhere_is_refunded_by_itself(shop: Shop, inbox: Inbox) -> None:
    order = taken_by_card(shop)
    [due] = dues(shop, order)
    assert (due["taken"], due["form"], due["state"]) == (True, "credit_memo_and_copy", "proven")
    assert shop.effects()[-1] == ("refund", 4000)
    [told] = statements(shop, inbox, order)
    assert "we sent you $40.00 to your card (Visa 4242)" in told


def test_a_refund_that_fails_later_opens_the_check_leg(shop: Shop, inbox: Inbox, door: Door) -> None:
    order = taken_by_card(shop, "pm_card_refundFail")
    [due] = dues(shop, order)
    assert due["state"] == "proven"
    path = f"/refunds-due/{due['id']}"
    day = today(shop)
    early = shop.merchant.post(
        f"{path}/payment", {"form": "check", "reference": "1", "sent_on": day.isoformat()}
    )
    assert problem(early) == (409, "card-refunds-itself")
    shop.oversleep(days=1)
    tell_of_refund(shop, door)
    [due] = dues(shop, order)
    day = today(shop)
    assert (due["state"], due["form"], due["to_do"]) == ("open", "cash_or_check", "send")
    assert due["impossible_on"] == day.isoformat()
    assert due["latest_on"] == add_working_days(day, 7).isoformat()
    assert "refund.diverted" in shop.timeline(order)
    sent = {"form": "check", "reference": "77", "sent_on": day.isoformat()}
    shop.merchant.ok("POST", f"{path}/payment", sent)
    shop.merchant.drain()
    assert dues(shop, order)[0]["state"] == "proven"
    assert [
        amount for kind, amount, outcome in shop.entries(order) if (kind, outcome) == ("refund", "succeeded")
    ] == [4000]
    assert len(statements(shop, inbox, order)) == 2
    assert shop.shown(order)["totals"]["refunded"]["amount"] == 4000


def tell_of_refund(shop: Shop, door: Door) -> None:
    """The processor tells of a refund that failed: several messages, one of them twice."""
    with inside(shop.tenant_id) as scope:
        row = scope.row("SELECT reference FROM ledger_entries WHERE tenant_id = :tenant AND kind = 'refund'")
    assert row is not None
    for kind in ("refund.failed", "charge.refund.updated", "refund.failed"):
        told = event(shop.account, kind, {"id": row.reference, "object": "refund"}, kind)
        assert door.send(told).status_code < 300
    shop.merchant.drain()


def test_a_person_may_find_it_impossible_once(shop: Shop) -> None:
    order = shop.order(1, tenders=[{"kind": "external", "reference": "paid"}])
    shop.cancel(order)
    [due] = dues(shop, order)
    path, day = f"/refunds-due/{due['id']}/impossible", today(shop)
    ahead = {"reason": "The marketplace refuses", "discovered_on": (day + timedelta(days=2)).isoformat()}
    assert shop.merchant.post(path, ahead).get_json()["errors"][0]["pointer"] == "/discovered_on"
    found = ahead | {"discovered_on": day.isoformat()}
    first = shop.merchant.ok("POST", path, found)
    assert (first["form"], first["impossible_reason"]) == ("cash_or_check", "The marketplace refuses")
    assert shop.merchant.ok("POST", path, found | {"reason": "again"}) == first


def test_alarms_at_the_target_near_the_last_day_and_late(shop: Shop) -> None:
    order = shop.order(1, tenders=CHECK)
    shop.cancel(order)
    assert shop.merchant.ok("GET", "/refunds-due?state=late")["data"] == []
    shop.later(days=13)
    with inside(shop.tenant_id) as scope:
        alarms = scope.rows(
            "SELECT data->>'level' AS level, at FROM timeline WHERE tenant_id = :tenant AND order_id = :order"
            " AND name = 'refund.alarmed' ORDER BY id",
            order=order["id"],
        )
    [due] = dues(shop, order)
    assert [row.level for row in alarms] == ["1", "2", "3"]
    assert alarms[1].at.date() < date.fromisoformat(due["strict_on"])
    assert [one["id"] for one in shop.merchant.ok("GET", "/refunds-due?state=late")["data"]] == [due["id"]]
    sent = {"form": "money_order", "reference": "5", "sent_on": today(shop).isoformat()}
    shop.merchant.ok("POST", f"/refunds-due/{due['id']}/payment", sent)
    shop.merchant.drain()
    assert dues(shop, order)[0]["state"] == "proven"


def test_a_statement_that_cannot_be_delivered_is_sent_by_a_person(shop: Shop, inbox: Inbox) -> None:
    order = shop.order(1, tenders=CHECK, customer={"email": "nobody-there@example.com", "name": "N"})
    shop.cancel(order)
    [due] = dues(shop, order)
    inbox.refuse("nobody-there@example.com", 550)
    sent = {"form": "check", "reference": "8", "sent_on": today(shop).isoformat()}
    shop.merchant.ok("POST", f"/refunds-due/{due['id']}/payment", sent)
    shop.merchant.drain()
    [due] = dues(shop, order)
    assert (due["state"], due["to_do"]) == ("paid", "statement")
    told = {"reference": "by post, with the check", "sent_on": today(shop).isoformat()}
    assert shop.merchant.ok("POST", f"/refunds-due/{due['id']}/statement", told)["state"] == "proven"


def test_the_shipping_table_gives_back_more_than_the_share(shop: Shop, act: Callable[..., Any]) -> None:
    shop.settings('{"refunds": {"shipping": [{"from": 0, "charge": 500}, {"from": 5000, "charge": 1500}]}}')
    charges = [{"code": "shipping", "amount": {"amount": 1500, "currency": "USD"}}]
    order = shop.order(3, charges=charges)
    shop.cancel(order, 1)
    [let_go] = dues(shop, order)
    assert (let_go["amount"]["amount"], let_go["taken"]) == (2500, False)
    shop.ship(order, 2)
    [_, due] = dues(shop, order)
    assert (due["amount"]["amount"], due["taken"], due["state"]) == (500, True, "proven")
    assert shop.effects()[-1] == ("refund", 500)
    checked = shop.order(3, charges=charges, tenders=CHECK)
    shop.cancel(checked, 1)
    assert [one["amount"]["amount"] for one in dues(shop, checked)] == [3000]


@pytest.mark.parametrize("mode", ["timeout_before:50", "timeout_after:50"])
def test_a_lost_answer_gives_back_once(shop: Shop, inbox: Inbox, mode: str) -> None:
    shop.processor.fail(shop.account, mode, REFUND)
    order = taken_by_card(shop)
    [due] = dues(shop, order)
    assert (due["state"], statements(shop, inbox, order)) == ("open", [])
    age(shop, 5)
    janitor.ask_again(shop.tenant_id)
    shop.hurry()
    assert [one for one in shop.effects() if one[0] == "refund"] == [("refund", 4000)]
    assert dues(shop, order)[0]["state"] == "proven"
    assert len(statements(shop, inbox, order)) == 1


@pytest.mark.parametrize("answered", [False, True])
def test_a_worker_that_dies_around_the_answer(shop: Shop, inbox: Inbox, answered: bool) -> None:
    """Killed before the processor was asked, or after it answered and before the answer was kept."""
    order = shop.order(2, tenders=[{"kind": "card", "payment_method": "pm_card_visa"}])
    shop.ship(order, 1)
    with inside(shop.tenant_id) as scope:
        tender = scope.rows(
            "SELECT id FROM tenders WHERE tenant_id = :tenant AND order_id = :o", o=order["id"]
        )[0]
        [entry] = payments.refund(scope, UUID(order["id"]), tender.id, 700, "goodwill")
    with inside(shop.tenant_id) as scope:
        question = calls.begin(scope, entry)
    assert question is not None
    if answered:
        calls.call(question)
    shop.hurry()
    assert [one for one in shop.effects() if one[0] == "refund"] == [("refund", 700)]
    assert ("refund", 700, "succeeded") in shop.entries(order)


def test_a_lost_answer_to_the_void_keeps_it_open(shop: Shop, inbox: Inbox) -> None:
    shop.processor.fail(shop.account, "timeout_after:50", CANCEL)
    order = shop.order(1)
    shop.cancel(order)
    assert (dues(shop, order)[0]["state"], statements(shop, inbox, order)) == ("open", [])
    shop.hurry()
    assert dues(shop, order)[0]["state"] == "proven"
    assert len(statements(shop, inbox, order)) == 1


def test_told_twice_nothing_happens_twice(shop: Shop, inbox: Inbox, act: Callable[..., Any]) -> None:
    order = taken_by_card(shop)
    for _ in range(2):
        act(service.settle, UUID(order["id"]))
        act(owing.cancelled, UUID(order["id"]))
    assert len(dues(shop, order)) == 1
    assert [one for one in shop.effects() if one[0] == "refund"] == [("refund", 4000)]
    assert len(statements(shop, inbox, order)) == 1


def test_another_tenant_sees_and_changes_nothing(shop: Shop, other_merchant: Any) -> None:
    order = shop.order(1, tenders=CHECK)
    shop.cancel(order)
    [due] = dues(shop, order)
    sent = {"form": "check", "reference": "8", "sent_on": today(shop).isoformat()}
    assert other_merchant.get(f"/orders/{order['id']}/refunds-due").status_code == 404
    assert other_merchant.post(f"/refunds-due/{due['id']}/payment", sent).status_code == 404
    assert other_merchant.ok("GET", "/refunds-due")["data"] == []
    assert dues(shop, order) == [due]
    shop.merchant.ok("POST", f"/refunds-due/{due['id']}/payment", sent)
    shop.merchant.drain()
