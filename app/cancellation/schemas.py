"""The shape of a cancellation."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.orders.schemas import CancellationIn, OrderOut
from app.shapes import Strict, Text

__all__ = ["CancellationIn", "CancelledOut", "PendingOut", "RefusalIn", "WillNotShipIn"]


class PendingOut(Schema):
    """Units whose provider was asked and has not answered."""

    id = fields.String(metadata={"description": "The order line."})
    sku = fields.String()
    quantity = fields.Integer()
    node = fields.String()


class CancelledOut(OrderOut):
    """The order as it is now, and what still waits for an answer."""

    pending = fields.List(fields.Nested(PendingOut))


class WillNotShipIn(Strict):
    """Lines that will not ship."""

    lines = fields.List(
        Text(60, least=1),
        validate=validate.Length(1, 1000),
        metadata={"description": "Ids of lines; without them all that is open under a promise."},
    )
    reason = Text(500, least=3, required=True)


class RefusalIn(Strict):
    """Why the cancellation comes too late."""

    reason = Text(500, least=1, required=True)
