"""Nodes as the contract shows them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from app.calendar import UnknownZone, zone
from app.network.models import KINDS
from app.network.rules import WEEKDAYS
from app.shapes import ListIn, MoneyShape, PriceShape, Strict, Text

MOST_CLOSED = 1000


class NodeAddress(Strict):
    """Where the node stands. country is ISO 3166-1 alpha-2."""

    line1 = Text(200)
    line2 = Text(200)
    city = Text(120)
    region = Text(60)
    postal_code = Text(20)
    country = fields.String(
        load_default="US", validate=validate.Regexp(r"\A[A-Z]{2}\Z", error="Send two capital letters.")
    )


class CalendarIn(Strict):
    """When the node works: days of the week, and single days on which it is closed."""

    open_days = fields.List(
        fields.String(validate=validate.OneOf(WEEKDAYS)), validate=validate.Length(1, len(WEEKDAYS))
    )
    closed = fields.List(fields.Date(), validate=validate.Length(max=MOST_CLOSED))


class CalendarOut(Schema):
    """When the node works."""

    open_days = fields.List(fields.String())
    closed = fields.List(fields.String(metadata={"format": "date"}))


class TenantMoney(fields.Field[Any]):
    """Money, or a whole number of minor units of the tenant's own currency."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> dict[str, Any]:
        given = {"amount": value, "currency": "USD"} if isinstance(value, int) else value
        try:
            loaded: dict[str, Any] = PriceShape().load(given)
        except ValidationError as error:
            raise ValidationError(error.messages) from error
        return {"amount": loaded["amount"]} if isinstance(value, int) else loaded


def known_zone(name: str) -> None:
    """An IANA time zone. Raises ValidationError."""
    try:
        zone(name)
    except UnknownZone as error:
        raise ValidationError("Send an IANA time zone such as America/Denver.") from error


class NodeIn(Strict):
    """A node, whole: what is left out returns to its default."""

    name = Text(200, least=1, required=True)
    kind = fields.String(load_default="warehouse", validate=validate.OneOf(KINDS))
    address = fields.Nested(NodeAddress, load_default=dict)
    latitude = fields.Float(load_default=None, allow_none=True, validate=validate.Range(-90, 90))
    longitude = fields.Float(load_default=None, allow_none=True, validate=validate.Range(-180, 180))
    timezone = Text(60, least=1, load_default=None, allow_none=True, validate=known_zone)
    capacity_per_day = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(0, 10_000_000)
    )
    handling_per_package = TenantMoney(load_default=None, allow_none=True)
    handling_per_unit = TenantMoney(load_default=None, allow_none=True)
    priority = fields.Integer(strict=True, load_default=100, validate=validate.Range(0, 9999))
    cutoff = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(r"\A([01]\d|2[0-3]):[0-5]\d\Z", error="Send local time as HH:MM."),
    )
    calendar = fields.Nested(CalendarIn, load_default=dict)
    open = fields.Boolean(load_default=True)


class NodeOut(Schema):
    """A node."""

    node = fields.String()
    code = fields.String(metadata={"description": "The same as node."})
    name = fields.String()
    kind = fields.String()
    address = fields.Nested(NodeAddress)
    latitude = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)
    timezone = fields.String()
    capacity_per_day = fields.Integer(allow_none=True)
    handling_per_package = fields.Nested(MoneyShape)
    handling_per_unit = fields.Nested(MoneyShape)
    priority = fields.Integer()
    cutoff = fields.String(allow_none=True)
    calendar = fields.Nested(CalendarOut)
    open = fields.Boolean()


class NodesOut(Schema):
    """A page of nodes, by code."""

    data = fields.List(fields.Nested(NodeOut))
    next = fields.String(allow_none=True)


class NodeListIn(ListIn):
    """Filters of the node list."""

    q = Text(200, metadata={"description": "In the code or the name, letters of either case."})
    kind = fields.String(validate=validate.OneOf(KINDS))
    open = fields.Boolean()
