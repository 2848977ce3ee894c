"""Delay notices in and out."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.shapes import Instant, Strict, Text


class DelayNoticeIn(Strict):
    """Lines that will ship later. `ship_by` null: no date can be given."""

    lines = fields.List(
        Text(60, least=1),
        validate=validate.Length(1, 1000),
        metadata={"description": "Ids of lines; without them every open line that the rule covers."},
    )
    ship_by = fields.Date(
        required=True, allow_none=True, metadata={"description": "The new day to ship by, or null."}
    )
    reason = Text(500, least=3, required=True, metadata={"description": "In words for the buyer."})


class DelayNoticeOut(Schema):
    """One notice as it was sent: its kind follows from the first promise and the new date."""

    id = fields.String()
    kind = fields.String()
    lines = fields.List(fields.String())
    ship_by = fields.String(allow_none=True)
    reply_by = Instant()
    state = fields.String()
    subject = fields.String()


class DelayNoticesOut(Schema):
    """The notices of a delay: lines that share kind and dates share one."""

    data = fields.List(fields.Nested(DelayNoticeOut))
