"""Business settings: the name buyers know, the zone, and how waiting and late orders are treated."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Blueprint, redirect, request

from app.forms import Form
from app.pages import toast
from app.payments.rules import HOLD_HOURS
from app.web import page
from app.zones import ZONE_CODES, ZONES
from tenants import business
from tenants.scope import Scope, TenantFacts, current

blueprint = Blueprint("business", __name__, template_folder="templates")

DELAY_MODES = [
    (
        "automatic",
        "Send at once",
        "Kept sends each notice as soon as it knows that a promise cannot be kept, within the time the law gives.",
    ),
    (
        "approve",
        "Wait for a person",
        "A person sees each notice first. Kept raises an alarm before the lawful day.",
    ),
]
OPTIONAL = ("received", "shipped", "undelivered")
"""Messages a merchant may leave to another system; all others are owed to the buyer."""
MOST_HOURS = 24 * 14
CHANGED = "Somebody changed these settings meanwhile. Open them anew, then change what they say now."


@blueprint.get("/settings/business")
@page("settings:read")
def show() -> Any:
    """The settings as they are."""
    stored = _stored(current().tenant)
    return _draw(Form(stored | {"replaces": _mark(stored)}), 200)


def _stored(tenant: TenantFacts) -> dict[str, str]:
    contact, notices = tenant.settings.get("contact") or {}, tenant.settings.get("notices") or {}
    stored = {
        "name": tenant.name,
        "zone": tenant.timezone,
        "email": str(contact.get("email") or ""),
        "toll_free": str(contact.get("toll_free") or ""),
        "hours": str(contact.get("hours") or ""),
        "delay": str(notices.get("delay", "automatic")),
        "payment_hold_hours": str(tenant.settings.get("payment_hold_hours", HOLD_HOURS)),
    }
    return stored | {kind: "1" for kind in OPTIONAL if notices.get(kind) != "off"}


def _mark(stored: dict[str, str]) -> str:
    """What tells these settings from all others."""
    return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()[:16]


def _is_overtaken(scope: Scope, seen: str) -> bool:
    """Whether they are not those that the form was opened with. Read under the lock: of two at once one is second."""
    now = scope.row(
        "SELECT name, timezone, settings FROM tenants WHERE tenant_id = :tenant FOR NO KEY UPDATE"
    )
    return now is not None and bool(seen) and seen != _mark(_stored(now))


def _draw(form: Form, status: int = 422) -> Any:
    zone = current().tenant.timezone
    zones = ZONES if zone in ZONE_CODES else [*ZONES, (zone, zone)]
    return form.again("settings/business.html", status, zones=zones, modes=DELAY_MODES)


@blueprint.post("/settings/business")
@page("settings:write")
def save() -> Any:
    """Change them."""
    scope, form = current(), Form(request.form)
    name = form.text("name", "Enter the name your buyers know.")
    zone = form.choice("zone", [*ZONE_CODES, scope.tenant.timezone])
    hours = form.whole("payment_hold_hours", 1, MOST_HOURS)
    contact = {
        "email": form.email("email") if form.value("email").strip() else "",
        "toll_free": form.text("toll_free", most=40),
        "hours": form.text("hours", most=80),
    }
    notices = {"delay": form.choice("delay", [mode[0] for mode in DELAY_MODES])}
    notices |= {kind: "on" if form.value(kind) else "off" for kind in OPTIONAL}
    if form.has_faults:
        return _draw(form)
    if _is_overtaken(scope, form.value("replaces")):
        form.problems.append(CHANGED)
        return _draw(form, 409)
    stored = scope.tenant.settings
    settings = {
        "contact": (stored.get("contact") or {}) | contact,
        "notices": (stored.get("notices") or {}) | notices,
        "payment_hold_hours": hours,
    }
    changed = business.change(scope, name=name, timezone=zone, settings=settings)
    toast("Settings saved." if changed else "Nothing was changed.")
    return redirect("/settings/business", 303)
