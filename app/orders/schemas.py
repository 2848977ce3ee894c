"""Orders as the contract shows them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.orders.rules import FULFILLMENT_STATUSES
from app.orders.vocabulary import HOLD_KINDS
from app.promises.schemas import DeliveryOut, LawOut
from app.shapes import Instant, ListIn, MoneyShape, Strict, Text, quantity

MOST_LINES = 500


class PromiseOut(Schema):
    """The legal clock of a line."""

    ship_by = fields.Date(metadata={"description": "Calendar day in the zone that binds."})
    stated = fields.Boolean()
    basis = fields.String(metadata={"description": "stated, 30 days, 50 days, or not covered"})
    deadline = Instant(metadata={"description": "First instant that is no longer in time."})
    expected_ship_at = Instant(allow_none=True)
    state = fields.String()
    laws = fields.List(fields.Nested(LawOut), metadata={"description": "Decided when it was ordered."})
    delivery = fields.Nested(DeliveryOut, allow_none=True)


class LineOut(Schema):
    """One SKU with its counters in units."""

    id = fields.String()
    sku = fields.String()
    title = fields.String()
    kind = fields.String()
    ordered = fields.Integer()
    cancelled = fields.Integer()
    backordered = fields.Integer()
    allocated = fields.Integer()
    shipped = fields.Integer()
    delivered = fields.Integer()
    returned = fields.Integer()
    refunded = fields.Integer()
    unit_price = fields.Nested(MoneyShape)
    total = fields.Nested(MoneyShape)
    promise = fields.Nested(PromiseOut, allow_none=True)


class WorkLineOut(Schema):
    """Units to ship from one node."""

    id = fields.String()
    sku = fields.String()
    quantity = fields.Integer()
    picked = fields.Integer()
    packed = fields.Integer()
    shipped = fields.Integer()
    released = fields.Integer()


class ShipmentLineOut(Schema):
    """Units in a shipment."""

    sku = fields.String()
    quantity = fields.Integer()


class ShipmentOut(Schema):
    """One physical hand-over."""

    id = fields.String()
    kind = fields.String()
    carrier = fields.String()
    service = fields.String()
    tracking_number = fields.String()
    shipped_at = Instant()
    lines = fields.List(fields.Nested(ShipmentLineOut))


class WorkOut(Schema):
    """A fulfillment order."""

    id = fields.String()
    order_id = fields.String()
    number = fields.String()
    node = fields.String()
    work_status = fields.String()
    request_status = fields.String()
    ship_to = fields.Dict()
    service = fields.String()
    promised_by = Instant()
    lines = fields.List(fields.Nested(WorkLineOut))
    shipments = fields.List(fields.Nested(ShipmentOut))


class HoldOut(Schema):
    """Why nothing may leave yet."""

    kind = fields.String()
    reason = fields.String()


class TotalsOut(Schema):
    """The order's money."""

    items = fields.Nested(MoneyShape)
    discounts = fields.Nested(MoneyShape)
    charges = fields.Nested(MoneyShape)
    tax = fields.Nested(MoneyShape)
    total = fields.Nested(MoneyShape)
    authorized = fields.Nested(MoneyShape)
    captured = fields.Nested(MoneyShape)
    refunded = fields.Nested(MoneyShape)


class OrderOut(Schema):
    """An order."""

    id = fields.String()
    number = fields.String()
    status = fields.String()
    channel = fields.String()
    external_ref = fields.String()
    source_code = fields.String(allow_none=True)
    placed_at = Instant()
    reference_date = fields.Date(allow_none=True)
    currency = fields.String()
    customer = fields.Dict()
    ship_to = fields.Dict()
    bill_to = fields.Dict(allow_none=True)
    holds = fields.List(fields.Nested(HoldOut))
    lines = fields.List(fields.Nested(LineOut))
    fulfillment_orders = fields.List(fields.Nested(WorkOut))
    totals = fields.Nested(TotalsOut)
    tax_status = fields.String()
    payment_status = fields.String()
    fulfillment_status = fields.String()


class OrdersOut(Schema):
    """A page of orders."""

    data = fields.List(fields.Nested(OrderOut))
    next = fields.String(allow_none=True)


class OrderListIn(ListIn):
    """Filters of the order list."""

    status = Text(20, validate=validate.OneOf(("draft", "placed", "closed", "cancelled")))
    channel = Text(60)
    external_ref = Text(120)
    number = Text(
        20,
        validate=validate.Regexp(r"\A(K-)?[0-9]{1,15}\Z", error="Send a number such as K-10001."),
        metadata={"example": "K-10001"},
    )
    email = Text(254)
    sku = Text(100)
    placed_from = Instant(metadata={"description": "Placed at this moment or later."})
    placed_to = Instant(metadata={"description": "Placed before this moment."})
    hold = Text(
        20,
        validate=validate.OneOf(("any", *HOLD_KINDS)),
        metadata={"description": "Kind of a live hold, or `any`."},
    )
    fulfillment_status = Text(20, validate=validate.OneOf(FULFILLMENT_STATUSES))


class HoldIn(Strict):
    """A hold to place or to release."""

    kind = fields.String(required=True, validate=validate.OneOf(HOLD_KINDS))
    reason = Text(500, load_default="")
    release = fields.Boolean(load_default=False)


class CancelLineIn(Strict):
    """Units of a line to cancel; no quantity = all that is open."""

    id = Text(60, required=True)
    quantity = quantity()


class CancellationIn(Strict):
    """What to cancel; no lines = the whole order."""

    lines = fields.List(fields.Nested(CancelLineIn), validate=validate.Length(1, MOST_LINES))
    reason = Text(500, least=1, required=True)


class TimelineEventOut(Schema):
    """One thing that happened."""

    id = fields.String()
    name = fields.String(metadata={"example": "order.placed"})
    at = Instant()
    actor = fields.String()
    data = fields.Dict()


class TimelineOut(Schema):
    """What happened to an order, oldest first."""

    data = fields.List(fields.Nested(TimelineEventOut))


class EntryOut(Schema):
    """One attempt against a tender."""

    id = fields.String()
    tender = fields.String()
    kind = fields.String()
    amount = fields.Nested(MoneyShape)
    outcome = fields.String()
    reference = fields.String(allow_none=True)
    at = Instant()


class LedgerOut(Schema):
    """An order's money, oldest entry first."""

    data = fields.List(fields.Nested(EntryOut))


class LinePromiseOut(PromiseOut):
    """The promise of one line, with what it rests on."""

    line = fields.String()
    sku = fields.String()
    made_at = Instant()
    original_deadline = Instant()
    evidence = fields.Dict()


class PromisesOut(Schema):
    """What the buyer was told, by line."""

    data = fields.List(fields.Nested(LinePromiseOut))
