"""What the kernel must find, by trying every set of nodes: slow, plain, and written apart from the kernel."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from app.routing.facts import FEWEST, NEAREST, PRIORITY
from app.routing.kernel import Task


def random_task(
    rng: np.random.Generator,
    most_nodes: int = 7,
    most_lines: int = 5,
    density: float | None = None,
    most_quantity: int = 6,
    objective: str = FEWEST,
    cap: int | None = None,
    distances: int = 6,
) -> Task:
    """A small order with many ties: few distances, few priorities, scarce stock."""
    nodes, lines = int(rng.integers(1, most_nodes + 1)), int(rng.integers(1, most_lines + 1))
    quantity = rng.integers(1, most_quantity + 1, lines)
    share = rng.random() if density is None else density
    stock = np.where(
        rng.random((lines, nodes)) < share, rng.integers(0, most_quantity + 3, (lines, nodes)), 0
    )
    return Task(
        quantity=quantity,
        stock=np.minimum(stock, quantity[:, None]),
        distance=rng.integers(0, distances, nodes) * 1_000_000,
        priority=rng.integers(0, 3, nodes),
        objective=objective,
        cap=cap,
    )


def fill_of(task: Task, nodes: tuple[int, ...]) -> int:
    """Units that a set of nodes fills."""
    total = 0
    for quantity, row in zip(task.quantity.tolist(), task.stock.tolist(), strict=True):
        if max(row) >= quantity:
            total += quantity if any(row[node] >= quantity for node in nodes) else 0
        else:
            total += min(quantity, sum(row[node] for node in nodes))
    return total


def rank_of(task: Task, nodes: tuple[int, ...]) -> tuple:
    distance = sum(int(task.distance[node]) for node in nodes)
    numbers = [int(task.priority[node]) for node in nodes]
    rank = (len(nodes), distance, sum(numbers), nodes)
    if task.objective == PRIORITY:
        return (-fill_of(task, nodes), max(numbers), *rank)
    return (-fill_of(task, nodes), *rank)


def best_nodes(task: Task) -> tuple[int, ...] | None:
    """The best set of nodes, or None when nothing can be filled."""
    if task.objective == NEAREST:
        return nearest_nodes(task)
    count = len(task.distance)
    most = count if task.cap is None else min(count, task.cap)
    sets = [nodes for size in range(1, most + 1) for nodes in combinations(range(count), size)]
    chosen = min(sets, key=lambda nodes: rank_of(task, nodes))
    return chosen if fill_of(task, chosen) else None


def nearest_nodes(task: Task) -> tuple[int, ...] | None:
    """Line by line: the nearest holder, else a walk from the nearest node on."""
    order = sorted(
        range(len(task.distance)), key=lambda node: (task.distance[node], task.priority[node], node)
    )
    used: set[int] = set()
    for quantity, row in zip(task.quantity.tolist(), task.stock.tolist(), strict=True):
        holders = [node for node in order if row[node] >= quantity]
        if holders:
            used.add(holders[0])
            continue
        for node in order:
            if quantity and row[node]:
                used.add(node)
                quantity -= min(quantity, row[node])
    return tuple(sorted(used)) or None


def check_placements(task: Task, nodes: tuple[int, ...], placements: list[tuple[int, int, int]]) -> None:
    """Every placement is possible, nothing is split without need, and together they fill what the nodes can."""
    by_line: dict[int, dict[int, int]] = {}
    for line, node, quantity in placements:
        assert node not in by_line.get(line, {})
        assert 0 < quantity <= task.stock[line, node]
        by_line.setdefault(line, {})[node] = quantity
    for line, shares in by_line.items():
        assert sum(shares.values()) <= task.quantity[line]
        if (task.stock[line] >= task.quantity[line]).any():
            assert list(shares.values()) == [task.quantity[line]]
    assert {node for _, node, _ in placements} == set(nodes)
    assert sum(quantity for _, _, quantity in placements) == fill_of(task, nodes)
    if task.objective != NEAREST:
        for line, shares in by_line.items():
            left = int(task.quantity[line])
            whole = (task.stock[line] >= left).any()
            for node in nodes:
                share = min(left, int(task.stock[line, node]))
                if whole and share < left:
                    continue
                assert shares.get(node, 0) == share
                left -= share
