"""The catalog as its pages show it: SKUs with what can be sold of them, and one SKU with its stock and orders.

Each function is one statement, however much there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from app.catalog.vocabulary import KINDS
from app.searching import escaped
from tenants.scope import Scope

PAGE = 50
MOST_EXPORTED = 100_000
NEWEST = 5000
"""Orders among which a SKU's recent ones are looked for."""

MATCH = "(code ILIKE :q OR title ILIKE :q)"
SHELF = """
SELECT s.id, coalesce(p.can_sell, 0) AS can_sell, coalesce(p.on_hand, 0) AS on_hand,
    coalesce(p.nodes, 0) AS nodes, coalesce(w.units, 0) AS waiting
FROM unnest(CAST(:skus AS uuid[])) AS s(id)
LEFT JOIN (SELECT sku_id, sum(on_hand) AS on_hand, count(DISTINCT node_id) FILTER (WHERE on_hand > 0) AS nodes,
        sum(greatest(on_hand - reserved - safety, 0)) FILTER (WHERE disposition = 'sellable') AS can_sell
    FROM stock_positions WHERE tenant_id = :tenant AND sku_id = ANY(:skus) GROUP BY 1) p ON p.sku_id = s.id
LEFT JOIN (SELECT sku_id, sum(quantity) AS units FROM reservations
    WHERE tenant_id = :tenant AND supply = 'none' AND sku_id = ANY(:skus) GROUP BY 1) w ON w.sku_id = s.id
"""


@dataclass(frozen=True)
class Page:
    """Rows of a list, and whether there are more on either side."""

    rows: list[Any]
    has_before: bool
    has_after: bool


def page(scope: Scope, q: str, kind: str, after: str, before: str) -> Page:
    """SKUs in the order of their codes, after one code or before another."""
    where, values = _where(q, kind)
    if after:
        where, values = f"{where} AND code > :after", values | {"after": after}
    elif before:
        where, values = f"{where} AND code < :before", values | {"before": before}
    backwards = bool(before and not after)
    rows = scope.rows(
        f"SELECT * FROM skus WHERE {where} ORDER BY code {'DESC' if backwards else ''} LIMIT :limit",
        limit=PAGE + 1,
        **values,
    )
    more, shown = len(rows) > PAGE, rows[:PAGE]
    if backwards:
        return Page(shown[::-1], has_before=more, has_after=True)
    return Page(shown, has_before=bool(after), has_after=more)


def counts(scope: Scope, q: str) -> dict[str, int]:
    """How many SKUs match, by kind."""
    where, values = _where(q, "")
    rows = scope.rows(f"SELECT kind, count(*) AS skus FROM skus WHERE {where} GROUP BY 1", **values)
    found = {row.kind: row.skus for row in rows}
    return {kind: found[kind] for kind in KINDS if kind in found}


def _where(q: str, kind: str) -> tuple[str, dict[str, Any]]:
    where, values = "tenant_id = :tenant", {}
    if q:
        where, values["q"] = f"{where} AND {MATCH}", f"%{escaped(q)}%"
    if kind:
        where, values["kind"] = f"{where} AND kind = :kind", kind
    return where, values


def shelf(scope: Scope, skus: Iterable[UUID]) -> dict[UUID, Any]:
    """Per SKU: units that can be sold, units there, nodes that hold any, units that wait."""
    wanted = list(skus)
    return {row.id: row for row in scope.rows(SHELF, skus=wanted)} if wanted else {}


def exported(scope: Scope, q: str, kind: str) -> list[Any]:
    """Every matching SKU with its stock, for a file."""
    where, values = _where(q, kind)
    return scope.rows(
        f"""
        SELECT s.*, coalesce(p.can_sell, 0) AS can_sell, coalesce(p.on_hand, 0) AS on_hand
        FROM (SELECT * FROM skus WHERE {where} ORDER BY code LIMIT :most) s
        LEFT JOIN LATERAL (SELECT sum(on_hand) AS on_hand,
                sum(greatest(on_hand - reserved - safety, 0)) FILTER (WHERE disposition = 'sellable') AS can_sell
            FROM stock_positions WHERE tenant_id = :tenant AND sku_id = s.id) p ON true
        ORDER BY s.code
        """,
        most=MOST_EXPORTED,
        **values,
    )


