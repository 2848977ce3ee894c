"""Entries of a page's form as the API's body, and the API's faults back at the form's fields.

A page and the API share one schema and one verb; only the shape differs: flat text here, JSON there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, current_app, url_for
from marshmallow import Schema, ValidationError

from app.forms import Form
from app.money import Money, ungrouped
from app.problems import field_errors
from infra.errors import FieldError

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def loaded(form: Form, schema: Schema, body: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The body as the API would load it; faults go to the form's fields (`names`: JSON pointer -> field)."""
    try:
        given: dict[str, Any] = schema.load(body)
    except ValidationError as error:
        place(form, field_errors(error), names)
        return {}
    return given


def place(form: Form, errors: Iterable[FieldError], names: Mapping[str, str]) -> None:
    """Set each fault at the field of its pointer, or of the nearest one above; else above the form.

    A field that is marked already keeps its own words.
    """
    for error in errors:
        pointer = error.pointer
        while pointer and pointer not in names:
            pointer = pointer.rpartition("/")[0]
        if pointer in names:
            form.errors.setdefault(names[pointer], error.message)
        else:
            form.problems.append(error.message)


def amount(form: Form, name: str, currency: str, *, missing: str = "") -> dict[str, Any] | None:
    """Money typed in major units ("12.99") as the API's shape; None when empty or wrong."""
    typed = ungrouped(form.value(name).strip().lstrip("$"))
    if not typed:
        if missing:
            form.errors[name] = missing
        return None
    try:
        money = Money.parse(typed, currency)
    except ValueError:
        form.errors[name] = f"Enter an amount of {currency} such as 12.50."
        return None
    if money.amount < 0:
        form.errors[name] = "Enter 0 or more."
        return None
    return {"amount": money.amount, "currency": currency}


def address(endpoint: str, **values: Any) -> str:
    """The address of another module's page; empty where this installation does not serve it."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""


def csv_file(name: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Response:
    """A list as a CSV file to keep."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_plain(value) for value in row] for row in rows)
    answer = Response(out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _plain(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
