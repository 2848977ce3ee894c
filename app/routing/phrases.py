"""Rules in words: every statement of a rule as pieces of a sentence, each piece that is a choice named by its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.money import DECIMALS, Money
from app.routing.facts import FEWEST, NEAREST, PRIORITY
from app.routing.fields import Condition, Filter
from app.routing.policy import (
    COST,
    LEXICOGRAPHIC,
    Allotment,
    LineRoute,
    Objective,
    Reason,
    Release,
    Reroute,
    Rule,
    Strategy,
)
from app.routing.vocabulary import DISTANCES, FIELDS, FLAG, SET, TERMS, Field

Piece = tuple[str, str]
"""(words, name of the choice they are; empty where they are none)"""

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
    "lt": "closer than {} miles",
    "lte": "within {} miles",
    "gt": "more than {} miles away",
    "gte": "at least {} miles away",
    "between": "{} miles away",
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
GIVEN_UP = {
    "max_packages": "the limit on packages",
    "least_package_value": "the least value of a package",
    "capacity": "the daily capacity",
    "allotments": "what is kept for channels",
}
THEN = {"backorder": "waits for stock", "queue": "goes to a person", "cancel": "is canceled"}
REASONS = {
    "out_of_stock": "out of stock",
    "damaged": "damaged",
    "capacity": "over capacity",
    "closed": "closed",
    "cannot_ship": "unable to ship",
    "address": "unsure of the address",
    "short_pick": "short in a pick",
    "other": "unwilling for another reason",
}
EXCLUDED = {
    "node": "leave out the place",
    "sku": "leave out that item there",
    "none": "ask it again later",
}
FEWEST_OF = ("package", "day", "rejection")
MOST_NAMES = 4


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing a rule says. `section` is the document's; `id` names it within there; `value` is what was read."""

    section: str
    id: str
    pieces: tuple[Piece, ...]
    value: Any

    @property
    def sentence(self) -> str:
        """The pieces as one text."""
        return "".join(words for words, _ in self.pieces)


def statements(rule: Rule, currency: str = "USD") -> list[Statement]:
    """All that a rule says, in reading order. What it leaves at its default is not said."""
    found = [
        Statement("line_routes", each.id, tuple(route_pieces(each, currency)), each)
        for each in rule.line_routes
    ]
    found += [
        Statement("strategies", each.id, tuple(strategy_pieces(each, at == 0, currency)), each)
        for at, each in enumerate(rule.strategies)
    ]
    found += [
        Statement("allotments", each.channel, tuple(allotment_pieces(each)), each) for each in rule.allotments
    ]
    if rule.reroute != Reroute():
        found.append(Statement("reroute", "reroute", tuple(reroute_pieces(rule.reroute)), rule.reroute))
    if rule.release != Release():
        found.append(Statement("release", "release", tuple(release_pieces(rule.release)), rule.release))
    return found


def glued(pieces: Iterable[Piece]) -> list[tuple[str, str, str]]:
    """(words, choice, the punctuation right after a choice): so that no line begins with a comma."""
    found: list[tuple[str, str, str]] = []
    for words, key in pieces:
        rest = words.lstrip(",.;:”") if found and found[-1][1] and not key else words
        if rest != words:
            found[-1] = (*found[-1][:2], words[: len(words) - len(rest)])
        if rest:
            found.append((rest, key, ""))
    return found


