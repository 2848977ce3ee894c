"""Quotes and availability over the API."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.edge import Blueprint, permit
from app.quotes.availability import availability
from app.quotes.schemas import AvailabilityIn, AvailabilityOut, QuoteIn, QuoteOut
from app.quotes.service import quote
from tenants.scope import current

blueprint = Blueprint("quotes", __name__, description="What could be promised")


@blueprint.route("/quotes", methods=["POST"])
@permit("orders:read")
@blueprint.arguments(QuoteIn)
@blueprint.response(200, QuoteOut)
def quote_basket(given: dict[str, Any]) -> Response:
    """Price, tax, promise and route a basket as an order of this moment would be. Holds nothing."""
    return current_app.make_response(current_app.json.response(quote(current(), given)))


@blueprint.route("/availability", methods=["GET"])
@permit("stock:read")
@blueprint.arguments(AvailabilityIn, location="query")
@blueprint.response(200, AvailabilityOut)
def get_availability(asked: dict[str, Any]) -> dict[str, Any]:
    """Available to promise with its parts, and the earliest day a quantity could ship."""
    return availability(current(), asked.pop("sku"), **asked)
