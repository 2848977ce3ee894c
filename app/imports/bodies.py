"""What was read from rows as bodies of the API's requests: orders, SKUs, nodes and stock. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.imports.rules import Reader, Unreadable
from app.money import round_half_up
from app.network import cells as written

ATTRIBUTES = ("length_mm", "width_mm", "height_mm", "hazard", "temperature")
CALENDAR = ("open_days", "hours", "closed", "holidays")
READERS: Mapping[str, Callable[[str], Any]] = {
    "cutoffs": written.cutoffs,
    "capabilities": written.words,
    "zones": written.zones,
    "open_days": written.words,
    "hours": written.hours,
    "closed": written.words,
    "holidays": str,
}
"""How a node's facts are written in one cell."""


def list_price(total: int, quantity: int, rate: Decimal) -> int:
    """Unit price before a discount of `rate`, from what `quantity` units cost after it: the least whole number
    of minor units from which a discount leads to the total. Raises Unreadable."""
    if quantity < 1 or total < 0 or not 0 <= rate < 1:
        raise Unreadable(
            "Quantity, total and discount give no price: at least one unit, discount from 0 to below 1."
        )
    unit = Decimal(total) / quantity / (1 - rate)
    rounded = round_half_up(unit)
    return rounded if rounded * quantity >= total else rounded + 1


def order_request(
    reader: Reader, rows: Sequence[tuple[int, Sequence[str]]], currency: str
) -> tuple[dict[str, Any], str | None]:
    """The rows of one order as the body of POST /orders, and its date elsewhere. `currency`: when none is given.

    The order's own targets are taken from the first row that has them. Raises Unreadable.
    """
    order: dict[str, Any] = {}
    for _, cells in rows:
        reader.check(cells)
        for target, value in reader.values(cells, lines=False).items():
            order.setdefault(target, value)
    code = str(order.get("currency", currency)).upper()
    lines: list[dict[str, Any]] = []
    discounts: list[dict[str, Any]] = []
    for row, cells in rows:
        try:
            line, discount = _line(reader.values(cells, lines=True), code)
        except Unreadable as error:
            raise Unreadable(f"Row {row}: {error}") from error
        if discount:
            discounts.append({"code": "discount", "amount": _money(discount, code), "line": len(lines)})
        lines.append(line)
    body: dict[str, Any] = {
        "channel": order.get("channel", "api"),
        "external_ref": order["external_ref"],
        "currency": code,
        "lines": lines,
        "tenders": [{"kind": "external"} | _part(order, "tender")],
        "customer": _part(order, "customer"),
        "ship_to": _part(order, "ship_to"),
    }
    for part in ("bill_to", "promise"):
        if found := _part(order, part):
            body[part] = found
    for name in ("source_code", "placed_at"):
        if name in order:
            body[name] = order[name]
    _sums(body, order, code, lines, discounts)
    return body, order.get("reference_date")


def _line(values: Mapping[str, Any], currency: str) -> tuple[dict[str, Any], int]:
    """One line and its discount in minor units."""
    for target in ("line.sku", "line.quantity"):
        if target not in values:
            raise Unreadable(f"It has no {target.removeprefix('line.')}.")
    quantity = values["line.quantity"]
    line: dict[str, Any] = {"sku": values["line.sku"], "quantity": quantity}
    discount = _minor(values, "line.discount", currency) or 0
    unit = _minor(values, "line.unit_price", currency)
    total = _minor(values, "line.total", currency)
    rate = values.get("line.discount_rate", Decimal(0))
    if unit is None and total is not None:
        unit = list_price(total, quantity, rate)
    elif unit is not None and total is None and rate:
        total = round_half_up(Decimal(unit * quantity) * (1 - rate))
    if unit is not None:
        line["unit_price"] = _money(unit, currency)
        if total is not None:
            discount = unit * quantity - total
    if discount < 0:
        raise Unreadable("Its total is above its price times its quantity.")
    return line, discount


