"""How a promise stands: kept, due, at risk, late, or without a clock. The same in SQL for lists and in Python for
one line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from app.calendar import local_date

LIVE = "p.state NOT IN ('shipped', 'cancelled', 'not_covered', 'incomplete')"
LATE = f"({LIVE} AND p.state <> 'consent_indefinite' AND p.deadline <= :now)"
RISK = f"({LIVE} AND p.deadline > :now AND (p.expected_ship_at IS NULL OR p.expected_ship_at >= p.deadline))"
DUE = f"({LIVE} AND p.deadline > :now AND p.expected_ship_at < p.deadline)"
"""Conditions over `promises p`; `:now` is business time."""
SHIPPED_LATE = """EXISTS (SELECT 1 FROM shipment_lines sl
    JOIN shipments s ON s.tenant_id = :tenant AND s.id = sl.shipment_id
    WHERE sl.tenant_id = :tenant AND sl.order_line_id = p.order_line_id AND s.shipped_at >= p.deadline)"""
KEPT = f"(p.state = 'shipped' AND NOT {SHIPPED_LATE})"
SQL = {"kept": KEPT, "due": DUE, "risk": RISK, "late": LATE}
WORST = ("late", "risk", "due", "kept", "idle")


def standing(promise: Mapping[str, Any] | None, now: datetime, shipped_at: datetime | None = None) -> str:
    """One of kept, due, risk, late and idle; `shipped_at` is when the last unit of the line left."""
    if promise is None or promise["state"] in ("cancelled", "not_covered", "incomplete"):
        return "idle"
    if promise["state"] == "shipped":
        return "late" if shipped_at is not None and shipped_at >= promise["deadline"] else "kept"
    if promise["state"] == "consent_indefinite":
        return "due"
    if promise["deadline"] <= now:
        return "late"
    expected = promise["expected_ship_at"]
    return "risk" if expected is None or expected >= promise["deadline"] else "due"


def promised_day(promise: Mapping[str, Any], buyer_zone: str) -> date:
    """The last day in force: the first promise's own day, or the day of a revised deadline at the buyer's."""
    if promise["deadline"] == promise["original_deadline"]:
        day: date = promise["original_date"]
        return day
    return local_date(promise["deadline"] - timedelta(seconds=1), buyer_zone)
