"""Which nodes fulfill an order: the rule that applies, the nodes it allows, the best plan, and why.

Pure: the same network, basket, rule and exclusions give the same decision to the last byte, on any machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np

from app.routing import explanations, kernel
from app.routing.explanations import Findings
from app.routing.facts import (
    GOODS,
    Basket,
    BasketLine,
    Destination,
    Ints,
    Network,
    NodeFacts,
    line_routes,
)
from app.routing.parts import Part, eligible, handed_out, parts_of
from app.routing.plans import solve
from app.routing.policy import Rule, Strategy
from app.routing.terms import NO_PRICES, Lanes, Prices

__all__ = [
    "Alternative",
    "Basket",
    "BasketLine",
    "Decision",
    "Destination",
    "Network",
    "NodeFacts",
    "decide",
    "line_routes",
]


@dataclass(frozen=True, slots=True)
class Alternative:
    """A plan that was not chosen, for comparison: node positions, units filled, miles of all packages."""

    nodes: tuple[int, ...]
    filled: int
    packages: int
    miles: float


@dataclass(frozen=True)
class Decision:
    """The plan for one basket. Lines are positions in the basket, nodes are positions in the network."""

    placements: list[tuple[int, int, int]]
    unfilled: list[tuple[int, int]]
    nodes: tuple[int, ...]
    packages: int
    miles: float
    strategy: str
    runner_up: Alternative | None
    best_single: Alternative | None
    exact: bool
    why: Reasons = field(repr=False, compare=False)
    then: str = ""
    """Where the unfilled units go: `backorder`, `queue` or `cancel`; empty when nothing is missing."""
    kill: bool = False
    """The rule would rather have no order than a part of it."""

    @property
    def explanation(self) -> dict:
        """Why, plain JSON, as it is kept."""
        return self.why.told[0]

    @property
    def sentence(self) -> str:
        """Why, for agent and buyer."""
        return self.why.told[1]

    @property
    def input_hash(self) -> str:
        """SHA-256 over everything it depends on."""
        return self.why.digest


@dataclass(frozen=True, eq=False)
class Reasons:
    """What a decision was found from. It is put in words when somebody asks: of thousands of orders decided again,
    only those that change are read."""

    network: Network
    basket: Basket
    rule: Rule
    strategy: Strategy
    available: Ints
    excluded: Collection[tuple[int | None, int]]
    prices: Prices
    found: list[Findings]
    placements: list[tuple[int, int, int]]
    unfilled: list[tuple[int, int]]
    held: bool
    relaxed: tuple[str, ...]
    then: str
    compare: bool
    asked: frozenset[str]
    """The constraints that were given up from the start."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything the decision depends on."""
        return _input_hash(self.network, self.basket, self.rule, self.available, self.excluded, self.prices)

    @property
    def explained(self) -> Findings | None:
        """The part of the order that an explanation is about: its goods."""
        goods = (one for one in self.found if not _GOODS.isdisjoint(one.route))
        return next(goods, self.found[0] if self.found else None)

    @cached_property
    def told(self) -> tuple[dict, str]:
        """The explanation to keep, plain JSON, and the sentence. What was decided without comparing is decided once
        more: the same input gives the same plan."""
        if not self.compare:
            return decide(
                self.network,
                self.basket,
                self.rule,
                excluded=self.excluded,
                prices=self.prices,
                relaxed=self.asked,
            ).why.told
        explained = self.explained
        explanation, sentence = explanations.explain(
            self.network,
            self.basket,
            self.strategy.id,
            explained,
            self.found,
            self.placements,
            self.unfilled,
            self.held,
            self.then,
            self.digest,
        )
        if self.relaxed:
            explanation["relaxed"] = list(self.relaxed)
        if self.prices.version and explained is not None and explained.money:
            explanation["prices"] = self.prices.version
        return explanation, sentence


