"""Clauses of rules in words: conditions, filters, objectives, amounts and lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.money import DECIMALS, Money
from app.routing.facts import FEWEST, NEAREST, PRIORITY
from app.routing.fields import Condition, Filter
from app.routing.policy import COST, LEXICOGRAPHIC, Objective
from app.routing.vocabulary import DISTANCES, FIELDS, FLAG, SET, TERMS, Field

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
COMPARISONS = {"lt": "less than", "lte": "at most", "gt": "more than", "gte": "at least"}
AWAY = {
    "lt": "closer than {}",
    "lte": "within {}",
    "gt": "more than {} away",
    "gte": "at least {} away",
    "between": "{} away",
}
OF_NODES = {
    "node.priority": "with a priority number of {}",
    "node.capacity_left": "with room today for {}",
    "node.handling_per_package": "where handling a package costs {}",
    "lane.zone": "in a carrier zone of {}",
    "lane.transit_days": "{} on the way",
    "lane.days_late": "{} after the promise",
    "stock.lines_held_share": "holding {} of the lines",
    "stock.units_share": "with {} of the units",
    "stock.covers": "with {} of the order",
    "stock.left_after": "keeping {} on the shelf",
}
IS_SO = {
    "node.open_today": ("open today", "closed today"),
    "lane.same_region": ("in the buyer's region", "outside the buyer's region"),
    "lane.same_country": ("in the buyer's country", "outside the buyer's country"),
    "stock.holds_all": ("holding the whole order", "not holding the whole order"),
}
FEWEST_OF = ("package", "day", "rejection")
MOST_NAMES = 4


def objective_words(objective: Objective, currency: str = "USD") -> str:
    """What is best, as a clause."""
    if objective.mode in OBJECTIVES:
        return OBJECTIVES[objective.mode]
    terms = objective.terms
    if objective.mode == LEXICOGRAPHIC:
        said = [
            _least(term.name) + (f" (give or take {_share(term.tolerance)})" if term.tolerance else "")
            for term in terms
        ]
        return f"choose {', then '.join(said)}"
    if objective.mode == COST:
        said = [_priced(term.name, term.weight, currency) for term in terms]
        return f"choose the lowest cost of {listed(said, 'and', most=len(said))}"
    said = [f"{TERMS[term.name].label} {_share(term.weight)}" for term in terms]
    return f"choose the best score of {listed(said, 'and', most=len(said))}"


def _least(name: str) -> str:
    term = TERMS[name]
    return f"the {'fewest' if term.unit in FEWEST_OF else 'least'} {term.label}"


def _priced(name: str, weight: float, currency: str) -> str:
    term = TERMS[name]
    if term.is_money:
        return term.label if weight == 1 else f"{term.label} times {figure(weight)}"
    return f"{term.label} at {money(weight, currency)} each"


def _share(value: float) -> str:
    return f"{figure(round(value * 100, 1))}%"


def condition_words(condition: Condition, currency: str = "USD") -> str:
    """A condition as a clause: "the channel is web or phone and the number of units is at least 5"."""
    if condition.op == "not":
        (part,) = condition.parts
        words = condition_words(part, currency)
        return f"it is not so that {f'({words})' if part.op in ('all', 'any') else words}"
    if condition.op in ("all", "any"):
        word = " and " if condition.op == "all" else " or "
        return word.join(
            f"({condition_words(part, currency)})"
            if part.op in ("all", "any")
            else condition_words(part, currency)
            for part in condition.parts
        )
    field = FIELDS[condition.field]
    if condition.ref:
        return f"{field.words} {_verb(condition.op)} {FIELDS[condition.ref].words}"
    if field.kind == FLAG:
        true = condition.value is (condition.op == "eq")
        return field.words if true else f"it is not so that {field.words}"
    return f"{field.words} {_comparison(field, condition.op, condition.value, currency)}"


def _verb(op: str) -> str:
    words = {
        "eq": "is the same as",
        "ne": "is not the same as",
        "has_any": "include one of",
        "has_all": "include",
    }
    return words.get(op) or f"is {COMPARISONS[op]}"


def _comparison(field: Field, op: str, value: Any, currency: str) -> str:
    if op == "exists":
        return f"{'are' if field.kind == SET else 'is'} {'known' if value else 'not known'}"
    names = [_amount(field, each, currency) for each in (value if isinstance(value, tuple) else (value,))]
    if op in ("has_any", "has_all"):
        return f"include {listed(names, 'or' if op == 'has_any' else 'and')}"
    if op in ("eq", "in"):
        return f"is {listed(names, 'or')}"
    if op in ("ne", "not_in"):
        return f"is not {listed(names, 'or')}"
    if op == "zip_prefix":
        return f"starts with {listed(names, 'or')}"
    return f"is {_range(op, names)}"


def _range(op: str, names: Sequence[str]) -> str:
    if op == "between":
        return f"{names[0]} to {names[1]}"
    return f"{COMPARISONS[op]} {names[0]}"


def _amount(field: Field, value: Any, currency: str) -> str:
    """A value with its unit."""
    if not field.number or isinstance(value, str):
        return str(value).replace("_", " ") if field.choices else str(value)
    if field.unit == "money":
        return money(value, currency)
    number = figure(value)
    if field.unit == "percent":
        return f"{number}%"
    if field.unit == "g":
        return f"{number} g"
    return number


def seen_words(name: str, value: Any, currency: str = "USD") -> str:
    """What a filter saw of a node, None for what is not known: "kind is store", "5 days on the way"."""
    field = FIELDS[name]
    if value is None:
        return f"{field.words} not known"
    if name in IS_SO:
        return IS_SO[name][0 if value else 1]
    said = [_amount(field, value, currency)]
    if name in DISTANCES:
        return AWAY["between"].format(said[0] + _unit(field, said))
    if name in OF_NODES:
        return OF_NODES[name].format(_figures(field, "eq", said))
    return f"cleared for {value}" if field.kind == SET else f"{field.words} is {said[0]}"


def filter_words(each: Filter, currency: str = "USD") -> str:
    """A filter as a clause: "use only warehouses", "within 500 miles", "never use RENO"."""
    if each.op == "not":
        return f"not {_part_words(each.parts[0], currency)}"
    if each.op in ("all", "any"):
        return _group_words(each, currency)
    field = FIELDS[each.field]
    if each.ref:
        return f"where its {field.words} {_verb(each.op)} {_other(each.ref)}"
    if each.op == "exists":
        return f"where its {field.words} {_comparison(field, each.op, each.value, currency)}"
    if each.field in IS_SO:
        return IS_SO[each.field][0 if each.value is (each.op == "eq") else 1]
    if each.field == "lane.days_late" and (each.op, each.value) in (("lte", 0), ("eq", 0)):
        return "in time for the promise"
    values = each.value if isinstance(each.value, tuple) else (each.value,)
    names = [_amount(field, value, currency) for value in values]
    if each.field in DISTANCES:
        return AWAY[each.op].format(" to ".join(names) + _unit(field, names))
    if field.kind == SET:
        return f"cleared for {listed(names, 'or' if each.op == 'has_any' else 'and')}"
    if each.field in OF_NODES:
        return OF_NODES[each.field].format(_figures(field, each.op, names))
    verb = "use only" if each.op in ("eq", "in") else "never use"
    if each.field == "node.kind":
        return f"{verb} {listed([KINDS.get(str(kind), str(kind)) for kind in values], 'and')}"
    if each.field == "node.code":
        return f"{verb} {listed(names, 'and')}"
    return f"{verb} places in {listed(names, 'or')}"


def _group_words(each: Filter, currency: str) -> str:
    """ "stores only keeping at least 2 units on the shelf" where a kind is bound to something, else a and / or b."""
    first = each.parts[0]
    if is_bound(each):
        values = first.value if isinstance(first.value, tuple) else (first.value,)
        kinds = listed([KINDS.get(str(kind), str(kind)) for kind in values], "and")
        return f"{kinds} only {_part_words(each.parts[1], currency)}"
    word = " and " if each.op == "all" else " or "
    return word.join(_part_words(part, currency) for part in each.parts)


def is_bound(each: Filter) -> bool:
    """Whether it is a comparison that binds places of some kinds only."""
    return (
        each.op == "any"
        and len(each.parts) == 2
        and each.parts[0].field == "node.kind"
        and each.parts[0].op in ("ne", "not_in")
    )


def _part_words(part: Filter, currency: str) -> str:
    words = filter_words(part, currency)
    return f"({words})" if part.op in ("all", "any") else words


def _other(name: str) -> str:
    return (
        f"its {FIELDS[name].words}" if name.startswith(("node.", "lane.", "stock.")) else FIELDS[name].words
    )


def _figures(field: Field, op: str, names: Sequence[str]) -> str:
    """Figures with what they count: "at least 5 packages"."""
    unit = _unit(field, names)
    if op in ("eq", "in"):
        return f"{listed(names, 'or')}{unit}"
    if op in ("ne", "not_in"):
        return f"other than {listed(names, 'or')}{unit}"
    return f"{_range(op, names)}{unit}"


def _unit(field: Field, names: Sequence[str]) -> str:
    if field.unit not in ("packages", "days", "units", "miles"):
        return ""
    return f" {field.unit[:-1] if list(names) == ['1'] else field.unit}"


def minutes(count: int) -> str:
    """A length of time: 90 -> "90 minutes", 120 -> "two hours"."""
    if count % 1440 == 0:
        return counted(count // 1440, "day")
    if count % 60 == 0:
        return counted(count // 60, "hour")
    return f"{count:,} minute{'' if count == 1 else 's'}"


def money(amount: float, currency: str) -> str:
    """Minor units as people write them; a price may be a fraction of one: 5.5 -> "$0.055"."""
    if amount == round(amount):
        return str(Money(round(amount), currency))
    places = DECIMALS[currency]
    zero = str(Money(0, currency))
    return f"{zero[: len(zero) - len(f'{0:.{places}f}')]}{amount / 10**places:.6g}"


def figure(value: float) -> str:
    """A number without needless digits."""
    return f"{round(value):,}" if value == round(value) else f"{value:,.10g}"


def counted(number: int, noun: str) -> str:
    """ "two packages"."""
    word = NUMBERS[number] if 0 <= number < len(NUMBERS) else f"{number:,}"
    return f"{word} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], word: str, most: int = MOST_NAMES) -> str:
    """ "a, b and c"; beyond the most, how many more."""
    shown = list(names[:most])
    if len(names) > most:
        shown = [*shown, f"{len(names) - most:,} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"
