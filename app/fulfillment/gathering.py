"""Work that its window gathered, as it is read for planning: what each order holds, and what is free besides.

A fixed number of statements, whatever the number of orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.allocation.service import read_reservations, read_work, taken_from
from app.allocation.statement import EXCLUDED, ORDERS, RESTING
from app.allocation.waiting import Line, Order, asked, basket_line, goes_to
from app.inventory.shelf import Shelf
from app.network.loads import Loads
from app.routing.baskets import resting_pairs
from app.routing.configuration import Configuration
from app.routing.joint import Gathered, Held
from tenants.scope import Scope

MOVABLE = frozenset({"stock", "preorder", "gift_card_physical"})
"""Kinds that lie on a shelf as themselves."""

DUE = """
SELECT f.order_id FROM fulfillment_orders f
WHERE f.tenant_id = :tenant AND f.request_status = 'held' AND f.gathered_until <= :until
GROUP BY f.order_id ORDER BY min(f.promised_by), f.order_id LIMIT :most
"""
WORK = """
SELECT fl.id AS work_line_id, f.id AS work_id, f.node_id, f.leaves_on, f.promised_by,
    fl.quantity - fl.shipped - fl.released AS units, l.id, l.order_id, l.sku_id, l.sku, l.kind, l.weight_g,
    l.components, l.ship_to, l.tax_code, s.attributes, s.release_date, (l.items - l.discount)
        * CAST(sum(fl.quantity - fl.shipped - fl.released) OVER (PARTITION BY l.id) AS bigint) / l.ordered AS value
FROM fulfillment_orders f
JOIN fulfillment_order_lines fl ON fl.tenant_id = :tenant AND fl.fulfillment_order_id = f.id
JOIN order_lines l ON l.tenant_id = :tenant AND l.id = fl.order_line_id
JOIN skus s ON s.tenant_id = :tenant AND s.id = l.sku_id
WHERE f.tenant_id = :tenant AND f.order_id = ANY(:orders) AND f.request_status = 'held'
    AND f.work_status = 'open' AND f.gathered_until <= :until AND fl.quantity > fl.shipped + fl.released
ORDER BY f.order_id, l.position, fl.id
"""
BY_HAND = """
SELECT DISTINCT order_id FROM routing_decisions
WHERE tenant_id = :tenant AND order_id = ANY(:orders) AND cause = 'assigned'
"""
STOCK = """
SELECT p.id, p.sku_id, p.node_id, p.segment, greatest(p.on_hand - p.reserved - p.safety, 0) AS free
FROM stock_positions p
WHERE p.tenant_id = :tenant AND p.sku_id = ANY(:skus) AND p.disposition = 'sellable' ORDER BY p.id
"""
WAITING = """
SELECT sku_id, sum(quantity) AS units FROM reservations
WHERE tenant_id = :tenant AND supply = 'none' AND sku_id = ANY(:skus) GROUP BY sku_id
"""


@dataclass(frozen=True)
class Parcel:
    """Goods of one order for one address, with the rows they stand in."""

    order: Order
    lines: list[Line]
    gathered: Gathered
    works: tuple[UUID, ...]
    units: dict[UUID, int]
    """Open units by fulfillment-order line."""


@dataclass(frozen=True)
class Window:
    """The orders of a window that closes, and everything they are planned from."""

    until: datetime
    orders: list[UUID]
    parcels: list[Parcel]
    configured: Configuration
    version: int
    """Of the tenant's settings."""
    shelf: Shelf
    loads: Loads


def due(scope: Scope, until: datetime, most: int) -> list[UUID]:
    """Orders with work that waits for a window up to this one, the earliest promise first."""
    return [row.order_id for row in scope.rows(DUE, until=until, most=most)]


