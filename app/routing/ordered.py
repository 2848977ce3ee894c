"""The best plan by several figures in order, each with a tolerance: the first may become so much worse than its best
for the sake of those that follow.

Stage by stage: the least of a figure among the plans that keep every earlier figure within its bound. Packages are
chosen depth first, the first open line first; what is left can cost no less than its cheapest packages by that
figure alone, so whole branches are passed over. The work is counted, not timed: the same bills give the same plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.routing.bills import Bill, Plan
from app.routing.cheapest import cheapest, made
from app.routing.facts import Ints
from app.routing.states import DEAREST, NEVER
from app.routing.tables import MOST_STATES, PRIORITY_BITS, Found, Task

MOST_VISITS = 20_000


@dataclass(slots=True, eq=False)
class _Stage:
    """One figure: what packages count in it, what is left counts at least, and the most it may come to."""

    keys: Ints  # [column, state]
    rest: Ints  # [state]
    most: int = NEVER


def best_in_order(bills: Sequence[Bill], tolerances: Sequence[float]) -> Plan | None:
    """The plan that is least in the first bill, within its tolerance least in the second, and so on.

    The bills differ in costs alone. A tolerance is a share of the least value. Orders wider than the tables of
    `cheapest` are planned by the first bill alone, and so are not proven.
    """
    task = Task.of(bills[0])
    if task is None:
        return None
    tasks = [task, *(task.priced(bill) for bill in bills[1:])]
    column = _alone(tasks, tolerances)
    if column is not None:
        return made(bills[0], task, [(column, task.size - 1)])
    first = cheapest(bills[0], task)
    if first is None or len(bills) == 1:
        return first
    if task.size > MOST_STATES:
        return replace(first, exact=False)
    stages = [_stage(each) for each in tasks]
    ends = [state for state in range(1, task.states.size) if int(task.units[state].sum()) == first.filled]
    search = _Search(task, stages, ends)
    found = search.known(first)  # the least of the first figure
    for at, tolerance in enumerate(tolerances):
        found, value = search.least(at, found)
        stages[at].most = value + int(abs(value) * tolerance)
    return replace(made(bills[0], task, found), exact=search.left > 0)


def _alone(tasks: Sequence[Task], tolerances: Sequence[float]) -> int | None:
    """The column of the best package of everything; None where there is none, or where a division may come within the
    first figure's tolerance of it."""
    first = tasks[0]
    if first.size > MOST_STATES or not first.binary or first.shift:
        return None
    columns = np.logical_and.reduce(first.holds).nonzero()[0]
    if len(columns):
        columns = columns[first.alone[columns] < DEAREST]
    if not len(columns):
        return None
    for at, (task, tolerance) in enumerate(zip(tasks, tolerances, strict=True)):
        values = task.alone[columns]
        figures = values >> PRIORITY_BITS
        least = int(figures.min())
        most = least + int(abs(least) * tolerance)
        if at == 0 and (first.floors[2] + first.least_units) >> PRIORITY_BITS <= most:
            return None
        if task is not tasks[-1]:
            columns = columns[figures <= most]
    return int(columns[values.argmin()])


def _stage(task: Task) -> _Stage:
    """Keys without the priority bits, and the least that any number of packages can cost for each state."""
    keys = np.where(task.every >= NEVER, NEVER, task.every >> PRIORITY_BITS)
    best = keys.min(axis=0)
    rest = np.minimum(best, NEVER)
    for _ in range(int(task.steps.sum()) - 1):
        before = rest
        rest = np.minimum(rest, task.states.added(best, rest))
        if np.array_equal(before, rest):
            break
    rest[0] = 0
    return _Stage(keys, rest)


class _Search:
    """Depth-first search over packages (column, state); visits are counted down over all stages."""

    def __init__(self, task: Task, stages: list[_Stage], ends: list[int]) -> None:
        self.task, self.stages, self.ends = task, stages, ends
        self.left = MOST_VISITS
        self.priority = task.bill.priority[task.columns].tolist()

    def known(self, plan: Plan) -> Found:
        """A plan of `cheapest` as columns and states."""
        found: Found = []
        for node in plan.nodes:
            units = np.zeros(len(self.task.bill.quantity), dtype=np.int64)
            for line, at, count in plan.placements:
                units[line] += count * (at == node)
            state = int((self.task.units == units).all(axis=1).argmax())
            found.append((int((self.task.columns == node).argmax()), state))
        return found

    def least(self, at: int, known: Found) -> tuple[Found, int]:
        """The best packages by stage `at` within the bounds of those before it, and what they come to in it; `known`
        keeps the bounds, and is the best of the first stage."""
        self.at = at
        self.best = (self._rank(known), known)
        if at:
            for end in self.ends:
                self._open(end, [], [0] * (at + 1))
        rank, found = self.best
        return found, rank[0]

    @property
    def _most(self) -> int:
        """What may be spent on this stage's figure: ties matter in the last stage only."""
        value: int = self.best[0][0]
        return value if self.at == len(self.stages) - 1 else value - 1

    def _rank(self, found: Found) -> tuple:
        """The figure, then what settles ties: priority, nodes, lines in order to the lower node."""
        columns = tuple(sorted(column for column, _ in found))
        value = sum(int(self.stages[self.at].keys[column, state]) for column, state in found)
        placed = sorted(
            (line, column, -units)
            for column, state in found
            for line, units in enumerate(self.task.states.digits[state].tolist())
            if units
        )
        return value, sum(self.priority[column] for column in columns), columns, placed

    def _open(self, state: int, found: Found, spent: list[int]) -> None:
        """Add a package that has some of the first open line, in every way that may still be as good."""
        if not state:
            self.best = min(self.best, (self._rank(found), list(found)))
            return
        cap = self.task.bill.cap
        if self.left <= 0 or (cap is not None and len(found) >= cap):
            return
        parts = self._parts(state, bool(found))
        if not len(parts):
            return
        allowed = np.ones((len(self.task.columns), len(parts)), dtype=bool)
        allowed[[column for column, _ in found]] = False
        for stage, before in zip(self.stages[: self.at + 1], spent, strict=True):
            bound = min(stage.most, self._most) if stage is self.stages[self.at] else stage.most
            allowed &= stage.keys[:, parts] + stage.rest[state - parts] <= bound - before
        columns, at = allowed.nonzero()
        own = self.stages[self.at]
        floors = own.keys[columns, parts[at]] + own.rest[state - parts[at]]
        for one in np.argsort(floors, kind="stable").tolist():
            self.left -= 1
            if int(floors[one]) + spent[-1] > self._most:
                break
            column, part = int(columns[one]), int(parts[at[one]])
            now = [
                before + int(stage.keys[column, part])
                for stage, before in zip(self.stages[: self.at + 1], spent, strict=True)
            ]
            self._open(state - part, [*found, (column, part)], now)

    def _parts(self, state: int, divided: bool) -> Ints:
        """Parts of a state with some of its first line, each worth enough where the order is divided."""
        task = self.task
        parts = task.states.within(state)
        first = int(task.states.digits[state].nonzero()[0][0])
        parts = parts[task.states.digits[parts, first] > 0]
        if not task.bill.least_value:
            return parts
        worth = task.worth[parts] >= task.bill.least_value
        return parts[worth | ((parts == state) & (not divided))]
