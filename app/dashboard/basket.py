"""A phone or mail order while it is typed: the form as an order's request, what it costs, when it ships, and the
words that state the ship dates to the buyer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from marshmallow import ValidationError

from app.calendar import local_date, strict_deadline
from app.intake.schemas import OrderIn
from app.money import Money, ungrouped
from app.network.places import destination_zones
from app.problems import field_errors
from app.quotes.availability import availability
from app.quotes.schemas import QuoteIn
from app.quotes.service import quote
from app.shapes import instant
from infra.errors import FieldError, Problem
from tenants.scope import Scope

MOST_LINES = 100
BUYER = ("email", "name", "phone")
ADDRESS = ("line1", "line2", "city", "region", "postal_code", "country")
FIELDS = (*BUYER, *ADDRESS, "channel", "source_code", "shipping", "discount", "tender", "card", "reference")
DATED = ("made_to_order", "preorder")
"""Kinds whose ship date rests on more than the next working day of a node."""
DIGITAL = ("digital", "gift_card_digital")


@dataclass
class Row:
    """One line as typed; `price` stays empty while it is the SKU's own."""

    sku: str
    quantity: str
    price: str = ""
    title: str = ""
    kind: str = ""
    unit: int = 0
    amount: int = 0
    day: date | None = None
    """When it can ship; None: nobody knows."""
    from_now: int = 0
    waits: bool = False
    """Whether some of it is not there yet."""
    nodes: list[str] = field(default_factory=list)
    error: str = ""


@dataclass
class Basket:
    """The whole form."""

    values: dict[str, str]
    rows: list[Row]
    ref: str
    currency: str
    errors: dict[str, str] = field(default_factory=dict)
    totals: dict[str, int] | None = None
    estimated: bool = False

    @classmethod
    def read(cls, form: Mapping[str, Any], currency: str) -> Basket:
        """From what was sent; an empty form is a new order by telephone."""
        values = {name: str(form.get(name, "")).replace("\x00", "").strip()[:300] for name in FIELDS}
        values["channel"] = values["channel"] or "phone"
        values["tender"] = values["tender"] or "card"
        values["country"] = values["country"] or "US"
        rows = []
        for at in range(MOST_LINES):
            sku = str(form.get(f"sku-{at}", "")).replace("\x00", "").strip()[:100]
            if sku:
                rows.append(
                    Row(sku, str(form.get(f"quantity-{at}", "1"))[:9], str(form.get(f"price-{at}", ""))[:20])
                )
        return cls(values, rows, str(form.get("ref", ""))[:60] or f"portal-{uuid4().hex}", currency)

    def add(self, sku: str) -> None:
        """One unit more of a SKU."""
        for row in self.rows:
            if row.sku == sku and not row.price:
                row.quantity = str(_whole(row.quantity) + 1)
                return
        self.rows.append(Row(sku, "1"))

    def remove(self, at: int) -> None:
        """Without that line."""
        if 0 <= at < len(self.rows):
            del self.rows[at]

    def know(self, customer: Any) -> None:
        """Take over a customer who was looked up: contact, and where the last order went."""
        self.values |= {name: getattr(customer, name) or "" for name in BUYER}
        if customer.ship_to:
            self.values |= {name: customer.ship_to.get(name) or "" for name in ADDRESS}
        self.values["country"] = self.values["country"] or "US"


