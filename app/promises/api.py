"""Promises over the API: how they stand, delay notices, answers, amendments, and many at once."""

from __future__ import annotations

from typing import Any

from app.edge import Blueprint, permit
from app.promises import schemas
from app.promises.amendments import amend
from app.promises.bulk import revise
from app.promises.policy import follow, followed
from app.promises.queries import counts, delay_notices, listed, notice_of
from app.promises.service import answer_delay, send_delay_notice
from app.promises.vocabulary import Rider
from app.shapes import identifier
from tenants.scope import current

blueprint = Blueprint(
    "promises", __name__, description="Promises to buyers, and what the rule makes of delays"
)


@blueprint.route("/orders/<id>/delay-notices", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(schemas.DelayNoticeIn)
@blueprint.response(201, schemas.DelayNoticesOut)
def send(request: dict[str, Any], id: str) -> dict[str, Any]:
    """Tell the buyer that lines ship later, and offer the lawful choice. The right kind is worked out."""
    lines = [identifier(line) for line in request["lines"]] if "lines" in request else None
    rider = Rider(request["rider"]["until"]) if "rider" in request else None
    sent = send_delay_notice(
        current(), identifier(id), lines, request["ship_by"], request["reason"], rider=rider
    )
    return {"data": delay_notices(current(), sent)}


@blueprint.route("/orders/<id>/delay-answers", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(schemas.DelayAnswerIn)
@blueprint.response(201, schemas.DelayAnswerOut)
def answer(request: dict[str, Any], id: str) -> dict[str, Any]:
    """Record an answer that a buyer gave by phone, letter or chat, with what shows it. A question is no answer."""
    scope = current()
    notice = notice_of(scope, identifier(id), identifier(request["notice"]))
    evidence = {"text": request["evidence"]}
    outcome = answer_delay(
        scope, notice, request["answer"], request["channel"], evidence, request.get("received_at")
    )
    return {"outcome": outcome}


@blueprint.route("/orders/<id>/amendments", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(schemas.AmendmentIn)
@blueprint.response(201, schemas.AmendmentOut)
def amendment(request: dict[str, Any], id: str) -> dict[str, Any]:
    """Record that the buyer asks for a later date, or agrees to other goods."""
    lines = amend(
        current(),
        identifier(id),
        [identifier(line) for line in request["lines"]],
        request["evidence"],
        ship_by=request.get("ship_by"),
        substitute=request.get("substitute", ""),
    )
    return {"lines": lines}


@blueprint.route("/promises", methods=["GET"])
@permit("orders:read")
@blueprint.arguments(schemas.PromiseListIn, location="query")
@blueprint.response(200, schemas.PromiseLinesOut)
def promises(filters: dict[str, Any]) -> dict[str, Any]:
    """Lines under a promise, the earliest deadline first."""
    return listed(current(), filters)


@blueprint.route("/promises/counts", methods=["GET"])
@permit("orders:read")
@blueprint.response(200, schemas.PromiseCountsOut)
def promise_counts() -> dict[str, Any]:
    """How many lines are due today, at risk, late, and waiting for their buyer."""
    return counts(current())


@blueprint.route("/promises/revisions", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(schemas.RevisionIn)
@blueprint.response(200, schemas.RevisionsOut)
def revisions(request: dict[str, Any]) -> dict[str, Any]:
    """A supplier slips: tell the buyers of all open lines of a SKU, or of these lines. Try it with `preview` first."""
    lines = [identifier(line) for line in request["lines"]] if "lines" in request else None
    return revise(
        current(),
        request["ship_by"],
        request["reason"],
        sku=request.get("sku"),
        line_ids=lines,
        preview=request["preview"],
    )


@blueprint.route("/settings/promises", methods=["GET"])
@permit("settings:read")
@blueprint.response(200, schemas.PromisePolicyOut)
def policy() -> dict[str, Any]:
    """The laws that the merchant's orders follow, and how the delay rule is read, with their versions."""
    return followed(current())


@blueprint.route("/settings/promises", methods=["PUT"])
@permit("settings:write")
@blueprint.arguments(schemas.PromisePolicyIn)
@blueprint.response(200, schemas.PromisePolicyOut)
def change_policy(request: dict[str, Any]) -> dict[str, Any]:
    """Change them, for orders placed from now on. A part that is left out stays as it is."""
    return follow(
        current(),
        readings=request.get("promises"),
        laws=request.get("laws"),
        replaces=request.get("replaces"),
    )
