"""The network as pages: the map with its work, one node, and the form that makes or changes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.entries import address, place
from app.forms import Form
from app.network import cells, entry, listing
from app.network.health import MANY_REFUSED, NEARLY_FULL, Health, health, week
from app.network.rules import code_error
from app.network.service import put_node
from app.pages import register_nav, toast
from app.web import page
from infra.clock import real_now
from infra.errors import Problem, not_found
from tenants.scope import Scope, current

blueprint = Blueprint("network_pages", __name__, template_folder="templates")
register_nav("Supply", "Network", "network_pages.nodes", "map-pin", permission="nodes:read", order=30)

STATES = {
    "late": "Past promise",
    "busy": "Full or nearly full",
    "refuses": "Refuses or rests",
    "closed": "Closed",
}
RANK = ("late", "risk", "due", "idle")


@dataclass(frozen=True)
class Shown:
    """A node's row with how it stands."""

    node: Any
    health: Health


@blueprint.get("/network", endpoint="nodes")
@page("nodes:read")
def nodes() -> str:
    """Every node on the map and in the table, with how full its day is, its work and its health."""
    found = _shown(current())
    kind, state, q = (request.args.get(name, "").strip() for name in ("kind", "state", "q"))
    shown = [one for one in found if _fits(one, kind, state, q.casefold())]
    return render_template(
        "network/list.html",
        nodes=shown,
        pins=[_pin(one) for one in shown if one.node.latitude is not None and one.node.kind != "virtual"],
        total=len(found),
        counts=[(key, sum(one.node.kind == key for one in found)) for key in entry.KINDS],
        states=[(key, words, sum(_is(one, key) for one in found)) for key, words in STATES.items()],
        kind=kind,
        state=state,
        q=q,
        kinds=entry.KINDS,
        work=sum(one.node.work for one in shown),
        over=sum(one.node.over for one in shown),
        import_url=address("imports_pages.new", kind="nodes"),
    )


def _shown(scope: Scope) -> list[Shown]:
    """All nodes, those that need a look first, then the fullest."""
    now = scope.now()
    loads = listing.loads(scope, now)
    found = [
        Shown(row, health(row._mapping, loads.get(row.id, {}), now)) for row in listing.nodes(scope, now)
    ]
    return sorted(
        found, key=lambda one: (RANK.index(one.health.s), -(one.health.day.share or 0), -one.node.work)
    )


def _fits(one: Shown, kind: str, state: str, q: str) -> bool:
    row = one.node
    known = row.kind == kind or kind not in entry.KINDS
    words = f"{row.code} {row.name} {row.address.get('city', '')} {row.address.get('region', '')}".casefold()
    return known and (state not in STATES or _is(one, state)) and q in words


def _is(one: Shown, state: str) -> bool:
    if state == "busy":
        return (one.health.day.share or 0) >= NEARLY_FULL
    if state == "refuses":
        return bool(one.node.cooling) or (one.health.refusal_share or 0) >= MANY_REFUSED
    return bool(one.node.over) if state == "late" else not one.node.open


def _pin(one: Shown) -> dict[str, Any]:
    """The larger the mark, the more a day can hold; its fill is how full that day is."""
    row, day = one.node, one.health.day
    given = f"{day.packages:,} of {day.capacity:,}" if day.capacity is not None else f"{row.work:,} open"
    worst = f", {one.health.faults[0][1].lower()}" if one.health.s == "late" else ""
    return {
        "name": row.name,
        "longitude": row.longitude,
        "latitude": row.latitude,
        "kind": row.kind,
        "work": day.capacity if day.capacity is not None else row.work,
        "share": 1.0 if day.share is None else day.share,
        "note": f"{given}{worst}" if row.open or row.work else "closed",
        "s": one.health.s,
        "role": "" if row.open or row.work else "off",
        "url": url_for("network_pages.detail", code=row.code),
    }


