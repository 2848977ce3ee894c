"""The shape of an order as it comes in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.payments.vocabulary import TENDER_KINDS
from app.shapes import AddressIn, Instant, PriceShape, Strict, Text, quantity

UNITS = ("hours", "days", "business_days", "weeks")
TAKEN_TENDERS = tuple(kind for kind in TENDER_KINDS if kind not in ("gift_card", "credit"))
MOST_LINES = 500


class Day(fields.Field[date]):
    """A calendar day, or an instant, of which the day as written counts."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> date:
        try:
            day = datetime.fromisoformat(value).date() if len(value) > 10 else date.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise ValidationError("Send a day as YYYY-MM-DD.") from error
        if not 1970 <= day.year <= 2200:
            raise ValidationError("Send a day between 1970 and 2200.")
        return day

    def _serialize(self, value: Any, attr: Any, obj: Any, **options: Any) -> str | None:
        return None if value is None else str(value)


class WithinIn(Strict):
    """A promised time span."""

    value = fields.Integer(required=True, strict=True, validate=validate.Range(0, 10_000))
    unit = fields.String(required=True, validate=validate.OneOf(UNITS))


class PromiseIn(Strict):
    """What the buyer was told: one of ship_by, within, deliver_by. `text` is evidence, never parsed."""

    ship_by = Day(metadata={"type": "string", "format": "date"})
    within = fields.Nested(WithinIn)
    deliver_by = Day(metadata={"type": "string", "format": "date"})
    text = Text(2000)
    shown_at = Instant()
    essential = fields.Boolean(
        metadata={"description": "EU, UK: the buyer said before the contract that the date is essential."}
    )

    @validates_schema
    def one_time(self, data: dict[str, Any], **_: Any) -> None:
        """At most one stated time."""
        if sum(name in data for name in ("ship_by", "within", "deliver_by")) > 1:
            raise ValidationError("State one of ship_by, within and deliver_by.", "ship_by")


class LineIn(Strict):
    """One SKU and how many."""

    sku = Text(100, least=1, required=True)
    quantity = quantity(required=True)
    unit_price = fields.Nested(
        PriceShape, metadata={"description": "As agreed with the buyer; else the SKU's own price."}
    )
    options = fields.Dict(keys=Text(100), values=Text(2000), validate=validate.Length(max=50))
    ship_to = fields.Nested(AddressIn)
    promise = fields.Nested(PromiseIn)


class AdjustmentIn(Strict):
    """A charge or a discount, of the order or of one line."""

    code = Text(60, least=1, required=True)
    amount = fields.Nested(PriceShape, required=True)
    line = fields.Integer(strict=True, validate=validate.Range(0), metadata={"description": "Index from 0."})


class LineTaxIn(Strict):
    """Tax of one line."""

    line = fields.Integer(required=True, strict=True, validate=validate.Range(0))
    amount = fields.Nested(PriceShape, required=True)


class TaxIn(Strict):
    """Tax already worked out by the channel: a total, or per line."""

    total = fields.Nested(PriceShape)
    lines = fields.List(fields.Nested(LineTaxIn), validate=validate.Length(1, MOST_LINES))

    @validates_schema
    def one_form(self, data: dict[str, Any], **_: Any) -> None:
        """Total or lines."""
        if ("total" in data) == ("lines" in data):
            raise ValidationError("Send either total or lines.", "total")


class TenderIn(Strict):
    """One way the order is paid. The one without an amount bears the rest."""

    kind = fields.String(required=True, validate=validate.OneOf(TAKEN_TENDERS))
    payment_method = Text(255, metadata={"description": "card: the processor's payment method id."})
    code = Text(100)
    reference = Text(255)
    amount = fields.Nested(PriceShape)


class CustomerIn(Strict):
    """The buyer."""

    email = fields.Email(required=True, validate=validate.Length(max=254))
    name = Text(200, load_default="")
    phone = Text(40, load_default="")
    business = fields.Boolean(
        metadata={
            "description": "The buyer is a business, not a consumer. The delay rule covers both; rules of"
            " routing may ask for it, and no residential surcharge is reckoned."
        }
    )
    language = fields.String(
        validate=validate.OneOf(("en", "es")),
        metadata={"description": "In which messages are written; else `en`."},
    )
    reach_by = fields.String(
        validate=validate.OneOf(("email", "sms", "post")),
        metadata={"description": "How the buyer wants to be told, if the merchant uses that way."},
    )


class PolicyIn(Strict):
    """How the order may be filled."""

    ship_complete = fields.Boolean(load_default=False)
    fill_or_kill = fields.Boolean(load_default=False)
    service = Text(60, load_default="", metadata={"description": "Delivery service, as rules may name it."})


class OrderIn(Strict):
    """An order. Unique by (channel, external_ref)."""

    channel = Text(60, least=1, required=True)
    external_ref = Text(120, least=1, required=True)
    source_code = Text(60)
    currency = fields.String(load_default=None, allow_none=True, validate=validate.Length(equal=3))
    customer = fields.Nested(CustomerIn, required=True)
    ship_to = fields.Nested(AddressIn, required=True)
    bill_to = fields.Nested(AddressIn)
    lines = fields.List(fields.Nested(LineIn), required=True, validate=validate.Length(1, MOST_LINES))
    charges = fields.List(fields.Nested(AdjustmentIn), validate=validate.Length(max=100))
    discounts = fields.List(fields.Nested(AdjustmentIn), validate=validate.Length(max=100))
    tax = fields.Nested(TaxIn)
    tenders = fields.List(fields.Nested(TenderIn), required=True, validate=validate.Length(1, 10))
    promise = fields.Nested(PromiseIn)
    placed_at = Instant()
    policy = fields.Nested(PolicyIn)
    quote_id = Text(
        60,
        least=1,
        metadata={
            "description": "A quote that held stock: its units go to the order, its promise with them."
        },
    )


class AddressRequestIn(Strict):
    """The buyer was asked for an address that can be used (`asked`), or never gave one (`never`)."""

    outcome = fields.String(required=True, validate=validate.OneOf(("asked", "never")))
    evidence = Text(2000, least=3, required=True, metadata={"description": "What shows it."})
    asked_at = Instant(metadata={"description": "When the buyer was asked; else now. Business time, UTC."})


class AddressRequestOut(Strict):
    """`clock_stopped`: the clock begins anew with the usable address (setting `address_completed`, asked promptly)."""

    outcome = fields.String()
    clock_stopped = fields.Boolean()


class BatchIn(Strict):
    """Up to 1,000 orders; each stands alone."""

    orders = fields.List(
        fields.Raw(
            allow_none=True, metadata={"type": "object", "description": "An order, as POST /orders takes it."}
        ),
        required=True,
        validate=validate.Length(1, 1000),
    )


class BatchResultOut(Strict):
    """What became of one order of a batch."""

    status = fields.Integer(required=True)
    order = fields.Dict()
    problem = fields.Dict()


class BatchOut(Strict):
    """One result per order, in input order."""

    results = fields.List(fields.Nested(BatchResultOut))
