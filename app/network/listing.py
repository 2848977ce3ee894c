"""The network as its pages show it: nodes with their work and health, and one node with who serves it and what it
holds.

Each function is one statement, however much there is.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from infra.clock import real_now
from infra.ids import first_id_at
from tenants.scope import Scope

OPEN = "work_status IN ('open', 'picking', 'packed')"
GIVEN = "request_status IN ('submitted', 'accepted', 'cancel_requested')"
WEEK = timedelta(days=7)
WORK = f"""
SELECT n.*, coalesce(w.work, 0) AS work, coalesce(w.over, 0) AS over, coalesce(w.held, 0) AS held,
    coalesce(w.ahead, 0) AS ahead, w.oldest,
    coalesce(c.cooling, 0) AS cooling, coalesce(r.given, 0) AS given, coalesce(r.refused, 0) AS refused
FROM nodes n LEFT JOIN (
    SELECT node_id, count(*) FILTER (WHERE {GIVEN}) AS work,
        count(*) FILTER (WHERE {GIVEN} AND promised_by <= :now) AS over,
        count(*) FILTER (WHERE request_status = 'held') AS held,
        count(*) FILTER (WHERE work_status <> 'packed') AS ahead,
        min(submitted_at) FILTER (WHERE {GIVEN}) AS oldest
    FROM fulfillment_orders WHERE tenant_id = :tenant AND {OPEN} GROUP BY 1) w ON w.node_id = n.id
LEFT JOIN (
    SELECT node_id, count(*) AS cooling FROM cool_downs WHERE tenant_id = :tenant AND until > :now GROUP BY 1
    ) c ON c.node_id = n.id
LEFT JOIN (
    SELECT node_id, count(*) FILTER (WHERE answered_at IS NOT NULL) AS given,
        count(*) FILTER (WHERE reject_reason IS NOT NULL) AS refused
    FROM fulfillment_orders WHERE tenant_id = :tenant AND id >= :floor AND submitted_at >= :since GROUP BY 1
    ) r ON r.node_id = n.id
WHERE n.tenant_id = :tenant
"""


def nodes(scope: Scope, now: datetime) -> list[Any]:
    """All nodes by name. `work` was given to the node and is not shipped, the `oldest` of it since when; `over` is
    past its promise; `held` waits for payment or a release; `ahead` is not packed; `cooling`: items it rests for; of
    the work `given` to it in the last seven days and answered, how much it `refused`."""
    return scope.rows(f"{WORK} ORDER BY n.name, n.code", **_at(now))


def node(scope: Scope, code: str, now: datetime) -> Any:
    """One node as in `nodes`, or None."""
    return scope.row(f"{WORK} AND n.code = :code", code=code, **_at(now))


def _at(now: datetime) -> dict[str, Any]:
    """A business clock runs no slower than real time: what was given in its last week was written since then."""
    return {"now": now, "since": now - WEEK, "floor": first_id_at(real_now() - WEEK)}


def loads(scope: Scope, now: datetime) -> dict[UUID, dict[date, int]]:
    """Packages that nodes with a capacity have been given, by the day they leave, from today on."""
    found: dict[UUID, dict[date, int]] = {}
    today = (now - timedelta(days=1)).date()  # of every zone
    for row in scope.rows(
        "SELECT node_id, day, packages FROM node_loads WHERE tenant_id = :tenant AND day >= :today",
        today=today,
    ):
        found.setdefault(row.node_id, {})[row.day] = row.packages
    return found


def resting(scope: Scope, node_id: UUID, now: datetime, most: int = 20) -> list[Any]:
    """What a node gets no more of, until when and why, the first to end first; without a SKU: of nothing."""
    return scope.rows(
        """
        SELECT c.reason, c.until, s.code AS sku, s.title, count(*) OVER () AS total
        FROM cool_downs c LEFT JOIN skus s ON s.tenant_id = :tenant AND s.id = c.sku_id
        WHERE c.tenant_id = :tenant AND c.node_id = :node AND c.until > :now
        ORDER BY c.until, s.code LIMIT :most
        """,
        node=node_id,
        now=now,
        most=most,
    )


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