def parcels(
    scope: Scope, configured: Configuration, order_ids: Sequence[UUID], until: datetime
) -> list[Parcel]:
    """What of these orders may be planned again. What a person sent to a node, kits, and goods that are made stay."""
    ids = list(order_ids)
    orders = {row.id: Order(row) for row in scope.rows(ORDERS, orders=ids)}
    for row in scope.rows(EXCLUDED, orders=ids):
        if row.order_id in orders:
            orders[row.order_id].barred.add((row.node, row.sku))
    by_hand = {row.order_id for row in scope.rows(BY_HAND, orders=ids)}
    rows = scope.rows(WORK, orders=ids, until=until)
    work = read_work(scope, [row.work_line_id for row in rows])
    reservations = read_reservations(scope, work)
    taken = taken_from(work, {row.work_line_id: row.units for row in rows}, reservations)
    resting = [
        (str(row.node_id), None if row.sku_id is None else str(row.sku_id))
        for row in scope.rows(RESTING, now=scope.now())
    ]
    found = []
    for group in _by_address(rows):
        order = orders.get(group[0].order_id)
        if order is not None and group[0].order_id not in by_hand and _movable(configured, group):
            held = [(reservations[one], units) for one, units in taken.items()]
            found.append(_parcel(scope, configured, order, group, held, resting))
    return found


def _by_address(rows: Sequence[Any]) -> Iterator[list[Any]]:
    groups: dict[tuple[UUID, str], list[Any]] = {}
    for row in rows:
        groups.setdefault((row.order_id, repr(row.ship_to)), []).append(row)
    yield from groups.values()


def _movable(configured: Configuration, group: list[Any]) -> bool:
    return all(row.kind in MOVABLE and str(row.node_id) in configured.network.index for row in group)


def _parcel(
    scope: Scope,
    configured: Configuration,
    order: Order,
    group: list[Any],
    held: list[tuple[Any, int]],
    resting: list[tuple[str, str | None]],
) -> Parcel:
    network = configured.network
    lines: dict[UUID, Line] = {}
    stands: dict[tuple[int, int], int] = {}
    for row in group:
        line = lines.setdefault(row.id, Line(row, 0, row.promised_by, row.promised_by, [], []))
        line.waiting += row.units
        line.ship_by = min(line.ship_by, row.promised_by)
        key = list(lines).index(row.id), network.index[str(row.node_id)]
        stands[key] = stands.get(key, 0) + row.units
    place = {line: at for at, line in enumerate(lines)}
    own = list(lines.values())
    days = {row.work_id: (network.index[str(row.node_id)], row.leaves_on) for row in group if row.leaves_on}
    return Parcel(
        order,
        own,
        Gathered(
            asked=asked(scope, order, own),
            lines=tuple(basket_line(line) for line in own),
            skus=tuple(str(line.row.sku_id) for line in own),
            to=goes_to(order, own[0]),
            excluded=frozenset(_excluded(configured, order, own, resting)),
            stands=tuple(sorted((line, node, units) for (line, node), units in stands.items())),
            held=tuple(
                Held(place[one.order_line_id], str(one.sku_id), str(one.node_id), str(one.position_id), units)
                for one, units in held
                if one.order_line_id in place
            ),
            days=tuple((node, day.toordinal()) for node, day in days.values()),
        ),
        tuple(dict.fromkeys(row.work_id for row in group)),
        {row.work_line_id: row.units for row in group},
    )


def _excluded(
    configured: Configuration, order: Order, lines: list[Line], resting: list[tuple[str, str | None]]
) -> set[tuple[int | None, int]]:
    """What refusals keep the order from, and what rests."""
    positions = configured.network.position
    pairs: set[tuple[int | None, int]] = set()
    for node, sku in order.barred:
        if node in positions:
            at = [i for i, line in enumerate(lines) if line.row.sku == sku]
            pairs |= {(i, positions[node]) for i in at} if sku else {(None, positions[node])}
    return pairs | resting_pairs(configured.network, resting, [str(line.row.sku_id) for line in lines])


def shelf(scope: Scope, configured: Configuration, found: Sequence[Parcel]) -> Shelf:
    """What is free of everything that these parcels hold, less what other orders wait for."""
    skus = sorted({sku for one in found for sku in one.gathered.skus})
    ids = [UUID(sku) for sku in skus]
    return Shelf(
        [
            (str(row.id), str(row.sku_id), str(row.node_id), row.segment, row.free)
            for row in scope.rows(STOCK, skus=ids)
        ],
        {str(row.sku_id): int(row.units) for row in scope.rows(WAITING, skus=ids)},
        {},
        configured.allotments,
    )
