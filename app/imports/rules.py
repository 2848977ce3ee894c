"""Reading rows by a mapping: cells in, values out, refusals by name. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from app.imports.mappings import NAMED, REFERENCE, REQUIRED, TARGETS
from app.imports.transforms import Transform, figure, integer, transform
from app.money import DECIMALS, round_half_up
from infra.errors import invalid, refused

MOST_TRANSFORMS = 10


class Unreadable(Exception):
    """A row that cannot be taken over; the message says why, in words for the report."""


@dataclass(frozen=True)
class Source:
    """Where a target's text comes from: a column (by its place in the row), or a constant."""

    target: str
    holds: str
    column: int | None
    title: str
    const: str
    transforms: tuple[Transform, ...]
    minor: bool

    def text(self, cells: Sequence[str]) -> str:
        """The cell after its transforms. Raises Unreadable."""
        text = self.const
        if self.column is not None:
            text = cells[self.column].strip() if self.column < len(cells) else ""
        try:
            for transform in self.transforms:
                text = transform(text)
        except ValueError as error:
            raise Unreadable(f"{self.title}: {error}") from error
        return text


@dataclass(frozen=True)
class Refusal:
    """Rows that must not be taken over: a cell among `values`, or any cell that is not empty."""

    column: int
    values: frozenset[str]
    message: str

    def applies(self, cells: Sequence[str]) -> bool:
        """Whether this row is such a row."""
        cell = cells[self.column].strip().casefold() if self.column < len(cells) else ""
        return cell in self.values if self.values else bool(cell)


class Reader:
    """Reads the rows of one file by one mapping."""

    def __init__(self, kind: str, mapping: Mapping[str, Any], header: Sequence[str], zone: tzinfo) -> None:
        """Raises Problem 422 naming the columns that the file lacks and whatever the mapping gets wrong."""
        self.kind, self.zone, self.width = kind, zone, len(header)
        places: dict[str, int] = {}
        for at, title in enumerate(header):
            places.setdefault(title, at)
        loose = bool(mapping.get("name"))
        self.sources: dict[str, Source] = {}
        missing = []
        for target, given in mapping["columns"].items():
            spec = _spec(kind, target, given)
            column = spec.get("column")
            if column is not None and column not in places:
                if not loose or target in REQUIRED[kind]:
                    missing.append(column)
                continue
            self.sources[target] = Source(
                target,
                TARGETS[kind][target],
                None if column is None else places[column],
                column or target,
                spec.get("const", ""),
                tuple(transform(target, one) for one in spec.get("transforms", [])),
                bool(spec.get("minor", False)),
            )
        if missing:
            raise invalid("/file", f"The file has no column {', '.join(missing)}. Choose another mapping.")
        for target in REQUIRED[kind]:
            if target not in self.sources:
                raise invalid("/mapping", f"Say which column holds {target}.")
        self.refusals = [
            Refusal(
                places[one["column"]],
                frozenset(str(value).casefold() for value in one.get("values", [])),
                one["message"],
            )
            for one in mapping.get("refuse", [])
            if one["column"] in places
        ]

    def reference(self, cells: Sequence[str]) -> str:
        """What names the row; '' when it cannot be read."""
        try:
            return self.sources[REFERENCE[self.kind]].text(cells)[:200]
        except Unreadable:
            return ""

    def check(self, cells: Sequence[str]) -> None:
        """Raises Unreadable for a row that is longer than the header or must not be taken over."""
        if len(cells) > self.width:
            raise Unreadable(f"The row has {len(cells)} cells, the header {self.width}. Check its quotes.")
        for refusal in self.refusals:
            if refusal.applies(cells):
                raise Unreadable(refusal.message)

    def values(self, cells: Sequence[str], *, lines: bool | None = None) -> dict[str, Any]:
        """Target -> value, without the empty ones. lines: only the `line.` targets, or only the others."""
        found: dict[str, Any] = {}
        for target, source in self.sources.items():
            if lines is not None and target.startswith("line.") != lines:
                continue
            text = source.text(cells)
            if text:
                found[target] = self._value(source, text)
        return found

    def _value(self, source: Source, text: str) -> Any:
        try:
            match source.holds:
                case "integer":
                    return integer(text)
                case "figure":
                    return figure(text)
                case "money":
                    return Amount(figure(text), source.minor)
                case "day":
                    return datetime.fromisoformat(text).date().isoformat()
                case "instant":
                    moment = datetime.fromisoformat(text)
                    return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).isoformat()
        except ValueError as error:
            what = {"day": "a day as YYYY-MM-DD", "instant": "a time as YYYY-MM-DD HH:MM:SS"}
            raise Unreadable(
                f"{source.title}: {text!r} is not {what.get(source.holds, 'a figure')}."
            ) from error
        return text


