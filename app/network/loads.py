"""Packages already given to each node by the day they leave, for those with a capacity; kept in `node_loads`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Loads:
    """Packages by (node id, day's ordinal), with what this transaction adds."""

    def __init__(self, rows: Iterable[tuple[str, date | str, int]] = ()) -> None:
        self._packages: Counter[tuple[str, int]] = Counter()
        self.added: Counter[tuple[str, int]] = Counter()
        for node, day, packages in rows:
            own = date.fromisoformat(day) if isinstance(day, str) else day
            self._packages[node, own.toordinal()] = packages

    def of(self, nodes: Sequence[str], days: Ints) -> Ints:
        """By node, the packages of its own day."""
        return np.array(
            [self._packages[key] for key in zip(nodes, days.tolist(), strict=True)], dtype=np.int64
        )

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
