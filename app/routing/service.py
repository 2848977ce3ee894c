"""The verbs of routing rules: write a version, put one in force. A version's document never changes."""

from __future__ import annotations

from typing import Any

import orjson

from app.events import NETWORK_CHANGED, PRICES_EXPIRED
from app.routing import guard_rails, queries
from app.routing.documents import scope_of, validate
from app.routing.policy import DEFAULT_SCOPE
from app.transitions import Machine, transition
from infra.clock import real_now
from infra.errors import FieldError, Problem, refused
from infra.ids import new_id
from tenants import audit
from tenants.scope import Scope
from tenants.service import configuration_changed

RULES = Machine(
    "rules",
    "rule_versions",
    "state",
    "draft",
    {
        "draft": frozenset({"simulated", "active"}),
        "simulated": frozenset({"active"}),
        "active": frozenset({"retired"}),
        "retired": frozenset({"active"}),
    },
)


def write(scope: Scope, document: object, note: str = "") -> int:
    """Keep a document as a new draft and return its version number, one above the highest.

    Raises Problem 422 with a pointer below /document for each fault.
    """
    if errors := validate(document):
        raise Problem(
            422,
            "invalid",
            f"{errors[0]['pointer'] or 'The document'} {errors[0]['message']}.",
            errors=[FieldError(f"/document{each['pointer']}", each["message"]) for each in errors],
        )
    assert isinstance(document, dict)
    _lock(scope)
    row = scope.row(
        "INSERT INTO rule_versions (tenant_id, id, version, scope, state, document, note, created_by, created_at)"
        " SELECT :tenant, :id, coalesce(max(version), 0) + 1, :scope, 'draft', CAST(:document AS jsonb), :note,"
        " :who, :now FROM rule_versions WHERE tenant_id = :tenant RETURNING version",
        id=new_id(),
        scope=scope_of(document),
        document=orjson.dumps(document).decode(),
        note=note,
        who=str(scope.actor),
        now=real_now(),
    )
    assert row is not None
    audit.record(scope, "routing.written", f"v{row.version}", of=scope_of(document), note=note)
    return int(row.version)


def check(scope: Scope, version: int) -> dict[str, Any]:
    """What a version says and what is doubtful about it here. Raises Problem 404."""
    found = queries.version(scope, version)
    return checked(scope, found["document"], version)


def checked(scope: Scope, document: object, version: int | None = None) -> dict[str, Any]:
    """The faults of a document, its sentences, and warnings: places and channels that this account lacks."""
    errors = validate(document)
    valid = not errors
    return {
        "version": version,
        "valid": valid,
        "errors": errors,
        "warnings": queries.strangers(scope, document) if valid and isinstance(document, dict) else [],
        "sentences": queries.said(scope, document) if valid and isinstance(document, dict) else [],
    }


def simulated(scope: Scope, version: int) -> None:
    """Note that a draft was tried on the past; any other state stays as it is. Raises Problem 404."""
    _lock(scope)
    found = queries.version(scope, version)
    if found["state"] == "draft":
        transition(scope, RULES, found["id"], "draft", "simulated")
        audit.record(scope, "routing.simulated", f"v{version}", of=found["scope"])


def activate(scope: Scope, version: int, replaces: int | None, override: str = "") -> None:
    """Put a version in force in its scope, in place of the one the caller saw in force there; that one is retired.

    A retired version may return: that is how one rolls back. `override`: why guard-rails are set aside. Raises
    Problem 404, 409 `rules-changed` when another one is in force than `replaces` says, `rules-active` when it is in
    force already, `guard-rails`, and `rules-invalid`.
    """
    _lock(scope)
    found = queries.version(scope, version)
    active = queries.active(scope, found["scope"])
    in_force = active["version"] if active is not None else None
    if in_force == version:
        raise refused("rules-active", f"Version {version} is in force already.")
    if in_force != replaces:
        raise _overtaken(in_force, replaces)
    if errors := validate(found["document"]):
        raise refused(
            "rules-invalid",
            f"Version {version} cannot be used any more: {errors[0]['message']}. Write a new one.",
        )
    guard_rails.require(scope, found, in_force, override)
    if active is not None:
        _retire(scope, active["id"], f"replaced by version {version}")
    transition(scope, RULES, found["id"], found["state"], "active")
    scope.execute(
        "UPDATE rule_versions SET activated_at = :now, retired_at = NULL WHERE tenant_id = :tenant AND id = :id",
        id=found["id"],
        now=real_now(),
    )
    action = "routing.rolled_back" if found["state"] == "retired" else "routing.activated"
    _changed(scope, action, version, of=found["scope"], replaces=in_force)


def retire(scope: Scope, version: int) -> None:
    """Give up the rules of a channel of their own: its orders are decided by the default ones from now on.

    Raises Problem 404, 409 `rules-default` for the default scope, `rules-not-active` when it is not in force.
    """
    _lock(scope)
    found = queries.version(scope, version)
    if found["scope"] == DEFAULT_SCOPE:
        raise refused(
            "rules-default", "The default rules cannot be given up. Put another version in force instead."
        )
    if found["state"] != "active":
        raise refused(
            "rules-not-active", f"Version {version} is not in force, so there is nothing to give up."
        )
    _retire(scope, found["id"], "given up")
    _changed(scope, "routing.retired", version, of=found["scope"])


def _retire(scope: Scope, version_id: Any, why: str) -> None:
    transition(scope, RULES, version_id, "active", "retired", why=why)
    scope.execute(
        "UPDATE rule_versions SET retired_at = :now WHERE tenant_id = :tenant AND id = :id",
        id=version_id,
        now=real_now(),
    )


def _changed(scope: Scope, action: str, version: int, **facts: Any) -> None:
    """What is in force is another one now: what was prepared is forgotten, and what waits is tried again."""
    configuration_changed(scope)
    scope.later(NETWORK_CHANGED, scope.tenant_id)
    scope.later(PRICES_EXPIRED, scope.tenant_id)
    audit.record(scope, action, f"v{version}", **facts)


def _lock(scope: Scope) -> None:
    """One change of the rules at a time; orders are placed meanwhile."""
    scope.rows("SELECT id FROM tenants WHERE tenant_id = :tenant FOR NO KEY UPDATE")


def _overtaken(in_force: int | None, replaces: int | None) -> Problem:
    now = f"Version {in_force} is in force" if in_force is not None else "No version is in force"
    said = f"not version {replaces}" if replaces is not None else "not none"
    return refused(
        "rules-changed", f"{now}, {said}: somebody changed the rules meanwhile. Compare, then decide."
    )
