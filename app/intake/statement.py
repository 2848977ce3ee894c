"""The two statements of order intake: one read, one write, whatever the number of orders.

A plan is made once per connection and kept (force_generic_plan), often while the tables are young: keys are
therefore given as arrays and laterals that leave the planner one index to use.

The write takes the stock rows FOR UPDATE in (node, SKU) order first (without that order mixed baskets
deadlock), places every order whose stock is still there and whose (channel, external_ref) is new, and leaves
the others out. Everything travels as one JSON document.
"""

from __future__ import annotations

READ = """
WITH wanted AS (
    SELECT s.* FROM skus s WHERE s.tenant_id = %(tenant)s AND s.code = ANY(%(skus)s)
), parts AS (
    SELECT DISTINCT s.id, s.code FROM skus s
    WHERE s.tenant_id = %(tenant)s AND s.code = ANY(ARRAY(
        SELECT part->>'sku' FROM wanted CROSS JOIN LATERAL jsonb_array_elements(wanted.components) part))
), stocked AS (
    SELECT id FROM wanted UNION SELECT id FROM parts
)
SELECT
    (SELECT json_agg(json_build_array(id, code, title, kind, price, currency, weight_g, tax_code,
            release_date, lead_time_days, components, exempt_from_delay_rule, attributes))
        FROM wanted),
    (SELECT json_object_agg(code, id) FROM parts),
    (SELECT json_agg(json_build_array(p.id, p.sku_id, p.node_id, p.segment, p.on_hand - p.reserved - p.safety))
        FROM stock_positions p
        WHERE p.tenant_id = %(tenant)s AND p.sku_id = ANY(ARRAY(SELECT id FROM stocked))
          AND p.disposition = 'sellable' AND p.on_hand - p.reserved - p.safety > 0
          AND p.segment = ANY(%(segments)s)),
    (SELECT json_object_agg(sku_id, waiting) FROM (
        SELECT sku_id, sum(quantity) AS waiting FROM reservations
        WHERE tenant_id = %(tenant)s AND supply = 'none' AND sku_id = ANY(ARRAY(SELECT id FROM stocked))
        GROUP BY sku_id) w),
    (SELECT json_agg(json_build_array(o.channel, o.external_ref, o.id, encode(o.body_hash, 'hex')))
        FROM unnest(%(channels)s::text[], %(refs)s::text[]) AS r(channel, external_ref)
        CROSS JOIN LATERAL (SELECT * FROM orders o WHERE o.tenant_id = %(tenant)s AND o.channel = r.channel
            AND o.external_ref = r.external_ref OFFSET 0) o),
    (SELECT json_agg(json_build_array(node_id, day, packages)) FROM (
        SELECT node_id, day, packages FROM node_loads WHERE tenant_id = %(tenant)s AND day >= %(today)s
        UNION ALL
        SELECT f.node_id, NULL, count(*) FROM nodes n JOIN fulfillment_orders f ON f.tenant_id = %(tenant)s
            AND f.node_id = n.id AND f.work_status IN ('open', 'picking')
        WHERE n.tenant_id = %(tenant)s AND n.capacity_per_hour IS NOT NULL GROUP BY f.node_id) l),
    (SELECT json_agg(json_build_array(node_id, sku_id)) FROM cool_downs
        WHERE tenant_id = %(tenant)s AND until > %(now)s),
    (SELECT json_object_agg(code, kind) FROM channels WHERE tenant_id = %(tenant)s AND code = ANY(%(channels)s))
"""

