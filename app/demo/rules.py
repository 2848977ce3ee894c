"""How the demo merchant routes: rules as a merchant would write them, and the prices of its carrier."""

from __future__ import annotations

from typing import Any

from app.routing.policy import FEWEST

CARD = "GROUND"
"""Code of the rate card that every site ships by."""
ZONES = 8
MILES = [150, 300, 600, 1000, 1400, 1800, 2400]
POUND_G = 453.59237
HEAVY_POUNDS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 70)

RULES: dict[str, Any] = {
    "name": "Marketplaces from warehouses, bulky orders by cost",
    "strategies": [
        {
            "id": "marketplace",
            "when": {"channel": ["marketplace"]},
            "filters": [{"id": "no-stores", "field": "node.kind", "op": "ne", "value": "store"}],
            "objective": FEWEST,
            "split": {"max_packages": 2},
            "fallback": {"relax": [["no-stores"], ["max_packages"]], "then": "backorder"},
        },
        {
            "id": "bulky",
            "when": {"field": "order.weight_g", "op": "gte", "value": 5000},
            "objective": {
                "mode": "cost",
                "terms": [
                    {"term": "shipping"},
                    {"term": "handling"},
                    {"term": "split_penalty", "weight": 150},
                ],
            },
        },
        {"id": "everything", "objective": FEWEST},
    ],
    "reroute": {"most_cycles": 3, "cool_down_minutes": 120, "then": "queue"},
}

BY_COST: dict[str, Any] = {
    **RULES,
    "name": "Everything by cost",
    "strategies": [
        RULES["strategies"][0],
        {"id": "everything", "objective": RULES["strategies"][1]["objective"]},
    ],
}
"""A draft to compare with the rules in force."""


def rate_card() -> dict[str, Any]:
    """A made-up ground card as PUT /rate-cards takes it: dearer by zone and by weight."""
    return {
        "name": "Ground",
        "carrier": "Overland",
        "service": "ground",
        "zone_miles": MILES,
        "transit_days": [1, 2, 2, 3, 4, 4, 5, 6],
        "dim_divisor": 166,
        "dim_over": 1728,
        "fuel_percent": "4.5",
        "surcharges": [{"code": "residential", "when": "residential", "amount": 85}],
        "prices": [
            {
                "weight_g": round(pounds * POUND_G),
                "amounts": [round(560 + 48 * zone + pounds * (18 + 9 * zone)) for zone in range(ZONES)],
            }
            for pounds in HEAVY_POUNDS
        ],
    }