def _sums(
    body: dict[str, Any],
    order: Mapping[str, Any],
    currency: str,
    lines: Sequence[Mapping[str, Any]],
    discounts: list[dict[str, Any]],
) -> None:
    """Discounts, charges and tax as given; the parts must come to the total, when there is one."""
    priced = all("unit_price" in line for line in lines)
    items = sum(line["unit_price"]["amount"] * line["quantity"] for line in lines) if priced else 0
    taken = sum(one["amount"]["amount"] for one in discounts)
    discount = _minor(order, "discount", currency) or 0
    subtotal = _minor(order, "subtotal", currency)
    if subtotal is not None and priced:
        discount = items - taken - subtotal
        if discount < 0:
            raise Unreadable("Its subtotal is above the sum of its lines.")
    if discount:
        discounts.append(
            {"code": order.get("discount_code", "discount"), "amount": _money(discount, currency)}
        )
    if discounts:
        body["discounts"] = discounts
    shipping, tax = _minor(order, "shipping", currency) or 0, _minor(order, "tax", currency)
    if shipping:
        body["charges"] = [{"code": "shipping", "amount": _money(shipping, currency)}]
    if tax is not None:
        body["tax"] = {"total": _money(tax, currency)}
    total = _minor(order, "total", currency)
    parts = items - taken - discount + shipping + (tax or 0)
    if total is not None and priced and tax is not None and parts != total:
        raise Unreadable(f"Its parts come to {parts} minor units, its total says {total}.")


def _minor(values: Mapping[str, Any], target: str, currency: str) -> int | None:
    found = values.get(target)
    return None if found is None else found.minor_units(currency)


def _money(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def _part(values: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {
        name.removeprefix(f"{part}."): value for name, value in values.items() if name.startswith(f"{part}.")
    }


def sku_body(reader: Reader, cells: Sequence[str], currency: str) -> tuple[str, dict[str, Any]]:
    """A row as (code, body of PUT /skus). Raises Unreadable."""
    values = reader.values(cells)
    code = str(values.get("currency", currency)).upper()
    price = _minor(values, "price", code)
    if price is None and (total := _minor(values, "list_price.total", code)) is not None:
        quantity = values.get("list_price.quantity", 1)
        price = list_price(total, quantity, values.get("list_price.discount_rate", Decimal(0)))
    if price is None:
        raise Unreadable("It has no price.")
    names = ("title", "kind", "weight_g", "tax_code", "release_date", "lead_time_days")
    body = {name: values[name] for name in names if name in values}
    if attributes := {name: values[name] for name in ATTRIBUTES if name in values}:
        body["attributes"] = attributes
    return values.get("sku", ""), body | {"price": _money(price, code)}


def node_body(reader: Reader, cells: Sequence[str], currency: str) -> tuple[str, dict[str, Any]]:
    """A row as (code, body of PUT /nodes). Raises Unreadable."""
    values = reader.values(cells)
    names = (
        "kind",
        "timezone",
        "priority",
        "capacity_per_day",
        "capacity_per_hour",
        "handling_minutes",
        "cutoff",
        "rate_card",
    )
    body: dict[str, Any] = {name: values[name] for name in names if name in values}
    body |= {
        name: READERS[name](values[name]) for name in ("cutoffs", "capabilities", "zones") if name in values
    }
    calendar = {name: READERS[name](values[name]) for name in CALENDAR if name in values}
    if calendar:
        body["calendar"] = calendar
    body |= {name: float(values[name]) for name in ("latitude", "longitude") if name in values}
    for name in ("handling_per_package", "handling_per_unit"):
        if (amount := _minor(values, name, currency)) is not None:
            body[name] = _money(amount, currency)
    code = values.get("node", "")
    return code, body | {"name": values.get("name", code), "address": _part(values, "address")}


def stock_body(reader: Reader, cells: Sequence[str], currency: str) -> tuple[str, dict[str, Any]]:
    """A row as (its SKU, one adjustment of POST /stock/adjustments). Raises Unreadable."""
    values = reader.values(cells)
    return values.get("sku", ""), {"reason": "import", **values}
