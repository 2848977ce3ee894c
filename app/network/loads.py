"""Packages already given to each node by the day they leave, for those with a capacity; kept in `node_loads`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

LOADS = """
SELECT node_id, day, packages FROM node_loads WHERE tenant_id = :tenant AND day >= :today
UNION ALL
SELECT f.node_id, NULL, count(*) FROM nodes n
JOIN fulfillment_orders f ON f.tenant_id = :tenant AND f.node_id = n.id AND f.work_status IN ('open', 'picking')
WHERE n.tenant_id = :tenant AND n.capacity_per_hour IS NOT NULL GROUP BY f.node_id
"""
"""Packages by day of nodes with a capacity by day; without a day, those that nodes with a pace have still to do."""


class Loads:
    """Packages by (node id, day's ordinal), and those a node has still to do, with what this transaction adds."""

    def __init__(self, rows: Iterable[tuple[str, date | str | None, int]] = ()) -> None:
        self._packages: Counter[tuple[str, int]] = Counter()
        self._ahead: Counter[str] = Counter()
        self.added: Counter[tuple[str, int]] = Counter()
        for node, day, packages in rows:
            if day is None:
                self._ahead[node] = packages
                continue
            own = date.fromisoformat(day) if isinstance(day, str) else day
            self._packages[node, own.toordinal()] = packages

    def of(self, nodes: Sequence[str], days: Ints) -> Ints:
        """By node, the packages of its own day."""
        return np.array(
            [self._packages[key] for key in zip(nodes, days.tolist(), strict=True)], dtype=np.int64
        )

    def ahead(self, nodes: Sequence[str]) -> Ints:
        """By node, the packages it has still to do."""
        return np.array([max(self._ahead[node], 0) for node in nodes], dtype=np.int64)

    def queue(self, node: str, packages: int = 1) -> None:
        """A node has packages more to do; below zero fewer."""
        self._ahead[node] += packages

    def add(self, node: str, day: int, packages: int = 1) -> None:
        """Give a node packages; below zero takes them back."""
        self._packages[node, day] += packages
        self.added[node, day] += packages

    def rows(self, capacities: Mapping[str, int | None]) -> list[dict[str, object]]:
        """What to add, for the write: [{node_id, day, packages, capacity}], in the order that rows are locked.

        A day that a rule overloads has no capacity: it looked past the limit.
        """
        return [
            {
                "node_id": node,
                "day": date.fromordinal(day).isoformat(),
                "packages": packages,
                "capacity": self._limit(node, day, capacities),
            }
            for (node, day), packages in sorted(self.added.items())
            if packages
        ]

    def _limit(self, node: str, day: int, capacities: Mapping[str, int | None]) -> int | None:
        limit = capacities.get(node)
        return None if limit is None or self._packages[node, day] > limit else limit
