"""Why a plan was chosen: compact for storage, a sentence for agent and buyer, a table for the analyst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from app.routing import readings, ruled_out
from app.routing.clauses import counted
from app.routing.facts import MICRO, NEAREST, PRIORITY, Basket, Ints, Network
from app.routing.fields import Filter
from app.routing.kernel import Plan, Task
from app.routing.parts import Eligible, Part, view_of
from app.routing.policy import Objective
from app.routing.terms import Lanes

MOST_NODES = 56
MOST_LETTERS = 640  # of node codes, amounts and what filters saw: keeps an explanation under 2 kB
MOST_SEEN = 160  # letters of what filters saw, before fewer nodes are shown for it
MOST_PARTS = 12
MOST_NAMES = 6

CHOSEN, WHOLE, PART, SHORT = b"CPpS"
FILTERED, REFUSED, CLOSED, FULL, OTHER_KIND, AWAY, UNLISTED, SENT_ELSEWHERE = b"FXOUKANR"
_GIVING = np.array([SHORT, PART, WHOLE], dtype=np.uint8)
"""By how much of the lines a node gives: nothing, some, all."""


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What was found out about lines of one route. `seen` is the stock before anything was ruled out."""

    route: tuple[str, ...]
    rows: list[list[int]]
    part: Part
    lanes: Lanes
    task: Task
    seen: Ints
    allowed: Eligible
    filters: tuple[Filter, ...]
    plan: Plan | None
    runner_up: Plan | None
    best_single: Plan | None
    placements: list[tuple[int, int, int]]
    money: dict[str, dict[str, float]]
    goal: Objective


def miles_of(network: Network, distance: Ints, nodes: Sequence[int]) -> float:
    """Miles of all packages together. A node without a place counts for none."""
    if not network.all_placed:
        nodes = [node for node in nodes if network.placed[node]]
    return sum(map(distance.item, nodes)) / MICRO


def explain(
    network: Network,
    basket: Basket,
    strategy: str,
    findings: Findings | None,
    found: Sequence[Findings],
    placements: Sequence[tuple[int, int, int]],
    unfilled: Sequence[tuple[int, int]],
    held: bool,
    then: str,
    digest: str,
) -> tuple[dict, str]:
    """The explanation to store, plain JSON, and the sentence."""
    explanation: dict = {
        "v": 1,
        "strategy": strategy,
        "plan": _plan_of(network, placements),
        "unfilled": [list(pair) for pair in unfilled[:MOST_PARTS]],
        "lines": len(basket.lines),
        "hash": digest,
    }
    if held:
        explanation["held"] = "ship_complete"
    if findings is not None:
        _add_findings(explanation, network, basket, findings)
    return explanation, readings.sentence(network, basket, found, unfilled, held, then)


def _plan_of(network: Network, placements: Sequence[tuple[int, int, int]]) -> list[list]:
    """[node code, units] of each package."""
    units: dict[int, int] = {}
    for _, node, quantity in placements:
        units[node] = units.get(node, 0) + quantity
    return [[network.codes[node], units[node]] for node in sorted(units)[:MOST_NAMES]]


def _add_findings(explanation: dict, network: Network, basket: Basket, findings: Findings) -> None:
    plan = findings.plan
    explanation["objective"] = findings.goal.mode if findings.money else findings.task.objective
    if plan is not None:
        explanation["chosen"] = {
            "packages": len(plan.nodes),
            "filled": plan.filled,
            "miles": round(miles_of(network, findings.task.distance, plan.nodes), 1),
        }
        if findings.money:
            explanation["terms"] = _terms(findings)
        explanation["method"] = plan.method
        explanation["exact"] = plan.exact
        if findings.runner_up is not None:
            explanation["runner_up"] = _summary(network, findings, findings.runner_up)
        if findings.best_single is not None and len(plan.nodes) > 1:
            explanation["best_single"] = _summary(network, findings, findings.best_single)
    outcomes, line, detail = _outcomes(network, basket, findings)
    letters = MOST_LETTERS - _letters(explanation)
    shown = _shown(network, findings, outcomes, letters)
    filters, seen, figures = _ruled_out(network, basket, findings, shown, outcomes, detail)
    while len(orjson.dumps((filters, seen))) > letters + MOST_SEEN - int(network.code_sizes[shown].sum()):
        shown = _fewer(findings, shown, outcomes)
        filters, seen, figures = _ruled_out(network, basket, findings, shown, outcomes, detail)
    if len(shown) < len(network):
        counts = np.bincount(outcomes, minlength=128).tolist()
        explanation["counts"] = {chr(letter): count for letter, count in enumerate(counts) if count}
    explanation["nodes"] = {
        "code": [network.codes[node] for node in shown.tolist()],
        "outcome": outcomes[shown].tobytes().decode("ascii"),
        "line": line[shown].tolist(),
        "detail": figures.tolist(),
        "miles": np.rint(findings.task.distance[shown] / MICRO).astype(np.int64).tolist()
        if _located(basket)
        else [],
    }
    explanation["quantities"] = findings.task.quantity[:MOST_PARTS].tolist()
    if filters:
        explanation["filters"], explanation["ruled_out"] = filters, seen


