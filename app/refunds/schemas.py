"""The shape of refunds due."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.refunds.queries import STATES
from app.refunds.rules import FORMS
from app.shapes import Instant, ListIn, MoneyShape, Strict, Text


class RefundListIn(ListIn):
    """Filters of the list."""

    state = Text(20, validate=validate.OneOf(tuple(STATES)))
    due_before = Instant(metadata={"description": "Only those due before this time."})


class RefundOut(Schema):
    """Money owed back to a buyer for one tender. It is made when it is `proven`: money and statement went."""

    id = fields.String()
    order_id = fields.String()
    order = fields.String(metadata={"description": "The order's number, as people say it."})
    tender = fields.String()
    amount = fields.Nested(MoneyShape)
    taken = fields.Boolean(
        metadata={"description": "False: it was never taken; it is let go, and the buyer told so."}
    )
    form = fields.String(
        metadata={"description": "What counts as a refund of this tender (16 CFR 435.1(d))."}
    )
    cause = fields.String()
    state = fields.String(metadata={"description": "`open`, `paid` (the statement is missing) or `proven`."})
    late = fields.Boolean()
    to_do = fields.String(
        metadata={"description": "What a person must do: `send` the money, send the `statement`, or nothing."}
    )
    vests_on = fields.Date()
    target_on = fields.Date(metadata={"description": "Kept's own aim: two working days."})
    latest_on = fields.Date(metadata={"description": "The last lawful day."})
    strict_on = fields.Date(metadata={"description": "The last day when observed Fridays are working days."})
    due_at = Instant()
    sent_on = fields.Date(allow_none=True)
    sent_form = fields.String(allow_none=True)
    reference = fields.String(allow_none=True)
    impossible_on = fields.Date(allow_none=True)
    impossible_reason = fields.String(allow_none=True)
    statement = fields.String(allow_none=True, metadata={"description": "The notice that told the buyer."})
    statement_sent_on = fields.Date(allow_none=True)
    proven_at = Instant(allow_none=True)


class RefundsOut(Schema):
    """A page of refunds due, the oldest first."""

    data = fields.List(fields.Nested(RefundOut))
    next = fields.String(allow_none=True)


class OrderRefundsOut(Schema):
    """The refunds due of one order."""

    data = fields.List(fields.Nested(RefundOut))


class RefundPaymentIn(Strict):
    """What a person sent."""

    form = fields.String(required=True, validate=validate.OneOf(FORMS))
    reference = Text(
        100, load_default="", metadata={"description": "The number of the check or money order."}
    )
    sent_on = fields.Date(required=True)


class RefundImpossibleIn(Strict):
    """Why the money cannot go back the way it came, and since when that is known."""

    reason = Text(500, least=1, required=True)
    discovered_on = fields.Date(required=True)


class RefundStatementIn(Strict):
    """How and when a person told the buyer."""

    reference = Text(
        200, least=1, required=True, metadata={"description": "For example: by post, with the check."}
    )
    sent_on = fields.Date(required=True)
