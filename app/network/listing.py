"""The network as its pages show it: nodes with their open work, and one node with who serves it and what it holds.

Each function is one statement, however much there is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tenants.scope import Scope

OPEN = "work_status IN ('open', 'picking', 'packed')"
GIVEN = "request_status IN ('submitted', 'accepted', 'cancel_requested')"
WORK = f"""
SELECT n.*, coalesce(w.work, 0) AS work, coalesce(w.over, 0) AS over, coalesce(w.held, 0) AS held,
    CASE WHEN n.capacity_per_day > 0 THEN coalesce(w.work, 0)::float / n.capacity_per_day END AS used
FROM nodes n LEFT JOIN (
    SELECT node_id, count(*) FILTER (WHERE {GIVEN}) AS work,
        count(*) FILTER (WHERE {GIVEN} AND promised_by <= :now) AS over,
        count(*) FILTER (WHERE request_status = 'held') AS held
    FROM fulfillment_orders WHERE tenant_id = :tenant AND {OPEN} GROUP BY 1) w ON w.node_id = n.id
WHERE n.tenant_id = :tenant
"""


def nodes(scope: Scope, now: datetime) -> list[Any]:
    """All nodes, the busiest first. `work` was given to the node and is not shipped; `used` is that over the
    packages of a day; `over` is past its promise; `held` waits for payment or a release."""
    return scope.rows(f"{WORK} ORDER BY work DESC, n.name, n.code", now=now)


def node(scope: Scope, code: str, now: datetime) -> Any:
    """One node as in `nodes`, or None."""
    return scope.row(f"{WORK} AND n.code = :code", code=code, now=now)


def node_row(scope: Scope, code: str) -> Any:
    """One node's own row, or None."""
    return scope.row("SELECT * FROM nodes WHERE tenant_id = :tenant AND code = :code", code=code)


def grants(scope: Scope, code: str, now: datetime) -> list[Any]:
    """Providers that may act at a node now or later (`now`: real time), with their keys' last use."""
    return scope.rows(
        """
        SELECT g.id, g.name, g.nodes, g.scopes, g.starts_at, g.ends_at, p.name AS provider,
            (SELECT max(k.last_used_at) FROM api_keys k WHERE k.tenant_id = :tenant AND k.grant_id = g.id) AS used_at
        FROM grants g JOIN providers p ON p.id = g.provider_id
        WHERE g.tenant_id = :tenant AND g.revoked_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > :now)
            AND g.nodes && ARRAY[CAST(:code AS text), '*']
        ORDER BY g.starts_at, g.id
        """,
        code=code,
        now=now,
    )


def stock(scope: Scope, node_id: UUID) -> Any:
    """What lies at a node, in units, by what may be done with it."""
    return scope.row(
        """
        SELECT count(DISTINCT sku_id) FILTER (WHERE on_hand > 0) AS skus, coalesce(sum(on_hand), 0) AS on_hand,
            coalesce(sum(reserved), 0) AS reserved, coalesce(sum(safety), 0) AS safety,
            coalesce(sum(greatest(on_hand - reserved - safety, 0)) FILTER (WHERE disposition = 'sellable'), 0)
                AS can_sell,
            coalesce(sum(on_hand) FILTER (WHERE disposition <> 'sellable'), 0) AS apart
        FROM stock_positions WHERE tenant_id = :tenant AND node_id = :node
        """,
        node=node_id,
    )


def next_work(scope: Scope, node_id: UUID, most: int = 8) -> list[Any]:
    """The node's open work, the earliest promise first."""
    return scope.rows(
        f"""
        SELECT f.id, f.order_id, f.number, f.work_status, f.request_status, f.promised_by, f.submitted_at,
            u.units, u.shipped
        FROM (SELECT * FROM fulfillment_orders WHERE tenant_id = :tenant AND node_id = :node AND {OPEN}
            ORDER BY promised_by, id LIMIT :most) f
        CROSS JOIN LATERAL (SELECT sum(quantity - released) AS units, sum(shipped) AS shipped
            FROM fulfillment_order_lines WHERE tenant_id = :tenant AND fulfillment_order_id = f.id) u
        ORDER BY f.promised_by, f.id
        """,
        node=node_id,
        most=most,
    )


def card_names(scope: Scope) -> list[tuple[str, str]]:
    """The rate cards a node may ship by: (code, name)."""
    rows = scope.rows("SELECT code, name FROM rate_cards WHERE tenant_id = :tenant ORDER BY name, code")
    return [(row.code, row.name) for row in rows]


def cards(scope: Scope) -> list[Any]:
    """Rate cards by name, without their prices: how many zones and steps they have, how many nodes ship by them."""
    return scope.rows(
        """
        SELECT c.code, c.name, c.carrier, c.service, c.zone_by, c.fuel_basis_points, c.updated_at,
            jsonb_array_length(c.prices) AS steps, coalesce(jsonb_array_length(c.prices->0->1), 0) AS zones,
            (SELECT count(*) FROM rate_card_zones z WHERE z.tenant_id = :tenant AND z.rate_card_id = c.id) AS origins,
            (SELECT count(*) FROM nodes n WHERE n.tenant_id = :tenant AND n.rate_card = c.code) AS nodes
        FROM rate_cards c WHERE c.tenant_id = :tenant ORDER BY c.name, c.code
        """
    )


def shipping_by(scope: Scope, card: str) -> list[Any]:
    """The nodes that ship by a rate card, by name."""
    return scope.rows(
        "SELECT code, name, kind FROM nodes WHERE tenant_id = :tenant AND rate_card = :card ORDER BY name, code",
        card=card,
    )
