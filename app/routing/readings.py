"""The reason for a plan in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from app.money import Money
from app.routing.clauses import NUMBERS, counted, listed
from app.routing.clauses import filter_words as filter_words
from app.routing.facts import GOODS, MICRO, NEAREST, PRIORITY, Basket, Network
from app.routing.kernel import Plan
from app.routing.policy import COST, SCORE, Objective
from app.routing.vocabulary import TERMS

if TYPE_CHECKING:
    from app.routing.explanations import Findings


def sentence(
    network: Network,
    basket: Basket,
    found: Sequence[Findings],
    unfilled: Sequence[tuple[int, int]],
    held: bool,
    then: str,
) -> str:
    """Why the order ships from where it ships: because, the figure, the runner-up with its difference. `then`: where
    the unfilled units go."""
    units = sum(line.quantity for line in basket.lines)
    missing = sum(quantity for _, quantity in unfilled)
    if held:
        short = units - sum(quantity for findings in found for _, _, quantity in findings.placements)
        return (
            f"Nothing ships yet because the order ships complete and {_number(short)} of {counted(units, 'unit')}"
            f" {_is(short)} not in stock."
        )
    said = [_reason(network, basket, findings) for findings in found if findings.plan is not None]
    if not said:
        return _nothing(found, units, then)
    if missing:
        said.append(
            f"{_number(missing).capitalize()} of {counted(units, 'unit')} {_left(missing, 'stock', then)}."
        )
    return " ".join(said)


def _nothing(found: Sequence[Findings], units: int, then: str) -> str:
    if not found:
        return "There is nothing to ship."
    cause, missing = _cause(found)
    left = f"{counted(units, 'unit').capitalize()} {_left(units, missing, then)}."
    return f"Nothing can ship{'' if then == 'cancel' else ' yet'} because {cause}. {left}"


def _left(units: int, missing: str, then: str) -> str:
    """What becomes of units without a place."""
    if then == "cancel":
        return f"{_is(units)} canceled"
    return f"{'waits' if units == 1 else 'wait'} for {'a person to decide' if then == 'queue' else missing}"


def _cause(found: Sequence[Findings]) -> tuple[str, str]:
    """Why nothing is placed, and what is waited for."""
    if not any(findings.seen.any() for findings in found):
        return "no place has any of it in stock", "stock"
    if any(findings.task.holds.any() for findings in found):
        return "no carrier has a price for it from the places that have it", "another place"
    if any(findings.task.stock.any() for findings in found):
        return "no place has all of a line, and lines may not be divided", "stock"
    if all(_is_full(findings) for findings in found if findings.seen.any()):
        return "the places that have it are full for the day", "another day"
    return "the places that have stock are ruled out", "stock"


def _is_full(findings: Findings) -> bool:
    """Whether all nodes that have something of it are full."""
    full = findings.allowed.full
    return full is not None and not findings.seen[:, ~full].any()


def _reason(network: Network, basket: Basket, findings: Findings) -> str:
    plan = findings.plan
    assert plan is not None
    names = _names(network, plan)
    if not set(findings.route) & set(GOODS):
        verb = "Made" if "workshop" in findings.route else "Delivered"
        by = "in" if "workshop" in findings.route else "by"
        return f"{verb} {by} {names}."
    if findings.money and not _only_place(findings):
        cause = _cause_by_terms(basket, findings)
    elif len(plan.nodes) == 1:
        cause = _cause_of_one(network, basket, findings)
    else:
        cause = _cause_of_many(findings)
    figure = counted(len(plan.nodes), "package")
    if _measured(network, basket, plan):
        together = " together" if len(plan.nodes) > 1 else ""
        figure += f", {_miles(plan.distance)}{together}"
    return f"Ships from {names} because {cause}: {figure}.{_next_best(network, basket, findings)}"


def _only_place(findings: Findings) -> bool:
    plan = findings.plan
    return plan is not None and len(plan.nodes) == 1 and int(np.count_nonzero(findings.task.alone)) == 1


def _cause_by_terms(basket: Basket, findings: Findings) -> str:
    """The figures that decided: what the plan costs, or by what it comes first."""
    amounts, goal = findings.money["plan"], findings.goal
    it = "it" if findings.plan is not None and len(findings.plan.nodes) == 1 else "together they"
    verbs = ("costs", "comes", "scores") if it == "it" else ("cost", "come", "score")
    if goal.mode == COST:
        shares = [
            f"{Money(share, basket.currency)} {TERMS[term.name].label}"
            for term in goal.terms
            if (share := round(amounts[term.name] * term.weight))
        ]
        cost = _money(_total(goal, amounts), basket.currency)
        of = f" ({listed(shares, 'and')})" if len(shares) > 1 else ""
        return f"{it} {verbs[0]} the least, {cost}{of}"
    labels = [TERMS[term.name].label for term in goal.terms]
    if goal.mode == SCORE:
        return f"{it} {verbs[2]} best by {listed(labels, 'and')}"
    return f"{it} {verbs[1]} first by {', then '.join(labels)}"


def _money(amount: float, currency: str) -> str:
    return str(Money(round(amount), currency))


def _total(goal: Objective, amounts: Mapping[str, float]) -> float:
    return sum([term.weight * amounts[term.name] for term in goal.terms])


def _cause_of_one(network: Network, basket: Basket, findings: Findings) -> str:
    task, plan = findings.task, findings.plan
    assert plan is not None
    items = _items(len(findings.rows))
    count = int(np.count_nonzero(task.alone))
    if not count:
        cap = task.cap == 1 and plan.filled < int(task.stock.sum(axis=1).clip(max=task.quantity).sum())
        if cap:
            return "of all single places it fills the most"
        beyond = bool((findings.seen > task.stock).any())
        return "it has all that possible places have in stock" if beyond else "it has all that is in stock"
    possible = _possible(findings)
    if count == 1:
        return f"it is the only {possible}place with {items} in stock"
    among = f"of the {_number(count)} {possible}places with {items} in stock"
    node = plan.nodes[0]
    others = task.alone.copy()
    others[node] = False
    ranked_first = int(task.priority[others].min()) > task.priority[node]
    if task.objective == PRIORITY and ranked_first:
        return f"it has the lowest priority number {among}"
    if _measured(network, basket, plan) and int(task.distance[others].min()) > plan.distance:
        return f"it is the nearest {among}"
    if ranked_first:
        return f"it has the lowest priority number {among}"
    return f"it comes first {among}"


def _cause_of_many(findings: Findings) -> str:
    task = findings.task
    if task.objective == NEAREST:
        return f"each is the nearest {_possible(findings, 'place ')}with the item in stock"
    if task.alone.any():
        return "they have lower priority numbers than any single place with everything"
    possible = _possible(findings)
    if len(findings.rows) == 1:
        return f"no single {possible}place has {int(task.quantity[0]):,} in stock"
    return f"no single {possible}place has {_items(len(findings.rows))} in stock"


def _possible(findings: Findings, noun: str = "") -> str:
    """The word that tells the places left from all that have everything, where one of those was ruled out."""
    task = findings.task
    everywhere = (findings.seen >= task.quantity[:, None]).all(axis=0)
    return f"possible {noun}" if bool((everywhere & ~task.alone).any()) else ""


def _next_best(network: Network, basket: Basket, findings: Findings) -> str:
    """The runner-up with what it would cost more: units, packages, or miles, in that order."""
    plan, other = findings.plan, findings.runner_up
    if plan is None or other is None:
        return ""
    names = _names(network, other)
    packages = counted(len(other.nodes), "package")
    if other.filled < plan.filled:
        short = plan.filled - other.filled
        return f" Next best: {names}, {counted(short, 'unit')} fewer."
    if findings.goal.mode == COST and "runner_up" in findings.money:
        costs = [_total(findings.goal, findings.money[name]) for name in ("plan", "runner_up")]
        dearer = round(costs[1]) - round(costs[0])
        more = f"{_money(dearer, basket.currency)} more" if dearer else "the same cost"
        return f" Next best: {names}, {_money(costs[1], basket.currency)}, {more}."
    said = [] if len(other.nodes) == len(plan.nodes) else [packages]
    if _measured(network, basket, plan) and _measured(network, basket, other):
        farther = round(other.distance / MICRO) - round(plan.distance / MICRO)  # of the miles that are told
        said.append(_miles(other.distance))
        said.append(f"{abs(farther):,} {'farther' if farther > 0 else 'nearer'}" if farther else "as near")
    return f" Next best: {', '.join([names, *said])}."


def _measured(network: Network, basket: Basket, plan: Plan) -> bool:
    located = basket.destination.lat is not None and basket.destination.lon is not None
    return located and (network.all_placed or bool(network.placed[list(plan.nodes)].all()))


def _names(network: Network, plan: Plan) -> str:
    return listed([network.names[node] for node in plan.nodes], "and")


def _items(count: int) -> str:
    return "the item" if count == 1 else "both items" if count == 2 else f"all {_number(count)} items"


def _miles(distance: int) -> str:
    miles = round(distance / MICRO)
    return f"{miles:,} mile{'' if miles == 1 else 's'}"


def _number(number: int) -> str:
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else f"{number:,}"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
