"""Nodes as the contract shows them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from app.calendar import UnknownZone, zone
from app.countries import known_country
from app.money import DECIMALS
from app.network.places import is_state
from app.network.rules import CAPABILITIES, FEDERAL, WEEKDAYS
from app.network.vocabulary import DIM_UNITS, KINDS, ZONES_BY
from app.shapes import MOST_AMOUNT, ListIn, MoneyShape, PriceShape, Strict, Text

MOST_CLOSED = 1000
MOST_CODES = 50
MOST_SERVICES = 50
MOST_ZONES_SERVED = 100
MOST_PREFIXES = 2000
MOST_CARD_ZONES = 30
MOST_STEPS = 2000
VALUED = ("weight_over_g", "volume_over_cm3", "zone_at_least")
"""Surcharges that need a value from which they apply."""
MOST_MINUTES = 60 * 24 * 60
CODE = validate.Regexp(
    r"\A[a-z][a-z0-9_]{0,59}\Z", error="Send small letters, figures and _, such as gift_wrap."
)
REGION = validate.Regexp(
    r"\A[^,;*\s]*[^\d,;*\s][^,;*\s]*\Z",
    error="Send a region's code, such as NV. The beginnings of ZIP codes go to zip_prefixes.",
)
SERVICE = validate.Regexp(
    r"\A[^;:=\s]+( [^;:=\s]+)*\Z", error="Send the carrier service's name, such as Ground, without ; : and =."
)
LOCAL_TIME = validate.Regexp(r"\A([01]\d|2[0-3]):[0-5]\d\Z", error="Send local time as HH:MM.")
CLOSING = validate.Regexp(r"\A(([01]\d|2[0-3]):[0-5]\d|24:00)\Z", error="Send local time as HH:MM.")


class NodeAddress(Strict):
    """Where the node stands. country is ISO 3166-1 alpha-2."""

    line1 = Text(200)
    line2 = Text(200)
    city = Text(120)
    region = Text(60)
    postal_code = Text(20)
    country = fields.String(load_default="US", validate=known_country)


class CalendarIn(Strict):
    """When the node works: days of the week with their hours, days on which it is closed, holidays it keeps."""

    open_days = fields.List(
        fields.String(validate=validate.OneOf(WEEKDAYS)), validate=validate.Length(1, len(WEEKDAYS))
    )
    hours = fields.Dict(
        keys=fields.String(validate=validate.OneOf(WEEKDAYS)),
        values=fields.List(
            fields.String(validate=CLOSING),
            validate=validate.Length(equal=2, error="Send opening and closing, such as 09:00 and 17:00."),
        ),
        metadata={
            "description": "Opening and closing by day, local time; a day without them: all day.",
            "example": {"mon": ["09:00", "17:00"]},
        },
    )
    closed = fields.List(fields.Date(), validate=validate.Length(max=MOST_CLOSED))
    holidays = fields.String(validate=validate.OneOf((FEDERAL,)))


class CalendarOut(Schema):
    """When the node works."""

    open_days = fields.List(fields.String())
    hours = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    holidays = fields.String()
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


class ServedZone(Strict):
    """A part of the world: a country, or its regions and ZIP areas that are named."""

    country = fields.String(load_default="US", validate=known_country)
    regions = fields.List(
        Text(60, validate=[validate.Length(1, 60), REGION]),
        load_default=list,
        validate=validate.Length(max=MOST_PREFIXES),
    )
    zip_prefixes = fields.List(
        fields.String(
            validate=validate.Regexp(
                r"\A[A-Z0-9]{1,10}\Z", error="Send the first letters and figures of a ZIP code, such as 897."
            )
        ),
        load_default=list,
        validate=validate.Length(max=MOST_PREFIXES),
    )

    @validates_schema
    def states(self, given: dict[str, Any], **_: Any) -> None:
        """A state that nobody writes so would shut its buyers out. Raises ValidationError."""
        if given["country"] == "US":
            wrong = {at: name for at, name in enumerate(given["regions"]) if not is_state(name)}
            told = "{} is no state. Send its two letters, such as NV."
            if wrong:
                raise ValidationError({"regions": {at: [told.format(name)] for at, name in wrong.items()}})


def two_places(percent: float) -> None:
    """A percentage of at most two decimals. Raises ValidationError."""
    if abs(percent * 100 - round(percent * 100)) > 1e-6:
        raise ValidationError("Send at most two decimals.")


class NodeIn(Strict):
    """A node, whole: what is left out returns to its default. What GET answered may be sent back."""

    node = Text(100, metadata={"description": "The one of the address, if at all."})
    code = Text(100, metadata={"description": "The one of the address, if at all."})
    name = Text(200, least=1, required=True)
    kind = fields.String(load_default="warehouse", validate=validate.OneOf(KINDS))
    address = fields.Nested(NodeAddress, load_default=dict)
    latitude = fields.Float(load_default=None, allow_none=True, validate=validate.Range(-90, 90))
    longitude = fields.Float(load_default=None, allow_none=True, validate=validate.Range(-180, 180))
    timezone = Text(60, least=1, load_default=None, allow_none=True, validate=known_zone)
    capacity_per_day = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(0, 10_000_000)
    )
    capacity_per_hour = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, 10_000_000),
        metadata={
            "description": "Packages an hour it is open. What it has still to do decides when new work leaves it."
        },
    )
    handling_minutes = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, MOST_MINUTES),
        metadata={"description": "From release to ready, of its opening time."},
    )
    handling_per_package = TenantMoney(load_default=None, allow_none=True)
    handling_per_unit = TenantMoney(load_default=None, allow_none=True)
    priority = fields.Integer(strict=True, load_default=100, validate=validate.Range(0, 9999))
    cutoff = fields.String(load_default=None, allow_none=True, validate=LOCAL_TIME)
    cutoffs = fields.Dict(
        keys=Text(60, validate=SERVICE),
        values=fields.String(validate=LOCAL_TIME),
        load_default=dict,
        validate=validate.Length(max=MOST_SERVICES),
        metadata={
            "description": "Cut-off by carrier service, where it has its own.",
            "example": {"Ground": "16:30"},
        },
    )
    calendar = fields.Nested(CalendarIn, load_default=dict, allow_none=True)
    capabilities = fields.List(
        fields.String(validate=CODE),
        load_default=list,
        validate=validate.Length(max=MOST_CODES),
        metadata={"description": f"{', '.join(CAPABILITIES)}, or codes of your own."},
    )
    zones = fields.List(
        fields.Nested(ServedZone),
        load_default=list,
        validate=validate.Length(max=MOST_ZONES_SERVED),
        metadata={"description": "Where it delivers; none: everywhere."},
    )
    rate_card = Text(
        100,
        least=1,
        load_default=None,
        allow_none=True,
        metadata={"description": "Code of its carrier's rate card."},
    )
    open = fields.Boolean(load_default=True)

    @post_load
    def always_or_as_said(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """No calendar: open every day."""
        return data | {"calendar": data["calendar"] or {}}


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
    capacity_per_hour = fields.Integer(allow_none=True)
    handling_minutes = fields.Integer(allow_none=True)
    handling_per_package = fields.Nested(MoneyShape)
    handling_per_unit = fields.Nested(MoneyShape)
    priority = fields.Integer()
    cutoff = fields.String(allow_none=True)
    cutoffs = fields.Dict(keys=fields.String(), values=fields.String())
    calendar = fields.Nested(CalendarOut)
    capabilities = fields.List(fields.String())
    zones = fields.List(fields.Nested(ServedZone))
    rate_card = fields.String(allow_none=True)
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


class SurchargeShape(Strict):
    """What is asked on top of the price. `amount`: minor units of the card's currency."""

    code = Text(60, least=1, required=True)
    amount = fields.Integer(strict=True, required=True, validate=validate.Range(0, MOST_AMOUNT))
    when = fields.String(
        load_default="always",
        validate=validate.OneOf(("always", "residential", *VALUED)),
        metadata={
            "description": "`residential`: of orders whose customer is not marked as a business. Those that end in"
            " `_over_g`, `_over_cm3` or `_at_least` need a value."
        },
    )
    value = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(0, MOST_AMOUNT)
    )


