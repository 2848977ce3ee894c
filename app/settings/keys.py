"""API keys and OAuth clients: made, shown once, rotated, revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from app.forms import Form
from app.pages import toast
from app.web import page
from infra import settings
from infra.clock import real_now
from infra.errors import Problem, not_found
from tenants import clients, credentials
from tenants.rules import RESOURCES
from tenants.scope import Scope, current

blueprint = Blueprint("keys", __name__)

KINDS = {"keys": "API key", "clients": "OAuth client"}
OVERLAPS = [("0", "At once"), ("1", "After 1 hour"), ("24", "After 1 day"), ("168", "After 7 days")]
RESOURCE_WORDS = {
    "orders": "Orders",
    "customers": "Customers",
    "skus": "Products",
    "nodes": "Nodes",
    "stock": "Stock",
    "counts": "Stock counts",
    "routing": "Routing",
    "imports": "Imports",
    "fulfillment": "Fulfillment",
    "payments": "Payments",
    "settings": "Settings",
    "team": "Team",
    "keys": "Keys",
    "audit": "Audit log",
    "sandbox": "Sandbox clock",
}


@blueprint.get("/settings/keys")
@page("keys:read")
def show() -> str:
    """Both lists."""
    scope = current()
    return render_template(
        "settings/keys.html",
        keys=credentials.listed(scope),
        clients=clients.listed(scope),
        state=_state,
        url=settings.current().public_url,
    )


def _state(row: Any) -> tuple[str, str]:
    """(state of the promise colors, word) of a key or client."""
    now = real_now()
    if row.revoked_at is not None:
        return "idle", "Revoked"
    if row.expires_at is not None and row.expires_at <= now:
        return "idle", "Expired"
    if getattr(row, "replaced_by", None) is not None:
        return "risk", "Rotated"
    return "kept", "Works"


@blueprint.get("/settings/<any(keys, clients):kind>/new")
@page("keys:write")
def new(kind: str) -> Any:
    """The form."""
    return _draw(Form(), kind, 200)


def _draw(form: Form, kind: str, status: int = 422) -> Any:
    return form.again(
        "settings/new_key.html",
        status,
        kind=kind,
        what=KINDS[kind],
        resources=[(code, RESOURCE_WORDS[code]) for code in RESOURCES],
        may=current().actor.may,
    )


@blueprint.post("/settings/<any(keys, clients):kind>/new")
@page("keys:write")
def create(kind: str) -> Any:
    """Make it, and show its secret this once."""
    scope, form = current(), Form(request.form)
    name = form.text("name", "Enter a name you will know it by.")
    scopes = form.choices("scopes", sorted(scope.actor.permissions), "Choose at least one.")
    expires_at = _expiry(form, scope)
    limit = form.whole("rate_limit", 1, 1_000_000, optional=True)
    if form.has_faults:
        return _draw(form, kind)
    if kind == "keys":
        made = credentials.create_key(
            scope, name=name, scopes=scopes, expires_at=expires_at, rate_limit=limit
        )
        return shown_once(name, key=made.key)
    client_id, secret = clients.create_client(
        scope, name=name, scopes=scopes, expires_at=expires_at, rate_limit=limit
    )
    return shown_once(name, client_id=client_id, secret=secret)


def _expiry(form: Form, scope: Scope) -> datetime | None:
    expires_at = form.day("expires", scope.tenant.timezone, ends=True)
    if expires_at is not None and expires_at <= real_now():
        form.errors["expires"] = "Choose a day to come."
    return expires_at


def shown_once(
    name: str,
    *,
    key: str = "",
    client_id: str = "",
    secret: str = "",
    back: str = "/settings/keys",
    overlap: str = "",
) -> Response:
    """The page with a secret on it; kept by no cache, and never shown again."""
    response = make_response(
        render_template(
            "settings/shown_once.html",
            name=name,
            key=key,
            client_id=client_id,
            secret=secret,
            back=back,
            overlap=overlap,
            url=settings.current().public_url.rstrip("/"),
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/settings/<any(keys, clients):kind>/<uuid:row_id>")
@page("keys:read")
def one(kind: str, row_id: UUID) -> Any:
    """One key or client: what it may do, rotation, revocation."""
    return _draw_one(Form(), kind, _find(kind, row_id), 200)


def _find(kind: str, row_id: UUID) -> Any:
    rows = credentials.listed(current()) if kind == "keys" else clients.listed(current())
    found = next((row for row in rows if row.id == row_id), None)
    if found is None:
        raise not_found(KINDS[kind])
    return found


def _draw_one(form: Form, kind: str, row: Any, status: int = 422) -> Any:
    return form.again(
        "settings/key.html",
        status,
        kind=kind,
        what=KINDS[kind],
        row=row,
        shown=row.prefix if kind == "keys" else row.client_id,
        state=_state(row),
        overlaps=OVERLAPS,
    )


@blueprint.post("/settings/<any(keys, clients):kind>/<uuid:row_id>/rotation")
@page("keys:write")
def rotate(kind: str, row_id: UUID) -> Any:
    """A new secret; the old one ends when the overlap is over."""
    row, form = _find(kind, row_id), Form(request.form)
    hours = form.choice("overlap", [value for value, _ in OVERLAPS])
    if form.has_faults:
        return _draw_one(form, kind, row)
    try:
        if kind == "keys":
            made = credentials.rotate_key(current(), row_id, overlap_hours=int(hours))
            return shown_once(row.name, key=made.key, overlap=hours)
        secret = clients.rotate_client(current(), row.client_id, overlap_hours=int(hours))
        return shown_once(row.name, client_id=row.client_id, secret=secret, overlap=hours)
    except Problem as problem:
        form.refused(problem)
        return _draw_one(form, kind, row, problem.status)


@blueprint.post("/settings/<any(keys, clients):kind>/<uuid:row_id>/revocation")
@page("keys:write")
def revoke(kind: str, row_id: UUID) -> Response:
    """It stops working now."""
    row = _find(kind, row_id)
    if kind == "keys":
        credentials.revoke_key(current(), row_id)
    else:
        clients.revoke_client(current(), row.client_id)
    toast(f"{row.name} is revoked.")
    return redirect("/settings/keys", 303)
