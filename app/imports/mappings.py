"""What a file's columns can become, and the mappings we know by name.

A mapping is a document:

    {"columns": {target: source, ...}, "refuse": [{"column", "values"?, "message"}, ...], "delimiter": ","}

A source is a column's name, `{"const": text}`, or `{"column": name, "transforms": [...], "minor": true}`. Transforms
run in order on the cell's text: "upper", "lower", "us_state", {"zfill": 5}, {"prefix": text}, {"suffix": text},
{"strip": characters}, {"date": strptime format}, {"multiply": figure}, {"lookup": {text: text, "*": text}},
{"default": text}. Money cells are in major units ("12.99") unless `minor` says otherwise. `refuse` names rows that
must not be taken over: a cell among `values`, or any cell that is not empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS = ("orders", "skus", "nodes", "stock", "rate_card", "zone_pairs")
RATES = ("rate_card", "zone_pairs")
"""Kinds whose rows are those of a rate card."""
MOST_ZONES = 30

_ADDRESS = ("name", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone")

TARGETS: dict[str, dict[str, str]] = {
    "orders": {
        "external_ref": "text",
        "channel": "text",
        "source_code": "text",
        "currency": "text",
        "placed_at": "instant",
        "reference_date": "day",
        "customer.email": "text",
        "customer.name": "text",
        "customer.phone": "text",
        **{f"ship_to.{name}": "text" for name in _ADDRESS},
        **{f"bill_to.{name}": "text" for name in _ADDRESS},
        "promise.ship_by": "day",
        "promise.deliver_by": "day",
        "shipping": "money",
        "discount": "money",
        "discount_code": "text",
        "subtotal": "money",
        "tax": "money",
        "total": "money",
        "tender.kind": "text",
        "tender.payment_method": "text",
        "tender.reference": "text",
        "line.sku": "text",
        "line.quantity": "integer",
        "line.unit_price": "money",
        "line.discount": "money",
        "line.discount_rate": "figure",
        "line.total": "money",
    },
    "skus": {
        "sku": "text",
        "title": "text",
        "kind": "text",
        "price": "money",
        "currency": "text",
        "list_price.total": "money",
        "list_price.quantity": "integer",
        "list_price.discount_rate": "figure",
        "weight_g": "integer",
        "tax_code": "text",
        "release_date": "day",
        "lead_time_days": "integer",
        "length_mm": "integer",
        "width_mm": "integer",
        "height_mm": "integer",
        "hazard": "flag",
        "temperature": "text",
    },
    "nodes": {
        "node": "text",
        "name": "text",
        "kind": "text",
        **{
            f"address.{name}": "text"
            for name in ("line1", "line2", "city", "region", "postal_code", "country")
        },
        "latitude": "figure",
        "longitude": "figure",
        "timezone": "text",
        "priority": "integer",
        "capacity_per_day": "integer",
        "capacity_per_hour": "integer",
        "handling_minutes": "integer",
        "handling_per_package": "money",
        "handling_per_unit": "money",
        "cutoff": "text",
        "cutoffs": "text",
        "open_days": "text",
        "hours": "text",
        "closed": "text",
        "holidays": "text",
        "capabilities": "text",
        "zones": "text",
        "rate_card": "text",
    },
    "stock": {
        "node": "text",
        "sku": "text",
        "on_hand": "integer",
        "delta": "integer",
        "safety": "integer",
        "disposition": "text",
        "segment": "text",
        "cause": "text",
        "reason": "text",
        "reference": "text",
    },
    "rate_card": {
        "rate_card": "text",
        "weight_g": "figure",
        "weight_lb": "figure",
        "zone": "integer",
        "price": "money",
        **{f"zone_{number}": "money" for number in range(1, MOST_ZONES + 1)},
    },
    "zone_pairs": {"rate_card": "text", "origin": "text", "destination": "text", "zone": "integer"},
}
"""target -> what its cells hold, per kind of file. `line.` targets are read on every row of an order, the others on
its first row that has a value. `line.total` is what the line cost after its discount; `subtotal` all lines after
discounts; `total` the whole order: a row whose parts do not come to it is refused."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "orders": ("external_ref", "customer.email", "line.sku", "line.quantity"),
    "skus": ("sku", "title"),
    "nodes": ("node",),
    "stock": ("node", "sku"),
    "rate_card": (),
    "zone_pairs": ("origin", "destination", "zone"),
}
REFERENCE = {
    "orders": "external_ref",
    "skus": "sku",
    "nodes": "node",
    "stock": "sku",
    "rate_card": "rate_card",
    "zone_pairs": "rate_card",
}
"""The target that names a row in the report; of an order, the one that groups its rows."""

_SHOPIFY_ADDRESS = {
    "name": "Name",
    "company": "Company",
    "line1": "Address1",
    "line2": "Address2",
    "city": "City",
    "region": "Province",
    "country": "Country",
    "phone": "Phone",
}


