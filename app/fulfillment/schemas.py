"""The provider's side of the contract."""

from __future__ import annotations

from marshmallow import fields, validate

from app.fulfillment.rules import REJECT_REASONS
from app.fulfillment.vocabulary import REQUEST, WORK
from app.orders.schemas import WorkOut
from app.shapes import MOST_QUANTITY, Instant, ListIn, PriceShape, Strict, Text, quantity

MOST_LINES = 500


class WorkListIn(ListIn):
    """Filters of the work list."""

    request_status = Text(20, validate=validate.OneOf(REQUEST))
    work_status = Text(20, validate=validate.OneOf(WORK))
    node = Text(100)


class WorkPageOut(Strict):
    """A page of fulfillment orders, oldest first."""

    data = fields.List(fields.Nested(WorkOut))
    next = fields.String(allow_none=True)


class UnitsIn(Strict):
    """Units of a SKU."""

    sku = Text(100, least=1, required=True)
    quantity = quantity(required=True)


class PickedIn(Strict):
    """Units of a SKU taken from the shelf; 0 when none was there."""

    sku = Text(100, least=1, required=True)
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(0, MOST_QUANTITY))


class NothingIn(Strict):
    """An empty body."""


class RejectionIn(Strict):
    """Why, and what; no lines = all."""

    reason = fields.String(required=True, validate=validate.OneOf(REJECT_REASONS))
    lines = fields.List(fields.Nested(UnitsIn), validate=validate.Length(1, MOST_LINES))


class PickIn(Strict):
    """What was picked; a SKU picked in fewer units than asked is a short pick. No lines = all."""

    lines = fields.List(fields.Nested(PickedIn), validate=validate.Length(1, MOST_LINES))


class PackIn(Strict):
    """What was packed; no lines = all."""

    lines = fields.List(fields.Nested(UnitsIn), validate=validate.Length(1, MOST_LINES))


class ShipmentIn(Strict):
    """One physical hand-over to a carrier."""

    lines = fields.List(fields.Nested(UnitsIn), required=True, validate=validate.Length(1, MOST_LINES))
    carrier = Text(100, load_default="")
    service = Text(100, load_default="")
    tracking_number = Text(100, load_default="")
    shipped_at = Instant(
        load_default=None,
        allow_none=True,
        metadata={"description": "Physical hand-over, not in the future. Default: now."},
    )
    cost = fields.Nested(
        PriceShape, metadata={"description": "What the carrier charges, in the order's currency."}
    )


class HandedToIn(Strict):
    """Who took the goods, and how they proved who they are."""

    name = Text(200, least=1, required=True)
    identified_by = Text(200, least=1, required=True)


class HandoverIn(Strict):
    """A pick-up at the counter; no lines = all that is open."""

    lines = fields.List(fields.Nested(UnitsIn), validate=validate.Length(1, MOST_LINES))
    handed_to = fields.Nested(HandedToIn, required=True)
    at = Instant(load_default=None, allow_none=True)