def sku_row(scope: Scope, code: str) -> Any:
    """One SKU's row, or None."""
    return scope.row("SELECT * FROM skus WHERE tenant_id = :tenant AND code = :code", code=code)


def stock_per_node(scope: Scope, sku: UUID) -> list[Any]:
    """Where a SKU lies, the most of it first; `position` leads to the ledger of what is sellable there."""
    return scope.rows(
        """
        SELECT n.code, n.name, n.kind, n.latitude, n.longitude, p.* FROM (
            SELECT node_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved, sum(safety) AS safety,
                sum(greatest(on_hand - reserved - safety, 0)) FILTER (WHERE disposition = 'sellable') AS can_sell,
                coalesce(sum(on_hand) FILTER (WHERE disposition <> 'sellable'), 0) AS apart,
                (array_agg(id ORDER BY disposition = 'sellable' DESC, segment = 'shared' DESC, id))[1] AS position
            FROM stock_positions WHERE tenant_id = :tenant AND sku_id = :sku GROUP BY 1) p
        JOIN nodes n ON n.tenant_id = :tenant AND n.id = p.node_id
        ORDER BY p.can_sell DESC NULLS LAST, p.on_hand DESC, n.code
        """,
        sku=sku,
    )


def on_its_way(scope: Scope, sku: UUID, most: int = 8) -> list[Any]:
    """What suppliers are still to send of a SKU, the first day first; `late` by the day at the node it goes to."""
    return scope.rows(
        """
        SELECT o.reference, o.supplier, n.code AS node, n.name, n.kind, i.quantity - i.received AS units, i.expected_on,
            i.expected_on < CAST(CAST(:now AS timestamptz) AT TIME ZONE n.timezone AS date) AS late,
            count(*) OVER () AS total
        FROM inbound_lines i
        JOIN inbound_orders o ON o.tenant_id = :tenant AND o.id = i.inbound_order_id AND o.cancelled_at IS NULL
        JOIN nodes n ON n.tenant_id = :tenant AND n.id = o.node_id
        WHERE i.tenant_id = :tenant AND i.sku_id = :sku AND i.received < i.quantity
        ORDER BY i.expected_on NULLS LAST, o.reference LIMIT :most
        """,
        sku=sku,
        now=scope.now(),
        most=most,
    )


def recent_orders(scope: Scope, sku: UUID, most: int = 8) -> list[Any]:
    """The newest orders that contain a SKU, among the newest of all."""
    return scope.rows(
        """
        SELECT o.id, o.number, o.placed_at, o.customer->>'name' AS customer, sum(l.ordered) AS ordered,
            sum(l.shipped) AS shipped, sum(l.allocated) AS allocated, sum(l.backordered) AS backordered,
            sum(l.cancelled) AS cancelled
        FROM (SELECT id, number, placed_at, customer FROM orders WHERE tenant_id = :tenant
            ORDER BY placed_at DESC, id DESC LIMIT :newest) o
        JOIN order_lines l ON l.tenant_id = :tenant AND l.order_id = o.id
        WHERE l.sku_id = :sku GROUP BY o.id, o.number, o.placed_at, o.customer
        ORDER BY o.placed_at DESC, o.number DESC LIMIT :most
        """,
        sku=sku,
        newest=NEWEST,
        most=most,
    )


def parts(scope: Scope, components: Iterable[Mapping[str, Any]]) -> list[Any]:
    """A kit's components with what can be sold of each."""
    return scope.rows(
        """
        SELECT s.code, s.title, coalesce(sum(greatest(p.on_hand - p.reserved - p.safety, 0)), 0) AS can_sell
        FROM skus s LEFT JOIN stock_positions p ON p.tenant_id = :tenant AND p.sku_id = s.id
            AND p.disposition = 'sellable'
        WHERE s.tenant_id = :tenant AND s.code = ANY(:codes) GROUP BY 1, 2 ORDER BY 1
        """,
        codes=[part["sku"] for part in components],
    )


def kits_with(scope: Scope, code: str) -> list[Any]:
    """Kits that a SKU is part of."""
    return scope.rows(
        "SELECT code, title FROM skus WHERE tenant_id = :tenant AND kind = 'kit'"
        " AND components @> CAST(:part AS jsonb) ORDER BY code LIMIT 20",
        part=orjson.dumps([{"sku": code}]).decode(),
    )
