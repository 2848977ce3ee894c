"""The shape of the exception queue."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.exceptions.rules import ACTIONS, KINDS, STATES
from app.shapes import Instant, ListIn, Strict, Text


class ExceptionListIn(ListIn):
    """Filters of the queue."""

    state = Text(20, validate=validate.OneOf(STATES))
    kind = Text(20, validate=validate.OneOf(KINDS))


class ExceptionOut(Schema):
    """An order that routing could not place by itself."""

    id = fields.String()
    order_id = fields.String()
    order = fields.String(metadata={"description": "The order's number, as people say it."})
    kind = fields.String(
        metadata={
            "description": "`nowhere`: no place could send it; `cycles`: refused too often; `cancel`: its rule"
            " has it canceled; `gone`: goods left although their line was canceled by law."
        }
    )
    reason = fields.String()
    units = fields.Integer(metadata={"description": "Units of the order that wait now."})
    state = fields.String()
    action = fields.String(metadata={"description": "What closed it; empty while it is open."})
    owner = fields.String(metadata={"description": "Who looks after it; empty: nobody yet."})
    opened_at = Instant()
    closed_at = Instant(allow_none=True)
    closed_by = fields.String()


class ExceptionsOut(Schema):
    """A page of exceptions, the oldest first."""

    data = fields.List(fields.Nested(ExceptionOut))
    next = fields.String(allow_none=True)


class ResolutionIn(Strict):
    """What is decided."""

    action = fields.String(required=True, validate=validate.OneOf(tuple(ACTIONS)))
    node = Text(100, least=1, metadata={"description": "With `assign`: the node that gets all that waits."})
