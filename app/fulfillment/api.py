"""The provider's door: see the work of one's nodes, answer, pick, pack, ship."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.edge import Blueprint, noted, permit
from app.fulfillment import queries, schemas, service, shortfalls
from app.fulfillment.shipments import Shipped, ship
from app.orders.schemas import WorkOut
from app.shapes import identifier
from infra.errors import invalid
from tenants.scope import current

blueprint = Blueprint("fulfillment", __name__, description="Fulfillment orders: the work of nodes")


@blueprint.route("/fulfillment-orders", methods=["GET"])
@permit("fulfillment:read")
@blueprint.arguments(schemas.WorkListIn, location="query")
@blueprint.response(200, schemas.WorkPageOut)
def work_list(filters: dict[str, Any]) -> Response:
    """Work, oldest first. A provider sees released work of its own nodes."""
    return _json(queries.listed(current(), filters))


@blueprint.route("/fulfillment-orders/<id>", methods=["GET"])
@permit("fulfillment:read")
@blueprint.response(200, WorkOut)
def work_one(id: str) -> Response:
    """One fulfillment order."""
    return _json(queries.document(current(), identifier(id)))


@blueprint.route("/fulfillment-orders/<id>/acceptance", methods=["POST"])
@permit("fulfillment:write")
@blueprint.arguments(schemas.NothingIn, required=False)
@blueprint.response(200, WorkOut)
def accept(_: dict[str, Any], id: str) -> Response:
    """Take the work on. Required before shipping."""
    return _json(service.accept(current(), identifier(id)))


@blueprint.route("/fulfillment-orders/<id>/rejection", methods=["POST"])
@permit("fulfillment:write")
@blueprint.arguments(schemas.RejectionIn)
@blueprint.response(200, WorkOut)
def reject(request: dict[str, Any], id: str) -> Response:
    """Give units back; they are routed again, not to this node. `out_of_stock` and `damaged` put them on hold
    until somebody counts."""
    return _json(shortfalls.reject(current(), identifier(id), request["reason"], request.get("lines")))


@blueprint.route("/fulfillment-orders/<id>/pick", methods=["POST"])
@permit("fulfillment:write")
@blueprint.arguments(schemas.PickIn, required=False)
@blueprint.response(200, WorkOut)
def pick(request: dict[str, Any], id: str) -> Response:
    """Say what was taken from the shelf. Fewer units of a SKU than asked: the rest is routed again."""
    return _json(shortfalls.pick(current(), identifier(id), request.get("lines")))


@blueprint.route("/fulfillment-orders/<id>/pack", methods=["POST"])
@permit("fulfillment:write")
@blueprint.arguments(schemas.PackIn, required=False)
@blueprint.response(200, WorkOut)
def pack(request: dict[str, Any], id: str) -> Response:
    """Say what is in a parcel."""
    return _json(service.pack(current(), identifier(id), request.get("lines")))


@blueprint.route("/fulfillment-orders/<id>/shipments", methods=["POST"])
@permit("fulfillment:write")
@blueprint.arguments(schemas.ShipmentIn)
@blueprint.response(201, WorkOut)
@blueprint.alt_response(200, schema=WorkOut, description="This hand-over was told before; nothing changed")
def shipments(request: dict[str, Any], id: str) -> Response:
    """Record a hand-over to a carrier; the buyer is charged for what shipped.

    Send an Idempotency-Key. Without one, a report with a tracking number or a time is recognized when it comes
    again: same carrier, number, time and units.
    """
    cost = request.get("cost")
    if cost and cost["currency"] != current().tenant.currency:
        raise invalid("/cost/currency", f"Send the cost in {current().tenant.currency}.")
    report = {**request, "kind": "carrier", "cost": cost["amount"] if cost else None}
    return _shipped(ship(current(), identifier(id), report))


@blueprint.route("/fulfillment-orders/<id>/handover", methods=["POST"])
@permit("fulfillment:write")
@blueprint.arguments(schemas.HandoverIn)
@blueprint.response(201, WorkOut)
@blueprint.alt_response(200, schema=WorkOut, description="This hand-over was told before; nothing changed")
def handover(request: dict[str, Any], id: str) -> Response:
    """Record a pick-up at the counter: who took the goods, and how they were identified."""
    report = {
        "kind": "counter",
        "carrier": "",
        "service": "counter",
        "tracking_number": "",
        "shipped_at": request["at"],
        "handed_to": request["handed_to"],
        "lines": request.get("lines"),
    }
    return _shipped(ship(current(), identifier(id), report))


def _shipped(result: Shipped) -> Response:
    if result.refusal is not None:
        return noted(result.refusal)
    return _json(result.document, 200 if result.again else 201)


def _json(body: Any, status: int = 200) -> Response:
    response = current_app.make_response(current_app.json.response(body))
    response.status_code = status
    return response
