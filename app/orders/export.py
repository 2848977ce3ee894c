"""Orders as a CSV file, written as they are read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from app.money import Money
from app.orders import summary
from app.orders.listing import Filters, each
from app.orders.shapes import order_number
from app.shapes import instant
from tenants.scope import Actor, opened

COLUMNS = (
    "number",
    "external_ref",
    "placed_at",
    "channel",
    "status",
    "customer",
    "email",
    "city",
    "region",
    "postal_code",
    "country",
    "currency",
    "items",
    "discounts",
    "charges",
    "tax",
    "total",
    "captured",
    "refunded",
    "ordered",
    "shipped",
    "in_work",
    "waiting",
    "canceled",
    "promise",
    "promised_by",
    "nodes",
)
AMOUNTS = (
    "items_total",
    "discounts_total",
    "charges_total",
    "tax_total",
    "total",
    "captured_total",
    "refunded_total",
)
UNITS = ("ordered", "shipped", "allocated", "backordered", "cancelled")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def stream(tenant_id: UUID, actor: Actor, filters: Filters) -> Iterator[str]:
    """The file's text in pieces, from a transaction of its own: the page's ends before the file does."""
    yield _text([COLUMNS])
    with opened(tenant_id, actor) as scope:
        now, zone, rows = scope.now(), scope.tenant.timezone, []
        for order in each(scope, filters, now):
            rows.append(_row(order, now, zone))
            if len(rows) == 500:
                yield _text(rows)
                rows = []
        yield _text(rows)


def _row(order: dict[str, Any], now: Any, zone: str) -> list[Any]:
    customer, goes_to, lines = order["customer"], order["ship_to"], order["lines"]
    stands, day = summary.promise(lines, now, order["buyer_zone"], zone)
    return [
        order_number(order["number"]),
        order["external_ref"],
        instant(order["placed_at"]),
        order["channel"],
        order["status"].replace("cancelled", "canceled"),
        customer.get("name", ""),
        customer.get("email", ""),
        *(goes_to.get(name, "") for name in ("city", "region", "postal_code", "country")),
        order["currency"],
        *(Money(order[name], order["currency"]).decimal() for name in AMOUNTS),
        *(sum(line[name] for line in lines) for name in UNITS),
        stands,
        day,
        "; ".join(order["nodes"]),
    ]


def _text(rows: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([[_safe(value) for value in row] for row in rows])
    return out.getvalue()


def _safe(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
