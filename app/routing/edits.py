"""Editing routing rules as a page: a form of all rules; nothing is kept until it is saved as a new version."""

from __future__ import annotations

import json
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from app.pages import toast
from app.routing import entry, queries, service, wording
from app.routing.documents import default_document, parse, validate
from app.routing.entry import RuleEntry
from app.routing.trying import Attempt, attempted
from app.routing.views import blueprint
from app.web import page
from infra.errors import Problem
from tenants.scope import current


@blueprint.get("/routing/edit", endpoint="edit")
@page("routing:write")
def edit() -> str:
    """The rules of a version as fields; by default of the one in force."""
    scope = current()
    given = request.args.get("from", "")
    numbered = given.isascii() and given.isdigit() and len(given) < 10 and int(given) > 0
    found = queries.version(scope, int(given)) if numbered else queries.active(scope)
    source = found or {"version": 0, "document": default_document()}
    document = source["document"]
    opened = request.args.get("rule", "0")
    shown = {int(opened)} if opened.isascii() and opened.isdigit() and len(opened) < 4 else set()
    return _form(document["name"], "", entry.entries(document), source["version"], opened=shown)


@blueprint.post("/routing/edit", endpoint="save")
@page("routing:write")
def save() -> Any:
    """Rearrange, check, try or save the rules as they were sent; only saving keeps anything."""
    rules = entry.read(request.form)
    action, _, at = request.form.get("action", "save").partition("-")
    order = request.form.getlist("rule")
    opened = {order.index(one) for one in request.form.getlist("opened") if one in order}
    name, note = (
        request.form.get("name", "").strip(),
        request.form.get("note", "").replace("\x00", "").strip()[:500],
    )
    source = int(request.form.get("source", 0, type=int) or 0)
    place = order.index(at) if at in order else -1
    if action in ("up", "down", "remove", "add", "filter"):
        rules, opened = rearranged(rules, action, place, opened)
        return _form(name, note, rules, source, opened=opened)
    document = entry.document(name, rules)
    errors = validate(document)
    if action == "check" and not errors:
        return _form(name, note, rules, source, checked=True, opened=opened)
    if action == "try" and not errors:
        entries = {key.removeprefix("try-"): value for key, value in request.form.items()}
        found = attempted(current(), parse(document), entries)
        return _form(name, note, rules, source, attempt=found, opened=opened), 422 if found.errors else 200
    if errors:
        return _form(name, note, rules, source, errors=errors, opened=opened), 422
    try:
        version = service.write(current(), document, note)
    except Problem as problem:
        faults = [
            {"pointer": e.pointer.removeprefix("/document"), "message": e.message} for e in problem.errors
        ]
        return _form(name, note, rules, source, errors=faults, opened=opened), problem.status
    toast(f"Draft v{version} is saved. It decides nothing until it is activated.")
    return redirect(url_for("routing_pages.rules", version=version), 303)


def rearranged(
    rules: list[RuleEntry], action: str, place: int, opened: set[int]
) -> tuple[list[RuleEntry], set[int]]:
    """The rules after one of them was moved, taken away, given one more filter, or after a new one was put
    before the last."""
    there = 0 <= place < len(rules)
    if action == "add":
        before_last = max(0, len(rules) - 1)
        rules.insert(before_last, RuleEntry())
        return rules, {before_last}
    if action == "remove" and there and len(rules) > 1:
        rules.pop(place)
        return rules, set()
    target = place - 1 if action == "up" else place + 1
    if action in ("up", "down") and there and 0 <= target < len(rules):
        rules[place], rules[target] = rules[target], rules[place]
        return rules, {target}
    if action == "filter" and there:
        return rules, opened | {place}
    return rules, opened


def _form(
    name: str,
    note: str,
    rules: list[RuleEntry],
    source: int,
    *,
    errors: list[dict[str, str]] | None = None,
    checked: bool = False,
    attempt: Attempt | None = None,
    opened: set[int] | None = None,
) -> str:
    scope = current()
    at_fields, others = entry.faults(errors or [], rules)
    document = entry.document(name or "Rules", rules)
    said = wording.rules_as_said(document) if not validate(document) else []
    wrong = {int(key.partition("-")[0]) for key in at_fields if key.partition("-")[0].isdigit()}
    active = queries.active(scope)
    return render_template(
        "routing/edit.html",
        name=name,
        note=note,
        rules=rules,
        source=source,
        said=said,
        errors=at_fields,
        problems=others,
        checked=checked,
        warnings=queries.strangers(scope, document) if said else [],
        attempt=attempt or Attempt(),
        opened=(opened or set()) | wrong,
        entries=MultiDict((key.removeprefix("try-"), value) for key, value in request.form.items()),
        channels=scope.rows("SELECT code, name FROM channels WHERE tenant_id = :tenant ORDER BY name"),
        nodes=scope.rows(
            "SELECT code, name FROM nodes WHERE tenant_id = :tenant AND kind <> 'virtual' ORDER BY name LIMIT 500"
        ),
        objectives=entry.OBJECTIVES,
        choices=entry.CHOICES,
        active=active,
        as_json=json.dumps(document, indent=2, ensure_ascii=False),
    )
