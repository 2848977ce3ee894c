"""The orders that two versions of a what-if send different ways: which of them to keep, and why each goes as it does.

Every slice says what its orders took. So the stock and the loads of any moment can be told again without deciding
anything, and only the orders that are kept are decided once more, to be put in words.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator
from itertools import chain
from typing import Any
from uuid import UUID

from app.routing import past
from app.routing.simulation import Run
from app.routing.slices import AFTER, BEFORE, SIDES, Side, unpacked
from tenants.scope import Scope

MOST_CHANGES = 300
"""Orders that go otherwise that are kept, those where it matters most."""

NEXT_SLICE = """
SELECT position, before, after FROM simulation_slices
WHERE tenant_id = :tenant AND simulation_id = :simulation AND position > :after ORDER BY position LIMIT 1
"""
Pair = dict[str, dict[str, Any]]
"""One order by side, as a slice keeps it."""


def changed(scope: Scope, simulation_id: UUID, sides: dict[str, Side]) -> tuple[int, list[dict[str, Any]]]:
    """How many orders go otherwise, and those to keep, the weightiest first. `sides` as they began."""
    found, took = _Changed(), {name: _Took(sides[name].run) for name in SIDES}
    for at, pair in enumerate(_pairs(scope, simulation_id)):
        found.add(at, pair)
        for name in SIDES:
            took[name].add(pair[name])
    kept = found.weightiest()
    words = _words(scope, sides, took, {pair[AFTER]["order"]: at for at, pair in kept})
    return found.count, [_document(pair, words) for _, pair in kept]


class _Changed:
    """Pairs that differ, counted; only the weightiest stay."""

    def __init__(self) -> None:
        self.count = 0
        self._heap: list[tuple[tuple[float, ...], int, Pair]] = []

    def add(self, at: int, pair: Pair) -> None:
        if pair[BEFORE]["plan"] == pair[AFTER]["plan"]:
            return
        self.count += 1
        if len(self._heap) < MOST_CHANGES:
            heapq.heappush(self._heap, (_weight(pair), at, pair))
        elif _weight(pair) > self._heap[0][0]:
            heapq.heapreplace(self._heap, (_weight(pair), at, pair))

    def weightiest(self) -> list[tuple[int, Pair]]:
        """Each with its place in the past."""
        return [(at, pair) for _, at, pair in sorted(self._heap, reverse=True)]


class _Took:
    """What one version's orders took, as flat numbers: of a long past they fill some megabytes."""

    def __init__(self, run: Run) -> None:
        self.run, self.told = run, 0
        self.taken, self.loaded = array("q"), array("q")
        self.ends = [(0, 0)]

    def add(self, own: dict[str, Any]) -> None:
        """The next order, as a slice keeps it."""
        self.taken.extend(chain.from_iterable(own["taken"]))
        self.loaded.extend(chain.from_iterable(own["loaded"]))
        self.ends.append((len(self.taken), len(self.loaded)))

    def again(self, until: int) -> None:
        """Have the run's stock and loads as they were when the order at this place came."""
        (taken, loaded), (taken_end, loaded_end) = self.ends[self.told], self.ends[until]
        self.told = until
        self.run.again(self.taken[taken:taken_end], self.loaded[loaded:loaded_end])


def _weight(pair: Pair) -> tuple[float, ...]:
    """How much it matters: units, packages, money; then the newer first. No two orders have the same number."""
    before, after = pair[BEFORE], pair[AFTER]
    apart = (abs(after[name] - before[name]) for name in ("lost_units", "packages", "cost"))
    return (*apart, after["number"])


def _pairs(scope: Scope, simulation_id: UUID) -> Iterator[Pair]:
    """Slice by slice, so that never more than one of them is in memory."""
    row = scope.row(NEXT_SLICE, simulation=simulation_id, after=-1)
    while row is not None:
        for before, after in zip(unpacked(row.before), unpacked(row.after), strict=True):
            yield {BEFORE: before, AFTER: after}
        row = scope.row(NEXT_SLICE, simulation=simulation_id, after=row.position)


def _words(
    scope: Scope, sides: dict[str, Side], took: dict[str, _Took], wanted: dict[str, int]
) -> dict[tuple[str, str], str]:
    """By side and order, why it goes as it does. `wanted`: orders by their place in the past."""
    words = {}
    for at, order in past.orders(scope, [UUID(one) for one in wanted]):
        for name, side in sides.items():
            for change in side.coming(past.micros(at)):
                side.run.stock.change(change.position, change.delta)
            took[name].again(until=wanted[order.id])
            decisions = side.run.decisions(order)
            words[name, order.id] = " ".join(decision.sentence for decision in decisions)
    return words


def _document(pair: Pair, words: dict[tuple[str, str], str]) -> dict[str, Any]:
    """An order that goes otherwise, as it is shown."""
    own = pair[AFTER]
    return {
        "order": own["order"],
        "number": own["number"],
        **{name: _outcome(pair[name], words[name, own["order"]]) for name in SIDES},
    }


def _outcome(own: dict[str, Any], sentence: str) -> dict[str, Any]:
    return {
        "plan": [{"node": node, "sku": sku, "quantity": units} for node, sku, units in own["plan"]],
        "sentence": sentence,
        "packages": own["packages"],
        "lost_units": own["lost_units"],
        "cost": round(own["cost"]),
        "miles": round(own["miles"], 1),
        "transit_days": own["transit_days"],
        "days_late": own["days_late"],
    }
