"""Plans of equal cost: the lowest nodes, compared as sorted tuples; then lines in order to the lower node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from app.routing.facts import Ints
from app.routing.states import NEVER, States

Keys = Callable[[Sequence[int]], Ints]
"""States -> [column, state]: what a package of each costs."""


def lowest(
    states: States, best: Ints, tables: Sequence[Ints], keys: Keys, ends: Sequence[int], most: int
) -> list[int] | None:
    """The columns that ship, ascending, in the plan that comes first among all of the least value.

    `tables[k - 1]` is the least of k packages for every state; `ends` the states that a plan may place, all of one
    value; `most` packages at most. None if one node would serve twice.

    Node by node: of all packages that any best plan has, the one from the lowest node; then of all that the plans
    with that node have, and so on. What may be left to place is a set of states.
    """
    upto = [np.minimum.reduce(tables[: count + 1]) for count in range(min(most, len(tables)))]
    for table in upto:
        table[0] = 0
    value = int(min(upto[-1][ends].min(), _with_one_more(states, best, upto, ends, most)))
    open_states = {(state, most): value for state in ends}
    nodes: list[int] = []
    while not any(state == 0 for state, _ in open_states):
        step = _next(states, best, upto, keys, open_states)
        if step is None or step[0] in nodes:
            return None
        node, open_states = step
        nodes.append(node)
    return sorted(nodes)


def _with_one_more(states: States, best: Ints, upto: list[Ints], ends: Sequence[int], most: int) -> int:
    """The least of one package more than the tables have."""
    if most <= len(upto):
        return NEVER
    values = []
    for state in ends:
        parts = states.within(state)
        values.append(int((best[parts] + upto[-1][state - parts]).min()))
    return min(values)


def _next(
    states: States, best: Ints, upto: list[Ints], keys: Keys, open_states: dict[tuple[int, int], int]
) -> tuple[int, dict[tuple[int, int], int]] | None:
    """The lowest column with which some open state may go on, and the states that are open then."""
    options: list[tuple[int, int, int]] = []  # (part, what is left, packages left)
    for (state, left), value in open_states.items():
        parts = states.within(state)
        rest = state - parts
        if left > 1:
            sums = best[parts] + upto[min(left - 2, len(upto) - 1)][rest]
        else:
            sums = np.where(rest == 0, best[parts], NEVER)
        hits = parts[sums == value]
        options += [(part, state - part, left - 1) for part in hits.tolist()]
    if not options:
        return None
    shared = sorted({part for part, _, _ in options})
    attained = keys(shared) == best[shared]
    column = int(np.logical_or.reduce(attained, axis=1).argmax())
    from_there = {part for part, own in zip(shared, attained[column].tolist(), strict=True) if own}
    return column, {
        (rest, left): _left(upto, rest, left) for part, rest, left in options if part in from_there
    }


def _left(upto: list[Ints], rest: int, left: int) -> int:
    return int(upto[min(left, len(upto)) - 1][rest]) if rest else 0


def in_order(
    states: States, keys: Ints, columns: Sequence[int], ends: Sequence[int], value: int
) -> list[tuple[int, int]]:
    """The packages when these columns ship: `keys[column, state]`, the value of all together. Lines in order, as many
    units of each as may be to the lower column."""
    count = len(columns)
    least = [keys[-1]]
    for row in keys[-2:0:-1]:
        least.insert(0, states.added(row, least[0]))
    base = max(states.steps) + 1
    weights = [base ** ((len(states.steps) - 1 - line) * count) for line in range(len(states.steps))]

    def code(at: int, state: int) -> int:
        units = states.digits[state].tolist()
        return -sum(map(int.__mul__, units, weights)) * base ** (count - 1 - at)

    known: dict[tuple[int, int], tuple[int, tuple[int, ...]]] = {}

    def settled(at: int, state: int, left: int) -> tuple[int, tuple[int, ...]]:
        if at == count - 1:
            return code(at, state), (state,)
        if (at, state) not in known:
            parts = states.within(state)[:-1]
            hits = parts[keys[at, parts] + least[at][state - parts] == left]
            ways = []
            for part in hits.tolist():
                own, rest = settled(at + 1, state - part, left - int(keys[at, part]))
                ways.append((code(at, part) + own, (part, *rest)))
            known[at, state] = min(ways)
        return known[at, state]

    def reaches(state: int) -> bool:
        if count == 1:
            return int(keys[0, state]) == value
        parts = states.within(state)[:-1]
        return bool((keys[0, parts] + least[0][state - parts] == value).any())

    _, parts = min(settled(0, state, value) for state in ends if reaches(state))
    return list(zip(columns, parts, strict=True))
