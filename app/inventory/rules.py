"""What stock means. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

PLENTY = 1_000_000
"""Units a workshop or a virtual node can give: it does not run out."""
MADE = {"made_to_order": "made", "digital": "unlimited", "gift_card_digital": "unlimited"}
"""Kinds without stock, and the supply that their reservations name."""
STOCKLESS = {
    "kit": "A kit has no stock of its own. Adjust its components.",
    "digital": "A digital SKU has no stock: it does not run out.",
    "gift_card_digital": "A digital gift card has no stock: it does not run out.",
    "made_to_order": "A made-to-order SKU has no stock: it is made when ordered.",
}


def parts(kind: str, sku_id: UUID, components: list[Mapping[str, Any]]) -> list[tuple[UUID, int]]:
    """(SKU id, units per ordered unit) that lie on a shelf: itself, or a kit's frozen components."""
    if kind != "kit":
        return [(sku_id, 1)]
    return [(UUID(str(part["sku_id"])), part["quantity"]) for part in components]


def target(on_hand: int, change: Mapping[str, Any]) -> int:
    """Units on hand after an adjustment: `delta` moves, `on_hand` sets."""
    if change.get("on_hand") is not None:
        return int(change["on_hand"])
    return on_hand + int(change.get("delta") or 0)