_WRITE = """
WITH doc AS MATERIALIZED (
    SELECT %(doc)s::jsonb AS d
), wanted AS MATERIALIZED (
    SELECT w.order_id, w.position_id, sum(w.quantity) AS quantity
    FROM doc, jsonb_to_recordset(d->'reservations') AS w(order_id uuid, position_id uuid, quantity bigint)
    WHERE w.position_id IS NOT NULL GROUP BY 1, 2
){returned}, locked AS MATERIALIZED (
    SELECT p.id, p.on_hand - p.reserved - p.safety AS free FROM stock_positions p
    WHERE p.tenant_id = %(tenant)s AND p.id = ANY(ARRAY({positions}))
    ORDER BY p.node_id, p.sku_id, p.id FOR UPDATE
), held AS (
    SELECT h.position_id, h.units FROM doc, jsonb_to_recordset(d->'needs') AS h(position_id uuid, units bigint)
), short AS (
    SELECT need.position_id FROM (
        SELECT position_id, sum(quantity) AS quantity FROM wanted GROUP BY 1) need
    LEFT JOIN locked ON locked.id = need.position_id
    LEFT JOIN held ON held.position_id = need.position_id
    {short}
), people AS (
    INSERT INTO customers (tenant_id, id, email, name, phone, created_at)
    SELECT %(tenant)s, c.id, c.email, c.name, c.phone, c.created_at
    FROM doc, jsonb_to_recordset(d->'customers') AS c(id uuid, email text, name text, phone text,
        created_at timestamptz)
    ORDER BY lower(c.email)
    ON CONFLICT (tenant_id, lower(email)) DO UPDATE SET phone = coalesce(nullif(EXCLUDED.phone, ''), customers.phone)
    RETURNING id, lower(email) AS email
), placed AS (
    INSERT INTO orders (tenant_id, id, number, channel, external_ref, body_hash, source_code, status, currency,
        customer_id, customer, ship_to, bill_to, ship_lat, ship_lon, buyer_zone, placed_at, reference_date,
        items_total, discounts_total, charges_total, tax_total, total, captured_total, tax_status, charges,
        discounts, policy)
    SELECT %(tenant)s, o.id, o.number, o.channel, o.external_ref, decode(o.body_hash, 'hex'), o.source_code,
        'placed', o.currency, people.id, o.customer, o.ship_to, o.bill_to, o.ship_lat, o.ship_lon, o.buyer_zone,
        o.placed_at, o.reference_date, o.items_total, o.discounts_total, o.charges_total, o.tax_total, o.total,
        o.captured_total, o.tax_status, o.charges, o.discounts, o.policy
    FROM doc, jsonb_to_recordset(d->'orders') AS o(id uuid, number bigint, channel text, external_ref text,
        body_hash text, source_code text, currency text, customer jsonb, ship_to jsonb, bill_to jsonb,
        ship_lat float8, ship_lon float8, buyer_zone text, placed_at timestamptz, reference_date date,
        items_total bigint, discounts_total bigint, charges_total bigint, tax_total bigint, total bigint,
        captured_total bigint, tax_status text, charges jsonb, discounts jsonb, policy jsonb)
    JOIN people ON people.email = lower(o.customer->>'email')
    WHERE NOT EXISTS (SELECT 1 FROM wanted JOIN short USING (position_id) WHERE wanted.order_id = o.id)
    ON CONFLICT (tenant_id, channel, external_ref) DO NOTHING
    RETURNING id
), lines AS (
    INSERT INTO order_lines (tenant_id, id, order_id, position, sku_id, sku, title, kind, weight_g, ordered,
        backordered, allocated, unit_price, list_price, items, discount, charges, tax, total, tax_code, covered,
        components, options, ship_to)
    SELECT %(tenant)s, l.id, l.order_id, l.position, l.sku_id, l.sku, l.title, l.kind, l.weight_g, l.ordered,
        l.backordered, l.allocated, l.unit_price, l.list_price, l.items, l.discount, l.charges, l.tax, l.total,
        l.tax_code, l.covered, l.components, l.options, l.ship_to
    FROM doc, jsonb_to_recordset(d->'lines') AS l(id uuid, order_id uuid, position bigint, sku_id uuid, sku text,
        title text, kind text, weight_g bigint, ordered bigint, backordered bigint, allocated bigint,
        unit_price bigint, list_price bigint, items bigint, discount bigint, charges bigint, tax bigint,
        total bigint, tax_code text, covered boolean, components jsonb, options jsonb, ship_to jsonb)
    JOIN placed ON placed.id = l.order_id
), promised AS (
    INSERT INTO promises (tenant_id, id, order_id, order_line_id, stated, basis, evidence, made_at,
        original_deadline, original_date, deadline, expected_ship_at, state, due_at, regimes, deliver_by,
        delivery_deadline, delivery_state, delivery_due_at)
    SELECT %(tenant)s, p.id, p.order_id, p.order_line_id, p.stated, p.basis, p.evidence, p.made_at, p.deadline,
        p.original_date, p.deadline, p.expected_ship_at, p.state, p.due_at, p.regimes, p.deliver_by,
        p.delivery_deadline, p.delivery_state, p.delivery_due_at
    FROM doc, jsonb_to_recordset(d->'promises') AS p(id uuid, order_id uuid, order_line_id uuid, stated boolean,
        basis text, evidence jsonb, made_at timestamptz, deadline timestamptz, original_date date,
        expected_ship_at timestamptz, state text, due_at timestamptz, regimes jsonb, deliver_by date,
        delivery_deadline timestamptz, delivery_state text, delivery_due_at timestamptz)
    JOIN placed ON placed.id = p.order_id
), watched AS (
    UPDATE timers SET due_at = first.due
    FROM (SELECT min(least(p.due_at, p.delivery_due_at)) AS due FROM doc,
        jsonb_to_recordset(d->'promises') AS p(due_at timestamptz, delivery_due_at timestamptz)) first
    WHERE timers.tenant_id = %(tenant)s AND timers.key = 'promise-scan' AND timers.state = 'armed'
        AND timers.due_at > first.due
), reserved AS (
    INSERT INTO reservations (tenant_id, id, order_line_id, sku_id, node_id, position_id, supply, quantity,
        ship_by, made_at)
    SELECT %(tenant)s, r.id, r.order_line_id, r.sku_id, r.node_id, r.position_id, r.supply, r.quantity,
        r.ship_by, r.made_at
    FROM doc, jsonb_to_recordset(d->'reservations') AS r(id uuid, order_id uuid, order_line_id uuid, sku_id uuid,
        node_id uuid, position_id uuid, supply text, quantity bigint, ship_by timestamptz, made_at timestamptz)
    JOIN placed ON placed.id = r.order_id
), taken AS (
    UPDATE stock_positions p SET reserved = p.reserved + w.quantity
    FROM (SELECT position_id, sum(quantity) AS quantity FROM ({changes}) c GROUP BY 1) w
    WHERE p.tenant_id = %(tenant)s AND p.id = ANY(ARRAY({positions})) AND p.id = w.position_id
), loaded AS (
    INSERT INTO node_loads (tenant_id, id, node_id, day, packages, capacity)
    SELECT %(tenant)s, min(n.id::text)::uuid, n.node_id, n.day, count(*), max(n.capacity)
    FROM doc, jsonb_to_recordset(d->'loads') AS n(id uuid, order_id uuid, node_id uuid, day date, capacity bigint)
    JOIN placed ON placed.id = n.order_id
    GROUP BY n.node_id, n.day ORDER BY n.node_id, n.day
    ON CONFLICT (tenant_id, node_id, day) DO UPDATE SET packages = node_loads.packages + EXCLUDED.packages,
        capacity = EXCLUDED.capacity
), decided AS (
    INSERT INTO routing_decisions (tenant_id, id, order_id, made_at, cause, rule_version, plan, explanation,
        sentence, input_hash, inputs, packages, miles)
    SELECT %(tenant)s, r.id, r.order_id, r.made_at, 'placed', r.rule_version, r.plan, r.explanation, r.sentence,
        r.input_hash, decode(r.inputs, 'base64'), r.packages, r.miles
    FROM doc, jsonb_to_recordset(d->'decisions') AS r(id uuid, order_id uuid, made_at timestamptz,
        rule_version bigint, plan jsonb, explanation jsonb, sentence text, input_hash text, inputs text,
        packages bigint, miles float8)
    JOIN placed ON placed.id = r.order_id
), work AS (
    INSERT INTO fulfillment_orders (tenant_id, id, order_id, node_id, node, number, service, ship_to, promised_by,
        created_at, leaves_on)
    SELECT %(tenant)s, f.id, f.order_id, f.node_id, f.node, f.number, f.service, f.ship_to, f.promised_by,
        f.created_at, f.leaves_on
    FROM doc, jsonb_to_recordset(d->'fulfillment_orders') AS f(id uuid, order_id uuid, node_id uuid, node text,
        number text, service text, ship_to jsonb, promised_by timestamptz, created_at timestamptz,
        leaves_on date)
    JOIN placed ON placed.id = f.order_id
), stuck AS (
    INSERT INTO routing_exceptions (tenant_id, id, order_id, kind, reason, opened_at)
    SELECT %(tenant)s, e.id, e.order_id, e.kind, e.reason, e.opened_at
    FROM doc, jsonb_to_recordset(d->'exceptions') AS e(id uuid, order_id uuid, kind text, reason text,
        opened_at timestamptz)
    JOIN placed ON placed.id = e.order_id
), work_lines AS (
    INSERT INTO fulfillment_order_lines (tenant_id, id, fulfillment_order_id, order_line_id, sku_id, sku, quantity)
    SELECT %(tenant)s, f.id, f.fulfillment_order_id, f.order_line_id, f.sku_id, f.sku, f.quantity
    FROM doc, jsonb_to_recordset(d->'fulfillment_order_lines') AS f(id uuid, order_id uuid,
        fulfillment_order_id uuid, order_line_id uuid, sku_id uuid, sku text, quantity bigint)
    JOIN placed ON placed.id = f.order_id
), paying AS (
    INSERT INTO tenders (tenant_id, id, order_id, position, kind, amount, currency, payment_method, code,
        reference, mandate_at)
    SELECT %(tenant)s, t.id, t.order_id, t.position, t.kind, t.amount, t.currency, t.payment_method, t.code,
        t.reference, t.mandate_at
    FROM doc, jsonb_to_recordset(d->'tenders') AS t(id uuid, order_id uuid, position bigint, kind text,
        amount bigint, currency text, payment_method text, code text, reference text, mandate_at timestamptz)
    JOIN placed ON placed.id = t.order_id
), paid AS (
    INSERT INTO ledger_entries (tenant_id, id, order_id, tender_id, kind, amount, outcome, key, reference, at,
        settled_at)
    SELECT %(tenant)s, e.id, e.order_id, e.tender_id, 'capture', e.amount, 'succeeded', e.key, e.reference, e.at,
        e.settled_at
    FROM doc, jsonb_to_recordset(d->'ledger') AS e(id uuid, order_id uuid, tender_id uuid, amount bigint,
        key text, reference text, at timestamptz, settled_at timestamptz)
    JOIN placed ON placed.id = e.order_id
), told AS (
    INSERT INTO timeline (tenant_id, id, order_id, name, at, actor, data)
    SELECT %(tenant)s, t.id, t.order_id, t.name, t.at, t.actor, t.data
    FROM doc, jsonb_to_recordset(d->'timeline') AS t(id uuid, order_id uuid, name text, at timestamptz,
        actor text, data jsonb)
    JOIN placed ON placed.id = t.order_id
), later AS (
    INSERT INTO outbox (tenant_id, id, topic, subject_id, available_at, created_at)
    SELECT %(tenant)s, b.id, b.topic, b.order_id, b.at, b.at
    FROM doc, jsonb_to_recordset(d->'outbox') AS b(id uuid, order_id uuid, topic text, at timestamptz)
    JOIN placed ON placed.id = b.order_id
){ending}
SELECT coalesce(array_agg(id::text), '{{}}') FROM placed
"""

