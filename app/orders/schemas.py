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


class PlannedOut(Schema):
    """Units of a line at a node. `line` counts the order's lines from 0."""

    node = fields.String()
    line = fields.Integer()
    quantity = fields.Integer()


class CandidateOut(Schema):
    """What became of one node."""

    node = fields.String()
    name = fields.String()
    outcome = fields.String()
    packages = fields.Integer(allow_none=True)
    miles = fields.Integer(allow_none=True)
    against = fields.Float(allow_none=True, metadata={"description": "Miles more than the chosen plan."})


class DecisionOut(Schema):
    """An earlier decision."""

    made_at = Instant()
    cause = fields.String()
    sentence = fields.String()
    rule_version = fields.Integer()
    plan = fields.List(fields.Nested(PlannedOut))


class RoutingIn(Strict):
    """How much to say."""

    replay = fields.Boolean(
        load_default=False, metadata={"description": "Make every decision once more, as it was made."}
    )


class ComparedOut(Schema):
    """A plan, as decisions compare them. `nodes` is empty for the chosen one: they stand in `plan`."""

    nodes = fields.List(fields.String())
    packages = fields.Integer()
    filled = fields.Integer(metadata={"description": "Units."})
    miles = fields.Float(metadata={"description": "Of all packages together."})
    terms = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        metadata={"description": "By term of the objective, in its unit; money in minor units."},
    )


class AtNodeOut(Schema):
    """Units that a node sends."""

    node = fields.String()
    units = fields.Integer()


class WindowOut(Schema):
    """What planning the orders of a window together changed; amounts of shipping and handling, minor units."""

    until = fields.String(metadata={"description": "When the window closed."})
    orders = fields.Integer(metadata={"description": "Orders that were looked at together."})
    moved = fields.Integer(
        metadata={"description": "Orders that moved because of each other, this one included."}
    )
    before = fields.List(fields.Nested(AtNodeOut))
    after = fields.List(fields.Nested(AtNodeOut))
    cost_before = fields.Integer()
    cost_after = fields.Integer()
    saved = fields.Integer(metadata={"description": "By all that moved because of each other."})
    gave_way_to = fields.List(
        fields.String(),
        metadata={
            "description": "Numbers of the orders that took what this one held, where that made its own plan worse."
        },
    )


class ReasonsOut(Schema):
    """What decided for one destination: the chosen plan, the best other one, and the best single node."""

    strategy = fields.String()
    objective = fields.String(allow_none=True)
    exact = fields.Boolean(allow_none=True)
    relaxed = fields.List(fields.String(), metadata={"description": "Constraints that the fallback gave up."})
    prices = fields.Integer(
        allow_none=True, metadata={"description": "Version of the price table, where it counted."}
    )
    input_hash = fields.String()
    chosen = fields.Nested(ComparedOut, allow_none=True)
    runner_up = fields.Nested(ComparedOut, allow_none=True)
    best_single = fields.Nested(ComparedOut, allow_none=True)
    window = fields.Nested(WindowOut, allow_none=True)


class SensitivityOut(Schema):
    """A constraint without which the plan would be another one, and that plan."""

    constraint = fields.String(
        metadata={
            "description": "A filter's id, `max_packages`, `least_package_value`, `capacity`, or the code of a node"
            " that was ruled out for this order."
        }
    )
    kind = fields.String(validate=validate.OneOf(("filter", "limit", "excluded")))
    words = fields.String()
    sentence = fields.String()
    plan = fields.List(fields.Nested(PlannedOut))
    packages = fields.Integer()
    packages_more = fields.Integer(metadata={"description": "Than were decided; below zero: fewer."})
    miles = fields.Float()
    miles_more = fields.Float()
    units_more = fields.Integer()


class ReplayOut(DecisionOut):
    """A decision made once more. `same`: input, plan and explanation are the same to the bit."""

    recorded = fields.Boolean(
        metadata={
            "description": "Whether what it was made from is kept; imported orders were not decided here."
        }
    )
    same = fields.Boolean()
    same_input = fields.Boolean()
    same_plan = fields.Boolean()
    same_explanation = fields.Boolean()
    input_hash = fields.String()
    sensitivity = fields.List(fields.Nested(SensitivityOut))


class RefusalOut(Schema):
    """Units of a plan that a node gave back."""

    node = fields.String()
    reason = fields.String()
    units = fields.Integer()
    at = Instant()


class LeftToAPersonOut(Schema):
    """The open exception that holds the order's waiting units."""

    id = fields.String()
    kind = fields.String()
    reason = fields.String()
    opened_at = Instant()


class RoutingOut(Schema):
    """Where the order's units go, and why."""

    plan = fields.List(fields.Nested(PlannedOut))
    refused = fields.List(
        fields.Nested(RefusalOut),
        metadata={
            "description": "Refusals since this plan was made, the oldest first: it does not stand for these units,"
            " and no other plan was made for them."
        },
    )
    exception = fields.Nested(
        LeftToAPersonOut,
        allow_none=True,
        metadata={"description": "Open: until a person decides, nothing that waits is routed."},
    )
    candidates = fields.List(fields.Nested(CandidateOut))
    rule_version = fields.Integer(allow_none=True)
    sentence = fields.String()
    cause = fields.String(allow_none=True)
    made_at = Instant(allow_none=True)
    earlier = fields.List(fields.Nested(DecisionOut))
    reasons = fields.List(
        fields.Nested(ReasonsOut), metadata={"description": "Of the decision in force, one per destination."}
    )
    replay = fields.List(
        fields.Nested(ReplayOut),
        allow_none=True,
        metadata={"description": "With `replay=true`: every decision, the newest first."},
    )


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
