"""Business settings: the name buyers know, the zone, and how waiting and late orders are treated."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request

from app.accounts.sign_up import ZONE_CODES, ZONES
from app.forms import Form
from app.pages import toast
from app.payments.rules import HOLD_HOURS
from app.web import page
from tenants import business
from tenants.scope import TenantFacts, current

blueprint = Blueprint("business", __name__, template_folder="templates")

DELAY_MODES = [
    (
        "automatic",
        "Send by themselves",
        "As soon as Kept knows that a promise cannot be kept, and in time by law.",
    ),
    (
        "approve",
        "Wait for a person",
        "A person sees each notice first. Kept raises an alarm before the lawful day.",
    ),
]
MOST_HOURS = 24 * 14


@blueprint.get("/settings/business")
@page("settings:read")
def show() -> Any:
    """The settings as they are."""
    return _draw(Form(_stored(current().tenant)), 200)


def _stored(tenant: TenantFacts) -> dict[str, str]:
    given = tenant.settings
    return {
        "name": tenant.name,
        "zone": tenant.timezone,
        "reply_email": str(given.get("reply_email", "")),
        "toll_free": str(given.get("toll_free", "")),
        "service_hours": str(given.get("service_hours", "")),
        "delay_notice_mode": str(given.get("delay_notice_mode", "automatic")),
        "payment_hold_hours": str(given.get("payment_hold_hours", HOLD_HOURS)),
    }


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
    settings: dict[str, Any] = {
        "reply_email": form.email("reply_email") if form.value("reply_email").strip() else "",
        "toll_free": form.text("toll_free", most=40),
        "service_hours": form.text("service_hours", most=80),
        "delay_notice_mode": form.choice("delay_notice_mode", [mode[0] for mode in DELAY_MODES]),
        "payment_hold_hours": hours,
    }
    if form.has_faults:
        return _draw(form)
    changed = business.change(scope, name=name, timezone=zone, settings=settings)
    toast("Settings saved." if changed else "Nothing was changed.")
    return redirect("/settings/business", 303)
