"""Moves of a window on made-up networks: any choice of groups is feasible, each is better, and nothing comes later."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from app.inventory.allotments import NONE
from app.inventory.shelf import Shelf
from app.network.loads import Loads
from app.routing.baskets import Asked, basket
from app.routing.configuration import Configuration, Source
from app.routing.documents import default_document, parse
from app.routing.facts import BasketLine, Destination, Network, NodeFacts
from app.routing.joint import Gathered, Group, Held, replanned
from app.routing.rules import decide
from app.routing.terms import NO_PRICES

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
COST = {"mode": "cost", "terms": [{"term": "shipping"}, {"term": "handling"}]}
ROOM = 6


class Market:
    """Nodes over the country, some with room for six packages a day; orders of one to three SKUs that do not last."""

    def __init__(self, seed: int, objective: Any, orders: int = 40, nodes: int = 12, skus: int = 15) -> None:
        self.dice = random.Random(seed)
        document = default_document() | {"strategies": [{"id": "all", "objective": objective}]}
        network = Network.build([self._node(at) for at in range(nodes)])
        self.configured = Configuration(
            network=network,
            rules={"default": (1, parse(document))},
            prices=NO_PRICES,
            node_ids=(),
            zones=(),
            allotments=NONE,
            virtual=None,
            capacities={},
            made_from=Source([], []),
        )
        self.stock = {
            (f"s{sku}", node): self.dice.randint(1, 3)
            for sku in range(skus)
            for node in network.ids
            if self.dice.random() < 0.4
        }
        self.shelf = Shelf(
            [(f"{sku}@{node}", sku, node, "shared", units) for (sku, node), units in self.stock.items()],
            {},
            {},
        )
        self.loads = Loads()
        self.gathered = [one for _ in range(orders) for one in self._order(skus)]

    def _node(self, at: int) -> NodeFacts:
        place = self.dice.uniform(28, 47), self.dice.uniform(-120, -75)
        capacity = ROOM if self.dice.random() < 0.4 else None
        return NodeFacts(f"n{at}", f"N{at:02}", f"N{at}", "warehouse", *place, capacity_per_day=capacity)

    def _order(self, skus: int) -> Iterator[Gathered]:
        """Placed as it would have been, on what earlier ones left; only what it got is gathered."""
        ids = tuple(f"s{sku}" for sku in self.dice.sample(range(skus), self.dice.randint(1, 3)))
        asked = Asked("web", NOW, "UTC", promised_by=datetime(2026, 3, self.dice.choice((2, 3, 9))).date())
        to = Destination(self.dice.uniform(28, 47), self.dice.uniform(-120, -75))
        network = self.configured.network
        while ids:
            available = np.zeros((len(ids), len(network)), dtype=np.int64)
            for line, sku in enumerate(ids):
                for node, units in self.shelf.offered(sku, "web").items():
                    available[line, network.index[node]] = units
            lines = [BasketLine(sku, "stock", 1, 500, 900, 2000) for sku in ids]
            given = basket(self.configured, asked, lines, to, available, self.loads)
            made = decide(network, given, self.configured.ruled()[1])
            if not made.unfilled:
                break
            ids = tuple(ids[line] for line in sorted({line for line, _, _ in made.placements}))
        if not ids:
            return
        held = tuple(
            Held(line, ids[line], network.ids[node], position, count)
            for line, node, units in made.placements
            for position, count in self.shelf.take(ids[line], network.ids[node], "web", units)
        )
        days = tuple((node, int(network.departures.at(NOW).days[node])) for node in made.nodes)
        days = tuple(day for day in days if network.capacity_per_day[day[0]] >= 0)
        for node, day in days:
            self.loads.add(network.ids[node], day)
        stands = tuple(sorted(made.placements))
        yield Gathered(asked, tuple(lines), ids, to, frozenset(), stands, held, days)

    def groups(self) -> list[Group]:
        shelf, loads = deepcopy(self.shelf), deepcopy(self.loads)
        return replanned(self.configured, self.gathered, shelf, loads, 60.0)

    def after(self, groups: list[Group]) -> tuple[Counter[str], Counter[tuple[int, int]]]:
        """Units taken by position and packages by day, when these groups have moved."""
        moved = {move.at: move for group in groups for move in group.moves}
        units: Counter[str] = Counter()
        days: Counter[tuple[int, int]] = Counter()
        for at, each in enumerate(self.gathered):
            own = moved.get(at)
            for one in own.taken if own else each.held:
                units[one.position] += one.units
            days.update(own.days if own else each.days)
        return units, days


@pytest.mark.parametrize("objective", ["fewest_packages_then_nearest", COST], ids=["fewest", "cost"])
@pytest.mark.parametrize("seed", range(5))
def test_any_choice_of_groups_is_feasible_and_better(seed: int, objective: Any) -> None:
    market = Market(seed, objective)
    groups = market.groups()
    network = market.configured.network
    for _ in range(4):
        chosen = [group for group in groups if market.dice.random() < 0.6]
        units, days = market.after(chosen)
        stock = {f"{sku}@{node}": count for (sku, node), count in market.stock.items()}
        assert all(count <= stock[position] for position, count in units.items())
        assert all(count <= network.capacity_per_day[node] for (node, _), count in days.items())
    for group in groups:
        before, after = (
            tuple(map(sum, zip(*(getattr(move, side).figures for move in group.moves), strict=True)))
            for side in ("before", "after")
        )
        assert after < before
        for move in group.moves:
            each = market.gathered[move.at]
            assert sum(one.units for one in move.taken) == len(each.lines), "every unit has a place"
            assert not move.decision.unfilled


def test_the_same_window_gives_the_same_moves() -> None:
    one, two = (Market(3, COST).groups() for _ in range(2))
    assert [[(move.at, move.taken) for move in group.moves] for group in one] == [
        [(move.at, move.taken) for move in group.moves] for group in two
    ]
    assert one, "the orders of this one can do better together"
