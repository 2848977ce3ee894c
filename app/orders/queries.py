"""Reads of orders: whole documents in a fixed number of statements, however many orders."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.orders.shapes import Row, grouped, order_document, work_document
from infra.errors import not_found
from tenants.scope import Scope


def documents(scope: Scope, ids: list[UUID]) -> list[dict[str, Any]]:
    """Orders as the API shows them, in the order of `ids`; those not there are left out."""
    if not ids:
        return []
    orders = {row["id"]: row for row in _all(scope, "orders", "id", ids)}
    lines = grouped(_all(scope, "order_lines", "order_id", ids, "position"), "order_id")
    promises = grouped(_all(scope, "promises", "order_id", ids), "order_id")
    holds = grouped(
        [row for row in _all(scope, "order_holds", "order_id", ids) if row["released_at"] is None], "order_id"
    )
    work = grouped(work_rows(scope, "order_id", ids), "order_id")
    return [
        order_document(
            orders[one],
            lines=lines.get(one, []),
            promises=promises.get(one, []),
            work=work.get(one, []),
            holds=holds.get(one, []),
        )
        for one in ids
        if one in orders
    ]


def document(scope: Scope, order_id: UUID) -> dict[str, Any]:
    """One order. Raises Problem 404."""
    found = documents(scope, [order_id])
    if not found:
        raise not_found("order")
    return found[0]


def work_rows(scope: Scope, column: str, ids: list[UUID]) -> list[Row]:
    """Fulfillment orders with their lines and shipments: four statements."""
    work = _all(scope, "fulfillment_orders", column, ids)
    if not work:
        return []
    own = [row["id"] for row in work]
    lines = grouped(
        _all(scope, "fulfillment_order_lines", "fulfillment_order_id", own), "fulfillment_order_id"
    )
    shipments = _all(scope, "shipments", "fulfillment_order_id", own)
    parts = (
        grouped(_all(scope, "shipment_lines", "shipment_id", [row["id"] for row in shipments]), "shipment_id")
        if shipments
        else {}
    )
    by_work = grouped(
        [{**row, "lines": parts.get(row["id"], [])} for row in shipments], "fulfillment_order_id"
    )
    return [
        {**row, "lines": lines.get(row["id"], []), "shipments": by_work.get(row["id"], [])} for row in work
    ]


def work_documents(scope: Scope, ids: list[UUID]) -> list[dict[str, Any]]:
    """Fulfillment orders as the API shows them, in the order of `ids`."""
    rows = {row["id"]: row for row in work_rows(scope, "id", ids)}
    addresses = {
        row["id"]: row["ship_to"]
        for row in _all(scope, "orders", "id", list({row["order_id"] for row in rows.values()}))
    }
    return [work_document(rows[one], addresses[rows[one]["order_id"]]) for one in ids if one in rows]


def _all(scope: Scope, table: str, column: str, ids: list[UUID], order: str = "id") -> list[Row]:
    return [
        dict(row._mapping)
        for row in scope.rows(
            f"SELECT * FROM {table} WHERE tenant_id = :tenant AND {column} = ANY(:ids) ORDER BY {order}",
            ids=ids,
        )
    ]
