"""How rules read on the page: sentences in pieces, and what a version changed against another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.routing import documents, readings
from app.routing.policy import Strategy

Piece = tuple[str, bool]
"""(words, whether they are a choice of this rule)"""


@dataclass(frozen=True)
class Said:
    """A rule as the page shows it, beside the same rule of another version."""

    id: str
    pieces: list[Piece]
    mark: str = ""
    """What happened to it: Added, Edited, Moved, "Edited, moved"; empty when nothing did."""
    was: str = ""


def rules_as_said(document: Mapping[str, Any]) -> list[Said]:
    """The rules of a document in order; none when an older one no longer fits the language."""
    return [
        Said(strategy.id, pieces(strategy, first=at == 0))
        for at, strategy in enumerate(_strategies(document))
    ]


def compared(
    document: Mapping[str, Any], other: Mapping[str, Any], name: str
) -> tuple[list[Said], list[str]]:
    """The rules of a document marked against another's (called `name`), and the sentences that are gone."""
    before, after = _strategies(other), _strategies(document)
    known = {strategy.id: (at, strategy) for at, strategy in enumerate(before)}
    ranks = _ranks([one.id for one in before], [one.id for one in after])
    shown = []
    for at, strategy in enumerate(after):
        words = pieces(strategy, first=at == 0)
        if strategy.id not in known:
            shown.append(Said(strategy.id, words, "Added"))
            continue
        place, old = known[strategy.id]
        edited, moved = old != strategy, strategy.id in ranks
        mark = ("Edited, moved" if moved else "Edited") if edited else ("Moved" if moved else "")
        known_as = [f"rule {place + 1}"] if moved else []
        was = f"{name}: {', '.join(known_as + ([_core(old)] if edited else []))}" if mark else ""
        shown.append(Said(strategy.id, words, mark, was))
    kept = {strategy.id for strategy in after}
    gone = [
        readings.strategy_sentence(strategy, first=at == 0)
        for at, strategy in enumerate(before)
        if strategy.id not in kept
    ]
    return shown, gone


def _strategies(document: Mapping[str, Any]) -> tuple[Strategy, ...]:
    try:
        return documents.parse(document).strategies
    except ValueError:
        return ()


def _ranks(before: list[str], after: list[str]) -> set[str]:
    """Those whose place among the rules of both versions changed."""
    old = [one for one in before if one in after]
    new = [one for one in after if one in before]
    return {one for at, one in enumerate(new) if old[at] != one}


def _core(strategy: Strategy) -> str:
    sentence = readings.strategy_sentence(strategy, first=True)
    return sentence.removeprefix("For every order: ")


def pieces(strategy: Strategy, first: bool) -> list[Piece]:
    """A rule's sentence as `readings.strategy_sentence` writes it, cut where a choice begins and ends."""
    sentence = readings.strategy_sentence(strategy, first=first)
    choices = []
    if strategy.when is not None:
        choices.append(readings.condition_words(strategy.when))
    choices += [readings.filter_words(each) for each in strategy.filters]
    choices.append(readings.OBJECTIVES[strategy.objective.mode])
    found: list[Piece] = []
    left = sentence
    for words in choices:
        before, _, left = left.partition(words)
        found += [(before, False), (words, True)]
    rest, semicolon, ending = left.partition("; ")
    limit, at_most, packages = rest.partition(" in at most ")
    if at_most:
        found += [(f"{limit}{at_most}", False), (packages, True)]
    elif rest:
        found.append((rest, False))
    return [*found, (semicolon, False), (ending.rstrip("."), True), (".", False)]
