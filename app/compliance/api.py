"""The compliance report over the API."""

from __future__ import annotations

from typing import Any

from app.compliance import rules, schemas, service
from app.edge import Blueprint, permit
from app.shapes import money
from tenants.scope import current

blueprint = Blueprint("compliance", __name__, description="What is recorded of how the delay rule is kept")


@blueprint.route("/compliance-report", methods=["GET"])
@permit("audit:read")
@blueprint.arguments(schemas.ReportIn, location="query")
@blueprint.response(200, schemas.ReportOut)
def report(asked: dict[str, Any]) -> dict[str, Any]:
    """Counts of a period: orders under the rule, what shipped in time, notices, answers, refunds, incidents."""
    scope = current()
    period = service.period(scope, asked.get("first"), asked.get("last"))
    figures = [
        {
            "group": one.group,
            "name": one.name,
            "count": one.count,
            "amounts": [money(amount, currency) for currency, amount in one.amounts],
        }
        for one in service.report(scope, period)
    ]
    return {"first": period.first, "last": period.last, "note": rules.NOTE, "figures": figures}
