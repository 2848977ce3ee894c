"""Orders as the contract shows them."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.shapes import Instant, ListIn, MoneyShape, Strict, Text, quantity


class PromiseOut(Schema):
    """The legal clock of a line."""

    ship_by = fields.Date(metadata={"description": "Calendar day in the zone that binds."})
    stated = fields.Boolean()
    basis = fields.String(metadata={"description": "stated, 30 days, 50 days, or not covered"})
    deadline = Instant(metadata={"description": "First instant that is no longer in time."})
    expected_ship_at = Instant(allow_none=True)
    state = fields.String()


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

    status = Text(20)
    channel = Text(60)
    external_ref = Text(120)
    number = Text(20)
    email = Text(254)
    sku = Text(100)
    placed_from = Instant()
    placed_to = Instant()
    hold = Text(20)
    fulfillment_status = Text(20)


class HoldIn(Strict):
    """A hold to place or to release."""

    kind = Text(20, least=1, required=True)
    reason = Text(500, load_default="")
    release = fields.Boolean(load_default=False)


class CancelLineIn(Strict):
    """Units of a line to cancel; no quantity = all that is open."""

    id = Text(60, required=True)
    quantity = quantity()


class CancellationIn(Strict):
    """What to cancel; no lines = the whole order."""

    lines = fields.List(fields.Nested(CancelLineIn))
    reason = Text(500, least=1, required=True)
