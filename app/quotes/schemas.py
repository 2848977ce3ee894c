"""Quotes and availability as the contract shows them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.intake.schemas import MOST_LINES, AdjustmentIn, LineIn, PolicyIn, PromiseIn, TaxIn
from app.orders.schemas import PromiseOut
from app.shapes import MOST_QUANTITY, AddressIn, Instant, MoneyShape, Strict, Text


class QuoteIn(Strict):
    """A basket to price, tax and promise: an order without its buyer and its payment."""

    channel = Text(60, least=1, required=True)
    source_code = Text(60)
    currency = fields.String(load_default=None, allow_none=True, validate=validate.Length(equal=3))
    ship_to = fields.Nested(AddressIn, required=True)
    lines = fields.List(fields.Nested(LineIn), required=True, validate=validate.Length(1, MOST_LINES))
    charges = fields.List(fields.Nested(AdjustmentIn), validate=validate.Length(max=100))
    discounts = fields.List(fields.Nested(AdjustmentIn), validate=validate.Length(max=100))
    tax = fields.Nested(TaxIn)
    promise = fields.Nested(PromiseIn)
    policy = fields.Nested(PolicyIn)
    hold_minutes = fields.Integer(
        strict=True,
        validate=validate.Range(1, 60),
        metadata={
            "description": "Keep what can be allocated for so long, for the order that names the quote."
        },
    )


class QuoteLineOut(Schema):
    """One line as it would be ordered now."""

    sku = fields.String()
    title = fields.String()
    kind = fields.String()
    quantity = fields.Integer()
    allocated = fields.Integer(metadata={"description": "Units a node could act on now."})
    backordered = fields.Integer()
    held = fields.Integer(metadata={"description": "With `hold_minutes`: units kept for the order to come."})
    unit_price = fields.Nested(MoneyShape)
    total = fields.Nested(MoneyShape)
    promise = fields.Nested(PromiseOut)


class QuoteTotalsOut(Schema):
    """The basket's money."""

    items = fields.Nested(MoneyShape)
    discounts = fields.Nested(MoneyShape)
    charges = fields.Nested(MoneyShape)
    tax = fields.Nested(MoneyShape)
    total = fields.Nested(MoneyShape)


class PackageLineOut(Schema):
    """Units in a package."""

    sku = fields.String()
    quantity = fields.Integer()


class PackageOut(Schema):
    """What one node would send."""

    node = fields.String()
    ship_to = fields.Dict()
    lines = fields.List(fields.Nested(PackageLineOut))


class QuoteOut(Schema):
    """A quote. Without `hold_minutes` it holds nothing: the next order may take the stock."""

    quoted_at = Instant()
    channel = fields.String()
    currency = fields.String()
    lines = fields.List(fields.Nested(QuoteLineOut))
    totals = fields.Nested(QuoteTotalsOut)
    tax_status = fields.String()
    plan = fields.List(fields.Nested(PackageOut))
    sentence = fields.String()


class HeldQuoteOut(QuoteOut):
    """A quote that holds, or held, its stock. Without `hold_minutes` these fields are absent."""

    id = fields.String()
    held_until = Instant(metadata={"description": "On the tenant's clock."})
    state = fields.String(metadata={"description": "held, ordered, expired, withdrawn, lost"})
    order_id = fields.String(allow_none=True)


class AvailabilityIn(Strict):
    """What to look up."""

    sku = Text(100, least=1, required=True)
    channel = Text(60, metadata={"description": "Also counts what is held for this channel."})
    node = Text(100)
    by = fields.Date(metadata={"description": "Only what can ship by this day."})
    quantity = fields.Integer(load_default=1, validate=validate.Range(1, MOST_QUANTITY))


class NodeStockOut(Schema):
    """The parts at one node."""

    node = fields.String()
    on_hand = fields.Integer()
    reserved = fields.Integer()
    for_quotes = fields.Integer(metadata={"description": "Of the reserved: held for quotes."})
    safety = fields.Integer()
    held = fields.Integer(metadata={"description": "Free, but held for other channels."})
    available = fields.Integer()


class ComingOut(Schema):
    """A delivery that is ahead."""

    reference = fields.String()
    node = fields.String()
    expected_on = fields.Date()
    units = fields.Integer()
    unreserved = fields.Integer(metadata={"description": "Of these, units that no order waits for."})


class StockPartsOut(Schema):
    """What an availability is made of, in units of the SKU on the shelf."""

    sku = fields.String()
    quantity = fields.Integer(metadata={"description": "Units of it in one unit of what was asked for."})
    on_hand = fields.Integer()
    reserved = fields.Integer()
    for_quotes = fields.Integer(metadata={"description": "Of the reserved: held for quotes."})
    safety = fields.Integer()
    held = fields.Integer()
    waiting = fields.Integer(metadata={"description": "Units that wait without supply: they come first."})
    nodes = fields.List(fields.Nested(NodeStockOut))
    inbound = fields.List(fields.Nested(ComingOut), metadata={"description": "By day; by `by` when given."})


class AvailabilityOut(Schema):
    """Available to promise, with its parts. Nodes that are closed count nothing."""

    sku = fields.String()
    kind = fields.String()
    channel = fields.String(allow_none=True)
    node = fields.String(allow_none=True)
    by = fields.Date(allow_none=True)
    quantity = fields.Integer()
    unlimited = fields.Boolean(metadata={"description": "Made or sent on order: it does not run out."})
    available = fields.Integer(allow_none=True, metadata={"description": "null when unlimited"})
    inbound = fields.Integer(
        metadata={
            "description": "Units on their way, due by `by` when given, that nobody waits for. Not sold yet."
        }
    )
    earliest_ship = fields.Date(
        allow_none=True,
        metadata={"description": "When `quantity` could ship, with what is on its way; null when unknown."},
    )
    parts = fields.List(fields.Nested(StockPartsOut))