def _fewer(findings: Findings, shown: Ints, outcomes: NDArray[np.uint8]) -> Ints:
    """Without the farther half of the nodes that filters ruled out."""
    filtered = shown[outcomes[shown] == FILTERED]
    nearest = filtered[np.argsort(findings.task.distance[filtered], kind="stable")]
    fewer: Ints = shown[~np.isin(shown, nearest[len(nearest) // 2 :])]
    return fewer


def _ruled_out(
    network: Network,
    basket: Basket,
    findings: Findings,
    shown: Ints,
    outcomes: NDArray[np.uint8],
    detail: Ints,
) -> tuple[list[list], list[list], Ints]:
    """The filters that ruled nodes out, what they saw, and the figure of each node that is shown: of one that was
    ruled out, where what was seen of it stands."""
    figures = detail[shown]
    filtered = (outcomes[shown] == FILTERED).nonzero()[0]
    if not len(filtered):
        return [], [], figures
    view = view_of(network, basket, findings.part, findings.lanes)
    filters, seen, found = ruled_out.kept(view, findings.filters, shown[filtered], figures[filtered])
    figures[filtered] = found
    return filters, seen, figures


def _terms(findings: Findings) -> dict[str, list[float | None]]:
    """By term what it comes to in the plan, in the runner-up, in the best single node; None where there is none."""
    of_plans = [findings.money.get(name) for name in ("plan", "runner_up", "best_single")]
    return {
        name: [None if amounts is None else _short(amounts[name]) for amounts in of_plans]
        for name in findings.money["plan"]
    }


def _short(amount: float) -> float:
    """Five digits tell enough: what is large is shown without its cents."""
    return round(amount) if abs(amount) >= 1000 or amount == round(amount) else amount


def _located(basket: Basket) -> bool:
    return basket.destination.lat is not None and basket.destination.lon is not None


def _summary(network: Network, findings: Findings, plan: Plan) -> dict:
    return {
        "nodes": [network.codes[node] for node in plan.nodes[:MOST_NAMES]],
        "packages": len(plan.nodes),
        "filled": plan.filled,
        "miles": round(miles_of(network, findings.task.distance, plan.nodes), 1),
    }


def _outcomes(network: Network, basket: Basket, findings: Findings) -> tuple[NDArray[np.uint8], Ints, Ints]:
    """Per node a letter, the first row of lines it lacks, and a figure (units on hand, or the filter)."""
    task, seen = findings.task, findings.seen
    line = task.holds.argmin(axis=0)  # the first that is not held whole
    some: NDArray[np.bool_] = np.logical_or.reduce(task.stock)
    outcomes = _GIVING.take(some.view(np.uint8) + task.alone.view(np.uint8))
    detail = seen.take(line * len(network) + network.every)
    allowed = findings.allowed
    for node in allowed.refused:
        if not some[node]:
            outcomes[node] = REFUSED
    if not np.logical_and.reduce(allowed.nodes):
        outcomes[~allowed.nodes & ~some] = OTHER_KIND
        if allowed.full is not None and basket.load is not None:
            outcomes = np.where(allowed.full, np.uint8(FULL), outcomes)
            detail = np.where(allowed.full, basket.load, detail)
        if allowed.ruled_out is not None:
            filtered: NDArray[np.bool_] = (allowed.ruled_out < len(findings.filters)) & ~allowed.nodes
            outcomes[filtered] = FILTERED
            detail = np.where(filtered, allowed.ruled_out, detail)
        if allowed.unlisted is not None:
            outcomes[allowed.unlisted & ~allowed.nodes] = UNLISTED
        if findings.part.places is not None:
            outcomes[~np.logical_or.reduce(findings.part.places)] = SENT_ELSEWHERE
        if allowed.away is not None:
            outcomes[allowed.away] = AWAY
        outcomes[~network.open] = CLOSED
        if findings.route in network.route_kinds:
            outcomes[np.logical_not(network.route_kinds[findings.route])] = OTHER_KIND
    if findings.plan is not None:
        outcomes[list(findings.plan.nodes)] = CHOSEN
    return outcomes, line, detail


def _letters(explanation: dict) -> int:
    """Letters of node codes and of amounts so far."""
    letters = sum([len(code) for code, _ in explanation["plan"]])
    for other in ("runner_up", "best_single"):
        if other in explanation:
            letters += sum(map(len, explanation[other]["nodes"]))
    for name, amounts in explanation.get("terms", {}).items():
        letters += len(name) + sum([len(str(amount)) + 1 for amount in amounts])
    return letters


def _shown(network: Network, findings: Findings, outcomes: NDArray[np.uint8], letters: int) -> Ints:
    """The nodes to keep: all of a small network, else those chosen, then those with stock, then the nearest."""
    count = len(network)
    if count <= MOST_NODES and network.code_letters <= letters:
        return network.every
    ranks = np.full(128, 3, dtype=np.int64)
    ranks[[CHOSEN, WHOLE, PART]] = 0, 1, 2
    keys = (ranks[outcomes] << 40) + findings.task.distance
    nearest = np.argpartition(keys, MOST_NODES)[:MOST_NODES] if count > MOST_NODES else network.every
    order = nearest[np.lexsort((nearest, keys[nearest]))]
    return order[network.code_sizes[order].cumsum() <= letters]


@dataclass(frozen=True, slots=True)
class Row:
    """One node in the analyst's table. Miles are rounded; `against` is the difference from the chosen plan."""

    code: str
    name: str
    outcome: str
    packages: int | None = None
    miles: int | None = None
    against: float | None = None


def explain_table(explanation: dict, network: Network | None = None, currency: str = "USD") -> list[Row]:
    """The stored explanation as rows, the chosen first, then the possible, then the ruled out, each by miles.

    The network of today lends names; a node that is gone shows by its code.
    """
    nodes = explanation.get("nodes")
    if not nodes:
        return []
    rows = [_row(explanation, nodes, at, network, currency) for at in range(len(nodes["code"]))]
    order = {"C": 0, "P": 1, "p": 2}
    ranked = sorted(
        zip(nodes["outcome"], rows, strict=True),
        key=lambda pair: (order.get(pair[0], 3), pair[1].miles or 0, pair[1].code),
    )
    return [row for _, row in ranked]


def _row(explanation: dict, nodes: dict, at: int, network: Network | None, currency: str) -> Row:
    code, letter = nodes["code"][at], nodes["outcome"][at]
    miles = nodes["miles"][at] if nodes["miles"] else None
    position = network.position.get(code) if network is not None else None
    name = network.names[position] if network is not None and position is not None else code
    if position is not None and network is not None and not network.placed[position]:
        miles = None
    outcome = _words(explanation, nodes, at, miles, currency)
    if letter not in "CP" or "chosen" not in explanation:
        return Row(code, name, outcome, None, miles)
    against, chosen = None, explanation["chosen"]
    if miles is not None and chosen["packages"] == 1:
        against = round(miles - chosen["miles"]) if letter == "P" else 0
    return Row(code, name, outcome, 1, miles, against)


def _words(explanation: dict, nodes: dict, at: int, miles: int | None, currency: str) -> str:
    letter, line, detail = nodes["outcome"][at], nodes["line"][at], nodes["detail"][at]
    quantities = explanation["quantities"]
    wanted = quantities[line] if line < len(quantities) else None
    short = f"{detail:,} on hand, {wanted:,} needed" if wanted is not None else f"{detail:,} on hand"
    if len(quantities) > 1:
        short += f" of item {line + 1}"
    if letter == "C":
        return "Chosen"
    if letter == "P":
        return _possible(explanation, nodes, at)
    if letter == "p":
        return f"Possible for a part: {short}"
    if letter == "F":
        return f"Ruled out by filter {ruled_out.words(explanation, detail, miles, currency)}"
    return {
        "S": f"Ruled out: {short}",
        "X": "Ruled out: refused these goods before",
        "O": "Ruled out: closed",
        "U": f"Ruled out: full for the day, {counted(detail, 'package')}",
        "A": "Ruled out: does not deliver there",
        "N": "Ruled out: not one of the places of this rule",
        "R": "Ruled out: a rule for these lines sends them elsewhere",
        "K": "Ruled out: not for goods of this kind",
    }[letter]


def _possible(explanation: dict, nodes: dict, at: int) -> str:
    chosen = explanation.get("chosen")
    if chosen is None:
        return "Ruled out: its carrier has no price for such a package"
    if explanation["objective"] in (NEAREST, PRIORITY) or chosen["packages"] != 1 or not nodes["miles"]:
        return "Possible"
    farther = nodes["miles"][at] - round(chosen["miles"])
    return f"Possible, {'farther' if farther > 0 else 'as near' if not farther else 'nearer'}"
