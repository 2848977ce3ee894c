"""The figures of the compliance report, counted set-based over one tenant and period."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app import events
from app.compliance.rules import Figure, Period
from tenants.scope import Scope

ORDERS = """
SELECT count(*) AS all, count(*) FILTER (WHERE EXISTS (SELECT 1 FROM order_lines l WHERE l.tenant_id = :tenant
    AND l.order_id = o.id AND l.covered)) AS covered, count(*) FILTER (WHERE EXISTS (SELECT 1 FROM promises p
    WHERE p.tenant_id = :tenant AND p.order_id = o.id AND p.delivery_state IS NOT NULL)) AS delivery
FROM orders o WHERE o.tenant_id = :tenant AND o.placed_at >= :start AND o.placed_at < :end AND o.status <> 'draft'
"""
PROMISES = """
SELECT CASE WHEN l.allocated + l.backordered > 0 THEN CASE WHEN p.deadline <= :now THEN 'overdue' ELSE 'open' END
            WHEN l.shipped = 0 THEN 'cancelled'
            WHEN gone.at < p.deadline THEN 'in_time' ELSE 'late' END AS name, count(*) AS count
FROM orders o
JOIN order_lines l ON l.tenant_id = :tenant AND l.order_id = o.id AND l.covered
JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
LEFT JOIN LATERAL (SELECT max(s.shipped_at) AS at FROM shipment_lines x
    JOIN shipments s ON s.tenant_id = :tenant AND s.id = x.shipment_id
    WHERE x.tenant_id = :tenant AND x.order_line_id = l.id) gone ON true
WHERE o.tenant_id = :tenant AND o.placed_at >= :start AND o.placed_at < :end AND o.status <> 'draft'
GROUP BY 1
"""
DELIVERIES = """
SELECT p.delivery_state AS name, count(*) AS count
FROM orders o JOIN promises p ON p.tenant_id = :tenant AND p.order_id = o.id AND p.delivery_state IS NOT NULL
WHERE o.tenant_id = :tenant AND o.placed_at >= :start AND o.placed_at < :end AND o.status <> 'draft'
GROUP BY 1 ORDER BY 1
"""
NOTICES = """
SELECT kind || coalesce(': ' || (facts->>'delay'), '') || CASE WHEN state IN ('failed', 'bounced')
    THEN ', not delivered' ELSE '' END AS name, count(*) AS count
FROM notices WHERE tenant_id = :tenant AND created_at >= :start AND created_at < :end GROUP BY 1 ORDER BY 1
"""
ANSWERS = """
SELECT answer AS name, count(*) AS count FROM delay_answers
WHERE tenant_id = :tenant AND received_at >= :start AND received_at < :end GROUP BY 1 ORDER BY 1
"""
CASES = """
SELECT data->>'case' AS name, count(*) AS count FROM promise_events
WHERE tenant_id = :tenant AND kind = 'ended' AND at >= :start AND at < :end GROUP BY 1 ORDER BY 1
"""
CANCELLATIONS = f"""
SELECT coalesce(nullif(data->>'reason', ''), 'no reason given') AS name, count(*) AS count FROM timeline
WHERE tenant_id = :tenant AND name IN ('{events.ORDER_CANCELLED}', '{events.LINES_CANCELLED}')
    AND at >= :start AND at < :end
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 25
"""
REFUNDS = """
SELECT CASE WHEN d.proven_at IS NOT NULL THEN CASE WHEN d.sent_on <= d.latest_on THEN 'in_time' ELSE 'late' END
            WHEN d.due_at <= :now THEN 'overdue' ELSE 'open' END AS name,
    o.currency, count(*) AS count, sum(d.amount)::bigint AS amount
FROM refunds_due d JOIN orders o ON o.tenant_id = :tenant AND o.id = d.order_id
WHERE d.tenant_id = :tenant AND d.opened_at >= :start AND d.opened_at < :end GROUP BY 1, 2 ORDER BY 1, 2
"""
INCIDENTS = f"""
SELECT name, count(*) AS count FROM timeline
WHERE tenant_id = :tenant AND at >= :start AND at < :end
    AND (name IN ('{events.NOTICE_FAILED}', '{events.CAPTURE_FAILED}', '{events.SHIPPED_TOO_LATE}')
        OR (name = '{events.PROMISE_ENDED}' AND data->>'late_by' IS NOT NULL)
        OR (name = '{events.REFUND_ALARMED}' AND data->>'level' = '3'))
GROUP BY 1 ORDER BY 1
"""
"""The names stand in the statement, so that the planner sees that the index of `events.REPORTED` has them all."""


def figures(scope: Scope, period: Period) -> list[Figure]:
    """The report's lines; a fixed number of statements."""
    common = {"start": period.start, "end": period.end}
    row = scope.row(ORDERS, **common)
    assert row is not None
    found = [Figure("orders", name, getattr(row, name)) for name in ("all", "covered", "delivery")]
    found += _counted("promises", scope.rows(PROMISES, **common, now=scope.now()))
    found += _counted("deliveries", scope.rows(DELIVERIES, **common))
    found += _counted("notices", scope.rows(NOTICES, **common))
    found += _counted("answers", scope.rows(ANSWERS, **common))
    found += _counted("cases", scope.rows(CASES, **common))
    found += _counted("cancellations", scope.rows(CANCELLATIONS, **common))
    found += _with_money("refunds", scope.rows(REFUNDS, **common, now=scope.now()))
    found += _counted("incidents", scope.rows(INCIDENTS, **common))
    return found


def _counted(group: str, rows: list[Any]) -> Iterator[Figure]:
    return (Figure(group, row.name, row.count) for row in rows)


def _with_money(group: str, rows: list[Any]) -> Iterator[Figure]:
    """One figure per name; rows of several currencies come one after the other."""
    sums: dict[str, tuple[int, list[tuple[str, int]]]] = {}
    for row in rows:
        count, amounts = sums.get(row.name, (0, []))
        sums[row.name] = (count + row.count, [*amounts, (row.currency, row.amount)])
    return (Figure(group, name, count, tuple(amounts)) for name, (count, amounts) in sums.items())
