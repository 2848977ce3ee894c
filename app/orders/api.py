"""Orders over the API: list, one, its story, its reasons, its money, its promises; holds and address."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.edge import Blueprint, permit
from app.orders import queries, routing_schemas, schemas, service
from app.shapes import AddressIn, identifier
from tenants.scope import current

blueprint = Blueprint("orders", __name__, description="Orders")


@blueprint.route("/orders", methods=["GET"])
@permit("orders:read")
@blueprint.arguments(schemas.OrderListIn, location="query")
@blueprint.response(200, schemas.OrdersOut)
def listed(filters: dict[str, Any]) -> Response:
    """Orders, newest first."""
    return _json(queries.listed(current(), filters))


@blueprint.route("/orders/<id>", methods=["GET"])
@permit("orders:read")
@blueprint.response(200, schemas.OrderOut)
def one(id: str) -> Response:
    """One order as it is now."""
    return _json(queries.document(current(), identifier(id)))


@blueprint.route("/orders/<id>/timeline", methods=["GET"])
@permit("orders:read")
@blueprint.response(200, schemas.TimelineOut)
def timeline(id: str) -> Response:
    """What happened, oldest first."""
    return _json(queries.timeline(current(), identifier(id)))


@blueprint.route("/orders/<id>/routing", methods=["GET"])
@permit("orders:read")
@blueprint.arguments(routing_schemas.RoutingIn, location="query")
@blueprint.response(200, routing_schemas.RoutingOut)
def routing(asked: dict[str, Any], id: str) -> Response:
    """Where the units go, which nodes were considered, and why. With `replay`, every decision is made once more from
    what was kept of it, and without each of its constraints."""
    return _json(queries.routing(current(), identifier(id), replayed=asked["replay"]))


@blueprint.route("/orders/<id>/ledger", methods=["GET"])
@permit("orders:read")
@blueprint.response(200, schemas.LedgerOut)
def ledger(id: str) -> Response:
    """The order's money: every attempt and what became of it."""
    return _json(queries.ledger(current(), identifier(id)))


@blueprint.route("/orders/<id>/promises", methods=["GET"])
@permit("orders:read")
@blueprint.response(200, schemas.PromisesOut)
def promises(id: str) -> Response:
    """What the buyer was told about each line, when, and on what basis."""
    return _json(queries.promises(current(), identifier(id)))


@blueprint.route("/orders/<id>/holds", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(schemas.HoldIn)
@blueprint.response(200, schemas.OrderOut)
def hold(request: dict[str, Any], id: str) -> Response:
    """Hold the order, or lift a hold (`release`). A held order is not released to nodes and does not ship."""
    scope, order_id = current(), identifier(id)
    verb = service.release_hold if request["release"] else service.place_hold
    verb(scope, order_id, request["kind"], request["reason"])
    return _json(queries.document(scope, order_id))


@blueprint.route("/orders/<id>/address", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(AddressIn)
@blueprint.response(200, schemas.OrderOut)
def address(ship_to: dict[str, Any], id: str) -> Response:
    """Send the order elsewhere, while no node has accepted it. Another place may mean other nodes."""
    scope, order_id = current(), identifier(id)
    service.change_address(scope, order_id, ship_to)
    return _json(queries.document(scope, order_id))


def _json(body: Any) -> Response:
    return current_app.make_response(current_app.json.response(body))
