"""Files in: orders, SKUs, nodes, stock and carriers' rates."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from app.edge import Blueprint, permit
from app.imports import queries
from app.imports.schemas import FileIn, ImportIn, ImportOut, ImportReportOut, ImportsOut, ReportIn
from app.imports.service import receive
from app.shapes import ListIn, identifier
from tenants.scope import current

blueprint = Blueprint(
    "imports", __name__, description="Files of orders, SKUs, nodes, stock and carriers' rates"
)
MOST_FILE = 100 * 1024 * 1024


@blueprint.route("/imports", methods=["POST"])
@permit("imports:write", most_body=MOST_FILE, media_type="multipart/form-data")
@blueprint.arguments(FileIn, location="files")
@blueprint.arguments(ImportIn, location="form")
@blueprint.response(202, ImportOut)
def upload(files: dict[str, Any], given: dict[str, Any]) -> Response:
    """Send a file of up to 100 MB. It is read at once and worked through later; ask for its progress."""
    file = files["file"]
    import_id = receive(
        current(),
        file.stream,
        filename=file.filename or "file.csv",
        kind=given["kind"],
        mapping=given["mapping"],
        rate_card=given["rate_card"],
    )
    return _json(queries.document(current(), import_id), 202)


@blueprint.route("/imports/<id>", methods=["GET"])
@permit("imports:read")
@blueprint.arguments(ReportIn, location="query")
@blueprint.response(200, ImportReportOut)
def progress(filters: dict[str, Any], id: str) -> Response:
    """How far it is; with `rows`, also what became of each row, in the order of the file."""
    one = queries.document(current(), identifier(id))
    wanted = filters.pop("rows", None)
    if wanted is None:
        return _json(one)
    outcome = None if wanted == "all" else wanted
    return _json({**one, **queries.report(current(), identifier(id), outcome=outcome, **filters)})


@blueprint.route("/imports", methods=["GET"])
@permit("imports:read")
@blueprint.arguments(ListIn, location="query")
@blueprint.response(200, ImportsOut)
def list_(filters: dict[str, Any]) -> Response:
    """Imports, the newest first."""
    return _json(queries.imports(current(), **filters))


def _json(body: Any, status: int = 200) -> Response:
    response = current_app.make_response(current_app.json.response(body))
    response.status_code = status
    return response
