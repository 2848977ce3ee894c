"""What plans of one order are worth by its rules: their figures, term by term; and a bill that weighs plans of many
orders against each other. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.routing import figures
from app.routing.bills import FORBIDDEN, Bill, cost_of
from app.routing.configuration import Configuration
from app.routing.facts import MICRO, Basket, Flags, Ints
from app.routing.parts import Part, eligible, handed_out, parts_of
from app.routing.plans import IN_ORDER
from app.routing.policy import LEXICOGRAPHIC, NAMED, Objective, Rule, Split, Term
from app.routing.terms import Given, Goods, Lanes

Placement = tuple[int, int, int]
MONEY = ("shipping", "handling")
MOST_WEIGHT = 1_000_000
"""How much more an earlier figure of an order of figures may weigh than the next one, in a proposal."""


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """One order whose goods go as one part. `bills`: one a term where terms come in order, else one of all."""

    basket: Basket
    part: Part
    lanes: Lanes
    objective: Objective
    bills: tuple[Bill, ...]
    money_bill: Bill
    allowed: Flags
    """[row, node]: the rules allow it, whatever is there."""

    def rows(self, plan: Iterable[Placement]) -> tuple[Placement, ...]:
        """Placements of lines as placements of rows."""
        row_of = {line: row for row, lines in enumerate(self.part.lines) for line in lines}
        units: dict[tuple[int, int], int] = {}
        for line, node, count in plan:
            units[row_of[line], node] = units.get((row_of[line], node), 0) + count
        return tuple(sorted((row, node, count) for (row, node), count in units.items()))

    def lines(self, plan: Sequence[Placement]) -> list[Placement]:
        """Placements of rows as placements of lines."""
        return sorted(handed_out(self.basket, self.part, plan))

    def figures(self, plan: Iterable[Placement]) -> tuple[int, ...]:
        """What a plan comes to by each bill, in millionths of its unit."""
        rows = list(self.rows(plan))
        return tuple(cost_of(bill, rows) for bill in self.bills)

    def money(self, plan: Iterable[Placement]) -> int:
        """Shipping and handling of a plan, in minor units."""
        return round(cost_of(self.money_bill, list(self.rows(plan))) / MICRO)

    def late(self, plan: Iterable[Placement]) -> int:
        """Days after the promise of its latest package."""
        return max((int(self.lanes.late[node]) for _, node, _ in plan), default=0)

    def flat(self, dear: int) -> Bill:
        """A bill of packages and units alone: exact for whole orders and for single lines, near it in between. What
        the rules do not allow costs `dear`."""
        package, unit = self._weighed()
        unit = np.where(self.allowed & (unit < dear), unit, dear)
        return Bill(
            quantity=self.part.quantity,
            stock=np.zeros_like(unit),
            package=np.minimum(package, dear),
            unit=unit,
            priority=self.bills[0].priority,
        )

    @property
    def dearest(self) -> int:
        """What the whole order costs where that is most."""
        package, unit = self._weighed()
        full = package + (unit * self.part.quantity[:, None]).sum(axis=0)
        seen = full[self.allowed.any(axis=0) & (full < FORBIDDEN // 2)]
        return int(seen.max()) if len(seen) else MICRO

    def _weighed(self) -> tuple[Ints, Ints]:
        """All bills as one: an earlier one weighs more than all that a later one can make up for."""
        package, unit = _affine(self.bills[-1])
        for bill in self.bills[-2::-1]:
            own, each = _affine(bill)
            full = package + (unit * self.part.quantity[:, None]).sum(axis=0)
            seen = full[self.allowed.any(axis=0) & (full < FORBIDDEN // 2)]
            spread = int(seen.max() - seen.min()) if len(seen) else 0
            weight = min(2 * spread // MICRO + 1, MOST_WEIGHT)
            package, unit = package + weight * own, unit + weight * each
        return package, unit


def worth_of(
    configured: Configuration,
    basket: Basket,
    rule: Rule,
    excluded: Collection[tuple[int | None, int]],
) -> Worth | None:
    """None for an order of which parts go different ways, or all as one: it is left as it stands."""
    network = configured.network
    lanes = Lanes(network, basket)
    position, strategy = rule.strategy_for(basket)
    parts = parts_of(network, basket, basket.available, rule)
    if len(parts) != 1 or parts[0].whole or not parts[0].is_goods:
        return None
    part = parts[0]
    allowed = eligible(network, basket, part, strategy, (rule.digest, position), lanes, excluded)
    given: Given = (
        network,
        Goods.of(basket, part.lines, part.quantity, part.available),
        lanes,
        configured.prices,
    )
    objective = strategy.objective
    if objective.mode in NAMED:
        objective = Objective(LEXICOGRAPHIC, IN_ORDER[objective.mode])
    return Worth(
        basket,
        part,
        lanes,
        objective,
        tuple(_bills(objective, given, allowed.stock, allowed.nodes)),
        figures.bill(
            [(Term(name), figures.figure(name, given)) for name in MONEY], allowed.stock, given, Split()
        ),
        allowed.stock > 0,
    )


def _bills(objective: Objective, given: Given, stock: Ints, nodes: Flags) -> Iterable[Bill]:
    if objective.mode != LEXICOGRAPHIC:
        yield figures.bill(figures.weighed(objective, given, nodes), stock, given, Split())
        return
    for term in objective.terms:
        figure = figures.figure(term.name, given)
        yield figures.bill([(replace(term, weight=1.0), figure)], stock, given, Split())


def _affine(bill: Bill) -> tuple[Ints, Ints]:
    """(package, unit) with what a package costs by its contents put on both: right for one line and for all."""
    if bill.extra is None or bill.row is None:
        return bill.package, bill.unit
    lines = len(bill.quantity)
    alone = bill.extra(np.diag(bill.quantity))[bill.row].T
    opening = alone[0]
    if lines > 1:
        together = bill.extra(bill.quantity[None, :])[bill.row, 0]
        opening = (
            np.minimum(alone, FORBIDDEN // 64).sum(axis=0) - np.minimum(together, FORBIDDEN // 64)
        ) // (lines - 1)
        opening = np.where(together >= FORBIDDEN, alone.min(axis=0), opening)
    unit = bill.unit + (alone - opening) // bill.quantity[:, None]
    return bill.package + opening, unit
