"""Cancelling over the API: the merchant asks, the provider answers for what it has accepted."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.cancellation import lapses, schemas, service
from app.edge import Blueprint, permit
from app.fulfillment.schemas import NothingIn
from app.orders.queries import document
from app.orders.schemas import OrderOut, WorkOut
from app.promises import deliveries
from app.promises.schemas import DeliveryActIn, DeliveryActOut
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


@blueprint.route("/orders/<id>/will-not-ship", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(schemas.WillNotShipIn)
@blueprint.response(200, OrderOut)
def will_not_ship(request: dict[str, Any], id: str) -> Response:
    """Tell the buyer that lines will not ship. From then on nobody may send them, whoever has accepted the work."""
    lines = {identifier(line) for line in request["lines"]} if "lines" in request else None
    lapses.will_not_ship(current(), identifier(id), lines, request["reason"])
    return _json(document(current(), identifier(id)))


@blueprint.route("/orders/<id>/delivery-reports", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(DeliveryActIn)
@blueprint.response(201, DeliveryActOut)
def delivery_report(request: dict[str, Any], id: str) -> dict[str, Any]:
    """Under a law of delivery: record that lines arrived, that the buyer gives a further time, or ends the contract."""
    scope, order_id, evidence = current(), identifier(id), {"text": request["evidence"]}
    lines = {identifier(line) for line in request["lines"]} if "lines" in request else None
    if request["said"] == "ended_by_buyer":
        ended = lapses.contract_ended(scope, order_id, lines, evidence, request.get("at"))
        return {"lines": [str(line) for line in ended]}
    said = deliveries.say(
        scope, order_id, request["said"], lines, evidence, at=request.get("at"), until=request.get("until")
    )
    return {"lines": [str(line) for line in said]}


@blueprint.route("/fulfillment-orders/<id>/cancellation-acceptance", methods=["POST"])
@permit("fulfillment:write")
@blueprint.arguments(NothingIn, required=False)
@blueprint.response(200, WorkOut)
def accept(_: dict[str, Any], id: str) -> Response:
    """Yes, the units that were to be canceled have not left."""
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
