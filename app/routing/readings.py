"""Routing in words: rules as sentences for the Routing page, and the reason for a plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from app.routing.facts import FEWEST, GOODS, MICRO, NEAREST, PRIORITY, Basket, Network
from app.routing.fields import ORDER_FIELDS, Condition, Filter, Value
from app.routing.kernel import Plan

if TYPE_CHECKING:
    from app.routing.explanations import Findings
    from app.routing.policy import Strategy

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
OBJECTIVES = {
    FEWEST: "choose the fewest packages, then the nearest",
    PRIORITY: "open places in order of their priority number, then choose the fewest packages, then the nearest",
    NEAREST: "take each item from the nearest place that has it",
}
KINDS = {
    "warehouse": "warehouses",
    "store": "stores",
    "vendor": "vendors",
    "workshop": "workshops",
    "virtual": "virtual places",
}
COMPARISONS = {
    "lt": "less than",
    "lte": "at most",
    "gt": "more than",
    "gte": "at least",
}
MOST_NAMES = 4


def strategy_sentence(strategy: Strategy, first: bool) -> str:
    """A strategy as one sentence, as the Routing page shows it."""
    parts = [filter_words(each) for each in strategy.filters]
    parts.append(OBJECTIVES[strategy.objective.mode])
    if strategy.split.max_packages is not None:
        parts.append(f"in at most {_count(strategy.split.max_packages, 'package')}")
    if strategy.when is not None:
        opening = f"When {condition_words(strategy.when)}: "
    else:
        opening = "For every order: " if first else "For everything else: "
    ending = (
        "ship only when all of it is there"
        if strategy.split.ship_complete
        else "what is missing waits for stock"
    )
    return f"{opening}{', '.join(parts)}; {ending}."


def condition_words(condition: Condition) -> str:
    """A condition as a clause: "the channel is web or phone and the number of units is at least 5"."""
    if condition.op == "not":
        return f"it is not so that {condition_words(condition.parts[0])}"
    if condition.op in ("all", "any"):
        word = " and " if condition.op == "all" else " or "
        return word.join(
            f"({condition_words(part)})" if part.op in ("all", "any") else condition_words(part)
            for part in condition.parts
        )
    return f"{ORDER_FIELDS[condition.field].words} {_comparison(condition.op, condition.value)}"


def filter_words(each: Filter) -> str:
    """A filter as a clause: "use only warehouses", "within 500 miles", "never RENO"."""
    if each.field == "node.distance_miles":
        return f"with a distance in miles of {_amount(each.op, each.value)}"
    if each.field == "node.priority" and each.op not in ("eq", "ne", "in", "not_in"):
        return f"with a priority number of {_amount(each.op, each.value)}"
    verb = "use only" if each.op in ("eq", "in") else "never use"
    listed = each.value if isinstance(each.value, tuple) else (each.value,)
    if each.field == "node.kind":
        return f"{verb} {_listed([KINDS.get(str(kind), str(kind)) for kind in listed], 'and')}"
    if each.field == "node.code":
        return f"{verb} {_listed([str(code) for code in listed], 'and')}"
    if each.field == "node.priority":
        return f"{verb} places with priority number {_listed([str(number) for number in listed], 'or')}"
    return f"{verb} places in {_listed([str(place) for place in listed], 'or')}"


def _amount(op: str, value: Value) -> str:
    if op == "between" and isinstance(value, tuple):
        return f"{value[0]} to {value[1]}"
    return f"{COMPARISONS[op]} {value}"


def _comparison(op: str, value: Value) -> str:
    listed = [str(each).replace("_", " ") for each in (value if isinstance(value, tuple) else (value,))]
    if op in ("eq", "in"):
        return f"is {_listed(listed, 'or')}"
    if op in ("ne", "not_in"):
        return f"is not {_listed(listed, 'or')}"
    if op == "zip_prefix":
        return f"starts with {_listed(listed, 'or')}"
    return f"is {_amount(op, value)}"


def sentence(
    network: Network,
    basket: Basket,
    found: Sequence[Findings],
    unfilled: Sequence[tuple[int, int]],
    held: bool,
) -> str:
    """Why the order ships from where it ships: because, the figure, the runner-up with its difference."""
    units = sum(line.quantity for line in basket.lines)
    missing = sum(quantity for _, quantity in unfilled)
    if held:
        short = units - sum(quantity for findings in found for _, _, quantity in findings.placements)
        return (
            f"Nothing ships yet because the order ships complete and {_number(short)} of {_count(units, 'unit')}"
            f" {_is(short)} not in stock."
        )
    said = [_reason(network, basket, findings) for findings in found if findings.plan is not None]
    if not said:
        return _nothing(found, units)
    if missing:
        waits = "waits" if missing == 1 else "wait"
        said.append(f"{_number(missing).capitalize()} of {_count(units, 'unit')} {waits} for stock.")
    return " ".join(said)


def _nothing(found: Sequence[Findings], units: int) -> str:
    if not found:
        return "There is nothing to ship."
    waits = f"{_count(units, 'unit').capitalize()} {'waits' if units == 1 else 'wait'} for stock."
    seen = any(findings.seen.any() for findings in found)
    cause = "the places that have stock are ruled out" if seen else "no place has any of it in stock"
    return f"Nothing can ship yet because {cause}. {waits}"


def _reason(network: Network, basket: Basket, findings: Findings) -> str:
    plan = findings.plan
    assert plan is not None
    names = _names(network, plan)
    if findings.route != GOODS:
        verb = "Made" if "workshop" in findings.route else "Delivered"
        by = "in" if "workshop" in findings.route else "by"
        return f"{verb} {by} {names}."
    cause = _cause_of_one(network, basket, findings) if len(plan.nodes) == 1 else _cause_of_many(findings)
    figure = _count(len(plan.nodes), "package")
    if _measured(network, basket, plan):
        together = " together" if len(plan.nodes) > 1 else ""
        figure += f", {_miles(plan.distance)}{together}"
    return f"Ships from {names} because {cause}: {figure}.{_next_best(network, basket, findings)}"


def _cause_of_one(network: Network, basket: Basket, findings: Findings) -> str:
    task, plan = findings.task, findings.plan
    assert plan is not None
    items = _items(len(findings.rows))
    count = int(np.count_nonzero(task.alone))
    if not count:
        cap = task.cap == 1 and plan.filled < int(task.stock.sum(axis=1).clip(max=task.quantity).sum())
        return "of all single places it fills the most" if cap else "it has all that is in stock"
    if count == 1:
        return f"it is the only place with {items} in stock"
    among = f"of the {_number(count)} places with {items} in stock"
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
        return "each is the nearest with the item in stock"
    if task.alone.any():
        return "they have lower priority numbers than any single place with everything"
    if len(findings.rows) == 1:
        return f"no single place has {int(task.quantity[0]):,} in stock"
    return f"no single place has {_items(len(findings.rows))} in stock"


def _next_best(network: Network, basket: Basket, findings: Findings) -> str:
    """The runner-up with what it would cost more: units, packages, or miles, in that order."""
    plan, other = findings.plan, findings.runner_up
    if plan is None or other is None:
        return ""
    names = _names(network, other)
    packages = _count(len(other.nodes), "package")
    if other.filled < plan.filled:
        short = plan.filled - other.filled
        return f" Next best: {names}, {_count(short, 'unit')} fewer."
    said = [] if len(other.nodes) == len(plan.nodes) else [packages]
    if _measured(network, basket, plan) and _measured(network, basket, other):
        more = other.distance - plan.distance
        said.append(_miles(other.distance))
        said.append(f"{_miles(abs(more), bare=True)} {'farther' if more >= 0 else 'nearer'}")
        if abs(more) < MICRO // 2:
            said[-1] = "as near"
    return f" Next best: {', '.join([names, *said])}."


def _measured(network: Network, basket: Basket, plan: Plan) -> bool:
    located = basket.destination.lat is not None and basket.destination.lon is not None
    return located and (network.all_placed or bool(network.placed[list(plan.nodes)].all()))


def _names(network: Network, plan: Plan) -> str:
    return _listed([network.names[node] for node in plan.nodes], "and")


def _items(count: int) -> str:
    return "the item" if count == 1 else "both items" if count == 2 else f"all {_number(count)} items"


def _miles(distance: int, bare: bool = False) -> str:
    miles = round(distance / MICRO)
    return f"{miles:,}" if bare else f"{miles:,} mile{'' if miles == 1 else 's'}"


def _count(number: int, noun: str) -> str:
    return f"{_number(number)} {noun}{'' if number == 1 else 's'}"


def _number(number: int) -> str:
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else f"{number:,}"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _listed(names: Sequence[str], word: str) -> str:
    shown = list(names[:MOST_NAMES])
    if len(names) > MOST_NAMES:
        shown = [*shown, f"{len(names) - MOST_NAMES} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"
