"""Routing rules over the API: versions, validation, activation."""

from __future__ import annotations

from typing import Any

from app.edge import Blueprint, permit
from app.routing import queries, service
from app.routing.ready import templates
from app.routing.schemas import (
    ActivationIn,
    ComparisonIn,
    ComparisonOut,
    RulesIn,
    RulesListIn,
    RulesListOut,
    RulesOut,
    TemplatesOut,
    ValidationOut,
)
from tenants.scope import Scope, current

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
    return _shown(scope, service.write(scope, given["document"], given["note"]))


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
    return _shown(scope, version)


@blueprint.route("/routing/rules/<int:version>/retirement", methods=["POST"])
@permit("routing:write")
@blueprint.response(200, RulesOut)
def retire_rules(version: int) -> dict[str, Any]:
    """Give up a channel's own rules: the default ones decide its orders from now on. The default cannot be given up."""
    scope = current()
    service.retire(scope, version)
    return _shown(scope, version)


@blueprint.route("/routing/rules/<int:version>/comparison", methods=["GET"])
@permit("routing:read")
@blueprint.arguments(ComparisonIn, location="query")
@blueprint.response(200, ComparisonOut)
def compare_rules(given: dict[str, Any], version: int) -> dict[str, Any]:
    """What a version says otherwise than another: sentences that are new, gone, changed or moved."""
    return queries.comparison(current(), version, given["against"])


@blueprint.route("/routing/templates", methods=["GET"])
@permit("routing:read")
@blueprint.response(200, TemplatesOut)
def list_templates() -> dict[str, Any]:
    """Rules to start from, for merchants of several kinds. Send one's document to write a version of your own."""
    scope = current()
    return {
        "data": [
            {
                "code": each.code,
                "name": each.name,
                "about": each.about,
                "document": each.document,
                "sentences": queries.said(scope, each.document),
            }
            for each in templates()
        ]
    }


def _shown(scope: Scope, version: int) -> dict[str, Any]:
    return queries.version_document(scope, queries.version(scope, version))
