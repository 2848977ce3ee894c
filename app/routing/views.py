"""Routing rules as pages: what is in force, its versions, and trying rules on one basket."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.entries import address
from app.pages import register_nav, toast
from app.routing import guard_rails, phrases, queries, service, wording
from app.routing.documents import default_document, parse
from app.routing.policy import DEFAULT_SCOPE
from app.routing.trying import Attempt, attempted
from app.web import page
from infra.errors import Problem
from tenants.scope import Scope, current

blueprint = Blueprint("routing_pages", __name__, template_folder="templates")
register_nav("Supply", "Routing", "routing_pages.rules", "route", permission="routing:read", order=40)

STATES = {
    "draft": ("idle", "Draft"),
    "simulated": ("due", "Replayed"),
    "active": ("kept", "In force"),
    "retired": ("idle", "Retired"),
}
VERSIONS = 20


@blueprint.get("/routing", endpoint="rules")
@page("routing:read")
def rules() -> str:
    """A version in order and in words, by default the one in force; another one stands beside it."""
    return _rules_page(_asked("version"))


def _asked(name: str) -> int | None:
    given = request.args.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _rules_page(version: int | None, problem: Problem | None = None) -> str:
    scope = current()
    in_force = {of: found for of, (found, _) in queries.in_force(scope).items()}
    shown = queries.version(scope, version) if version else _active(scope, request.args.get("scope", ""))
    active = queries.active(scope, shown["scope"])
    against = _asked("against")
    other = queries.version(scope, against) if against else active or queries.active(scope)
    compares = other is not None and other["version"] != shown["version"]
    currency = scope.tenant.currency
    said, gone = (
        wording.compared(shown["document"], other["document"], f"v{other['version']}", currency)
        if compares and other is not None
        else (wording.rules_as_said(shown["document"], currency), [])
    )
    decided, total = queries.shares(scope, shown["version"])
    return render_template(
        "routing/rules.html",
        shown=shown,
        active=active,
        in_force=in_force,
        draft=queries.newest_draft(scope, active["version"] if active else 0, shown["scope"]),
        other=other if compares else None,
        said=said,
        gone=gone,
        changed=sum(bool(one.mark) for one in said) + len(gone),
        shares=decided,
        total=total,
        leaves=queries.leaves_from(scope),
        warnings=queries.strangers(scope, shown["document"]) if said else [],
        states=STATES,
        channels=_channels(scope),
        attempt=attempted(scope, parse(shown["document"]), request.args) if said else Attempt(),
        entries=request.args,
        problem=problem,
        refusal=problem.detail.removesuffix(guard_rails.ASIDE) if problem else "",
        past_rails=_past_rails(shown["version"], active, problem),
        as_json=json.dumps(shown["document"], indent=2, ensure_ascii=False),
        address=address,
        default_scope=DEFAULT_SCOPE,
        glued=phrases.glued,
    )


def _past_rails(
    version: int, active: dict[str, Any] | None, problem: Problem | None
) -> dict[str, Any] | None:
    """Where a version that guard-rails refused was `tried`, and may be published with a reason, or is to be; None where
    they did not refuse."""
    if problem is None or problem.code != "guard-rails":
        return None
    tried = guard_rails.tried(current(), version, active["version"]) if active else None
    where = (
        url_for("what_if_pages.detail", simulation_id=tried.id)
        if tried
        else url_for("what_if_pages.list", version=version)
    )
    return {"url": where, "tried": tried is not None}


def _active(scope: Scope, of: str) -> dict[str, Any]:
    return (queries.active(scope, of) if of else None) or queries.active(scope) or _built_in()


def _built_in() -> dict[str, Any]:
    """What decides while a merchant has no version in force."""
    return {
        "version": 0,
        "scope": DEFAULT_SCOPE,
        "state": "active",
        "document": default_document(),
        "note": "",
        "created_by": "",
        "created_at": None,
        "activated_at": None,
    }


def _channels(scope: Scope) -> list[Any]:
    return scope.rows("SELECT code, name FROM channels WHERE tenant_id = :tenant ORDER BY name")


@blueprint.get("/routing/versions", endpoint="versions")
@page("routing:read")
def versions() -> str:
    """Every version, newest first."""
    scope = current()
    after = request.args.get("after", "")
    found = queries.versions(scope, limit=VERSIONS, after=after)
    return render_template(
        "routing/versions.html",
        versions=found["data"],
        next=found["next"],
        is_first=not after,
        in_force={of: version for of, (version, _) in queries.in_force(scope).items()},
        default_scope=DEFAULT_SCOPE,
        states=STATES,
    )


@blueprint.post("/routing/versions/<int:version>/activation", endpoint="activate")
@page("routing:write")
def activate(version: int) -> Any:
    """Put a version in force, if what the person saw in force still is."""
    replaces = request.form.get("replaces", "")
    seen = int(replaces) if replaces.isascii() and replaces.isdigit() and len(replaces) < 10 else None
    try:
        service.activate(current(), version, seen or None)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _rules_page(version, problem), 409
    undo = url_for("routing_pages.back", version=seen, replaces=version) if seen else ""
    toast(f"Version {version} is in force. New orders are routed by it.", undo_url=undo)
    return redirect(_address(version), 303)


@blueprint.post("/routing/versions/<int:version>/return/<int:replaces>", endpoint="back")
@page("routing:write")
def back(version: int, replaces: int) -> Response | Any:
    """Undo an activation: the version before is in force again, if nothing else happened since."""
    try:
        service.activate(current(), version, replaces)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _rules_page(version, problem), 409
    toast(f"Version {version} is in force again.")
    return redirect(_address(version), 303)


@blueprint.post("/routing/versions/<int:version>/retirement", endpoint="retire")
@page("routing:write")
def retire(version: int) -> Any:
    """Give up a channel's own rules: its orders are decided by the default ones."""
    try:
        service.retire(current(), version)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _rules_page(version, problem), 409
    toast(f"Version {version} is given up. Its orders follow the default rules.")
    return redirect(url_for("routing_pages.rules"), 303)


def _address(version: int) -> str:
    """The page of what is in force in a version's scope."""
    of = queries.version(current(), version)["scope"]
    return url_for("routing_pages.rules", scope=None if of == DEFAULT_SCOPE else of)
