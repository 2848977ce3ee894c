"""Sealing: what is new in the history of orders gets a link of its order's hash chain.

Nothing is sealed while an order is written: a worker seals set-based, about once a minute. A row that commits late is
found by looking back; an order once looked at has all its unsealed rows taken, however old.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app import history
from infra.clock import real_now
from infra.ids import first_id_at
from tenants.scope import Scope

MOST_ORDERS = 2_000
"""Orders sealed by one statement, which writes out and hashes the rows of these alone."""
TENANT = "tenant_id = :tenant"
OF_TOUCHED = "= ANY(ARRAY(SELECT order_id FROM touched))"
OF_CHOSEN = """id = ANY(ARRAY(
    SELECT u.id FROM unsealed u JOIN chosen c ON c.order_id = u.order_id WHERE u.source = '{source}'))"""
SEAL = f"""
WITH touched AS MATERIALIZED ({history.touched(TENANT, ":since")}),
sealed AS MATERIALIZED (
    SELECT s.order_id, k.key FROM seals s CROSS JOIN LATERAL jsonb_object_keys(s.rows) AS k(key)
    WHERE s.tenant_id = :tenant AND s.order_id {OF_TOUCHED}
), unsealed AS MATERIALIZED (
    SELECT h.order_id, h.id, h.source FROM ({history.keys(TENANT, OF_TOUCHED)}) h
    WHERE NOT EXISTS (SELECT 1 FROM sealed k WHERE k.order_id = h.order_id AND k.key = h.id::text)
), chosen AS MATERIALIZED (
    SELECT f.order_id, coalesce(p.position, 0) AS position, coalesce(p.digest, '') AS previous
    FROM (SELECT DISTINCT order_id FROM unsealed ORDER BY order_id LIMIT :most) f
    LEFT JOIN LATERAL (SELECT s.position, s.digest FROM seals s WHERE s.tenant_id = :tenant
        AND s.order_id = f.order_id ORDER BY s.position DESC LIMIT 1) p ON true
), fresh AS MATERIALIZED (
    SELECT h.order_id, h.id::text AS key, {history.row_hash("h.content")} AS value
    FROM ({history.rows(TENANT, only=OF_CHOSEN)}) h
)
INSERT INTO seals (tenant_id, id, order_id, position, made_at, rows, previous, digest)
SELECT :tenant, gen_random_uuid(), c.order_id, c.position + 1, :now, jsonb_object_agg(f.key, f.value), c.previous,
    {history.digest("c.previous", history.row_list("f.key", "f.value"))}
FROM chosen c JOIN fresh f ON f.order_id = c.order_id
GROUP BY c.order_id, c.position, c.previous
ON CONFLICT (tenant_id, order_id, position) DO NOTHING
"""


def unsealed_since(scope: Scope, look_back: timedelta) -> UUID:
    """From which row on rows may be unsealed: `look_back` before now, or before the last seal after a standstill."""
    row = scope.row("SELECT max(made_at) AS at FROM seals WHERE tenant_id = :tenant")
    last = row.at if row is not None and row.at is not None else datetime.fromtimestamp(0, UTC)
    return first_id_at(min(real_now(), last) - look_back)


def seal(scope: Scope, since: UUID, most: int = MOST_ORDERS) -> int:
    """Seal up to `most` orders that have unsealed rows among those since that id. Returns how many."""
    return scope.execute(SEAL, since=since, now=real_now(), most=most)
