"""The statements of matching: find who waits, read what matters, write what was placed; none per order."""

from __future__ import annotations

WAITING_FOR = """
SELECT w.order_id, w.ship_by, w.made_at FROM (
    SELECT l.order_id, min(r.ship_by) AS ship_by, min(r.made_at) AS made_at
    FROM reservations r JOIN order_lines l ON l.tenant_id = :tenant AND l.id = r.order_line_id
    WHERE r.tenant_id = :tenant AND r.supply = 'none' AND l.order_id <> ALL(:without)
        AND NOT EXISTS (SELECT 1 FROM routing_exceptions e WHERE e.tenant_id = :tenant AND e.order_id = l.order_id
            AND e.state = 'open' AND e.kind IN ('cycles', 'cancel'))
        AND (:every OR r.sku_id = ANY(:skus)
        OR (r.sku_id IN (SELECT id FROM skus WHERE tenant_id = :tenant AND kind = 'kit')
            AND EXISTS (SELECT 1 FROM jsonb_array_elements(l.components) part
                WHERE CAST(part->>'sku_id' AS uuid) = ANY(:skus))))
    GROUP BY l.order_id) w
WHERE CAST(:ship_by AS timestamptz) IS NULL
    OR (w.ship_by, w.made_at, w.order_id) > (CAST(:ship_by AS timestamptz), CAST(:made_at AS timestamptz),
        CAST(:order AS uuid))
ORDER BY w.ship_by, w.made_at, w.order_id LIMIT :limit
"""

ORDERS = """
SELECT o.id, o.number, o.status, o.channel, o.source_code, o.customer, o.ship_to, o.ship_lat, o.ship_lon, o.policy,
    (SELECT count(*) FROM fulfillment_orders f WHERE f.tenant_id = :tenant AND f.order_id = o.id) AS works
FROM orders o WHERE o.tenant_id = :tenant AND o.id = ANY(:orders) AND o.status = 'placed'
"""

LINES = """
SELECT l.id, l.order_id, l.sku_id, l.sku, l.kind, l.weight_g, l.backordered, l.components, l.ship_to,
    l.tax_code, (l.items - l.discount) * l.backordered / l.ordered AS value, s.attributes,
    s.release_date, s.lead_time_days, r.id AS reservation_id, r.quantity, r.ship_by, r.made_at
FROM order_lines l JOIN reservations r
    ON r.tenant_id = :tenant AND r.order_line_id = l.id AND r.supply = 'none'
JOIN skus s ON s.tenant_id = :tenant AND s.id = l.sku_id
WHERE l.tenant_id = :tenant AND l.order_id = ANY(:orders) AND l.backordered > 0
ORDER BY l.order_id, l.position, r.id
"""

EXCLUDED = """
SELECT DISTINCT f.order_id, f.node, CASE WHEN fl.excludes = 'sku' THEN fl.sku END AS sku
FROM fulfillment_orders f JOIN fulfillment_order_lines fl
    ON fl.tenant_id = :tenant AND fl.fulfillment_order_id = f.id
WHERE f.tenant_id = :tenant AND f.order_id = ANY(:orders) AND fl.excludes IS NOT NULL
"""

STOCK = """
SELECT p.id, p.sku_id, p.node_id, p.segment, p.on_hand - p.reserved - p.safety AS free
FROM stock_positions p
WHERE p.tenant_id = :tenant AND p.sku_id = ANY(:skus) AND p.disposition = 'sellable'
    AND p.on_hand - p.reserved - p.safety > 0 AND p.segment = ANY(:segments)
ORDER BY p.id
"""

RESTING = """
SELECT node_id, sku_id FROM cool_downs WHERE tenant_id = :tenant AND until > :now
"""

EARLIER = """
SELECT r.sku_id, sum(r.quantity) AS units
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS own(sku_id uuid, ship_by timestamptz, made_at timestamptz)
JOIN reservations r ON r.tenant_id = :tenant AND r.supply = 'none' AND r.sku_id = own.sku_id
    AND (r.ship_by, r.made_at) < (own.ship_by, own.made_at)
JOIN order_lines l ON l.tenant_id = :tenant AND l.id = r.order_line_id
WHERE l.order_id <> ALL(:orders)
GROUP BY r.sku_id
"""

