"""Delay notices over the API."""

from __future__ import annotations

from typing import Any

from app.edge import Blueprint, permit
from app.promises.queries import delay_notices
from app.promises.schemas import DelayNoticeIn, DelayNoticesOut
from app.promises.service import send_delay_notice
from app.shapes import identifier
from tenants.scope import current

blueprint = Blueprint("promises", __name__, description="Tell buyers of delays")


@blueprint.route("/orders/<id>/delay-notices", methods=["POST"])
@permit("orders:write")
@blueprint.arguments(DelayNoticeIn)
@blueprint.response(201, DelayNoticesOut)
def send(request: dict[str, Any], id: str) -> dict[str, Any]:
    """Tell the buyer that lines ship later, and offer the lawful choice. The right kind is worked out."""
    lines = [identifier(line) for line in request["lines"]] if "lines" in request else None
    sent = send_delay_notice(current(), identifier(id), lines, request["ship_by"], request["reason"])
    return {"data": delay_notices(current(), sent)}
