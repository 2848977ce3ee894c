"""The compliance report of a period, and the procedures as they stand."""

from __future__ import annotations

from datetime import date

from app.calendar import local_date
from app.compliance import queries, rules
from app.promises.laws import laws_document, laws_from
from app.promises.readings import from_settings, to_document
from tenants.scope import Scope

USUAL_DAYS = 30


def period(scope: Scope, first: date | None, last: date | None) -> rules.Period:
    """The days asked for; by default the 30 that end today. Raises Problem 422."""
    last = last or local_date(scope.now(), scope.tenant.timezone)
    return rules.period(
        first or date.fromordinal(max(1, last.toordinal() - USUAL_DAYS + 1)), last, scope.tenant.timezone
    )


def report(scope: Scope, of: rules.Period) -> list[rules.Figure]:
    """The figures of the period."""
    return queries.figures(scope, of)


def procedures(scope: Scope) -> list[rules.Chapter]:
    """What Kept does under the tenant's settings of this moment."""
    tenant = scope.tenant
    readings = to_document(from_settings(tenant.settings.get("promises")))
    laws = laws_document(laws_from(tenant.settings.get("laws")))
    return rules.procedures(tenant.name, tenant.timezone, readings, laws, tenant.settings)
