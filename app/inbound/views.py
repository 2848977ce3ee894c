"""Inbound orders as pages: the list with what is late, one order with its deliveries, and the form that makes or amends
it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.entries import address, loaded, place
from app.forms import Form
from app.inbound import listing, service
from app.inbound.queries import coverage
from app.inbound.rules import STATES, in_words
from app.inbound.schemas import MOST_LINES, InboundIn
from app.inventory.listing import nodes
from app.pages import register_nav, toast
from app.pages.formats import plural
from app.searching import escaped
from app.shapes import MOST_QUANTITY
from app.web import page
from infra.errors import Problem
from tenants.scope import Scope, current

blueprint = Blueprint("inbound_pages", __name__, template_folder="templates")
register_nav("Supply", "Inbound", "inbound_pages.list", "truck-delivery", permission="stock:read", order=25)

MOST = 200
MOST_WAITING = 20
NEW_ROWS = 5
MARKS = {"open": "due", "late": "late", "undated": "risk", "received": "kept", "cancelled": "idle"}
TABS = {"open": "On their way", "late": "Late", "received": "Received", "cancelled": "Canceled"}


@blueprint.get("/inbound", endpoint="list")
@page("stock:read")
def list_inbound() -> str:
    """What is on its way, the next first; what came and what was given up, the newest first."""
    scope = current()
    view = request.args.get("view", "")
    view = view if view in TABS else "open"
    q = request.args.get("q", "").replace("\x00", "").strip()[:200]
    where, values = [listing.VIEWS[view]], dict[str, Any]()
    if q:
        where.append(listing.SEARCHED)
        values = {"q": q, "like": f"%{escaped(q)}%"}
    order = listing.SOONEST if view in ("open", "late") else listing.NEWEST
    found = listing.found(scope, where, values, order, MOST + 1)
    return render_template(
        "inbound/list.html",
        found=found[:MOST],
        has_more=len(found) > MOST,
        most=MOST,
        counts=listing.counts(scope),
        most_counted=listing.MOST_COUNTED,
        tabs=TABS,
        view=view,
        q=q,
        marks=MARKS,
        states=STATES,
    )


@blueprint.get("/inbound/orders/<inbound>", endpoint="detail")
@page("stock:read")
def detail(inbound: str) -> str:
    """One inbound order: its lines, who waits for them, its deliveries and the word of its supplier."""
    return _detail(inbound, Form())


def _detail(inbound: str, form: Form) -> str:
    scope = current()
    found = listing.one(scope, inbound)
    waited, orders = _waiting(scope, found)
    return render_template(
        "inbound/detail.html",
        one=found,
        form=form,
        mark=MARKS[found["state"]],
        state=STATES[found["state"]],
        record=in_words(found["record"]),
        waited=waited,
        orders=orders,
        most=MOST_WAITING,
        address=address,
    )


def _waiting(scope: Scope, found: dict[str, Any]) -> tuple[dict[UUID, int], list[Any]]:
    """Units of each line that orders wait for (by SKU id), and the orders served first."""
    if all(not line["open"] for line in found["lines"]):
        return {}, []
    cover = coverage(scope, [line["sku_id"] for line in found["lines"]])
    units: dict[UUID, int] = {}
    lines: dict[UUID, int] = {}
    for share in cover.shares:
        if share.supply is not None and share.supply.reference == found["reference"]:
            units[share.demand.sku] = units.get(share.demand.sku, 0) + share.units
            lines[share.demand.line] = lines.get(share.demand.line, 0) + share.units
    return units, listing.waiting_orders(scope, list(lines), MOST_WAITING)


@blueprint.post("/inbound/orders/<inbound>/receipts", endpoint="receive")
@page("stock:write")
def receive(inbound: str) -> Response | tuple[str, int]:
    """Take a delivery by the verb of the API."""
    scope, form = current(), Form(request.form)
    found = listing.one(scope, inbound)
    receipt = form.text("receipt", "Enter the number of the delivery note.", most=100)
    units = {}
    for sku in (line["sku"] for line in found["lines"]):
        if form.value(f"units-{sku}").strip() and (count := form.whole(f"units-{sku}", 0, MOST_QUANTITY)):
            units[sku] = count
    if not units and not form.has_faults:
        form.problems.append("Enter how many units came.")
    if not form.has_faults:
        try:
            with scope.session.begin_nested():
                is_new = service.receive(scope, inbound, receipt, units)
            words = f"{plural(sum(units.values()), 'unit')} received. Orders that wait are served first."
            toast(words if is_new else f"Delivery {receipt} was taken before.")
            return redirect(url_for("inbound_pages.detail", inbound=inbound), 303)
        except Problem as problem:
            form.refused(problem)
    return _detail(inbound, form), 409 if form.problems else 422


@blueprint.post("/inbound/orders/<inbound>/cancellation", endpoint="cancel")
@page("stock:write")
def cancel(inbound: str) -> Response | tuple[str, int]:
    """What has not come will not come."""
    scope, form = current(), Form(request.form)
    reason = form.text("reason", most=500)
    if not form.has_faults:
        try:
            with scope.session.begin_nested():
                service.cancel(scope, inbound, reason)
            toast("Canceled. Buyers whose goods it was to bring are dated anew.")
            return redirect(url_for("inbound_pages.detail", inbound=inbound), 303)
        except Problem as problem:
            if problem.status == 404:
                raise
            form.refused(problem)
    return _detail(inbound, form), 409 if form.problems else 422


# ---- make and amend


@blueprint.get("/inbound/new", endpoint="new")
@page("stock:write")
def new() -> str:
    """An empty form."""
    return _form(Form({"sku-0": request.args.get("sku", "").replace("\x00", "")}), None)


@blueprint.post("/inbound/new", endpoint="create")
@page("stock:write")
def create() -> Response | tuple[str, int]:
    """Make it, by the verb of the API. A reference that is there already is not written over."""
    form = Form(request.form)
    reference = form.text("reference", "Enter your number of the order.", most=100)
    if not form.has_faults and listing.exists(current(), reference):
        form.errors["reference"] = f"{reference} is there already. Amend it, or use another number."
    return _saved(form, reference, None)


@blueprint.get("/inbound/orders/<inbound>/edit", endpoint="edit")
@page("stock:write")
def edit(inbound: str) -> str:
    """The form as the order is."""
    found = listing.one(current(), inbound)
    values: dict[str, Any] = {name: str(found[name]) for name in ("supplier", "node", "ordered_on")}
    values["replaces"] = found["revision"]
    for at, line in enumerate(found["lines"]):
        values |= {f"sku-{at}": line["sku"], f"quantity-{at}": str(line["quantity"])}
        values[f"expected-{at}"] = str(line["expected_on"] or "")
    return _form(Form(values), found)


@blueprint.post("/inbound/orders/<inbound>/edit", endpoint="save")
@page("stock:write")
def save(inbound: str) -> Response | tuple[str, int]:
    """Amend it, by the verb of the API."""
    return _saved(Form(request.form), inbound, listing.one(current(), inbound))


def _form(form: Form, found: dict[str, Any] | None) -> str:
    typed = max((at + 1 for at in range(MOST_LINES) if form.value(f"sku-{at}").strip()), default=0)
    return render_template(
        "inbound/edit.html",
        form=form,
        one=found,
        nodes=nodes(current()),
        address=address,
        rows=min(MOST_LINES, max(NEW_ROWS, typed + 2)),
    )


def _saved(form: Form, reference: str, found: dict[str, Any] | None) -> Response | tuple[str, int]:
    if form.value("action") == "rows":
        form.errors.clear()
        return _form(form, found), 200
    body, places = _body(form)
    given = {} if form.has_faults else loaded(form, InboundIn(), body, places)
    if given:
        try:
            with current().session.begin_nested():
                service.put(current(), reference, given)
            toast("Saved. Orders that wait for it are dated anew.")
            return redirect(url_for("inbound_pages.detail", inbound=reference), 303)
        except Problem as problem:
            if not problem.errors:
                form.refused(problem)
            place(form, problem.errors, places)
    return _form(form, found), 409 if form.problems else 422


def _body(form: Form) -> tuple[dict[str, Any], dict[str, str]]:
    """The order as the API takes it, and the field of each pointer."""
    places = {
        "/reference": "reference",
        "/supplier": "supplier",
        "/node": "node",
        "/ordered_on": "ordered_on",
    }
    lines: list[dict[str, Any]] = []
    for at in range(MOST_LINES):
        sku = form.text(f"sku-{at}", most=100)
        if not sku:
            continue
        for name, field in (("sku", "sku"), ("quantity", "quantity"), ("expected_on", "expected")):
            places[f"/lines/{len(lines)}/{name}"] = f"{field}-{at}"
        lines.append(
            {
                "sku": sku,
                "quantity": form.whole(f"quantity-{at}", 1, MOST_QUANTITY),
                "expected_on": _day(form, f"expected-{at}"),
            }
        )
    if not lines:
        form.problems.append("Enter at least one item.")
    body = {
        "supplier": form.text("supplier", "Enter who sends it.", most=200),
        "node": form.text("node", "Choose where it comes to.", most=100),
        "ordered_on": _day(form, "ordered_on"),
        "lines": lines,
        "replaces": form.value("replaces") or None,
    }
    return body, places


def _day(form: Form, name: str) -> str | None:
    given = form.value(name).strip()
    if not given:
        return None
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        form.errors[name] = "Enter a day such as 2026-12-31."
        return None
