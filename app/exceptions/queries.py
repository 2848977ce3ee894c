"""Reads of the exception queue: what a person must decide, what may solve it, and nodes with more than they can do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.orders.shapes import order_number
from app.routing.baskets import destination
from app.routing.configuration import configuration
from app.shapes import cursor, page
from tenants.scope import Scope

LISTED = """
SELECT e.*, o.number, o.channel, o.currency, o.customer->>'name' AS customer, w.units, w.value, w.skus, w.by
FROM routing_exceptions e JOIN orders o ON o.tenant_id = :tenant AND o.id = e.order_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.backordered), 0)::bigint AS units,
        coalesce(sum(l.total * l.backordered / l.ordered), 0)::bigint AS value,
        array_agg(l.sku ORDER BY l.position) FILTER (WHERE l.backordered > 0) AS skus,
        (SELECT min(p.deadline) FROM promises p WHERE p.tenant_id = :tenant AND p.order_id = o.id
            AND p.state IN ('open', 'consent_definite')) AS by
    FROM order_lines l WHERE l.tenant_id = :tenant AND l.order_id = o.id) w
WHERE e.tenant_id = :tenant {where} ORDER BY e.id {order} LIMIT :limit
"""

HOLDERS = """
WITH need AS (
    SELECT l.order_id, p.sku_id, sum(p.units) AS units FROM order_lines l CROSS JOIN LATERAL (
        SELECT l.sku_id, l.backordered AS units WHERE jsonb_array_length(l.components) = 0
        UNION ALL SELECT CAST(part->>'sku_id' AS uuid), l.backordered * CAST(part->>'quantity' AS bigint)
        FROM jsonb_array_elements(l.components) part) p
    WHERE l.tenant_id = :tenant AND l.order_id = ANY(:orders) AND l.backordered > 0 GROUP BY 1, 2
), held AS (
    SELECT need.order_id, s.node_id, count(*) AS skus FROM need JOIN (
        SELECT sku_id, node_id, sum(greatest(0, on_hand - reserved - safety)) AS free FROM stock_positions
        WHERE tenant_id = :tenant AND disposition = 'sellable' AND sku_id IN (SELECT sku_id FROM need)
        GROUP BY 1, 2) s ON s.sku_id = need.sku_id AND s.free >= need.units
    GROUP BY 1, 2
)
SELECT held.order_id, n.code, n.name, (
    SELECT jsonb_agg(DISTINCT coalesce(l.ship_to, o.ship_to)) FROM order_lines l
    WHERE l.tenant_id = :tenant AND l.order_id = o.id AND l.backordered > 0) AS addresses
FROM held
JOIN nodes n ON n.tenant_id = :tenant AND n.id = held.node_id
JOIN orders o ON o.tenant_id = :tenant AND o.id = held.order_id
WHERE n.open AND held.skus = (SELECT count(*) FROM need WHERE need.order_id = held.order_id)
ORDER BY held.order_id, n.name
"""

STRAINED = """
SELECT f.order_id, o.number, f.node, n.name, n.kind, n.open, f.request_status, f.leaves_on, f.promised_by,
    d.packages, n.capacity_per_day AS capacity, count(*) OVER () AS total
FROM fulfillment_orders f
JOIN nodes n ON n.tenant_id = :tenant AND n.id = f.node_id
JOIN orders o ON o.tenant_id = :tenant AND o.id = f.order_id
LEFT JOIN node_loads d ON d.tenant_id = :tenant AND d.node_id = f.node_id AND d.day = f.leaves_on
WHERE f.tenant_id = :tenant AND f.work_status IN ('open', 'picking', 'packed') AND n.kind <> 'virtual'
    AND (NOT n.open OR (d.packages > n.capacity_per_day AND d.capacity IS NOT NULL))
