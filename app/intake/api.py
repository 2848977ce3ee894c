"""Orders in: one, or a batch of which each stands alone."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, g
from marshmallow import ValidationError

from app.edge import Blueprint, permit
from app.intake import addresses
from app.intake.schemas import AddressRequestIn, AddressRequestOut, BatchIn, BatchOut, OrderIn
from app.intake.service import Placed, place
from app.orders.schemas import OrderOut
from app.problems import field_errors
from app.shapes import identifier
from infra.errors import Problem
from tenants.scope import current

blueprint = Blueprint("order_intake", __name__, description="Place orders")
MOST_BATCH_BODY = 8_000_000
ORDER = OrderIn()


@blueprint.route("/orders", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(ORDER)
@blueprint.response(201, OrderOut)
@blueprint.alt_response(200, schema=OrderOut, description="The same order again, as it is now")
def place_order(request: dict[str, Any]) -> Response:
    """Place an order. Waits for no outside call: stock is reserved, payment is pending."""
    placed = place(current(), [request])[0]
    if placed.problem is not None:
        raise placed.problem
    return _json(placed.order, placed.status)


@blueprint.route("/orders/batch", methods=["POST"])
@permit("orders:write", most_body=MOST_BATCH_BODY)
@blueprint.arguments(BatchIn)
@blueprint.response(200, BatchOut)
def place_batch(batch: dict[str, Any]) -> Response:
    """Place up to 1,000 orders; one result per order, in input order."""
    results: list[dict[str, Any] | None] = []
    sound: list[dict[str, Any]] = []
    for order in batch["orders"]:
        try:
            sound.append(ORDER.load(order))
            results.append(None)
        except ValidationError as error:
            problem = Problem(422, "invalid", "The order has errors.", errors=field_errors(error))
            results.append({"status": 422, "problem": problem.document(g.request_id)})
    placed = iter(place(current(), sound) if sound else [])
    return _json({"results": [result or _result(next(placed)) for result in results]}, 200)


@blueprint.route("/orders/<id>/address-requests", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(AddressRequestIn)
@blueprint.response(201, AddressRequestOut)
def address_request(request: dict[str, Any], id: str) -> dict[str, Any]:
    """The address was never usable: record that the buyer was asked for another (`asked`), which holds the order; or
    that none ever came (`never`), which cancels it and gives the money back. A usable one goes to /address."""
    scope, order_id = current(), identifier(id)
    if request["outcome"] == "never":
        addresses.never(scope, order_id, request["evidence"])
        return {"outcome": "never", "clock_stopped": False}
    stopped = addresses.ask(scope, order_id, request["evidence"], request.get("asked_at"))
    return {"outcome": "asked", "clock_stopped": stopped}


def _result(placed: Placed) -> dict[str, Any]:
    if placed.problem is not None:
        return {"status": placed.status, "problem": placed.problem.document(g.request_id)}
    return {"status": placed.status, "order": placed.order}


def _json(body: Any, status: int) -> Response:
    response = current_app.make_response(current_app.json.response(body))
    response.status_code = status
    return response
