"""A very small shop for the examples: two SKUs, two warehouses, some stock. Making it twice changes nothing."""

from __future__ import annotations

from typing import Any

from kept_client import Client, usd

APRON, MUG = "EXAMPLE-APRON", "EXAMPLE-MUG"
NODES = {
    "EXAMPLE-RENO": ("Reno warehouse", "Reno", "NV", "89501"),
    "EXAMPLE-COLUMBUS": ("Columbus warehouse", "Columbus", "OH", "43215"),
}
BUYER = {"name": "Marisol Vega", "email": "marisol@example.com"}
BOISE = {
    "name": "Marisol Vega",
    "line1": "1418 W Franklin St",
    "city": "Boise",
    "region": "ID",
    "postal_code": "83702",
    "country": "US",
}


def set_up(kept: Client, units: int = 25) -> None:
    """SKUs, nodes, and `units` of each SKU on each node's shelf."""
    kept.put(f"/skus/{APRON}", {"title": "Linen apron", "kind": "stock", "price": usd(4800), "weight_g": 400})
    kept.put(f"/skus/{MUG}", {"title": "Enamel mug", "kind": "stock", "price": usd(1600), "weight_g": 350})
    for code, (name, city, region, postal_code) in NODES.items():
        address = {
            "line1": "1 Dock Rd",
            "city": city,
            "region": region,
            "postal_code": postal_code,
            "country": "US",
        }
        kept.put(f"/nodes/{code}", {"name": name, "kind": "warehouse", "address": address})
    shelf = [
        {"node": node, "sku": sku, "on_hand": units, "reason": "example", "reference": "shop.py"}
        for node in NODES
        for sku in (APRON, MUG)
    ]
    kept.post("/stock/adjustments", {"adjustments": shelf})


def order(reference: str, *lines: tuple[str, int], **more: Any) -> dict[str, Any]:
    """A web order to Boise, paid by a test card that works."""
    return {
        "channel": "web",
        "external_ref": reference,
        "currency": "USD",
        "customer": BUYER,
        "ship_to": BOISE,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
        "tenders": [{"kind": "card", "payment_method": "pm_card_visa"}],
        **more,
    }
