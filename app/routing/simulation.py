"""Past orders decided again by one version of the rules, on stock that its own plans deplete. Pure.

The same `decide` as live, in the order in which orders were placed; receipts, counts and returns come in between
when they came. Units that no node can give at that moment are lost: nothing is filled later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from app.catalog.rules import DIGITAL
from app.inventory.rules import PLENTY
from app.network.loads import Loads
from app.routing.baskets import Asked, basket
from app.routing.configuration import Configuration
from app.routing.explanations import miles_of
from app.routing.facts import MICRO, Basket, BasketLine, Destination, Ints, Network
from app.routing.figures import Figure, amounts, figure
from app.routing.past_stock import PastStock
from app.routing.policy import DEFAULT_SCOPE, Rule
from app.routing.rules import Decision, decide
from app.routing.terms import Goods, Lanes

Placements = list[tuple[int, int, int]]
COST = ("shipping", "handling")
"""What a plan costs in money, whatever its objective."""


@dataclass(frozen=True, slots=True)
class PastLine:
    """A line as it was placed; `parts`: (SKU id, units per unit) on the shelf, empty for what is made."""

    line: BasketLine
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """The lines of an order that go to one place."""

    to: Destination
    asked: Asked
    lines: tuple[PastLine, ...]


@dataclass(frozen=True, slots=True)
class PastOrder:
    """An order of the period. `number` is the merchant's."""

    id: str
    number: int
    parcels: tuple[Parcel, ...]
    fill_or_kill: bool = False


@dataclass(frozen=True, slots=True)
class StockChange:
    """Units that came to a position or went, other than by a shipment."""

    position: int
    delta: int


Event = PastOrder | StockChange


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
class Outcome:
    """One order by one version. `plan`: (node code, SKU, units), sorted; `decisions` of its parcels."""

    plan: tuple[tuple[str, str, int], ...]
    decisions: tuple[Decision, ...]
    lost_units: int
    packages: int
    cost: float
    handling: float
    miles: float
    transit_days: int
    days_late: int

    @property
    def sentence(self) -> str:
        """Why, in words."""
        return " ".join(decision.sentence for decision in self.decisions)


class Ways:
    """What is known of a parcel once for all versions: what it asks, when it would leave, what it costs from every
    node, and what the first version decided. Another version sees other stock and loads only where its own plans left
    them; where it sees the same and its rule says the same, the decision is the same too."""

    def __init__(self, configured: Configuration, given: Basket) -> None:
        self.lanes = Lanes(configured.network, given)
        self.given = given
        self.outcomes: dict[tuple[tuple[int, int, int], ...], Outcome] = {}
        """By placements: what is measured of them depends on nothing else."""
        lines = [at for at, line in enumerate(given.lines) if line.kind not in DIGITAL]
        self._row = {at: row for row, at in enumerate(lines)}
        self._parts = (configured, given, lines)
        self._first: tuple[Rule, Decision] | None = None

    def basket(self, available: Ints, loads: Loads) -> Basket:
        """The basket on another version's stock and loads; the very same one where they are the same."""
        given, network = self.given, self.lanes.network
        load = loads.of(network.ids, self._leaving) if network.limited else None
        same_load = load is None or (given.load is not None and np.array_equal(load, given.load))
        if same_load and np.array_equal(available, given.available):
            return given
        return replace(given, available=available, load=load)

    def decided(self, given: Basket, rule: Rule) -> Decision:
        """The plan by a rule, without explanation."""
        if self._first is not None and given is self.given and _alike(rule, self._first[0], given):
            return self._first[1]
        configured = self._parts[0]
        decision = decide(configured.network, given, rule, prices=configured.prices, compare=False)
        self._first = self._first or (rule, decision)
        return decision

    @cached_property
    def _leaving(self) -> Ints:
        """By node, the day on which work given now would leave it, after what it has still to do."""
        return self._departing(self.given.ahead)

    @cached_property
    def leaving(self) -> Ints:
        """By node, the day on which a package counts."""
        return self._leaving if self.given.ahead is None else self._departing(None)

    def _departing(self, ahead: Ints | None) -> Ints:
        given = self.given
        assert given.at is not None
        return self.lanes.network.departures.at(given.at, given.service, ahead).days

    @cached_property
    def _figures(self) -> list[Figure]:
        configured, given, lines = self._parts
        quantity = np.array([given.lines[at].quantity for at in lines], dtype=np.int64)
        goods = Goods.of(given, [[at] for at in lines], quantity, given.available[lines])
        return [figure(name, (configured.network, goods, self.lanes, configured.prices)) for name in COST]

    def parcels(self, placements: Placements) -> Placements:
        """Those that travel."""
        return [one for one in placements if one[0] in self._row]

    def costs(self, parcels: Placements) -> tuple[float, float]:
        """Shipping and handling of what leaves, in minor units."""
        if not parcels:
            return 0.0, 0.0
        shipping, handling = amounts(
            self._figures, [[(self._row[at], node, units) for at, node, units in parcels]]
        )[0]
        return shipping / MICRO, handling / MICRO


