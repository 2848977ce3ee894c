"""Routing rules over the API: versions, validation, activation."""

from __future__ import annotations

from typing import Any

from app.edge import Blueprint, permit
from app.routing import guard_rails, queries, runs, service, simulations
from app.routing.ready import templates
from app.routing.schemas import (
    ActivationIn,
    ComparisonIn,
    ComparisonOut,
    PricesOut,
    RulesIn,
    RulesListIn,
    RulesListOut,
    RulesOut,
    TemplatesOut,
    ValidationOut,
)
from app.routing.what_if_schemas import (
    GuardRailsIn,
    GuardRailsOut,
    SimulationIn,
    SimulationListIn,
    SimulationOut,
    SimulationsOut,
)
from app.shapes import identifier
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

    A retired version may be activated again: that is rolling back. Where guard-rails block, the newest what-if must
    have kept to them, or `override` says why not: else 409 `guard-rails`.
    """
    scope = current()
    service.activate(scope, version, given["replaces"], given["reason"] if given["override"] else "")
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


@blueprint.route("/routing/rules/<int:version>/simulation", methods=["POST"])
@permit("routing:write")
@blueprint.arguments(SimulationIn)
@blueprint.response(202, SimulationOut)
def simulate_rules(given: dict[str, Any], version: int) -> dict[str, Any]:
    """Decide past orders again by a version and by another one, on the stock as it was. Ask for its progress.

    One runs at a time. A draft becomes `simulated` when it is through.
    """
    scope = current()
    return simulations.one(scope, runs.start(scope, version, **given))


@blueprint.route("/routing/simulations", methods=["GET"])
@permit("routing:read")
@blueprint.arguments(SimulationListIn, location="query")
@blueprint.response(200, SimulationsOut)
def list_simulations(filters: dict[str, Any]) -> dict[str, Any]:
    """What-ifs, newest first, without the orders that change."""
    return simulations.listed(current(), **filters)


@blueprint.route("/routing/simulations/<id>", methods=["GET"])
@permit("routing:read")
@blueprint.response(200, SimulationOut)
def read_simulation(id: str) -> dict[str, Any]:
    """One what-if: how far it is; when done, what both versions came to, and the orders that change."""
    return simulations.one(current(), identifier(id))


@blueprint.route("/routing/simulations/<id>/cancellation", methods=["POST"])
@permit("routing:write")
@blueprint.response(200, SimulationOut)
def cancel_simulation(id: str) -> dict[str, Any]:
    """Stop a what-if that is not through."""
    scope = current()
    runs.cancel(scope, identifier(id))
    return simulations.one(scope, identifier(id))


@blueprint.route("/routing/simulations/<id>/resumption", methods=["POST"])
@permit("routing:write")
@blueprint.response(200, SimulationOut)
def resume_simulation(id: str) -> dict[str, Any]:
    """Go on with a what-if that failed, from where it was."""
    scope = current()
    runs.resume(scope, identifier(id))
    return simulations.one(scope, identifier(id))


@blueprint.route("/routing/guard-rails", methods=["GET"])
@permit("routing:read")
@blueprint.response(200, GuardRailsOut)
def read_guard_rails() -> dict[str, Any]:
    """How much worse than what is in force a version may do on past orders."""
    return guard_rails.of(current())


@blueprint.route("/routing/guard-rails", methods=["PATCH"])
@permit("routing:write")
@blueprint.arguments(GuardRailsIn)
@blueprint.response(200, GuardRailsOut)
def change_guard_rails(given: dict[str, Any]) -> dict[str, Any]:
    """Set the rails that are named; `null` watches a figure no longer."""
    scope = current()
    guard_rails.change(scope, given)
    return guard_rails.of(scope) | given


@blueprint.route("/routing/prices", methods=["GET"])
@permit("routing:read")
@blueprint.response(200, PricesOut)
def list_prices() -> dict[str, Any]:
    """What scarce stock and capacity cost a plan, where the rules name `stock_price` or `capacity_price`."""
    return queries.prices(current())
