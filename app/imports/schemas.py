"""Imports as the contract shows them."""

from __future__ import annotations

from typing import Any

import orjson
from flask_smorest.fields import Upload
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app.imports.mappings import KINDS, NAMED
from app.shapes import Instant, ListIn, Text

MOST_MAPPING = 100_000


class Mapping(fields.Field[Any]):
    """A mapping's name, or a mapping as JSON."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Any:
        if not isinstance(value, str) or len(value) > MOST_MAPPING:
            raise ValidationError("Send a mapping's name, or a mapping as JSON.")
        if not value.lstrip().startswith("{"):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise ValidationError("The mapping is not readable JSON.") from error


class FileIn(Schema):
    """The file, as a part of multipart/form-data."""

    file = Upload(required=True, metadata={"description": "CSV, or CSV as .gz; up to 100 MB."})


class ImportIn(Schema):
    """What the file holds and how to read it."""

    class Meta:
        unknown = RAISE

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    mapping = Mapping(
        load_default="kept",
        metadata={"type": "string", "description": f"One of {', '.join(NAMED)}, or a mapping as JSON."},
    )
    rate_card = Text(
        100,
        load_default="",
        metadata={
            "description": "Of rate_card and zone_pairs: the card's code, unless the file has a column for it."
        },
    )


class ImportOut(Schema):
    """One import and how far it is."""

    id = fields.String()
    kind = fields.String()
    filename = fields.String()
    mapping = fields.String(metadata={"description": "Its name, or `own`."})
    state = fields.String(
        metadata={"description": "draft (its columns are being chosen on the page), queued, running or done"}
    )
    rows_total = fields.Integer()
    rows_done = fields.Integer()
    created = fields.Integer(metadata={"description": "Of orders: orders, else rows."})
    existing = fields.Integer()
    refused = fields.Integer()
    ignored = fields.List(
        fields.String(), metadata={"description": "Columns of the file that the mapping does not read."}
    )
    created_by = fields.String()
    created_at = Instant()
    finished_at = Instant(allow_none=True)


class ReportRowOut(Schema):
    """What became of one row (of an order: of its first row)."""

    row = fields.Integer(metadata={"description": "Line in the file; the header is 1."})
    reference = fields.String()
    outcome = fields.String(metadata={"description": "created, existing or refused"})
    message = fields.String()
    subject = fields.String(allow_none=True, metadata={"description": "The order's id."})


class ImportReportOut(ImportOut):
    """One import, with a page of its report when `rows` was asked for."""

    rows = fields.List(fields.Nested(ReportRowOut))
    next = fields.String(allow_none=True)


class ImportsOut(Schema):
    """A page of imports, the newest first."""

    data = fields.List(fields.Nested(ImportOut))
    next = fields.String(allow_none=True)


class ReportIn(ListIn):
    """Which rows of the report."""

    rows = fields.String(
        validate=validate.OneOf(("all", "created", "existing", "refused")),
        metadata={"description": "Leave out for the progress alone."},
    )
