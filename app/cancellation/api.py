"""Cancelling over the API: the merchant asks, the provider answers for what it has accepted."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.cancellation import schemas, service
from app.edge import Blueprint, permit
from app.fulfillment.schemas import NothingIn
from app.orders.schemas import WorkOut
from app.shapes import identifier
from tenants.scope import current

blueprint = Blueprint("cancellation", __name__, description="Cancel an order, a line or a part")


@blueprint.route("/orders/<id>/cancellation", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(schemas.CancellationIn)
@blueprint.response(200, schemas.CancelledOut)
def cancel(request: dict[str, Any], id: str) -> Response:
    """Cancel units; no lines = the whole order. Units that a node has accepted are listed under `pending` until
    its provider answers."""
    return _json(service.cancel(current(), identifier(id), request.get("lines"), request["reason"]))


@blueprint.route("/fulfillment-orders/<id>/cancellation-acceptance", methods=["POST"])
@permit("fulfillment:write")
@blueprint.arguments(NothingIn, required=False)
@blueprint.response(200, WorkOut)
def accept(_: dict[str, Any], id: str) -> Response:
    """Yes, the units that were to be cancelled have not left."""
    return _json(service.accept(current(), identifier(id)))


@blueprint.route("/fulfillment-orders/<id>/cancellation-refusal", methods=["POST"])
@permit("fulfillment:write")
@blueprint.arguments(schemas.RefusalIn)
@blueprint.response(200, WorkOut)
def refuse(request: dict[str, Any], id: str) -> Response:
    """No, it is too late; the work goes on."""
    return _json(service.refuse(current(), identifier(id), request["reason"]))


def _json(body: Any) -> Response:
    return current_app.make_response(current_app.json.response(body))