WRITE = _WRITE.format(
    returned="",
    positions="SELECT position_id FROM wanted",
    short="WHERE locked.id IS NULL OR locked.free < greatest(need.quantity, held.units)",
    changes="SELECT wanted.position_id, wanted.quantity FROM wanted JOIN placed ON placed.id = wanted.order_id",
    ending="",
)

WRITE_QUOTED = _WRITE.format(
    returned=""", returned AS MATERIALIZED (
    SELECT q.order_id, h.id, h.position_id, h.units
    FROM doc, jsonb_to_recordset(d->'quotes') AS q(id uuid, order_id uuid)
    CROSS JOIN LATERAL (SELECT * FROM quote_holds h WHERE h.tenant_id = %(tenant)s AND h.quote_id = q.id OFFSET 0) h
)""",
    positions="SELECT position_id FROM wanted UNION SELECT position_id FROM returned",
    # What is held for other channels must be free without the quote's own units.
    short="""LEFT JOIN (SELECT position_id, sum(units) AS units FROM returned GROUP BY 1) back
        ON back.position_id = need.position_id
    WHERE locked.id IS NULL OR locked.free + coalesce(back.units, 0) < need.quantity OR locked.free < held.units""",
    changes="""SELECT wanted.position_id, wanted.quantity FROM wanted JOIN placed ON placed.id = wanted.order_id
        UNION ALL SELECT returned.position_id, -returned.units FROM returned
        JOIN placed ON placed.id = returned.order_id""",
    ending=""", given_back AS (
    DELETE FROM quote_holds h USING returned JOIN placed ON placed.id = returned.order_id
    WHERE h.tenant_id = %(tenant)s AND h.id = returned.id
), ordered AS (
    UPDATE quotes q SET order_id = placed.id, ended_at = coalesce(q.ended_at, w.at),
        ended_by = coalesce(q.ended_by, 'order')
    FROM doc, jsonb_to_recordset(d->'quotes') AS w(id uuid, order_id uuid, at timestamptz)
    JOIN placed ON placed.id = w.order_id
    WHERE q.tenant_id = %(tenant)s AND q.id = w.id
), disarmed AS (
    DELETE FROM timers t USING doc, jsonb_to_recordset(d->'quotes') AS w(order_id uuid, timer text)
    JOIN placed ON placed.id = w.order_id
    WHERE t.tenant_id = %(tenant)s AND t.key = w.timer AND t.state = 'armed'
)""",
)
"""The same for orders of which some name a quote: its hold ends, and its units go to its order, in this statement."""

NUMBERS = """
UPDATE counters SET value = value + %(block)s WHERE tenant_id = %(tenant)s AND name = 'order' RETURNING value
"""
