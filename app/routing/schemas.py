"""Rule versions as the contract shows them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.shapes import Instant, ListIn, Strict, Text

STATES = ("draft", "simulated", "active", "retired")


class RulesIn(Strict):
    """A new version. The document never changes afterwards: to change it, write another version."""

    document = fields.Dict(
        required=True,
        metadata={
            "description": "Strategies in order; the first that is for an order decides it.",
            "example": {
                "name": "Warehouses and vendors only",
                "strategies": [
                    {
                        "id": "everything",
                        "filters": [{"id": "no-stores", "field": "node.kind", "op": "ne", "value": "store"}],
                        "objective": "fewest_packages_then_nearest",
                        "split": {"max_packages": 3, "ship_complete": False},
                    }
                ],
            },
        },
    )
    note = Text(500, load_default="", metadata={"description": "Why, for those who look later."})


class RulesOut(Schema):
    """A version: its document, and what it says in plain words."""

    version = fields.Integer()
    state = fields.String(validate=validate.OneOf(STATES))
    note = fields.String()
    document = fields.Dict()
    sentences = fields.List(fields.String())
    created_by = fields.String()
    created_at = Instant()
    activated_at = Instant(allow_none=True)
    retired_at = Instant(allow_none=True)


class RulesListOut(Schema):
    """A page of versions, newest first."""

    data = fields.List(fields.Nested(RulesOut))
    next = fields.String(allow_none=True)


class RulesListIn(ListIn):
    """Paging."""


class RemarkOut(Schema):
    """One place of a document, and what to do about it."""

    pointer = fields.String(metadata={"description": "JSON pointer into the document."})
    message = fields.String()


class ValidationOut(Schema):
    """What a version says. Warnings do not stop an activation: they name places and channels not known here."""

    version = fields.Integer()
    valid = fields.Boolean()
    errors = fields.List(fields.Nested(RemarkOut))
    warnings = fields.List(fields.Nested(RemarkOut))
    sentences = fields.List(fields.String())


class ActivationIn(Strict):
    """Compare and swap: the version that the caller saw in force."""

    replaces = fields.Integer(
        strict=True,
        required=True,
        allow_none=True,
        validate=validate.Range(1, 2**31 - 1),
        metadata={"description": "The version in force now; null when none is."},
    )
