"""Reads of a past period for what-if: its orders as they were placed, and the stock as it was.

Stock at the start of the period is what is on hand now, less every movement since that no earlier order made, less
what earlier orders still hold: so the period's own orders find what was there for them. Units that an order of the
period gave back by being canceled are not told apart: every order asks for all it was placed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from app.calendar import local_date
from app.catalog.rules import volume_cm3
from app.inventory.rules import MADE, parts
from app.routing.baskets import Asked, destination
from app.routing.facts import BasketLine, Network
from app.routing.parcels import Parcel, PastLine, PastOrder
from app.routing.past_stock import Place
from tenants.scope import Scope

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

COUNT = """
SELECT count(*) AS orders FROM (SELECT 1 FROM orders WHERE tenant_id = :tenant AND placed_at >= :since
    AND placed_at < :until AND status <> 'draft' LIMIT :most) o
"""
START = """
WITH placed AS MATERIALIZED (
    SELECT l.sku_id, l.kind, l.components FROM orders o
    JOIN order_lines l ON l.tenant_id = :tenant AND l.order_id = o.id
    WHERE o.tenant_id = :tenant AND o.placed_at >= :since AND o.placed_at < :until AND o.status <> 'draft'
), wanted AS MATERIALIZED (
    SELECT sku_id FROM placed WHERE kind <> 'kit'
    UNION
    SELECT CAST(part->>'sku_id' AS uuid) FROM placed CROSS JOIN LATERAL jsonb_array_elements(components) part
    WHERE kind = 'kit'
), positions AS MATERIALIZED (
    SELECT p.id, p.sku_id, p.segment, p.node_id, p.on_hand, p.safety FROM stock_positions p
    WHERE p.tenant_id = :tenant AND p.sku_id IN (SELECT sku_id FROM wanted) AND p.disposition = 'sellable'
), moved AS (
    SELECT m.position_id, sum(m.delta) AS units FROM stock_movements m
    LEFT JOIN shipment_lines s ON s.tenant_id = :tenant AND s.id = CASE WHEN m.cause = 'shipment'
        AND m.reference ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN CAST(m.reference AS uuid) END
    LEFT JOIN order_lines l ON l.tenant_id = :tenant AND l.id = s.order_line_id
    LEFT JOIN orders o ON o.tenant_id = :tenant AND o.id = l.order_id AND o.placed_at < :since
    WHERE m.tenant_id = :tenant AND m.position_id IN (SELECT id FROM positions) AND m.at >= :since
        AND o.id IS NULL
    GROUP BY 1
), held AS (
    SELECT r.position_id, sum(r.quantity) AS units FROM reservations r
    JOIN order_lines l ON l.tenant_id = :tenant AND l.id = r.order_line_id
    JOIN orders o ON o.tenant_id = :tenant AND o.id = l.order_id AND o.placed_at < :since
    WHERE r.tenant_id = :tenant AND r.position_id IN (SELECT id FROM positions)
    GROUP BY 1
)
SELECT p.id, p.sku_id, p.segment, p.node_id, p.safety,
    p.on_hand - coalesce(moved.units, 0) - coalesce(held.units, 0) AS units
FROM positions p LEFT JOIN moved ON moved.position_id = p.id LEFT JOIN held ON held.position_id = p.id
ORDER BY p.sku_id, p.segment, p.node_id
"""
CHANGES = """
SELECT m.position_id, m.delta, m.at FROM stock_movements m
WHERE m.tenant_id = :tenant AND m.position_id = ANY(:positions) AND m.at >= :since AND m.at < :until
    AND m.cause <> 'shipment'
ORDER BY m.at, m.id
"""
EARLIER_LOADS = """
SELECT f.node_id, f.leaves_on AS day, count(*) AS packages FROM fulfillment_orders f
JOIN orders o ON o.tenant_id = :tenant AND o.id = f.order_id AND o.placed_at < :since
WHERE f.tenant_id = :tenant AND f.leaves_on >= :day AND f.work_status <> 'cancelled'
GROUP BY f.node_id, f.leaves_on ORDER BY f.node_id, f.leaves_on
"""
IDS = """
SELECT id FROM orders WHERE tenant_id = :tenant AND placed_at >= :since AND placed_at < :until AND status <> 'draft'
ORDER BY placed_at, id
"""
ORDERS = """
SELECT id, number, channel, currency, source_code, customer->>'email' AS email, customer->'business' AS is_business,
    ship_to, policy, placed_at
FROM orders WHERE tenant_id = :tenant AND id = ANY(:ids) ORDER BY placed_at, id
"""
LINES = """
SELECT l.order_id, l.sku_id, l.sku, l.kind, l.weight_g, l.ordered, l.items - l.discount AS value, l.tax_code,
    l.components, l.ship_to, p.original_deadline
