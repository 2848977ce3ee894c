"""The one statement that keeps a quote: its units are reserved as an order's are, or nothing is written."""

from __future__ import annotations

HOLD = """
WITH doc AS MATERIALIZED (
    SELECT %(doc)s::jsonb AS d
), wanted AS MATERIALIZED (
    SELECT h.position_id, h.id, h.units FROM doc, jsonb_to_recordset(d->'holds') AS h(id uuid, position_id uuid,
        units bigint)
), locked AS MATERIALIZED (
    SELECT p.id, p.on_hand - p.reserved - p.safety AS free FROM stock_positions p
    WHERE p.tenant_id = %(tenant)s AND p.id = ANY(ARRAY(SELECT position_id FROM wanted))
    ORDER BY p.node_id, p.sku_id, p.id FOR UPDATE
), kept AS (
    SELECT n.position_id, n.units FROM doc, jsonb_to_recordset(d->'needs') AS n(position_id uuid, units bigint)
), short AS (
    SELECT wanted.position_id FROM wanted
    LEFT JOIN locked ON locked.id = wanted.position_id
    LEFT JOIN kept ON kept.position_id = wanted.position_id
    WHERE locked.id IS NULL OR locked.free < greatest(wanted.units, kept.units)
), quoted AS (
    INSERT INTO quotes (tenant_id, id, channel, quoted_at, held_until, answer, promises)
    SELECT %(tenant)s, q.id, q.channel, q.quoted_at, q.held_until, q.answer, q.promises
    FROM doc, jsonb_to_record(d->'quote') AS q(id uuid, channel text, quoted_at timestamptz,
        held_until timestamptz, answer jsonb, promises jsonb)
    WHERE NOT EXISTS (SELECT 1 FROM short)
    RETURNING id, held_until
), held AS (
    INSERT INTO quote_holds (tenant_id, id, quote_id, position_id, units)
    SELECT %(tenant)s, wanted.id, quoted.id, wanted.position_id, wanted.units FROM wanted CROSS JOIN quoted
), taken AS (
    UPDATE stock_positions p SET reserved = p.reserved + wanted.units FROM wanted CROSS JOIN quoted
    WHERE p.tenant_id = %(tenant)s AND p.id = ANY(ARRAY(SELECT position_id FROM wanted))
        AND p.id = wanted.position_id
), timed AS (
    INSERT INTO timers (tenant_id, id, topic, subject_id, key, due_at)
    SELECT %(tenant)s, t.id, t.topic, quoted.id, t.key, quoted.held_until
    FROM doc, jsonb_to_record(d->'timer') AS t(id uuid, topic text, key text) CROSS JOIN quoted
)
SELECT id FROM quoted
"""
SHOWN = """
SELECT q.answer, q.held_until, q.ended_at, q.ended_by, q.order_id,
    q.ended_at IS NULL AND q.held_until > :now AS holds
FROM quotes q WHERE q.tenant_id = :tenant AND q.id = :id
"""
EXISTS = "SELECT id, order_id FROM quotes WHERE tenant_id = :tenant AND id = :id"
FORGET = """
WITH old AS MATERIALIZED (
    SELECT id FROM quotes WHERE tenant_id = :tenant AND ended_at IS NOT NULL AND held_until < :before
), quiet AS (
    DELETE FROM timers WHERE tenant_id = :tenant AND key IN (SELECT 'quote:' || id FROM old)
)
DELETE FROM quotes WHERE tenant_id = :tenant AND id IN (SELECT id FROM old)
"""
