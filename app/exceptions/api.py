"""The exception queue over the API."""

from __future__ import annotations

from typing import Any

from app.edge import Blueprint, permit
from app.exceptions import queries, service
from app.exceptions.schemas import ExceptionListIn, ExceptionOut, ExceptionsOut, ResolutionIn
from app.shapes import identifier
from tenants.scope import current

blueprint = Blueprint(
    "routing_exceptions", __name__, description="Orders that routing could not place: a person decides"
)


@blueprint.route("/routing/exceptions", methods=["GET"])
@permit("orders:read")
@blueprint.arguments(ExceptionListIn, location="query")
@blueprint.response(200, ExceptionsOut)
def list_(filters: dict[str, Any]) -> dict[str, Any]:
    """Exceptions, the oldest first."""
    return queries.listed(current(), **filters)


@blueprint.route("/routing/exceptions/<id>/resolution", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(ResolutionIn)
@blueprint.response(200, ExceptionOut)
def resolve(request: dict[str, Any], id: str) -> dict[str, Any]:
    """Decide: `route` tries again now, without what earlier refusals excluded; `assign` gives all that waits to
    `node`; `backorder` lets it wait; `cancel` cancels it."""
    return service.resolve(current(), identifier(id), request["action"], request.get("node"))
