"""Nodes over the API."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.edge import Blueprint, permit
from app.network import queries
from app.network.schemas import NodeIn, NodeListIn, NodeOut, NodesOut
from app.network.service import put_node
from tenants.scope import current

blueprint = Blueprint("network", __name__, description="Where orders are fulfilled")


@blueprint.route("/nodes/<node>", methods=["PUT"])
@permit("nodes:write")
@blueprint.arguments(NodeIn)
@blueprint.response(200, NodeOut)
@blueprint.alt_response(201, schema=NodeOut, description="The node is new")
def put(given: dict[str, Any], node: str) -> Response:
    """Make or replace a node. Its place and zone are worked out from the address when left out."""
    created = put_node(current(), node, given)
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
