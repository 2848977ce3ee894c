"""Units leave a node's work again: back to the queue, or canceled.

One verb for rejections, short picks, cancellations and stock losses. Locks: orders, fulfillment orders, then
stock by (node, SKU, id).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson

from app import events
from app.allocation import rules
from app.inventory.ledger import Ledger, Place
from app.inventory.rules import parts
from infra.errors import not_found
from infra.ids import new_id
from tenants.scope import Scope

BackTo = Literal["backorder", "cancelled"]
Stock = Literal["free", "on_hold"]

WORK_LINES = """
SELECT f.id, f.fulfillment_order_id, f.order_line_id, f.sku, f.quantity, f.shipped, f.released, w.order_id,
    w.node_id, w.node, l.sku_id, l.kind, l.components, l.allocated
FROM fulfillment_order_lines f
JOIN fulfillment_orders w ON w.tenant_id = :tenant AND w.id = f.fulfillment_order_id
JOIN order_lines l ON l.tenant_id = :tenant AND l.id = f.order_line_id
WHERE f.tenant_id = :tenant AND f.id = ANY(:ids) ORDER BY f.id
"""
RESERVATIONS = """
SELECT r.id, r.order_line_id, r.sku_id, r.node_id, r.position_id, r.supply, r.quantity, r.ship_by, r.made_at
FROM reservations r
WHERE r.tenant_id = :tenant AND r.order_line_id = ANY(:lines) AND r.node_id IS NOT NULL
"""
LOWER = """
WITH taken AS MATERIALIZED (
    SELECT t.id, t.units FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS t(id uuid, units bigint)
), emptied AS (
    DELETE FROM reservations r USING taken
    WHERE r.tenant_id = :tenant AND r.id = taken.id AND r.quantity = taken.units
)
UPDATE reservations r SET quantity = r.quantity - taken.units FROM taken
WHERE r.tenant_id = :tenant AND r.id = taken.id AND r.quantity > taken.units
"""
WAIT = """
INSERT INTO reservations (tenant_id, id, order_line_id, sku_id, supply, quantity, ship_by, made_at)
SELECT :tenant, w.id, w.order_line_id, w.sku_id, 'none', w.quantity, w.ship_by, w.made_at
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS w(id uuid, order_line_id uuid, sku_id uuid, quantity bigint,
    ship_by timestamptz, made_at timestamptz)
"""
COUNT_WORK = """
UPDATE fulfillment_order_lines f SET released = f.released + c.units,
    cancel_requested = least(f.cancel_requested, f.quantity - f.shipped - f.released - c.units)
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS c(id uuid, units bigint)
WHERE f.tenant_id = :tenant AND f.id = c.id
"""
COUNT_LINES = """
UPDATE order_lines l SET allocated = l.allocated - c.allocated, backordered = l.backordered + c.backordered,
    cancelled = l.cancelled + c.cancelled
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS c(id uuid, allocated bigint, backordered bigint,
    cancelled bigint)
WHERE l.tenant_id = :tenant AND l.id = c.id
"""
UNDATED = """
UPDATE promises SET expected_ship_at = NULL WHERE tenant_id = :tenant AND order_line_id = ANY(:lines)
"""


@dataclass(frozen=True)
class Released:
    """What came of a release, for the order's story and for whoever matches the stock again."""

    work: dict[UUID, Any]
    """Fulfillment-order line id -> its row as it was."""
    units: Mapping[UUID, int]
    skus: frozenset[UUID]
    """SKUs of which units came free at a node."""


def release(
    scope: Scope,
    fulfillment_order_line_id: UUID,
    units: int,
    *,
    back_to: BackTo,
    stock: Stock,
    why: str,
) -> None:
    """Take open units of one fulfillment-order line back. As `release_all`, which is for several lines at once
    (calling this twice in one transaction may lock stock out of order)."""
    release_all(scope, {fulfillment_order_line_id: units}, back_to=back_to, stock=stock, why=why)


