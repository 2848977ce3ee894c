"""Refunds due through the real door: orders and cancellations over the API, the real processor, the real mail."""

from __future__ import annotations

from typing import Any

from tests.outside import Inbox
from tests.shop import Shop

CHECK = [{"kind": "check", "reference": "1041"}]


def dues(shop: Shop, order: dict[str, Any]) -> list[dict[str, Any]]:
    """The refunds due of an order, as the API shows them."""
    return list(shop.merchant.ok("GET", f"/orders/{order['id']}/refunds-due")["data"])


def statements(shop: Shop, inbox: Inbox, order: dict[str, Any]) -> list[str]:
    """Texts of the refund statements that the buyer got."""
    return [
        mail.text
        for mail in inbox.to(shop.shown(order)["customer"]["email"])
        if "refund has been sent" in mail.text or "not been charged" in mail.text
    ]


def test_a_card_that_was_only_held_is_let_go_and_the_buyer_told(shop: Shop, inbox: Inbox) -> None:
    order = shop.order(2)
    shop.cancel(order)
    [due] = dues(shop, order)
    assert (due["amount"]["amount"], due["taken"], due["state"]) == (4000, False, "proven")
    assert due["form"] == "not_charged_statement"
    assert shop.effects() == [("authorize", 4000), ("release", 4000)]
    [told] = statements(shop, inbox, order)
    assert "$40.00" in told
    assert "Visa card ending 4242" in told
