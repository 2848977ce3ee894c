"""Reads of the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.network.rules import code_error
from app.shapes import money
from infra.errors import not_found
from tenants.scope import Scope


def node_document(row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The contract's node. Handling is minor units of the tenant's currency."""
    kept = ("name", "kind", "address", "latitude", "longitude", "timezone", "capacity_per_day")
    return {
        "node": row["code"],
        "code": row["code"],
        **{name: row[name] for name in kept},
        "handling_per_package": money(row["handling_per_package"], currency),
        "handling_per_unit": money(row["handling_per_unit"], currency),
        "priority": row["priority"],
        "cutoff": row["cutoff"],
        "calendar": row["calendar"],
        "open": row["open"],
    }


def node(scope: Scope, code: str) -> dict[str, Any]:
    """One node. Raises Problem 404."""
    if code_error(code):
        raise not_found("node")
    row = scope.row("SELECT * FROM nodes WHERE tenant_id = :tenant AND code = :code", code=code)
    if row is None:
        raise not_found("node")
    return node_document(row._mapping, scope.tenant.currency)


def nodes(
    scope: Scope,
    *,
    limit: int,
    after: str | None = None,
    q: str | None = None,
    kind: str | None = None,
    open: bool | None = None,
) -> dict[str, Any]:
    """A page of nodes in the order of their codes; `after` is the code that the page before ended with."""
    where: list[str] = ["tenant_id = :tenant"]
    values: dict[str, Any] = {"limit": limit + 1}
    pattern = q and "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    for clause, name, value in (
        ("code > :after", "after", after or None),
        ("kind = :kind", "kind", kind),
        ("open = :open", "open", open),
        ("(code ILIKE :q OR name ILIKE :q)", "q", pattern or None),
    ):
        if value is not None:
            where.append(clause)
            values[name] = value
    rows = scope.rows(f"SELECT * FROM nodes WHERE {' AND '.join(where)} ORDER BY code LIMIT :limit", **values)
    shown = [node_document(row._mapping, scope.tenant.currency) for row in rows[:limit]]
    return {"data": shown, "next": shown[-1]["node"] if len(rows) > limit else None}


def by_code(scope: Scope, codes: Iterable[str]) -> dict[str, Any]:
    """The rows (id, code, kind) of nodes by code; those not there are left out."""
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    rows = scope.rows(
        "SELECT id, code, kind FROM nodes WHERE tenant_id = :tenant AND code = ANY(:codes)", codes=wanted
    )
    return {row.code: row for row in rows}
