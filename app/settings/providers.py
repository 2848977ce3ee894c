"""Outside organizations: which nodes and verbs they are granted, from when to when, and their keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from app.forms import Form
from app.pages import toast
from app.settings.keys import shown_once
from app.web import page
from infra.clock import real_now
from infra.errors import Problem, not_found
from tenants import credentials, grants, service
from tenants.rules import PROVIDER_SCOPES
from tenants.scope import Scope, current

blueprint = Blueprint("providers", __name__)

SCOPE_WORDS = [
    ("fulfillment:read", "Sees the work at its nodes"),
    ("fulfillment:write", "Accepts, rejects, packs and ships it"),
    ("counts:read", "Sees the stock at its nodes"),
    ("counts:write", "Counts it"),
]
EVERYWHERE = "*"


@blueprint.get("/settings/providers")
@page("keys:read")
def show() -> str:
    """The grants, running ones first."""
    return render_template("settings/providers.html", grants=grants.listed(current()), state=_state)


def _state(grant: Any) -> tuple[str, str]:
    now = real_now()
    if grant.revoked_at is not None:
        return "idle", "Ended"
    if grant.ends_at is not None and grant.ends_at <= now:
        return "idle", "Over"
    if grant.starts_at > now:
        return "due", "Not begun"
    return "kept", "In force"


@blueprint.get("/settings/providers/new")
@page("keys:write")
def new() -> Any:
    """The form."""
    return _draw(Form(), 200)


def _draw(form: Form, status: int = 422) -> Any:
    return form.again("settings/new_provider.html", status, nodes=_nodes(current()), scopes=SCOPE_WORDS)


def _nodes(scope: Scope) -> list[Any]:
    return scope.rows(
        "SELECT code, name, kind FROM nodes WHERE tenant_id = :tenant ORDER BY lower(name), code"
    )


@blueprint.post("/settings/providers/new")
@page("keys:write")
def create() -> Any:
    """Take the organization in, and grant it its nodes."""
    scope, form = current(), Form(request.form)
    known = form.text("provider_id", most=40)
    name = form.text("name", "" if known else "Enter the organization's name.")
    nodes = _chosen_nodes(form, scope)
    scopes = form.choices("scopes", PROVIDER_SCOPES, "Choose at least one.")
    starts_at, ends_at = _dates(form, scope)
    provider_id, name = _provider(form, scope, known, name)
    if form.has_faults or provider_id is None:
        return _draw(form)
    grant_id = service.grant(
        scope, provider_id, name=name, nodes=nodes, scopes=scopes, starts_at=starts_at, ends_at=ends_at
    )
    toast(f"{name} is granted its nodes. Make a key for it next.")
    return redirect(f"/settings/providers/{grant_id}", 303)


def _chosen_nodes(form: Form, scope: Scope) -> list[str]:
    if form.value("where") == EVERYWHERE:
        return [EVERYWHERE]
    return form.choices("nodes", {row.code for row in _nodes(scope)}, "Choose at least one node.")


def _dates(form: Form, scope: Scope) -> tuple[datetime | None, datetime | None]:
    zone = scope.tenant.timezone
    starts_at, ends_at = form.day("starts", zone), form.day("ends", zone, ends=True)
    if ends_at is not None and ends_at <= max(starts_at or real_now(), real_now()):
        form.errors["ends"] = "Choose a day to come, after the first one."
    return starts_at, ends_at


def _provider(form: Form, scope: Scope, known: str, name: str) -> tuple[UUID | None, str]:
    """The organization's id and name: found by its own id, or taken in new (only when nothing else is wrong)."""
    if not known:
        return (None, name) if form.has_faults else (service.create_provider(scope.session, name), name)
    try:
        provider_id = UUID(known)
    except ValueError:
        provider_id = None
    found = grants.provider_name(scope, provider_id) if provider_id else None
    if found is None:
        form.errors["provider_id"] = "No organization has this id. Ask for it again, or leave this empty."
        return None, name
    return provider_id, name or found


@blueprint.get("/settings/providers/<uuid:grant_id>")
@page("keys:read")
def one(grant_id: UUID) -> Any:
    """One grant with its keys."""
    return _draw_one(Form(), grant_id, 200)


def _draw_one(form: Form, grant_id: UUID, status: int = 422) -> Any:
    grant = _find(grant_id)
    keys = [key for key in credentials.listed(current()) if key.grant_id == grant_id]
    names = {row.code: row.name for row in _nodes(current())}
    return form.again(
        "settings/provider.html",
        status,
        grant=grant,
        keys=keys,
        names=names,
        scopes=SCOPE_WORDS,
        state=_state(grant),
    )


def _find(grant_id: UUID) -> Any:
    found = grants.get(current(), grant_id)
    if found is None:
        raise not_found("grant")
    return found


@blueprint.post("/settings/providers/<uuid:grant_id>/keys")
@page("keys:write")
def make_key(grant_id: UUID) -> Any:
    """A key that may do what the grant allows; shown once."""
    scope, form, grant = current(), Form(request.form), _find(grant_id)
    name = form.text("name", "Enter a name you will know it by.")
    if form.has_faults:
        return _draw_one(form, grant_id)
    try:
        made = credentials.create_key(scope, name=name, scopes=list(grant.scopes), grant_id=grant_id)
    except Problem as problem:
        form.refused(problem)
        return _draw_one(form, grant_id, problem.status)
    return shown_once(name, key=made.key, back=f"/settings/providers/{grant_id}")


@blueprint.post("/settings/providers/<uuid:grant_id>/end")
@page("keys:write")
def end(grant_id: UUID) -> Response:
    """End the grant; its keys stop."""
    service.revoke_grant(current(), grant_id)
    toast("The grant is ended, and its keys stopped.")
    return redirect("/settings/providers", 303)
