"""SKUs as the contract shows them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from app.catalog.rules import attribute_errors
from app.catalog.vocabulary import KINDS
from app.shapes import ListIn, MoneyShape, PriceShape, Strict, Text, quantity

MOST_WEIGHT = 100_000_000
MOST_ATTRIBUTES = 50
MOST_COMPONENTS = 100


class Attribute(fields.Field[Any]):
    """One attribute's value: text, a number, yes or no, or a list of texts."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, int | float) and abs(value) < 2**53):
            return value
        if isinstance(value, str):
            return _text.deserialize(value)
        if isinstance(value, list) and len(value) <= 100:
            return [_text.deserialize(one) for one in value]
        raise ValidationError("Send text, a number, true or false, or a list of texts.")


_text = Text(1000)


def known_attributes(attributes: dict[str, Any]) -> None:
    """Attributes that routing and the law read hold what they can read. Raises ValidationError."""
    if errors := attribute_errors(attributes):
        raise ValidationError(errors)


class ComponentShape(Strict):
    """A SKU inside a kit, and how many per kit."""

    sku = Text(100, least=1, required=True)
    quantity = quantity(required=True)


class SkuIn(Strict):
    """A SKU, whole: what is left out returns to its default. What GET answered may be sent back."""

    sku = Text(100, metadata={"description": "The one of the address, if at all."})
    title = Text(300, least=1, required=True)
    kind = fields.String(load_default="stock", validate=validate.OneOf(KINDS))
    price = fields.Nested(PriceShape, required=True)
    weight_g = fields.Integer(strict=True, load_default=0, validate=validate.Range(0, MOST_WEIGHT))
    tax_code = Text(60, least=1, load_default="standard")
    release_date = fields.Date(load_default=None, allow_none=True)
    lead_time_days = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(0, 3650)
    )
    components = fields.List(
        fields.Nested(ComponentShape), load_default=list, validate=validate.Length(max=MOST_COMPONENTS)
    )
    attributes = fields.Dict(
        keys=Text(100, least=1),
        values=Attribute(),
        load_default=dict,
        metadata={
            "description": "Your own, and those Kept reads: length_mm, width_mm, height_mm of a packed unit, hazard"
            " (true or false), temperature (ambient, chilled, frozen), exemption."
        },
        validate=[validate.Length(max=MOST_ATTRIBUTES), known_attributes],
    )
    exempt_from_delay_rule = fields.Boolean(load_default=False)


class SkuOut(Schema):
    """A SKU."""

    sku = fields.String()
    title = fields.String()
    kind = fields.String()
    price = fields.Nested(MoneyShape)
    weight_g = fields.Integer()
    tax_code = fields.String()
    release_date = fields.Date(allow_none=True)
    lead_time_days = fields.Integer(allow_none=True)
    components = fields.List(fields.Nested(ComponentShape))
    attributes = fields.Dict()
    exempt_from_delay_rule = fields.Boolean()


class SkusOut(Schema):
    """A page of SKUs, by code."""

    data = fields.List(fields.Nested(SkuOut))
    next = fields.String(allow_none=True)


class SkuListIn(ListIn):
    """Filters of the SKU list."""

    q = Text(200, metadata={"description": "In the code or the title, letters of either case."})
    kind = fields.String(validate=validate.OneOf(KINDS))
