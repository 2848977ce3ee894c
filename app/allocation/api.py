"""Stock over the API: adjustments, positions, the ledger; counts and their cases."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.allocation import counts, queries
from app.allocation.adjustments import adjust
from app.allocation.allotments import allotments, put_allotments
from app.allocation.schemas import (
    AdjustedOut,
    AllotmentsIn,
    AllotmentsOut,
    AnswerIn,
    CaseListIn,
    CaseOut,
    CasesOut,
    CountIn,
    CountOut,
    MovementListIn,
    MovementsOut,
    PositionListIn,
    PositionsOut,
    StockAdjustmentsIn,
)
from app.edge import Blueprint, permit
from app.shapes import identifier
from tenants.scope import current

blueprint = Blueprint(
    "stock", __name__, description="Stock at nodes: what lies there, counts and adjustments"
)


@blueprint.route("/stock/adjustments", methods=["POST"])
@permit("stock:write")
@blueprint.arguments(StockAdjustmentsIn)
@blueprint.response(201, AdjustedOut)
def adjust_stock(given: dict[str, Any]) -> Response:
    """Adjust stock. Answers the position, or `{"data": [positions]}` for `adjustments`, in their order.

    A loss of reserved units is accepted: the latest promises wait again.
    """
    batch = given.get("adjustments")
    positions = adjust(current(), [given] if batch is None else batch, single=batch is None)
    body = positions[0] if batch is None else {"data": positions}
    response = current_app.make_response(current_app.json.response(body))
    response.status_code = 201
    return response


@blueprint.route("/stock", methods=["GET"])
@permit("stock:read")
@blueprint.arguments(PositionListIn, location="query")
@blueprint.response(200, PositionsOut)
def list_stock(filters: dict[str, Any]) -> dict[str, Any]:
    """Positions: node x SKU x disposition x segment."""
    return queries.positions(current(), **filters)


@blueprint.route("/stock/movements", methods=["GET"])
@permit("stock:read")
@blueprint.arguments(MovementListIn, location="query")
@blueprint.response(200, MovementsOut)
def list_movements(filters: dict[str, Any]) -> dict[str, Any]:
    """The ledger, newest first. A position is the sum of its movements."""
    return queries.movements(current(), **filters)


@blueprint.route("/stock/counts", methods=["POST"])
@permit("counts:write", most_body=2_000_000)
@blueprint.arguments(CountIn)
@blueprint.response(200, CountOut)
def count_stock(given: dict[str, Any]) -> dict[str, Any]:
    """Report what lies at a node. Differences become cases; nothing is overwritten."""
    return counts.count(current(), given)


@blueprint.route("/stock/cases", methods=["GET"])
@permit("counts:read")
@blueprint.arguments(CaseListIn, location="query")
@blueprint.response(200, CasesOut)
def list_cases(filters: dict[str, Any]) -> dict[str, Any]:
    """Differences that a person must look at, newest first."""
    return queries.cases(current(), **filters)


@blueprint.route("/stock/cases/<case>/acceptance", methods=["POST"])
@permit("stock:write")
@blueprint.arguments(AnswerIn)
@blueprint.response(200, CaseOut)
def accept_case(given: dict[str, Any], case: str) -> dict[str, Any]:
    """Believe the count: stock is adjusted to it."""
    return counts.accept(current(), identifier(case), given["note"])


@blueprint.route("/stock/cases/<case>/dismissal", methods=["POST"])
@permit("stock:write")
@blueprint.arguments(AnswerIn)
@blueprint.response(200, CaseOut)
def dismiss_case(given: dict[str, Any], case: str) -> dict[str, Any]:
    """Believe the books: the count changes nothing. Units that were on hold become sellable again."""
    return counts.dismiss(current(), identifier(case), given["note"])


@blueprint.route("/allotments", methods=["PUT"])
@permit("stock:write", most_body=2_000_000)
@blueprint.arguments(AllotmentsIn)
@blueprint.response(200, AllotmentsOut)
def put_all(given: dict[str, Any]) -> dict[str, Any]:
    """Say what each channel holds of the shared stock, all at once.

    Units held for a channel are the last ones at a node: the other channels do not see them, unless their own
    allotment lets them borrow. The most particular allotment of a channel counts: SKU and node, SKU, node, neither.
    """
    put_allotments(current(), given["allotments"])
    return {"allotments": allotments(current())}


@blueprint.route("/allotments", methods=["GET"])
@permit("stock:read")
@blueprint.response(200, AllotmentsOut)
def get_all() -> dict[str, Any]:
    """What each channel holds of the shared stock."""
    return {"allotments": allotments(current())}