def _whole(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() else 0


def _money(basket: Basket, name: str, text: str) -> dict[str, Any] | None:
    """A typed amount; None when the field is empty or wrong, which is then noted."""
    text = ungrouped(text.strip().lstrip("$"))
    if not text:
        return None
    try:
        money = Money.parse(text, basket.currency)
        if not 0 <= money.amount <= 10**9:
            raise ValueError(text)
    except ValueError:
        basket.errors[name] = "Enter an amount such as 12.95."
        return None
    return {"amount": money.amount, "currency": money.currency}


def request_of(basket: Basket) -> dict[str, Any]:
    """The basket as the API would send it, without buyer and tender."""
    ship_to = {name: basket.values[name] for name in ADDRESS if basket.values[name]}
    if basket.values["name"]:
        ship_to["name"] = basket.values["name"]
    given: dict[str, Any] = {
        "channel": basket.values["channel"],
        "ship_to": ship_to,
        "currency": basket.currency,
        "lines": [_line(basket, at, row) for at, row in enumerate(basket.rows)],
    }
    if basket.values["source_code"]:
        given["source_code"] = basket.values["source_code"]
    for name, code, part in (("shipping", "shipping", "charges"), ("discount", "discount", "discounts")):
        amount = _money(basket, name, basket.values[name])
        if amount is not None and amount["amount"]:
            given[part] = [{"code": code, "amount": amount}]
    return given


def _line(basket: Basket, at: int, row: Row) -> dict[str, Any]:
    line: dict[str, Any] = {"sku": row.sku, "quantity": _whole(row.quantity)}
    price = _money(basket, f"price-{at}", row.price)
    if price is not None:
        line["unit_price"] = price
    return line


def price(scope: Scope, basket: Basket) -> None:
    """Fill in what the basket costs and when it ships; faults go to their fields."""
    if not basket.rows:
        return
    request = request_of(basket)
    if not (basket.values["postal_code"] or basket.values["region"]):
        # Prices and dates are asked for before the address is known: the merchant's own place stands in.
        request["ship_to"] = {"country": "US", "region": "NY"}
        basket.estimated = True
    try:
        quoted = quote(scope, QuoteIn().load(request))
    except ValidationError as error:
        _note(basket, field_errors(error))
        return
    except Problem as problem:
        _note(basket, problem.errors or [FieldError("", problem.detail)])
        return
    basket.totals = {part: money["amount"] for part, money in quoted["totals"].items()}
    if basket.estimated:
        basket.totals["total"] -= basket.totals["tax"]
    names = _node_names(scope)
    for row, line in zip(basket.rows, quoted["lines"], strict=True):
        row.title, row.kind, row.unit = line["title"], line["kind"], line["unit_price"]["amount"]
        row.amount = row.unit * line["quantity"]
        row.from_now, row.waits = line["allocated"], bool(line["backordered"])
        row.nodes = [
            names.get(package["node"], package["node"])
            for package in quoted["plan"]
            if any(one["sku"] == row.sku for one in package["lines"])
        ]
        row.day = _from_supply(scope, basket, line) if line["backordered"] else _day(scope, basket, line)


def _day(scope: Scope, basket: Basket, line: Mapping[str, Any]) -> date | None:
    """The day that can be stated: strictly before its end, wherever it ends first, the goods have left."""
    if line["kind"] in DIGITAL:
        return local_date(scope.now(), scope.tenant.timezone)
    expected = line["promise"]["expected_ship_at"] if line["promise"] else None
    if expected is None:
        return None
    leaves = datetime.fromisoformat(str(expected).replace("Z", "+00:00"))
    day = local_date(leaves, scope.tenant.timezone)
    zones = (
        *destination_zones(basket.values["country"], basket.values["region"], basket.values["postal_code"]),
        scope.tenant.timezone,
    )
    if strict_deadline(day, zones) <= leaves:
        day += timedelta(days=1)
    if line["kind"] in DATED:
        known = availability(scope, line["sku"], quantity=line["quantity"])["earliest_ship"]
        day = max(day, known) if known is not None else day
    return day


def _from_supply(scope: Scope, basket: Basket, line: Mapping[str, Any]) -> date | None:
    """The day that can be stated for goods on their way: the one after they can leave, for a node's day may end later
    than the buyer's. None where no delivery brings enough that nobody waits for."""
    known = availability(scope, line["sku"], quantity=line["quantity"], channel=basket.values["channel"])[
        "earliest_ship"
    ]
    return known + timedelta(days=1) if known is not None else None


def _node_names(scope: Scope) -> dict[str, str]:
    return {
        row.code: row.name for row in scope.rows("SELECT code, name FROM nodes WHERE tenant_id = :tenant")
    }


PLACES = {
    "/customer/email": "email",
    "/customer/name": "name",
    "/customer/phone": "phone",
    "/channel": "channel",
    "/source_code": "source_code",
    "/lines": "find",
    "/charges/0/amount": "shipping",
    "/discounts/0/amount": "discount",
    **{f"/ship_to/{name}": name for name in ADDRESS},
    "/tenders/0/payment_method": "card",
    "/tenders/0/reference": "reference",
}
"""Which field of the form a pointer into the request means."""


def _note(basket: Basket, faults: Sequence[FieldError]) -> None:
    for fault in faults:
        _, _, rest = fault.pointer.partition("/lines/")
        at = rest.partition("/")[0]
        if fault.pointer.startswith("/lines/") and at.isdigit() and int(at) < len(basket.rows):
            basket.rows[int(at)].error = fault.message
        else:
            basket.errors[PLACES.get(fault.pointer, "")] = fault.message


def order_of(scope: Scope, basket: Basket, said: str) -> dict[str, Any] | None:
    """The request to place, as validated; None when a field has a fault, which is then noted."""
    request = request_of(basket)
    request["external_ref"] = basket.ref
    request["customer"] = {name: basket.values[name] for name in BUYER if basket.values[name]}
    request["tenders"] = [_tender(basket)]
    shown_at = instant(scope.now())
    for row, line in zip(basket.rows, request["lines"], strict=True):
        if row.day is not None:
            line["promise"] = {"ship_by": row.day.isoformat(), "text": said, "shown_at": shown_at}
    if not basket.rows:
        basket.errors["find"] = "Add at least one item."
    for name in ("line1", "city", "postal_code"):
        if not basket.values[name]:
            basket.errors[name] = "Enter it, so that the order can be sent."
    try:
        loaded: dict[str, Any] = OrderIn().load(request)
    except ValidationError as error:
        _note(basket, field_errors(error))
        return None
    faulty = any(basket.errors.values()) or any(row.error for row in basket.rows)
    return None if faulty else loaded


def _tender(basket: Basket) -> dict[str, Any]:
    kind = basket.values["tender"]
    tender: dict[str, Any] = {"kind": kind}
    if kind == "card":
        if not basket.values["card"]:
            basket.errors["card"] = "Choose or enter the card."
        tender["payment_method"] = basket.values["card"]
    elif basket.values["reference"]:
        tender["reference"] = basket.values["reference"]
    elif kind == "check":
        basket.errors["reference"] = "Enter the number of the check."
    return tender


def spoken(rows: Sequence[Row], today: date) -> list[tuple[list[str], date | None, bool]]:
    """Titles by the day they ship, the earliest first: [(titles, day, digital)]; those without a day last."""
    groups: dict[tuple[date, bool, bool], list[str]] = {}
    for row in rows:
        if row.title:
            digital = row.kind in DIGITAL and row.day == today
            groups.setdefault((row.day or date.max, row.day is None, digital), []).append(row.title)
    return [
        (titles, None if unknown else day, digital)
        for (day, unknown, digital), titles in sorted(groups.items())
    ]


def digest(text: str) -> str:
    """Tells whether the words changed since they were read out."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
