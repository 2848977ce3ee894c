"""Inventory as pages: items by node, one position with its ledger, adjustments, and differences to decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.allocation import counts
from app.allocation.adjustments import adjust
from app.allocation.schemas import StockAdjustmentIn
from app.entries import address, csv_file, loaded, place
from app.forms import Form
from app.inbound.queries import coming
from app.inventory import listing
from app.inventory.listing import VIEWS, Filters
from app.inventory.vocabulary import DISPOSITIONS
from app.pages import register_nav, toast
from app.shapes import MOST_QUANTITY, cursor
from app.web import page
from infra.errors import Problem, not_found
from tenants.scope import Scope, current

blueprint = Blueprint("inventory_pages", __name__, template_folder="templates")
register_nav("Supply", "Inventory", "inventory_pages.grid", "packages", permission="stock:read", order=20)

COLUMNS = ("sku", "title", "node", "disposition", "segment", "on_hand", "reserved", "safety", "can_sell")
MOST_NODES = 16
"""Nodes that get a column of their own; the rest share one."""
WEEKS = 8
DISPOSITION_WORDS = {
    "sellable": "Sellable",
    "damaged": "Damaged",
    "quarantine": "In quarantine",
    "on_hold": "On hold",
    "in_transit": "In transit",
    "returned_to_grade": "Returned, to be graded",
}
CAUSES = {
    "adjustment": ("Adjusted", "adjustments-horizontal"),
    "receipt": ("Received", "package"),
    "count": ("Counted", "clipboard-check"),
    "shipment": ("Shipped", "truck"),
    "return": ("Came back", "truck-return"),
    "transfer_in": ("Transferred in", "transfer"),
    "transfer_out": ("Transferred out", "transfer"),
    "hold": ("Put on hold", "lock"),
    "unhold": ("Hold lifted", "lock-open"),
}
CASE_KINDS = {"count": "Count differs", "rejection": "Rejected by the node"}
CASE_STATES = {"open": "To decide", "accepted": "Count believed", "dismissed": "Books believed"}
POINTERS = {
    "/node": "node",
    "/sku": "sku",
    "/delta": "units",
    "/on_hand": "units",
    "/safety": "units",
    "/disposition": "disposition",
    "/segment": "segment",
    "/reason": "reason",
    "/reference": "reference",
    "/cause": "how",
}
HOW = {
    "receipt": ("Receive units", "They arrived at the node"),
    "add": ("Add units", "Found, returned outside an order, put right"),
    "remove": ("Take units away", "Lost, broken, used up"),
    "set": ("Set the units on hand", "Somebody counted, and the count is right"),
    "safety": ("Set the safety stock", "Units that are kept back from sale here"),
}

SETS = {"set": "on_hand", "safety": "safety"}
"""Ways that say a number instead of a change."""


@blueprint.get("/inventory", endpoint="grid")
@page("stock:read")
def grid() -> str:
    """Items by node: what can be sold where, with what is reserved, kept back and waited for."""
    scope, filters = current(), Filters.read(request.args)
    after, before = (request.args.get(name, "").replace("\x00", "") for name in ("after", "before"))
    found = listing.items(scope, filters, after, before)
    nodes = listing.nodes(scope)
    rows = listing.cells(scope, [row.id for row in found.rows])
    if filters.node:
        own = {node.id for node in nodes if node.code == filters.node}
        rows = [row for row in rows if row.node_id in own]
    columns, has_rest = _columns(nodes, rows)
    ids = [row.id for row in found.rows]
    return render_template(
        "inventory/grid.html",
        found=found,
        items=_items(found.rows, rows, listing.waiting(scope, ids), coming(scope, ids), columns),
        columns=columns,
        has_rest=has_rest,
        nodes=nodes,
        filters=filters,
        views=VIEWS,
        open_cases=listing.case_counts(scope).get("open", 0),
        start=max(1, request.args.get("at", 1, type=int)),
        size=listing.PAGE,
        catalog_url=address("catalog_pages.new"),
        import_url=address("imports_pages.new", kind="stock"),
    )


def _columns(nodes: list[Any], rows: list[Any]) -> tuple[list[Any], bool]:
    """The nodes that hold most of these items, by name; whether any other holds some."""
    there: dict[UUID, int] = {}
    for row in rows:
        there[row.node_id] = there.get(row.node_id, 0) + int(row.on_hand)
    fullest = sorted(there, key=lambda node: (-there[node], str(node)))[:MOST_NODES]
    shown = [node for node in nodes if node.id in fullest]
    return shown, len(there) > len(shown)


def _items(
    skus: list[Any], rows: list[Any], waiting: dict[UUID, int], to_come: dict[UUID, Any], columns: list[Any]
) -> list[dict[str, Any]]:
    by_sku: dict[UUID, dict[UUID, Any]] = {}
    for row in rows:
        by_sku.setdefault(row.sku_id, {})[row.node_id] = row
    shown = {node.id for node in columns}
    items = []
    for sku in skus:
        cells = by_sku.get(sku.id, {})

        def total(name: str, cells: dict[UUID, Any] = cells) -> int:
            return sum(int(getattr(row, name)) for row in cells.values())

        items.append(
            {
                "sku": sku,
                "cells": cells,
                **{name: total(name) for name in ("on_hand", "reserved", "safety", "can_sell", "apart")},
                "waiting": waiting.get(sku.id, 0),
                "coming": to_come.get(sku.id),
                "most": max((int(row.can_sell) for row in cells.values()), default=0),
                "rest": sum(int(row.can_sell) for node, row in cells.items() if node not in shown),
            }
        )
    return items


@blueprint.get("/inventory/export.csv", endpoint="export")
@page("stock:read")
def export_positions() -> Response:
    """Every position of the list as a file."""
    rows = listing.exported(current(), Filters.read(request.args))
    return csv_file("inventory", COLUMNS, ([getattr(row, name) for name in COLUMNS] for row in rows))


@blueprint.get("/inventory/positions/<uuid:position_id>", endpoint="position")
@page("stock:read")
def position(position_id: UUID) -> str:
    """One item at one node in one condition: its numbers, and the rows behind each of them."""
    scope = current()
    siblings = listing.beside(scope, position_id)
    own = next((row for row in siblings if row.id == position_id), None)
    if own is None:
        raise not_found("position")
    days, stock, has_history = _history(scope, position_id, own.on_hand)
    return render_template(
        "inventory/position.html",
        own=own,
        siblings=siblings,
        dispositions=DISPOSITION_WORDS,
        causes=CAUSES,
        moves=listing.movements(scope, position_id, own.on_hand, cursor(request.args.get("before"))),
        holders=listing.holders(scope, position_id),
        waiting=listing.waiting(scope, [own.sku_id]).get(own.sku_id, 0),
        open_cases=listing.open_cases(scope, own.sku_id, own.node_id),
        case_kinds=CASE_KINDS,
        days=days,
        stock=stock,
        has_history=has_history,
        weeks=WEEKS,
        address=address,
    )


def _history(scope: Scope, position_id: UUID, on_hand: int) -> tuple[list[date], list[int], bool]:
    """The last weeks' days, the units on hand at the end of each, walked back from today's, and whether they
    changed on more days than one: else a number says it all."""
    zone = ZoneInfo(scope.tenant.timezone)
    today = scope.now().astimezone(zone).date()
    first = today - timedelta(days=7 * WEEKS)
    moved = listing.daily(scope, position_id, zone.key, datetime.combine(first, time.min, zone))
    days = [first + timedelta(days=at) for at in range(7 * WEEKS + 1)]
    stock, units = [], on_hand - sum(units for day, units in moved.items() if day > today)
    for day in reversed(days):
        stock.append(units)
        units -= moved.get(day, 0)
    return days, stock[::-1], len(moved) > 1 or bool(moved and stock[-1])


@blueprint.get("/inventory/adjust", endpoint="adjust")
@page("stock:write")
def adjust_form() -> str:
    """The form of one adjustment; item, node and condition may come with the address."""
    given = {
        name: request.args.get(name, "").replace("\x00", "")
        for name in ("sku", "node", "disposition", "segment")
    }
    how = "receipt" if request.args.get("cause") == "receipt" else ""
    return render_template("inventory/adjust.html", **_context(Form({**given, "how": how})))


@blueprint.post("/inventory/adjust", endpoint="save")
@page("stock:write")
def save() -> Any:
    """Adjust stock by the verb of `POST /v1/stock/adjustments`."""
    form = Form(request.form)
    how = form.choice("how", HOW)
    units = form.whole("units", 0 if how in SETS else 1, MOST_QUANTITY)
    if how in SETS:
        change = {SETS[how]: units}
    else:
        change = {"delta": -(units or 1) if how == "remove" else units or 1}
    body = {
        "node": form.text("node", "Choose the node."),
        "sku": form.text("sku", "Enter the item's code."),
        "disposition": form.value("disposition") or "sellable",
        "segment": form.text("segment", most=60) or "shared",
        "reason": form.text("reason", "Say why: it stands in the ledger for good.", most=500),
        "reference": form.text("reference", most=255),
        "cause": "receipt" if how == "receipt" else "adjustment",
        **change,
    }
    given = {} if form.has_faults else loaded(form, StockAdjustmentIn(), body, POINTERS)
    if given:
        try:
            return _adjusted(adjust(current(), [given], single=True)[0])
        except Problem as problem:
            if not problem.errors:
                form.refused(problem)
            place(form, problem.errors, POINTERS)
    return render_template("inventory/adjust.html", **_context(form)), 422


def _adjusted(found: dict[str, Any]) -> AnyResponse:
    kept = f", {found['safety']:,} of them kept back" if found["safety"] else ""
    toast(f"{found['sku']} at {found['node']}: {found['on_hand']:,} on hand now{kept}.")
    return redirect(url_for("inventory_pages.position", position_id=found["id"]), 303)


def _context(form: Form) -> dict[str, Any]:
    scope = current()
    return {
        "form": form,
        "address": address,
        "nodes": listing.nodes(scope),
        "standing": listing.standing(
            scope, *(form.value(name).replace("\x00", "").strip() for name in ("sku", "node"))
        ),
        "channels": scope.rows("SELECT code, name FROM channels WHERE tenant_id = :tenant ORDER BY name"),
        "dispositions": {key: DISPOSITION_WORDS[key] for key in DISPOSITIONS},
        "how": HOW,
    }


@blueprint.get("/inventory/cases", endpoint="cases")
@page("stock:read")
def cases() -> str:
    """Counts that disagree with the books, and units that a node could not ship."""
    return _cases_page()


@blueprint.post("/inventory/cases/<uuid:case_id>/acceptance", endpoint="accept")
@page("stock:write")
def accept(case_id: UUID) -> Any:
    """Believe the count: stock is adjusted to it."""
    return _decide(counts.accept, case_id, "The count stands: {sku} at {node} was adjusted.")


@blueprint.post("/inventory/cases/<uuid:case_id>/dismissal", endpoint="dismiss")
@page("stock:write")
def dismiss(case_id: UUID) -> Any:
    """Believe the books: the count changes nothing."""
    return _decide(counts.dismiss, case_id, "The books stand: {sku} at {node} is as before.")


def _decide(verb: Callable[[Scope, UUID, str], dict[str, Any]], case_id: UUID, words: str) -> Any:
    form = Form(request.form)
    note = form.text("note", most=500)
    if not form.has_faults:
        try:
            found = verb(current(), case_id, note)
            toast(words.format(**found))
            return redirect(url_for("inventory_pages.cases"), 303)
        except Problem as problem:
            if problem.status == 404:
                raise
            form.refused(problem)
    return _cases_page(form, case_id), 409 if form.problems else 422


def _cases_page(form: Form | None = None, case_id: UUID | None = None) -> str:
    scope = current()
    state = request.args.get("state", "open")
    state = state if state in CASE_STATES else "open"
    found = listing.cases(scope, state, cursor(request.args.get("before")))
    return render_template(
        "inventory/cases.html",
        found=found,
        counts=listing.case_counts(scope),
        state=state,
        states=CASE_STATES,
        kinds=CASE_KINDS,
        form=form or Form(),
        asked=case_id,
        address=address,
    )
