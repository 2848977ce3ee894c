"""When waiting lines can ship, by what is on its way: worked out anew whenever supply or demand changes.

The day of a delivery is the day at whose end its goods are at hand; the node sends them with its next departure. A
line ships when the last of its units can. What lies free on a shelf is matching's to place: it dates nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from app import events
from app.allocation.service import lock_orders
from app.calendar import end_of_day
from app.inbound.queries import Coverage, coverage, in_reach, is_coming
from app.inbound.rules import Share
from app.network.rules import Timetable, ships_on
from app.promises import records
from app.routing.configuration import configuration
from tenants.scope import Scope

MOST_LINES = 1000
"""Lines dated in one transaction."""

TURN = """
SELECT id FROM skus WHERE tenant_id = :tenant AND id = ANY(:skus) ORDER BY id FOR NO KEY UPDATE
"""
DATE = """
UPDATE promises p SET expected_ship_at = d.at
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS d(line uuid, at timestamptz)
WHERE p.tenant_id = :tenant AND p.order_line_id = d.line AND p.vested_at IS NULL
    AND (SELECT l.backordered FROM order_lines l WHERE l.tenant_id = :tenant AND l.id = d.line) > 0
RETURNING p.order_id
"""
WAITS = """
SELECT id, sku_id FROM order_lines WHERE tenant_id = :tenant AND order_id = :order AND backordered > 0
"""


def supply_changed(scope: Scope, _sku: UUID, *, skus: list[str] | None = None, **_: Any) -> None:
    """Handle SUPPLY_CHANGED: date the lines that wait for these SKUs (None: for all that something is to come of)."""
    refresh(scope, in_reach(scope) if skus is None else [UUID(sku) for sku in skus])


def order_placed(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Date what waits of a new order, and keep the basis on which it was promised: stock alone was none."""
    waits = scope.rows(WAITS, order=order_id)
    if not waits:
        return
    if is_coming(scope):
        refresh(scope, {row.sku_id for row in waits})
    known = records.bases(scope, [row.id for row in waits])
    records.note(scope, order_id, "made", scope.now(), known, key="placed")


def refresh(scope: Scope, skus: Iterable[UUID]) -> None:
    """Work out when the lines that wait for these SKUs can ship. Orders of which a day is another are looked at
    afterwards: one that will be late now is noticed, proposed or told.

    One after the other for a SKU, so that what was read last is what stays.
    """
    turn = sorted(set(skus))
    if not turn or not scope.rows(TURN, skus=turn):
        return
    found = coverage(scope, turn)
    changed = _changed(scope, found)
    if not changed:
        return
    lock_orders(scope, {row.order_id for row, _ in changed[:MOST_LINES]})
    rows = [{"line": row.line, "at": at} for row, at in changed[:MOST_LINES]]
    dated = scope.rows(DATE, doc=orjson.dumps(rows, default=str).decode())
    orders = sorted({row.order_id for row in dated})
    if orders:
        scope.all_later(events.SHIP_DATE_CHANGED, [(order, {}) for order in orders])
    if len(changed) > MOST_LINES:
        scope.later(events.SUPPLY_CHANGED, turn[0], skus=[str(sku) for sku in turn])


def _changed(scope: Scope, found: Coverage) -> list[tuple[Any, datetime | None]]:
    """Lines whose day is another, with the day (None: nobody knows)."""
    shares, wanted = found.of_line(), found.wanted()
    leaves = _departures(scope, found)
    changed, seen = [], set[UUID]()
    for row in found.waiting:
        if row.line in seen:
            continue
        seen.add(row.line)
        own = shares.get(row.line, [])
        covered = sum(share.units for share in own) >= wanted[row.line]
        if covered and all(share.supply is None for share in own):
            continue
        at = _latest(own, leaves, row.release_date, scope.tenant.timezone) if covered else None
        if at != row.expected_ship_at:
            changed.append((row, at))
    return changed


def _latest(
    shares: Sequence[Share],
    leaves: Mapping[tuple[str, date], datetime],
    release: date | None,
    zone: str,
) -> datetime:
    moments = [leaves[one.supply.node, one.supply.expected_on] for one in shares if one.supply is not None]
    if release is not None:
        moments.append(end_of_day(release, zone))
    return max(moments)


def _departures(scope: Scope, found: Coverage) -> dict[tuple[str, date], datetime]:
    """When goods that come to a node on a day leave it, UTC."""
    nodes = {row["code"]: row for row in configuration(scope).made_from.nodes} if found.supplies else {}
    days = {(one.node, one.expected_on) for one in found.supplies}
    tables = {code: Timetable.of(nodes[code]) for code in {code for code, _ in days}}
    return {(code, day): ships_on(end_of_day(day, tables[code].zone), tables[code]) for code, day in days}