@dataclass(frozen=True)
class Amount:
    """Money as read, before the row's currency is known."""

    figure: Decimal
    minor: bool

    def minor_units(self, currency: str) -> int:
        """Whole minor units, a half away from zero. Raises Unreadable for an unknown currency."""
        if currency not in DECIMALS:
            raise Unreadable(f"{currency} is not an ISO 4217 currency.")
        return round_half_up(self.figure if self.minor else self.figure.scaleb(DECIMALS[currency]))


def resolve(kind: str, given: str | Mapping[str, Any]) -> dict[str, Any]:
    """A mapping by name or as a document. Raises Problem 422; 409 when the name does not fit the kind."""
    if isinstance(given, str):
        if given not in NAMED:
            raise invalid("/mapping", f"Send one of {', '.join(NAMED)}, or a mapping as JSON.")
        if kind not in NAMED[given]:
            raise refused("mapping-not-for-kind", f"The mapping {given} does not read {kind}.")
        return {"name": given, **NAMED[given][kind]}
    columns = given.get("columns")
    if not isinstance(columns, Mapping) or not columns or set(given) - {"columns", "refuse", "delimiter"}:
        raise invalid("/mapping", "Send {columns: {target: source}, refuse?, delimiter?}.")
    for target, source in columns.items():
        for one in _spec(kind, target, source).get("transforms", []):
            transform(target, one)
    delimiter = given.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise invalid("/mapping/delimiter", "Send one character, such as a comma.")
    _check_refusals(given.get("refuse", []))
    return dict(given)


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
    return values.get("sku", ""), body | {"price": _money(price, code)}


def node_body(reader: Reader, cells: Sequence[str], currency: str) -> tuple[str, dict[str, Any]]:
    """A row as (code, body of PUT /nodes). Raises Unreadable."""
    values = reader.values(cells)
    names = ("kind", "timezone", "priority", "capacity_per_day", "cutoff")
    body: dict[str, Any] = {name: values[name] for name in names if name in values}
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


def _spec(kind: str, target: str, given: Any) -> Mapping[str, Any]:
    """A source as a whole document. Raises Problem 422."""
    pointer = f"/mapping/columns/{target}"
    if target not in TARGETS[kind]:
        raise invalid(pointer, f"There is no such target. Choose from: {', '.join(TARGETS[kind])}.")
    spec = {"column": given} if isinstance(given, str) else given
    sound = (
        isinstance(spec, Mapping)
        and ("column" in spec) != ("const" in spec)
        and not set(spec) - {"column", "const", "transforms", "minor"}
        and isinstance(spec.get("column", spec.get("const")), str)
        and isinstance(spec.get("transforms", []), list)
        and len(spec.get("transforms", [])) <= MOST_TRANSFORMS
    )
    if not sound:
        raise invalid(pointer, "Send a column's name, {const: text} or {column: name, transforms: [...]}.")
    return spec


def _check_refusals(given: Any) -> None:
    sound = isinstance(given, list) and all(
        isinstance(one, Mapping)
        and isinstance(one.get("column"), str)
        and isinstance(one.get("message"), str)
        and isinstance(one.get("values", []), list)
        for one in given
    )
    if not sound:
        raise invalid("/mapping/refuse", "Send [{column, values?, message}].")