def strategy_pieces(strategy: Strategy, first: bool, currency: str = "USD") -> list[Piece]:
    """A strategy: for which orders, on which places, what is best, how far it may split, and what if it cannot."""
    pieces: list[Piece] = []
    if strategy.when is not None:
        pieces += [("When ", ""), (condition_words(strategy.when, currency), "when"), (": ", "")]
    else:
        pieces += [("For every order" if first else "For everything else", "when"), (": ", "")]
    if strategy.nodes:
        pieces += [(f"use only {listed(strategy.nodes, 'and')}", "nodes"), (", ", "")]
    pieces += _filter_pieces(strategy.filters, currency)
    best = objective_words(strategy.objective, currency)
    verb = "choose " if best.startswith("choose ") else ""
    pieces += [(verb, ""), (best.removeprefix(verb), "objective")]
    split = strategy.split
    if split.max_packages is not None:
        limit = counted(split.max_packages, "package")
        pieces += [(", in ", ""), (limit if split.max_packages == 1 else f"at most {limit}", "split")]
    if split.least_package_value:
        least = money(split.least_package_value, currency)
        pieces += [(", ", ""), (f"every package of a divided order worth at least {least}", "split")]
    if not split.lines:
        pieces += [(", ", ""), ("each line whole from one place", "split")]
    if not strategy.respect_capacity:
        pieces += [(", ", ""), ("even beyond what a place can do in a day", "capacity")]
    return [piece for piece in [*pieces, *_ending(strategy)] if piece[0]]


def _filter_pieces(filters: Sequence[Filter], currency: str) -> Iterable[Piece]:
    """Filters one after the other; those without a verb of their own say what the places must be."""
    needs_verb = True
    for at, each in enumerate(filters):
        words = filter_words(each, currency)
        has_verb = words.startswith(("use only", "never use")) or _is_bound(each)
        yield "use only places " if needs_verb and not has_verb else "", ""
        yield words, f"filter-{at}"
        yield ", ", ""
        needs_verb = has_verb


def _ending(strategy: Strategy) -> Iterable[Piece]:
    """What happens when something or everything is missing."""
    fallback, split = strategy.fallback, strategy.split
    says_missing = split.fill_or_kill or split.ship_complete or strategy.on_partial == "wait"
    yield "; ", ""
    if split.fill_or_kill:
        yield "cancel the order unless all of it can ship at once", "missing"
    elif split.ship_complete:
        yield "ship only when all of it is there", "missing"
    elif strategy.on_partial == "wait":
        yield "hold the order until all of it is there", "missing"
    elif not fallback.relax:
        yield f"what is missing {THEN[fallback.then]}", "missing"
    for at, step in enumerate(fallback.relax):
        opening = "if something is missing, give up " if at == 0 else ", then "
        yield f"; {opening}" if at == 0 and says_missing else opening, ""
        yield listed([given_up(name, strategy) for name in step], "and"), f"relax-{at}"
    if fallback.relax and not split.fill_or_kill:
        yield ", and what is still missing ", ""
        yield THEN[fallback.then], "missing"
    if strategy.on_none != "backorder":
        yield "; an order of which nothing is there ", ""
        yield THEN[strategy.on_none], "none"
    yield ".", ""


def given_up(name: str, strategy: Strategy) -> str:
    """A constraint as a fallback step names it."""
    if name in GIVEN_UP:
        return GIVEN_UP[name]
    each = next((one for one in strategy.filters if one.id == name), None)
    return f"“{filter_words(each)}”" if each is not None else name


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
        return f"it is not so that {condition_words(condition.parts[0], currency)}"
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
        return "is known" if value else "is not known"
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
        return f"where its {field.words} is {'known' if each.value else 'not known'}"
    if each.field in IS_SO:
        return IS_SO[each.field][0 if each.value is (each.op == "eq") else 1]
    if each.field == "lane.days_late" and (each.op, each.value) in (("lte", 0), ("eq", 0)):
        return "in time for the promise"
    values = each.value if isinstance(each.value, tuple) else (each.value,)
    names = [_amount(field, value, currency) for value in values]
    if each.field in DISTANCES:
        return AWAY[each.op].format(" to ".join(names))
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
    if _is_bound(each):
        values = first.value if isinstance(first.value, tuple) else (first.value,)
        kinds = listed([KINDS.get(str(kind), str(kind)) for kind in values], "and")
        return f"{kinds} only {_part_words(each.parts[1], currency)}"
    word = " and " if each.op == "all" else " or "
    return word.join(_part_words(part, currency) for part in each.parts)


