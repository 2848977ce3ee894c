"""An order as the API shows it, from plain rows: what was just written, or what was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from app.orders.rules import fulfillment_status, payment_status
from app.promises.regimes import IN_WORDS, Regime
from app.shapes import instant, money

Row = Mapping[str, Any]


def order_document(
    order: Row,
    *,
    lines: Iterable[Row],
    promises: Iterable[Row],
    work: Iterable[Row],
    holds: Iterable[Row] = (),
) -> dict[str, Any]:
    """The contract's Order. `work` are fulfillment orders as `work_document` takes them."""
    lines, work, holds = list(lines), list(work), list(holds)
    by_line = {promise["order_line_id"]: promise for promise in promises}
    currency = order["currency"]
    return {
        "id": str(order["id"]),
        "number": order_number(order["number"]),
        "status": order["status"],
        "channel": order["channel"],
        "external_ref": order["external_ref"],
        "source_code": order["source_code"],
        "placed_at": _at(order["placed_at"]),
        "reference_date": _day(order.get("reference_date")),
        "currency": currency,
        "customer": order["customer"],
        "ship_to": order["ship_to"],
        "bill_to": order["bill_to"],
        "holds": [{"kind": hold["kind"], "reason": hold["reason"]} for hold in holds],
        "lines": [line_document(line, by_line.get(line["id"]), currency) for line in lines],
        "fulfillment_orders": [work_document(one, order["ship_to"]) for one in work],
        "totals": {
            "items": money(order["items_total"], currency),
            "discounts": money(order["discounts_total"], currency),
            "charges": money(order["charges_total"], currency),
            "tax": money(order["tax_total"], currency),
            "total": money(order["total"], currency),
            "authorized": money(order["authorized_total"], currency),
            "captured": money(order["captured_total"], currency),
            "refunded": money(order["refunded_total"], currency),
        },
        "tax_status": order["tax_status"],
        "payment_status": payment_status(order, any(hold["kind"] == "payment" for hold in holds)),
        "fulfillment_status": fulfillment_status(lines, [one["work_status"] for one in work]),
    }


def order_number(number: int) -> str:
    """The number people say."""
    return f"K-{number}"


def line_document(line: Row, promise: Row | None, currency: str) -> dict[str, Any]:
    """The contract's Line."""
    counters = (
        "ordered",
        "cancelled",
        "backordered",
        "allocated",
        "shipped",
        "delivered",
        "returned",
        "refunded",
    )
    return {
        "id": str(line["id"]),
        "sku": line["sku"],
        "title": line["title"],
        "kind": line["kind"],
        **{name: line[name] for name in counters},
        "unit_price": money(line["unit_price"], currency),
        "total": money(line["total"], currency),
        "promise": None if promise is None else promise_document(promise),
    }


def promise_document(promise: Row) -> dict[str, Any]:
    """ship_by is a calendar day; `deadline` is the first instant after it in the zone that binds, UTC."""
    return {
        "ship_by": _day(promise["original_date"]),
        "stated": promise["stated"],
        "basis": promise["basis"],
        "deadline": _at(promise["deadline"]),
        "expected_ship_at": _at(promise["expected_ship_at"]),
        "state": promise["state"],
        "laws": [{"code": law, "name": IN_WORDS[Regime(law)]} for law in promise["regimes"]],
        "delivery": _delivery_document(promise),
    }


def _delivery_document(promise: Row) -> dict[str, Any] | None:
    """The clock of a law of delivery; None where none governs."""
    if promise["delivery_state"] is None:
        return None
    first = promise["evidence"]["delivery"]
    return {
        "deliver_by": _day(promise["deliver_by"]),
        "deadline": _at(promise["delivery_deadline"]),
        "first_deliver_by": _day(first["deliver_by"]),
        "essential": first["essential"],
        "state": promise["delivery_state"],
    }


def work_document(work: Row, order_ship_to: Row) -> dict[str, Any]:
    """The contract's fulfillment order. `work` carries its `lines` and `shipments`."""
    return {
        "id": str(work["id"]),
        "order_id": str(work["order_id"]),
        "number": work["number"],
        "node": work["node"],
        "work_status": work["work_status"],
        "request_status": work["request_status"],
        "ship_to": work["ship_to"] or order_ship_to,
        "service": work["service"],
        "promised_by": _at(work["promised_by"]),
        "lines": [
            {
                "id": str(line["id"]),
                "sku": line["sku"],
                "quantity": line["quantity"],
                "picked": line["picked"],
                "packed": line["packed"],
                "shipped": line["shipped"],
                "released": line["released"],
            }
            for line in work["lines"]
        ],
        "shipments": [shipment_document(shipment) for shipment in work["shipments"]],
    }


def shipment_document(shipment: Row) -> dict[str, Any]:
    """One hand-over with its lines."""
    return {
        "id": str(shipment["id"]),
        "kind": shipment["kind"],
        "carrier": shipment["carrier"],
        "service": shipment["service"],
        "tracking_number": shipment["tracking_number"],
        "shipped_at": _at(shipment["shipped_at"]),
        "lines": [{"sku": line["sku"], "quantity": line["quantity"]} for line in shipment["lines"]],
    }


def grouped(rows: Iterable[Row], key: str) -> dict[Any, list[Row]]:
    """Rows by the value of one column, in order."""
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def _at(value: datetime | str | None) -> str | None:
    return instant(value) if isinstance(value, datetime) else value


def _day(value: date | str | None) -> str | None:
    return None if value is None else str(value)
