"""The audit log: who changed which setting or acted with whose authority."""

from __future__ import annotations

import csv
import io
from typing import Any

import orjson
from flask import Blueprint, Response, render_template, request

from app.forms import Form
from app.pages.filters import url_with
from app.shapes import cursor
from app.web import page
from tenants import audit
from tenants.audit import Filter
from tenants.scope import Scope, current

blueprint = Blueprint("audit", __name__)
ROWS, MOST_EXPORTED = 50, 20_000


@blueprint.get("/settings/audit")
@page("audit:read")
def show() -> Any:
    """A page of entries, filtered by the address."""
    scope, form = current(), Form(request.args)
    rows = audit.listed(scope, _filter(form, scope), after=cursor(request.args.get("after")), most=ROWS)
    return render_template(
        "settings/audit.html",
        form=form,
        rows=rows[:ROWS],
        words=_words,
        facts=_facts,
        kinds=audit.kinds(scope),
        next_url=url_with(after=rows[ROWS - 1].id) if len(rows) > ROWS else "",
        is_filtered=any(request.args.get(name) for name in ("kind", "who", "since", "until")),
    )


def _words(action: str) -> str:
    """`oauth_client.created` -> "OAuth client: created"; a SKU is written in capitals."""
    text = action.replace(".", ": ").replace("_", " ")
    for known in ("OAuth", "SKU"):
        if text.startswith(known.lower()):
            return known + text[len(known) :]
    return text[:1].upper() + text[1:]


def _facts(detail: dict[str, Any]) -> str:
    """What an entry adds, in one line; what is empty is left out."""
    if isinstance(detail.get("changed"), dict):
        changes = (f"{name}: {_said(old)} to {_said(new)}" for name, (old, new) in detail["changed"].items())
        return "; ".join(changes).replace("_", " ")
    known = {name: value for name, value in detail.items() if value not in (None, "", [])}
    return "; ".join(f"{name.replace('_', ' ')}: {_said(value)}" for name, value in known.items())


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items() if each not in (None, ""))
    return "nothing" if value in (None, "") else str(value)


def _filter(form: Form, scope: Scope) -> Filter:
    zone = scope.tenant.timezone
    return Filter(
        action=form.text("kind", most=40),
        actor=form.text("who", most=80),
        since=form.day("since", zone),
        until=form.day("until", zone, ends=True),
    )


@blueprint.get("/settings/audit.csv")
@page("audit:read")
def export() -> Response:
    """The same entries as a file, at most 20,000."""
    scope = current()
    written = io.StringIO()
    out = csv.writer(written)
    out.writerow(["time", "kind", "who", "action", "subject", "detail", "request"])
    for row in audit.listed(scope, _filter(Form(request.args), scope), most=MOST_EXPORTED)[:MOST_EXPORTED]:
        out.writerow([_cell(value) for value in _values(row)])
    return Response(
        written.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )


def _values(row: Any) -> list[str]:
    detail = orjson.dumps(row.detail).decode()
    at = row.at.isoformat(timespec="seconds")
    return [at, row.actor_kind, row.actor_name, row.action, row.subject, detail, row.request_id]


def _cell(value: str) -> str:
    """Names come from people: a cell that a spreadsheet would run as a formula is made text."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
