"""The shape of the compliance report."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields

from app.shapes import MoneyShape


class ReportIn(Schema):
    """The period, both days included; without them the last 30 days."""

    class Meta:
        unknown = RAISE

    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")


class FigureOut(Schema):
    """One count."""

    group = fields.String()
    name = fields.String()
    count = fields.Integer()
    amounts = fields.List(fields.Nested(MoneyShape))


class ReportOut(Schema):
    """What is recorded of a period; no judgment whether the law was kept."""

    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    note = fields.String()
    figures = fields.List(fields.Nested(FigureOut))
