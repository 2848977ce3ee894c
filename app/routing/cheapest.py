"""The least-cost plan of one basket, exact, over plain arrays: any package cost up to some dozen lines.

A plan fills the most units; then costs the least; then has the least sum of priority numbers; then the lowest
nodes, compared as sorted tuples; then gives lines in order to the lower node. A line goes whole to one node when
any node holds it whole; only a quantity that none holds is gathered from several. Orders wider than the `tables`
hold are solved by `wide`, for costs that add up over units.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.routing import turns, wide
from app.routing.bills import FORBIDDEN, Bill, Plan, cost_of, ranked, within_bounds
from app.routing.facts import Ints
from app.routing.levels import capped, complete, spared
from app.routing.states import DEAREST
from app.routing.tables import MOST_STATES, Found, Task

__all__ = ["Bill", "Plan", "best_single", "cheapest", "compared", "made"]

Compared = tuple[Plan | None, Plan | None, Plan | None]
"""The best plan, its runner-up, the best plan of one package."""


def cheapest(bill: Bill, task: Task | None = None) -> Plan | None:
    """The best plan, or None when no unit can be placed. `task`: its task, where there is one already."""
    task = task or Task.of(bill)
    return None if task is None else _best(bill, task)


def compared(bill: Bill, most_nodes: int = 4) -> Compared:
    """The best plan; the best that does without at least one of its nodes; and the best of one package.

    No runner-up is sought for plans of more than `most_nodes`, nor for those of an integer program.
    """
    task = Task.of(bill)
    plan = None if task is None else _best(bill, task)
    if task is None or plan is None:
        return None, None, None
    single = plan if len(plan.nodes) == 1 else _single(bill, task)
    if len(plan.nodes) > most_nodes or plan.method != "set":
        return plan, None, single
    return plan, _runner_up(bill, task, plan), single


def best_single(bill: Bill) -> Plan | None:
    """The best plan of one package."""
    gives = np.where(bill.holds, bill.stock, 0)
    if not bill.whole.all() and bill.gather:
        gives = np.where(bill.whole[:, None], gives, bill.stock)
    filled = np.add.reduce(gives)
    most = int(filled.max(initial=0))
    if not most:
        return None
    nodes = (filled == most).nonzero()[0]
    given = gives[:, nodes]
    costs = bill.package[nodes] + np.add.reduce(bill.unit[:, nodes] * given)
    if bill.extra is not None and bill.row is not None:
        ways, way = (given[:, :1], 0) if (given == given[:, :1]).all() else (given, np.arange(len(nodes)))
        extra = bill.extra(ways.T)[bill.row[nodes], way]
        if (extra >= FORBIDDEN).any():
            return cheapest(replace(bill, cap=1))
        costs = costs + extra
    at = int(np.lexsort((bill.priority[nodes], costs))[0])
    placements = [(line, int(nodes[at]), units) for line, units in enumerate(given[:, at].tolist()) if units]
    return ranked(bill, placements, int(costs[at]), "set", True)


def made(bill: Bill, task: Task, found: Found) -> Plan:
    """The plan of some packages."""
    placements = [
        (line, node, units)
        for node, state in [(int(task.columns[column]), state) for column, state in found]
        for line, units in enumerate(task.units[state].tolist())
        if units
    ]
    return ranked(bill, placements, task.cost(found), "set", True)


def _single(bill: Bill, task: Task) -> Plan | None:
    """The best plan of one package. Where a node holds everything, or the table is of all nodes, the tables that are
    there tell."""
    if task.binary and task.size <= MOST_STATES and not task.shift:
        column = int(task.alone.argmin())
        if task.alone[column] < DEAREST:
            return made(bill, task, [(column, task.size - 1)])
        if task.is_small:
            units, states = task.fullest
            columns = (units == units.max()).nonzero()[0]
            keys = task.every[columns, states[columns]]
            at = int(keys.argmin())
            if keys[at] < DEAREST:
                return made(bill, task, [(int(columns[at]), int(states[columns[at]]))])
    return best_single(bill)


def _best(bill: Bill, task: Task) -> Plan | None:
    """Where everything can be placed and the plan keeps the bounds, it is the best within them too."""
    if task.size > MOST_STATES:
        return _wide(bill, task)
    if task.binary:
        plan = _by_tables(bill, task)
        if plan is not None:
            return plan
    elif bill.bounded:
        free = cheapest(replace(bill, cap=None, least_value=0))
        if free is not None and within_bounds(bill, free.placements):
            return free
    found = turns.solved(task)
    return made(bill, task, found) if found else None


def _by_tables(bill: Bill, task: Task, without: int | None = None) -> Plan | None:
    """The best plan of lines that are whole, as though a column were not there; None where nodes must be taken in
    turns."""
    found = complete(task, without)
    if found is not None:
        plan = made(bill, task, found)
        if not bill.bounded or within_bounds(bill, plan.placements):
            return plan
    if bill.least_value:
        return None
    found = capped(task, bill.cap or len(task.lines), without)
    return None if found is None else made(bill, task, found)


def _runner_up(bill: Bill, task: Task, plan: Plan) -> Plan | None:
    """Where the other nodes still hold every line, the tables that are there tell; else the order is another one."""
    columns = task.columns.searchsorted(plan.nodes).tolist()
    spare = columns if task.binary else []
    if spare and np.minimum.reduce(task.holders) < 2:
        single = task.holds[task.holders < 2]
        spare = [column for column in columns if not single[:, column].any()]
    others, unknown = _spared(bill, task, spare)
    for column in [*unknown, *(column for column in columns if column not in spare)]:
        node = int(task.columns[column])
        less = bill.without(node)
        most = np.minimum(np.add.reduce(less.stock, axis=1), bill.quantity).sum()
        if others and most < min(others, key=lambda other: other.rank).filled:
            continue
        other = cheapest(less)
        if other is not None:
            others.append(other)
    return min(others, key=lambda other: other.rank, default=None)


def _spared(bill: Bill, task: Task, columns: list[int]) -> tuple[list[Plan], list[int]]:
    """Plans among which is the best that does without one of these columns, and those columns of which the tables
    cannot tell. All at once where whole numbers of the tables are a plan's cost itself."""
    if columns and not bill.bounded and not task.shift:
        found = spared(task, columns)
        if found is not None:
            return [made(bill, task, each) for each in found], []
    plans = [(column, _by_tables(bill, task, column)) for column in columns]
    return (
        [plan for _, plan in plans if plan is not None],
        [column for column, plan in plans if plan is None],
    )


def _wide(bill: Bill, task: Task) -> Plan | None:
    """More states than the tables hold: by sets of nodes, or as an integer program; costs that add up only."""
    unit, approximate = bill.unit, bill.extra is not None
    if bill.extra is not None and bill.row is not None:
        unit = bill.unit + _slopes(bill, task)[:, bill.row]
    nodes, exact, method = wide.chosen(
        task.stock * task.step[:, None],
        task.need,
        bill.package[task.columns],
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
