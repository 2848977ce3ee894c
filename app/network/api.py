"""Nodes and rate cards over the API."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.edge import Blueprint, permit
from app.network import queries
from app.network.rate_cards import put_rate_card
from app.network.schemas import NodeIn, NodeListIn, NodeOut, NodesOut, RateCardIn, RateCardOut, RateCardsOut
from app.network.service import put_node
from app.shapes import ListIn, without_code
from tenants.scope import current

blueprint = Blueprint("network", __name__, description="Where orders are fulfilled")


@blueprint.route("/nodes/<node>", methods=["PUT"])
@permit("nodes:write")
@blueprint.arguments(NodeIn)
@blueprint.response(200, NodeOut)
@blueprint.alt_response(201, schema=NodeOut, description="The node is new")
def put(given: dict[str, Any], node: str) -> Response:
    """Make or replace a node. Its place and zone are worked out from the address when left out."""
    created = put_node(current(), node, without_code(given, node, "node", "code"))
    response = current_app.make_response(current_app.json.response(queries.node(current(), node)))
    response.status_code = 201 if created else 200
    return response


@blueprint.route("/nodes/<node>", methods=["GET"])
@permit("nodes:read")
@blueprint.response(200, NodeOut)
def get(node: str) -> dict[str, Any]:
    """One node."""
    return queries.node(current(), node)


@blueprint.route("/nodes", methods=["GET"])
@permit("nodes:read")
@blueprint.arguments(NodeListIn, location="query")
@blueprint.response(200, NodesOut)
def list_(filters: dict[str, Any]) -> dict[str, Any]:
    """Nodes in the order of their codes."""
    return queries.nodes(current(), **filters)


@blueprint.route("/rate-cards/<rate_card>", methods=["PUT"])
@permit("nodes:write", most_body=2_000_000)
@blueprint.arguments(RateCardIn)
@blueprint.response(200, RateCardOut)
@blueprint.alt_response(201, schema=RateCardOut, description="The rate card is new")
def put_card(given: dict[str, Any], rate_card: str) -> Response:
    """Make or replace a carrier's rate card. Amounts are minor units; prices left out stay as they are."""
    created = put_rate_card(current(), rate_card, given)
    body = queries.rate_card(current(), rate_card)
    response = current_app.make_response(current_app.json.response(body))
    response.status_code = 201 if created else 200
    return response


@blueprint.route("/rate-cards/<rate_card>", methods=["GET"])
@permit("nodes:read")
@blueprint.response(200, RateCardOut)
def get_card(rate_card: str) -> dict[str, Any]:
    """One rate card with its prices."""
    return queries.rate_card(current(), rate_card)


@blueprint.route("/rate-cards", methods=["GET"])
@permit("nodes:read")
@blueprint.arguments(ListIn, location="query")
@blueprint.response(200, RateCardsOut)
def list_cards(filters: dict[str, Any]) -> dict[str, Any]:
    """Rate cards in the order of their codes, without their prices."""
    return queries.rate_cards(current(), **filters)