@blueprint.get("/network/nodes/<code>", endpoint="detail")
@page("nodes:read")
def detail(code: str) -> str:
    """One node: its days, its work, its health, its stock, who serves it, and how it is set up."""
    scope, now = current(), current().now()
    node = None if code_error(code) else listing.node(scope, code, now)
    if node is None:
        raise not_found("node")
    loads = listing.loads(scope, now).get(node.id, {})
    stands = health(node._mapping, loads, now)
    open_days = node.calendar.get("open_days", list(entry.WORKING_DAYS))
    return render_template(
        "network/detail.html",
        node=node,
        kind=entry.KINDS[node.kind],
        health=stands,
        week=week(node._mapping, loads, now),
        resting=listing.resting(scope, node.id, now),
        pins=[_pin(Shown(node, stands)) | {"role": "", "url": ""}] if node.latitude is not None else [],
        grants=listing.grants(scope, code, real_now()),
        stock=listing.stock(scope, node.id),
        work=listing.next_work(scope, node.id),
        days=[(words, day in open_days) for day, words in entry.DAYS.items()],
        hours=cells.hours_text(node.calendar.get("hours", {})).splitlines(),
        capabilities=[entry.CAPABILITY_WORDS.get(code, code.capitalize()) for code in node.capabilities],
        served=cells.zones_text(node.zones).split("\n") if node.zones else [],
        closed=[
            date.fromisoformat(day)
            for day in sorted(node.calendar.get("closed", []))
            if day >= str(now.date())
        ],
        currency=scope.tenant.currency,
        address=address,
    )


@blueprint.get("/network/new", endpoint="new")
@page("nodes:write")
def new() -> str:
    """An empty form, open on working days."""
    sent = MultiDict({"kind": "warehouse", "country": "US", "priority": "100", "open": "1"})
    sent.setlist("open_days", list(entry.WORKING_DAYS))
    return render_template("network/edit.html", **_context(Form(sent), None))


@blueprint.post("/network/new", endpoint="create")
@page("nodes:write")
def create() -> Any:
    """Make a node by the verb of `PUT /v1/nodes/{code}`; one that is there already is not overwritten."""
    form = Form(request.form)
    code = form.value("code").strip()
    if wrong := code_error(code):
        form.errors["code"] = wrong if code else "Enter a code: files and providers name the node by it."
    elif listing.node_row(current(), code) is not None:
        form.errors["code"] = f"{code} is in the network already. Open it to change it."
    return _save(form, code, None)


@blueprint.get("/network/nodes/<code>/edit", endpoint="edit")
@page("nodes:write")
def edit(code: str) -> str:
    """The form of a node that is there."""
    kept = _kept(code)
    sent = MultiDict(entry.values(kept._mapping, current().tenant.currency))
    return render_template("network/edit.html", **_context(Form(sent), kept))


@blueprint.post("/network/nodes/<code>/edit", endpoint="save")
@page("nodes:write")
def save(code: str) -> Any:
    """Replace a node."""
    return _save(Form(request.form), code, _kept(code))


def _save(form: Form, code: str, kept: Any) -> Any:
    given = entry.read(form, current().tenant.currency, kept._mapping if kept else None)
    if not form.has_faults:
        try:
            put_node(current(), code, given)
            return _saved(code, given["name"])
        except Problem as problem:
            if problem.errors:
                place(form, problem.errors, entry.POINTERS)
            else:
                form.refused(problem)
    return render_template("network/edit.html", **_context(form, kept)), 422


def _saved(code: str, name: str) -> Response:
    toast(f"{name} saved. New orders are routed with it from now on.")
    return redirect(url_for("network_pages.detail", code=code), 303)


def _context(form: Form, kept: Any) -> dict[str, Any]:
    return {
        "form": form,
        "kept": kept,
        "kinds": entry.KINDS,
        "days": entry.DAYS,
        "zones": entry.ZONES,
        "capabilities": entry.CAPABILITY_WORDS,
        "cards": listing.card_names(current()),
        "currency": current().tenant.currency,
    }


def _kept(code: str) -> Any:
    row = None if code_error(code) else listing.node_row(current(), code)
    if row is None:
        raise not_found("node")
    return row
