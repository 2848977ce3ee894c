"""SKUs over the API."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.catalog import queries
from app.catalog.schemas import SkuIn, SkuListIn, SkuOut, SkusOut
from app.catalog.service import put_sku
from app.edge import Blueprint, permit
from app.shapes import without_code
from tenants.scope import current

blueprint = Blueprint("catalog", __name__, description="What is sold")


@blueprint.route("/skus/<sku>", methods=["PUT"])
@permit("skus:write")
@blueprint.arguments(SkuIn)
@blueprint.response(200, SkuOut)
@blueprint.alt_response(201, schema=SkuOut, description="The SKU is new")
def put(given: dict[str, Any], sku: str) -> Response:
    """Make or replace a SKU. Changing its kind is refused while orders, stock or a kit hang on it."""
    created = put_sku(current(), sku, without_code(given, sku, "sku"))
    response = current_app.make_response(current_app.json.response(queries.sku(current(), sku)))
    response.status_code = 201 if created else 200
    return response


@blueprint.route("/skus/<sku>", methods=["GET"])
@permit("skus:read")
@blueprint.response(200, SkuOut)
def get(sku: str) -> dict[str, Any]:
    """One SKU."""
    return queries.sku(current(), sku)


@blueprint.route("/skus", methods=["GET"])
@permit("skus:read")
@blueprint.arguments(SkuListIn, location="query")
@blueprint.response(200, SkusOut)
def list_(filters: dict[str, Any]) -> dict[str, Any]:
    """SKUs in the order of their codes."""
    return queries.skus(current(), **filters)
