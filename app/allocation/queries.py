"""Reads of stock: positions, the ledger, cases. One statement a page."""

from __future__ import annotations

from typing import Any

from app.shapes import cursor, page
from infra.errors import not_found
from tenants.scope import Scope

POSITIONS = """
SELECT p.id, n.code AS node, s.code AS sku, p.disposition, p.segment, p.on_hand, p.reserved, p.safety
FROM stock_positions p
JOIN skus s ON s.tenant_id = :tenant AND s.id = p.sku_id
JOIN nodes n ON n.tenant_id = :tenant AND n.id = p.node_id
WHERE p.tenant_id = :tenant {where} ORDER BY p.id LIMIT :limit
"""
MOVEMENTS = """
SELECT m.id, n.code AS node, s.code AS sku, p.disposition, p.segment, m.delta, m.cause, m.reason, m.reference,
    m.actor, m.at
FROM stock_movements m
JOIN stock_positions p ON p.tenant_id = :tenant AND p.id = m.position_id
JOIN skus s ON s.tenant_id = :tenant AND s.id = p.sku_id
JOIN nodes n ON n.tenant_id = :tenant AND n.id = p.node_id
WHERE m.tenant_id = :tenant {where} ORDER BY m.id DESC LIMIT :limit
"""
CASES = """
SELECT c.*, n.code AS node, s.code AS sku
FROM stock_cases c
JOIN skus s ON s.tenant_id = :tenant AND s.id = c.sku_id
JOIN nodes n ON n.tenant_id = :tenant AND n.id = c.node_id
WHERE c.tenant_id = :tenant {where} ORDER BY c.id DESC LIMIT :limit
"""


def positions(scope: Scope, *, limit: int, after: str | None = None, **filters: Any) -> dict[str, Any]:
    """A page of positions, oldest first; filters: sku, node (codes), disposition, segment."""
    rows = _read(
        scope,
        POSITIONS,
        {
            "p.id > :after": cursor(after),
            "s.code = :sku": filters.get("sku"),
            "n.code = :node": filters.get("node"),
            "p.disposition = :disposition": filters.get("disposition"),
            "p.segment = :segment": filters.get("segment"),
        },
        limit,
    )
    return page([{**row, "available": _available(row)} for row in rows], limit)


def _available(row: dict[str, Any]) -> int:
    if row["disposition"] != "sellable":
        return 0
    return max(0, int(row["on_hand"] - row["reserved"] - row["safety"]))


def movements(scope: Scope, *, limit: int, after: str | None = None, **filters: Any) -> dict[str, Any]:
    """A page of the ledger, newest first; filters: sku, node (codes)."""
    rows = _read(
        scope,
        MOVEMENTS,
        {
            "m.id < :after": cursor(after),
            "s.code = :sku": filters.get("sku"),
            "n.code = :node": filters.get("node"),
        },
        limit,
    )
    return page(rows, limit)


def cases(scope: Scope, *, limit: int, after: str | None = None, **filters: Any) -> dict[str, Any]:
    """A page of cases, newest first; filters: state, node, sku. A provider sees its nodes' only."""
    rows = _read(
        scope,
        CASES,
        {
            "c.id < :after": cursor(after),
            "c.state = :state": filters.get("state"),
            "s.code = :sku": filters.get("sku"),
            "n.code = :node": filters.get("node"),
            "n.code = ANY(:nodes)": None if scope.actor.nodes is None else sorted(scope.actor.nodes),
        },
        limit,
    )
    return page(rows, limit)


def case(scope: Scope, case_id: Any) -> dict[str, Any]:
    """One case. Raises Problem 404."""
    rows = _read(scope, CASES, {"c.id = :id": case_id}, 1)
    if not rows or not scope.actor.sees_node(rows[0]["node"]):
        raise not_found("case")
    return rows[0]


def cases_of(scope: Scope, ids: list[Any]) -> list[dict[str, Any]]:
    """Cases by their ids, newest first."""
    return _read(scope, CASES, {"c.id = ANY(:ids)": ids}, max(1, len(ids)) - 1) if ids else []


def _read(scope: Scope, sql: str, clauses: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    where, values = "", {}
    for clause, value in clauses.items():
        if value is not None:
            where += f" AND {clause}"
            values[clause.rpartition(":")[2].rstrip(")")] = value
    rows = scope.rows(sql.format(where=where), limit=limit + 1, **values)
    return [{**row._mapping, "id": str(row.id)} for row in rows]
