"""What a basket costs from where: the bill that `cheapest` and `ordered` settle, and plans as they compare.

Costs are whole numbers (millionths of a minor unit, or of a mile): sums are exact in any order, so a replay finds
the same plan to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.routing.facts import Flags, Ints
from app.routing.kept import kept

FORBIDDEN = 1 << 56
"""As `extra`: no package may hold that."""


@dataclass(frozen=True, eq=False)
class Bill:
    """What to place, what there is, and what it costs.

    `stock[line, node]` is capped at the quantity, 0 where the node may not serve the line. `package[node]` is the
    cost of opening a package there, `unit[line, node]` of each unit; both may be below zero. `extra` gives what a
    package costs besides, by the units in it, one row per class of nodes, and `row[node]` its class: weight
    steps, dimensional weight, floors. `value[line]` is the worth of a unit, `least_value` what each package of a
    divided order must be worth at least (minor units). `gather` is false where no line may be divided.
    """

    quantity: Ints
    stock: Ints
    package: Ints
    unit: Ints
    priority: Ints
    extra: Callable[[Ints], Ints] | None = None  # units[state, line] -> cost[class, state]
    row: Ints | None = None
    cap: int | None = None
    value: Ints | None = None
    least_value: int = 0
    gather: bool = True

    @kept
    def holds(self) -> Flags:
        """[line, node]: the node holds the line whole."""
        return self.stock == self.quantity[:, None]

    @kept
    def whole(self) -> Flags:
        """Lines that some node holds whole."""
        return np.logical_or.reduce(self.holds, axis=1)

    @kept
    def bounded(self) -> bool:
        """Whether packages are limited in number or worth, so that not every unit may find its place."""
        return self.cap is not None or self.least_value > 0

    def without(self, node: int) -> Bill:
        """The same bill as though the node were not there."""
        stock = self.stock.copy()
        stock[:, node] = 0
        return replace(self, stock=stock)


@dataclass(frozen=True, slots=True)
class Plan:
    """Nodes that ship (ascending) and what: (line, node, units) in order of lines. `cost` in the bill's own units.

    `rank` orders plans of one bill, the least is the best. `exact`: proven best.
    """

    nodes: tuple[int, ...]
    placements: tuple[tuple[int, int, int], ...]
    filled: int
    cost: int
    rank: tuple
    method: str
    exact: bool


def ranked(bill: Bill, placements: list[tuple[int, int, int]], cost: int, method: str, exact: bool) -> Plan:
    """A plan with its place in the order of plans."""
    nodes = tuple(sorted({node for _, node, _ in placements}))
    filled = sum([units for _, _, units in placements])
    numbers = sum(map(bill.priority.item, nodes))
    rank = (-filled, cost, numbers, nodes)
    return Plan(nodes, tuple(sorted(placements)), filled, cost, rank, method, exact)


def cost_of(bill: Bill, placements: list[tuple[int, int, int]]) -> int:
    """What some placements cost, in the bill's own units."""
    by_node: dict[int, Ints] = {}
    for line, node, units in placements:
        by_node.setdefault(node, np.zeros(len(bill.quantity), dtype=np.int64))[line] += units
    total = 0
    for node, given in by_node.items():
        total += int(bill.package[node]) + int(bill.unit[:, node] @ given)
        if bill.extra is not None and bill.row is not None:
            total += int(bill.extra(given[None, :])[bill.row[node], 0])
    return total


def within_bounds(bill: Bill, placements: Sequence[tuple[int, int, int]]) -> bool:
    """Whether placements (line, node, units) keep the bill's bounds."""
    worth: dict[int, int] = {}
    for line, node, units in placements:
        value = 0 if bill.value is None else int(bill.value[line])
        worth[node] = worth.get(node, 0) + units * value
    if bill.cap is not None and len(worth) > bill.cap:
        return False
    return len(worth) < 2 or not bill.least_value or min(worth.values()) >= bill.least_value
