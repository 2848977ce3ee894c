"""The first steps of a new merchant, each ticked by what is really there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from app.accounts import sample
from app.page_context import is_served
from app.pages import toast
from app.pages.problems import ASK_AN_OWNER
from app.web import page
from infra.errors import Problem
from tenants.scope import Scope, current

blueprint = Blueprint("onboarding", __name__)


@dataclass(frozen=True)
class Step:
    """One thing to do: `permission` says whose it is, `url` where; no such page, no button."""

    title: str
    text: str
    fact: str
    label: str
    url: str
    permission: str


STEPS = (
    Step(
        "Add a place that ships",
        "A warehouse, a store or a workshop: orders are routed to it.",
        "nodes",
        "Add a node",
        "/network/new",
        "nodes:write",
    ),
    Step(
        "Add a product",
        "One by one, or import a file of them.",
        "skus",
        "Add a product",
        "/catalog/new",
        "skus:write",
    ),
    Step(
        "Say what is in stock",
        "Kept promises only what a node has, or will have.",
        "stock",
        "Enter stock",
        "/inventory",
        "stock:write",
    ),
    Step(
        "Say how buyers reach you",
        "An email address for their questions, and a toll-free number if you have one.",
        "contact",
        "Enter it",
        "/settings/business",
        "settings:write",
    ),
    Step(
        "Connect payments",
        "Cards are authorized with the order and taken when it ships. Your account with the card processor is"
        " opened for you.",
        "payments",
        "Connect",
        "/settings/payments",
        "settings:write",
    ),
    Step(
        "Connect a channel",
        "Make an API key for your web shop, marketplace or phone system.",
        "keys",
        "Make a key",
        "/settings/keys",
        "keys:write",
    ),
    Step(
        "Place a test order",
        "Watch it being routed, accepted, shipped and paid.",
        "orders",
        "Place it",
        "/orders/new",
        "orders:write",
    ),
)

FACTS = """
SELECT EXISTS (SELECT FROM nodes WHERE tenant_id = :tenant AND kind <> 'virtual') AS nodes,
       EXISTS (SELECT FROM skus WHERE tenant_id = :tenant) AS skus,
       EXISTS (SELECT FROM stock_positions WHERE tenant_id = :tenant) AS stock,
       EXISTS (SELECT FROM tenants WHERE tenant_id = :tenant AND (settings #>> '{contact,email}' <> ''
               OR settings #>> '{contact,toll_free}' <> '')) AS contact,
       EXISTS (SELECT FROM tenants WHERE tenant_id = :tenant AND stripe_account IS NOT NULL) AS payments,
       EXISTS (SELECT FROM api_keys WHERE tenant_id = :tenant AND grant_id IS NULL AND revoked_at IS NULL) AS keys,
       EXISTS (SELECT FROM orders WHERE tenant_id = :tenant) AS orders
"""


def todo(scope: Scope) -> list[dict[str, Any]]:
    """The steps as the checklist draws them, in order, each done or with its link."""
    facts = scope.row(FACTS)
    return [_item(scope, step, bool(getattr(facts, step.fact))) for step in STEPS]


def _item(scope: Scope, step: Step, done: bool) -> dict[str, Any]:
    may = scope.actor.may(step.permission)
    text = step.text if done or may else f"{step.text} Your role does not include it."
    url = step.url if may and is_served(step.url) else ""
    return {"title": step.title, "text": text, "done": done, "url": url, "label": step.label}


@blueprint.get("/onboarding")
@page()
def show() -> str:
    """The checklist."""
    scope = current()
    items = todo(scope)
    return render_template(
        "accounts/onboarding.html",
        items=items,
        done=sum(item["done"] for item in items),
        import_url="/imports" if scope.actor.may("imports:write") and is_served("/imports") else "",
        can_fill=_can_fill(scope),
    )


def _can_fill(scope: Scope) -> bool:
    may = all(scope.actor.may(f"{resource}:write") for resource in ("nodes", "skus", "stock"))
    return may and scope.tenant.environment == "sandbox" and sample.is_empty(scope)


@blueprint.post("/onboarding/sample")
@page("skus:write")
def fill() -> Response:
    """Put sample data into an empty sandbox."""
    scope = current()
    if not all(scope.actor.may(f"{resource}:write") for resource in ("nodes", "stock")):
        raise Problem(403, "lacks-permission", f"Your role does not include nodes and stock. {ASK_AN_OWNER}")
    sample.fill(scope)
    toast("Sample data is in: 3 places, 8 products and their stock.")
    return redirect("/onboarding", 303)
