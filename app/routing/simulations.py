"""Reads of what-ifs: progress, and what came of them against the guard-rails of now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.routing import guard_rails
from app.shapes import cursor, instant, page
from infra.errors import not_found
from tenants.scope import Scope

COLUMNS = (
    "id, version, against, orders_from, orders_to, state, orders_total, orders_done, result, error, created_by,"
    " created_at, finished_at"
)


def one(scope: Scope, simulation_id: UUID) -> dict[str, Any]:
    """One what-if with the orders that change. Raises Problem 404."""
    row = scope.row(
        f"SELECT {COLUMNS}, changes FROM simulations WHERE tenant_id = :tenant AND id = :id", id=simulation_id
    )
    if row is None:
        raise not_found("what-if")
    changes = [{**each, "number": f"K-{each['number']}"} for each in row.changes]
    return {**_shown(scope, row), "changes": changes}


def listed(scope: Scope, *, limit: int, after: str | None = None) -> dict[str, Any]:
    """A page of what-ifs, the newest first."""
    rows = scope.rows(
        f"SELECT {COLUMNS} FROM simulations WHERE tenant_id = :tenant"
        " AND (CAST(:after AS uuid) IS NULL OR id < :after) ORDER BY id DESC LIMIT :limit",
        after=cursor(after),
        limit=limit + 1,
    )
    return page([_shown(scope, row) for row in rows], limit)


def _shown(scope: Scope, row: Any) -> dict[str, Any]:
    before, after = row.result.get("before"), row.result.get("after")
    return {
        "id": str(row.id),
        "version": row.version,
        "against": row.against,
        "since": instant(row.orders_from),
        "until": instant(row.orders_to),
        "state": row.state,
        "orders_total": row.orders_total,
        "orders_done": row.orders_done,
        "error": row.error,
        "created_by": row.created_by,
        "created_at": instant(row.created_at),
        "finished_at": row.finished_at and instant(row.finished_at),
        "currency": scope.tenant.currency,
        "before": before,
        "after": after,
        "nodes": row.result.get("nodes", []),
        "guard_rails": guard_rails.passed(guard_rails.of(scope), before or {}, after or {}),
        "changed": row.result.get("changed", 0),
    }
