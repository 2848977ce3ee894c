"""Whether nodes refused the newest plan of an order, and who says where its goods go now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.events import WORK_REJECTED, WORK_SHORT
from app.routing.clauses import counted, listed
from tenants.scope import Scope

SINCE = """
SELECT t.data->>'node' AS node, coalesce(n.name, t.data->>'node') AS name, t.data->>'reason' AS reason,
    CAST(t.data->>'units' AS bigint) AS units, t.at
FROM timeline t LEFT JOIN nodes n ON n.tenant_id = :tenant AND n.code = t.data->>'node'
WHERE t.tenant_id = :tenant AND t.order_id = :order AND t.name IN (:rejected, :short) AND t.at > :since
ORDER BY t.id
"""
LEFT = """
SELECT e.id, e.kind, e.reason, e.opened_at, w.units FROM (
    SELECT coalesce(sum(backordered), 0)::bigint AS units FROM order_lines
    WHERE tenant_id = :tenant AND order_id = :order) w
LEFT JOIN routing_exceptions e ON e.tenant_id = :tenant AND e.order_id = :order AND e.state = 'open'
    AND e.kind IN ('nowhere', 'cycles')
ORDER BY e.id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """Refusals since the newest plan was made, the oldest first; the exception that a person has to decide, where
    there is one; and units of the order that wait."""

    refusals: Sequence[Any]
    exception: Any | None
    waiting: int

    @property
    def nodes(self) -> set[str]:
        """Codes of the nodes that refused."""
        return {one.node for one in self.refusals}

    def words(self, plan: Sequence[Mapping[str, Any]]) -> str:
        """What became of the plan, in a sentence or two; empty while it stands."""
        if not self.refusals:
            return ""
        whole = self.nodes.issuperset(one["node"] for one in plan)
        by = listed([f"{one.name} ({one.reason.replace('_', ' ')})" for one in self.refusals], "and")
        return f"{'This plan' if whole else 'A part of the work'} was refused by {by}. {self._next()}"

    def _next(self) -> str:
        if not self.waiting:
            return "What was refused is canceled."
        waits = f"{counted(self.waiting, 'unit').capitalize()} {'waits' if self.waiting == 1 else 'wait'}"
        return f"{waits} until a person decides." if self.exception else f"{waits} for another place."


def refused(scope: Scope, order_id: UUID, since: datetime) -> Refused:
    """What happened to a plan after the moment it was made."""
    [left] = scope.rows(LEFT, order=order_id)
    return Refused(
        scope.rows(SINCE, order=order_id, rejected=WORK_REJECTED, short=WORK_SHORT, since=since),
        left if left.id else None,
        left.units,
    )
