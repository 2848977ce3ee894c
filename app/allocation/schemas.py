"""Stock as the contract shows it."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.inventory.vocabulary import CAUSES, DISPOSITIONS
from app.shapes import MOST_QUANTITY, Instant, ListIn, Strict, Text

MOST_ADJUSTMENTS = 1000
MOST_COUNTED = 5000
MOST_ALLOTMENTS = 5000


def _units(least: int, **options: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(least, MOST_QUANTITY), **options)


class StockAdjustmentIn(Strict):
    """One change of stock: `delta` moves units, `on_hand` sets them, `safety` says how many are kept back."""

    node = Text(100, least=1, required=True)
    sku = Text(100, least=1, required=True)
    delta = _units(-MOST_QUANTITY, metadata={"description": "Units in (positive) or out (negative)."})
    on_hand = _units(0, metadata={"description": "Units there afterwards."})
    safety = _units(
        0, metadata={"description": "Safety stock: units kept back from sale there. May come alone."}
    )
    disposition = fields.String(load_default="sellable", validate=validate.OneOf(DISPOSITIONS))
    segment = Text(
        60,
        least=1,
        load_default="shared",
        metadata={"description": "`shared`, or the code of the channel it is held for."},
    )
    reason = Text(500, load_default="")
    reference = Text(255, load_default="")
    cause = fields.String(load_default="adjustment", validate=validate.OneOf(("adjustment", "receipt")))

    @validates_schema
    def one_way(self, data: dict[str, Any], **_: Any) -> None:
        """delta or on_hand; neither where only the safety stock changes."""
        _check_one_way(data)


class StockAdjustmentsIn(StockAdjustmentIn):
    """One adjustment, or `adjustments`: up to 1,000 of them, all or none."""

    node = Text(100, least=1)
    sku = Text(100, least=1)
    adjustments = fields.List(fields.Nested(StockAdjustmentIn), validate=validate.Length(1, MOST_ADJUSTMENTS))

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def one_way(self, data: dict[str, Any], original: Any = None, **_: Any) -> None:
        """Either the fields of one adjustment, or the list and nothing else."""
        if "adjustments" not in (original or {}):
            missing = {
                name: ["Missing data for required field."] for name in ("node", "sku") if name not in original
            }
            if missing:
                raise ValidationError(missing)
            _check_one_way(original)
        elif len(original) > 1:
            raise ValidationError("Send the fields of one adjustment, or adjustments alone.", "adjustments")


def _check_one_way(given: dict[str, Any]) -> None:
    if ("delta" in given and "on_hand" in given) or not given.keys() & {"delta", "on_hand", "safety"}:
        raise ValidationError("Send either delta or on_hand.", "delta")


class AllotmentIn(Strict):
    """What one channel may count on of the shared stock at each node: a share of what is free, or units."""

    channel = Text(60, least=1, required=True)
    sku = Text(100, least=1, load_default=None, allow_none=True, metadata={"description": "None: every SKU."})
    node = Text(
        100, least=1, load_default=None, allow_none=True, metadata={"description": "None: every node."}
    )
    share_percent = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(0, 100)
    )
    units = _units(0, load_default=None, allow_none=True)
    borrow = fields.Boolean(
        load_default=False,
        metadata={"description": "Whether this channel may take what others hold."},
    )

    @validates_schema
    def one_measure(self, data: dict[str, Any], **_: Any) -> None:
        """A share or units."""
        if (data.get("share_percent") is None) == (data.get("units") is None):
            raise ValidationError("Send either share_percent or units.", "units")


class AllotmentsIn(Strict):
    """All allotments: what is not named is held no more."""

    allotments = fields.List(
        fields.Nested(AllotmentIn), required=True, validate=validate.Length(max=MOST_ALLOTMENTS)
    )


class AllotmentsOut(Schema):
    """All allotments, by channel."""

    allotments = fields.List(fields.Nested(AllotmentIn))


class PositionOut(Schema):
    """Stock at one node, of one SKU, in one condition, for one segment."""

    id = fields.String()
    node = fields.String()
    sku = fields.String()
    disposition = fields.String()
    segment = fields.String()
    on_hand = fields.Integer()
    reserved = fields.Integer()
    safety = fields.Integer()
    available = fields.Integer(
        metadata={"description": "on_hand - reserved - safety, never below zero; 0 unless sellable"}
    )


class AdjustedOut(PositionOut):
    """The position afterwards; of a batch, `data`: one per adjustment, in its order."""

    data = fields.List(fields.Nested(PositionOut))


class PositionsOut(Schema):
    """A page of positions."""

    data = fields.List(fields.Nested(PositionOut))
    next = fields.String(allow_none=True)


class PositionListIn(ListIn):
    """Filters of the stock list."""

    sku = Text(100)
    node = Text(100)
    disposition = fields.String(validate=validate.OneOf(DISPOSITIONS))
    segment = Text(60)


class MovementOut(Schema):
    """One change of one position. Never altered."""

    id = fields.String()
    node = fields.String()
    sku = fields.String()
    disposition = fields.String()
    segment = fields.String()
    delta = fields.Integer()
    cause = fields.String(validate=validate.OneOf(CAUSES))
    reason = fields.String()
    reference = fields.String()
    actor = fields.String()
    at = Instant()


class MovementsOut(Schema):
    """A page of the ledger, newest first."""

    data = fields.List(fields.Nested(MovementOut))
    next = fields.String(allow_none=True)


class MovementListIn(ListIn):
    """Filters of the ledger."""

    sku = Text(100)
    node = Text(100)


class CountedIn(Strict):
    """Units of one SKU as somebody counted them."""

    sku = Text(100, least=1, required=True)
    on_hand = _units(0, required=True)


class CountIn(Strict):
    """A snapshot of a node: what lies there, sellable or on hold."""

    node = Text(100, least=1, required=True)
    lines = fields.List(fields.Nested(CountedIn), required=True, validate=validate.Length(1, MOST_COUNTED))
    counted_at = Instant()


class CaseOut(Schema):
    """A difference that a person must look at."""

    id = fields.String()
    node = fields.String()
    sku = fields.String()
    kind = fields.String()
    expected = fields.Integer()
    counted = fields.Integer()
    state = fields.String()
    opened_at = Instant()
    closed_at = Instant(allow_none=True)
    note = fields.String()
    reference = fields.String()


class CountOut(Schema):
    """What a count showed: lines that agree, and the cases of those that do not."""

    node = fields.String()
    agreed = fields.Integer()
    cases = fields.List(fields.Nested(CaseOut))


class CasesOut(Schema):
    """A page of cases, newest first."""

    data = fields.List(fields.Nested(CaseOut))
    next = fields.String(allow_none=True)


class CaseListIn(ListIn):
    """Filters of the cases."""

    state = fields.String(validate=validate.OneOf(("open", "accepted", "dismissed")))
    node = Text(100)
    sku = Text(100)


class AnswerIn(Strict):
    """Why, in the merchant's words."""

    note = Text(500, load_default="")
