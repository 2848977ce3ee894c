"""Inbound orders as the contract shows them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.inbound.listing import VIEWS
from app.inbound.rules import STATES
from app.shapes import Instant, ListIn, Strict, Text, quantity

MOST_LINES = 500


class InboundLineIn(Strict):
    """Units of one SKU that are to come."""

    sku = Text(100, least=1, required=True)
    quantity = quantity(required=True)
    expected_on = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "The day at the node by which they are there; null while nobody knows."},
    )


class InboundIn(Strict):
    """An inbound order, whole: a line that is left out is no longer to come."""

    supplier = Text(200, least=1, required=True)
    node = Text(100, least=1, required=True)
    ordered_on = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "Left out: today, or as it was. Lead times count from it."},
    )
    lines = fields.List(fields.Nested(InboundLineIn), required=True, validate=validate.Length(1, MOST_LINES))
    replaces = Text(
        100,
        load_default=None,
        allow_none=True,
        metadata={"description": "The `revision` that was seen: 409 when there is another one by now."},
    )


class ReceivedLineIn(Strict):
    """Units of one SKU that came."""

    sku = Text(100, least=1, required=True)
    quantity = quantity(required=True)


class ReceiptIn(Strict):
    """One delivery."""

    receipt = Text(
        100,
        least=1,
        required=True,
        metadata={"description": "Your number of the delivery. Sent twice, it is taken once."},
    )
    lines = fields.List(fields.Nested(ReceivedLineIn), required=True, validate=validate.Length(1, MOST_LINES))


class InboundCancelIn(Strict):
    """Why it will not come."""

    reason = Text(500, load_default="")


class InboundListIn(ListIn):
    """Filters of the list."""

    state = fields.String(validate=validate.OneOf(sorted(VIEWS)))
    sku = Text(100)
    node = Text(100)
    supplier = Text(200)


class InboundLineOut(Schema):
    """A line and what came of it."""

    sku = fields.String()
    quantity = fields.Integer()
    received = fields.Integer()
    open = fields.Integer(metadata={"description": "Still to come; 0 once canceled."})
    expected_on = fields.Date(allow_none=True)
    first_expected_on = fields.Date(allow_none=True)
    late = fields.Boolean()
    received_at = Instant(allow_none=True)


class ReceiptOut(Schema):
    """A delivery that was taken."""

    receipt = fields.String()
    lines = fields.Dict(metadata={"description": "Units by SKU."})
    actor = fields.String()
    at = Instant()


class SupplierRecordOut(Schema):
    """How the supplier's latest deliveries went, by the first day it named."""

    lines = fields.Integer()
    on_time = fields.Integer()
    promised_days = fields.Float(allow_none=True, metadata={"description": "Mean, from the order's day."})
    real_days = fields.Float(allow_none=True)


class InboundOut(Schema):
    """An inbound order."""

    reference = fields.String()
    supplier = fields.String()
    node = fields.String()
    ordered_on = fields.Date()
    revision = fields.String(metadata={"description": "Changes with each amendment; see `replaces`."})
    state = fields.String(validate=validate.OneOf(sorted(STATES)))
    cancelled_at = Instant(allow_none=True)
    lines = fields.List(fields.Nested(InboundLineOut))
    receipts = fields.List(fields.Nested(ReceiptOut))
    record = fields.Nested(SupplierRecordOut, allow_none=True)


class InboundsOut(Schema):
    """A page of inbound orders, newest first."""

    data = fields.List(fields.Nested(InboundOut))
    next = fields.String(allow_none=True)
