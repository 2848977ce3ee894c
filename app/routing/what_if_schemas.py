"""What-ifs and guard-rails as the contract shows them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.shapes import Instant, ListIn, Strict


class SimulationIn(Strict):
    """Against what, and on which past orders; without a time the last four weeks."""

    against = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, 2**31 - 1),
        metadata={
            "description": "The version to compare with; without it the one in force in the same scope. 0 is Kept's"
            " own default."
        },
    )
    weeks = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, 26),
        metadata={"description": "So many weeks up to now (or to `to`), instead of `from`."},
    )
    since = Instant(load_default=None, allow_none=True, data_key="from")
    until = Instant(load_default=None, allow_none=True, data_key="to")


class FiguresOut(Schema):
    """What became of all orders by one version. Money is shipping and handling, whatever the rules' objective is."""

    orders = fields.Integer()
    units = fields.Integer(metadata={"description": "Units that the orders asked for."})
    filled_units = fields.Integer()
    lost_units = fields.Integer(
        metadata={"description": "Units that no node could give when the order was placed."}
    )
    short_orders = fields.Integer(metadata={"description": "Orders with lost units."})
    packages = fields.Integer()
    split_orders = fields.Integer(
        metadata={"description": "Orders in more packages than they have destinations."}
    )
    cost = fields.Float(metadata={"description": "Minor units of the tenant's currency."})
    handling = fields.Float(metadata={"description": "Of the cost, minor units; the rest of it is shipping."})
    miles = fields.Float(metadata={"description": "Of all packages together."})
    transit_days = fields.Integer(metadata={"description": "Business days under way, of all packages."})
    days_late = fields.Integer(
        metadata={"description": "Days after the promise, of each order's latest package, together."}
    )
    late_orders = fields.Integer()


class NodeSideOut(Schema):
    """What one version gave a node."""

    packages = fields.Integer()
    units = fields.Integer()
    peak_packages = fields.Integer(metadata={"description": "Packages of its fullest day."})
    peak_share = fields.Float(
        allow_none=True, metadata={"description": "Of its capacity on that day; null without one."}
    )


class NodeLoadOut(Schema):
    """One node's work by both versions."""

    node = fields.String()
    name = fields.String()
    kind = fields.String()
    capacity_per_day = fields.Integer(allow_none=True)
    before = fields.Nested(NodeSideOut)
    after = fields.Nested(NodeSideOut)


class GuardRailOut(Schema):
    """One guard-rail against what came of it."""

    rail = fields.String()
    label = fields.String()
    most_percent = fields.Float(metadata={"description": "How much the figure may grow."})
    before = fields.Float()
    after = fields.Float()
    passed = fields.Boolean()


class GivenOut(Schema):
    """Units of a SKU from a node."""

    node = fields.String()
    sku = fields.String()
    quantity = fields.Integer()


class OutcomeOut(Schema):
    """One order by one version."""

    plan = fields.List(fields.Nested(GivenOut))
    sentence = fields.String()
    packages = fields.Integer()
    lost_units = fields.Integer()
    cost = fields.Integer(metadata={"description": "Minor units."})
    miles = fields.Float()
    transit_days = fields.Integer()
    days_late = fields.Integer()


class ChangedOrderOut(Schema):
    """An order that goes otherwise."""

    order = fields.String()
    number = fields.String()
    before = fields.Nested(OutcomeOut)
    after = fields.Nested(OutcomeOut)


class SimulationHeadOut(Schema):
    """A what-if. `before` is the version compared with (`against`), `after` the version looked at."""

    id = fields.String()
    version = fields.Integer()
    against = fields.Integer()
    since = Instant(data_key="from")
    until = Instant(data_key="to")
    state = fields.String(validate=validate.OneOf(("queued", "running", "done", "failed", "cancelled")))
    orders_total = fields.Integer()
    orders_done = fields.Integer()
    error = fields.String()
    created_by = fields.String()
    created_at = Instant()
    finished_at = Instant(allow_none=True)
    currency = fields.String()
    before = fields.Nested(FiguresOut, allow_none=True)
    after = fields.Nested(FiguresOut, allow_none=True)
    nodes = fields.List(fields.Nested(NodeLoadOut))
    guard_rails = fields.List(fields.Nested(GuardRailOut))
    changed = fields.Integer(metadata={"description": "Orders that go otherwise, all of them."})


class SimulationOut(SimulationHeadOut):
    """A what-if with the orders that change. `before` is the version compared with, `after` the one looked at."""

    changes = fields.List(
        fields.Nested(ChangedOrderOut),
        metadata={"description": "Up to 300 of them, those where it matters most first."},
    )


class SimulationsOut(Schema):
    """A page of what-ifs, newest first."""

    data = fields.List(fields.Nested(SimulationHeadOut))
    next = fields.String(allow_none=True)


class SimulationListIn(ListIn):
    """Paging."""


class GuardRailsIn(Strict):
    """By how many percent a figure may grow over that of the version compared with."""

    cost_percent = fields.Float(
        allow_none=True,
        validate=validate.Range(0, 1000),
        metadata={"description": "Cost per unit filled."},
    )
    lost_units_percent = fields.Float(allow_none=True, validate=validate.Range(0, 1000))
    split_orders_percent = fields.Float(allow_none=True, validate=validate.Range(0, 1000))
    late_orders_percent = fields.Float(allow_none=True, validate=validate.Range(0, 1000))
    block = fields.Boolean(
        metadata={
            "description": "Refuse to put a version in force whose newest what-if does not keep to them."
        }
    )


class GuardRailsOut(GuardRailsIn):
    """The guard-rails in force."""
