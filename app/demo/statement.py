"""The bulk statements of the demo merchant's past. Each takes its rows as one JSON document."""

from __future__ import annotations

POSITIONS = """
INSERT INTO stock_positions (tenant_id, id, node_id, sku_id, on_hand)
SELECT :tenant, p.id, p.node_id, p.sku_id, p.on_hand
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS p(id uuid, node_id uuid, sku_id uuid, on_hand bigint)
"""

MOVEMENTS = """
INSERT INTO stock_movements (tenant_id, id, position_id, delta, cause, reason, reference, actor, at)
SELECT :tenant, m.id, m.position_id, m.delta, m.cause, '', m.reference, 'system:Kept', m.at
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS m(id uuid, position_id uuid, delta bigint, cause text,
    reference text, at timestamptz)
"""

CLOSE_STOCK = """
UPDATE stock_positions p SET on_hand = p.on_hand - g.units
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS g(id uuid, units bigint)
WHERE p.tenant_id = :tenant AND p.id = g.id
"""

HAPPENED = """
WITH doc AS MATERIALIZED (
    SELECT CAST(:doc AS jsonb) AS d
), work AS (
    UPDATE fulfillment_orders f SET work_status = w.work, request_status = w.request,
        submitted_at = w.submitted, answered_at = w.answered
    FROM doc, jsonb_to_recordset(d->'work') AS w(id uuid, work text, request text, submitted timestamptz,
        answered timestamptz)
    WHERE f.tenant_id = :tenant AND f.id = w.id
), work_lines AS (
    UPDATE fulfillment_order_lines f SET shipped = f.quantity
    FROM doc, jsonb_to_recordset(d->'shipment_lines') AS s(fulfillment_order_line_id uuid)
    WHERE f.tenant_id = :tenant AND f.id = s.fulfillment_order_line_id
), lines AS (
    UPDATE order_lines o SET shipped = l.shipped, allocated = o.allocated - l.shipped, value_shipped = l.value
    FROM doc, jsonb_to_recordset(d->'lines') AS l(id uuid, shipped bigint, value bigint)
    WHERE o.tenant_id = :tenant AND o.id = l.id
), promised AS (
    UPDATE promises p SET state = 'shipped', due_at = NULL
    FROM doc, jsonb_to_recordset(d->'lines') AS l(id uuid, done boolean)
    WHERE p.tenant_id = :tenant AND p.order_line_id = l.id AND l.done AND p.state = 'open'
), closed AS (
    UPDATE orders o SET status = 'closed'
    FROM doc, jsonb_to_recordset(d->'orders') AS c(id uuid)
    WHERE o.tenant_id = :tenant AND o.id = c.id
), handed AS (
    INSERT INTO shipments (tenant_id, id, fulfillment_order_id, order_id, kind, carrier, service, tracking_number,
        shipped_at, recorded_at, cost, value)
    SELECT :tenant, s.id, s.fulfillment_order_id, s.order_id, s.kind, s.carrier, s.service, s.tracking_number, s.at,
        s.at, s.cost, s.value
    FROM doc, jsonb_to_recordset(d->'shipments') AS s(id uuid, fulfillment_order_id uuid, order_id uuid, kind text,
        carrier text, service text, tracking_number text, at timestamptz, cost bigint, value bigint)
), parts AS (
    INSERT INTO shipment_lines (tenant_id, id, shipment_id, fulfillment_order_line_id, order_line_id, sku,
        quantity, value)
    SELECT :tenant, s.id, s.shipment_id, s.fulfillment_order_line_id, s.order_line_id, s.sku, s.quantity, s.value
    FROM doc, jsonb_to_recordset(d->'shipment_lines') AS s(id uuid, shipment_id uuid,
        fulfillment_order_line_id uuid, order_line_id uuid, sku text, quantity bigint, value bigint)
), paid AS (
    INSERT INTO ledger_entries (tenant_id, id, order_id, tender_id, kind, amount, outcome, key, shipment_id,
        reference, at, settled_at)
    SELECT :tenant, e.id, e.order_id, e.tender_id, 'capture', e.amount, 'succeeded', e.key, e.shipment_id,
        e.reference, e.at, e.at
    FROM doc, jsonb_to_recordset(d->'ledger') AS e(id uuid, order_id uuid, tender_id uuid, amount bigint, key text,
        shipment_id uuid, reference text, at timestamptz)
), steps AS (
    INSERT INTO status_changes (tenant_id, id, machine, subject_id, before, after, why, actor, at)
    SELECT :tenant, s.id, s.machine, s.subject_id, s.before, s.after, '', s.actor, s.at
    FROM doc, jsonb_to_recordset(d->'status_changes') AS s(id uuid, machine text, subject_id uuid, before text,
        after text, actor text, at timestamptz)
), told AS (
    INSERT INTO timeline (tenant_id, id, order_id, name, at, actor, data)
    SELECT :tenant, t.id, t.order_id, t.name, t.at, t.actor, t.data
    FROM doc, jsonb_to_recordset(d->'timeline') AS t(id uuid, order_id uuid, name text, at timestamptz, actor text,
        data jsonb)
)
SELECT count(*) FROM doc
"""

TERMS_TOTALS = """
UPDATE orders o SET captured_total = e.sum
FROM (SELECT l.order_id, sum(l.amount) AS sum FROM ledger_entries l
      JOIN tenders t ON t.tenant_id = :tenant AND t.id = l.tender_id AND t.kind = 'terms'
      WHERE l.tenant_id = :tenant AND l.kind = 'capture' AND l.outcome = 'succeeded' GROUP BY 1) e
WHERE o.tenant_id = :tenant AND o.id = e.order_id
"""
