"""Refunds due over the API: what is owed to buyers, and what people did about it."""

from __future__ import annotations

from typing import Any

from app.edge import Blueprint, permit
from app.refunds import queries, schemas, service
from app.shapes import identifier
from tenants.scope import current

blueprint = Blueprint("refunds", __name__, description="Money owed back to buyers, until it is proven")


@blueprint.route("/refunds-due", methods=["GET"])
@permit("payments:read")
@blueprint.arguments(schemas.RefundListIn, location="query")
@blueprint.response(200, schemas.RefundsOut)
def list_(filters: dict[str, Any]) -> dict[str, Any]:
    """Refunds due, the oldest first."""
    return queries.listed(current(), **filters)


@blueprint.route("/orders/<id>/refunds-due", methods=["GET"])
@permit("payments:read")
@blueprint.response(200, schemas.OrderRefundsOut)
def of_order(id: str) -> dict[str, Any]:
    """The refunds due of one order."""
    return queries.shown_of_order(current(), identifier(id))


@blueprint.route("/refunds-due/<id>/payment", methods=["POST"])
@permit("payments:write")
@blueprint.arguments(schemas.RefundPaymentIn)
@blueprint.response(200, schemas.RefundOut)
def pay(request: dict[str, Any], id: str) -> dict[str, Any]:
    """A person sent the money. Store credit is refused for money that was tendered otherwise."""
    return queries.shown(current(), service.pay(current(), identifier(id), **request))


@blueprint.route("/refunds-due/<id>/impossible", methods=["POST"])
@permit("payments:write")
@blueprint.arguments(schemas.RefundImpossibleIn)
@blueprint.response(200, schemas.RefundOut)
def impossible(request: dict[str, Any], id: str) -> dict[str, Any]:
    """The money cannot go back the way it came: from the discovery on, cash or a check is due."""
    return queries.shown(current(), service.cannot(current(), identifier(id), **request))


@blueprint.route("/refunds-due/<id>/statement", methods=["POST"])
@permit("payments:write")
@blueprint.arguments(schemas.RefundStatementIn)
@blueprint.response(200, schemas.RefundOut)
def statement(request: dict[str, Any], id: str) -> dict[str, Any]:
    """A person told the buyer of the refund, where our message could not be delivered."""
    return queries.shown(current(), service.state_by_hand(current(), identifier(id), **request))
