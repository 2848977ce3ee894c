"""A rule document, read: what `documents.parse` gives and `rules.decide` obeys. Values only.

Amounts of money are whole minor units of the tenant's currency; distances miles; times minutes or days as said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.routing.facts import FEWEST, NEAREST, PRIORITY, Basket
from app.routing.fields import Condition, Filter
from app.routing.vocabulary import TIMED

NAMED = (FEWEST, PRIORITY, NEAREST)
"""Objectives of one word. FEWEST is the default; the other two are explicit, dearer choices."""
COST = "cost"
LEXICOGRAPHIC = "lexicographic"
SCORE = "score"

DEFAULT_SCOPE = "default"


@dataclass(frozen=True, slots=True)
class Term:
    """One figure that an objective adds up over packages and units.

    `weight`: in a `cost` objective minor units per unit of the figure (1 for figures that are money already); in a
    `score` objective its share. `tolerance`: in a `lexicographic` objective how much worse than its best the
    figure may become for the sake of later terms: a share (0.05 = 5 %) of the best value.
    """

    name: str
    weight: float = 1.0
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Objective:
    """What the best plan is: one of NAMED, or COST, LEXICOGRAPHIC or SCORE over terms."""

    mode: str = FEWEST
    terms: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """How far an order may be divided.

    `least_package_value`: every package of a divided order must be worth at least this. `lines`: whether a line
    that no node holds whole may be gathered from several.
    """

    max_packages: int | None = None
    least_package_value: int = 0
    lines: bool = True
    ship_complete: bool = False
    fill_or_kill: bool = False


@dataclass(frozen=True, slots=True)
class Fallback:
    """What to do when the plan leaves units unfilled: steps in order, each giving up the named constraints
    besides those of the steps before.

    Names are filter ids, or `max_packages`, `least_package_value`, `capacity`, `allotments`. The first step that
    fills everything decides; if none does, `then`: `backorder`, `queue` (a person decides) or `cancel`.
    """

    relax: tuple[tuple[str, ...], ...] = ()
    then: str = "backorder"


@dataclass(frozen=True, slots=True)
class Strategy:
    """One step of a rule: for which orders, on which nodes, what is best, and how far an order may be split.

    `nodes`: the codes of its network; empty = all. `on_partial`: `ship` what there is and wait for the rest, or
    `wait` until everything is there. `fallback` speaks when something, or (`on_none`) everything, is missing.
    """

    id: str
    when: Condition | None = None
    nodes: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    objective: Objective = Objective()
    split: Split = Split()
    respect_capacity: bool = True
    on_partial: str = "ship"
    on_none: str = "backorder"
    fallback: Fallback = Fallback()


@dataclass(frozen=True, slots=True)
class LineRoute:
    """Lines that take a way of their own, before any strategy: where they may go and what they travel with.

    `kinds` and `nodes` bound the places (empty = as the line's kind says); `capabilities` must all be there.
    `apart`: they ship in packages of their own. `together`: all of them from one node, or not at all.
    """

    id: str
    when: Condition
    kinds: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    apart: bool = False
    together: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """What a rejection or short pick for one reason does: `stock` is `hold` or `free`; `exclude` is `node`, `sku` or
    `none` for this order."""

    stock: str
    exclude: str


@dataclass(frozen=True, slots=True)
class Reroute:
    """Life after a rejection. After `most_cycles` of them the order goes where `then` says: `queue`, `backorder` or
    `cancel`. For `cool_down_minutes` the node gets no more of that SKU from any order."""

    most_cycles: int = 3
    cool_down_minutes: int = 0
    then: str = "queue"
    reasons: Mapping[str, Reason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Release:
    """When work goes to its node: `at_once`, or gathered for `minutes` and planned jointly before it leaves.

    An order of an `express` service does not wait. Work never waits past its node's cut-off.
    """

    mode: str = "at_once"
    minutes: int = 30
    express: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allotment:
    """A share of all stock that is held for one channel; `borrow`: others may take it when theirs is gone."""

    channel: str
    share_percent: float
    borrow: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule document, read. `digest` names its contents; `scope` is `default` or a channel's code."""

    name: str
    strategies: tuple[Strategy, ...]
    scope: str = DEFAULT_SCOPE
    line_routes: tuple[LineRoute, ...] = ()
    reroute: Reroute = field(default_factory=Reroute)
    release: Release = field(default_factory=Release)
    allotments: tuple[Allotment, ...] = ()
    digest: bytes = field(repr=False, default=b"")

    @property
    def is_timed(self) -> bool:
        """Whether what it turns away it may take later, though nothing but the time has changed."""
        seen = [route.when.fields for route in self.line_routes]
        seen += [one.when.fields for one in self.strategies if one.when is not None]
        seen += [each.fields for one in self.strategies for each in one.filters]
        return not TIMED.isdisjoint(frozenset().union(*seen))

    def strategy_for(self, basket: Basket) -> tuple[int, Strategy]:
        """The first strategy that is for this order. The last one is for every order."""
        for position, strategy in enumerate(self.strategies):
            if strategy.when is None or strategy.when.holds(basket):
                return position, strategy
        raise ValueError("the rule has no strategy for this order: its last one must be for every order")
