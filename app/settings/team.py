"""The team: who belongs to it, with which role, and who is invited."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from app.forms import Form
from app.pages import toast
from app.web import page
from infra.clock import real_now
from infra.errors import Problem, not_found
from tenants import members
from tenants.scope import Scope, current
from tenants.vocabulary import ROLES

blueprint = Blueprint("team", __name__)

ROLE_HINTS = [
    ("owner", "Owner", "Everything, and the team"),
    ("manager", "Manager", "Everything but the team"),
    ("agent", "Agent", "Takes and changes orders, serves customers"),
    ("picker", "Picker", "Picks, packs, ships and counts"),
    ("analyst", "Analyst", "Sees orders, stock and settings, changes nothing"),
]
ROLE_NAMES = {code: name for code, name, _ in ROLE_HINTS}


@blueprint.get("/settings/team")
@page("team:read")
def show() -> Any:
    """The list, and the form that invites."""
    return _draw(Form(), 200)


def _draw(form: Form, status: int = 422) -> Any:
    scope = current()
    return form.again(
        "settings/team.html",
        status,
        team=members.listed(scope),
        invitations=members.invitations(scope),
        roles=ROLE_HINTS,
        names=ROLE_NAMES,
        own_id=scope.actor.id,
        real_now=real_now(),
    )


@blueprint.post("/settings/team/invitations")
@page("team:write")
def invite() -> Any:
    """Invite somebody; the mail leaves after the commit."""
    form = Form(request.form)
    email, role = form.email("email"), form.choice("role", ROLES)
    if not form.has_faults:
        try:
            members.invite(current(), email, role)
        except Problem as problem:
            form.refused(problem, "email")
    if form.has_faults:
        return _draw(form)
    toast(f"Invitation to {email} is on its way.")
    return redirect("/settings/team", 303)


@blueprint.post("/settings/team/invitations/<uuid:invitation_id>/withdrawal")
@page("team:write")
def withdraw(invitation_id: UUID) -> Response:
    """Its link stops working."""
    members.withdraw(current(), invitation_id)
    toast("Invitation withdrawn.")
    return redirect("/settings/team", 303)


@blueprint.get("/settings/team/<uuid:member_id>")
@page("team:read")
def member(member_id: UUID) -> Any:
    """One member: role, and the end of the membership."""
    return _draw_member(Form(), member_id, 200)


def _draw_member(form: Form, member_id: UUID, status: int = 422) -> Any:
    found = _find(current(), member_id)
    return form.again(
        "settings/member.html", status, member=found, roles=ROLE_HINTS, own_id=current().actor.id
    )


def _find(scope: Scope, member_id: UUID) -> Any:
    found = next((row for row in members.listed(scope) if row.id == member_id), None)
    if found is None:
        raise not_found("member")
    return found


@blueprint.post("/settings/team/<uuid:member_id>/role")
@page("team:write")
def change_role(member_id: UUID) -> Any:
    """Another role."""
    form = Form(request.form)
    role = form.choice("role", ROLES)
    if not form.has_faults:
        try:
            members.change_role(current(), member_id, role)
        except Problem as problem:
            if problem.status == 404:
                raise
            form.refused(problem, "role")
    if form.has_faults:
        return _draw_member(form, member_id)
    toast("Role changed.")
    return redirect("/settings/team", 303)


@blueprint.post("/settings/team/<uuid:member_id>/removal")
@page("team:write")
def remove(member_id: UUID) -> Any:
    """End the membership."""
    form = Form()
    try:
        members.remove(current(), member_id)
    except Problem as problem:
        if problem.status == 404:
            raise
        form.refused(problem)
        return _draw_member(form, member_id, problem.status)
    toast("Removed from the team.")
    return redirect("/settings/team", 303)
