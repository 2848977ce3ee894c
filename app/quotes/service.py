"""A basket quoted by the code that takes orders: priced, taxed, promised and routed, nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.intake.drafts import Composer
from app.intake.service import read
from app.routing.configuration import configuration
from app.shapes import instant
from tenants.scope import Scope

NOBODY = {"email": "quote@kept.example", "name": "", "phone": ""}
LINE = ("sku", "title", "kind", "allocated", "backordered", "unit_price", "total", "promise")
TOTALS = ("items", "discounts", "charges", "tax", "total")


def quote(scope: Scope, given: Mapping[str, Any]) -> dict[str, Any]:
    """Quote a basket (loaded schemas.QuoteIn). Raises Problem 422 and 409 as placing the order would, but for how it
    is paid."""
    # Nothing is paid by asking: a pre-order that would be charged at once is refused when it is placed.
    request = {**given, "external_ref": "", "customer": NOBODY, "tenders": [{"kind": "terms"}]}
    facts = read(scope, [request])
    composer = Composer(scope, configuration(scope), facts)
    order = composer.draft(request, "").document
    return {
        "quoted_at": instant(composer.now),
        "channel": order["channel"],
        "currency": order["currency"],
        "lines": [
            {"quantity": line["ordered"], **{name: line[name] for name in LINE}} for line in order["lines"]
        ],
        "totals": {part: order["totals"][part] for part in TOTALS},
        "tax_status": order["tax_status"],
        "plan": [
            {
                "node": package["node"],
                "ship_to": package["ship_to"],
                "lines": [{"sku": one["sku"], "quantity": one["quantity"]} for one in package["lines"]],
            }
            for package in order["fulfillment_orders"]
        ],
        "sentence": " ".join(decision["sentence"] for decision in composer.rows["decisions"]),
    }