WRITE = """
WITH doc AS MATERIALIZED (
    SELECT CAST(:doc AS jsonb) AS d
), work AS (
    INSERT INTO fulfillment_orders (tenant_id, id, order_id, node_id, node, number, service, ship_to, promised_by,
        created_at, leaves_on)
    SELECT :tenant, f.id, f.order_id, f.node_id, f.node, f.number, f.service, f.ship_to, f.promised_by, :now,
        f.leaves_on
    FROM doc, jsonb_to_recordset(d->'work') AS f(id uuid, order_id uuid, node_id uuid, node text, number text,
        service text, ship_to jsonb, promised_by timestamptz, leaves_on date)
), loaded AS (
    INSERT INTO node_loads (tenant_id, id, node_id, day, packages, capacity)
    SELECT :tenant, n.id, n.node_id, n.day, n.packages, n.capacity
    FROM doc, jsonb_to_recordset(d->'loads') AS n(id uuid, node_id uuid, day date, packages bigint,
        capacity bigint)
    ORDER BY n.node_id, n.day
    ON CONFLICT (tenant_id, node_id, day) DO UPDATE SET packages = node_loads.packages + EXCLUDED.packages,
        capacity = EXCLUDED.capacity
), work_lines AS (
    INSERT INTO fulfillment_order_lines (tenant_id, id, fulfillment_order_id, order_line_id, sku_id, sku, quantity)
    SELECT :tenant, f.id, f.fulfillment_order_id, f.order_line_id, f.sku_id, f.sku, f.quantity
    FROM doc, jsonb_to_recordset(d->'work_lines') AS f(id uuid, fulfillment_order_id uuid, order_line_id uuid,
        sku_id uuid, sku text, quantity bigint)
), reserved AS (
    INSERT INTO reservations (tenant_id, id, order_line_id, sku_id, node_id, position_id, supply, quantity,
        ship_by, made_at)
    SELECT :tenant, r.id, r.order_line_id, r.sku_id, r.node_id, r.position_id, r.supply, r.quantity, r.ship_by,
        :now
    FROM doc, jsonb_to_recordset(d->'reservations') AS r(id uuid, order_line_id uuid, sku_id uuid, node_id uuid,
        position_id uuid, supply text, quantity bigint, ship_by timestamptz)
), decided AS (
    INSERT INTO routing_decisions (tenant_id, id, order_id, made_at, cause, rule_version, plan, explanation,
        sentence, input_hash, inputs, packages, miles)
    SELECT :tenant, r.id, r.order_id, :now, :cause, r.rule_version, r.plan, r.explanation, r.sentence,
        r.input_hash, decode(r.inputs, 'base64'), r.packages, r.miles
    FROM doc, jsonb_to_recordset(d->'decisions') AS r(id uuid, order_id uuid, rule_version bigint, plan jsonb,
        explanation jsonb, sentence text, input_hash text, inputs text, packages bigint, miles float8)
), promised AS (
    UPDATE promises p SET expected_ship_at = e.at
    FROM doc, jsonb_to_recordset(d->'expected') AS e(line uuid, at timestamptz)
    WHERE p.tenant_id = :tenant AND p.order_line_id = e.line
), told AS (
    INSERT INTO timeline (tenant_id, id, order_id, name, at, actor, data)
    SELECT :tenant, t.id, t.order_id, :event, :now, :actor, t.data
    FROM doc, jsonb_to_recordset(d->'news') AS t(id uuid, row_id uuid, order_id uuid, data jsonb)
)
INSERT INTO outbox (tenant_id, id, topic, subject_id, payload, available_at, created_at)
SELECT :tenant, t.row_id, :event, t.order_id, t.data, :real, :real
FROM doc, jsonb_to_recordset(d->'news') AS t(id uuid, row_id uuid, order_id uuid, data jsonb)
"""
