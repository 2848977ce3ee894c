"""How rules read on the page: sentences in pieces, and what a version changed against another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.routing import documents, phrases
from app.routing.phrases import Piece, Statement


@dataclass(frozen=True)
class Said:
    """A statement as the page shows it, beside the same statement of another version."""

    section: str
    id: str
    pieces: tuple[Piece, ...]
    mark: str = ""
    """What happened to it: Added, Edited, Moved, "Edited, moved"; empty when nothing did."""
    was: str = ""


def rules_as_said(document: Mapping[str, Any], currency: str = "USD") -> list[Said]:
    """What a document says, in order; nothing when an older one no longer fits the language."""
    return [Said(each.section, each.id, each.pieces) for each in _statements(document, currency)]


def compared(
    document: Mapping[str, Any], other: Mapping[str, Any], name: str, currency: str = "USD"
) -> tuple[list[Said], list[str]]:
    """What a document says, marked against another (called `name`), and the sentences that are gone."""
    before, after = _statements(other, currency), _statements(document, currency)
    known = {_key(one): one for one in before}
    moved = _moved([_key(one) for one in before], [_key(one) for one in after])
    shown = []
    for one in after:
        old = known.get(_key(one))
        if old is None:
            shown.append(Said(one.section, one.id, one.pieces, "Added"))
            continue
        edited, is_moved = old.value != one.value, _key(one) in moved
        mark = ("Edited, moved" if is_moved else "Edited") if edited else ("Moved" if is_moved else "")
        known_as = [f"rule {_place(before, old)}"] if is_moved else []
        was = f"{name}: {', '.join(known_as + ([_core(old)] if edited else []))}" if mark else ""
        shown.append(Said(one.section, one.id, one.pieces, mark, was))
    kept = {_key(one) for one in after}
    return shown, [one.sentence for one in before if _key(one) not in kept]


def difference(
    document: Mapping[str, Any], other: Mapping[str, Any], currency: str = "USD"
) -> dict[str, list[Any]]:
    """What a document says otherwise than another: sentences `added`, `removed`, `changed` and `moved`."""
    before, after = _statements(other, currency), _statements(document, currency)
    known, now = {_key(one): one for one in before}, {_key(one): one for one in after}
    moved = _moved(list(known), list(now))
    return {
        "added": [one.sentence for key, one in now.items() if key not in known],
        "removed": [one.sentence for key, one in known.items() if key not in now],
        "changed": [
            {"before": known[key].sentence, "after": one.sentence}
            for key, one in now.items()
            if key in known and known[key].value != one.value
        ],
        "moved": [one.sentence for key, one in now.items() if key in moved],
    }


def _statements(document: Mapping[str, Any], currency: str) -> list[Statement]:
    try:
        return phrases.statements(documents.parse(document), currency)
    except ValueError:
        return []


def _key(one: Statement) -> tuple[str, str]:
    return one.section, one.id


def _place(among: list[Statement], one: Statement) -> int:
    return [each for each in among if each.section == one.section].index(one) + 1


def _moved(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those whose place among the statements of both versions changed."""
    old = [one for one in before if one in after]
    new = [one for one in after if one in before]
    return {one for at, one in enumerate(new) if old[at] != one}


def _core(one: Statement) -> str:
    """A sentence without the words that say which order it is for, where that is every order."""
    return one.sentence.removeprefix("For every order: ").removeprefix("For everything else: ")
