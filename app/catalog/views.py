"""The catalog as pages: the list, one SKU, and the form that makes or changes it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.catalog import entry, listing
from app.catalog.rules import STOCKED
from app.catalog.service import put_sku
from app.entries import address, csv_file, place
from app.forms import Form
from app.money import Money
from app.network.rules import code_error
from app.pages import register_nav, toast
from app.web import page
from infra.errors import Problem, not_found
from tenants.scope import current

blueprint = Blueprint("catalog_pages", __name__, template_folder="templates")
register_nav("Sell", "Catalog", "catalog_pages.list", "tag", permission="skus:read", order=10)

OFFERED = 20
"""Codes that a field offers at a time."""
COLUMNS = (
    "sku",
    "title",
    "kind",
    "price",
    "currency",
    "weight_g",
    "tax_code",
    "release_date",
    "lead_time_days",
    "can_sell",
    "on_hand",
)


def _filters() -> tuple[str, str]:
    kind = request.args.get("kind", "")
    q = request.args.get("q", "").replace("\x00", "").strip()[:200]
    return q, kind if kind in entry.KINDS else ""


@blueprint.get("/catalog", endpoint="list")
@page("skus:read")
def list_skus() -> str:
    """SKUs by code, with what can be sold of each."""
    scope, (q, kind) = current(), _filters()
    after, before = (request.args.get(name, "").replace("\x00", "") for name in ("after", "before"))
    found = listing.page(scope, q, kind, after, before)
    counts = listing.counts(scope, q)
    return render_template(
        "catalog/list.html",
        found=found,
        shelf=listing.shelf(scope, [row.id for row in found.rows]),
        counts=counts,
        total=counts.get(kind, 0) if kind else sum(counts.values()),
        start=max(1, request.args.get("at", 1, type=int)),
        size=listing.PAGE,
        q=q,
        kind=kind,
        kinds=entry.KINDS,
        icons=entry.KIND_ICONS,
        stocked=STOCKED,
        import_url=address("imports_pages.new", kind="skus"),
    )


@blueprint.get("/catalog/export.csv", endpoint="export")
@page("skus:read")
def export_skus() -> Response:
    """The list as a file, with the same filters."""
    q, kind = _filters()
    return csv_file(
        "catalog",
        COLUMNS,
        (
            [
                row.code,
                row.title,
                row.kind,
                Money(row.price, row.currency).decimal(),
                row.currency,
                row.weight_g,
                row.tax_code,
                row.release_date,
                row.lead_time_days,
                row.can_sell if row.kind in STOCKED else None,
                row.on_hand if row.kind in STOCKED else None,
            ]
            for row in listing.exported(current(), q, kind)
        ),
    )


@blueprint.get("/catalog/skus/<code>", endpoint="detail")
@page("skus:read")
def detail(code: str) -> str:
    """One SKU: where it lies, who ordered it lately, and what it is."""
    scope, sku = current(), _kept(code)
    nodes = listing.stock_per_node(scope, sku.id)
    components = {part["sku"]: part["quantity"] for part in sku.components}
    parts = listing.parts(scope, sku.components)
    return render_template(
        "catalog/detail.html",
        sku=sku,
        kind=entry.KINDS[sku.kind],
        stocked=sku.kind in STOCKED,
        shelf=listing.shelf(scope, [sku.id])[sku.id],
        nodes=nodes,
        pins=[_pin(row) for row in nodes],
        coming=listing.on_its_way(scope, sku.id) if sku.kind in STOCKED else [],
        orders=listing.recent_orders(scope, sku.id),
        components=components,
        parts=parts,
        kits_to_sell=min((int(row.can_sell) // components[row.code] for row in parts), default=0),
        kits=listing.kits_with(scope, code),
        exempt=entry.EXEMPT,
        newest=listing.NEWEST,
        address=address,
    )


def _pin(row: Any) -> dict[str, Any]:
    can_sell = int(row.can_sell or 0)
    return {
        "name": row.name,
        "longitude": row.longitude,
        "latitude": row.latitude,
        "kind": row.kind,
        "work": can_sell,
        "note": f"{can_sell:,} can sell",
        "role": "" if can_sell else "off",
        "url": address("inventory_pages.position", position_id=row.position),
    }


@blueprint.get("/catalog/codes", endpoint="codes")
@page("skus:read")
def codes() -> str:
    """Codes that fit what is typed so far, as the options of a field; at most OFFERED."""
    typed = request.args.get("q", "").replace("\x00", "").strip()[:100]
    rows = listing.page(current(), typed, "", "", "").rows[:OFFERED] if typed else []
    return render_template("catalog/_codes.html", rows=rows)


@blueprint.get("/catalog/new", endpoint="new")
@page("skus:write")
def new() -> str:
    """An empty form; the kind may be chosen in the address."""
    kind = request.args.get("kind", "stock")
    form = Form({"kind": kind if kind in entry.KINDS else "stock", "tax_code": "standard"})
    return render_template("catalog/edit.html", **_context(form, None))


@blueprint.post("/catalog/new", endpoint="create")
@page("skus:write")
def create() -> Any:
    """Make a SKU by the verb of `PUT /v1/skus/{sku}`; one that is there already is not overwritten."""
    form = Form(request.form)
    code = form.value("code").strip()
    if wrong := code_error(code):
        form.errors["code"] = wrong if code else "Enter a code: it is how every system names this item."
    elif listing.sku_row(current(), code) is not None:
        form.errors["code"] = f"{code} is in the catalog already. Open it to change it."
    return _save(form, code, None)


@blueprint.get("/catalog/skus/<code>/edit", endpoint="edit")
@page("skus:write")
def edit(code: str) -> str:
    """The form of a SKU that is there."""
    kept = _kept(code)
    return render_template("catalog/edit.html", **_context(Form(entry.values(kept._mapping)), kept))


@blueprint.post("/catalog/skus/<code>/edit", endpoint="save")
@page("skus:write")
def save(code: str) -> Any:
    """Replace a SKU."""
    return _save(Form(request.form), code, _kept(code))


def _save(form: Form, code: str, kept: Any) -> Any:
    if request.form.get("action") == "kind":
        form.errors.clear()
        return render_template("catalog/edit.html", **_context(form, kept))
    currency = kept.currency if kept else current().tenant.currency
    given = entry.read(form, currency, kept._mapping if kept else None)
    if not form.has_faults:
        try:
            put_sku(current(), code, given)
            return _saved(code, is_new=kept is None)
        except Problem as problem:
            if problem.errors:
                place(form, problem.errors, entry.POINTERS)
            else:
                form.refused(problem, "kind" if problem.status == 409 else "")
    return render_template("catalog/edit.html", **_context(form, kept)), 422


def _saved(code: str, *, is_new: bool) -> AnyResponse:
    toast(f"{code} is in the catalog." if is_new else f"{code} saved.")
    return redirect(url_for("catalog_pages.detail", code=code), 303)


def _context(form: Form, kept: Any) -> dict[str, Any]:
    return {
        "form": form,
        "kept": kept,
        "kinds": entry.KINDS,
        "exempt": entry.EXEMPT,
        "currency": kept.currency if kept else current().tenant.currency,
        "part_rows": entry.part_rows(form),
    }


def _kept(code: str) -> Any:
    row = None if code_error(code) else listing.sku_row(current(), code)
    if row is None:
        raise not_found("SKU")
    return row
