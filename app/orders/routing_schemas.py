"""Why an order's goods go where they go, as the API tells it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.shapes import Instant, Strict


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
