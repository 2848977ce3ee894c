"""Lost answers: whatever the processor did or did not do, nobody is charged twice and nothing stays open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.payments import service
from tenants.scope import inside
from tests.factories import Merchant
from tests.shop import Shop
from workers import janitor

AUTHORIZE, CAPTURE, CANCEL, REFUND = "payment_intents$", "/capture$", "/cancel$", "/refunds$"
LOST = ["timeout_before:50", "timeout_after:50", "connection_reset_before", "connection_reset_after"]


def age(shop: Shop, minutes: float) -> None:
    """Let the last question to the processor lie further back."""
    with inside(shop.tenant_id) as scope:
        scope.execute(
            "UPDATE ledger_entries SET asked_at = :at WHERE tenant_id = :tenant AND asked_at IS NOT NULL",
            at=datetime.now(UTC) - timedelta(minutes=minutes),
        )


@pytest.mark.parametrize("mode", LOST)
def test_a_lost_answer_to_an_authorization(shop: Shop, mode: str) -> None:
    shop.processor.fail(shop.account, mode, AUTHORIZE)
    order = shop.order(2)
    assert shop.entries(order) == [("authorize", 4000, "unknown")]
    assert shop.shown(order)["fulfillment_orders"][0]["request_status"] == "held"
    shop.hurry()
    assert shop.entries(order) == [("authorize", 4000, "succeeded")]
    assert shop.effects() == [("authorize", 4000)]
    assert shop.shown(order)["fulfillment_orders"][0]["request_status"] == "submitted"


@pytest.mark.parametrize("mode", LOST)
def test_a_lost_answer_to_a_capture(shop: Shop, mode: str) -> None:
    order = shop.order(2)
    shop.processor.fail(shop.account, mode, CAPTURE)
    shop.ship(order, 1)
    assert ("capture", 2000, "unknown") in shop.entries(order)
    shop.hurry()
    taken = [amount for effect, amount in shop.effects() if effect == "capture"]
    assert (taken, shop.shown(order)["totals"]["captured"]["amount"]) == ([2000], 2000)
    assert shop.entries(order)[-1] == ("authorize", 2000, "succeeded")


@pytest.mark.parametrize("pattern", [AUTHORIZE, CAPTURE])
def test_a_fault_that_the_processor_remembers_does_not_stop_an_order(shop: Shop, pattern: str) -> None:
    shop.processor.fail(shop.account, "error500", pattern)
    order = shop.order(1)
    for _ in range(2):
        shop.hurry()
        age(shop, 2)
    shop.hurry()
    shop.ship(order, 1)
    shop.hurry()
    assert [one for one in shop.effects() if one[0] != "release"] == [("authorize", 2000), ("capture", 2000)]
    assert shop.shown(order)["payment_status"] == "captured"


def test_a_lost_answer_to_a_void(shop: Shop) -> None:
    order = shop.order(1)
    shop.processor.fail(shop.account, "timeout_after:50", CANCEL)
    shop.cancel(order)
    assert ("void", 2000, "unknown") in shop.entries(order)
    shop.hurry()
    assert ("void", 2000, "succeeded") in shop.entries(order)
    assert shop.effects() == [("authorize", 2000), ("release", 2000)]


@pytest.mark.parametrize("mode", ["timeout_before:50", "timeout_after:50"])
def test_a_lost_answer_to_a_refund(shop: Shop, act: Callable[..., Any], mode: str) -> None:
    order = shop.order(1)
    shop.ship(order, 1)
    with inside(shop.tenant_id) as scope:
        tender = scope.rows(
            "SELECT id FROM tenders WHERE tenant_id = :tenant AND order_id = :order", order=order["id"]
        )[0].id
    shop.processor.fail(shop.account, mode, REFUND)
    act(service.refund, UUID(order["id"]), tender, 700, "goodwill")
    assert ("refund", 700, "unknown") in shop.entries(order)
    shop.hurry()
    assert [one for one in shop.effects() if one[0] == "refund"] == [("refund", 700)]
    assert shop.shown(order)["totals"]["refunded"]["amount"] == 700


@pytest.mark.parametrize("mode", ["timeout_before:50", "timeout_after:50"])
def test_the_janitor_settles_what_nobody_asks_for_any_more(shop: Shop, mode: str) -> None:
    shop.processor.fail(shop.account, mode, AUTHORIZE)
    order = shop.order(1)
    with inside(shop.tenant_id) as scope:
        scope.execute(
            "UPDATE outbox SET state = 'dead' WHERE tenant_id = :tenant AND topic = 'payment.ask'"
            " AND state = 'waiting'"
        )
    janitor.ask_again(shop.tenant_id)
    shop.merchant.drain()
    assert shop.entries(order) == [("authorize", 2000, "unknown")], "it is not lost for long enough"
    age(shop, 5)
    janitor.ask_again(shop.tenant_id)
    shop.merchant.drain()
    effects = [one for one in shop.effects() if one[0] == "authorize"]
    assert effects == [("authorize", 2000)]
    assert shop.entries(order)[-1] == ("authorize", 2000, "succeeded")


def test_a_card_that_is_refused_while_the_answer_is_lost(shop: Shop) -> None:
    shop.processor.fail(shop.account, "timeout_after:50", AUTHORIZE)
    order = shop.order(1, card="pm_card_chargeDeclined")
    assert shop.entries(order) == [("authorize", 2000, "unknown")]
    shop.hurry()
    assert shop.entries(order) == [("authorize", 2000, "failed")]
    assert shop.shown(order)["holds"][0]["kind"] == "payment"


def test_a_refund_that_is_pending_and_one_that_fails(shop: Shop, act: Callable[..., Any]) -> None:
    settling = shop.order(1, card="pm_card_pendingRefund")
    failing = shop.order(1, card="pm_card_refundFail")
    for order in (settling, failing):
        shop.ship(order, 1)
        with inside(shop.tenant_id) as scope:
            tender = scope.rows(
                "SELECT id FROM tenders WHERE tenant_id = :tenant AND order_id = :order", order=order["id"]
            )[0].id
        act(service.refund, UUID(order["id"]), tender, 2000, "return:1")
    assert ("refund", 2000, "pending") in shop.entries(settling)
    assert ("refund", 2000, "succeeded") in shop.entries(failing)
    shop.oversleep(minutes=5)
    age(shop, 5)
    janitor.ask_again(shop.tenant_id)
    shop.merchant.drain()
    assert ("refund", 2000, "succeeded") in shop.entries(settling)


def test_a_tenant_whose_account_is_not_open_yet_waits(merchant: Merchant) -> None:
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE outbox SET available_at = :later WHERE tenant_id = :tenant AND topic = 'tenant.opened'",
            later=datetime.now(UTC) + timedelta(hours=1),
        )
    merchant.node("RENO")
    merchant.sku("MUG", tax_code="exempt")
    merchant.stock("RENO", "MUG", 5)
    order = merchant.order(("MUG", 1))
    merchant.drain()
    shown = merchant.ok("GET", f"/orders/{order['id']}")
    assert (shown["status"], shown["payment_status"]) == ("placed", "pending")
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE outbox SET available_at = :now WHERE tenant_id = :tenant AND state = 'waiting'",
            now=datetime.now(UTC),
        )
    merchant.drain()
    assert merchant.ok("GET", f"/orders/{order['id']}")["payment_status"] == "authorized"
