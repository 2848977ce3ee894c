"""Past orders decided again by one version of the rules, on stock that its own plans deplete. Pure.

The same `decide` as live, in the order in which orders were placed; receipts, counts and returns come in between
when they came. Units that no node can give at that moment are lost: nothing is filled later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.inventory.rules import PLENTY
from app.network.loads import Loads
from app.routing.baskets import basket
from app.routing.configuration import Configuration
from app.routing.facts import Ints
from app.routing.outcomes import Outcome, outcomes
from app.routing.outright import Outright, outright
from app.routing.parcels import Decided, Event, Parcel, PastLine, PastOrder, Placements, Sent, StockChange
from app.routing.past_stock import PastStock
from app.routing.policy import DEFAULT_SCOPE, Rule
from app.routing.rules import Decision, decide
from app.routing.terms import Lanes


@dataclass(slots=True)
class Figures:
    """What became of all orders together. Money in minor units (`handling` is the part of the cost that is no
    shipping), miles of all packages, transit in business days of
    all packages, lateness in days after the promise (of the latest package of each order)."""

    orders: int = 0
    units: int = 0
    filled_units: int = 0
    lost_units: int = 0
    short_orders: int = 0
    packages: int = 0
    split_orders: int = 0
    cost: float = 0.0
    handling: float = 0.0
    miles: float = 0.0
    transit_days: int = 0
    days_late: int = 0
    late_orders: int = 0


@dataclass(frozen=True, slots=True)
class _Made:
    """What was decided of a parcel: `short` of some units, and whether its rule would rather `kill` the order then."""

    placements: Placements
    lanes: Lanes
    short: bool = False
    kill: bool = False


@dataclass(slots=True)
class Run:
    """One version of the rules on its way through the past."""

    configured: Configuration
    rules: Mapping[str, Rule]
    """By scope: everything that is in force with this version."""
    stock: PastStock
    loads: Loads
    figures: Figures = field(default_factory=Figures)
    packages: Counter[str] = field(default_factory=Counter)
    """By node code."""
    units: Counter[str] = field(default_factory=Counter)

    def rule(self, channel: str) -> Rule:
        """The rule for orders of a channel."""
        return self.rules.get(channel) or self.rules[DEFAULT_SCOPE]

    def order(self, order: PastOrder, known: Sequence[Outright | None]) -> Decided:
        """Decide an order and take its units. `known`: what is known of each parcel beforehand."""
        made = [self._made(parcel, own) for parcel, own in zip(order.parcels, known, strict=True)]
        short = any(one.short for one in made)
        kill = order.fill_or_kill or any(one.kill for one in made)
        whole = kill or any(parcel.asked.ship_complete for parcel in order.parcels)
        decided = Decided(order, (), [], [])
        shared = _asks_twice(order)
        sent = [
            self._sent(decided, parcel, replace(one, placements=[]) if short and whole else one, shared)
            for parcel, one in zip(order.parcels, made, strict=True)
        ]
        return replace(decided, sent=tuple(sent))

    def _made(self, parcel: Parcel, known: Outright | None) -> _Made:
        node = None if known is None else self._first(parcel, known)
        if known is not None and node is not None:
            return _Made([(at, node, one.line.quantity) for at, one in enumerate(parcel.lines)], known.lanes)
        decision = self._decision(parcel, compare=False)
        lanes = Lanes(self.configured.network, decision.why.basket)
        return _Made(decision.placements, lanes, bool(decision.unfilled), decision.kill)

    def _first(self, parcel: Parcel, known: Outright) -> int | None:
        """The best of its nodes that can send everything."""
        return known.best(
            node
            for node in known.nodes
            if self._holds_all(parcel, node) and not (known.bounded and self._is_full(parcel, node))
        )

    def _holds_all(self, parcel: Parcel, node: int) -> bool:
        channel, left = parcel.asked.channel, self.stock.left
        return all(
            left(sku, node, channel) >= one.line.quantity * each
            for one in parcel.lines
            for sku, each in one.parts
        )

    def _is_full(self, parcel: Parcel, node: int) -> bool:
        network, asked = self.configured.network, parcel.asked
        capacity = int(network.capacity_per_day[node])
        days = network.departures.at(asked.now, asked.service).days[node : node + 1]
        return 0 <= capacity <= int(self.loads.of([network.ids[node]], days)[0])

    def decisions(self, order: PastOrder) -> list[Decision]:
        """What the rules say of each parcel, on the stock and the loads as they are, compared with other plans, for
        somebody will read the reasons; nothing is taken."""
        return [self._decision(parcel, compare=True) for parcel in order.parcels]

    def again(self, taken: Sequence[int], loaded: Sequence[int]) -> None:
        """Take what decided orders took, without deciding them: positions and units, nodes and days, by turns."""
        np.subtract.at(self.stock.units, taken[::2], taken[1::2])
        for node, day in zip(loaded[::2], loaded[1::2], strict=True):
            self.loads.add(self.configured.network.ids[node], day)

    def _decision(self, parcel: Parcel, compare: bool) -> Decision:
        configured, asked = self.configured, parcel.asked
        available = np.array([self._available(line, asked.channel) for line in parcel.lines])
        lines = [one.line for one in parcel.lines]
        given = basket(configured, asked, lines, parcel.to, available, self.loads)
        rule = self.rule(asked.channel)
        return decide(configured.network, given, rule, prices=configured.prices, compare=compare)

    def _available(self, line: PastLine, channel: str) -> Ints:
        if not line.parts:
            return np.full(len(self.configured.network), PLENTY, dtype=np.int64)
        rows = [
            self.stock.seen(sku, channel) if each == 1 else self.stock.seen(sku, channel) // each
            for sku, each in line.parts
        ]
        return rows[0] if len(rows) == 1 else np.minimum.reduce(rows)

    def _sent(self, decided: Decided, parcel: Parcel, made: _Made, shared: bool) -> Sent:
        """Take the units of a plan. Lines that show one stock (`shared`) may be placed on the same units twice: what is
        gone by then is lost, as when it is reserved."""
        network, channel = self.configured.network, parcel.asked.channel
        kept: Placements = []
        for at, node, units in made.placements:
            parts = parcel.lines[at].parts
            if shared and parts:
                units = min(units, *(self.stock.left(sku, node, channel) // each for sku, each in parts))
            for sku, each in parts:
                decided.taken.extend(self.stock.take(sku, node, channel, units * each))
            if units:
                kept.append((at, node, units))
                self.units[network.codes[node]] += units
        sent = Sent(parcel, kept, made.lanes)
        self._load(decided, sent)
        return sent

    def _load(self, decided: Decided, sent: Sent) -> None:
        network, asked = self.configured.network, sent.parcel.asked
        nodes = sorted({node for _, node, _ in sent.travels})
        if not nodes:
            return
        leaving = network.departures.at(asked.now, asked.service).days
        for node in nodes:
            day = int(leaving[node])
            self.loads.add(network.ids[node], day)
            self.packages[network.codes[node]] += 1
            decided.loaded.append((node, day))

    def count(self, order: PastOrder, outcome: Outcome) -> None:
        """Add an order to the figures."""
        figures = self.figures
        asked = sum(one.line.quantity for parcel in order.parcels for one in parcel.lines)
        figures.orders += 1
        figures.units += asked
        figures.filled_units += asked - outcome.lost_units
        figures.lost_units += outcome.lost_units
        figures.short_orders += outcome.lost_units > 0
        figures.packages += outcome.packages
        figures.split_orders += outcome.packages > len(order.parcels)
        figures.cost = round(figures.cost + outcome.cost, 2)
        figures.handling = round(figures.handling + outcome.handling, 2)
        figures.miles = round(figures.miles + outcome.miles, 3)
        figures.transit_days += outcome.transit_days
        figures.days_late += outcome.days_late
        figures.late_orders += outcome.days_late > 0


def _asks_twice(order: PastOrder) -> bool:
    """Whether several lines of an order, in whichever parcels, show the stock of one SKU."""
    skus = [sku for parcel in order.parcels for line in parcel.lines for sku, _ in line.parts]
    return len(set(skus)) < len(skus)


def replayed(events: Iterable[Event], run: Run) -> list[tuple[Decided, Outcome]]:
    """One version over the events, in time order: its orders and what came of each. What their plans come to depends
    on nothing that follows, so it is worked out for all of them at once, as is what depends on no stock."""
    decided, events = [], list(events)
    parcels = [parcel for event in events if isinstance(event, PastOrder) for parcel in event.parcels]
    known = iter(outright(run.configured, run.rule, parcels))
    for event in events:
        if isinstance(event, StockChange):
            run.stock.change(event.position, event.delta)
        else:
            decided.append(run.order(event, [next(known) for _ in event.parcels]))
    found = outcomes(run.configured.network, decided)
    for one, outcome in zip(decided, found, strict=True):
        run.count(one.order, outcome)
    return list(zip(decided, found, strict=True))


def node_loads(configured: Configuration, before: Run, after: Run) -> list[dict[str, Any]]:
    """By node, what each version gave it: packages, units, and its fullest day; the busiest first. `peak_share`: of
    its capacity on that day, None without one."""
    network = configured.network
    peaks = {"before": _peaks(before), "after": _peaks(after)}
    rows = []
    for at, code in enumerate(network.codes):
        capacity = int(network.capacity_per_day[at])
        own: dict[str, Any] = {"node": code, "name": network.names[at], "kind": network.kinds[at]}
        own["capacity_per_day"] = capacity if capacity >= 0 else None
        for name, run in (("before", before), ("after", after)):
            most = peaks[name].get(network.ids[at], 0)
            own[name] = {
                "packages": run.packages[code],
                "units": run.units[code],
                "peak_packages": most,
                "peak_share": round(most / capacity, 4) if capacity > 0 else None,
            }
        if own["before"]["units"] or own["after"]["units"]:
            rows.append(own)
    return sorted(rows, key=lambda row: (-row["before"]["packages"] - row["after"]["packages"], row["node"]))


def _peaks(run: Run) -> dict[str, int]:
    """By node id, the packages of its fullest day, with those of orders before the period."""
    most: dict[str, int] = {}
    for node, day in run.loads.added:
        packages = int(run.loads.of([node], np.array([day]))[0])
        most[node] = max(most.get(node, 0), packages)
    return most
