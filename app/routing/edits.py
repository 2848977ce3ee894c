"""Editing routing rules as a page: a form of all rules; nothing is kept until it is saved as a new version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import redirect, render_template, request, url_for

from app.pages import toast
from app.routing import choices, clauses, entry, phrases, queries, sections, sent, service
from app.routing.documents import default_document, parse, validate
from app.routing.entry import AllotmentEntry, Entry, RouteEntry, RuleEntry
from app.routing.faults import Fault, by_field, faults
from app.routing.phrases import Piece
from app.routing.policy import DEFAULT_SCOPE, Release, Reroute
from app.routing.ready import template, templates
from app.routing.trying import Attempt, attempted
from app.routing.views import blueprint
from app.routing.vocabulary import ON_LINES, TERMS
from app.web import page
from infra.errors import Problem, not_found
from tenants.scope import current

OBJECTIVES = {
    **{word: f"{said[:1].upper()}{said[1:]}" for word, said in clauses.OBJECTIVES.items()},
    "cost": "Lowest cost of …",
    "lexicographic": "Step by step: the least of …, then of …",
    "score": "Best score of weighted figures …",
}
LISTS = {"r": "routes", "a": "allotments"}
"""First letters of what moves in lists of its own; rules have none."""


@dataclass
class Look:
    """How the form stands: what is in it, what is wrong, what came of trying, and what is shown beside it."""

    entry: Entry
    source: int
    note: str = ""
    errors: list[dict[str, str]] = field(default_factory=list)
    checked: bool = False
    attempt: Attempt = field(default_factory=Attempt)
    opened: str = ""


@blueprint.get("/routing/edit", endpoint="edit")
@page("routing:write")
def edit() -> str:
    """The rules of a version, of a template, or of what is in force, as fields."""
    scope = current()
    given = request.args.get("from", "")
    numbered = given.isascii() and given.isdigit() and len(given) < 10 and int(given) > 0
    found = queries.version(scope, int(given)) if numbered else queries.active(scope)
    document, source = (found["document"], found["version"]) if found else (default_document(), 0)
    if code := request.args.get("template"):
        ready = template(code)
        if ready is None:
            raise not_found("template")
        document = ready.document
    if validate(document):
        document = default_document()
    shown = entry.entry_of(document, scope.tenant.currency)
    return _form(Look(shown, source, opened=request.args.get("open", "")))


@blueprint.post("/routing/edit", endpoint="save")
@page("routing:write")
def save() -> Any:
    """Rearrange, check, try or save the rules as they were sent; only saving keeps anything."""
    scope = current()
    action, _, at = request.form.get("action", "save").partition("-")
    look = Look(
        sent.read(request.form),
        int(request.form.get("source", 0, type=int) or 0),
        request.form.get("note", "").replace("\x00", "").strip()[:500],
    )
    if action in ("up", "down", "remove", "add"):
        look.opened = rearranged(look.entry, action, at, _order(at))
        return _form(look)
    document = sent.document(look.entry, scope.tenant.currency)
    look.errors = validate(document)
    if action == "look":
        if not look.errors:
            look.attempt = _attempt(document)
        return _form(look)
    if action == "try" and not look.errors:
        look.attempt = _attempt(document)
        return _form(look), 422 if look.attempt.errors else 200
    if look.errors:
        return _form(look), 422
    if action == "check":
        look.checked = True
        return _form(look)
    try:
        version = service.write(scope, document, look.note)
    except Problem as problem:
        look.errors = [
            {"pointer": e.pointer.removeprefix("/document"), "message": e.message} for e in problem.errors
        ]
        return _form(look), problem.status
    toast(f"Draft v{version} is saved. It decides nothing until it is published.")
    return redirect(url_for("routing_pages.rules", version=version), 303)


def _attempt(document: dict[str, Any]) -> Attempt:
    entries = {key.removeprefix("try-"): value for key, value in request.form.items()}
    return attempted(current(), parse(document), entries)


def _order(at: str) -> list[str]:
    """The names of the entries of one list in the order in which they stood on the page."""
    return request.form.getlist({"r": "route", "a": "allotment"}.get(at[:1], "rule"))


def rearranged(given: Entry, action: str, at: str, order: Sequence[str]) -> str:
    """Move an entry, take it away or add one, in place; the id of the field to open, empty for none.

    `at` is the entry's name (`0`, `r0`, `a0`), or the kind to add: `rule`, `route`, `allotment`.
    """
    if action == "add":
        return _added(given, at)
    listed: list[Any] = getattr(given, LISTS.get(at[:1], "rules"))
    place = list(order).index(at) if at in order else -1
    if not 0 <= place < len(listed):
        return ""
    if action == "remove":
        if len(listed) > 1 or at[:1] in LISTS:
            listed.pop(place)
        return ""
    target = place - 1 if action == "up" else place + 1
    if 0 <= target < len(listed):
        listed[place], listed[target] = listed[target], listed[place]
    return ""


def _added(given: Entry, kind: str) -> str:
    """A new rule stands before the last, which is for everything else; anything else stands at the end."""
    if kind == "route":
        given.routes.append(RouteEntry())
        return f"p-r{len(given.routes) - 1}-when"
    if kind == "allotment":
        given.allotments.append(AllotmentEntry(share="10"))
        return f"p-a{len(given.allotments) - 1}-share"
    place = max(0, len(given.rules) - 1)
    given.rules.insert(place, RuleEntry())
    return f"p-{place}-when"


@dataclass
class Shown:
    """One statement as the form shows it: its pieces, or none while it cannot be read."""

    pieces: Sequence[Piece]
    faults: list[Fault]


def _form(look: Look) -> str:
    scope = current()
    currency = scope.tenant.currency
    document = sent.document(look.entry, currency)
    found = faults(look.errors, len(look.entry.rules))
    valid = not validate(document)
    return render_template(
        "routing/edit.html",
        look=look,
        given=look.entry,
        said=_said(document, found, currency),
        errors=by_field(found),
        problems=[fault for fault in found if fault.owner in ("about", "reroute", "release")],
        count=len(look.errors),
        is_valid=valid,
        warnings=queries.strangers(scope, document) if valid else [],
        attempt=look.attempt,
        channels=scope.rows("SELECT code, name FROM channels WHERE tenant_id = :tenant ORDER BY name"),
        nodes=scope.rows(
            "SELECT code, name FROM nodes WHERE tenant_id = :tenant AND kind <> 'virtual' ORDER BY name LIMIT 500"
        ),
        currency=currency,
        objectives=OBJECTIVES,
        of_orders=choices.of_orders(),
        of_lines=choices.of_lines(ON_LINES),
        of_nodes=choices.of_nodes(),
        terms=[(name, f"{term.label[:1].upper()}{term.label[1:]}") for name, term in TERMS.items()],
        sections=sections,
        phrases=phrases,
        clauses=clauses,
        templates=templates(),
        default_scope=DEFAULT_SCOPE,
        as_json=json.dumps(document, indent=2, ensure_ascii=False),
    )


def _said(document: dict[str, Any], found: list[Fault], currency: str) -> dict[str, Shown]:
    """Every statement by its owner's name; each is read by itself, so that one fault does not silence the others."""
    shown: dict[str, Shown] = {}
    for at, strategy in enumerate(document["strategies"]):
        shown[str(at)] = Shown(_pieces(strategy, at == 0, currency), [])
    for at, route in enumerate(document.get("line_routes", ())):
        whole = {"name": "n", "strategies": [{"id": "s"}], "line_routes": [route]}
        read = not validate(whole)
        shown[f"r{at}"] = Shown(
            phrases.route_pieces(parse(whole).line_routes[0], currency) if read else (), []
        )
    for at, one in enumerate(document.get("allotments", ())):
        whole = {"name": "n", "strategies": [{"id": "s"}], "allotments": [one]}
        read = not validate(whole)
        shown[f"a{at}"] = Shown(phrases.allotment_pieces(parse(whole).allotments[0]) if read else (), [])
    for owner in ("reroute", "release"):
        whole = {"name": "n", "strategies": [{"id": "s"}], owner: document.get(owner, {})}
        rule = parse(whole) if not validate(whole) else None
        if owner == "reroute":
            pieces = phrases.reroute_pieces(rule.reroute if rule else Reroute())
        else:
            pieces = phrases.release_pieces(rule.release if rule else Release())
        shown[owner] = Shown(pieces, [])
    for fault in found:
        if fault.owner in shown:
            shown[fault.owner].faults.append(fault)
    return shown


def _pieces(strategy: dict[str, Any], first: bool, currency: str) -> Sequence[Piece]:
    rest = [] if strategy.get("when") is None else [{"id": "the-rest-of-all-orders"}]
    whole = {"name": "n", "strategies": [strategy, *rest]}
    if validate(whole):
        return ()
    return phrases.strategy_pieces(parse(whole).strategies[0], first, currency)
