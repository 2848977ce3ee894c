"""Inbound orders over the API."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.edge import Blueprint, permit
from app.inbound import listing, service
from app.inbound.schemas import InboundCancelIn, InboundIn, InboundListIn, InboundOut, InboundsOut, ReceiptIn
from infra.errors import invalid
from tenants.scope import current

blueprint = Blueprint("inbound", __name__, description="What is on its way")


@blueprint.route("/inbound/<inbound>", methods=["PUT"])
@permit("stock:write")
@blueprint.arguments(InboundIn)
@blueprint.response(200, InboundOut)
@blueprint.alt_response(201, schema=InboundOut, description="The inbound order is new")
def put(given: dict[str, Any], inbound: str) -> Response:
    """Say what is to come and when, or amend it. Buyers whose goods come too late now are told in time."""
    created = service.put(current(), inbound, given)
    body = InboundOut().dump(listing.one(current(), inbound))
    response = current_app.make_response(current_app.json.response(body))
    response.status_code = 201 if created else 200
    return response


@blueprint.route("/inbound/<inbound>", methods=["GET"])
@permit("stock:read")
@blueprint.response(200, InboundOut)
def get(inbound: str) -> dict[str, Any]:
    """One inbound order, with the record of its supplier."""
    return listing.one(current(), inbound)


@blueprint.route("/inbound", methods=["GET"])
@permit("stock:read")
@blueprint.arguments(InboundListIn, location="query")
@blueprint.response(200, InboundsOut)
def list_(filters: dict[str, Any]) -> dict[str, Any]:
    """Inbound orders, newest first."""
    return listing.listed(current(), filters)


@blueprint.route("/inbound/<inbound>/receipts", methods=["POST"])
@permit("stock:write")
@blueprint.arguments(ReceiptIn)
@blueprint.response(200, InboundOut)
def receive(given: dict[str, Any], inbound: str) -> dict[str, Any]:
    """Take a delivery into stock: orders that wait are served first. The same `receipt` again is taken once."""
    units: dict[str, int] = {}
    for at, line in enumerate(given["lines"]):
        if line["sku"] in units:
            raise invalid(f"/lines/{at}/sku", f"{line['sku']} has a line already. Send one line.")
        units[line["sku"]] = line["quantity"]
    service.receive(current(), inbound, given["receipt"], units)
    return listing.one(current(), inbound)


@blueprint.route("/inbound/<inbound>/cancellation", methods=["POST"])
@permit("stock:write")
@blueprint.arguments(InboundCancelIn)
@blueprint.response(200, InboundOut)
def cancel(given: dict[str, Any], inbound: str) -> dict[str, Any]:
    """Say that what has not come will not come."""
    service.cancel(current(), inbound, given["reason"])
    return listing.one(current(), inbound)
