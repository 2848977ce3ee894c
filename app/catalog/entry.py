"""The form of one SKU: from what is kept to what is typed, and from what was typed to the API's body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.catalog.rules import EXEMPTIONS
from app.catalog.schemas import MOST_COMPONENTS, MOST_WEIGHT, SkuIn
from app.entries import amount, loaded
from app.forms import Form
from app.money import Money

KINDS = {
    "stock": ("Stock", "Kept on a shelf and shipped from there"),
    "preorder": ("Pre-order", "Sold before it is released"),
    "made_to_order": ("Made to order", "Made in a workshop when it is ordered"),
    "digital": ("Digital", "Delivered by email, never runs out"),
    "gift_card_digital": ("Digital gift card", "A code by email"),
    "gift_card_physical": ("Printed gift card", "A card kept in stock"),
    "kit": ("Kit", "Several items sold and shipped as one"),
}
KIND_ICONS = {
    "stock": "package",
    "preorder": "calendar",
    "made_to_order": "tools",
    "digital": "cloud",
    "gift_card_digital": "gift",
    "gift_card_physical": "gift",
    "kit": "stack-2",
}
EXEMPT = {
    "seeds_and_plants": "Seeds and growing plants",
    "later_serial_delivery": "Serial delivery after the first issue",
    "negative_option": "Negative option plan",
    "service": "A service, such as photo finishing",
}
"""16 CFR 435.3(a), in words; the keys are those of the catalog's rules."""
EMPTY_PARTS = 3
POINTERS = {
    "/sku": "code",
    "/title": "title",
    "/kind": "kind",
    "/price": "price",
    "/weight_g": "weight_g",
    "/tax_code": "tax_code",
    "/release_date": "release_date",
    "/lead_time_days": "lead_time_days",
    "/attributes": "attributes",
    "/components": "components",
    **{f"/components/{at}": f"part-{at}" for at in range(MOST_COMPONENTS)},
}


def values(row: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the fields of a SKU that is kept."""
    return {
        "code": row["code"],
        "title": row["title"],
        "kind": row["kind"],
        "price": str(Money(row["price"], row["currency"]).decimal()),
        "currency": row["currency"],
        "weight_g": row["weight_g"],
        "tax_code": row["tax_code"],
        "release_date": row["release_date"] or "",
        "lead_time_days": "" if row["lead_time_days"] is None else row["lead_time_days"],
        "exemption": row["attributes"].get("exemption", "seeds_and_plants")
        if row["exempt_from_delay_rule"]
        else "",
        "attributes": "\n".join(
            f"{name}: {_typed(value)}" for name, value in row["attributes"].items() if name != "exemption"
        ),
        **{f"part-{at}": part["sku"] for at, part in enumerate(row["components"])},
        **{f"part-{at}-quantity": part["quantity"] for at, part in enumerate(row["components"])},
    }


def part_rows(form: Form) -> int:
    """How many rows for components the form shows: those filled, and a few more."""
    filled = [at for at in range(MOST_COMPONENTS) if form.value(f"part-{at}").strip()]
    return min(MOST_COMPONENTS, (filled[-1] + 1 if filled else 0) + EMPTY_PARTS)


def read(form: Form, currency: str, kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """The SKU as the API would load it; faults stand in the form."""
    kind = form.choice("kind", KINDS)
    exemption = form.value("exemption")
    attributes = _attributes(form, kept["attributes"] if kept else {})
    if exemption in EXEMPTIONS:
        attributes["exemption"] = exemption
    body = {
        "title": form.text("title", "Enter a title.", most=300),
        "kind": kind,
        "price": amount(form, "price", currency, missing="Enter a price; 0.00 for a free item."),
        "weight_g": form.whole("weight_g", 0, MOST_WEIGHT, optional=True) or 0,
        "tax_code": form.text("tax_code", most=60) or "standard",
        "release_date": (form.value("release_date").strip() or None) if kind == "preorder" else None,
        "lead_time_days": form.whole("lead_time_days", 0, 3650, optional=True)
        if kind == "made_to_order"
        else None,
        "components": _components(form) if kind == "kit" else [],
        "attributes": attributes,
        "exempt_from_delay_rule": exemption in EXEMPTIONS,
    }
    given = loaded(form, SkuIn(), body, POINTERS)
    if "release_date" in form.errors:
        form.errors["release_date"] = "Enter a day such as 2026-12-31."
    return given


def _components(form: Form) -> list[dict[str, Any]]:
    parts = []
    for at in range(MOST_COMPONENTS):
        code = form.value(f"part-{at}").strip()
        if code:
            quantity = form.whole(f"part-{at}-quantity", 1, 1_000_000)
            parts.append({"sku": code, "quantity": quantity or 1})
    return parts


def _attributes(form: Form, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Lines of `name: value`. A value that was not touched keeps its type; figures and true or false get theirs."""
    attributes: dict[str, Any] = {}
    for line in form.value("attributes").splitlines():
        if not line.strip():
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not (name and colon and value):
            form.errors["attributes"] = f"Write each as name: value. This one is not: {line.strip()[:60]}"
        elif name in kept and _typed(kept[name]) == value:
            attributes[name] = kept[name]
        else:
            attributes[name] = _value(value)
    return attributes


def _typed(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if text.isascii() and text.isdigit() and len(text) < 15 and (text == "0" or text[0] != "0"):
        return int(text)
    return text
