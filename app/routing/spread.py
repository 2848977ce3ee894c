"""How orders spread over their plans when cheaper plans are more likely: a least that is soft.

A plan cuts the lines of an order into parts, each sent from one node. Its share falls by e for each `softness` of
cost; as softness goes to nothing, all goes to the cheapest plan. Many orders at once, one column each: sums over
nodes are then sums of long rows, which is quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

Floats = np.ndarray


def over_plans(opening: Floats, cost: Sequence[Floats], softness: float) -> tuple[list[Floats], Floats]:
    """For each line the share of each node, [node, order]; and the packages from each node.

    `opening[node, order]` is the cost of a package, `cost[line][node, order]` of the whole line in it.
    """
    if len(cost) == 1:
        share, _ = _soft_least(opening + cost[0], softness)
        return [share], share
    shares, least = _parts(opening, cost, softness)
    used = _used(least, len(cost), softness)
    return _placed(shares, used, len(cost))


def _parts(opening: Floats, cost: Sequence[Floats], softness: float) -> tuple[list[Floats], Floats]:
    """By set of lines (bit mask): the share of each node if the set is one package, and its soft least cost."""
    size = 1 << len(cost)
    sums, shares = [opening], [opening]
    least = np.zeros((size, opening.shape[1]), dtype=opening.dtype)
    for part in range(1, size):
        last = (part & -part).bit_length() - 1
        sums.append(sums[part & (part - 1)] + cost[last])
        share, least[part] = _soft_least(sums[part], softness)
        shares.append(share)
    return shares, least


def _used(least: Floats, lines: int, softness: float) -> Floats:
    """By set of lines and order: the share of plans that send exactly this set in one package."""
    best, reached, used = np.zeros_like(least), np.zeros_like(least), np.zeros_like(least)
    ways: list[Floats] = []
    for whole, parts in divisions(lines):
        costs = np.stack([least[part] + best[whole ^ part] for part in parts])
        share, best[whole] = _soft_least(costs, softness)
        ways.append(share)
    reached[-1] = 1
    for (whole, parts), share in zip(reversed(divisions(lines)), reversed(ways), strict=True):
        for at, part in enumerate(parts):
            flow = reached[whole] * share[at]
            used[part] += flow
            reached[whole ^ part] += flow
    return used


def _placed(shares: list[Floats], used: Floats, lines: int) -> tuple[list[Floats], Floats]:
    placed = [np.zeros_like(shares[0]) for _ in range(lines)]
    opened = np.zeros_like(shares[0])
    for part in range(1, len(shares)):
        flow = shares[part] * used[part]
        opened += flow
        for line in range(lines):
            if part >> line & 1:
                placed[line] += flow
    return placed, opened


@lru_cache(maxsize=8)
def divisions(lines: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Every set of lines, as a bit mask, with each of its parts that holds its lowest line; small sets first."""
    found = []
    for whole in range(1, 1 << lines):
        low = whole & -whole
        found.append(
            (whole, tuple(part for part in range(1, whole + 1) if part & ~whole == 0 and part & low))
        )
    return tuple(found)


def _soft_least(costs: Floats, softness: float) -> tuple[Floats, Floats]:
    """The share of each row, and the soft least, of every column."""
    least = costs.min(axis=0)
    share = least - costs
    share *= np.float32(1 / softness)
    np.exp(share, out=share)
    total = share.sum(axis=0)
    share /= total
    return share, least - np.float32(softness) * np.log(total)
