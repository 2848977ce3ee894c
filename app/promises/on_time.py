"""How the seller kept its promises lately: a part of the reasonable basis of each new one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.shapes import instant
from tenants.scope import Scope

MOST_SHIPMENTS = 200
"""The latest shipments that the record looks at."""
GOOD_FOR = timedelta(hours=1)
"""How long a process takes it as it was: an order costs no statement for it."""

RECORD = """
SELECT count(*) AS shipped, count(*) FILTER (WHERE s.shipped_at < p.deadline) AS in_time
FROM (SELECT id, shipped_at FROM shipments WHERE tenant_id = :tenant ORDER BY id DESC LIMIT :most) s
JOIN shipment_lines l ON l.tenant_id = :tenant AND l.shipment_id = s.id
JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.order_line_id AND p.state <> 'not_covered'
"""

_kept: dict[UUID, tuple[datetime, dict[str, Any]]] = {}


def seller_record(scope: Scope) -> dict[str, Any]:
    """Of the lines in the tenant's latest shipments, how many left before their deadline: {shipped, in_time, as_of}
    (RFC 3339). At most an hour of business time old."""
    now = scope.now()
    at, record = _kept.get(scope.tenant_id, (None, {}))
    if at is None or not timedelta() <= now - at < GOOD_FOR:
        row = scope.row(RECORD, most=MOST_SHIPMENTS)
        assert row is not None
        record = {"shipped": row.shipped, "in_time": row.in_time, "as_of": instant(now)}
        _kept[scope.tenant_id] = (now, record)
    return record
