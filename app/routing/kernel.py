"""The choice of nodes for one basket, exact, over plain arrays. Names and texts are added by `rules.decide`.

The plan that stands is the first in this order: most units filled, then the objective, then the least sum of
priority numbers, then the node positions compared as sorted tuples. A line goes whole to one node when any
single node holds it; a quantity that none holds is gathered from several. Given the nodes, what they fill is
known, so everything is a search for a set of nodes: each line is a need, each node gives to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.routing import cover, milp, search
from app.routing.facts import FEWEST, NEAREST, PRIORITY, Flags, Ints
from app.routing.kept import kept

PRIORITY_BITS = 20
BITS = 1 << np.arange(cover.MOST_ROWS, dtype=np.int64)
FEW_ROWS = 5  # so few are quicker solved than thinned


@dataclass(frozen=True, slots=True)
class Plan:
    """The nodes that ship (ascending), the units they fill, and how the plan compares (least is best)."""

    nodes: tuple[int, ...]
    filled: int
    distance: int  # millionths of a mile, all packages
    rank: tuple
    method: str = "single"
    exact: bool = True


@dataclass(frozen=True, eq=False)
class Task:
    """What to place and what there is: `stock[line, node]` is capped at the quantity, 0 where not eligible."""

    quantity: Ints
    stock: Ints
    distance: Ints
    priority: Ints
    objective: str = FEWEST
    cap: int | None = None

    @kept
    def holds(self) -> Flags:
        """[line, node]: the node holds the line whole."""
        return self.stock == self.quantity[:, None]

    @kept
    def alone(self) -> Flags:
        """Nodes that hold every line whole."""
        return np.logical_and.reduce(self.holds)

    @kept
    def keys(self) -> Ints:
        """Distance, then priority, as one whole number that may be summed."""
        return (self.distance << PRIORITY_BITS) + self.priority

    def without(self, node: int) -> Task:
        """The same task as though the node were not there."""
        stock = self.stock.copy()
        stock[:, node] = 0
        return Task(self.quantity, stock, self.distance, self.priority, self.objective, self.cap)


def best(task: Task) -> Plan | None:
    """The best plan, or None when no unit can be filled."""
    if task.objective == FEWEST:
        single = _least(task, task.alone)
        if single is not None:
            return _ranked(task, (single,), sum(task.quantity.tolist()), "single", True)
    needs = _Needs.of(task)
    if needs is None:
        return None
    if task.objective == NEAREST:
        return _nearest(task, needs)
    if task.objective == PRIORITY:
        return _by_priority(task, needs)
    return _fewest(task, needs)


def runner_up(task: Task, plan: Plan, most_nodes: int = 4) -> Plan | None:
    """The best plan that does without at least one of the chosen nodes.

    None when there is none, and for plans of more than `most_nodes` or from the integer program, where
    looking for it would cost more than it tells.
    """
    if len(plan.nodes) > most_nodes or plan.method == "integer program":
        return None
    if plan.method == "single":
        alone = task.alone.copy()
        alone[plan.nodes[0]] = False
        other = _least(task, alone)
        if other is not None:
            return _ranked(task, (other,), plan.filled, "single", True)
    others = [best(task.without(node)) for node in plan.nodes]
    return min((other for other in others if other is not None), key=lambda other: other.rank, default=None)


def best_single(task: Task) -> Plan | None:
    """The one node that fills the most units, whole lines where some node holds them; then the nearest."""
    needs = _Needs.of(task)
    return None if needs is None else _single(task, needs)


def place(task: Task, plan: Plan) -> list[tuple[int, int, int]]:
    """(line, node, quantity) of a plan: lines in order, each to the lower (or, if so asked, nearer) node."""
    nodes = list(plan.nodes)
    if task.objective == NEAREST:
        nodes.sort(key=lambda node: (task.distance[node], task.priority[node], node))
    placed: list[tuple[int, int, int]] = []
    if len(nodes) == 1 and plan.method == "single":
        return [(line, nodes[0], quantity) for line, quantity in enumerate(task.quantity.tolist())]
    whole = np.logical_or.reduce(task.holds, axis=1).tolist()
    given = task.stock[:, nodes].tolist()
    for line, quantity in enumerate(task.quantity.tolist()):
        left = quantity
        for node, units in zip(nodes, given[line], strict=True):
            share = min(units, left)
            if share and (share == quantity or not whole[line]):
                placed.append((line, node, share))
                left -= share
    return placed


@dataclass(frozen=True, slots=True, eq=False)
class _Needs:
    """The lines that anything can fill: one that some node holds whole needs 1 such node, others need units."""

    gives: Ints
    need: Ints
    weight: Ints  # units filled per unit of need

    @classmethod
    def of(cls, task: Task) -> _Needs | None:
        whole = np.logical_or.reduce(task.holds, axis=1)
        if whole.all():
            ones = np.ones(len(whole), dtype=np.int64)
            return cls(task.holds.astype(np.int64), ones, task.quantity)
        need = np.where(whole, 1, np.minimum(np.add.reduce(task.stock, axis=1), task.quantity))
        weight = np.where(whole, task.quantity, 1)
        gives = np.where(whole[:, None], task.holds, task.stock)
        live = need > 0
        if live.all():
            return cls(gives, need, weight)
        return cls(gives[live], need[live], weight[live]) if live.any() else None

    def only(self, allowed: Flags) -> _Needs:
        return _Needs(self.gives * allowed, self.need, self.weight)

    def filled(self, nodes: tuple[int, ...]) -> int:
        return int(self.weight @ np.minimum(np.add.reduce(self.gives[:, nodes], axis=1), self.need))


def _fewest(task: Task, needs: _Needs) -> Plan:
    """Fewest packages, then nearest; under a cap that does not reach, the most units first."""
    nodes, method, exact = _covering(task, needs)
    if task.cap is None or len(nodes) <= task.cap:
        return _ranked(task, nodes, needs.filled(nodes), method, exact)
    return _capped(task, needs, task.cap)


def _covering(task: Task, needs: _Needs) -> tuple[tuple[int, ...], str, bool]:
    """The smallest, then nearest set of nodes that meets every need.

    First the nodes that no plan can miss (without them some need is out of reach), then what they leave open.
    """
    gives, need = needs.gives, needs.need
    spare = np.add.reduce(gives, axis=1) - need
    forced = np.logical_or.reduce(gives > spare[:, None]).nonzero()[0]
    taken = tuple(forced.tolist())
    if taken:
        need = need - np.add.reduce(gives[:, forced], axis=1)
        left = need > 0
        if not np.logical_or.reduce(left):
            return taken, "set", True
        need, gives = need[left], gives[left]
        gives[:, forced] = 0
    columns = np.logical_or.reduce(gives > 0).nonzero()[0]
    gives = np.minimum(gives[:, columns], need[:, None])
    keys = task.keys[columns]
    met = gives == need[:, None]
    if np.array_equal(met, gives > 0):
        rows = _hardest(met) if len(met) > FEW_ROWS else None
        covers = met if rows is None else met[rows]
        if len(covers) <= cover.MOST_ROWS:
            found = cover.fewest(_masks(covers), keys, len(covers))
            return _merged(taken, columns, found), "set", True
        gives, need = covers.astype(np.int64), np.ones(len(covers), dtype=np.int64)
    try:
        found = search.fewest(gives, need, keys)
        return _merged(taken, columns, found), "enumeration", True
    except search.TooMuchWork as given_up:
        ones = np.ones(len(need), dtype=np.int64)
        found, exact = milp.choose(
            gives,
            need,
            ones,
            task.distance[columns],
            task.priority[columns],
            known=given_up.nodes,
            least_size=given_up.size,
        )
        return _merged(taken, columns, found), "integer program", exact


def _capped(task: Task, needs: _Needs, cap: int) -> Plan:
    """The most units from at most `cap` nodes."""
    if cap == 1:
        return _single(task, needs)
    columns = np.flatnonzero(needs.gives.any(axis=0))
    gives = needs.gives[:, columns]
    if len(needs.need) <= cover.MOST_ROWS and ((gives == 0) | (gives == needs.need[:, None])).all():
        found = cover.heaviest(_masks(gives > 0), task.keys[columns], needs.weight * needs.need, cap)
        method, exact = "set", True
    else:
        found, exact = milp.choose(
            gives, needs.need, needs.weight, task.distance[columns], task.priority[columns], cap
        )
        method = "integer program"
    nodes = _merged((), columns, found)
    return _ranked(task, nodes, needs.filled(nodes), method, exact)


def _by_priority(task: Task, needs: _Needs) -> Plan:
    """Opens higher priority numbers only as far as the fill needs them; within those fewest, then nearest."""
    most = _fewest(task, needs)
    levels = np.unique(task.priority[needs.gives.any(axis=0)])

    def plan_up_to(level: int) -> Plan | None:
        allowed = needs.only(task.priority <= levels[level])
        live = np.minimum(allowed.gives.sum(axis=1), allowed.need)
        if task.cap is None and (live < allowed.need).any():
            return None
        open_rows = live > 0
        if not open_rows.any():
            return None
        within = _Needs(allowed.gives[open_rows], live[open_rows], allowed.weight[open_rows])
        plan = _fewest(task, within)
        return plan if plan.filled == most.filled else None

    low, high, found = 0, len(levels) - 1, most
    while low < high:  # a level that reaches the fill stays enough when more is opened
        middle = (low + high) // 2
        plan = plan_up_to(middle)
        if plan is None:
            low = middle + 1
        else:
            high, found = middle, plan
    return found


def _nearest(task: Task, needs: _Needs) -> Plan:
    """Each line from the nearest node that holds it whole; what none holds, node by node from the nearest."""
    order = np.argsort(task.keys, kind="stable")
    gives = needs.gives[:, order]
    before = np.cumsum(gives, axis=1) - gives
    shares = np.clip(needs.need[:, None] - before, 0, gives)
    nodes = tuple(np.sort(order[shares.any(axis=0)]).tolist())
    units = (shares * needs.weight[:, None]).sum(axis=0).tolist()
    carried = sum(u * d for u, d in zip(units, task.distance[order].tolist(), strict=True))
    plan = _ranked(task, nodes, int(needs.weight @ needs.need), "set", True)
    return Plan(plan.nodes, plan.filled, plan.distance, (-plan.filled, carried, *plan.rank[1:]), "set")


def _single(task: Task, needs: _Needs) -> Plan:
    fill = needs.weight @ np.minimum(needs.gives, needs.need[:, None])
    most = int(fill.max())
    node = _least(task, fill == most)
    assert node is not None
    return _ranked(task, (node,), most, "set", True)


def _ranked(task: Task, nodes: tuple[int, ...], filled: int, method: str, exact: bool) -> Plan:
    """The plan with its place in the order of plans."""
    distance = sum(int(task.distance[node]) for node in nodes)
    numbers = [int(task.priority[node]) for node in nodes]
    rank = (len(nodes), distance, sum(numbers), nodes)
    if task.objective == PRIORITY:
        return Plan(nodes, filled, distance, (-filled, max(numbers), *rank), method, exact)
    return Plan(nodes, filled, distance, (-filled, *rank), method, exact)


def _least(task: Task, allowed: Flags) -> int | None:
    """The first of the allowed nodes, by distance and priority (or the other way round)."""
    at = allowed.nonzero()[0]
    if not len(at):
        return None
    if task.objective == PRIORITY:
        return int(at[np.lexsort((task.distance[at], task.priority[at]))[0]])
    return int(at[task.keys[at].argmin()])


def _masks(covers: Flags) -> Ints:
    return BITS[: len(covers)] @ covers


def _hardest(covers: Flags) -> Ints:
    """Rows that imply the rest: a row is left out when every node of another row covers it too."""
    counts = covers.astype(np.float32)
    shared = counts @ counts.T
    within = shared == np.diagonal(shared)[:, None]  # [a, b]: all nodes of a cover b
    twins = within & within.T
    implied = within & (~twins | (np.arange(len(covers))[:, None] < np.arange(len(covers))[None, :]))
    np.fill_diagonal(implied, False)
    return np.flatnonzero(~implied.any(axis=0))


def _merged(taken: tuple[int, ...], columns: Ints, found: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted((*taken, *columns[list(found)].tolist())))
