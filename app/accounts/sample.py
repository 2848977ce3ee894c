"""Sample data for an empty sandbox: three places, eight products and their stock, through the ordinary verbs."""

from __future__ import annotations

from typing import Any

from app.allocation.adjustments import adjust
from app.allocation.schemas import StockAdjustmentIn
from app.catalog.schemas import SkuIn
from app.catalog.service import put_skus
from app.network.schemas import NodeIn
from app.network.service import put_nodes
from infra.errors import refused
from tenants import audit
from tenants.scope import Scope

NODES = {
    "RENO": ("Reno", "warehouse", "240 Spice Islands Dr", "Sparks", "NV", "89431"),
    "COLUMBUS": ("Columbus", "warehouse", "3900 Gantz Rd", "Grove City", "OH", "43123"),
    "BROOKLYN": ("Brooklyn", "store", "214 Court St", "Brooklyn", "NY", "11201"),
}
PRODUCTS = {
    "APRON-LINEN": ("Linen apron", "stock", 4800, 340),
    "BOARD-OAK": ("Oak cutting board", "stock", 6400, 1450),
    "KETTLE-COPPER": ("Copper kettle", "stock", 14400, 1180),
    "MUG-SAGE": ("Stoneware mug, sage", "stock", 2200, 410),
    "TOWEL-SET": ("Kitchen towels, set of 3", "stock", 2800, 290),
    "CANDLE-CEDAR": ("Cedar candle", "stock", 3200, 520),
    "SPOON-WALNUT": ("Walnut spoon", "stock", 1800, 80),
    "GIFT-CARD-50": ("Gift card by email", "gift_card_digital", 5000, 0),
}
UNITS = {"RENO": 40, "COLUMBUS": 60, "BROOKLYN": 6}
NOT_THERE = {("KETTLE-COPPER", "BROOKLYN"), ("BOARD-OAK", "BROOKLYN")}
"""Not everything is everywhere: the first orders show why a node was chosen."""


def fill(scope: Scope) -> None:
    """Put the samples in. Raises Problem 409 in a live tenant, or where there is anything already."""
    if scope.tenant.environment != "sandbox":
        raise refused("sandbox-only", "Sample data goes into a sandbox only.")
    if not is_empty(scope):
        raise refused(
            "not-empty", "There are nodes or products already. Sample data goes into an empty sandbox."
        )
    currency = scope.tenant.currency
    put_nodes(scope, {code: NodeIn().load(_node(*given)) for code, given in NODES.items()})
    put_skus(scope, {code: SkuIn().load(_sku(*given, currency)) for code, given in PRODUCTS.items()})
    adjust(scope, [StockAdjustmentIn().load(each) for each in _stock()])
    audit.record(scope, "sample.filled", scope.tenant.name)


def is_empty(scope: Scope) -> bool:
    """Whether the tenant has neither products nor nodes but the virtual one."""
    row = scope.row(
        "SELECT NOT EXISTS (SELECT FROM skus WHERE tenant_id = :tenant) AND NOT EXISTS"
        " (SELECT FROM nodes WHERE tenant_id = :tenant AND kind <> 'virtual') AS empty"
    )
    return row is not None and bool(row.empty)


def _node(name: str, kind: str, line1: str, city: str, region: str, postal_code: str) -> dict[str, Any]:
    address = {"line1": line1, "city": city, "region": region, "postal_code": postal_code, "country": "US"}
    return {"name": name, "kind": kind, "address": address}


def _sku(title: str, kind: str, price: int, weight_g: int, currency: str) -> dict[str, Any]:
    money = {"amount": price, "currency": currency}
    return {"title": title, "kind": kind, "price": money, "weight_g": weight_g}


def _stock() -> list[dict[str, Any]]:
    shelves = [(sku, node) for sku, given in PRODUCTS.items() if given[1] == "stock" for node in NODES]
    return [
        {"node": node, "sku": sku, "delta": UNITS[node], "reason": "Sample data", "reference": "sample"}
        for sku, node in shelves
        if (sku, node) not in NOT_THERE
    ]
