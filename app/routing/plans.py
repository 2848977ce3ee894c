"""The best plan of one part by its strategy's objective, its runner-up, and what each costs term by term."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.routing import cheapest, figures, kernel
from app.routing.cheapest import Bill
from app.routing.facts import FEWEST, MICRO, NEAREST, PRIORITY, Basket, Network
from app.routing.figures import Figure
from app.routing.kernel import Plan, Task
from app.routing.ordered import best_in_order
from app.routing.parts import Eligible, Part
from app.routing.policy import COST, LEXICOGRAPHIC, NAMED, Objective, Split, Strategy, Term
from app.routing.terms import Given, Goods, Lanes, Prices

Rows = list[tuple[int, int, int]]
"""[(row of the part, node, units)]"""
MOST_PACKAGES, LEAST_VALUE = "max_packages", "least_package_value"
MOST_LOOKED_AT = 4  # packages of a plan up to which its runner-up is looked for
IN_ORDER = {
    FEWEST: (Term("packages"), Term("distance")),
    PRIORITY: (Term("packages"), Term("priority"), Term("distance")),
    NEAREST: (Term("distance"),),
}
"""The named objectives as terms, for splits that only bills know."""


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A plan with its placements, and those it was compared with. `money` of each: amounts by term, minor units."""

    task: Task
    plan: Plan | None
    rows: Rows
    runner_up: Plan | None
    best_single: Plan | None
    money: dict[str, dict[str, float]] = field(default_factory=dict)
    objective: Objective = field(default_factory=Objective)


def solve(
    network: Network,
    basket: Basket,
    part: Part,
    allowed: Eligible,
    lanes: Lanes,
    strategy: Strategy,
    prices: Prices,
    relaxed: frozenset[str] = frozenset(),
    compare: bool = True,
) -> Solved:
    """The best plan of a part; if so asked, with those it is compared with and the amounts of each. Lines that are made
    or digital go by fewest packages, whatever the strategy says."""
    split = _split(strategy.split, relaxed) if part.is_goods else Split()
    objective = strategy.objective if part.is_goods else Objective()
    by_name = objective.mode in NAMED
    task = Task(
        part.quantity,
        allowed.stock,
        lanes.distance,
        network.priority,
        objective.mode if by_name else FEWEST,
        split.max_packages,
    )
    if by_name and split.lines and not split.least_package_value:
        return _by_name(task, compare)
    goods = (
        Goods.together(basket, part.lines[0])
        if part.whole
        else Goods.of(basket, part.lines, part.quantity, part.available)
    )
    given: Given = (network, goods, lanes, prices)
    if by_name:
        objective = Objective(LEXICOGRAPHIC, IN_ORDER[objective.mode])
    return _by_bill(task, objective, split, given, allowed, compare)


def _split(split: Split, relaxed: frozenset[str]) -> Split:
    return replace(
        split,
        max_packages=None if MOST_PACKAGES in relaxed else split.max_packages,
        least_package_value=0 if LEAST_VALUE in relaxed else split.least_package_value,
    )


def _by_name(task: Task, compare: bool) -> Solved:
    plan = kernel.best(task)
    if plan is None:
        return Solved(task, None, [], None, None)
    if not compare:
        return Solved(task, plan, kernel.place(task, plan), None, None)
    single = plan if len(plan.nodes) == 1 else kernel.best_single(task)
    return Solved(task, plan, kernel.place(task, plan), kernel.runner_up(task, plan), single)


def _by_bill(
    task: Task, objective: Objective, split: Split, given: Given, allowed: Eligible, compare: bool
) -> Solved:
    other: cheapest.Plan | None = None
    single: cheapest.Plan | None = None
    if objective.mode == LEXICOGRAPHIC:
        counted = [(replace(term, weight=1.0), figures.figure(term.name, given)) for term in objective.terms]
        bills = [figures.bill([each], task.stock, given, split) for each in counted]
        tolerances = [term.tolerance for term in objective.terms]
        if compare:
            plan, other, single = _compared(bills, tolerances)
        else:
            plan = best_in_order(bills, tolerances)
    else:
        counted = figures.weighed(objective, given, allowed.nodes)
        bill = figures.bill(counted, task.stock, given, split)
        if compare:
            plan, other, single = cheapest.compared(bill, MOST_LOOKED_AT)
        else:
            plan = cheapest.cheapest(bill)
    if plan is None:
        return Solved(task, None, [], None, None)
    if not compare:
        return Solved(task, _measured(task, plan), list(plan.placements), None, None, objective=objective)
    return Solved(
        task,
        _measured(task, plan),
        list(plan.placements),
        None if other is None else _measured(task, other),
        None if single is None else _measured(task, single),
        _money(counted, {"plan": plan, "runner_up": other, "best_single": single}, objective),
        objective,
    )


def _compared(bills: list[Bill], tolerances: list[float]) -> cheapest.Compared:
    """As `cheapest.compared`, for figures in order."""

    def best(change: Callable[[Bill], Bill]) -> cheapest.Plan | None:
        return best_in_order([change(bill) for bill in bills], tolerances)

    plan = best(lambda bill: bill)
    if plan is None:
        return None, None, None
    single = plan if len(plan.nodes) == 1 else best(lambda bill: replace(bill, cap=1))
    if len(plan.nodes) > MOST_LOOKED_AT or plan.method != "set":
        return plan, None, single
    others = [best(lambda bill, node=node: bill.without(node)) for node in plan.nodes]  # type: ignore[misc]
    other = min((other for other in others if other), key=lambda other: other.rank, default=None)
    return plan, other, single


def _measured(task: Task, plan: cheapest.Plan) -> Plan:
    """The same plan with its miles, as explanations compare plans."""
    distance = sum(map(task.distance.item, plan.nodes))
    return Plan(plan.nodes, plan.filled, distance, plan.rank, plan.method, plan.exact)


def _money(
    counted: Sequence[tuple[Term, Figure]], plans: Mapping[str, cheapest.Plan | None], objective: Objective
) -> dict[str, dict[str, float]]:
    """Of each plan by term, in the term's own unit, to the hundredth; the first package is no split."""
    there = {name: plan for name, plan in plans.items() if plan is not None}
    found = _amounts(counted, list(there.values()), objective)
    return {
        name: {
            term.name: round(amount / MICRO - (term.name == "split_penalty"), 2)
            for (term, _), amount in zip(counted, amounts, strict=True)
        }
        for name, amounts in zip(there, found, strict=True)
    }


def _amounts(
    counted: Sequence[tuple[Term, Figure]], plans: Sequence[cheapest.Plan], objective: Objective
) -> list[list[int]]:
    """Of each plan by figure, in millionths of its unit. Where one figure alone is not added up over packages and
    units, it is what the others leave of the plan's cost."""
    named, placements = [one for _, one in counted], [plan.placements for plan in plans]
    weights = [term.weight for term, _ in counted]
    others = [at for at, one in enumerate(named) if one.extra is not None]
    whole = objective.mode == COST and all(weight == int(weight) for weight in weights)
    if len(others) != 1 or weights[others[0]] != 1 or not whole:
        return figures.amounts(named, placements)
    found = figures.added_up(named, placements)
    for plan, own in zip(plans, found, strict=True):
        own[others[0]] += plan.cost - sum(
            [amount * int(weight) for amount, weight in zip(own, weights, strict=True)]
        )
    return found