def _is_bound(each: Filter) -> bool:
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
    counts = field.unit in ("packages", "days", "units")
    unit = f" {field.unit[:-1] if list(names) == ['1'] else field.unit}" if counts else ""
    if op in ("eq", "in"):
        return f"{listed(names, 'or')}{unit}"
    if op in ("ne", "not_in"):
        return f"other than {listed(names, 'or')}{unit}"
    return f"{_range(op, names)}{unit}"


def route_pieces(route: LineRoute, currency: str = "USD") -> list[Piece]:
    """A line route: which lines, where they may go, what they travel with."""
    pieces: list[Piece] = [
        ("Lines of which ", ""),
        (condition_words(route.when, currency), "when"),
        (" ", ""),
    ]
    said: list[Piece] = []
    if route.kinds:
        said.append((f"go only to {listed([KINDS[kind] for kind in route.kinds], 'and')}", "to"))
    if route.nodes:
        said.append((f"go only to {listed(route.nodes, 'and')}", "to"))
    if route.capabilities:
        said.append((f"need a place cleared for {listed(route.capabilities, 'and')}", "to"))
    if route.apart:
        said.append(("ship in packages of their own", "travel"))
    if route.together:
        said.append(("come from one place or wait", "travel"))
    for at, piece in enumerate(said):
        joint = "" if at == 0 else " and " if at == len(said) - 1 else ", "
        pieces += [(joint, ""), piece]
    return [piece for piece in [*pieces, (".", "")] if piece[0]]


def allotment_pieces(allotment: Allotment) -> list[Piece]:
    """A channel's share of all stock."""
    borrow = "others may take it when theirs is gone" if allotment.borrow else "nobody else may take it"
    return [
        ("Keep ", ""),
        (f"{figure(allotment.share_percent)}%", "share"),
        (" of all stock for ", ""),
        (allotment.channel, "channel"),
        ("; ", ""),
        (borrow, "borrow"),
        (".", ""),
    ]


def reroute_pieces(reroute: Reroute) -> list[Piece]:
    """Life after a rejection."""
    asks = {"queue": "ask a person", "backorder": "wait for stock", "cancel": "cancel what is left"}
    times = {0: "", 1: "try elsewhere once, then ", 2: "try elsewhere twice, then "}
    often = times.get(
        reroute.most_cycles, f"try elsewhere up to {counted(reroute.most_cycles, 'time')}, then "
    )
    pieces: list[Piece] = [("When a place rejects work, ", ""), (f"{often}{asks[reroute.then]}", "cycles")]
    if reroute.cool_down_minutes:
        pieces += [
            ("; it gets no more of that item for ", ""),
            (minutes(reroute.cool_down_minutes), "cool_down"),
        ]
    effects: dict[Reason, list[str]] = {}
    for name, reason in reroute.reasons.items():
        effects.setdefault(reason, []).append(REASONS[name])
    for reason, names in effects.items():
        stock = "hold the stock" if reason.stock == "hold" else "free the stock"
        pieces += [
            (f"; if it is {listed(names, 'or', most=len(names))}, ", ""),
            (f"{stock} and {EXCLUDED[reason.exclude]}", "reasons"),
        ]
    return [*pieces, (".", "")]


def release_pieces(release: Release) -> list[Piece]:
    """When work goes to its place."""
    if release.mode == "at_once":
        return [("Work goes to its place ", ""), ("at once", "release"), (".", "")]
    pieces: list[Piece] = [
        ("Gather orders for ", ""),
        (minutes(release.minutes), "release"),
        (" and plan them together", ""),
    ]
    if release.express:
        pieces += [("; ", ""), (listed(release.express, "and"), "express"), (" orders do not wait", "")]
    return [*pieces, (".", "")]


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
