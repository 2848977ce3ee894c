"""Reads of inbound supply: what is to come, who waits for it, and how suppliers kept their word."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.inbound.rules import Demand, Share, Supply, attribute, unreserved
from app.inventory.rules import MADE, parts
from tenants.scope import Scope

MOST_DELIVERIES = 100
"""Received lines of a supplier that its record looks at, the latest."""

SUPPLIES = """
SELECT i.id AS line, i.sku_id AS sku, i.quantity - i.received AS units, i.expected_on, o.reference, o.supplier,
    n.code AS node
FROM inbound_lines i
JOIN inbound_orders o ON o.tenant_id = :tenant AND o.id = i.inbound_order_id AND o.cancelled_at IS NULL
JOIN nodes n ON n.tenant_id = :tenant AND n.id = o.node_id AND n.open
WHERE i.tenant_id = :tenant AND i.sku_id = ANY(:skus) AND i.received < i.quantity AND i.expected_on IS NOT NULL
"""
WAITING = """
WITH waiting AS MATERIALIZED (
    SELECT r.id, r.order_line_id, r.sku_id, r.quantity, r.ship_by, r.made_at FROM reservations r
    WHERE r.tenant_id = :tenant AND r.supply = 'none' AND (r.sku_id = ANY(:skus)
        OR r.sku_id = ANY(ARRAY(SELECT id FROM skus WHERE tenant_id = :tenant AND kind = 'kit')))
)
SELECT l.id AS line, l.order_id, l.sku_id, l.kind, l.components, w.quantity, p.expected_ship_at, s.release_date
FROM waiting w
CROSS JOIN LATERAL (SELECT l.id, l.order_id, l.sku_id, l.kind, l.components FROM order_lines l
    WHERE l.tenant_id = :tenant AND l.id = w.order_line_id OFFSET 0) l
CROSS JOIN LATERAL (SELECT p.expected_ship_at FROM promises p
    WHERE p.tenant_id = :tenant AND p.order_line_id = w.order_line_id OFFSET 0) p
CROSS JOIN LATERAL (SELECT s.release_date FROM skus s
    WHERE s.tenant_id = :tenant AND s.id = w.sku_id OFFSET 0) s
WHERE l.kind <> ALL(:made) AND (w.sku_id = ANY(:skus)
    OR EXISTS (SELECT 1 FROM jsonb_array_elements(l.components) part
        WHERE CAST(part->>'sku_id' AS uuid) = ANY(:skus)))
ORDER BY w.ship_by, w.made_at, w.id
"""
"""A plan is made once per connection, often while the tables are young: each lateral leaves it one index."""
FREE = """
SELECT p.sku_id, sum(p.on_hand - p.reserved - p.safety) AS units FROM stock_positions p
WHERE p.tenant_id = :tenant AND p.sku_id = ANY(:skus) AND p.disposition = 'sellable'
    AND p.on_hand - p.reserved - p.safety > 0
GROUP BY p.sku_id
"""

COMING = """
SELECT i.sku_id AS sku, sum(i.quantity - i.received) AS units, min(i.expected_on) AS next_on
FROM inbound_lines i
JOIN inbound_orders o ON o.tenant_id = :tenant AND o.id = i.inbound_order_id AND o.cancelled_at IS NULL
WHERE i.tenant_id = :tenant AND i.received < i.quantity AND {skus} GROUP BY 1
"""
"""What is on its way by SKU, of those that `skus` says: a condition on `i.sku_id`."""


@dataclass(frozen=True)
class Coverage:
    """Lines that wait for some SKUs, and what is to come for each."""

    waiting: Sequence[Any]
    """Rows of WAITING, the first to be served first; only lines that need one of the SKUs asked about."""
    supplies: Sequence[Supply]
    shares: Sequence[Share]

    def of_line(self) -> dict[UUID, list[Share]]:
        """The shares of each order line."""
        found: dict[UUID, list[Share]] = {}
        for share in self.shares:
            found.setdefault(share.demand.line, []).append(share)
        return found

    def wanted(self) -> dict[UUID, int]:
        """Stock units that each line waits for, of all its SKUs."""
        found: dict[UUID, int] = {}
        for demand in demands(self.waiting):
            found[demand.line] = found.get(demand.line, 0) + demand.units
        return found

    def unreserved(self) -> list[tuple[Supply, int]]:
        """The deliveries by day, each with the units that nobody waits for."""
        return unreserved(self.supplies, self.shares)


def demands(waiting: Iterable[Any]) -> list[Demand]:
    """Rows of WAITING as what each needs from a shelf: a kit needs its components."""
    return [
        Demand(row.line, sku, row.quantity * each)
        for row in waiting
        for sku, each in parts(row.kind, row.sku_id, row.components)
    ]


def coverage(scope: Scope, skus: Iterable[UUID]) -> Coverage:
    """What is to come for the lines that wait for these SKUs, or for kits made of them. A line of a kit needs its other
    components too, so those who wait for them are read as well: three or four statements, however many wait."""
    asked = set(skus)
    own = scope.rows(WAITING, skus=list(asked), made=list(MADE))
    needed = asked | {one.sku for one in demands(own)}
    every = own if needed == asked else scope.rows(WAITING, skus=list(needed), made=list(MADE))
    supplies = [Supply(**row._mapping) for row in scope.rows(SUPPLIES, skus=list(needed))]
    free = {row.sku_id: int(row.units) for row in scope.rows(FREE, skus=list(needed))}
    return Coverage(own, supplies, attribute(demands(every), free, supplies))


def is_coming(scope: Scope) -> bool:
    """Whether anything is to come at all: where nothing is, nobody need be read who waits."""
    return bool(
        scope.rows("SELECT 1 FROM inbound_lines WHERE tenant_id = :tenant AND received < quantity LIMIT 1")
    )


def in_reach(scope: Scope) -> list[UUID]:
    """SKUs that something is to come of."""
    rows = scope.rows(
        "SELECT DISTINCT sku_id FROM inbound_lines WHERE tenant_id = :tenant AND received < quantity"
    )
    return [row.sku_id for row in rows]


RECORDS = """
SELECT w.supplier, count(*) AS lines, count(*) FILTER (WHERE d.came_on <= d.first_expected_on) AS on_time,
    round(avg(d.first_expected_on - d.ordered_on), 1) AS promised_days,
    round(avg(greatest(d.came_on - d.ordered_on, 0)), 1) AS real_days
