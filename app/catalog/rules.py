"""What a SKU may be. Pure: values in, named refusals out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from app.calendar import end_of_day
from infra.errors import FieldError, Problem, refused

STOCKED = frozenset({"stock", "preorder", "gift_card_physical"})
"""Kinds that lie on a shelf. A kit is as available as its components; the others are made or sent."""
DIGITAL = frozenset({"digital", "gift_card_digital"})
TEMPERATURES = ("ambient", "chilled", "frozen")
SIZES = ("length_mm", "width_mm", "height_mm")
MOST_SIZE = 20_000
"""Millimeters."""
EXEMPTIONS = ("seeds_and_plants", "later_serial_delivery", "negative_option", "service")
"""Exemptions from the delay rule that a SKU itself can declare (16 CFR 435.3(a))."""


def attribute_errors(attributes: Mapping[str, Any]) -> list[str]:
    """What is wrong with the attributes that routing and the law read; all others are the merchant's own."""
    errors = []
    if "exemption" in attributes and attributes["exemption"] not in EXEMPTIONS:
        errors.append(f"exemption is one of: {', '.join(EXEMPTIONS)}.")
    if not isinstance(attributes.get("hazard", False), bool):
        errors.append("hazard is true or false.")
    if attributes.get("temperature", TEMPERATURES[0]) not in TEMPERATURES:
        errors.append(f"temperature is one of: {', '.join(TEMPERATURES)}.")
    for name in SIZES:
        size = attributes.get(name, 1)
        if type(size) is not int or not 0 < size <= MOST_SIZE:
            errors.append(f"{name} is a whole number of millimeters from 1 to {MOST_SIZE:,}.")
    if 0 < sum(name in attributes for name in SIZES) < len(SIZES):
        errors.append(f"Send {', '.join(SIZES)} together, or none of them.")
    return errors


def there_from(
    now: datetime, kind: str, lead_time_days: int | None, release: date | None, zone_name: str
) -> datetime:
    """From when a unit ordered now can be there to send, UTC: what is made to order after its lead time, where one is
    known; nothing before its day of release in that zone."""
    made = now + timedelta(days=lead_time_days or 0) if kind == "made_to_order" else now
    return made if release is None else max(made, end_of_day(release - timedelta(days=1), zone_name))


def volume_cm3(attributes: Mapping[str, Any]) -> int:
    """Cubic centimeters of one packed unit, rounded half up; 0 when its sizes are not known."""
    sizes = [attributes.get(name, 0) for name in SIZES]
    return (sizes[0] * sizes[1] * sizes[2] + 500) // 1000


def component_errors(code: str, given: Mapping[str, Any], kinds: Mapping[str, str]) -> list[tuple[str, str]]:
    """(pointer within the SKU, remedy) for every component that cannot be one.

    `kinds` holds the kind of every SKU that is there or comes with the same request.
    """
    components = given["components"]
    if given["kind"] != "kit":
        return [("/components", "Only a kit has components. Leave them out.")] if components else []
    if not components:
        return [("/components", "A kit needs at least one component.")]
    errors = []
    seen: set[str] = set()
    for at, part in enumerate(components):
        pointer, sku = f"/components/{at}/sku", part["sku"]
        if sku == code:
            errors.append((pointer, "A kit cannot be its own component."))
        elif sku in seen:
            errors.append((pointer, f"{sku} is named twice. Add the quantities."))
        elif sku not in kinds:
            errors.append((pointer, f"There is no SKU {sku}. PUT it first."))
        elif kinds[sku] not in STOCKED:
            errors.append((pointer, f"{sku} is of kind {kinds[sku]}; a component must be kept in stock."))
        seen.add(sku)
    return errors


def check_kind_change(
    code: str, before: str, after: str, *, open_units: bool, stock: bool, component: bool
) -> None:
    """Whether a SKU may change its kind. Raises Problem 409 by name."""
    if before == after:
        return
    if open_units:
        raise refused("sku-has-open-orders", f"{code} is on open orders; its kind cannot change until then.")
    if stock and after not in STOCKED:
        raise refused("sku-has-stock", f"{code} still has stock. Adjust it to zero before changing its kind.")
    if component and after not in STOCKED:
        raise refused("sku-is-component", f"{code} is part of a kit. Take it out of the kit first.")


def bad(errors: list[FieldError]) -> Problem:
    """422 naming every field."""
    return Problem(422, "invalid", errors[0].message, errors=errors)