FROM order_lines l
LEFT JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
WHERE l.tenant_id = :tenant AND l.order_id = ANY(:ids) ORDER BY l.order_id, l.position
"""
SKUS = "SELECT id, attributes FROM skus WHERE tenant_id = :tenant AND id = ANY(:ids)"


class _Sku(NamedTuple):
    """What is read once of a SKU for all of its lines."""

    attributes: dict[str, Any]
    volume_cm3: int


def count(scope: Scope, since: datetime, until: datetime, most: int) -> int:
    """Orders placed in a period, counted up to `most`."""
    row = scope.row(COUNT, since=since, until=until, most=most)
    assert row is not None
    return int(row.orders)


def stock_at(
    scope: Scope, network: Network, since: datetime, until: datetime
) -> tuple[list[Place], list[UUID]]:
    """What was free at the start of everything that the period's orders ask for, with the positions' ids."""
    rows = [row for row in scope.rows(START, since=since, until=until) if str(row.node_id) in network.index]
    places = [
        Place(str(row.sku_id), row.segment, network.index[str(row.node_id)], int(row.units), row.safety)
        for row in rows
    ]
    return places, [row.id for row in rows]


def changes(
    scope: Scope, positions: list[UUID], since: datetime, until: datetime
) -> list[tuple[int, int, int]]:
    """Receipts, counts, returns and moves of the period: (position by its place in the list, units, microseconds
    since 1970), in time order."""
    at = {position: place for place, position in enumerate(positions)}
    rows = scope.rows(CHANGES, positions=positions, since=since, until=until)
    return [(at[row.position_id], row.delta, micros(row.at)) for row in rows]


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def earlier_loads(scope: Scope, since: datetime) -> list[tuple[str, str, int]]:
    """Packages that earlier orders gave to nodes for days of the period: (node id, day, packages)."""
    rows = scope.rows(EARLIER_LOADS, since=since, day=(since - timedelta(days=1)).date())
    return [(str(row.node_id), row.day.isoformat(), row.packages) for row in rows]


def order_ids(scope: Scope, since: datetime, until: datetime) -> list[UUID]:
    """The orders of a period, oldest first."""
    return [row.id for row in scope.rows(IDS, since=since, until=until)]


def orders(scope: Scope, ids: Sequence[UUID]) -> list[tuple[datetime, PastOrder]]:
    """These orders with the times at which they were placed, oldest first."""
    zone = scope.tenant.timezone
    lines: dict[UUID, list[Any]] = {}
    for line in scope.rows(LINES, ids=list(ids)):
        lines.setdefault(line.order_id, []).append(line)
    wanted = {line.sku_id for own in lines.values() for line in own}
    skus = {
        row.id: _Sku(row.attributes, volume_cm3(row.attributes)) for row in scope.rows(SKUS, ids=list(wanted))
    }
    return [
        (row.placed_at, _order(row, lines[row.id], skus, zone)) for row in scope.rows(ORDERS, ids=list(ids))
    ]


def _order(row: Any, lines: list[Any], skus: dict[UUID, _Sku], zone: str) -> PastOrder:
    parcels: dict[str, list[Any]] = {}
    for line in lines:
        parcels.setdefault(_place(row, line), []).append(line)
    return PastOrder(
        id=str(row.id),
        number=row.number,
        parcels=tuple(_parcel(row, own, skus, zone) for own in parcels.values()),
        fill_or_kill=bool((row.policy or {}).get("fill_or_kill")),
    )


def _place(row: Any, line: Any) -> str:
    """Where a line goes, as text to tell places apart; empty for where the order goes."""
    return repr(line.ship_to) if line.ship_to and line.ship_to != row.ship_to else ""


def _parcel(row: Any, lines: list[Any], skus: dict[UUID, _Sku], zone: str) -> Parcel:
    policy = row.policy or {}
    deadlines = [line.original_deadline for line in lines if line.original_deadline is not None]
    last_day = local_date(min(deadlines) - timedelta(seconds=1), zone) if deadlines else None
    to = destination(lines[0].ship_to or row.ship_to)
    asked = Asked(
        channel=row.channel,
        now=row.placed_at,
        timezone=zone,
        currency=row.currency,
        ship_complete=bool(policy.get("ship_complete")),
        service=policy.get("service") or "",
        source_code=row.source_code or "",
        email=row.email or "",
        is_business=row.is_business,
        promised_by=last_day,
    )
    return Parcel(to, asked, tuple(_line(line, skus[line.sku_id]) for line in lines))


def _line(row: Any, sku: _Sku) -> PastLine:
    line = BasketLine(
        sku=row.sku,
        kind=row.kind,
        quantity=row.ordered,
        weight_g=row.weight_g,
        volume_cm3=sku.volume_cm3,
        value=row.value,
        tax_code=row.tax_code,
        attributes=sku.attributes,
    )
    if row.kind in MADE:
        return PastLine(line, ())
    return PastLine(
        line, tuple((str(sku), each) for sku, each in parts(row.kind, row.sku_id, row.components))
    )
