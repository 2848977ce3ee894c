"""The best packages node by node: for quantities that are gathered, for packages that must be worth something, and
where one node would serve twice in the `tables`.

least[S] from the last node to the first: what the nodes from here on cost at least for S. No node serves twice.
"""

from __future__ import annotations

import numpy as np

from app.routing import ties
from app.routing.bills import FORBIDDEN
from app.routing.facts import Ints
from app.routing.states import NEVER
from app.routing.tables import Found, Task

FEW_NODES = 24  # so few are quicker solved than thinned
FIRST_PER_LINE = 6  # cheapest nodes of each line that the first, rough plan is made of


def solved(task: Task) -> Found | None:
    """The packages of the best plan, within the bounds of its bill; None if nothing may be placed."""
    thinned = _thinned(task)
    found = _solved(thinned)
    columns = np.searchsorted(task.columns, thinned.columns).tolist()
    return None if found is None else [(columns[column], state) for column, state in found]


def _solved(task: Task) -> Found | None:
    cap, least_value = task.bill.cap, task.bill.least_value
    alone = keys = task.every
    if least_value:
        keys = np.where(task.worth >= least_value, keys, NEVER)
    layers = 0 if cap is None else min(cap, int(task.steps.sum()))
    tables = _tables(task, keys, layers, limited=cap is not None)
    divided, single = tables[0, layers], alone.min(axis=0)
    reached = (divided < NEVER) | (single < NEVER)
    reached[0] = False
    if not reached.any():
        return None
    filled = np.where(reached, task.units.sum(axis=1), -1)
    wanted = (filled == filled.max()).nonzero()[0]
    value = int(min(divided[wanted].min(), single[wanted].min()))
    found = []
    whole = wanted[single[wanted] == value]
    if len(whole):
        column = int((alone[:, whole] == value).any(axis=1).argmax())
        found.append(([column], alone, whole[alone[column, whole] == value].tolist()))
    ends = wanted[divided[wanted] == value].tolist()
    if ends:
        found.append((_nodes(task, tables, keys, ends, layers, cap is not None), keys, ends))
    nodes, costs, ends = min(found, key=lambda one: one[0])
    return ties.in_order(task.states, costs[nodes], nodes, ends, value)


def _tables(task: Task, keys: Ints, layers: int, limited: bool) -> Ints:
    """[column, packages left, state]: the least over the columns from here on. Without a limit one layer does."""
    columns, states = len(task.columns), task.states
    tables = np.full((columns + 1, layers + 1, states.size), NEVER, dtype=np.int64)
    tables[columns, :, 0] = 0
    for column in range(columns - 1, -1, -1):
        for left in range(layers + 1):
            before = tables[column + 1, left]
            if limited and left == 0:
                tables[column, left] = before
                continue
            after = states.added(keys[column], tables[column + 1, left - limited])
            tables[column, left] = np.minimum(before, after)
    return tables


def _nodes(task: Task, tables: Ints, keys: Ints, ends: list[int], layers: int, limited: bool) -> list[int]:
    """The lowest columns of any best plan: each that may ship does, in every way that is still as good."""
    nodes: list[int] = []
    open_states = {(state, layers) for state in ends}
    for column in range(len(keys)):
        if any(state == 0 for state, _ in open_states):
            break
        after: set[tuple[int, int]] = set()
        for state, left in open_states:
            if limited and not left:
                continue
            parts = task.states.within(state)
            sums = keys[column, parts] + tables[column + 1, left - limited][state - parts]
            hits = parts[sums == tables[column, left][state]]
            after |= {(state - part, left - limited) for part in hits.tolist()}
        if after:
            nodes.append(column)
            open_states = after
    return nodes


# ---- fewer nodes


def _thinned(task: Task) -> Task:
    """Without columns that no best plan has: each would cost more than a plan that is already there."""
    package = _least_packages(task)
    forbidden = task.extra is not None and bool((task.extra >= FORBIDDEN).any())
    if len(task.columns) <= FEW_NODES or task.bill.bounded or forbidden or package.min() < 0:
        return task
    rough = task.only(_first_columns(task, package))
    found = _solved(rough)
    assert found is not None
    known = rough.cost(found)
    kept = _floors(task, package) <= known
    kept[np.searchsorted(task.columns, rough.columns[[column for column, _ in found]])] = True
    return task.only(kept.nonzero()[0])


def _least_packages(task: Task) -> Ints:
    """[column]: the least that any package costs there besides its units, whatever is in it."""
    package = task.bill.package[task.columns]
    if task.extra is None or task.bill.row is None:
        return package
    return package + task.extra[:, 1:].min(axis=1)[task.bill.row[task.columns]]


def _first_columns(task: Task, package: Ints) -> Ints:
    """For each line its cheapest columns, and as many as hold what it needs."""
    chosen = np.zeros(len(task.columns), dtype=bool)
    for stock, unit, steps in zip(task.stock, task.unit, task.steps.tolist(), strict=True):
        order = np.where(stock > 0, package + unit, NEVER).argsort(kind="stable")
        enough = int((np.cumsum(stock[order]) < steps).sum()) + 1
        chosen[order[: max(FIRST_PER_LINE, enough)]] = True
    chosen &= np.logical_or.reduce(task.stock > 0)
    alone = np.logical_and.reduce(task.stock >= task.steps[:, None]).nonzero()[0]
    if len(alone):
        costs = package[alone] + task.steps @ task.unit[:, alone]
        chosen[alone[costs.argsort(kind="stable")[:FIRST_PER_LINE]]] = True
    return chosen.nonzero()[0]


def _floors(task: Task, package: Ints) -> Ints:
    """[column]: no plan with this column costs less."""
    there = task.stock > 0
    least = np.where(there, task.unit, NEVER).min(axis=1)
    above = np.where(there, task.unit - least[:, None], NEVER).min(axis=0)
    alone = np.logical_and.reduce(task.stock >= task.steps[:, None])
    other = np.where(alone, 0, package.min())
    return package + above + other + int(least @ task.steps)
