"""Positions and their ledger: rows locked in one order, changed together with their movements.

Callers hold the locks of the orders concerned already: orders come first, then fulfillment orders, then stock
by (node, SKU, id).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from infra.ids import new_id
from tenants.scope import Scope

Place = tuple[UUID, UUID, str, str]
"""(node id, SKU id, disposition, segment)"""


@dataclass
class Position:
    """One locked row of stock, as it will be when written."""

    id: UUID
    place: Place
    on_hand: int
    reserved: int
    safety: int
    moved: int = 0
    released: int = 0
    resafed: bool = False
    """The safety stock is another."""

    @property
    def free(self) -> int:
        """Units nobody has reserved, beyond the safety stock."""
        return max(0, self.on_hand - self.reserved - self.safety)


MAKE = """
INSERT INTO stock_positions (tenant_id, id, node_id, sku_id, disposition, segment)
SELECT :tenant, p.id, p.node_id, p.sku_id, p.disposition, p.segment
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS p(id uuid, node_id uuid, sku_id uuid, disposition text,
    segment text)
ORDER BY p.node_id, p.sku_id, p.disposition, p.segment
ON CONFLICT (tenant_id, sku_id, node_id, disposition, segment) DO NOTHING
"""
LOCK = """
SELECT p.id, p.node_id, p.sku_id, p.disposition, p.segment, p.on_hand, p.reserved, p.safety
FROM stock_positions p
WHERE p.tenant_id = :tenant AND (p.id = ANY(:ids) OR (p.sku_id, p.node_id, p.disposition, p.segment) IN (
    SELECT w.sku_id, w.node_id, w.disposition, w.segment
    FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS w(node_id uuid, sku_id uuid, disposition text, segment text)))
ORDER BY p.node_id, p.sku_id, p.id FOR UPDATE
"""
WRITE = """
UPDATE stock_positions p SET on_hand = p.on_hand + c.moved, reserved = p.reserved - c.released, safety = c.safety
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS c(id uuid, moved bigint, released bigint, safety bigint)
WHERE p.tenant_id = :tenant AND p.id = c.id
"""
MOVE = """
INSERT INTO stock_movements (tenant_id, id, position_id, delta, cause, reason, reference, actor, at)
SELECT :tenant, m.id, m.position_id, m.delta, m.cause, m.reason, m.reference, :actor, :now
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS m(id uuid, position_id uuid, delta bigint, cause text,
    reason text, reference text)
"""


class Ledger:
    """The positions of one verb: locked once, changed in memory, written in two statements."""

    def __init__(self, scope: Scope, places: Iterable[Place] = (), ids: Iterable[UUID] = ()) -> None:
        """Lock the positions at these places (made where missing) and those with these ids."""
        self._scope = scope
        wanted = sorted(set(places), key=str)
        rows = [
            {"id": new_id(), "node_id": node, "sku_id": sku, "disposition": kind, "segment": segment}
            for node, sku, kind, segment in wanted
        ]
        document = _json(rows)
        if rows:
            scope.execute(MAKE, doc=document)
        self.by_id: dict[UUID, Position] = {}
        self.by_place: dict[Place, Position] = {}
        self._movements: list[dict[str, Any]] = []
        for row in scope.rows(LOCK, ids=list(ids), doc=document):
            place = (row.node_id, row.sku_id, row.disposition, row.segment)
            position = Position(row.id, place, row.on_hand, row.reserved, row.safety)
            self.by_id[row.id] = self.by_place[place] = position

    def move(self, position: Position, delta: int, cause: str, reason: str = "", reference: str = "") -> None:
        """Change units on hand, with the movement that says why."""
        if not delta:
            return
        position.on_hand += delta
        position.moved += delta
        self._movements.append(
            {
                "id": new_id(),
                "position_id": position.id,
                "delta": delta,
                "cause": cause,
                "reason": reason,
                "reference": reference,
            }
        )

    def release(self, position: Position, units: int) -> None:
        """Give reserved units back; a negative number reserves."""
        position.reserved -= units
        position.released += units

    def keep_back(self, position: Position, units: int) -> None:
        """Say how many units are safety stock."""
        position.resafed = position.resafed or units != position.safety
        position.safety = units

    def write(self) -> None:
        """Write every changed position and the movements."""
        changed = [one for one in self.by_id.values() if one.moved or one.released or one.resafed]
        if changed:
            rows = [
                {"id": one.id, "moved": one.moved, "released": one.released, "safety": one.safety}
                for one in changed
            ]
            self._scope.execute(WRITE, doc=_json(rows))
        if self._movements:
            self._scope.execute(
                MOVE, doc=_json(self._movements), actor=str(self._scope.actor), now=self._scope.now()
            )


def _json(rows: list[Mapping[str, Any]] | list[dict[str, Any]]) -> str:
    return orjson.dumps(rows, default=str).decode()
