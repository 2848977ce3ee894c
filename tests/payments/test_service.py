"""Cards from the order to the shipment, against the real simulator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.factories import Merchant
from tests.outside import Processor, account_of


@pytest.fixture
def shop(merchant: Merchant) -> Merchant:
    """A merchant with ten units of one thing in Reno."""
    merchant.drain()
    merchant.node("RENO")
    merchant.sku("MUG", price={"amount": 2000, "currency": "USD"}, tax_code="exempt")
    merchant.stock("RENO", "MUG", 100)
    return merchant


def ship(shop: Merchant, order: dict[str, Any], units: int) -> None:
    """Accept the order's first fulfillment order if need be, and ship units of it."""
    work = shop.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"][0]
    if work["request_status"] == "submitted":
        shop.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance", {})
    shop.provider.ok(
        "POST",
        f"/fulfillment-orders/{work['id']}/shipments",
        {
            "lines": [{"sku": "MUG", "quantity": units}],
            "carrier": "UPS",
            "service": "ground",
            "tracking_number": f"1Z{order['number']}{units}",
            "shipped_at": datetime.now(UTC).isoformat(),
        },
    )
    shop.drain()


def test_an_order_is_authorized_and_captured_when_it_ships(shop: Merchant, processor: Processor) -> None:
    order = shop.order(("MUG", 2))
    shop.drain()
    account = account_of(shop.tenant_id)
    assert processor.effects(account) == [("authorize", 4000)]
    shown = shop.ok("GET", f"/orders/{order['id']}")
    assert shown["payment_status"] == "authorized"
    assert shown["fulfillment_orders"][0]["request_status"] == "submitted"
    ship(shop, order, 2)
    assert processor.effects(account) == [("authorize", 4000), ("capture", 4000)]
    shown = shop.ok("GET", f"/orders/{order['id']}")
    assert (shown["payment_status"], shown["totals"]["captured"]["amount"]) == ("captured", 4000)
