"""A decision made again from what was kept of it: whether it comes out the same, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from app.routing.parts import CAPACITY
from app.routing.plans import LEAST_VALUE, MOST_PACKAGES
from app.routing.readings import filter_words
from app.routing.recording import Excluded, Recorded, recorded
from app.routing.rules import Decision
from infra.errors import Problem
from tenants.scope import Scope

LIMITS = {
    MOST_PACKAGES: "the most packages",
    LEAST_VALUE: "the least value of a package",
    CAPACITY: "the capacity of nodes that are full",
}
NOT_OF_THE_DECISION = ("excluded", "window")
"""Keys that the keeper of a decision adds to its explanation."""


class Constraint(NamedTuple):
    """Something that bounded a decision, and what to leave out to do without it."""

    id: str
    kind: str
    words: str
    relaxed: tuple[str, ...] = ()
    without: Excluded = ()


def replay(scope: Scope, row: Any) -> dict[str, Any]:
    """A row of routing_decisions decided once more. `recorded` is False for what was not decided here."""
    try:
        made = recorded(scope, row)
    except Problem as problem:
        if problem.status != 404:
            raise
        return {"recorded": False, "same": False, "sensitivity": []}
    decision = made.decide()
    same = {
        "same_input": decision.input_hash == row.input_hash,
        "same_plan": _same_plan(made, decision, row),
        "same_explanation": _same_reasons(decision, row),
    }
    return {
        "recorded": True,
        "same": all(same.values()),
        **same,
        "input_hash": decision.input_hash,
        "sensitivity": list(sensitivity(made, decision)),
    }


def _same_plan(made: Recorded, decision: Decision, row: Any) -> bool:
    """Every unit that was placed is placed again. Units that were taken by another line meanwhile, or given back
    because the whole order had to wait, were decided and not placed."""
    decided: dict[tuple[str, int], int] = {}
    for line, node, units in decision.placements:
        decided[made.network.codes[node], line] = units
    kept = [one for one in row.plan if decided.get((one["node"], one["line"]), 0) < one["quantity"]]
    return not kept and decision.explanation["plan"] == row.explanation["plan"]


def _same_reasons(decision: Decision, row: Any) -> bool:
    again = orjson.loads(orjson.dumps(decision.explanation))
    kept = {key: value for key, value in row.explanation.items() if key not in NOT_OF_THE_DECISION}
    return bool(again == kept and decision.sentence == row.sentence)


def sensitivity(made: Recorded, decision: Decision) -> Iterator[dict[str, Any]]:
    """Each constraint without which the plan would be another one, and that plan."""
    for one in _constraints(made):
        other = made.decide(relaxed=one.relaxed, without=one.without)
        if other.placements == decision.placements:
            continue
        yield {
            "constraint": one.id,
            "kind": one.kind,
            "words": one.words,
            "sentence": other.sentence,
            "plan": [
                {"node": made.network.codes[node], "line": line, "quantity": units}
                for line, node, units in other.placements
            ],
            "packages": other.packages,
            "packages_more": other.packages - decision.packages,
            "miles": round(other.miles, 1),
            "miles_more": round(other.miles - decision.miles, 1),
            "units_more": _filled(other) - _filled(decision),
        }


def _constraints(made: Recorded) -> Iterator[Constraint]:
    _, strategy = made.rule.strategy_for(made.basket)
    for each in strategy.filters:
        if each.id not in made.relaxed:
            yield Constraint(each.id, "filter", filter_words(each), relaxed=(each.id,))
    stands = {
        MOST_PACKAGES: strategy.split.max_packages is not None,
        LEAST_VALUE: bool(strategy.split.least_package_value),
        CAPACITY: made.network.limited and strategy.respect_capacity,
    }
    for name, words in LIMITS.items():
        if stands[name] and name not in made.relaxed:
            yield Constraint(name, "limit", words, relaxed=(name,))
    for node in sorted({node for _, node in made.excluded}):
        pairs = [pair for pair in made.excluded if pair[1] == node]
        code = made.network.codes[node]
        yield Constraint(code, "excluded", f"{made.network.names[node]} is ruled out", without=pairs)


def _filled(decision: Decision) -> int:
    return sum(units for _, _, units in decision.placements)


COMPARED = ("chosen", "runner_up", "best_single")
"""The order in which a kept explanation gives each term's amounts."""


def reasons(explanation: Mapping[str, Any]) -> dict[str, Any]:
    """What a kept explanation says of its plan and of those it was compared with."""
    return {
        "strategy": explanation.get("strategy", ""),
        "objective": explanation.get("objective"),
        "exact": explanation.get("exact"),
        "relaxed": explanation.get("relaxed", []),
        "prices": explanation.get("prices"),
        "input_hash": explanation.get("hash", ""),
        "chosen": _compared(explanation, "chosen"),
        "runner_up": _compared(explanation, "runner_up"),
        "best_single": _compared(explanation, "best_single"),
        "window": _moved(explanation.get("window")),
    }


def _moved(window: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What planning an order with the others of its window changed; None where it did not."""
    if window is None:
        return None
    sides = {
        side: [{"node": node, "units": units} for node, units in window[side]] for side in ("before", "after")
    }
    before, after = window["cost"]
    told = {name: window[name] for name in ("until", "orders", "moved", "saved")}
    way = {"gave_way_to": window.get("gave_way_to", [])}
    return {**told, **sides, **way, "cost_before": before, "cost_after": after}


def _compared(explanation: Mapping[str, Any], which: str) -> dict[str, Any] | None:
    """One of the plans compared, with its own amounts by term; None where there is none."""
    plan = explanation.get(which)
    if plan is None:
        return None
    at = COMPARED.index(which)
    shown = explanation.get("nodes", {"code": [], "outcome": ""})
    chosen = [code for code, outcome in zip(shown["code"], shown["outcome"], strict=True) if outcome == "C"]
    terms = {name: amounts[at] for name, amounts in explanation.get("terms", {}).items()}
    return {"nodes": chosen, "terms": terms, **plan}