def _shopify_address(ours: str, theirs: str) -> dict[str, Any]:
    columns: dict[str, Any] = {
        f"{ours}.{name}": f"{theirs} {title}" for name, title in _SHOPIFY_ADDRESS.items()
    }
    # Spreadsheets lose leading zeros, so the export puts an apostrophe before every ZIP code.
    columns[f"{ours}.postal_code"] = {"column": f"{theirs} Zip", "transforms": [{"strip": "'"}]}
    return columns


NAMED: dict[str, dict[str, Mapping[str, Any]]] = {
    "kept": {
        kind: {
            "columns": {
                target: {"column": target, "transforms": [{"default": "api"}]}
                if target == "channel"
                else target
                for target in targets
            }
        }
        for kind, targets in TARGETS.items()
    },
    "shopify": {
        "orders": {
            "columns": {
                "external_ref": "Name",
                "channel": {"const": "web"},
                "currency": "Currency",
                "placed_at": {"column": "Created at", "transforms": [{"date": "%Y-%m-%d %H:%M:%S %z"}]},
                "customer.email": "Email",
                "customer.name": "Billing Name",
                "customer.phone": "Phone",
                **_shopify_address("ship_to", "Shipping"),
                **_shopify_address("bill_to", "Billing"),
                "shipping": "Shipping",
                "tax": "Taxes",
                "subtotal": "Subtotal",
                "discount_code": "Discount Code",
                "total": "Total",
                "tender.kind": {"const": "external"},
                "tender.reference": "Payment Reference",
                "line.sku": "Lineitem sku",
                "line.quantity": "Lineitem quantity",
                "line.unit_price": "Lineitem price",
            },
            "refuse": [
                {"column": "Cancelled at", "message": "It was canceled in the shop."},
                {
                    "column": "Fulfillment Status",
                    "values": ["fulfilled", "partial", "restocked"],
                    "message": "The shop has shipped it, at least in part.",
                },
                {
                    "column": "Financial Status",
                    "values": ["pending", "authorized", "partially_paid", "refunded", "voided", "expired"],
                    "message": "It is not paid in the shop. Only paid orders are taken over.",
                },
                {
                    "column": "Financial Status",
                    "values": ["partially_refunded"],
                    "message": "The shop gave back a part of the money. Enter what is still to ship as a new order.",
                },
            ],
        },
        "skus": {
            "columns": {
                "sku": "Variant SKU",
                "title": "Title",
                "price": "Variant Price",
                "weight_g": "Variant Grams",
            }
        },
    },
    "superstore": {
        "orders": {
            "columns": {
                "external_ref": "Order ID",
                "channel": {"const": "web"},
                "reference_date": "Order Date",
                "customer.email": {
                    "column": "Customer ID",
                    "transforms": ["lower", {"suffix": "@example.com"}],
                },
                "customer.name": "Customer Name",
                "ship_to.name": "Customer Name",
                "ship_to.city": "City",
                "ship_to.region": {"column": "State", "transforms": ["us_state"]},
                "ship_to.postal_code": {"column": "Postal Code", "transforms": [{"zfill": 5}]},
                "ship_to.country": {"const": "US"},
                "tender.kind": {"const": "card"},
                "tender.payment_method": {"const": "pm_card_visa"},
                "line.sku": "Product ID",
                "line.quantity": "Quantity",
                "line.total": "Sales",
                "line.discount_rate": "Discount",
            }
        },
        "skus": {
            "columns": {
                "sku": "Product ID",
                "title": "Product Name",
                "list_price.total": "Sales",
                "list_price.quantity": "Quantity",
                "list_price.discount_rate": "Discount",
            }
        },
    },
    "network": {
        "nodes": {
            "columns": {
                "node": "node_id",
                "name": "name",
                "kind": "type",
                "address.city": "city",
                "address.region": "state",
                "address.postal_code": {"column": "zip", "transforms": [{"zfill": 5}]},
                "latitude": "lat",
                "longitude": "lon",
                "timezone": "timezone",
            }
        }
    },
    "usps": {
        "rate_card": {
            "columns": {
                "weight_lb": "weight_lb",
                **{
                    f"zone_{number}": {"column": f"zone_{number}_cents", "minor": True}
                    for number in range(1, 10)
                },
            }
        },
        "zone_pairs": {"columns": {"origin": "origin_zip3", "destination": "dest_zip3", "zone": "zone"}},
    },
}
"""Known mappings, name -> kind -> document. Their columns may be absent from a file unless the target is required.
`kept` is our own format: the columns bear the targets' names."""

LABELS = {
    "usps": "USPS table (weight_lb, zone_1_cents...) or zones (origin_zip3, dest_zip3, zone)",
    "kept": "Kept's own columns",
    "shopify": "Shopify export",
    "superstore": "Superstore sample",
    "network": "Node list (node_id, type, name, city, state, zip, lat, lon)",
}
