"""All that the proof file of one order says, read from its rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app import events, history
from app.refunds.queries import of_order
from infra.errors import not_found
from tenants.scope import Scope

Row = dict[str, Any]
AWARE = (
    events.PROMISE_LATE,
    events.UNITS_WAITING,
    events.WORK_REJECTED,
    events.WORK_SHORT,
    events.ROUTING_STUCK,
    events.PROMISE_LATE,
    events.PROMISE_AT_RISK,
)
"""What first told the merchant that a promise may not be kept."""
OF_ORDER = {
    "lines": "SELECT * FROM order_lines WHERE tenant_id = :tenant AND order_id = :order ORDER BY position",
    "promises": "SELECT * FROM promises WHERE tenant_id = :tenant AND order_id = :order",
    "events": "SELECT * FROM promise_events WHERE tenant_id = :tenant AND order_id = :order ORDER BY at, id",
    "notices": "SELECT * FROM notices WHERE tenant_id = :tenant AND order_id = :order ORDER BY created_at, id",
    "deliveries": "SELECT d.* FROM notice_deliveries d JOIN notices n ON n.tenant_id = :tenant AND n.id = d.notice_id"
    " WHERE d.tenant_id = :tenant AND n.order_id = :order ORDER BY d.at, d.id",
    "answers": "SELECT * FROM delay_answers WHERE tenant_id = :tenant AND order_id = :order ORDER BY received_at, id",
    "shipments": "SELECT * FROM shipments WHERE tenant_id = :tenant AND order_id = :order ORDER BY shipped_at, id",
    "parcels": "SELECT s.* FROM shipment_lines s JOIN shipments x ON x.tenant_id = :tenant AND x.id = s.shipment_id"
    " WHERE s.tenant_id = :tenant AND x.order_id = :order ORDER BY s.id",
    "tenders": "SELECT * FROM tenders WHERE tenant_id = :tenant AND order_id = :order ORDER BY position",
    "entries": "SELECT * FROM ledger_entries WHERE tenant_id = :tenant AND order_id = :order ORDER BY at, id",
    "timeline": "SELECT * FROM timeline WHERE tenant_id = :tenant AND order_id = :order ORDER BY id",
    "seals": "SELECT * FROM seals WHERE tenant_id = :tenant AND order_id = :order ORDER BY position",
    "history": f"SELECT id::text AS id, source, content AS text, {history.row_hash('content')} AS hash FROM ("
    + history.rows("tenant_id = :tenant", "= :order")
    + ") h ORDER BY id",
}


def gathered(scope: Scope, order_id: UUID) -> dict[str, Any]:
    """The order and the rows about it by name; a fixed number of statements. Raises Problem 404."""
    order = scope.row("SELECT * FROM orders WHERE tenant_id = :tenant AND id = :order", order=order_id)
    if order is None:
        raise not_found("order")
    found: dict[str, Any] = {
        name: [dict(row._mapping) for row in scope.rows(sql, order=order_id)]
        for name, sql in OF_ORDER.items()
    }
    return {**found, "order": dict(order._mapping), "refunds": of_order(scope, order_id)}
