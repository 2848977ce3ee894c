"""What-if as pages: choose weeks and two versions, watch it run, and see what would have been otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.entries import address, csv_file
from app.forms import Form
from app.money import Money
from app.pages import formats, toast
from app.routing import guard_rails, queries, runs, service, simulations
from app.routing.compared import compared, waterfall
from app.shapes import identifier
from app.web import page
from infra.errors import Problem
from tenants.scope import current

blueprint = Blueprint("what_if_pages", __name__, template_folder="templates")

WEEKS = (1, 2, 4, 8, 13, 26)
PAGE = 20
STATES = {
    "queued": ("due", "Waiting"),
    "running": ("due", "Running"),
    "done": ("kept", "Done"),
    "failed": ("late", "Failed"),
    "cancelled": ("idle", "Canceled"),
}
CELLS = ("nodes", "packages", "cost", "miles", "transit_days", "days_late", "lost_units", "sentence")
VERSION_STATES = {"draft": "draft", "simulated": "draft", "active": "in force", "retired": "retired"}


@blueprint.get("/routing/what-if", endpoint="list")
@page("routing:read")
def list_what_ifs() -> str:
    """The form, the guard-rails, and what was tried before."""
    return _list(Form(request.args))


@blueprint.post("/routing/what-if", endpoint="start")
@page("routing:write")
def start() -> Response | tuple[str, int]:
    """Queue one."""
    form = Form(request.form)
    version, against, weeks = (_number(form.value(name)) for name in ("version", "against", "weeks"))
    if version is None:
        form.errors["version"] = "Choose a version."
    elif weeks not in WEEKS:
        form.errors["weeks"] = "Choose one of the list."
    else:
        try:
            made = runs.start(current(), version, against=against, weeks=weeks)
            return redirect(url_for("what_if_pages.detail", simulation_id=made), 303)
        except Problem as problem:
            form.refused(problem, _field(problem))
    return _list(form), 422


def _field(problem: Problem) -> str:
    """The field of the form that a refusal is about."""
    named = problem.errors[0].pointer if problem.errors else ""
    return {"/from": "weeks", "/against": "against"}.get(named, "")


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _list(form: Form) -> str:
    scope = current()
    versions = queries.versions(scope, limit=50)["data"]
    active = queries.active(scope)
    draft = queries.newest_draft(scope, active["version"] if active else 0)
    after = request.args.get("after") or None
    found = simulations.listed(scope, limit=PAGE, after=after)
    return render_template(
        "routing/simulations.html",
        form=form,
        versions=[_option(one) for one in versions],
        chosen=form.value("version", draft or (versions[0]["version"] if versions else "")),
        weeks=[(str(count), formats.plural(count, "week")) for count in WEEKS],
        rails=guard_rails.of(scope),
        names=guard_rails.RAILS,
        found=[_timed(one) for one in found["data"]],
        next=found["next"],
        is_first=after is None,
        is_open=any(one["state"] in runs.OPEN for one in found["data"]),
        states=STATES,
    )


def _option(version: dict[str, Any]) -> tuple[str, str]:
    name, state = version["document"].get("name", ""), VERSION_STATES[version["state"]]
    return str(version["version"]), f"v{version['version']}, {state}: {name}"


@blueprint.get("/routing/what-if/<simulation_id>", endpoint="detail")
@page("routing:read")
def detail(simulation_id: str) -> str:
    """How far it is; then what both versions came to, side by side."""
    return _detail(identifier(simulation_id))


def _detail(simulation_id: UUID, problem: Problem | None = None) -> str:
    scope = current()
    one = simulations.one(scope, simulation_id)
    first = _number(request.args.get("from", "")) or 0
    looked_at = queries.version(scope, one["version"])
    active = runs.compared_with(scope, looked_at["scope"])
    nodes = one["nodes"]
    return render_template(
        "routing/simulation.html",
        one=_timed(one),
        states=STATES,
        names={name: _name(one[side]) for name, side in (("before", "against"), ("after", "version"))},
        figures=compared(one["before"], one["after"], one["currency"]) if one["before"] else [],
        steps=waterfall(one["before"], one["after"]) if one["before"] else [],
        broken=[rail for rail in one["guard_rails"] if not rail["passed"]],
        rails=[(label, _rail(one, name)) for name, label in guard_rails.RAILS.items()],
        most=max((side[key]["packages"] for side in nodes for key in ("before", "after")), default=1) or 1,
        places=_places(nodes),
        changes=one["changes"][first : first + PAGE],
        first=first,
        size=PAGE,
        looked_at=looked_at,
        replaces=active["version"] if active is not None and active["scope"] == looked_at["scope"] else "",
        blocks=guard_rails.of(scope)["block"],
        order_url=lambda order: address("order_pages.detail", order_id=order),
        problem=problem,
        refusal=problem.detail.removesuffix(guard_rails.ASIDE) if problem else "",
    )


def _rail(one: dict[str, Any], name: str) -> dict[str, Any] | None:
    """What came of a guard-rail; None where it is not watched."""
    return next((rail for rail in one["guard_rails"] if rail["rail"] == name), None)


def _places(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The nodes that lie on the map, with the packages of both versions."""
    where = queries.where(current(), [row["node"] for row in nodes])
    return [
        {
            "name": row["name"],
            "longitude": where[row["node"]][0],
            "latitude": where[row["node"]][1],
            "bars": (row["before"]["packages"], row["after"]["packages"]),
        }
        for row in nodes
        if row["node"] in where and row["kind"] != "virtual"
    ]


