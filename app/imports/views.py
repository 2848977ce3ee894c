"""Imports as pages: send a file, choose what its columns mean, watch it, read the report."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.entries import address, csv_file
from app.forms import Form
from app.imports import choosing, queries
from app.imports.mappings import KINDS, RATES, REQUIRED
from app.imports.service import discard, keep, start
from app.pages import register_nav, toast
from app.shapes import identifier
from app.web import page
from infra.errors import Problem
from tenants.scope import current

blueprint = Blueprint("imports_pages", __name__, template_folder="templates")
register_nav("Sell", "Imports", "imports_pages.list", "file-import", permission="imports:read", order=90)

NAMES = {
    "orders": "Orders",
    "skus": "Items (SKUs)",
    "nodes": "Nodes",
    "stock": "Stock",
    "rate_card": "Prices of a rate card",
    "zone_pairs": "Zones of a rate card",
}
NAMED_BY = {
    "orders": "Order",
    "skus": "Item",
    "nodes": "Node",
    "stock": "Item and node",
    "rate_card": "Rate card",
    "zone_pairs": "Rate card and areas",
}
"""What a row of the report is named by."""
OUTCOMES = {"all": "All", "created": "Taken", "existing": "There already", "refused": "Refused"}
PAGE = 50


@blueprint.get("/imports", endpoint="list")
@page("imports:read")
def list_imports() -> str:
    """Files, the newest first."""
    found = queries.imports(current(), limit=PAGE, after=_after())
    found["data"] = [_timed(one) for one in found["data"]]
    return render_template("imports/list.html", found=found, names=NAMES)


@blueprint.get("/imports/new", endpoint="new")
@page("imports:write")
def new() -> str:
    """The form that takes a file."""
    kind = request.args.get("kind", "")
    return render_template(
        "imports/new.html",
        form=Form(request.args),
        kind=kind if kind in KINDS else "orders",
        names=NAMES,
    )


@blueprint.post("/imports/new", endpoint="upload")
@page("imports:write")
def upload() -> AnyResponse | tuple[str, int]:
    """Keep the file, then choose its columns."""
    form = Form(request.form)
    kind = form.choice("kind", KINDS)
    file = request.files.get("file")
    if file is None or not file.filename:
        form.errors["file"] = "Choose a CSV file."
    elif not form.has_faults:
        try:
            made = keep(current(), file.stream, filename=file.filename, kind=kind)
            card = form.value("rate_card") if kind in RATES else ""
            return redirect(url_for("imports_pages.detail", import_id=made, rate_card=card or None), 303)
        except Problem as problem:
            form.refused(problem, "file")
    return form.again("imports/new.html", kind=kind, names=NAMES)


@blueprint.get("/imports/<import_id>", endpoint="detail")
@page("imports:read")
def detail(import_id: str) -> str:
    """A draft's columns, or the progress and the report."""
    one = queries.document(current(), identifier(import_id))
    if one["state"] == "draft":
        return render_template("imports/columns.html", **_columns(one, Form(request.args)))
    wanted = request.args.get("rows", "all")
    wanted = wanted if wanted in OUTCOMES else "all"
    outcome = None if wanted == "all" else wanted
    report = queries.report(current(), UUID(one["id"]), outcome=outcome, limit=PAGE, after=_after())
    return render_template(
        "imports/detail.html",
        one=_timed(one),
        report=report,
        wanted=wanted,
        outcomes=OUTCOMES,
        names=NAMES,
        named_by=NAMED_BY,
        order_url=lambda subject: address("order_pages.detail", order_id=subject),
    )


@blueprint.post("/imports/<import_id>", endpoint="start")
@page("imports:write")
def begin(import_id: str) -> AnyResponse | tuple[str, int]:
    """Start a draft with the columns chosen."""
    one, form = queries.document(current(), identifier(import_id)), Form(request.form)
    shown = _columns(one, form)
    try:
        mapping = shown["mapping"]
        start(
            current(),
            UUID(one["id"]),
            choosing.document(one["kind"], shown["chosen"]) if mapping == choosing.OWN else mapping,
            form.value("rate_card") if one["kind"] in RATES else "",
        )
    except Problem as problem:
        about_card = any(error.pointer == "/rate_card" for error in problem.errors)
        form.refused(problem, "rate_card" if about_card else "")
        return form.again(
            "imports/columns.html", **{name: value for name, value in shown.items() if name != "form"}
        )
    toast(f"{one['filename']} is being imported.")
    return redirect(url_for("imports_pages.detail", import_id=one["id"]), 303)


@blueprint.post("/imports/<import_id>/discard", endpoint="discard")
@page("imports:write")
def forget(import_id: str) -> AnyResponse:
    """Forget a draft."""
    discard(current(), identifier(import_id))
    toast("The file is discarded. Nothing was imported.")
    return redirect(url_for("imports_pages.list"), 303)


@blueprint.get("/imports/<import_id>/report.csv", endpoint="report")
@page("imports:read")
def report_file(import_id: str) -> Response:
    """The report as a file, of one outcome or all."""
    one = queries.document(current(), identifier(import_id))
    wanted = request.args.get("rows", "all")
    outcome = None if wanted not in OUTCOMES or wanted == "all" else wanted
    return csv_file(
        f"import-{one['kind']}-report",
        ("row", "reference", "outcome", "message"),
        queries.every_row(current(), UUID(one["id"]), outcome),
    )


def _columns(one: dict[str, Any], form: Form) -> dict[str, Any]:
    """What the page of a draft shows."""
    kind = one["kind"]
    header, sample = queries.sample(current(), UUID(one["id"]))
    offered = choosing.options(kind)
    mapping = form.value("mapping")
    if mapping not in dict(offered):
        mapping = choosing.fitting(kind, header)
    guesses = choosing.guesses(kind, header)
    chosen = {target: form.value(f"column-{target}", guesses[target]) for target in guesses}
    return {
        "one": one,
        "form": form,
        "header": header,
        "sample": sample,
        "options": offered,
        "mapping": mapping,
        "chosen": chosen,
        "becomes": choosing.becomes(kind, mapping, chosen),
        "required": REQUIRED[kind],
        "words": choosing.words,
        "names": NAMES,
        "own": choosing.OWN,
        "cards": queries.rate_cards(current()) if kind in RATES else None,
    }


def _timed(one: dict[str, Any]) -> dict[str, Any]:
    """The import with its times as times."""
    sent, ended = (one[name] and datetime.fromisoformat(one[name]) for name in ("created_at", "finished_at"))
    return {**one, "sent_at": sent, "ended_at": ended}


def _after() -> str | None:
    return request.args.get("after") or None
