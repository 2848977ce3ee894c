"""Holds of quotes on stock, ended: their units are free again, whatever ended them but an order.

Locks: quotes first, in the order of their ids; orders and work after them, stock last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.inventory.ledger import Ledger
from tenants.scope import Scope

DUE = """
SELECT id FROM quotes WHERE tenant_id = :tenant AND ended_at IS NULL AND held_until <= :now
ORDER BY id FOR UPDATE
"""
ON_POSITIONS = """
SELECT h.quote_id, h.position_id, h.units FROM quote_holds h
JOIN quotes q ON q.tenant_id = :tenant AND q.id = h.quote_id
WHERE h.tenant_id = :tenant AND h.position_id = ANY(:positions) ORDER BY q.held_until DESC, q.id
"""
LOCK = """
SELECT id FROM quotes WHERE tenant_id = :tenant AND id = ANY(:ids) AND ended_at IS NULL ORDER BY id FOR UPDATE
"""
UNITS = """
SELECT position_id, sum(units) AS units FROM quote_holds WHERE tenant_id = :tenant AND quote_id = ANY(:ids)
GROUP BY position_id
"""
END = """
WITH gone AS (
    DELETE FROM quote_holds WHERE tenant_id = :tenant AND quote_id = ANY(:ids)
)
UPDATE quotes SET ended_at = :now, ended_by = :cause WHERE tenant_id = :tenant AND id = ANY(:ids)
"""


@dataclass(frozen=True)
class Holds:
    """Quotes, locked, that are about to end, and the units by position that they hold together."""

    quotes: Sequence[UUID] = ()
    units: Mapping[UUID, int] = field(default_factory=dict)

    def release(self, ledger: Ledger) -> set[UUID]:
        """Give the units back on positions that the ledger has locked. Returns the SKUs of which some came free."""
        for position, units in self.units.items():
            ledger.release(ledger.by_id[position], units)
        return {ledger.by_id[position].place[1] for position in self.units}


def due(scope: Scope) -> Holds:
    """The holds whose minutes are over, on the tenant's clock."""
    return _of(scope, [row.id for row in scope.rows(DUE, now=scope.now())])


def of(scope: Scope, quote_id: UUID) -> Holds:
    """The hold of one quote; none where it has ended."""
    return _of(scope, [row.id for row in scope.rows(LOCK, ids=[quote_id])])


def given_way(scope: Scope, short: Mapping[UUID, int]) -> Holds:
    """The holds that give way to a loss of stock (position -> units short): whole quotes, the last to lapse first,
    before any order does."""
    if not short:
        return Holds()
    left, chosen = dict(short), set()
    for row in scope.rows(ON_POSITIONS, positions=list(short)):
        if left[row.position_id] > 0:
            chosen.add(row.quote_id)
            left[row.position_id] -= row.units
    return _of(scope, [row.id for row in scope.rows(LOCK, ids=list(chosen))]) if chosen else Holds()


def end(scope: Scope, holds: Holds, cause: str) -> None:
    """Write that these holds have ended. The units are the caller's ledger's."""
    if holds.quotes:
        scope.execute(END, ids=list(holds.quotes), now=scope.now(), cause=cause)


def give_back(scope: Scope, holds: Holds, cause: str) -> Iterable[UUID]:
    """End these holds. Returns the SKUs of which units came free."""
    if not holds.quotes:
        return ()
    ledger = Ledger(scope, ids=list(holds.units))
    freed = holds.release(ledger)
    ledger.write()
    end(scope, holds, cause)
    return freed


def _of(scope: Scope, quotes: Sequence[UUID]) -> Holds:
    if not quotes:
        return Holds()
    rows = scope.rows(UNITS, ids=list(quotes))
    return Holds(quotes, {row.position_id: int(row.units) for row in rows})
