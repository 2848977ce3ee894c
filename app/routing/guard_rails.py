"""Guard-rails: how much worse than what is in force a version of the rules may do on past orders.

Each is a share by which a figure may grow over that of the version compared with; where that one has none, any is
too many. They are independent of the rules, and of when the what-if was run: they are read when they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.routing.clauses import money
from app.routing.policy import DEFAULT_SCOPE
from infra.errors import refused
from tenants import audit, business
from tenants.scope import Scope

SETTING = "guard_rails"
ASIDE = " Or set them aside: `override`, with a `reason`."
"""How a caller of the API does that; a page has its own way."""
RAILS = {
    "cost_percent": "Cost per unit",
    "lost_units_percent": "Lost units",
    "split_orders_percent": "Split orders",
    "late_orders_percent": "Late orders",
}
"""What is watched, in words; a rail without a figure is not."""
USUAL: Mapping[str, Any] = {
    "cost_percent": 5.0,
    "lost_units_percent": 1.0,
    "split_orders_percent": 10.0,
    "late_orders_percent": None,
    "block": False,
}


def of(scope: Scope) -> dict[str, Any]:
    """The tenant's guard-rails."""
    return {**USUAL, **(scope.tenant.settings.get(SETTING) or {})}


def change(scope: Scope, given: Mapping[str, Any]) -> None:
    """Set those that are named; the others stay."""
    tenant = scope.tenant
    business.change(
        scope, name=tenant.name, timezone=tenant.timezone, settings={SETTING: {**of(scope), **given}}
    )


def passed(
    rails: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Every rail that has a figure: what it allows, what both versions did, and whether the version keeps to it."""
    found = []
    for name, words in RAILS.items():
        if rails[name] is None or not before or not after:
            continue
        one, two = _figure(name, before), _figure(name, after)
        most = one * (1 + rails[name] / 100)
        found.append(
            {
                "rail": name,
                "label": words,
                "most_percent": rails[name],
                "before": round(one, 2),
                "after": round(two, 2),
                "passed": two <= most + 1e-9,
            }
        )
    return found


def _figure(name: str, figures: Mapping[str, Any]) -> float:
    if name == "cost_percent":  # a version that fills more units costs more: that is no fault of it
        return float(figures["cost"] / figures["filled_units"]) if figures["filled_units"] else 0.0
    return float(figures[name.removesuffix("_percent")])


def require(scope: Scope, version: Mapping[str, Any], replaces: int | None, override: str = "") -> None:
    """Whether a version (its row) may come in force in place of another, where the tenant has guard-rails block.

    A version that was in force before may always return. `override`: why they are set aside; it is written down.
    Raises Problem 409 `guard-rails`.
    """
    rails = of(scope)
    if not rails["block"] or version["state"] == "retired":
        return
    fault = _fault(scope, rails, version, replaces)
    if fault and not override:
        raise refused("guard-rails", fault + ASIDE)
    if fault:
        audit.record(
            scope, "routing.guard_rails_overridden", f"v{version['version']}", reason=override, fault=fault
        )


def _fault(scope: Scope, rails: Mapping[str, Any], version: Mapping[str, Any], replaces: int | None) -> str:
    against = replaces if replaces is not None else _default(scope)
    row = tried(scope, version["version"], against)
    than = f"version {against}" if against else "Kept's own default"
    if row is None:
        return (
            f"Compare version {version['version']} with {than} on past orders first: guard-rails ask for it."
        )
    over = [one for one in passed(rails, row.result["before"], row.result["after"]) if not one["passed"]]
    said = [
        f"{one['label'].lower()} {_said(scope, one, 'after')} instead of {_said(scope, one, 'before')}, at most"
        f" {one['most_percent']:g}% more"
        for one in over
    ]
    return (
        f"On past orders version {version['version']} breaks guard-rails: {'; '.join(said)}." if said else ""
    )


def tried(scope: Scope, version: int, against: int) -> Any | None:
    """The newest what-if that is done of a version against another: id and result."""
    return scope.row(
        "SELECT id, result FROM simulations WHERE tenant_id = :tenant AND version = :version AND against = :against"
        " AND state = 'done' ORDER BY created_at DESC, id DESC LIMIT 1",
        version=version,
        against=against,
    )


def _said(scope: Scope, rail: Mapping[str, Any], side: str) -> str:
    """A figure as people read it: costs come in minor units."""
    figure = rail[side]
    return money(round(figure), scope.tenant.currency) if rail["rail"] == "cost_percent" else f"{figure:,g}"


def _default(scope: Scope) -> int:
    row = scope.row(
        "SELECT version FROM rule_versions WHERE tenant_id = :tenant AND scope = :of AND state = 'active'",
        of=DEFAULT_SCOPE,
    )
    return row.version if row is not None else 0
