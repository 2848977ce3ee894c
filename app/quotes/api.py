"""Quotes, with the stock they may hold, and availability over the API."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.edge import Blueprint, permit
from app.quotes.availability import availability
from app.quotes.schemas import AvailabilityIn, AvailabilityOut, HeldQuoteOut, QuoteIn
from app.quotes.service import quote, shown, withdraw
from app.shapes import identifier
from tenants.scope import current

blueprint = Blueprint("quotes", __name__, description="What could be promised")


@blueprint.route("/quotes", methods=["POST"])
@permit("orders:read")
@blueprint.arguments(QuoteIn)
@blueprint.response(200, HeldQuoteOut)
def quote_basket(given: dict[str, Any]) -> Response:
    """Price, tax, promise and route a basket as an order of this moment would be. Holds nothing, unless `hold_minutes`
    says so: then (scope `orders:write`) its units are kept for the order that names the quote's id as `quote_id`."""
    return current_app.make_response(current_app.json.response(quote(current(), given)))


@blueprint.route("/quotes/<id>", methods=["GET"])
@permit("orders:read")
@blueprint.response(200, HeldQuoteOut)
def get_quote(id: str) -> Response:
    """A quote that held stock, and how it stands. It is there until a week after its minutes."""
    return current_app.make_response(current_app.json.response(shown(current(), identifier(id))))


@blueprint.route("/quotes/<id>", methods=["DELETE"])
@permit("orders:write")
@blueprint.response(200, HeldQuoteOut)
def withdraw_quote(id: str) -> Response:
    """Give the quote's units back at once. An order may still name it, for the promise it told."""
    return current_app.make_response(current_app.json.response(withdraw(current(), identifier(id))))


@blueprint.route("/availability", methods=["GET"])
@permit("stock:read")
@blueprint.arguments(AvailabilityIn, location="query")
@blueprint.response(200, AvailabilityOut)
def get_availability(asked: dict[str, Any]) -> dict[str, Any]:
    """Available to promise with its parts, and the earliest day a quantity could ship."""
    return availability(current(), asked.pop("sku"), **asked)
