"""Ready templates: rules that merchants of a kind start from, each a whole document of its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.routing.documents import default_document
from app.routing.facts import FEWEST, PRIORITY

NO_STORES = {"id": "no-stores", "field": "node.kind", "op": "ne", "value": "store"}
REASONS = {
    "out_of_stock": {"stock": "hold", "exclude": "sku"},
    "damaged": {"stock": "hold", "exclude": "sku"},
    "capacity": {"stock": "free", "exclude": "node"},
    "closed": {"stock": "free", "exclude": "node"},
}


@dataclass(frozen=True, slots=True)
class Template:
    """A document to start from, with whom it is for."""

    code: str
    name: str
    about: str
    document: Mapping[str, Any]


def templates() -> list[Template]:
    """All of them, the default first. Each call gives documents of its own."""
    return [
        Template(code, document["name"], about, copy.deepcopy(document)) for code, about, document in _READY
    ]


def template(code: str) -> Template | None:
    """One by its code."""
    return next((each for each in templates() if each.code == code), None)


_ONE_WAREHOUSE: dict[str, Any] = {
    "name": "One warehouse",
    "strategies": [
        {
            "id": "warehouse",
            "filters": [{"id": "warehouse-only", "field": "node.kind", "op": "eq", "value": "warehouse"}],
            "objective": FEWEST,
            "split": {"max_packages": 1},
            "fallback": {"relax": [["max_packages"], ["warehouse-only"]], "then": "backorder"},
        }
    ],
    "reroute": {"most_cycles": 1, "then": "queue", "reasons": REASONS},
}

_STORES_AS_OVERFLOW: dict[str, Any] = {
    "name": "Warehouse first, stores as overflow",
    "strategies": [
        {
            "id": "warehouse-first",
            "filters": [
                NO_STORES,
                {
                    "id": "stores-keep-some",
                    "any": [
                        {"field": "node.kind", "op": "ne", "value": "store"},
                        {"field": "stock.left_after", "op": "gte", "value": 2},
                    ],
                },
            ],
            "objective": FEWEST,
            "split": {"max_packages": 3},
            "fallback": {"relax": [["no-stores"], ["max_packages"]], "then": "backorder"},
        }
    ],
    "reroute": {"most_cycles": 3, "cool_down_minutes": 240, "then": "queue", "reasons": REASONS},
}

_SHIP_FROM_STORE: dict[str, Any] = {
    "name": "Ship from store",
    "line_routes": [
        {
            "id": "hazard",
            "when": {"field": "product.hazard", "op": "exists", "value": True},
            "kinds": ["warehouse"],
            "capabilities": ["hazard"],
            "apart": True,
        }
    ],
    "strategies": [
        {
            "id": "nearby",
            "filters": [
                {"id": "near", "field": "lane.distance_miles", "op": "lte", "value": 250},
                {"id": "open", "field": "node.open_today", "op": "eq", "value": True},
                {
                    "id": "keep-one",
                    "any": [
                        {"field": "node.kind", "op": "ne", "value": "store"},
                        {"field": "stock.left_after", "op": "gte", "value": 1},
                    ],
                },
            ],
            "objective": {
                "mode": "lexicographic",
                "terms": [
                    {"term": "packages"},
                    {"term": "distance", "tolerance": 0.2},
                    {"term": "inventory_balance"},
                ],
            },
            "split": {"max_packages": 2, "least_package_value": 1500},
            "fallback": {
                "relax": [["near"], ["open", "keep-one"], ["max_packages", "least_package_value"]],
                "then": "backorder",
            },
        }
    ],
    "reroute": {"most_cycles": 3, "cool_down_minutes": 120, "then": "queue", "reasons": REASONS},
}

_PEAK_OVERFLOW: dict[str, Any] = {
    "name": "3PL, with peak overflow to a second one",
    "strategies": [
        {
            "id": "first-3pl",
            "filters": [{"id": "first-only", "field": "node.priority", "op": "lte", "value": 100}],
            "objective": PRIORITY,
            "respect_capacity": True,
            "fallback": {"relax": [["first-only"], ["capacity"]], "then": "backorder"},
        }
    ],
    "reroute": {"most_cycles": 2, "cool_down_minutes": 60, "then": "queue", "reasons": REASONS},
    "release": {"mode": "window", "minutes": 30},
}

_MARKETPLACE: dict[str, Any] = {
    "name": "Marketplace with a stock share of its own",
    "strategies": [
        {
            "id": "marketplace",
            "when": {"channel": ["marketplace"]},
            "filters": [
                NO_STORES,
                {"id": "in-time", "field": "lane.days_late", "op": "lte", "value": 0},
            ],
            "objective": FEWEST,
            "split": {"max_packages": 1},
            "fallback": {"relax": [["max_packages"], ["in-time"]], "then": "queue"},
        },
        {"id": "everything", "objective": FEWEST},
    ],
    "allotments": [{"channel": "marketplace", "share_percent": 20, "borrow": True}],
}

_COST: dict[str, Any] = {
    "name": "Lowest cost",
    "strategies": [
        {
            "id": "cheapest",
            "objective": {
                "mode": "cost",
                "terms": [
                    {"term": "shipping"},
                    {"term": "handling"},
                    {"term": "stock_price"},
                    {"term": "capacity_price"},
                    {"term": "lateness", "weight": 500},
                ],
            },
            "split": {"max_packages": 4},
            "fallback": {"relax": [["max_packages"]], "then": "backorder"},
        }
    ],
    "release": {"mode": "window", "minutes": 30},
}

_READY: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "default",
        "Exactly the fewest packages, then the nearest. Where every merchant starts.",
        default_document(),
    ),
    (
        "one-warehouse",
        "Everything from your warehouse in one package; other places only when it cannot.",
        _ONE_WAREHOUSE,
    ),
    (
        "stores-as-overflow",
        "Warehouses fill orders; stores help when something is missing, and keep two of everything.",
        _STORES_AS_OVERFLOW,
    ),
    (
        "ship-from-store",
        "The nearest open places first, stores included, so that parcels arrive soon.",
        _SHIP_FROM_STORE,
    ),
    (
        "peak-overflow",
        "Your first 3PL (priority number up to 100) until its day is full, then the second one.",
        _PEAK_OVERFLOW,
    ),
    (
        "marketplace-share",
        "A fifth of the stock is kept for the marketplace; its orders leave in one package and in time.",
        _MARKETPLACE,
    ),
    (
        "lowest-cost",
        "The cheapest plan over shipping, handling and scarce stock; late parcels cost $5.00 a day.",
        _COST,
    ),
)
