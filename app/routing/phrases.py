"""Rules in words: every statement of a rule as pieces of a sentence, each piece that is a choice named by its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.routing.clauses import (
    KINDS,
    condition_words,
    counted,
    figure,
    filter_words,
    is_bound,
    listed,
    minutes,
    money,
    objective_words,
)
from app.routing.fields import Filter
from app.routing.policy import Allotment, LineRoute, Reason, Release, Reroute, Rule, Strategy

Piece = tuple[str, str]
"""(words, name of the choice they are; empty where they are none)"""

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
        has_verb = words.startswith(("use only", "never use")) or is_bound(each)
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


def all_given_up(names: Sequence[str], strategy: Strategy) -> str:
    """What a decision's fallback gave up, in words; empty where it gave up nothing."""
    return listed([given_up(name, strategy) for name in names], "and") if names else ""


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
