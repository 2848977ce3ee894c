"""Choosing a draft's columns on the page: which mapping fits, what each column would become. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.imports.mappings import LABELS, NAMED, RATES, REQUIRED, TARGETS

OWN = "own"
WORDS = {
    "external_ref": "Order number",
    "node": "Node code",
    "sku": "SKU code",
    "line.sku": "SKU code",
    "on_hand": "Units on hand",
    "delta": "Units in or out",
    "placed_at": "Placed at",
    "reference_date": "Date elsewhere",
    "weight_g": "Weight in grams",
    "weight_lb": "Weight in pounds",
    "length_mm": "Length in millimeters",
    "width_mm": "Width in millimeters",
    "height_mm": "Height in millimeters",
    "safety": "Safety stock",
    "hours": "Opening hours",
    "closed": "Days off",
    "zones": "Delivers to",
    "origin": "From ZIP area",
    "destination": "To ZIP area",
    "line.total": "Line total after discount",
    "line.discount_rate": "Line discount rate",
    "ship_to.line1": "Ship to street",
    "ship_to.line2": "Ship to street, second line",
    "address.line1": "Street",
    "address.line2": "Street, second line",
    "tender.kind": "Paid by (card, external, check...)",
    "tender.payment_method": "Card payment method",
    "promise.ship_by": "Promised to ship by",
    "promise.deliver_by": "Promised to arrive by",
    "list_price.total": "List price from: total",
    "list_price.quantity": "List price from: quantity",
    "list_price.discount_rate": "List price from: discount rate",
}
PARTS = {"ship_to": "Ship to", "bill_to": "Bill to", "customer": "Buyer", "tender": "Payment", "line": "Line"}
OTHER_NAMES = {
    "external_ref": ("order", "order id", "order number", "order no", "number"),
    "customer.email": ("email", "e-mail", "mail", "customer email", "buyer email"),
    "customer.name": ("customer", "buyer", "customer name"),
    "placed_at": ("order date", "created at", "date"),
    "ship_to.line1": ("address", "street", "address 1"),
    "ship_to.region": ("state", "province"),
    "ship_to.postal_code": ("zip", "zip code", "postcode"),
    "line.sku": ("sku", "item", "product", "product id"),
    "line.quantity": ("quantity", "qty", "units", "pieces"),
    "line.unit_price": ("price", "unit price"),
    "sku": ("code", "item", "product id"),
    "title": ("name", "product name", "description"),
    "node": ("code", "location", "node id"),
    "address.region": ("state", "province"),
    "address.postal_code": ("zip", "zip code", "postcode"),
    "latitude": ("lat",),
    "longitude": ("lon", "lng"),
    "on_hand": ("quantity", "qty", "stock", "units"),
    "price": ("amount", "rate"),
    "weight_lb": ("weight", "pounds", "lb", "lbs"),
    "origin": ("origin zip3", "from"),
    "destination": ("dest zip3", "destination zip3", "to"),
}
"""What columns are often called elsewhere."""


def words(target: str) -> str:
    """A target as people say it: "Ship to postal code"."""
    if target in WORDS:
        return WORDS[target]
    part, _, name = target.rpartition(".")
    plain = name.replace("_", " ")
    return f"{PARTS.get(part, part.capitalize())} {plain}" if part else plain.capitalize()


def options(kind: str) -> list[tuple[str, str]]:
    """The mappings for a kind of file, as (name, label)."""
    named = [(name, LABELS[name]) for name, kinds in NAMED.items() if kind in kinds]
    return [*named, (OWN, "Choose column by column")]


def fitting(kind: str, header: Sequence[str]) -> str:
    """The known mapping that finds all it needs and most of its columns in this header; else `own`."""
    best, found = OWN, 0
    for name, kinds in NAMED.items():
        if kind not in kinds:
            continue
        sources = columns(kinds[kind])
        present = [target for target, column in sources.items() if column in header]
        constant = set(kinds[kind]["columns"]) - set(sources)
        if all(target in present or target in constant for target in REQUIRED[kind]) and len(present) > found:
            best, found = name, len(present)
    return best


def columns(mapping: Mapping[str, Any]) -> dict[str, str]:
    """Target -> column, of the targets that come from a column."""
    sources = {
        target: source if isinstance(source, str) else source.get("column")
        for target, source in mapping["columns"].items()
    }
    return {target: column for target, column in sources.items() if column is not None}


def becomes(kind: str, name: str, chosen: Mapping[str, str]) -> dict[str, list[str]]:
    """Column -> what it becomes, in words, under a known mapping or the columns chosen."""
    sources = chosen if name == OWN else columns(NAMED[name][kind])
    found: dict[str, list[str]] = {}
    for target, column in sources.items():
        if column:
            found.setdefault(column, []).append(words(target))
    return found


def guesses(kind: str, header: Sequence[str]) -> dict[str, str]:
    """Target -> the column that bears its name, or one it often bears; each column once."""
    free = {_plain(title): title for title in reversed(header)}
    found = {}
    for target in TARGETS[kind]:
        if target.startswith(("bill_to.", "list_price.")) or (target == "rate_card" and kind in RATES):
            continue
        names = (target, words(target), *OTHER_NAMES.get(target, ()), _last(target))
        column = next((free.pop(_plain(one)) for one in names if _plain(one) in free), "")
        if column or not target.startswith("zone_"):
            found[target] = column
    return found


def _last(target: str) -> str:
    return target.rpartition(".")[2] if target.startswith(("ship_to.", "address.")) else ""


def _plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def document(kind: str, chosen: Mapping[str, str]) -> dict[str, Any]:
    """The columns chosen as a mapping: states by name and short ZIP codes are mended on the way."""
    made: dict[str, Any] = {}
    for target, column in chosen.items():
        if target not in TARGETS[kind] or not column:
            continue
        if target.endswith(".region"):
            made[target] = {"column": column, "transforms": ["us_state"]}
        else:
            made[target] = {"column": column}
    return {"columns": made}