ORDER BY f.promised_by, f.id LIMIT :most
"""


def listed(
    scope: Scope, *, limit: int, after: str | None = None, state: str | None = None, kind: str | None = None
) -> dict[str, Any]:
    """A page of exceptions, the oldest first."""
    where, values = "", {}
    for clause, value in (
        ("e.id > :after", cursor(after)),
        ("e.state = :state", state),
        ("e.kind = :kind", kind),
    ):
        if value is not None:
            where += f" AND {clause}"
            values[clause.rpartition(":")[2]] = value
    rows = scope.rows(LISTED.format(where=where, order=""), limit=limit + 1, **values)
    return page([document(row) for row in rows], limit)


def shown(scope: Scope, exception_id: UUID) -> dict[str, Any]:
    """One exception as the API shows it; the caller knows that it is there."""
    [row] = scope.rows(LISTED.format(where=" AND e.id = :id", order=""), limit=1, id=exception_id)
    return document(row)


def document(row: Any) -> dict[str, Any]:
    """The contract's routing exception."""
    return {
        "id": str(row.id),
        "order_id": str(row.order_id),
        "order": order_number(row.number),
        "kind": row.kind,
        "reason": row.reason,
        "units": row.units,
        "state": row.state,
        "action": row.action,
        "owner": row.owner,
        "opened_at": row.opened_at,
        "closed_at": row.closed_at,
        "closed_by": row.closed_by,
    }


def to_decide(scope: Scope, state: str, most: int, *, kind: str = "", owner: str | None = None) -> list[Any]:
    """Exceptions for the page: open ones oldest first, closed ones newest first. `owner`: an actor, '' for nobody."""
    where, values = " AND e.state = :state", {"state": state}
    if kind:
        where, values = f"{where} AND e.kind = :kind", values | {"kind": kind}
    if owner is not None:
        where, values = f"{where} AND e.owner = :owner", values | {"owner": owner}
    order = "" if state == "open" else "DESC"
    return scope.rows(LISTED.format(where=where, order=order), limit=most, **values)


def kinds(scope: Scope) -> dict[str, int]:
    """How many open exceptions there are of each kind."""
    rows = scope.rows(
        "SELECT kind, count(*) AS found FROM routing_exceptions WHERE tenant_id = :tenant AND state = 'open' GROUP BY 1"
    )
    return {row.kind: row.found for row in rows}


def counts(scope: Scope) -> dict[str, int]:
    """How many exceptions stand in which state."""
    rows = scope.rows(
        "SELECT state, count(*) AS found FROM routing_exceptions WHERE tenant_id = :tenant GROUP BY 1"
    )
    return {row.state: row.found for row in rows}


def holders(scope: Scope, orders: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Open nodes that have all an order waits for and deliver where it goes, by order."""
    network, found = configuration(scope).network, dict[UUID, list[Any]]()
    for row in scope.rows(HOLDERS, orders=list(orders)):
        node, goes_to = network.position[row.code], map(destination, row.addresses)
        if all(network.reach.serves(to.country, to.region, to.postal_code)[node] for to in goes_to):
            found.setdefault(row.order_id, []).append(row)
    return found


def strained(scope: Scope, most: int) -> list[Any]:
    """Work at nodes that are closed or have more for a day than they can do, the earliest promise first."""
    return scope.rows(STRAINED, most=most)


def undelivered(scope: Scope, most: int) -> list[Any]:
    """Messages of the last 30 days that reached nobody, the newest first."""
    return scope.rows(
        "SELECT n.id, n.order_id, n.kind, n.subject, n.error, coalesce(n.bounced_at, n.created_at) AS at, o.number,"
        " o.customer FROM notices n JOIN orders o ON o.tenant_id = :tenant AND o.id = n.order_id"
        " WHERE n.tenant_id = :tenant AND n.state IN ('bounced', 'failed') AND n.created_at > :since"
        " ORDER BY n.created_at DESC, n.id DESC LIMIT :most",
        since=scope.now() - timedelta(days=30),
        most=most,
    )