def release_all(
    scope: Scope, units: Mapping[UUID, int], *, back_to: BackTo, stock: Stock, why: str
) -> Released:
    """Take open units of fulfillment-order lines (id -> units) back, for one cause.

    Moves the counters of order lines and work, the reservations and the positions. `back_to`: the units wait
    again (a reservation without supply), or are canceled. `stock`: the goods are free at the node, or go on
    hold with a case until somebody counts them. Statuses and money stay the caller's. Freed stock is offered to
    whoever waits; to the orders that gave it back, by their own next routing. Raises Problem 404, 409 `more-than-open`.
    """
    units = {line: count for line, count in units.items() if count}
    if not units:
        return Released({}, {}, frozenset())
    work = _locked(scope, units)
    taken, reservations = _taken(scope, work, units)
    ledger = _ledger(scope, reservations, taken, hold=stock == "on_hold")
    return apply(scope, work, units, taken, reservations, ledger, back_to=back_to, stock=stock, why=why)


def apply(
    scope: Scope,
    work: dict[UUID, Any],
    units: Mapping[UUID, int],
    taken: Mapping[UUID, int],
    reservations: Mapping[UUID, Any],
    ledger: Ledger,
    *,
    back_to: BackTo,
    stock: Stock,
    why: str,
    write: bool = True,
) -> Released:
    """The changes of a release, everything being locked. Without `write` the ledger is left to the caller."""
    freed = _free(ledger, reservations, taken, hold=stock == "on_hold", why=why)
    if write:
        ledger.write()
    scope.execute(LOWER, doc=_rows({"id": one, "units": count} for one, count in taken.items()))
    scope.execute(COUNT_WORK, doc=_rows({"id": one, "units": count} for one, count in units.items()))
    by_line: dict[UUID, int] = {}
    for one, count in units.items():
        by_line[work[one].order_line_id] = by_line.get(work[one].order_line_id, 0) + count
    waits = back_to == "backorder"
    scope.execute(
        COUNT_LINES,
        doc=_rows(
            {
                "id": line,
                "allocated": count,
                "backordered": count if waits else 0,
                "cancelled": 0 if waits else count,
            }
            for line, count in by_line.items()
        ),
    )
    if waits:
        _wait(scope, work, by_line, reservations)
    if stock == "on_hold":
        _cases(scope, work, taken, reservations, why)
    _tell(scope, work, units, back_to, why)
    if freed:
        offer(scope, freed, without={row.order_id for row in work.values()} if waits else ())
    return Released(work, units, freed)


def release_waiting(scope: Scope, units: Mapping[UUID, int], *, why: str) -> None:
    """Cancel backordered units (order line id -> units): they stop waiting. Money stays the caller's, who holds
    the order's lock. Raises Problem 409 `more-than-open`."""
    lines = {
        row.id: row
        for row in scope.rows(
            "SELECT id, order_id, sku, sku_id, backordered FROM order_lines WHERE tenant_id = :tenant"
            " AND id = ANY(:ids)",
            ids=list(units),
        )
    }
    for one, count in units.items():
        if count > lines[one].backordered:
            raise rules.more_than_open(lines[one].sku, count, lines[one].backordered)
    waiting = scope.rows(
        "SELECT id, order_line_id, sku_id, quantity FROM reservations WHERE tenant_id = :tenant"
        " AND order_line_id = ANY(:ids) AND supply = 'none'",
        ids=list(units),
    )
    wanted = {(one, lines[one].sku_id): count for one, count in units.items()}
    taken = rules.take_from([row._mapping for row in waiting], wanted)
    scope.execute(LOWER, doc=_rows({"id": one, "units": count} for one, count in taken.items()))
    scope.execute(
        COUNT_LINES,
        doc=_rows(
            {"id": one, "allocated": 0, "backordered": -count, "cancelled": count}
            for one, count in units.items()
        ),
    )
    scope.execute(UNDATED, lines=[one for one, count in units.items() if count == lines[one].backordered])
    date_waiting(scope, {lines[one].sku_id for one, count in units.items() if count})
    for order_id in sorted({line.order_id for line in lines.values()}):
        told = {
            line.sku: units[line.id]
            for line in lines.values()
            if line.order_id == order_id and units.get(line.id)
        }
        events.tell(scope, order_id, events.UNITS_RELEASED, units=told, back_to="cancelled", why=why)


