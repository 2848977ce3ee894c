"""What an order's rows mean: its derived statuses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

PAYMENT_STATUSES = (
    "pending",
    "held",
    "authorized",
    "partly_captured",
    "captured",
    "partly_refunded",
    "refunded",
    "voided",
)
FULFILLMENT_STATUSES = (
    "unfulfilled",
    "backordered",
    "in_progress",
    "partly_shipped",
    "shipped",
    "cancelled",
)


def payment_status(order: Mapping[str, Any], held: bool) -> str:
    """One word for the money, from the sums of the ledger (minor units)."""
    captured, refunded = order["captured_total"], order["refunded_total"]
    if refunded and refunded >= captured:
        return "refunded"
    if refunded:
        return "partly_refunded"
    if captured and (captured >= order["total"] or order["status"] in ("closed", "cancelled")):
        return "captured"
    if captured:
        return "partly_captured"
    if order["status"] == "cancelled":
        return "voided"
    if held:
        return "held"
    if order["authorized_total"] or order["total"] == 0:
        return "authorized"
    return "pending"


def fulfillment_status(lines: Iterable[Mapping[str, Any]], work: Iterable[str]) -> str:
    """One word for the work, from the lines' counters and the work statuses of the fulfillment orders."""
    lines = list(lines)
    open_units = sum(line["allocated"] + line["backordered"] for line in lines)
    shipped = sum(line["shipped"] for line in lines)
    if not open_units:
        return "shipped" if shipped else "cancelled"
    if shipped:
        return "partly_shipped"
    if not sum(line["allocated"] for line in lines):
        return "backordered"
    return "in_progress" if any(status in ("picking", "packed") for status in work) else "unfulfilled"
