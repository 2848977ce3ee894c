"""The form of routing rules: from a document to fields a person can fill, and back.

The form holds all of a document: what it cannot show as fields (conditions beyond channels) travels along as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from app.routing import readings
from app.routing.documents import MOST_FILTERS, MOST_STRATEGIES
from app.routing.facts import FEWEST, NEAREST, PRIORITY
from app.routing.fields import NODE_FIELDS, NODE_KINDS

OBJECTIVES = {
    FEWEST: "Fewest packages, then the nearest",
    PRIORITY: "By priority number, then fewest packages, then nearest",
    NEAREST: "Each item from the nearest place that has it",
}
CHOICES = {
    "node.kind|in": "Use only these kinds of node",
    "node.kind|not_in": "Never use these kinds of node",
    "node.code|in": "Use only these nodes",
    "node.code|not_in": "Never use these nodes",
    "node.region|in": "Use only nodes in these states",
    "node.region|not_in": "Never use nodes in these states",
    "node.country|in": "Use only nodes in these countries",
    "node.country|not_in": "Never use nodes in these countries",
    "node.distance_miles|lte": "Within this many miles",
    "node.distance_miles|gte": "At least this many miles away",
    "node.distance_miles|lt": "Closer than this many miles",
    "node.distance_miles|gt": "Farther than this many miles",
    "node.distance_miles|between": "Between these distances in miles",
    "node.priority|lte": "Priority number at most",
    "node.priority|gte": "Priority number at least",
    "node.priority|lt": "Priority number below",
    "node.priority|gt": "Priority number above",
    "node.priority|between": "Priority number between",
    "node.priority|in": "Only these priority numbers",
    "node.priority|not_in": "Never these priority numbers",
}
SAME = {"eq": "in", "ne": "not_in"}
MOST_TRIED = 50


@dataclass
class FilterEntry:
    """One filter as typed."""

    id: str = ""
    choice: str = ""
    value: str = ""


@dataclass
class RuleEntry:
    """One strategy as typed."""

    id: str = ""
    channels: list[str] = field(default_factory=list)
    when: str = ""
    """A condition that the form cannot show, as JSON."""
    objective: str = FEWEST
    packages: str = ""
    complete: bool = False
    filters: list[FilterEntry] = field(default_factory=list)

    @property
    def is_open_to_all(self) -> bool:
        """Whether it is for every order."""
        return not (self.channels or self.when)


def entries(document: Mapping[str, Any]) -> list[RuleEntry]:
    """A valid document as entries."""
    return [_entry(strategy) for strategy in document["strategies"]]


def _entry(strategy: Mapping[str, Any]) -> RuleEntry:
    when, split = strategy.get("when"), strategy.get("split") or {}
    channels = list(when["channel"]) if when is not None and "channel" in when else []
    return RuleEntry(
        id=strategy["id"],
        channels=channels,
        when="" if when is None or channels else json.dumps(when),
        objective=strategy.get("objective", FEWEST),
        packages="" if split.get("max_packages") is None else str(split["max_packages"]),
        complete=split.get("ship_complete", False),
        filters=[_filter(each) for each in strategy.get("filters", ())],
    )


def _filter(each: Mapping[str, Any]) -> FilterEntry:
    value = each["value"]
    listed = value if isinstance(value, list) else [value]
    choice = f"{each['field']}|{SAME.get(each['op'], each['op'])}"
    return FilterEntry(each["id"], choice, ", ".join(str(one) for one in listed))


def read(sent: MultiDict[str, str]) -> list[RuleEntry]:
    """The entries as they were sent, in the order in which they stood on the page."""
    return [_sent(sent, at) for at in sent.getlist("rule")[:MOST_STRATEGIES]]


def _sent(sent: MultiDict[str, str], at: str) -> RuleEntry:
    filters = [
        FilterEntry(
            sent.get(f"{at}-{place}-id", ""),
            sent.get(f"{at}-{place}-choice", ""),
            sent.get(f"{at}-{place}-value", "").strip(),
        )
        for place in range(MOST_FILTERS + 1)
        if sent.get(f"{at}-{place}-choice") or sent.get(f"{at}-{place}-value", "").strip()
    ]
    return RuleEntry(
        id=sent.get(f"{at}-id", ""),
        channels=sent.getlist(f"{at}-channels"),
        when=sent.get(f"{at}-when", ""),
        objective=sent.get(f"{at}-objective", FEWEST),
        packages=sent.get(f"{at}-packages", "").strip(),
        complete=bool(sent.get(f"{at}-complete")),
        filters=filters,
    )


def document(name: str, rules: list[RuleEntry]) -> dict[str, Any]:
    """The entries as a document, still to be validated."""
    taken = {rule.id for rule in rules if rule.id}
    return {"name": name, "strategies": [_strategy(rule, taken) for rule in rules]}


def _strategy(rule: RuleEntry, taken: set[str]) -> dict[str, Any]:
    rule.id = rule.id or _free_id("rule", taken)
    ids = {each.id for each in rule.filters if each.id}
    strategy: dict[str, Any] = {
        "id": rule.id,
        "filters": [_comparison(each, ids) for each in rule.filters],
        "objective": rule.objective,
        "split": {"max_packages": _number(rule.packages), "ship_complete": rule.complete},
        "on_none": "backorder",
    }
    if rule.channels:
        strategy["when"] = {"channel": rule.channels}
    elif rule.when:
        strategy["when"] = _condition(rule.when)
    return strategy


def _condition(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _comparison(each: FilterEntry, taken: set[str]) -> dict[str, Any]:
    each.id = each.id or _free_id("filter", taken)
    name, _, op = each.choice.partition("|")
    parts = [part.strip() for part in each.value.replace(" to ", ",").split(",") if part.strip()]
    known = NODE_FIELDS.get(name)
    values: list[Any] = [_number(part) for part in parts] if known is not None and known.number else parts
    if name == "node.kind":
        values = [_kind(str(value)) for value in values]
    lists = op in ("in", "not_in", "between")
    return {"id": each.id, "field": name, "op": op, "value": values if lists else (values or [""])[0]}


def _kind(typed: str) -> str:
    """ "Stores" as people write it -> store."""
    plain = typed.casefold()
    return next((kind for kind in NODE_KINDS if plain in (kind, readings.KINDS[kind])), typed)


def _number(text: str) -> Any:
    """A figure where it is one, else the text: the validation says what is wrong with it."""
    if not text:
        return None
    plain = text.replace(",", "")
    if plain.isascii() and plain.isdigit() and len(plain) < 12:
        return int(plain)
    try:
        return float(plain)
    except ValueError:
        return text


def _free_id(prefix: str, taken: set[str]) -> str:
    found = next(f"{prefix}-{at}" for at in range(1, 1000) if f"{prefix}-{at}" not in taken)
    taken.add(found)
    return found


def faults(errors: list[dict[str, str]], rules: list[RuleEntry]) -> tuple[dict[str, str], list[str]]:
    """Errors of the document at the form's fields, and those that belong to none, in plain words."""
    at_fields: dict[str, str] = {}
    others = []
    for error in errors:
        name, words = _field(error["pointer"].split("/")[1:], error["message"], len(rules))
        if name:
            at_fields.setdefault(name, words)
        else:
            others.append(words)
    return at_fields, others


