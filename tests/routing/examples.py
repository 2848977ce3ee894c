"""Small networks and baskets for the tests of routing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.routing import documents
from app.routing.policy import Rule
from app.routing.rules import Basket, BasketLine, Destination, Network, NodeFacts

BOISE = Destination(43.6150, -116.2023, "ID", "83702", "US")
PLACES = {
    "ATL": ("Atlanta", "warehouse", 33.7490, -84.3880, "GA"),
    "BRK": ("Brooklyn", "store", 40.6782, -73.9442, "NY"),
    "CMH": ("Columbus", "warehouse", 39.9612, -82.9988, "OH"),
    "PDX": ("Portland", "store", 45.5152, -122.6784, "OR"),
    "RNO": ("Reno", "warehouse", 39.5296, -119.8138, "NV"),
}


def node(code: str, **changes: Any) -> NodeFacts:
    name, kind, lat, lon, region = PLACES[code]
    facts = {"kind": kind, "lat": lat, "lon": lon, "region": region, "country": "US", "priority": 1}
    return NodeFacts(id=f"id-{code}", code=code, name=name, **{**facts, **changes})


def network(*more: NodeFacts) -> Network:
    """Five places in the order of their codes: ATL, BRK, CMH, PDX, RNO; then any more."""
    return Network.build([*(node(code) for code in reversed(PLACES)), *more])


def basket(
    stock: Sequence[Sequence[int]],
    quantities: Sequence[int] | None = None,
    kinds: Sequence[str] | None = None,
    skus: Sequence[str] | None = None,
    destination: Destination = BOISE,
    **more: Any,
) -> Basket:
    """One line per row of stock."""
    count = len(stock)
    lines = [
        BasketLine(
            sku=skus[at] if skus else f"SKU-{at}",
            kind=kinds[at] if kinds else "stock",
            quantity=quantities[at] if quantities else 1,
            weight_g=100,
        )
        for at in range(count)
    ]
    return Basket(lines, destination, np.array(stock, dtype=np.int64), **{"channel": "web", **more})


def rule(*strategies: dict) -> Rule:
    """A rule of these strategies; of the default alone when none is given."""
    if not strategies:
        return documents.parse(documents.default_document())
    return documents.parse({"name": "Test", "strategies": list(strategies)})
