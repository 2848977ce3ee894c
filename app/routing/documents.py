"""The rule document: its default, its validation with an error per path, its reading into a Rule and as sentences.

A document is untrusted JSON. Every list is measured before it is walked and every depth is bounded, so no
document takes long; there is no code and no regular expression of the merchant's in it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from app.routing import readings
from app.routing.facts import FEWEST, NEAREST, PRIORITY
from app.routing.fields import NODE_FIELDS, ORDER_FIELDS, Condition, Field, Filter, Value
from app.routing.policy import Objective, Rule, Split, Strategy

OBJECTIVES = (FEWEST, PRIORITY, NEAREST)
MOST_STRATEGIES = 20
MOST_FILTERS = 20
MOST_VALUES = 500
MOST_CONDITIONS = 100
DEEPEST = 4
MOST_LETTERS = 100
MOST_ERRORS = 50
LARGEST = 1_000_000_000
ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
GROUPS = ("all", "any", "not")


def default_document() -> dict:
    """What a new merchant gets: exactly the fewest packages, then the nearest."""
    return {
        "name": "Fewest packages, then nearest",
        "strategies": [
            {
                "id": "everything",
                "filters": [],
                "objective": FEWEST,
                "split": {"max_packages": None, "ship_complete": False},
                "on_none": "backorder",
            }
        ],
    }


def validate(document: object) -> list[dict[str, str]]:
    """What is wrong with a document: `[{"pointer", "message"}]` with JSON pointers, at most 50; empty when valid.

    Each message says what to put instead. Never raises.
    """
    check = _Check()
    check.document(document)
    return check.errors


def parse(document: Mapping[str, Any]) -> Rule:
    """A valid document as a Rule. Raises ValueError with the first error of an invalid one."""
    errors = validate(document)
    if errors:
        raise ValueError(f"{errors[0]['pointer'] or '/'}: {errors[0]['message']}")
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return Rule(
        name=document["name"],
        strategies=tuple(_strategy(each) for each in document["strategies"]),
        digest=hashlib.sha256(canonical.encode("ascii")).digest(),
    )


def sentences(document: Mapping[str, Any]) -> list[str]:
    """Each strategy of a valid document as an English sentence, in order. Raises ValueError as `parse`."""
    rule = parse(document)
    return [
        readings.strategy_sentence(strategy, first=at == 0) for at, strategy in enumerate(rule.strategies)
    ]


def _strategy(document: Mapping[str, Any]) -> Strategy:
    split = document.get("split") or {}
    when = document.get("when")
    return Strategy(
        id=document["id"],
        when=_condition(when) if when is not None else None,
        filters=tuple(
            Filter(each["id"], each["field"], each["op"], _value(each["value"]))
            for each in document.get("filters", ())
        ),
        objective=Objective(document.get("objective", FEWEST)),
        split=Split(max_packages=split.get("max_packages"), ship_complete=split.get("ship_complete", False)),
    )


def _condition(document: Mapping[str, Any]) -> Condition:
    if "channel" in document:
        return Condition("in", "order.channel", tuple(document["channel"]))
    for group in ("all", "any"):
        if group in document:
            return Condition(group, parts=tuple(_condition(part) for part in document[group]))
    if "not" in document:
        return Condition("not", parts=(_condition(document["not"]),))
    return Condition(document["op"], document["field"], _value(document["value"]))


def _value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value


class _Check:
    """Walks a document and collects what is wrong with it."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []
        self.conditions = 0

    def error(self, path: Sequence[object], message: str) -> None:
        if len(self.errors) < MOST_ERRORS:
            pointer = "".join(f"/{_escaped(part)}" for part in path)
            self.errors.append({"pointer": pointer, "message": message})

    def document(self, document: object) -> None:
        if not self.is_object((), document, ("name", "strategies"), required=("name", "strategies")):
            return
        assert isinstance(document, dict)
        if "name" in document:
            self.is_text(("name",), document["name"])
        strategies: Any = document.get("strategies")
        if "strategies" not in document or not self.is_list(("strategies",), strategies, 1, MOST_STRATEGIES):
            return
        for at, strategy in enumerate(strategies):
            self.strategy(("strategies", at), strategy, last=at == len(strategies) - 1)
        self.ids(("strategies",), strategies)

    def strategy(self, path: tuple, strategy: object, last: bool) -> None:
        known = ("id", "when", "filters", "objective", "split", "on_none")
        if not self.is_object(path, strategy, known, required=("id",)):
            return
        assert isinstance(strategy, dict)
        when = strategy.get("when")
        if when is not None:
            self.condition((*path, "when"), when, 1)
            if last:
                self.error(
                    (*path, "when"),
                    "the last strategy must be for every order, or some order finds none:"
                    " remove this, or add a strategy without 'when' below",
                )
        elif not last:
            self.error(
                path,
                "a strategy without 'when' is for every order, so those below it are never reached:"
                " add a 'when', or move it to the end",
            )
        filters = strategy.get("filters", [])
        if self.is_list((*path, "filters"), filters, 0, MOST_FILTERS):
            for at, each in enumerate(filters):
                self.filter((*path, "filters", at), each)
            self.ids((*path, "filters"), filters)
        self.choice((*path, "objective"), strategy.get("objective", FEWEST), OBJECTIVES)
        self.split((*path, "split"), strategy)
        self.choice((*path, "on_none"), strategy.get("on_none", "backorder"), ("backorder",))

    def split(self, path: tuple, strategy: dict) -> None:
        split = strategy.get("split")
        if split is None or not self.is_object(path, split, ("max_packages", "ship_complete")):
            return
        cap = split.get("max_packages")
        if cap is not None and (not _is_int(cap) or not 1 <= cap <= 100):
            self.error((*path, "max_packages"), "must be a whole number from 1 to 100, or null for no limit")
        elif cap is not None and strategy.get("objective") == NEAREST:
            self.error(
                (*path, "max_packages"),
                f"the objective '{NEAREST}' does not count packages: use null, or the objective '{FEWEST}'",
            )
        if not isinstance(split.get("ship_complete", False), bool):
            self.error((*path, "ship_complete"), "must be true or false")

    def filter(self, path: tuple, each: object) -> None:
        required = ("id", "field", "op", "value")
        if self.is_object(path, each, required, required) and isinstance(each, dict):
            self.comparison(path, each, NODE_FIELDS)

    def condition(self, path: tuple, condition: object, depth: int) -> None:
        self.conditions += 1
        if self.conditions > MOST_CONDITIONS:
            if self.conditions == MOST_CONDITIONS + 1:
                self.error(path, f"a document may hold at most {MOST_CONDITIONS} conditions: use fewer")
            return
        if depth > DEEPEST:
            self.error(path, f"conditions may be nested at most {DEEPEST} deep: use flatter ones")
            return
        if not isinstance(condition, dict):
            self.error(path, f'must be an object such as {{"channel": ["web"]}}, not {_kind(condition)}')
            return
        forms = [key for key in ("channel", *GROUPS, "field") if key in condition]
        if len(forms) != 1:
            self.error(path, "must have exactly one of 'channel', 'all', 'any', 'not' or 'field'")
            return
        form = forms[0]
        if form == "field":
            if self.is_object(path, condition, ("field", "op", "value"), ("field", "op", "value")):
                self.comparison(path, condition, ORDER_FIELDS)
            return
        self.is_object(path, condition, (form,))
        value, at = condition[form], (*path, form)
        if form == "not":
            self.condition(at, value, depth + 1)
        elif form == "channel":
            if self.is_list(at, value, 1, MOST_VALUES):
                self.values(at, value, ORDER_FIELDS["order.channel"])
        elif self.is_list(at, value, 1, MOST_CONDITIONS):
            for position, part in enumerate(value):
                self.condition((*at, position), part, depth + 1)

    def comparison(self, path: tuple, each: dict, fields: Mapping[str, Field]) -> None:
        """A field, an operator it allows, and a value of its type."""
        if "field" not in each or not self.choice((*path, "field"), each["field"], tuple(fields)):
            return
        field = fields[each["field"]]
        if "op" not in each or not self.choice((*path, "op"), each["op"], field.ops) or "value" not in each:
            return
        at, value, op = (*path, "value"), each["value"], each["op"]
        if op in ("in", "not_in", "zip_prefix"):
            if self.is_list(at, value, 1, MOST_VALUES):
                self.values(at, value, field)
        elif op == "between":
            if self.is_list(at, value, 2, 2) and self.values(at, value, field) and value[0] > value[1]:
                self.error(at, "must be two numbers, the smaller one first")
        else:
            self.value(at, value, field)

    def values(self, path: tuple, values: list, field: Field) -> bool:
        wrong = [at for at, value in enumerate(values) if not self.value((*path, at), value, field)]
        return not wrong

    def value(self, path: tuple, value: object, field: Field) -> bool:
        if field.number:
            if not _is_number(value):
                self.error(path, f"must be a number from 0 to {LARGEST:,}")
                return False
            return True
        if field.choices:
            return self.choice(path, value, field.choices)
        return self.is_text(path, value)

    def is_object(
        self, path: tuple, value: object, known: Sequence[str], required: Sequence[str] = ()
    ) -> bool:
        """Whether it is an object. Names the keys that do not belong there or are missing."""
        if not isinstance(value, dict):
            self.error(path, f"must be an object, not {_kind(value)}")
            return False
        for key in islice((key for key in value if key not in known), 10):
            self.error((*path, key), f"is not known here: remove it, or use one of {_names(known)}")
        for key in required:
            if key not in value:
                self.error((*path, key), "is missing: add it")
        return True

    def is_list(self, path: tuple, value: object, least: int, most: int) -> bool:
        if not isinstance(value, list):
            self.error(path, f"must be a list, not {_kind(value)}")
            return False
        if not least <= len(value) <= most:
            amount = f"exactly {least}" if least == most else f"{least} to {most}"
            self.error(path, f"must have {amount} entries, not {len(value):,}")
            return False
        return True

    def is_text(self, path: tuple, value: object) -> bool:
        if not isinstance(value, str):
            self.error(path, f"must be a text, not {_kind(value)}")
        elif not value.strip() or len(value) > MOST_LETTERS:
            self.error(path, f"must have 1 to {MOST_LETTERS} characters")
        elif not value.isprintable():
            self.error(
                path, "has a character that cannot be shown: remove line breaks and control characters"
            )
        else:
            return True
        return False

    def choice(self, path: tuple, value: object, choices: Sequence[str]) -> bool:
        if isinstance(value, str) and value in choices:
            return True
        self.error(path, f"{_shown(value)} is not possible here: use one of {_names(choices)}")
        return False

    def ids(self, path: tuple, entries: Iterable[object]) -> None:
        """Ids are short, plain and used once, so that an explanation can point at them."""
        seen: set[str] = set()
        for at, entry in enumerate(entries):
            if not isinstance(entry, dict) or "id" not in entry:
                continue
            name = entry["id"]
            if not isinstance(name, str) or not 1 <= len(name) <= 40 or not ID_LETTERS.issuperset(name):
                self.error(
                    (*path, at, "id"), "must have 1 to 40 small letters, digits, hyphens or underscores"
                )
            elif name in seen:
                self.error((*path, at, "id"), f"'{name}' is used above: give this one another id")
            else:
                seen.add(name)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value) and 0 <= value <= LARGEST
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def _kind(value: object) -> str:
    names = {type(None): "null", bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")


def _shown(value: object) -> str:
    return f"'{_printable(value)}'" if isinstance(value, str) else _kind(value)


def _escaped(part: object) -> str:
    """One step of a JSON pointer (RFC 6901), cut and made printable."""
    return _printable(part).replace("~", "~0").replace("/", "~1")


def _printable(value: object) -> str:
    text = str(value)[:60] if isinstance(value, str) else str(value)
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
