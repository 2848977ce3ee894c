"""The proof file over the API."""

from __future__ import annotations

from flask import Response, current_app

from app.edge import Blueprint, permit
from app.proof import schemas, service
from app.shapes import identifier
from tenants.scope import current

blueprint = Blueprint(
    "proof", __name__, description="What was promised, told, answered, shipped and given back"
)


@blueprint.route("/orders/<id>/proof", methods=["GET"])
@permit("orders:read")
@blueprint.response(200, schemas.ProofOut)
def proof(id: str) -> Response:
    """The proof file of one order, with the seals over its history."""
    return current_app.make_response(current_app.json.response(service.proof(current(), identifier(id))))