def _alike(rule: Rule, other: Rule, given: Basket) -> bool:
    """Whether two rules say the same of an order."""
    return rule is other or (
        rule.line_routes == other.line_routes and rule.strategy_for(given)[1] == other.strategy_for(given)[1]
    )


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

    def order(self, order: PastOrder, ways: dict[int, Ways]) -> Outcome:
        """Decide an order, take its units, and count it. `ways`: by parcel, empty for the first version."""
        made = [self._decided(parcel, at, ways) for at, parcel in enumerate(order.parcels)]
        short = any(decision.unfilled for decision in made)
        kill = order.fill_or_kill or any(decision.kill for decision in made)
        whole = kill or any(parcel.asked.ship_complete for parcel in order.parcels)
        outcomes = []
        for at, (parcel, decision) in enumerate(zip(order.parcels, made, strict=True)):
            placements = [] if short and whole else decision.placements
            outcomes.append(self._shipped(parcel, decision, placements, ways[at]))
        outcome = outcomes[0] if len(outcomes) == 1 else _together(outcomes)
        self._count(order, outcome)
        return outcome

    def _decided(self, parcel: Parcel, at: int, ways: dict[int, Ways]) -> Decision:
        available = np.array([self._available(line, parcel.asked.channel) for line in parcel.lines])
        if at in ways:
            given = ways[at].basket(available, self.loads)
        else:
            lines = [one.line for one in parcel.lines]
            given = basket(self.configured, parcel.asked, lines, parcel.to, available, self.loads)
            ways[at] = Ways(self.configured, given)
        return ways[at].decided(given, self.rule(parcel.asked.channel))

    def _available(self, line: PastLine, channel: str) -> Ints:
        if not line.parts:
            return np.full(len(self.configured.network), PLENTY, dtype=np.int64)
        rows = [
            self.stock.seen(sku, channel) if each == 1 else self.stock.seen(sku, channel) // each
            for sku, each in line.parts
        ]
        return rows[0] if len(rows) == 1 else np.minimum.reduce(rows)

    def _shipped(self, parcel: Parcel, decision: Decision, placements: Placements, ways: Ways) -> Outcome:
        """Take the units of a plan. Lines that show one stock may be placed on the same units twice: what is gone
        by then is lost, as when it is reserved."""
        network, channel = self.configured.network, parcel.asked.channel
        kept: Placements = []
        for at, node, units in placements:
            parts = parcel.lines[at].parts
            if len(parcel.lines) > 1 and parts:
                units = min(units, *(self.stock.left(sku, node, channel) // each for sku, each in parts))
            for sku, each in parts:
                self.stock.take(sku, node, channel, units * each)
            if units:
                kept.append((at, node, units))
                self.units[network.codes[node]] += units
        return self._measured(parcel, decision, kept, ways)

    def _measured(self, parcel: Parcel, decision: Decision, kept: Placements, ways: Ways) -> Outcome:
        network, parcels = self.configured.network, ways.parcels(kept)
        nodes = sorted({node for _, node, _ in parcels})
        for node in nodes:
            self.loads.add(network.ids[node], int(ways.leaving[node]))
            self.packages[network.codes[node]] += 1
        found = ways.outcomes.get(tuple(kept))
        if found is None:
            found = ways.outcomes[tuple(kept)] = _outcome(network, parcel, decision, kept, nodes, ways)
        return found if found.decisions[0] is decision else replace(found, decisions=(decision,))

    def _count(self, order: PastOrder, outcome: Outcome) -> None:
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


def _outcome(
    network: Network, parcel: Parcel, decision: Decision, kept: Placements, nodes: list[int], ways: Ways
) -> Outcome:
    """What a plan comes to; `nodes` are those that send a package."""
    lines, lanes = parcel.lines, ways.lanes
    shipping, handling = ways.costs(ways.parcels(kept))
    return Outcome(
        plan=tuple(sorted((network.codes[node], lines[at].line.sku, units) for at, node, units in kept)),
        decisions=(decision,),
        lost_units=sum(one.line.quantity for one in lines) - sum(units for _, _, units in kept),
        packages=len(nodes),
        cost=shipping + handling,
        handling=handling,
        miles=miles_of(network, lanes.distance, nodes),
        transit_days=sum(int(lanes.days[node]) for node in nodes),
        days_late=max((int(lanes.late[node]) for node in nodes), default=0),
    )


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    """The parcels of one order as one outcome."""
    return Outcome(
        plan=tuple(sorted(one for outcome in outcomes for one in outcome.plan)),
        decisions=tuple(decision for outcome in outcomes for decision in outcome.decisions),
        lost_units=sum(outcome.lost_units for outcome in outcomes),
        packages=sum(outcome.packages for outcome in outcomes),
        cost=sum(outcome.cost for outcome in outcomes),
        handling=sum(outcome.handling for outcome in outcomes),
        miles=sum(outcome.miles for outcome in outcomes),
        transit_days=sum(outcome.transit_days for outcome in outcomes),
        days_late=max(outcome.days_late for outcome in outcomes),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """An order that goes otherwise."""

    order: PastOrder
    before: Outcome
    after: Outcome

    @property
    def weight(self) -> tuple[int, int, float, int]:
        """How much it matters: units, packages, money; then the newer first."""
        before, after = self.before, self.after
        return (
            abs(after.lost_units - before.lost_units),
            abs(after.packages - before.packages),
            abs(after.cost - before.cost),
            self.order.number,
        )


def replayed(events: Iterable[Event], before: Run, after: Run) -> list[Change]:
    """Both versions over the same events, in time order; returns the orders whose plans differ."""
    changes = []
    for event in events:
        if isinstance(event, StockChange):
            before.stock.change(event.position, event.delta)
            after.stock.change(event.position, event.delta)
            continue
        ways: dict[int, Ways] = {}
        one, two = before.order(event, ways), after.order(event, ways)
        if one.plan != two.plan:
            changes.append(Change(event, one, two))
    return changes


def summary(run: Run) -> dict[str, Any]:
    """The figures of one version, plain JSON."""
    return asdict(run.figures)


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
