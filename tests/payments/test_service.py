"""Cards from the order to the shipment, against the real simulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.payments import queries, service
from infra.errors import Problem
from tenants.scope import inside
from tests.shop import Shop

DECLINED = "pm_card_chargeDeclined"
ASKING = "pm_card_authenticationRequired"
LATER_DECLINED = "pm_card_chargeCustomerFail"


def test_a_card_is_held_at_order_and_charged_at_shipment(shop: Shop) -> None:
    order = shop.order(2)
    assert shop.effects() == [("authorize", 4000)]
    shown = shop.shown(order)
    assert shown["payment_status"] == "authorized"
    assert shown["fulfillment_orders"][0]["request_status"] == "submitted"
    shop.ship(order, 2)
    assert shop.effects() == [("authorize", 4000), ("capture", 4000)]
    shown = shop.shown(order)
    assert (shown["payment_status"], shown["totals"]["captured"]["amount"]) == ("captured", 4000)
    assert shown["totals"]["authorized"]["amount"] == 4000


def test_each_partial_shipment_takes_its_share_and_holds_the_rest_anew(shop: Shop) -> None:
    order = shop.order(3)
    shop.ship(order, 1)
    assert shop.effects() == [("authorize", 6000), ("capture", 2000), ("release", 4000), ("authorize", 4000)]
    shop.ship(order, 1)
    shop.ship(order, 1)
    taken = [amount for effect, amount in shop.effects() if effect == "capture"]
    assert taken == [2000, 2000, 2000]
    assert shop.shown(order)["payment_status"] == "captured"
    assert all(outcome == "succeeded" for _, _, outcome in shop.entries(order))


def test_two_shipments_at_once_are_charged_one_after_the_other(shop: Shop) -> None:
    order = shop.order(3)
    shop.ship(order, 1, drain=False)
    shop.ship(order, 1, drain=False)
    shop.merchant.drain()
    taken = sum(amount for effect, amount in shop.effects() if effect == "capture")
    assert taken == 4000
    assert shop.shown(order)["totals"]["captured"]["amount"] == 4000
    assert shop.entries(order)[-1] == ("authorize", 2000, "succeeded")


@pytest.mark.parametrize("shipments", [[1, 2], [2, 1]])
def test_money_in_hand_covers_first(shop: Shop, shipments: list[int]) -> None:
    order = shop.order(
        3,
        tenders=[
            {"kind": "card", "payment_method": "pm_card_visa"},
            {"kind": "check", "reference": "1001", "amount": {"amount": 3000, "currency": "USD"}},
        ],
    )
    assert shop.effects() == [("authorize", 3000)]
    for units in shipments:
        shop.ship(order, units)
    taken = sum(amount for effect, amount in shop.effects() if effect == "capture")
    assert (taken, shop.shown(order)["totals"]["captured"]["amount"]) == (3000, 6000)


def test_terms_are_booked_at_shipment_without_a_processor(shop: Shop) -> None:
    order = shop.order(2, tenders=[{"kind": "terms", "reference": "PO 7"}])
    assert shop.shown(order)["fulfillment_orders"][0]["request_status"] == "submitted"
    shop.ship(order, 1)
    assert (shop.effects(), shop.entries(order)) == ([], [("capture", 2000, "succeeded")])


def test_a_declined_card_holds_the_order_until_the_buyer_gives_another(
    shop: Shop, act: Callable[..., Any]
) -> None:
    order = shop.order(1, card=DECLINED)
    shown = shop.shown(order)
    assert [hold["kind"] for hold in shown["holds"]] == ["payment"]
    assert (shown["payment_status"], shown["fulfillment_orders"][0]["request_status"]) == ("held", "held")
    with inside(shop.tenant_id) as scope:
        needed = queries.needed(scope, UUID(order["id"]))
    assert needed is not None
    assert (needed.amount, needed.reason) == (2000, "Your card was declined.")
    act(service.retry_payment, UUID(order["id"]), "pm_card_mastercard")
    shown = shop.shown(order)
    assert (shown["holds"], shown["payment_status"]) == ([], "authorized")
    assert shown["fulfillment_orders"][0]["request_status"] == "submitted"
    shop.ship(order, 1)
    assert shop.effects()[-1] == ("capture", 2000)


def test_an_order_without_a_card_asks_at_once(shop: Shop, act: Callable[..., Any]) -> None:
    order = shop.order(1, tenders=[{"kind": "card"}])
    assert (shop.shown(order)["payment_status"], shop.effects()) == ("held", [])
    with pytest.raises(Problem, match="Give a card"):
        act(service.retry_payment, UUID(order["id"]))
    act(service.retry_payment, UUID(order["id"]), "pm_card_visa")
    assert shop.shown(order)["payment_status"] == "authorized"
    with pytest.raises(Problem, match="needs no payment"):
        act(service.retry_payment, UUID(order["id"]), "pm_card_visa")


def test_an_unpaid_order_is_given_up_after_the_tenants_hours(shop: Shop) -> None:
    shop.settings('{"payment_hold_hours": 6}')
    order = shop.order(1, card=DECLINED)
    shop.later(hours=5)
    assert shop.shown(order)["status"] == "placed"
    shop.later(hours=2)
    shown = shop.shown(order)
    assert (shown["status"], shown["holds"]) == ("cancelled", [])
    assert [effect for effect, _ in shop.effects()] == ["decline"]


def test_a_bank_that_asks_is_answered_by_the_buyer(shop: Shop, act: Callable[..., Any]) -> None:
    order = shop.order(1, card=ASKING)
    with inside(shop.tenant_id) as scope:
        needed = queries.needed(scope, UUID(order["id"]))
    assert needed is not None
    assert needed.url is not None
    assert needed.url.startswith(shop.processor.url)
    shop.processor.authenticate(needed.url)
    assert act(service.confirm_action, UUID(order["id"])) is True
    shown = shop.shown(order)
    assert (shown["payment_status"], shown["holds"]) == ("authorized", [])
    shop.ship(order, 1)
    assert shop.effects() == [("authorize", 2000), ("capture", 2000)]


def test_another_card_takes_the_place_of_one_that_asks(shop: Shop, act: Callable[..., Any]) -> None:
    order = shop.order(1, card=ASKING)
    act(service.retry_payment, UUID(order["id"]), "pm_card_visa")
    assert shop.shown(order)["payment_status"] == "authorized"
    assert shop.effects() == [("authorize", 2000)]
    assert [outcome for kind, _, outcome in shop.entries(order) if kind == "void"] == ["succeeded"]


def test_cancelling_lets_the_hold_go(shop: Shop) -> None:
    order = shop.order(2)
    shop.cancel(order)
    assert shop.effects() == [("authorize", 4000), ("release", 4000)]
    shown = shop.shown(order)
    assert (shown["payment_status"], shown["totals"]["authorized"]["amount"]) == ("voided", 0)


def test_an_order_cancelled_while_the_bank_asks_is_dropped_at_the_processor(shop: Shop) -> None:
    order = shop.order(1, card=ASKING)
    shop.cancel(order)
    assert (shop.effects(), shop.shown(order)["holds"]) == ([], [])
    assert ("void", 2000, "succeeded") in shop.entries(order)


def test_cancelled_units_are_not_charged(shop: Shop) -> None:
    order = shop.order(3)
    shop.cancel(order, 1)
    assert shop.effects() == [("authorize", 6000)]
    shop.ship(order, 2)
    assert shop.effects() == [("authorize", 6000), ("capture", 4000), ("release", 2000)]


def test_a_hold_is_renewed_in_time_while_goods_are_awaited(shop: Shop) -> None:
    order = shop.order(1)
    shop.later(days=20)
    held = [effect for effect, _ in shop.effects()]
    assert held.count("authorize") - held.count("release") == 1
    assert 4 <= held.count("authorize") <= 6
    assert shop.shown(order)["totals"]["authorized"]["amount"] == 2000
    shop.ship(order, 1)
    assert shop.effects()[-1] == ("capture", 2000)
    assert "payment.expired" not in shop.timeline(order)


def test_a_hold_that_lapsed_is_made_anew_before_the_capture(shop: Shop) -> None:
    order = shop.order(1)
    shop.oversleep(days=8)
    shop.ship(order, 1)
    assert shop.effects() == [
        ("authorize", 2000), ("release", 2000), ("authorize", 2000), ("capture", 2000)]  # fmt: skip
    assert ("expire", 2000, "succeeded") in shop.entries(order)


def test_goods_that_are_gone_and_not_paid_alarm_and_are_tried_again(
    shop: Shop, act: Callable[..., Any]
) -> None:
    order = shop.order(2)
    with inside(shop.tenant_id) as scope:
        scope.execute(
            "UPDATE tenders SET payment_method = :bad WHERE tenant_id = :tenant AND order_id = :order",
            bad="pm_card_chargeDeclined",
            order=order["id"],
        )
    shop.oversleep(days=8)
    shop.ship(order, 2)
    assert "payment.capture_failed" in shop.timeline(order)
    assert shop.shown(order)["holds"][0]["kind"] == "payment"
    attempts = len(shop.entries(order))
    shop.later(hours=25)
    assert len(shop.entries(order)) > attempts
    act(service.retry_payment, UUID(order["id"]), "pm_card_visa")
    assert shop.effects()[-1] == ("capture", 4000)
    assert (shop.shown(order)["holds"], shop.shown(order)["payment_status"]) == ([], "captured")


def test_a_refund_never_exceeds_what_was_taken(shop: Shop, act: Callable[..., Any]) -> None:
    order = shop.order(2)
    shop.ship(order, 1)
    with inside(shop.tenant_id) as scope:
        tender = scope.rows("SELECT id FROM tenders WHERE tenant_id = :tenant AND order_id = :order",
                            order=order["id"])[0].id  # fmt: skip
    with pytest.raises(Problem, match="more than was taken"):
        act(service.refund, UUID(order["id"]), tender, 2001, "return:1")
    first = act(service.refund, UUID(order["id"]), tender, 1500, "return:1")
    assert act(service.refund, UUID(order["id"]), tender, 1500, "return:1") == first
    with pytest.raises(Problem, match="more than was taken"):
        act(service.refund, UUID(order["id"]), tender, 501, "return:2")
    assert [one for one in shop.effects() if one[0] == "refund"] == [("refund", 1500)]
    assert shop.shown(order)["totals"]["refunded"]["amount"] == 1500


def test_a_refund_goes_back_over_several_captures(shop: Shop, act: Callable[..., Any]) -> None:
    order = shop.order(2)
    shop.ship(order, 1)
    shop.ship(order, 1)
    with inside(shop.tenant_id) as scope:
        tender = scope.rows("SELECT id FROM tenders WHERE tenant_id = :tenant AND order_id = :order",
                            order=order["id"])[0].id  # fmt: skip
    act(service.refund, UUID(order["id"]), tender, 3000, "return:1")
    assert [one for one in shop.effects() if one[0] == "refund"] == [("refund", 2000), ("refund", 1000)]
    assert shop.shown(order)["payment_status"] == "partly_refunded"


def test_the_ledger_over_the_api(shop: Shop) -> None:
    order = shop.order(1)
    shop.ship(order, 1)
    entries = shop.merchant.ok("GET", f"/orders/{order['id']}/ledger")["data"]
    assert [(one["kind"], one["amount"], one["outcome"]) for one in entries] == [
        ("authorize", {"amount": 2000, "currency": "USD"}, "succeeded"),
        ("capture", {"amount": 2000, "currency": "USD"}, "succeeded"),
    ]
    assert entries[0]["reference"] == entries[1]["reference"]
