"""The shape of a proof file: its parts by name; rows are shown as they were kept."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.shapes import Instant


class SealOut(Schema):
    """How the history is sealed."""

    digest = fields.String(metadata={"description": "The newest link of the chain; empty before the first."})
    seals = fields.Integer()
    unsealed_rows = fields.Integer(metadata={"description": "Rows too new to be sealed."})
    how_to_verify = fields.String()


class ProofOut(Schema):
    """All that is recorded of one order."""

    made_at = Instant()
    merchant = fields.Dict(metadata={"description": "Name, zone, and the readings and settings in force."})
    order = fields.Dict()
    first_aware_at = Instant(allow_none=True, metadata={"description": "When a delay was first known."})
    lines = fields.List(
        fields.Dict(), metadata={"description": "Each with its promise and the promise's basis."}
    )
    notices = fields.List(fields.Dict(), metadata={"description": "As rendered, with what became of them."})
    answers = fields.List(fields.Dict())
    cancellations = fields.List(fields.Dict())
    shipments = fields.List(fields.Dict(), metadata={"description": "Physical hand-overs with their items."})
    refunds = fields.List(fields.Dict())
    money = fields.Dict()
    timeline = fields.List(fields.Dict())
    seal = fields.Nested(SealOut)
    seals = fields.List(fields.Dict())
    history = fields.List(
        fields.Dict(), metadata={"description": "The rows as they are sealed: id, source, text, hash."}
    )
