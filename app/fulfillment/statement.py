"""The statements of a shipment: lock, read, write, whatever the number of lines.

The order row is locked first, then the fulfillment order; the stock rows follow inside the write, in
(node, SKU) order. Everything written travels as one JSON document.
"""

from __future__ import annotations

LOCK = """
SELECT f.*, o.status AS order_status, o.ship_to AS order_ship_to, o.channel AS order_channel
FROM orders o JOIN fulfillment_orders f ON f.tenant_id = :tenant AND f.order_id = o.id
WHERE o.tenant_id = :tenant AND f.id = :id FOR UPDATE OF o, f
"""

READ = """
SELECT
    (SELECT json_agg(w ORDER BY w.position, w.id) FROM (
        SELECT f.*, l.position, l.ordered, l.cancelled, l.backordered, l.allocated, l.shipped AS line_shipped,
            l.total, l.components, p.state AS promise, p.deadline, p.vested_at
        FROM fulfillment_order_lines f JOIN order_lines l ON l.tenant_id = :tenant AND l.id = f.order_line_id
        JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
        WHERE f.tenant_id = :tenant AND f.fulfillment_order_id = :id) w) AS lines,
    (SELECT json_agg(r ORDER BY r.id) FROM (
        SELECT id, order_line_id, sku_id, position_id, quantity FROM reservations
        WHERE tenant_id = :tenant AND node_id = :node AND order_line_id IN (
            SELECT order_line_id FROM fulfillment_order_lines
            WHERE tenant_id = :tenant AND fulfillment_order_id = :id)) r) AS reservations,
    (SELECT json_agg(kind) FROM order_holds
        WHERE tenant_id = :tenant AND order_id = :order AND released_at IS NULL) AS holds,
    (SELECT json_agg(s ORDER BY s.id) FROM (
        SELECT s.*, (SELECT json_agg(p ORDER BY l.position, p.id) FROM shipment_lines p
            JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id
            WHERE p.tenant_id = :tenant AND p.shipment_id = s.id) AS lines
        FROM shipments s WHERE s.tenant_id = :tenant AND s.fulfillment_order_id = :id) s) AS shipments,
    (SELECT sum(allocated + backordered) FROM order_lines
        WHERE tenant_id = :tenant AND order_id = :order) AS order_open
"""

WRITE = """
WITH doc AS MATERIALIZED (
    SELECT CAST(:doc AS jsonb) AS d
), taken AS MATERIALIZED (
    SELECT t.* FROM doc, jsonb_to_recordset(d->'taken') AS t(id uuid, position_id uuid, quantity bigint,
        held bigint)
), locked AS MATERIALIZED (
    SELECT p.id FROM stock_positions p
    WHERE p.tenant_id = :tenant AND p.id IN (SELECT position_id FROM taken)
    ORDER BY p.node_id, p.sku_id, p.id FOR UPDATE
), emptied AS (
    DELETE FROM reservations r USING taken
    WHERE r.tenant_id = :tenant AND r.id = taken.id AND r.quantity = taken.held AND taken.quantity = taken.held
    RETURNING r.id
), lowered AS (
    UPDATE reservations r SET quantity = r.quantity - taken.quantity FROM taken
    WHERE r.tenant_id = :tenant AND r.id = taken.id AND r.quantity = taken.held AND taken.quantity < taken.held
    RETURNING r.id
), gone AS (
    UPDATE stock_positions p SET on_hand = p.on_hand - s.quantity, reserved = p.reserved - s.quantity
    FROM (SELECT locked.id, sum(taken.quantity) AS quantity
          FROM taken JOIN locked ON locked.id = taken.position_id GROUP BY 1) s
    WHERE p.tenant_id = :tenant AND p.id = s.id
), handed AS (
    INSERT INTO shipments (tenant_id, id, fulfillment_order_id, order_id, kind, carrier, service,
        tracking_number, shipped_at, recorded_at, cost, value, handed_to, report)
    SELECT :tenant, s.id, s.fulfillment_order_id, s.order_id, s.kind, s.carrier, s.service, s.tracking_number,
        s.shipped_at, s.recorded_at, s.cost, s.value, s.handed_to, s.report
    FROM doc, jsonb_to_record(d->'shipment') AS s(id uuid, fulfillment_order_id uuid, order_id uuid, kind text,
        carrier text, service text, tracking_number text, shipped_at timestamptz, recorded_at timestamptz,
        cost bigint, value bigint, handed_to jsonb, report text)
), parts AS (
    INSERT INTO shipment_lines (tenant_id, id, shipment_id, fulfillment_order_line_id, order_line_id, sku,
        quantity, value)
    SELECT :tenant, l.id, l.shipment_id, l.fulfillment_order_line_id, l.order_line_id, l.sku, l.quantity, l.value
    FROM doc, jsonb_to_recordset(d->'lines') AS l(id uuid, shipment_id uuid, fulfillment_order_line_id uuid,
        order_line_id uuid, sku text, quantity bigint, value bigint)
), moved AS (
    INSERT INTO stock_movements (tenant_id, id, position_id, delta, cause, reason, reference, actor, at)
    SELECT :tenant, m.id, m.position_id, m.delta, 'shipment', '', m.reference, :actor, :now
    FROM doc, jsonb_to_recordset(d->'movements') AS m(id uuid, position_id uuid, delta bigint, reference text)
), worked AS (
    UPDATE fulfillment_order_lines f SET shipped = f.shipped + w.quantity, cancel_requested = w.cancel_requested
    FROM doc, jsonb_to_recordset(d->'work') AS w(id uuid, quantity bigint, cancel_requested bigint)
    WHERE f.tenant_id = :tenant AND f.id = w.id
      AND f.id = ANY(ARRAY(SELECT CAST(e->>'id' AS uuid) FROM doc, jsonb_array_elements(d->'work') AS e))
), counted AS (
    UPDATE order_lines l SET allocated = l.allocated - c.quantity, shipped = l.shipped + c.quantity,
        value_shipped = l.value_shipped + c.value
    FROM doc, jsonb_to_recordset(d->'counters') AS c(id uuid, quantity bigint, value bigint)
    WHERE l.tenant_id = :tenant AND l.id = c.id
      AND l.id = ANY(ARRAY(SELECT CAST(e->>'id' AS uuid) FROM doc, jsonb_array_elements(d->'counters') AS e))
), kept AS (
    UPDATE promises SET state = 'shipped', due_at = NULL,
        vested_at = CASE WHEN l.cancelled > 0 THEN promises.vested_at END,
        vests_on = CASE WHEN l.cancelled > 0 THEN promises.vests_on END
    FROM order_lines l
    WHERE promises.tenant_id = :tenant AND promises.order_line_id = ANY(ARRAY(
        SELECT CAST(e AS uuid) FROM doc, jsonb_array_elements_text(d->'done') AS e))
      AND l.tenant_id = :tenant AND l.id = promises.order_line_id AND promises.state <> 'not_covered'
)
SELECT (SELECT count(*) FROM emptied) + (SELECT count(*) FROM lowered) AS drawn
"""
