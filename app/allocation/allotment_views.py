"""What channels hold of the shared stock, as a page: held, used and borrowed; each row changed in its place, or all
of them by a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from app.allocation import allotments
from app.allocation.schemas import AllotmentIn, AllotmentsIn
from app.entries import address, csv_file, loaded, place
from app.forms import Form
from app.inventory import listing
from app.pages import toast
from app.problems import field_errors
from app.shapes import identifier
from app.web import page
from infra.errors import FieldError, Problem
from tenants.scope import current

blueprint = Blueprint("allotment_pages", __name__, template_folder="templates")

COLUMNS = ("channel", "sku", "node", "share_percent", "units", "borrow")
"""Of the file, both ways."""
POINTERS = {f"/{name}": name for name in ("channel", "sku", "node", "borrow")} | {
    "/units": "amount",
    "/share_percent": "amount",
    "": "sku",
}
MEASURES = {"units": "units", "share_percent": "% of what is free"}
TRUE, FALSE = {"true", "yes", "1", "y"}, {"", "false", "no", "0", "n"}
MOST_FILE = 2_000_000
MOST_FAULTS = 20


@blueprint.get("/inventory/allotments", endpoint="list")
@page("stock:read")
def list_allotments() -> str:
    """Every allotment with what it holds now, what its channel's orders use of it, and what they borrow."""
    asked = request.args.get("edit", "")
    return _list(Form({"id": asked} if asked else {}))


def _list(form: Form, faults: list[str] | None = None) -> str:
    scope = current()
    return render_template(
        "inventory/allotments.html",
        form=form,
        faults=faults or [],
        rows=allotments.standing(scope),
        channels=scope.rows("SELECT code, name FROM channels WHERE tenant_id = :tenant ORDER BY name"),
        nodes=listing.nodes(scope),
        measures=MEASURES,
        columns=", ".join(COLUMNS),
        address=address,
    )


@blueprint.post("/inventory/allotments", endpoint="save")
@page("stock:write")
def save() -> Response | tuple[str, int]:
    """Write one allotment, new or in place of the one it was opened as; or give one up."""
    form = Form(request.form)
    replaces = identifier(form.value("id")) if form.value("id") else None
    if form.value("action") == "remove" and replaces is not None:
        return _removed(replaces)
    body = _body(form)
    given = {} if form.has_faults else loaded(form, AllotmentIn(), body, POINTERS)
    if given:
        try:
            with current().session.begin_nested():
                allotments.save_allotment(current(), given, replaces)
            toast("Saved. Orders that wait are asked again.")
            return redirect(url_for("allotment_pages.list"), 303)
        except Problem as problem:
            if not problem.errors:
                form.refused(problem)
            place(form, problem.errors, POINTERS)
    return _list(form), 409 if form.problems else 422


def _body(form: Form) -> dict[str, Any]:
    """One allotment as the API takes it."""
    measure = form.choice("measure", MEASURES)
    amount = form.whole("amount", 0, 100 if measure == "share_percent" else 10**9)
    return {
        "channel": form.text("channel", "Choose the channel."),
        "sku": form.value("sku").strip() or None,
        "node": form.value("node") or None,
        "borrow": form.value("borrow") == "1",
        measure: amount,
    }


def _removed(allotment_id: UUID) -> Response:
    allotments.remove_allotment(current(), allotment_id)
    toast("It is held no more. Orders that wait are asked again.")
    return redirect(url_for("allotment_pages.list"), 303)


@blueprint.get("/inventory/allotments.csv", endpoint="export")
@page("stock:read")
def export() -> Response:
    """All allotments as a file that can be sent back."""
    rows = ([_cell(row[name]) for name in COLUMNS] for row in allotments.allotments(current()))
    return csv_file("allotments", COLUMNS, rows)


def _cell(value: Any) -> Any:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


@blueprint.post("/inventory/allotments/file", endpoint="upload")
@page("stock:write")
def upload() -> Response | tuple[str, int]:
    """Replace all allotments by those of a file, all or none; each fault is told with its line."""
    form, file = Form(request.form), request.files.get("file")
    if file is None or not file.filename:
        form.errors["file"] = "Choose a CSV file."
        return _list(form), 422
    try:
        rows = _rows(file.stream.read(MOST_FILE + 1))
        given = AllotmentsIn().load({"allotments": rows})["allotments"]
        allotments.put_allotments(current(), given)
    except ValueError as error:
        form.errors["file"] = str(error)
        return _list(form), 422
    except ValidationError as error:
        return _list(form, _told(field_errors(error))), 422
    except Problem as problem:
        return _list(form, _told(problem.errors)), 422
    toast(f"{len(given):,} allotments are in force.")
    return redirect(url_for("allotment_pages.list"), 303)


def _rows(content: bytes) -> list[dict[str, Any]]:
    """The lines of a CSV file as the API takes them. Raises ValueError with what to do."""
    if len(content) > MOST_FILE:
        raise ValueError(f"Use a file of at most {MOST_FILE // 1_000_000} MB.")
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
        names = [name.strip().casefold() for name in reader.fieldnames or []]
    except (UnicodeDecodeError, csv.Error):
        raise ValueError("Save the file as CSV in UTF-8.") from None
    if missing := {"channel"} - set(names):
        raise ValueError(f"The first line names the columns {', '.join(COLUMNS)}. Add {', '.join(missing)}.")
    if strange := [name for name in names if name not in COLUMNS]:
        raise ValueError(f"Column {strange[0]!r} is not known. Use {', '.join(COLUMNS)}.")
    reader.fieldnames = names
    return [_row(line) for line in reader]


def _row(line: Mapping[str | None, Any]) -> dict[str, Any]:
    """Cells as JSON; a figure that is none stays text, so that the schema says what is wrong with it."""
    text = {name: (line.get(name) or "").strip() for name in COLUMNS}
    borrow = text["borrow"].casefold()
    row: dict[str, Any] = {"channel": text["channel"], "borrow": borrow in TRUE}
    if borrow not in TRUE | FALSE:
        row["borrow"] = text["borrow"]
    row |= {name: text[name] or None for name in ("sku", "node")}
    for name in ("share_percent", "units"):
        figure = text[name].removesuffix("%").strip()
        row[name] = int(figure) if figure.isascii() and figure.isdigit() else figure or None
    return row


def _told(errors: Sequence[FieldError]) -> list[str]:
    """Faults by the line of the file; the first line names the columns."""
    told = []
    for error in errors[:MOST_FAULTS]:
        _, _, at, *names = [*error.pointer.split("/"), "", ""]
        where = f"Line {int(at) + 2}" if at.isdigit() else "The file"
        column = next((name for name in names if name), "")
        told.append(f"{where}{f', {column}' if column else ''}: {error.message}")
    if len(errors) > MOST_FAULTS:
        told.append(f"And {len(errors) - MOST_FAULTS:,} more.")
    return told
