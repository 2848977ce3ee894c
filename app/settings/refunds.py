"""The merchant's shipping table, by which a refund is reckoned when the rest alone would have cost less: its page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from app.entries import amount
from app.forms import Form
from app.money import Money
from app.pages import toast
from app.web import page
from tenants import business
from tenants.scope import current

blueprint = Blueprint("refund_settings", __name__)
ROWS = 6


@blueprint.get("/settings/refunds")
@page("settings:read")
def show() -> Any:
    """The table as it stands."""
    return _draw(Form(_stored()), 200)


@blueprint.post("/settings/refunds")
@page("settings:write")
def save() -> Any:
    """Change the table; empty rows are left out."""
    scope, form = current(), Form(request.form)
    table = _table(form)
    if form.has_faults:
        return _draw(form)
    refunds = dict(scope.tenant.settings.get("refunds") or {}) | {"shipping": table}
    business.change(
        scope, name=scope.tenant.name, timezone=scope.tenant.timezone, settings={"refunds": refunds}
    )
    toast("Saved.")
    return redirect(url_for("refund_settings.show"), 303)


def _table(form: Form) -> list[dict[str, int]]:
    currency, rows = current().tenant.currency, []
    for at in range(ROWS):
        least, charge = (amount(form, f"{name}{at}", currency) for name in ("from", "charge"))
        if (least is None) != (charge is None) and not form.has_faults:
            form.errors[f"charge{at}" if charge is None else f"from{at}"] = "Fill in both, or neither."
        if least is not None and charge is not None:
            rows.append({"from": least["amount"], "charge": charge["amount"]})
    if len({row["from"] for row in rows}) < len(rows):
        form.problems.append("Name each value of goods once.")
    return sorted(rows, key=lambda row: row["from"])


def _stored() -> dict[str, str]:
    table = (current().tenant.settings.get("refunds") or {}).get("shipping") or []
    currency = current().tenant.currency
    return {
        f"{name}{at}": str(Money(row[name], currency).decimal())
        for at, row in enumerate(table)
        for name in ("from", "charge")
    }


def _draw(form: Form, status: int = 422) -> Any:
    return render_template(
        "settings/refunds.html",
        form=form,
        rows=range(ROWS),
        currency=current().tenant.currency,
        may=current().actor.may("settings:write"),
    ), status
