"""Work that its node cannot do any more: the node closed, or its day holds more than it can do now."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from uuid import UUID

from app.allocation.service import lock_orders
from app.events import NETWORK_CHANGED
from app.fulfillment.shortfalls import withdraw
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


def move_on(scope: Scope, _: UUID, **__: Any) -> None:
    """After nodes changed: take back what no node has accepted where it cannot be done, the newest promises of a
    day first, and have it routed again. What was accepted stays: its node answers for it."""
    rows = scope.rows(STRANDED, most=CHUNK)
    if not rows:
        return
    lock_orders(scope, sorted({row.order_id for row in rows}))
    for (order_id, why), work in groupby(rows, key=lambda row: (row.order_id, row.why)):
        withdraw(scope, order_id, [row.id for row in work], why)
    if len(rows) == CHUNK:
        scope.later(NETWORK_CHANGED, scope.tenant_id)
