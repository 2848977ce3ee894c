"""Home: what was promised, what needs a person, what waits where."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, render_template, url_for

from app.dashboard import queries
from app.pages import register_nav
from app.web import page
from tenants.scope import current

blueprint = Blueprint("dashboard", __name__, template_folder="templates")
register_nav("", "Home", "dashboard.home", "home", permission="orders:read", order=10)

TITLES = {
    "payment": "Payment needed",
    "fraud": "Fraud hold",
    "address": "Address hold",
    "credit": "Credit hold",
    "manual": "Held by a person",
    "review": "Held for review",
}


@blueprint.get("/home")
@page("orders:read")
def home() -> str:
    """The merchant's day."""
    scope = current()
    now = scope.now()
    rows, total = queries.exceptions(scope, now)
    cases = queries.stock_cases(scope)
    return render_template(
        "dashboard/home.html",
        is_new=queries.is_new(scope),
        strip=queries.strip(scope, now),
        hours=queries.orders_per_hour(scope, now),
        exceptions=[_exception(row, now) for row in rows],
        exceptions_total=total,
        cases=cases,
        cases_url=_address("inventory_pages.cases"),
        nodes=queries.work_per_node(scope, now),
        short=queries.running_out(scope, now),
        network_url=_address("network_pages.nodes", "network_pages.list", "network_pages.index"),
        inventory_url=_address("inventory_pages.grid", "inventory_pages.list", "inventory_pages.index"),
        sales_days=queries.SALES_DAYS,
    )


def _address(*endpoints: str) -> str:
    """The address of the first of these pages that this installation serves."""
    for endpoint in endpoints:
        if endpoint in current_app.view_functions:
            return url_for(endpoint)
    return ""


def _exception(row: Any, now: datetime) -> dict[str, Any]:
    """One thing to decide: what happened, its value, by when, and where to act."""
    title, text, button = _words(row)
    return {
        "title": title,
        "text": text,
        "button": button,
        "number": row.number,
        "url": url_for("order_pages.detail", order_id=row.order_id),
        "value": int(row.value),
        "currency": row.currency,
        "by": row.by and row.by - timedelta(seconds=1),  # a deadline is the first instant too late
        "s": "late" if row.by is None or row.by <= now else "risk" if (row.by - now).days < 1 else "due",
    }


def _words(row: Any) -> tuple[str, str, str]:
    who = row.customer or "The buyer"
    if row.what == "hold":
        return TITLES[row.about], row.text or f"Nothing leaves until it is lifted. {who}", "Review"
    if row.what in ("missed", "risk"):
        lines = int(row.text)
        more = f", and {lines - 1} more" if lines > 1 else ""
        title = "Promise missed" if row.what == "missed" else "Waits for stock"
        return title, f"{row.about}{more}", "Decide" if row.what == "missed" else "Offer a choice"
    if row.what == "refused":
        reason = row.text.replace("_", " ") if row.text else "no reason given"
        return f"{row.about} rejected the work", f"{reason.capitalize()}; no other node has it", "Route again"
    if row.what == "stuck":
        return "Refused too often" if row.about == "cycles" else "No place for it", row.text, "Decide"
    if row.what == "notice":
        kind = {"delay": "Delay notice"}.get(row.about, "Message")
        return f"{kind} not delivered", row.text or "The mail server refused it", "Call buyer"
    if row.what == "capture":
        return "Payment not taken", row.text or "The goods are gone, the card did not pay", "Retry"
    return "Refund due", "Still open", "Refund"
