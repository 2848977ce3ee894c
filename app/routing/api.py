"""Routing rules over the API: versions, validation, activation."""

from __future__ import annotations

from typing import Any

from app.edge import Blueprint, permit
from app.routing import queries, service
from app.routing.schemas import (
    ActivationIn,
    RulesIn,
    RulesListIn,
    RulesListOut,
    RulesOut,
    ValidationOut,
)
from tenants.scope import current

blueprint = Blueprint("routing", __name__, description="Which node fulfills what")


@blueprint.route("/routing/rules", methods=["GET"])
@permit("routing:read")
@blueprint.arguments(RulesListIn, location="query")
@blueprint.response(200, RulesListOut)
def list_rules(filters: dict[str, Any]) -> dict[str, Any]:
    """Versions, newest first, each with its document and its sentences."""
    return queries.versions(current(), **filters)


@blueprint.route("/routing/rules", methods=["POST"])
@permit("routing:write")
@blueprint.arguments(RulesIn)
@blueprint.response(201, RulesOut)
def write_rules(given: dict[str, Any]) -> dict[str, Any]:
    """Write a draft. It decides nothing until it is activated."""
    scope = current()
    return queries.version_document(
        queries.version(scope, service.write(scope, given["document"], given["note"]))
    )


@blueprint.route("/routing/rules/<int:version>/validation", methods=["POST"])
@permit("routing:read")
@blueprint.response(200, ValidationOut)
def validate_rules(version: int) -> dict[str, Any]:
    """Read a version as routing would: errors, warnings and its sentences. Changes nothing."""
    return service.check(current(), version)


@blueprint.route("/routing/rules/<int:version>/activation", methods=["POST"])
@permit("routing:write")
@blueprint.arguments(ActivationIn)
@blueprint.response(200, RulesOut)
def activate_rules(given: dict[str, Any], version: int) -> dict[str, Any]:
    """Put a version in force in place of `replaces`, which is retired. Another one in force meanwhile: 409.

    A retired version may be activated again: that is rolling back.
    """
    scope = current()
    service.activate(scope, version, given["replaces"])
    return queries.version_document(queries.version(scope, version))
