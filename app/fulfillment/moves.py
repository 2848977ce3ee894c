"""Work that its node cannot do any more: the node closed, or its day holds more than it can do now."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson

from app.allocation.service import lock_orders
from app.events import NETWORK_CHANGED
from app.fulfillment.shortfalls import withdraw
from app.routing.configuration import configuration
from infra.ids import new_id
from tenants.scope import Scope

CHUNK = 50

STRANDED = """
WITH excess AS (
    SELECT d.node_id, d.day, d.packages - n.capacity_per_day AS packages
    FROM node_loads d JOIN nodes n ON n.tenant_id = :tenant AND n.id = d.node_id
    WHERE d.tenant_id = :tenant AND d.capacity IS NOT NULL AND d.packages > n.capacity_per_day
), waiting AS (
    SELECT f.id, f.order_id, f.node_id, f.leaves_on, n.open, row_number() OVER (
        PARTITION BY f.node_id, f.leaves_on ORDER BY f.promised_by DESC, f.id DESC) AS newest
    FROM fulfillment_orders f JOIN nodes n ON n.tenant_id = :tenant AND n.id = f.node_id
    WHERE f.tenant_id = :tenant AND f.request_status IN ('held', 'submitted') AND f.work_status = 'open'
        AND n.kind <> 'virtual'
)
SELECT w.order_id, w.id, CASE WHEN w.open THEN 'capacity' ELSE 'closed' END AS why
FROM waiting w LEFT JOIN excess e ON e.node_id = w.node_id AND e.day = w.leaves_on
WHERE NOT w.open OR w.newest <= e.packages
ORDER BY w.order_id, why, w.id LIMIT :most
"""


UNCOUNTED = """
SELECT f.id, f.order_id, f.node_id, f.service FROM fulfillment_orders f
JOIN nodes n ON n.tenant_id = :tenant AND n.id = f.node_id AND n.capacity_per_day IS NOT NULL AND n.kind <> 'virtual'
WHERE f.tenant_id = :tenant AND f.leaves_on IS NULL AND f.work_status IN ('open', 'picking', 'packed')
    AND f.request_status IN ('held', 'submitted', 'accepted', 'cancel_requested')
ORDER BY f.order_id, f.id LIMIT :most
"""
COUNT_IN = """
WITH given AS (
    UPDATE fulfillment_orders f SET leaves_on = w.day
    FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS w(id uuid, day date, load_id uuid)
    WHERE f.tenant_id = :tenant AND f.id = w.id AND f.leaves_on IS NULL
        AND f.work_status IN ('open', 'picking', 'packed')
    RETURNING f.node_id, f.leaves_on AS day, w.load_id
)
INSERT INTO node_loads (tenant_id, id, node_id, day, packages, capacity)
SELECT :tenant, CAST(min(CAST(g.load_id AS text)) AS uuid), g.node_id, g.day, count(*), count(*) FROM given g
GROUP BY g.node_id, g.day ORDER BY g.node_id, g.day
ON CONFLICT (tenant_id, node_id, day) DO UPDATE SET packages = node_loads.packages + EXCLUDED.packages,
    capacity = greatest(node_loads.capacity, node_loads.packages + EXCLUDED.packages)
"""


def move_on(scope: Scope, _: UUID, **__: Any) -> None:
    """After nodes changed: take back what no node has accepted where it cannot be done, the newest promises of a
    day first, and have it routed again. What was accepted stays: its node answers for it."""
    if _count_in(scope) == CHUNK:
        scope.later(NETWORK_CHANGED, scope.tenant_id)
        return
    rows = scope.rows(STRANDED, most=CHUNK)
    if not rows:
        return
    lock_orders(scope, sorted({row.order_id for row in rows}))
    for (order_id, why), work in groupby(rows, key=lambda row: (row.order_id, row.why)):
        withdraw(scope, order_id, [row.id for row in work], why)
    if len(rows) == CHUNK:
        scope.later(NETWORK_CHANGED, scope.tenant_id)


def _count_in(scope: Scope) -> int:
    """Count the work that nodes had before they were given a capacity in the day on which it leaves now."""
    rows = scope.rows(UNCOUNTED, most=CHUNK)
    if not rows:
        return 0
    lock_orders(scope, sorted({row.order_id for row in rows}))
    network, now = configuration(scope).network, scope.now()
    days = {service: network.departures.at(now, service).days for service in {row.service for row in rows}}
    counted = [
        {
            "id": row.id,
            "day": date.fromordinal(int(days[row.service][network.index[str(row.node_id)]])),
            "load_id": new_id(),
        }
        for row in rows
    ]
    scope.execute(COUNT_IN, doc=orjson.dumps(counted).decode())
    return len(rows)
