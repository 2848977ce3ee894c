"""The books of one tenant that shipping and canceling touch, checked from the rows."""

from __future__ import annotations

from uuid import UUID

from app import integrity
from tenants.scope import Scope, inside, operator

FAULTS = {
    "on hand is the sum of its movements": """
        SELECT p.id FROM stock_positions p LEFT JOIN (
            SELECT position_id, sum(delta) AS moved FROM stock_movements WHERE tenant_id = :tenant GROUP BY 1) m
            ON m.position_id = p.id
        WHERE p.tenant_id = :tenant AND p.on_hand <> coalesce(m.moved, 0)""",
    "reserved is the sum of its reservations": """
        SELECT p.id FROM stock_positions p LEFT JOIN (
            SELECT position_id, sum(quantity) AS held FROM reservations WHERE tenant_id = :tenant GROUP BY 1) r
            ON r.position_id = p.id
        WHERE p.tenant_id = :tenant AND p.reserved <> coalesce(r.held, 0)""",
    "backordered is what waits without supply": """
        SELECT l.id FROM order_lines l LEFT JOIN (
            SELECT order_line_id, sum(quantity) AS waiting FROM reservations
            WHERE tenant_id = :tenant AND supply = 'none' GROUP BY 1) r ON r.order_line_id = l.id
        WHERE l.tenant_id = :tenant AND l.backordered <> coalesce(r.waiting, 0)""",
    "allocated is what nodes have open": """
        SELECT l.id FROM order_lines l LEFT JOIN (
            SELECT order_line_id, sum(quantity - shipped - released) AS open FROM fulfillment_order_lines
            WHERE tenant_id = :tenant GROUP BY 1) f ON f.order_line_id = l.id
        WHERE l.tenant_id = :tenant AND l.allocated <> coalesce(f.open, 0)""",
    "shipped is what shipments hold": """
        SELECT l.id FROM order_lines l LEFT JOIN (
            SELECT order_line_id, sum(quantity) AS sent, sum(value) AS worth FROM shipment_lines
            WHERE tenant_id = :tenant GROUP BY 1) s ON s.order_line_id = l.id
        WHERE l.tenant_id = :tenant
          AND (l.shipped <> coalesce(s.sent, 0) OR l.value_shipped <> coalesce(s.worth, 0))""",
    "a finished line gave all its money away": """
        SELECT id FROM order_lines WHERE tenant_id = :tenant AND allocated + backordered = 0
          AND value_shipped + value_cancelled <> total""",
    "an order with nothing open has ended": """
        SELECT o.id FROM orders o WHERE o.tenant_id = :tenant AND (o.status = 'placed') = (
            SELECT sum(allocated + backordered) = 0 FROM order_lines
            WHERE tenant_id = :tenant AND order_id = o.id)""",
    "a status is what its history says": """
        SELECT f.id FROM fulfillment_orders f LEFT JOIN LATERAL (
            SELECT after FROM status_changes WHERE tenant_id = :tenant AND subject_id = f.id
              AND machine = 'request' ORDER BY id DESC LIMIT 1) s ON true
        WHERE f.tenant_id = :tenant AND f.request_status <> coalesce(s.after, 'held')""",
}


def check_books(tenant_id: UUID) -> None:
    """Fails naming each book that does not balance: those of `kept integrity`, and those above."""
    with inside(tenant_id) as scope:
        faults = {name: found for name, sql in FAULTS.items() if (found := _ids(scope, sql))}
    assert not faults
    with operator() as session:
        assert not [finding for finding in integrity.check(session, tenant_id) if finding.faults]


def _ids(scope: Scope, sql: str) -> list[str]:
    return [str(row.id) for row in scope.rows(sql)]
