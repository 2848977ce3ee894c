"""The order book as pages: the list, its CSV file, and one order as a story."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, render_template, request, url_for

from app import links
from app.entries import address
from app.orders import export, listing, summary
from app.orders.alternatives import without_each
from app.orders.basis import bases
from app.orders.listing import Filters
from app.orders.story import story
from app.pages import register_nav
from app.web import page
from tenants.scope import Scope, current

blueprint = Blueprint("order_pages", __name__, template_folder="templates")
register_nav("", "Orders", "order_pages.list", "receipt-2", permission="orders:read", order=20)

CHANNEL_ICONS = {
    "web": "world-www",
    "phone": "phone-call",
    "store": "building-store",
    "mail": "mail-opened",
    "email": "mail",
    "social": "message",
    "phone_app": "device-mobile",
    "tablet_app": "device-mobile",
    "broadcast": "speakerphone",
    "marketplace": "basket",
    "edi": "transfer",
    "api": "api",
}
PLACED = {
    "today": "today",
    "7d": "last 7 days",
    "30d": "last 30 days",
    "90d": "last 90 days",
}
PROMISE = {"due": "Due", "risk": "At risk", "late": "Late", "kept": "Kept"}
DUE = {"tonight": "by tonight", "week": "within 7 days", "month": "within 30 days"}


@blueprint.get("/orders", endpoint="list")
@page("orders:read")
def list_orders() -> str:
    """A page of the list; htmx takes the card out of it."""
    scope, filters = current(), Filters.read(request.args)
    now = scope.now()
    found = listing.page(scope, filters, now)
    channels = _channels(scope)
    return render_template(
        "orders/list.html",
        filters=filters,
        rows=[_row(order, scope, now) for order in found.rows],
        found=found,
        start=max(1, request.args.get("at", 1, type=int) or 1),
        views=listing.VIEWS,
        counts=listing.counts(scope, now),
        total=listing.total(scope, filters, now),
        channels=channels,
        unknown_channels=[one for one in filters.channels if one not in {row.code for row in channels}],
        nodes=_nodes(scope),
        placed=PLACED,
        promises=PROMISE,
        due=DUE,
        icons=CHANNEL_ICONS,
        may_act=scope.actor.may("orders:write") and "order_actions.bulk" in current_app.view_functions,
    )


@blueprint.get("/orders/export.csv", endpoint="export")
@page("orders:read")
def export_orders() -> Response:
    """The list as a file, with the same filters."""
    scope, filters = current(), Filters.read(request.args)
    answer = Response(export.stream(scope.tenant_id, scope.actor, filters), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="orders-{filters.view}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _row(order: dict[str, Any], scope: Scope, now: Any) -> dict[str, Any]:
    parts, words = summary.bar(order["lines"], now, held=bool(order["holds"]))
    stands, day = summary.promise(order["lines"], now, order["buyer_zone"], scope.tenant.timezone)
    return {
        **order,
        "url": url_for("order_pages.detail", order_id=order["id"]),
        "parts": parts,
        "words": words,
        "s": stands,
        "day": day,
        "town": summary.town(order["ship_to"]),
        "name": order["customer"].get("name") or order["customer"].get("email", ""),
    }


def _channels(scope: Scope) -> list[Any]:
    return scope.rows("SELECT code, name FROM channels WHERE tenant_id = :tenant ORDER BY name")


def _nodes(scope: Scope) -> list[Any]:
    return scope.rows("SELECT code, name FROM nodes WHERE tenant_id = :tenant ORDER BY name LIMIT 200")


DIALOGS = {
    "cancel": "cancel-units",
    "hold": "hold-order",
    "address": "change-address",
    "address_request": "address-request",
}
"""Acts that ask for something first: the dialog each opens."""
OTHER_PAGES = {"delay": "delay_pages.form", "delay_answer": "delay_pages.answer_form"}
"""Acts with a page of their own."""


@blueprint.get("/orders/<uuid:order_id>", endpoint="detail")
@page("orders:read")
def detail(order_id: UUID) -> str:
    """One order as one story."""
    scope = current()
    told = story(scope, order_id, request.args.get("show", ""))
    asked = request.args.get("why") == "all" and bool(told["decisions"])
    may_act = scope.actor.may("orders:write")
    urls = {act["key"]: _act_url(act["key"], order_id) for act in told["acts"] if not act["refused"]}
    urls = {key: url for key, url in urls.items() if url}
    shown = [act for act in told["acts"] if act["refused"] or act["key"] in urls]
    for due in told["refunds"]:
        due["url"] = address("refund_pages.detail", due_id=due["id"])
    return render_template(
        "orders/detail.html",
        **told,
        dropped_asked=asked,
        dropped=without_each(scope, order_id, told["names"]) if asked else None,
        bases=bases(scope, order_id),
        may_act=may_act,
        act_urls=urls if may_act else {},
        act_dialogs=set(urls) & set(DIALOGS) if may_act else set(),
        act_items=[_act_item(act, urls) for act in shown],
        tab_links=[
            {
                "label": label,
                "url": url_for("order_pages.detail", order_id=order_id, show=key or None) + "#timeline",
                "current": key == told["tab"],
            }
            for key, label in told["tabs"].items()
        ],
        channel_icons=CHANNEL_ICONS,
        buyer_url=links.url(scope.tenant_id, order_id),
        proof_url=address("proof_pages.pdf", order_id=order_id),
        queue_url=address("exception_pages.queue", _anchor="list"),
    )


def _act_url(key: str, order_id: UUID) -> str:
    """Where an act is done; empty when this installation does not serve it."""
    endpoint = OTHER_PAGES.get(key) or f"order_actions.{key.partition(':')[0]}"
    served = endpoint in current_app.view_functions
    return url_for(endpoint, order_id=order_id) if served else ""


def _act_item(act: dict[str, Any], urls: dict[str, str]) -> dict[str, Any]:
    key, _, kind = act["key"].partition(":")
    return {
        **act,
        "url": urls.get(act["key"], ""),
        "method": "get" if key in OTHER_PAGES else "post",
        "dialog": DIALOGS.get(key, ""),
        "fields": {"kind": kind} if kind else {},
    }
