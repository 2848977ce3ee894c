"""Reads of work: what a provider may see, and a fulfillment order locked for a verb."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.fulfillment.statement import LOCK
from app.orders.queries import work_documents
from app.shapes import cursor, page
from infra.errors import not_found
from tenants.scope import Actor, Scope


def locked(scope: Scope, work_id: UUID) -> dict[str, Any]:
    """A fulfillment order, its order's row and its own locked (in this order), with `order_status`,
    `order_ship_to` and `order_channel`. Raises Problem 404, also for work the actor may not see."""
    row = scope.row(LOCK, id=work_id)
    if row is None or not _sees(scope.actor, row):
        raise not_found("fulfillment order")
    return dict(row._mapping)


def document(scope: Scope, work_id: UUID) -> dict[str, Any]:
    """One fulfillment order as the API shows it. Raises Problem 404."""
    row = scope.row(
        "SELECT node, request_status FROM fulfillment_orders WHERE tenant_id = :tenant AND id = :id",
        id=work_id,
    )
    if row is None or not _sees(scope.actor, row):
        raise not_found("fulfillment order")
    return work_documents(scope, [work_id])[0]


def _sees(actor: Actor, row: Any) -> bool:
    """Held work is not released: its provider does not see it yet."""
    return actor.sees_node(row.node) and not (actor.kind == "provider" and row.request_status == "held")


def listed(scope: Scope, filters: dict[str, Any]) -> dict[str, Any]:
    """A page of fulfillment orders, oldest first, of the nodes the actor sees. Six statements at most."""
    limit = filters["limit"]
    where, values = ["tenant_id = :tenant"], dict[str, Any](limit=limit + 1)
    for name in ("request_status", "work_status", "node"):
        if filters.get(name):
            where.append(f"{name} = :{name}")
            values[name] = filters[name]
    after = cursor(filters.get("after"))
    if after is not None:
        where.append("id > :after")
        values["after"] = after
    if scope.actor.kind == "provider":
        where.append("request_status <> 'held'")
    if scope.actor.nodes is not None:
        where.append("node = ANY(:nodes)")
        values["nodes"] = sorted(scope.actor.nodes)
    found = scope.rows(
        f"SELECT id FROM fulfillment_orders WHERE {' AND '.join(where)} ORDER BY id LIMIT :limit", **values
    )
    return page(work_documents(scope, [row.id for row in found]), limit)
