"""Home: what was promised, what needs a person, what waits where."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.dashboard import queries
from app.entries import address
from app.exceptions import waiting
from app.pages import register_nav
from app.web import page
from tenants.scope import current

blueprint = Blueprint("dashboard", __name__, template_folder="templates")
register_nav("", "Home", "dashboard.home", "home", permission="orders:read", order=10)

MOST_EXCEPTIONS = 8


@blueprint.get("/home")
@page("orders:read")
def home() -> str:
    """The merchant's day."""
    scope = current()
    now = scope.now()
    rows, total = waiting.found(scope, now, MOST_EXCEPTIONS)
    cases = queries.stock_cases(scope)
    return render_template(
        "dashboard/home.html",
        is_new=queries.is_new(scope),
        strip=queries.strip(scope, now),
        hours=queries.orders_per_hour(scope, now),
        exceptions=[waiting.described(row, now) for row in rows],
        exceptions_total=total,
        cases=cases,
        nodes=queries.work_per_node(scope, now),
        short=queries.running_out(scope, now),
        address=address,
        sales_days=queries.SALES_DAYS,
    )