def offer(
    scope: Scope, skus: Iterable[UUID], *, cause: str = "restocked", without: Iterable[UUID] = ()
) -> None:
    """Have units of these SKUs matched to whoever waits for them but these orders, after this transaction."""
    codes = sorted(str(sku) for sku in skus)
    if codes:
        others = sorted(str(order) for order in without)
        scope.later(events.STOCK_AVAILABLE, UUID(codes[0]), skus=codes, cause=cause, without=others)


def date_waiting(scope: Scope, skus: Collection[UUID]) -> None:
    """Have the lines that wait for these SKUs dated by what is on its way, after this transaction."""
    codes = sorted(str(sku) for sku in skus)
    if codes:
        scope.later(events.SUPPLY_CHANGED, UUID(codes[0]), skus=codes)


def lock_orders(scope: Scope, order_ids: Iterable[UUID]) -> None:
    """Lock orders in one order of ids: always before fulfillment orders and stock."""
    scope.rows(
        "SELECT id FROM orders WHERE tenant_id = :tenant AND id = ANY(:ids) ORDER BY id FOR UPDATE",
        ids=sorted(set(order_ids)),
    )


def read_work(scope: Scope, line_ids: Iterable[UUID]) -> dict[UUID, Any]:
    """Fulfillment-order lines with what a release needs of their order line and node."""
    return {row.id: row for row in scope.rows(WORK_LINES, ids=list(line_ids))}


def read_reservations(scope: Scope, work: Mapping[UUID, Any]) -> dict[UUID, Any]:
    """Reservations of the work's order lines at the work's nodes."""
    nodes = {(row.order_line_id, row.node_id) for row in work.values()}
    rows = scope.rows(RESERVATIONS, lines=list({line for line, _ in nodes}))
    return {row.id: row for row in rows if (row.order_line_id, row.node_id) in nodes}


def taken_from(
    work: Mapping[UUID, Any],
    units: Mapping[UUID, int],
    reservations: Mapping[UUID, Any],
    short: Collection[UUID] = (),
) -> dict[UUID, int]:
    """Reservation id -> units of stock that the release takes off it, on `short` positions first."""
    taken: dict[UUID, int] = {}
    for node in {row.node_id for row in work.values()}:
        wanted: dict[tuple[UUID, UUID], int] = {}
        for one, count in units.items():
            row = work[one]
            if row.node_id == node:
                for sku, each in parts(row.kind, row.sku_id, row.components):
                    key = (row.order_line_id, sku)
                    wanted[key] = wanted.get(key, 0) + count * each
        held = [row._mapping for row in reservations.values() if row.node_id == node]
        taken |= rules.take_from(held, wanted, short)
    return taken


def _locked(scope: Scope, units: Mapping[UUID, int]) -> dict[UUID, Any]:
    work = read_work(scope, units)
    if len(work) < len(units):
        raise not_found("fulfillment order line")
    lock_orders(scope, {row.order_id for row in work.values()})
    lock_work(scope, {row.fulfillment_order_id for row in work.values()})
    work = read_work(scope, units)
    for one, count in units.items():
        row = work[one]
        open_units = row.quantity - row.shipped - row.released
        if count > open_units:
            raise rules.more_than_open(row.sku, count, open_units)
    return work


def lock_work(scope: Scope, work_ids: Iterable[UUID]) -> None:
    """Lock fulfillment orders in one order of ids, after their orders."""
    scope.rows(
        "SELECT id FROM fulfillment_orders WHERE tenant_id = :tenant AND id = ANY(:ids) ORDER BY id FOR UPDATE",
        ids=sorted(set(work_ids)),
    )


