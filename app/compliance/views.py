"""The compliance report and the written procedures as pages, to read, keep and print."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from app.calendar import local_date
from app.compliance import rules, service
from app.entries import csv_file
from app.forms import Form
from app.money import Money
from app.pages import register_nav
from app.web import page
from infra.errors import Problem
from tenants.scope import current

blueprint = Blueprint("compliance_pages", __name__, template_folder="templates")
register_nav("", "Compliance", "compliance_pages.report", "scale", permission="audit:read", order=30)


@blueprint.get("/compliance", endpoint="report")
@page("audit:read")
def report() -> Any:
    """The figures of a period."""
    form, period = _asked()
    figures = service.report(current(), period)
    status = 422 if form.has_faults else 200
    return render_template(
        "compliance/report.html",
        form=form,
        period=period,
        groups=rules.grouped(figures),
        in_words=rules.in_words,
        amounts=_amounts,
        note=rules.NOTE,
    ), status


@blueprint.get("/compliance/report.csv", endpoint="export")
@page("audit:read")
def export() -> Response:
    """The figures as a file."""
    _, period = _asked()
    rows = [
        (rules.GROUPS[one.group], rules.in_words(one), one.count, _amounts(one))
        for one in service.report(current(), period)
    ]
    name = f"compliance-{period.first}-{period.last}"
    return csv_file(name, ("Group", "Figure", "Count", "Amount"), rows)


@blueprint.get("/compliance/procedures", endpoint="procedures")
@page("audit:read")
def procedures() -> str:
    """What Kept does under the current settings, in plain words."""
    scope = current()
    return render_template(
        "compliance/procedures.html",
        chapters=service.procedures(scope),
        merchant=scope.tenant.name,
        version=scope.tenant.config_version,
        today=local_date(scope.now(), scope.tenant.timezone),
    )


def _asked() -> tuple[Form, rules.Period]:
    """The period of the address; the usual one where it makes no sense, with the fault at its field."""
    form, scope = Form(request.args), current()
    zone = scope.tenant.timezone
    days = [form.day(name, zone) for name in ("from", "to")]
    first, last = (local_date(moment, zone) if moment else None for moment in days)
    try:
        return form, service.period(scope, first, last)
    except Problem as problem:
        form.refused(problem, "to")
        return form, service.period(scope, None, None)


def _amounts(figure: rules.Figure) -> str:
    return ", ".join(str(Money(amount, currency)) for currency, amount in figure.amounts)