def decide(
    network: Network,
    basket: Basket,
    rule: Rule,
    *,
    excluded: Collection[tuple[int | None, int]] = (),
    prices: Prices = NO_PRICES,
    relaxed: Collection[str] = (),
    compare: bool = True,
) -> Decision:
    """Choose the nodes for a basket.

    `excluded` holds (line, node) pairs that may not be used, line None for the whole node. A pair counts for
    every line of the same SKU. Lines that are made to order, digital, or sent a way of their own by a line route
    leave before the strategy is asked. Where units stay without a place, the strategy's fallback gives up its
    constraints step by step, each besides those before; the first step that leaves the fewest units decides. `relaxed`:
    constraints given up from the start. Without `compare` only the plan is sought, no runner-up and no best single
    node; its explanation is found when it is read. Raises ValueError when the basket does not fit the network.
    """
    available = _checked(network, basket)
    lanes = Lanes(network, basket)
    position, strategy = rule.strategy_for(basket)
    parts = parts_of(network, basket, available, rule)
    key = (rule.digest, position)
    attempts: list[_Attempt] = []
    steps: tuple[str, ...] = ()
    for step in ((), *strategy.fallback.relax):
        steps = tuple(dict.fromkeys((*steps, *step)))
        given_up = frozenset((*relaxed, *steps))
        found = [
            _planned(network, basket, part, lanes, strategy, key, excluded, prices, given_up, compare)
            for part in parts
        ]
        attempts.append(_Attempt(steps, found, _unfilled(basket, _all(found))))
        if not attempts[-1].unfilled:
            break
    chosen = min(attempts, key=lambda attempt: attempt.missing)
    asked = frozenset(relaxed)
    return _decision(
        network, basket, rule, strategy, chosen, available, lanes, excluded, prices, compare, asked
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Attempt:
    """What came of planning with some constraints given up."""

    relaxed: tuple[str, ...]
    found: list[Findings]
    unfilled: list[tuple[int, int]]

    @property
    def missing(self) -> int:
        return sum(units for _, units in self.unfilled)


def _decision(
    network: Network,
    basket: Basket,
    rule: Rule,
    strategy: Strategy,
    chosen: _Attempt,
    available: Ints,
    lanes: Lanes,
    excluded: Collection[tuple[int | None, int]],
    prices: Prices,
    compare: bool,
    asked: frozenset[str],
) -> Decision:
    found, unfilled, placements = chosen.found, chosen.unfilled, sorted(_all(chosen.found))
    waits = basket.ship_complete or strategy.split.ship_complete or strategy.on_partial == "wait"
    held = bool(unfilled and placements) and waits
    if held:
        placements, unfilled = [], [(line, each.quantity) for line, each in enumerate(basket.lines)]
    nodes = tuple(sorted({node for _, node, _ in placements}))
    then = _then(strategy, bool(placements)) if unfilled else ""
    why = Reasons(
        network,
        basket,
        rule,
        strategy,
        available,
        excluded,
        prices,
        found,
        placements,
        unfilled,
        held,
        chosen.relaxed,
        then,
        compare,
        asked,
    )
    explained = why.explained
    return Decision(
        placements=placements,
        unfilled=unfilled,
        nodes=nodes,
        packages=len(nodes),
        miles=explanations.miles_of(network, lanes.distance, nodes),
        strategy=strategy.id,
        runner_up=_alternative(network, explained, explained.runner_up) if explained else None,
        best_single=_alternative(network, explained, explained.best_single) if explained else None,
        exact=all(findings.plan is None or findings.plan.exact for findings in found),
        why=why,
        then=then,
        kill=bool(unfilled) and strategy.split.fill_or_kill,
    )


def _then(strategy: Strategy, any_placed: bool) -> str:
    """Where units without a place go: the fallback's end, or what the strategy says when nothing was found."""
    if not any_placed and strategy.on_none != "backorder":
        return strategy.on_none
    return strategy.fallback.then


def _checked(network: Network, basket: Basket) -> Ints:
    available = np.ascontiguousarray(basket.available, dtype=np.int64)
    if available.shape != (len(basket.lines), len(network)):
        raise ValueError("available must have one row per line and one column per node")
    if any(line.quantity < 1 for line in basket.lines):
        raise ValueError("a line must ask for at least one unit")
    return available


def _planned(
    network: Network,
    basket: Basket,
    part: Part,
    lanes: Lanes,
    strategy: Strategy,
    key: tuple[bytes, int],
    excluded: Collection[tuple[int | None, int]],
    prices: Prices,
    relaxed: frozenset[str],
    compare: bool,
) -> Findings:
    """The best plan of one part, with what ruled each node out."""
    allowed = eligible(network, basket, part, strategy, key, lanes, excluded, relaxed)
    solved = solve(network, basket, part, allowed, lanes, strategy, prices, relaxed, compare)
    return Findings(
        route=part.kinds,
        rows=part.lines,
        part=part,
        lanes=lanes,
        task=solved.task,
        seen=allowed.seen,
        allowed=allowed,
        filters=strategy.filters if part.is_goods else (),
        plan=solved.plan,
        runner_up=solved.runner_up,
        best_single=solved.best_single,
        placements=handed_out(basket, part, solved.rows),
        money=solved.money,
        goal=solved.objective,
    )


def _all(found: Sequence[Findings]) -> list[tuple[int, int, int]]:
    return [placement for findings in found for placement in findings.placements]


def _unfilled(basket: Basket, placements: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]]:
    left = [line.quantity for line in basket.lines]
    for line, _, quantity in placements:
        left[line] -= quantity
    return [(line, quantity) for line, quantity in enumerate(left) if quantity] if any(left) else []


def _alternative(network: Network, findings: Findings, plan: kernel.Plan | None) -> Alternative | None:
    if plan is None:
        return None
    miles = explanations.miles_of(network, findings.task.distance, plan.nodes)
    return Alternative(plan.nodes, plan.filled, len(plan.nodes), miles)


_GOODS = frozenset(GOODS)
_SAID = tuple(each.name for each in fields(Basket) if each.name not in ("available", "load", "ahead"))
"""What of a basket is hashed as text; its arrays are hashed as they are."""


def _input_hash(
    network: Network,
    basket: Basket,
    rule: Rule,
    available: Ints,
    excluded: Collection[tuple[int | None, int]],
    prices: Prices,
) -> str:
    """SHA-256 over everything the decision depends on."""
    pairs = sorted((-1 if line is None else line, node) for line, node in set(excluded))
    said = repr(([getattr(basket, name) for name in _SAID], pairs))
    digest = hashlib.sha256(network.digest + rule.digest + prices.digest)
    digest.update(said.encode("utf-8", "surrogatepass"))
    digest.update(available.data)
    if basket.load is not None and network.limited:
        digest.update(np.ascontiguousarray(basket.load, dtype=np.int64).data)
    if basket.ahead is not None:
        digest.update(np.ascontiguousarray(basket.ahead, dtype=np.int64).data)
    return digest.hexdigest()