class PriceStepShape(Strict):
    """The prices of parcels up to a weight, by zone: minor units; null where the carrier does not go."""

    weight_g = fields.Integer(strict=True, required=True, validate=validate.Range(1, 100_000_000))
    amounts = fields.List(
        fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, MOST_AMOUNT)),
        required=True,
        validate=validate.Length(1, MOST_CARD_ZONES),
    )


class RateCardIn(Strict):
    """A carrier's rate card, whole; only prices that are left out stay as they are."""

    name = Text(200, least=1, required=True)
    carrier = Text(60, load_default="")
    service = Text(60, load_default="")
    currency = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(sorted(DECIMALS)))
    zone_by = fields.String(
        load_default="distance",
        validate=validate.OneOf(ZONES_BY),
        metadata={
            "description": "distance, or zip3: the table of ZIP areas, and the distance where it is silent"
        },
    )
    zone_miles = fields.List(
        fields.Float(validate=validate.Range(0, 13_000, min_inclusive=False)),
        load_default=list,
        validate=validate.Length(max=MOST_CARD_ZONES - 1),
        metadata={"description": "Thresholds: zone 1 reaches to the first, the last lies beyond the last."},
    )
    dim_divisor = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 100_000)
    )
    dim_unit = fields.String(load_default="in3_per_lb", validate=validate.OneOf(DIM_UNITS))
    dim_over = fields.Integer(
        strict=True,
        load_default=0,
        validate=validate.Range(0, 10_000_000),
        metadata={"description": "Only parcels larger than this (in3 or cm3) are weighed by their size."},
    )
    surcharges = fields.List(
        fields.Nested(SurchargeShape), load_default=list, validate=validate.Length(max=50)
    )
    fuel_percent = fields.Float(load_default=0.0, validate=[validate.Range(0, 100), two_places])
    transit_days = fields.List(
        fields.Integer(strict=True, validate=validate.Range(0, 365)),
        load_default=list,
        validate=validate.Length(max=MOST_CARD_ZONES),
        metadata={"description": "Business days by zone."},
    )
    prices = fields.List(fields.Nested(PriceStepShape), validate=validate.Length(max=MOST_STEPS))


class RateCardSummaryOut(Schema):
    """A rate card without its prices."""

    rate_card = fields.String()
    name = fields.String()
    carrier = fields.String()
    service = fields.String()
    currency = fields.String()
    zone_by = fields.String()
    zone_miles = fields.List(fields.Float())
    dim_divisor = fields.Integer(allow_none=True)
    dim_unit = fields.String()
    dim_over = fields.Integer()
    surcharges = fields.List(fields.Nested(SurchargeShape))
    fuel_percent = fields.Float()
    transit_days = fields.List(fields.Integer())
    zones = fields.Integer(metadata={"description": "How many its prices tell."})
    steps = fields.Integer(metadata={"description": "Weight steps of its prices."})
    zone_origins = fields.Integer(metadata={"description": "ZIP areas from which it says zones."})
    nodes = fields.Integer(metadata={"description": "Nodes that ship by it."})


class RateCardOut(RateCardSummaryOut):
    """A rate card."""

    prices = fields.List(fields.Nested(PriceStepShape))


class RateCardsOut(Schema):
    """A page of rate cards, by code."""

    data = fields.List(fields.Nested(RateCardSummaryOut))
    next = fields.String(allow_none=True)