def _taken(
    scope: Scope, work: Mapping[UUID, Any], units: Mapping[UUID, int]
) -> tuple[dict[UUID, int], dict[UUID, Any]]:
    reservations = read_reservations(scope, work)
    return taken_from(work, units, reservations), reservations


def _ledger(
    scope: Scope, reservations: Mapping[UUID, Any], taken: Mapping[UUID, int], *, hold: bool
) -> Ledger:
    ids = [reservations[one].position_id for one in taken if reservations[one].position_id is not None]
    held: list[Place] = []
    if hold and ids:
        rows = scope.rows(
            "SELECT node_id, sku_id, segment FROM stock_positions WHERE tenant_id = :tenant AND id = ANY(:ids)",
            ids=ids,
        )
        held = [(row.node_id, row.sku_id, "on_hold", row.segment) for row in rows]
    return Ledger(scope, held, ids)


def _free(
    ledger: Ledger, reservations: Mapping[UUID, Any], taken: Mapping[UUID, int], *, hold: bool, why: str
) -> frozenset[UUID]:
    freed = set()
    for one, count in taken.items():
        position = ledger.by_id.get(reservations[one].position_id)
        if position is None:
            continue
        ledger.release(position, count)
        node, sku, _, segment = position.place
        if hold:
            reference = str(reservations[one].order_line_id)
            ledger.move(position, -count, "hold", why, reference)
            ledger.move(ledger.by_place[(node, sku, "on_hold", segment)], count, "hold", why, reference)
        else:
            freed.add(sku)
    return frozenset(freed)


def _wait(
    scope: Scope, work: Mapping[UUID, Any], by_line: Mapping[UUID, int], reservations: Mapping[UUID, Any]
) -> None:
    skus = {row.order_line_id: row.sku_id for row in work.values()}
    promised = {row.order_line_id: row for row in reservations.values()}
    scope.execute(
        WAIT,
        doc=_rows(
            {
                "id": new_id(),
                "order_line_id": line,
                "sku_id": skus[line],
                "quantity": count,
                "ship_by": promised[line].ship_by,
                "made_at": promised[line].made_at,
            }
            for line, count in by_line.items()
        ),
    )
    scope.execute(UNDATED, lines=list(by_line))
    date_waiting(scope, set(skus.values()))


CASES = """
INSERT INTO stock_cases (tenant_id, id, node_id, sku_id, kind, expected, counted, opened_at, note, reference)
SELECT :tenant, c.id, c.node_id, c.sku_id, 'rejection', c.units, 0, :now, :why, c.reference
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS c(id uuid, node_id uuid, sku_id uuid, units bigint,
    reference text)
"""


def _cases(
    scope: Scope,
    work: Mapping[UUID, Any],
    taken: Mapping[UUID, int],
    reservations: Mapping[UUID, Any],
    why: str,
) -> None:
    held: dict[tuple[UUID, UUID], int] = {}
    for one, count in taken.items():
        row = reservations[one]
        if row.position_id is not None:
            held[(row.node_id, row.sku_id)] = held.get((row.node_id, row.sku_id), 0) + count
    references = {row.node_id: str(row.fulfillment_order_id) for row in work.values()}
    rows = [
        {"id": new_id(), "node_id": node, "sku_id": sku, "units": count, "reference": references[node]}
        for (node, sku), count in held.items()
    ]
    if rows:
        scope.execute(CASES, doc=_rows(rows), now=scope.now(), why=why)


def _tell(
    scope: Scope, work: Mapping[UUID, Any], units: Mapping[UUID, int], back_to: BackTo, why: str
) -> None:
    by_order: dict[UUID, list[dict[str, Any]]] = {}
    for one, count in units.items():
        row = work[one]
        by_order.setdefault(row.order_id, []).append({"sku": row.sku, "node": row.node, "units": count})
    for order_id, told in sorted(by_order.items()):
        events.tell(scope, order_id, events.UNITS_RELEASED, units=told, back_to=back_to, why=why)


def _rows(rows: Iterable[Mapping[str, Any]]) -> str:
    return orjson.dumps(list(rows), default=str).decode()
