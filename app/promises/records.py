"""What is kept of a promise besides notices, answers and shipments: append-only, one row per line and cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.inbound.queries import sources
from app.promises.on_time import seller_record
from infra.ids import new_id
from tenants.scope import Scope

INSERT = """
INSERT INTO promise_events (tenant_id, id, order_id, order_line_id, kind, key, at, recorded_at, actor, data)
SELECT :tenant, e.id, :order, e.line, :kind, e.key, e.at, :now, :actor, e.data
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS e(id uuid, line uuid, key text, at timestamptz, data jsonb)
ON CONFLICT (tenant_id, order_line_id, kind, key) DO NOTHING RETURNING order_line_id
"""

BASIS = """
SELECT p.order_line_id, p.evidence->'shown' AS shown, p.evidence->>'rules' AS rules, l.sku, l.sku_id, l.allocated,
    l.backordered, p.expected_ship_at,
    (SELECT coalesce(sum(greatest(0, s.on_hand - s.reserved - s.safety)), 0)::bigint FROM stock_positions s
        WHERE s.tenant_id = :tenant AND s.sku_id = l.sku_id AND s.disposition = 'sellable') AS free,
    (SELECT coalesce(sum(r.quantity), 0)::bigint FROM reservations r WHERE r.tenant_id = :tenant
        AND r.sku_id = l.sku_id AND r.supply = 'none') AS waiting,
    w.nodes, h.shipped, h.in_time
FROM promises p JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object('node', f.node, 'request', f.request_status, 'leaves_on', f.leaves_on,
        'packages', d.packages, 'capacity', d.capacity) ORDER BY f.id), '[]') AS nodes
    FROM fulfillment_order_lines w JOIN fulfillment_orders f ON f.tenant_id = :tenant
        AND f.id = w.fulfillment_order_id AND f.work_status IN ('open', 'picking', 'packed')
    LEFT JOIN node_loads d ON d.tenant_id = :tenant AND d.node_id = f.node_id AND d.day = f.leaves_on
    WHERE w.tenant_id = :tenant AND w.order_line_id = l.id) w
CROSS JOIN LATERAL (
    SELECT count(*) AS shipped, count(*) FILTER (WHERE one.left_at < q.deadline) AS in_time FROM (
        SELECT o.id, (SELECT max(s.shipped_at) FROM shipment_lines sl JOIN shipments s ON s.tenant_id = :tenant
            AND s.id = sl.shipment_id WHERE sl.tenant_id = :tenant AND sl.order_line_id = o.id) AS left_at
        FROM order_lines o WHERE o.tenant_id = :tenant AND o.sku_id = l.sku_id AND o.shipped > 0
        ORDER BY o.id DESC LIMIT :most) one
    JOIN promises q ON q.tenant_id = :tenant AND q.order_line_id = one.id) h
WHERE p.tenant_id = :tenant AND p.order_line_id = ANY(:lines)
"""

MOST_SHIPPED = 200
"""Shipped lines of a SKU that its on-time record looks at, the latest."""


def note(
    scope: Scope, order_id: UUID, kind: str, at: datetime, lines: Mapping[UUID, Mapping[str, Any]], key: str
) -> list[UUID]:
    """Record one event of these lines (line -> data) that took effect at `at`, UTC. Returns the lines for which it
    was new; the same cause (`key`) again is nothing."""
    rows = [
        {"id": new_id(), "line": line, "key": key, "at": at, "data": data} for line, data in lines.items()
    ]
    if not rows:
        return []
    made = scope.rows(
        INSERT,
        order=order_id,
        kind=kind,
        now=scope.now(),
        actor=str(scope.actor),
        doc=orjson.dumps(rows, default=str).decode(),
    )
    return [row.order_line_id for row in made]


def bases(scope: Scope, line_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """The reasonable basis of a date, as things stand: what was shown, units free and waiting, the deliveries that are
    to serve the line with their suppliers' records, the work with its day's load, Kept's own expectation, and how many
    of the SKU's and of the seller's latest shipped lines kept their deadline."""
    found = scope.rows(BASIS, lines=list(line_ids), most=MOST_SHIPPED)
    waits = {row.sku_id for row in found if row.backordered}
    inbound = sources(scope, waits) if waits else {}
    seller = seller_record(scope)
    return {
        row.order_line_id: {
            "shown": row.shown,
            "rules": row.rules,
            "config": scope.tenant.config_version,
            "sku": row.sku,
            "allocated": row.allocated,
            "backordered": row.backordered,
            "expected_ship_at": row.expected_ship_at,
            "free": row.free,
            "waiting": row.waiting,
            "inbound": inbound.get(row.order_line_id, []),
            "work": row.nodes,
            "on_time": {"shipped": row.shipped, "in_time": row.in_time},
            "seller": seller,
        }
        for row in found
    }
