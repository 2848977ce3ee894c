"""Shapes that every module's schemas share: money, instants, bounded text, lists by cursor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.countries import known_country
from app.money import DECIMALS
from infra.errors import invalid

MOST_AMOUNT = 10**12
"""Minor units: ten billion dollars. Sums of a thousand such lines still fit a bigint."""
MOST_QUANTITY = 1_000_000


class Strict(Schema):
    """Input: unknown fields are named, not ignored."""

    class Meta:
        unknown = RAISE


class Text(fields.String):
    """Bounded text that a database can keep: no NUL, valid Unicode."""

    def __init__(self, most: int = 255, *, least: int = 0, **options: Any) -> None:
        options.setdefault("validate", validate.Length(least, most))
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **options)
        if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise ValidationError("Send valid text without NUL characters.")
        return text


class Instant(fields.AwareDateTime):
    """RFC 3339 with an offset in, UTC out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="iso", **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> datetime:
        moment: datetime = super()._deserialize(value, attr, data, **options)
        if not 1970 <= moment.year <= 2200:
            raise ValidationError("Send a time between 1970 and 2200.")
        return moment

    def _serialize(self, value: Any, attr: Any, obj: Any, **options: Any) -> str | None:
        return value if value is None or isinstance(value, str) else instant(value)


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, with Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class MoneyShape(Strict):
    """Minor units and a currency."""

    amount = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(-MOST_AMOUNT, MOST_AMOUNT),
        metadata={"description": "Minor units, for example cents.", "example": 1299},
    )
    currency = fields.String(
        required=True,
        validate=validate.OneOf(sorted(DECIMALS), error="Send an ISO 4217 code such as USD."),
        metadata={"example": "USD"},
    )


class PriceShape(MoneyShape):
    """Money that is not negative."""

    amount = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(0, MOST_AMOUNT),
        metadata={"description": "Minor units, for example cents.", "example": 1299},
    )


class AddressIn(Strict):
    """A postal address. country is ISO 3166-1 alpha-2."""

    name = Text(200)
    company = Text(200)
    line1 = Text(200)
    line2 = Text(200)
    city = Text(120)
    region = Text(60)
    postal_code = Text(20)
    country = fields.String(load_default="US", validate=known_country)
    phone = Text(40)


class ListIn(Schema):
    """Paging by cursor."""

    class Meta:
        unknown = RAISE

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    after = Text(100, metadata={"description": "The `next` of the page before."})


def quantity(**options: Any) -> fields.Integer:
    """A whole number of units, at least one."""
    return fields.Integer(strict=True, validate=validate.Range(1, MOST_QUANTITY), **options)


def money(amount: int, currency: str) -> dict[str, Any]:
    """Money as the API shows it."""
    return {"amount": amount, "currency": currency}


def cursor(value: str | None) -> UUID | None:
    """The row after which a page begins. Raises Problem 422."""
    try:
        return UUID(value) if value else None
    except ValueError as error:
        raise invalid("/after", "Send the `next` of an earlier page, unchanged.") from error


def without_code(given: dict[str, Any], code: str, *names: str) -> dict[str, Any]:
    """What was put, without the code that a GET shows in it: it may be sent back as it is. Raises Problem 422 for
    another code than the address has."""
    for name in names:
        if given.get(name, code) != code:
            raise invalid(f"/{name}", f"The address says {code}. Send the same, or leave it out.")
    return {name: value for name, value in given.items() if name not in names}


def identifier(value: str) -> UUID:
    """An opaque id from a path; one that cannot be ours is simply not there."""
    try:
        return UUID(value)
    except ValueError:
        return UUID(int=0)


def page(rows: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """A page of a list that was read with limit + 1 rows."""
    shown = rows[:limit]
    return {"data": shown, "next": shown[-1]["id"] if len(rows) > limit else None}
