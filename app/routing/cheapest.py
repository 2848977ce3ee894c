"""The least-cost plan of one basket, exact, over plain arrays: any package cost up to some dozen lines.

A plan fills the most units; then costs the least; then has the least sum of priority numbers; then the lowest
nodes, compared as sorted tuples; then gives lines in order to the lower node. A line goes whole to one node when
any node holds it whole; only a quantity that none holds is gathered from several. Orders wider than the `tables`
hold are solved by `wide`, for costs that add up over units.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.routing import wide
from app.routing.bills import Bill, Plan, cost_of, ranked
from app.routing.facts import Ints
from app.routing.tables import MOST_STATES, Found, Task

__all__ = ["Bill", "Plan", "best_single", "cheapest", "made", "runner_up"]


def cheapest(bill: Bill) -> Plan | None:
    """The best plan, or None when no unit can be placed."""
    task = Task.of(bill)
    if task is None:
        return None
    if bill.bounded:
        free = cheapest(replace(bill, cap=None, least_value=0))
        if free is not None and _within_bounds(bill, free):
            return free
    if task.size > MOST_STATES:
        return _wide(bill, task)
    task = task.thinned()
    found = task.solved()
    return made(bill, task, found) if found else None


def _within_bounds(bill: Bill, plan: Plan) -> bool:
    """Whether a plan made without bounds keeps them; it is then the best within them too."""
    if bill.cap is not None and len(plan.nodes) > bill.cap:
        return False
    if bill.value is None or len(plan.nodes) == 1:
        return True
    worth = dict.fromkeys(plan.nodes, 0)
    for line, node, units in plan.placements:
        worth[node] += units * int(bill.value[line])
    return min(worth.values()) >= bill.least_value


def runner_up(bill: Bill, plan: Plan, most_nodes: int = 4) -> Plan | None:
    """The best plan that does without at least one of the chosen nodes; None for plans of more than `most_nodes`."""
    if len(plan.nodes) > most_nodes or plan.method != "set":
        return None
    others = [cheapest(bill.without(node)) for node in plan.nodes]
    return min((other for other in others if other), key=lambda other: other.rank, default=None)


def best_single(bill: Bill) -> Plan | None:
    """The best plan of one package."""
    return cheapest(replace(bill, cap=1))


def made(bill: Bill, task: Task, found: Found) -> Plan:
    """The plan of some packages."""
    cost = task.cost(found)
    nodes = [int(task.columns[column]) for column, _ in found]
    if bill.extra is None and not bill.bounded:
        placements = wide.assigned(bill.stock, bill.unit, bill.holds, task.lines, task.need, nodes)
    else:
        placements = [
            (line, node, units)
            for node, (_, state) in zip(nodes, found, strict=True)
            for line, units in enumerate(task.units[state].tolist())
            if units
        ]
    return ranked(bill, placements, cost, "set", True)


def _wide(bill: Bill, task: Task) -> Plan | None:
    """More states than the tables hold: by sets of nodes, or as an integer program; costs that add up only."""
    unit, approximate = bill.unit, bill.extra is not None
    if bill.extra is not None and bill.row is not None:
        unit = bill.unit + _slopes(bill, task)[:, bill.row]
    nodes, exact, method = wide.chosen(
        task.stock * task.step[:, None],
        task.need,
        task.package,
        unit[np.ix_(task.lines, task.columns)],
        bill.priority[task.columns],
        whole=bill.whole[task.lines],
        cap=bill.cap,
    )
    chosen = task.columns[list(nodes)].tolist()
    placements = wide.assigned(bill.stock, unit, bill.holds, task.lines, task.need, chosen)
    if not placements:
        return None
    exact = exact and not approximate and not bill.least_value
    return ranked(bill, placements, cost_of(bill, placements), method, exact)


def _slopes(bill: Bill, task: Task) -> Ints:
    """[line, class]: what a unit of each line adds to a package of everything: a straight line through steps."""
    assert bill.extra is not None
    everything = np.zeros((1 + len(bill.quantity), len(bill.quantity)), dtype=np.int64)
    everything[:, task.lines] = task.need
    everything[np.arange(1, len(everything)), np.arange(len(bill.quantity))] = 0
    costs = bill.extra(everything)
    return ((costs[:, :1] - costs[:, 1:]) // np.maximum(bill.quantity, 1)).T