def _field(path: list[str], message: str, count: int) -> tuple[str, str]:
    words = f"{message[:1].upper()}{message[1:]}."
    if path == ["name"]:
        return "name", "Give these rules a name of up to 100 characters."
    if path[:1] != ["strategies"] or len(path) < 2:
        return "", words
    at, rest = path[1], path[2:]
    if not rest:
        return f"{at}-channels", (
            "This rule is for every order, so those below it are never reached. Choose its channels,"
            " or move it to the end."
        )
    if rest[0] == "when":
        last = int(at) == count - 1 and len(rest) == 1
        text = (
            "The last rule must be for every order. Clear its channels, or add a rule below."
            if last
            else words
        )
        return f"{at}-channels", text
    if rest[0] == "filters" and len(rest) > 2:
        return f"{at}-{rest[1]}-{'choice' if rest[2] in ('field', 'op') else 'value'}", _filter_words(
            rest[2], words
        )
    if rest[:2] == ["split", "max_packages"]:
        if "nearest" in message:
            return (
                f"{at}-packages",
                "Taking each item from the nearest place sets no limit. Leave this empty.",
            )
        return f"{at}-packages", "Enter a whole number from 1 to 100, or nothing for no limit."
    return f"{at}-objective", words


def _filter_words(part: str, words: str) -> str:
    return "Choose what this filter looks at." if part in ("field", "op") else words


def tried_lines(text: str) -> list[tuple[str, int]]:
    """ "LIN-APR x 2" on each line -> [(code, units)]; without a figure one unit."""
    lines = []
    for line in text.splitlines()[:MOST_TRIED]:
        words = line.replace("×", " x ").split()
        if not words:
            continue
        units, last = 1, words[-1].removeprefix("x").removeprefix("X")
        if len(words) > 1 and last.isascii() and last.isdigit() and 0 < len(last) < 7:
            units, words = int(last), words[:-1]
            words = words[:-1] if len(words) > 1 and words[-1] in ("x", "X") else words
        lines.append((" ".join(words), max(1, units)))
    return lines
