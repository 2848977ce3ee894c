"""POST /v1/sandbox/clock: move the business clock of one's own sandbox."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from app.edge import Blueprint, permit
from app.shapes import Instant, Strict, Text
from tenants.scope import current
from workers.clockwork import advance

blueprint = Blueprint("sandbox", __name__, description="A sandbox's own clock")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class ClockIn(Strict):
    """How far, or to when."""

    advance = Text(20, metadata={"example": "30d", "description": "90s, 15m, 6h, 30d, 2w, or 1d12h."})
    to = Instant()

    @validates_schema
    def one_way(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of the two."""
        if ("advance" in data) == ("to" in data):
            raise ValidationError("Send either advance or to.", "advance")
        if "advance" in data and span(data["advance"]) is None:
            raise ValidationError("Say how far: 90s, 15m, 6h, 30d, 2w or 1d12h.", "advance")


class ClockOut(Schema):
    """The clock as it stands, and what fell due on the way."""

    now = Instant()
    timers = fields.Integer()
    jobs = fields.Integer()


def span(words: str) -> timedelta | None:
    """30d, 6h, 1d12h... as a span; None when it is no such thing or above ten years."""
    parts = re.findall(r"(\d{1,6})([smhdw])", words)
    if not parts or "".join(number + unit for number, unit in parts) != words:
        return None
    total = sum((timedelta(**{UNITS[unit]: int(number)}) for number, unit in parts), timedelta(0))
    return total if total <= timedelta(days=3660) else None


@blueprint.route("/sandbox/clock", methods=["POST"])
@permit("sandbox:write")
@blueprint.arguments(ClockIn)
@blueprint.response(200, ClockOut)
def move_clock(request: dict[str, Any]) -> dict[str, Any]:
    """Move the clock forward; answers when all that fell due is done."""
    scope = current()
    to = request.get("to") or scope.now() + (span(request["advance"]) or timedelta(0))
    return advance(scope.tenant_id, to, scope.actor)


@blueprint.route("/sandbox/clock", methods=["GET"])
@permit("sandbox:read")
@blueprint.response(200, ClockOut)
def read_clock() -> dict[str, Any]:
    """The business time of this tenant."""
    return {"now": current().now()}