FROM unnest(CAST(:suppliers AS text[])) AS w(supplier) CROSS JOIN LATERAL (
    SELECT i.first_expected_on, o.ordered_on, CAST(i.received_at AT TIME ZONE n.timezone AS date) AS came_on
    FROM inbound_orders o
    JOIN inbound_lines i ON i.tenant_id = :tenant AND i.inbound_order_id = o.id AND i.received = i.quantity
        AND i.first_expected_on IS NOT NULL
    JOIN nodes n ON n.tenant_id = :tenant AND n.id = o.node_id
    WHERE o.tenant_id = :tenant AND o.supplier = w.supplier ORDER BY i.received_at DESC LIMIT :most) d
GROUP BY w.supplier
"""


def records(scope: Scope, suppliers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """How each supplier's latest deliveries went: {lines, on_time, promised_days, real_days}. Days are means, counted
    from the day of the order, which may have begun before the node's own; on time is by the first day the supplier
    named. Without a delivery it is left out."""
    wanted = sorted(set(suppliers))
    if not wanted:
        return {}
    return {
        row.supplier: {
            "lines": row.lines,
            "on_time": row.on_time,
            "promised_days": _days(row.promised_days),
            "real_days": _days(row.real_days),
        }
        for row in scope.rows(RECORDS, suppliers=wanted, most=MOST_DELIVERIES)
    }


def _days(mean: Any) -> float | None:
    return None if mean is None else float(mean)


def sources(scope: Scope, skus: Iterable[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """For each line that waits for these SKUs, the deliveries that are to serve it, with their suppliers' records: a
    part of the reasonable basis of its date."""
    asked = set(skus)
    if not asked or not is_coming(scope):
        return {}
    found = coverage(scope, asked)
    known = records(scope, {one.supplier for one in found.supplies})
    shown: dict[UUID, list[dict[str, Any]]] = {row.line: [] for row in found.waiting}
    for line, shares in found.of_line().items():
        if line in shown:
            shown[line] = [_source(share.supply, share.units, known) for share in shares if share.supply]
    return shown


def _source(supply: Supply, units: int, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "reference": supply.reference,
        "supplier": supply.supplier,
        "node": supply.node,
        "expected_on": supply.expected_on.isoformat(),
        "units": units,
        "lead_time": known.get(supply.supplier),
    }


def due_by(
    found: Coverage, sku: UUID, nodes: Container[str], today: date, by: date | None
) -> list[dict[str, Any]]:
    """The deliveries of a SKU to these nodes that are ahead, by day, and what of each nobody waits for. What is late
    has no day that could be told."""
    return [
        {
            "reference": supply.reference,
            "node": supply.node,
            "expected_on": supply.expected_on,
            "units": supply.units,
            "unreserved": free,
        }
        for supply, free in found.unreserved()
        if supply.sku == sku
        and supply.node in nodes
        and supply.expected_on >= today
        and (by is None or supply.expected_on <= by)
    ]


def coming(scope: Scope, skus: Iterable[UUID]) -> dict[UUID, Any]:
    """Per SKU that is on its way: open units of all its inbound orders, and the first day any is due (or None)."""
    wanted = list(skus)
    return (
        {row.sku: row for row in scope.rows(COMING.format(skus="i.sku_id = ANY(:skus)"), skus=wanted)}
        if wanted
        else {}
    )