@blueprint.get("/routing/what-if/<simulation_id>/changes.csv", endpoint="export")
@page("routing:read")
def export(simulation_id: str) -> Response:
    """The orders that go otherwise as a file: a line an order, both versions side by side."""
    one = simulations.one(current(), identifier(simulation_id))
    rows = (
        [row["number"], *_cells(row["before"], one["currency"]), *_cells(row["after"], one["currency"])]
        for row in one["changes"]
    )
    columns = ["order", *(f"{side}_{name}" for side in ("before", "after") for name in CELLS)]
    return csv_file(f"what-if-v{one['version']}-v{one['against']}", columns, rows)


def _cells(outcome: dict[str, Any], currency: str) -> list[Any]:
    """One version's part of a line: the nodes in the order of their codes, the cost in major units."""
    nodes = " ".join(sorted({part["node"] for part in outcome["plan"]}))
    cost = str(Money(outcome["cost"], currency).decimal())
    return [nodes, *({**outcome, "cost": cost}[name] for name in CELLS[1:])]


def _name(version: int) -> str:
    return f"v{version}" if version else "Kept’s default"


@blueprint.post("/routing/what-if/<simulation_id>/cancellation", endpoint="cancel")
@page("routing:write")
def cancel(simulation_id: str) -> Response:
    """Stop one that runs."""
    runs.cancel(current(), identifier(simulation_id))
    toast("The what-if is stopped.")
    return redirect(url_for("what_if_pages.detail", simulation_id=simulation_id), 303)


@blueprint.post("/routing/what-if/<simulation_id>/resumption", endpoint="resume")
@page("routing:write")
def resume(simulation_id: str) -> Response:
    """Go on with one that failed."""
    runs.resume(current(), identifier(simulation_id))
    toast("The what-if goes on.")
    return redirect(url_for("what_if_pages.detail", simulation_id=simulation_id), 303)


@blueprint.post("/routing/what-if/<simulation_id>/activation", endpoint="activate")
@page("routing:write")
def activate(simulation_id: str) -> Any:
    """Put the version that was looked at in force; with a reason also past guard-rails."""
    scope, form = current(), Form(request.form)
    one = simulations.one(scope, identifier(simulation_id))
    reason = form.text("reason", most=500)
    try:
        service.activate(scope, one["version"], _number(form.value("replaces")), reason)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _detail(identifier(simulation_id), problem), 409
    toast(f"Version {one['version']} is in force. New orders are routed by it.")
    return redirect(url_for("routing_pages.rules"), 303)


@blueprint.post("/routing/guard-rails", endpoint="guard_rails")
@page("routing:write")
def set_guard_rails() -> Response | tuple[str, int]:
    """Set all guard-rails; an empty field watches nothing."""
    form = Form(request.form)
    given: dict[str, Any] = {name: form.percent(name, 1000, "or nothing") for name in guard_rails.RAILS}
    if form.errors:
        return _list(form), 422
    guard_rails.change(current(), given | {"block": form.value("block") == "1"})
    toast("The guard-rails are set.")
    return redirect(url_for("what_if_pages.list"), 303)


def _timed(one: dict[str, Any]) -> dict[str, Any]:
    """The what-if with its times as times."""
    names = ("since", "until", "created_at", "finished_at")
    return {**one, **{name: one[name] and datetime.fromisoformat(one[name]) for name in names}}
