"""What is always true of an order business's rows, as one query each; app/integrity.py asks them.

`{tenant}` and `{alias.tenant}` stand for the filter on one tenant, or on none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Book:
    """One rule: `query` yields (tenant_id, subject, fault) per row looked at, fault null when sound."""

    number: int
    name: str
    query: str


BOOKS = (
    Book(
        1,
        "on hand is the sum of its movements",
        """
        SELECT p.tenant_id, p.id AS subject,
            CASE WHEN p.on_hand <> coalesce(m.sum, 0)
                 THEN 'on hand ' || p.on_hand || ', movements ' || coalesce(m.sum, 0) END AS fault
        FROM stock_positions p
        LEFT JOIN (SELECT tenant_id, position_id, sum(delta) AS sum FROM stock_movements WHERE {tenant}
                   GROUP BY 1, 2) m ON m.tenant_id = p.tenant_id AND m.position_id = p.id
        WHERE {p.tenant}""",
    ),
    Book(
        1,
        "every shipped unit of tracked stock has its movements",
        """
        SELECT s.tenant_id, s.id AS subject,
            CASE WHEN coalesce(m.units, 0) <> s.units
                 THEN s.units || ' units shipped, ' || coalesce(m.units, 0) || ' moved' END AS fault
        FROM (SELECT sl.tenant_id, sl.id, sl.quantity * CASE WHEN l.kind = 'kit' THEN
                     (SELECT coalesce(sum((part->>'quantity')::bigint), 0)
                      FROM jsonb_array_elements(l.components) part) ELSE 1 END AS units
              FROM shipment_lines sl JOIN order_lines l ON l.tenant_id = sl.tenant_id AND l.id = sl.order_line_id
              WHERE {sl.tenant} AND l.kind NOT IN ('made_to_order', 'digital', 'gift_card_digital')) s
        LEFT JOIN (SELECT tenant_id, reference, -sum(delta) AS units FROM stock_movements
                   WHERE cause = 'shipment' AND {tenant} GROUP BY 1, 2) m
          ON m.tenant_id = s.tenant_id AND m.reference = s.id::text""",
    ),
    Book(
        1,
        "what came of inbound orders is what the ledger received by them",
        """
        SELECT i.tenant_id, i.id AS subject,
            CASE WHEN i.received <> coalesce(m.units, 0)
                 THEN 'received ' || i.received || ', in the ledger ' || coalesce(m.units, 0)
                 WHEN i.received <> coalesce(r.units, 0) THEN 'in deliveries ' || coalesce(r.units, 0) END AS fault
        FROM inbound_lines i
        LEFT JOIN (SELECT m.tenant_id, m.reference, p.sku_id, sum(m.delta) AS units FROM stock_movements m
                   JOIN stock_positions p ON p.tenant_id = m.tenant_id AND p.id = m.position_id
                   WHERE m.cause = 'receipt' AND {m.tenant} GROUP BY 1, 2, 3) m
          ON m.tenant_id = i.tenant_id AND m.reference = i.id::text AND m.sku_id = i.sku_id
        LEFT JOIN (SELECT d.tenant_id, d.inbound_order_id, s.id AS sku_id, sum(one.value::bigint) AS units
                   FROM inbound_receipts d CROSS JOIN jsonb_each_text(d.lines) one
                   JOIN skus s ON s.tenant_id = d.tenant_id AND s.code = one.key WHERE {d.tenant} GROUP BY 1, 2, 3) r
          ON r.tenant_id = i.tenant_id AND r.inbound_order_id = i.inbound_order_id AND r.sku_id = i.sku_id
        WHERE {i.tenant}""",
    ),
    Book(
        2,
        "reserved is the sum of live reservations and of what quotes hold, within on hand",
        """
        SELECT p.tenant_id, p.id AS subject,
            CASE WHEN p.reserved <> coalesce(r.sum, 0) + coalesce(q.sum, 0) THEN 'reserved ' || p.reserved
                      || ', reservations ' || coalesce(r.sum, 0) || ', for quotes ' || coalesce(q.sum, 0)
                 WHEN p.reserved NOT BETWEEN 0 AND p.on_hand THEN 'reserved beyond on hand' END AS fault
        FROM stock_positions p
        LEFT JOIN (SELECT tenant_id, position_id, sum(quantity) AS sum FROM reservations
                   WHERE position_id IS NOT NULL AND {tenant} GROUP BY 1, 2) r
          ON r.tenant_id = p.tenant_id AND r.position_id = p.id
        LEFT JOIN (SELECT tenant_id, position_id, sum(units) AS sum FROM quote_holds WHERE {tenant} GROUP BY 1, 2) q
          ON q.tenant_id = p.tenant_id AND q.position_id = p.id
        WHERE {p.tenant}""",
    ),
    Book(
        2,
        "a quote holds units until its hold ends, and none after",
        """
        SELECT q.tenant_id, q.id AS subject,
            CASE WHEN q.ended_at IS NOT NULL AND h.quote_id IS NOT NULL THEN 'ended, and holds units'
                 WHEN q.ended_at IS NULL AND coalesce(h.units, 0) = 0 AND q.answer @? '$.lines[*] ? (@.held > 0)'
                 THEN 'told to hold units, and holds none'
                 WHEN q.ended_at IS NULL AND m.key IS NULL AND w.subject_id IS NULL THEN 'nothing ends its hold'
            END AS fault
        FROM quotes q
        LEFT JOIN (SELECT tenant_id, quote_id, sum(units) AS units FROM quote_holds WHERE {tenant} GROUP BY 1, 2) h
          ON h.tenant_id = q.tenant_id AND h.quote_id = q.id
        LEFT JOIN timers m ON m.tenant_id = q.tenant_id AND m.key = 'quote:' || q.id AND m.state = 'armed'
        LEFT JOIN (SELECT DISTINCT tenant_id, subject_id FROM outbox
                   WHERE state IN ('waiting', 'sent') AND topic = 'quote.lapsed' AND {tenant}) w
          ON w.tenant_id = q.tenant_id AND w.subject_id = q.id
        WHERE {q.tenant}""",
    ),
    Book(
        3,
        "every ordered unit is in one place",
        """
        SELECT l.tenant_id, l.id AS subject,
            CASE WHEN l.ordered <> l.cancelled + l.backordered + l.allocated + l.shipped THEN 'counters'
                 WHEN l.delivered > l.shipped OR l.returned > l.shipped THEN 'delivered or returned, not shipped'
                 WHEN l.backordered <> coalesce(b.units, 0) THEN 'backordered ' || l.backordered
                      || ', waiting ' || coalesce(b.units, 0)
                 WHEN l.allocated <> coalesce(w.units, 0) THEN 'allocated ' || l.allocated
                      || ', in work ' || coalesce(w.units, 0)
                 WHEN l.shipped <> coalesce(s.units, 0) THEN 'shipped ' || l.shipped
                      || ', in shipments ' || coalesce(s.units, 0) END AS fault
        FROM order_lines l
        LEFT JOIN (SELECT tenant_id, order_line_id, sum(quantity) AS units FROM reservations
                   WHERE supply = 'none' AND {tenant} GROUP BY 1, 2) b
          ON b.tenant_id = l.tenant_id AND b.order_line_id = l.id
        LEFT JOIN (SELECT tenant_id, order_line_id, sum(quantity - shipped - released) AS units
                   FROM fulfillment_order_lines WHERE {tenant} GROUP BY 1, 2) w
          ON w.tenant_id = l.tenant_id AND w.order_line_id = l.id
        LEFT JOIN (SELECT tenant_id, order_line_id, sum(quantity) AS units FROM shipment_lines
                   WHERE {tenant} GROUP BY 1, 2) s
          ON s.tenant_id = l.tenant_id AND s.order_line_id = l.id
        WHERE {l.tenant}""",
    ),
    Book(
        3,
        "an order's totals are the sum of its lines",
        """
        SELECT o.tenant_id, o.id AS subject,
            CASE WHEN (o.items_total, o.discounts_total, o.charges_total, o.tax_total, o.total)
                      <> (l.items, l.discount, l.charges, l.tax, l.total) THEN 'totals differ from lines' END AS fault
        FROM orders o JOIN (SELECT tenant_id, order_id, sum(items) AS items, sum(discount) AS discount,
                sum(charges) AS charges, sum(tax) AS tax, sum(total) AS total
            FROM order_lines WHERE {tenant} GROUP BY 1, 2) l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
        WHERE {o.tenant}""",
    ),
    Book(
        4,
        "captured is within each authorization",
        """
        SELECT a.tenant_id, a.id AS subject,
            CASE WHEN a.captured > a.amount THEN 'captured more than authorized'
                 WHEN a.captured <> coalesce(c.sum, 0) THEN 'captured ' || a.captured || ', captures '
                      || coalesce(c.sum, 0) END AS fault
        FROM ledger_entries a
        LEFT JOIN (SELECT tenant_id, authorization_id, sum(amount) AS sum FROM ledger_entries
                   WHERE kind = 'capture' AND outcome = 'succeeded' AND {tenant} GROUP BY 1, 2) c
          ON c.tenant_id = a.tenant_id AND c.authorization_id = a.id
        WHERE a.kind = 'authorize' AND {a.tenant}""",
    ),
    Book(
        4,
        "each tender took no more than agreed and gave back no more than it took",
        """
        SELECT t.tenant_id, t.id AS subject,
            CASE WHEN coalesce(e.captured, 0) - coalesce(e.refunded, 0) > t.amount THEN 'took more than agreed'
                 WHEN coalesce(e.refunded, 0) > coalesce(e.captured, 0) THEN 'gave back more than it took' END AS fault
        FROM tenders t
        LEFT JOIN (SELECT tenant_id, tender_id,
                sum(amount) FILTER (WHERE kind = 'capture') AS captured,
                sum(amount) FILTER (WHERE kind = 'refund') AS refunded
            FROM ledger_entries WHERE outcome = 'succeeded' AND {tenant} GROUP BY 1, 2) e
          ON e.tenant_id = t.tenant_id AND e.tender_id = t.id
        WHERE {t.tenant}""",
    ),
    Book(
        4,
        "captured is what shipped, what was paid at once, or owed back",
        """
        SELECT o.tenant_id, o.id AS subject,
            CASE WHEN o.captured_total <> coalesce(e.captured, 0) THEN 'captured total ' || o.captured_total
                      || ', ledger ' || coalesce(e.captured, 0)
                 WHEN o.refunded_total <> coalesce(e.refunded, 0) THEN 'refunded total differs from ledger'
                 WHEN coalesce(e.open, 0) = 0 AND h.order_id IS NULL AND w.subject_id IS NULL
                      AND coalesce(e.captured, 0)
                          <> greatest(coalesce(e.paid_now, 0), l.shipped) + coalesce(b.amount, 0)
                 THEN 'captured ' || coalesce(e.captured, 0) || ', shipped ' || l.shipped || ', paid at once '
                      || coalesce(e.paid_now, 0) END AS fault
        FROM orders o
        JOIN (SELECT tenant_id, order_id, sum(value_shipped) AS shipped FROM order_lines WHERE {tenant}
              GROUP BY 1, 2) l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
        LEFT JOIN (SELECT x.tenant_id, x.order_id,
                sum(x.amount) FILTER (WHERE x.kind = 'capture' AND x.outcome = 'succeeded') AS captured,
                sum(x.amount) FILTER (WHERE x.kind = 'refund' AND x.outcome = 'succeeded') AS refunded,
                sum(x.amount) FILTER (WHERE x.kind = 'capture' AND x.outcome = 'succeeded'
                    AND t.kind IN ('check', 'cash', 'external')) AS paid_now,
                count(*) FILTER (WHERE x.outcome IN ('pending', 'unknown')) AS open
            FROM ledger_entries x JOIN tenders t ON t.tenant_id = x.tenant_id AND t.id = x.tender_id
            WHERE {x.tenant} GROUP BY 1, 2) e ON e.tenant_id = o.tenant_id AND e.order_id = o.id
        LEFT JOIN (SELECT tenant_id, order_id, sum(amount) AS amount FROM refunds_due
                   WHERE taken AND cause LIKE 'untaken:%' AND {tenant} GROUP BY 1, 2) b
          ON b.tenant_id = o.tenant_id AND b.order_id = o.id
        LEFT JOIN (SELECT DISTINCT tenant_id, order_id FROM order_holds
                   WHERE kind = 'payment' AND released_at IS NULL AND {tenant}) h
          ON h.tenant_id = o.tenant_id AND h.order_id = o.id
        LEFT JOIN (SELECT DISTINCT tenant_id, subject_id FROM outbox
                   WHERE state IN ('waiting', 'sent') AND {tenant}) w
          ON w.tenant_id = o.tenant_id AND w.subject_id = o.id
        WHERE {o.tenant}""",
    ),
    Book(
        6,
        "every covered, unshipped unit is under exactly one clock; no clock stands past its deadline without its"
        " lawful effect",
        """
        SELECT l.tenant_id, l.id AS subject,
            CASE WHEN p.id IS NULL THEN 'no clock'
                 WHEN p.delivery_state IN ('due', 'extended') AND coalesce(p.delivery_due_at, '-infinity')
                    < now() + make_interval(secs => t.clock_offset - 300) AND w.subject_id IS NULL THEN 'not watched'
                 WHEN NOT l.covered OR l.allocated + l.backordered = 0 THEN
                    CASE WHEN p.due_at IS NOT NULL THEN 'nothing is open, yet it is watched' END
                 WHEN p.state IN ('shipped', 'not_covered') THEN 'open units, clock ' || p.state
                 WHEN p.state = 'cancelled' AND (p.vested_at IS NULL OR coalesce(a.units, 0)
                      < l.allocated + l.backordered) THEN 'canceled by law, and not taken back'
                 WHEN p.state NOT IN ('cancelled', 'consent_indefinite', 'incomplete') AND p.due_at IS NULL
                    THEN 'a clock that nobody watches'
                 WHEN p.state NOT IN ('cancelled', 'consent_indefinite', 'incomplete') AND p.deadline + interval '5 min'
                    < now() + make_interval(secs => t.clock_offset) AND w.subject_id IS NULL
                    THEN 'past its deadline since ' || p.deadline
            END AS fault
        FROM order_lines l JOIN tenants t ON t.tenant_id = l.tenant_id
        LEFT JOIN promises p ON p.tenant_id = l.tenant_id AND p.order_line_id = l.id
        LEFT JOIN (SELECT tenant_id, order_line_id, sum(cancel_requested) AS units FROM fulfillment_order_lines
                   WHERE cancel_requested > 0 AND {tenant} GROUP BY 1, 2) a
          ON a.tenant_id = l.tenant_id AND a.order_line_id = l.id
        LEFT JOIN (SELECT DISTINCT tenant_id, subject_id FROM outbox
                   WHERE state IN ('waiting', 'sent') AND {tenant}) w
          ON w.tenant_id = l.tenant_id AND w.subject_id = l.order_id
        WHERE {l.tenant}""",
    ),
    Book(
        7,
        "every piece of later work is done, waiting, or dead with a reason",
        """
        SELECT tenant_id, id AS subject,
            CASE WHEN state = 'dead' AND coalesce(error, '') = '' THEN 'dead without a reason'
                 WHEN state = 'done' AND finished_at IS NULL THEN 'done without an end' END AS fault
        FROM outbox WHERE {tenant}""",
    ),
    Book(
        7,
        "every effect on money happened once",
        """
        SELECT tenant_id, min(id::text)::uuid AS subject,
            CASE WHEN count(*) > 1 THEN kind || ' of one shipment twice' END AS fault
        FROM ledger_entries WHERE shipment_id IS NOT NULL AND kind = 'capture' AND outcome = 'succeeded' AND {tenant}
        GROUP BY tenant_id, kind, shipment_id, tender_id""",
    ),
    Book(
        8,
        "every refund due is paid or open before its deadline",
        """
        SELECT d.tenant_id, d.id AS subject,
            CASE WHEN d.proven_at IS NULL AND d.due_at < now() + make_interval(secs => t.clock_offset)
                 THEN CASE WHEN d.paid_at IS NULL THEN '' ELSE 'no statement, ' END || 'overdue since ' || d.due_at
            END AS fault
        FROM refunds_due d JOIN tenants t ON t.tenant_id = d.tenant_id WHERE {d.tenant}""",
    ),
    Book(
        8,
        "a refund that counts as made has its ledger entries and its statement",
        """
        SELECT d.tenant_id, d.id AS subject,
            CASE WHEN d.taken AND d.paid_at IS NOT NULL AND coalesce(e.amount, 0) <> d.amount
                 THEN 'paid ' || d.amount || ', in the ledger ' || coalesce(e.amount, 0)
                 WHEN NOT d.taken AND e.amount > 0 THEN 'nothing was taken, ' || e.amount || ' given back'
                 WHEN d.proven_at IS NOT NULL AND d.statement_reference IS NULL AND n.sent_at IS NULL
                 THEN 'proven without a statement' END AS fault
        FROM refunds_due d
        LEFT JOIN notices n ON n.tenant_id = d.tenant_id AND n.id = d.statement_id
        LEFT JOIN (SELECT tenant_id, split_part(key, ':', 3) AS due, sum(amount) AS amount FROM ledger_entries
                   WHERE kind = 'refund' AND outcome = 'succeeded' AND key LIKE 'refund:due:%' AND {tenant}
                   GROUP BY 1, 2) e ON e.tenant_id = d.tenant_id AND e.due = d.id::text
        WHERE {d.tenant}""",
    ),
    Book(
        7,
        "a node's day holds the packages that were given to it",
        """
        SELECT n.tenant_id, n.id AS subject,
            CASE WHEN n.packages <> coalesce(f.packages, 0)
                 THEN n.packages || ' packages, ' || coalesce(f.packages, 0) || ' given' END AS fault
        FROM node_loads n
        LEFT JOIN (SELECT tenant_id, node_id, leaves_on, count(*) AS packages FROM fulfillment_orders
                   WHERE leaves_on IS NOT NULL AND {tenant} GROUP BY 1, 2, 3) f
            ON f.tenant_id = n.tenant_id AND f.node_id = n.node_id AND f.leaves_on = n.day
        WHERE {n.tenant}""",
    ),
    Book(
        9,
        "each status equals what its history says, without a gap",
        """
        SELECT s.tenant_id, s.subject_id AS subject,
            CASE WHEN s.gap THEN s.machine || ': a gap in the history'
                 WHEN s.last AND s.after <> coalesce(o.status, r.state, CASE s.machine WHEN 'work' THEN f.work_status
                      ELSE f.request_status END) THEN s.machine || ' is not ' || s.after END AS fault
        FROM (SELECT tenant_id, subject_id, machine, after,
                     before <> lag(after, 1, CASE machine WHEN 'order' THEN 'placed' WHEN 'work' THEN 'open'
                        WHEN 'rules' THEN CASE before WHEN 'active' THEN before ELSE 'draft' END
                        ELSE 'held' END) OVER w AS gap,
                     lead(id) OVER w IS NULL AS last
              FROM status_changes WHERE {tenant}
              WINDOW w AS (PARTITION BY tenant_id, subject_id, machine ORDER BY id)) s
        LEFT JOIN orders o ON s.machine = 'order' AND o.tenant_id = s.tenant_id AND o.id = s.subject_id
        LEFT JOIN rule_versions r ON s.machine = 'rules' AND r.tenant_id = s.tenant_id AND r.id = s.subject_id
        LEFT JOIN fulfillment_orders f ON s.machine IN ('work', 'request') AND f.tenant_id = s.tenant_id
            AND f.id = s.subject_id""",
    ),
    Book(
        9,
        "a status without history is its machine's first",
        """
        SELECT x.tenant_id, x.subject_id AS subject,
            CASE WHEN x.status <> x.first AND NOT EXISTS (
                SELECT 1 FROM status_changes s WHERE s.tenant_id = x.tenant_id AND s.subject_id = x.subject_id
                    AND s.machine = x.machine) THEN x.machine || ' is ' || x.status || ' without history' END AS fault
        FROM (SELECT tenant_id, id AS subject_id, 'order' AS machine, 'placed' AS first, status FROM orders
              WHERE {tenant}
              UNION ALL SELECT tenant_id, id, 'work', 'open', work_status FROM fulfillment_orders WHERE {tenant}
              UNION ALL SELECT tenant_id, id, 'request', 'held', request_status FROM fulfillment_orders
              WHERE {tenant}) x""",
    ),
)
