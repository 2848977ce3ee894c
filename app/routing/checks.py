"""Walking an untrusted document: what is wrong with it, at which path, and what to put instead.

Every list is measured before it is walked, long lists are looked at as a whole first, and the walk ends at the
fiftieth error: no document takes long.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

from app.routing.vocabulary import DATE, FLAG, LIST_OPS, NUMBER, REF_OPS, Field

MOST_FILTERS = 20
MOST_VALUES = 500
MOST_CONDITIONS = 200
DEEPEST = 4
MOST_LETTERS = 100
MOST_ERRORS = 50
LARGEST = 1_000_000_000
ID_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
GROUPS = ("all", "any", "not")
Path = tuple[object, ...]


class Check:
    """Collects errors by JSON pointer (RFC 6901)."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []
        self.conditions = 0

    @property
    def is_over(self) -> bool:
        """Whether enough was found."""
        return len(self.errors) >= MOST_ERRORS

    def error(self, path: Path, message: str) -> None:
        """Keep one error, unless there are enough."""
        if not self.is_over:
            pointer = "".join(f"/{_escaped(part)}" for part in path)
            self.errors.append({"pointer": pointer, "message": message})

    # ---- shapes

    def is_object(
        self, path: Path, value: object, known: Sequence[str], required: Sequence[str] = ()
    ) -> bool:
        """Whether it is an object. Names the keys that do not belong there or are missing."""
        if not isinstance(value, dict):
            self.error(path, f"must be an object, not {kind_of(value)}")
            return False
        for key in islice((key for key in value if key not in known), 10):
            self.error((*path, key), f"is not known here: remove it, or use one of {named(known)}")
        for key in required:
            if key not in value:
                self.error((*path, key), "is missing: add it")
        return True

    def is_list(self, path: Path, value: object, least: int, most: int) -> bool:
        """Whether it is a list of so many entries."""
        if not isinstance(value, list):
            self.error(path, f"must be a list, not {kind_of(value)}")
            return False
        if not least <= len(value) <= most:
            amount = f"exactly {least}" if least == most else f"{least} to {most}"
            told = (
                f"must have {amount} entries, not {len(value):,}"
                if value
                else f"is empty: add {amount} entries"
            )
            self.error(path, told)
            return False
        return True

    def is_text(self, path: Path, value: object) -> bool:
        """Whether it is a short text that can be shown."""
        if not isinstance(value, str):
            self.error(path, f"must be a text, not {kind_of(value)}")
        elif len(value) > MOST_LETTERS or not value.strip():
            self.error(path, f"must have 1 to {MOST_LETTERS} characters")
        elif not value.isprintable():
            self.error(
                path, "has a character that cannot be shown: remove line breaks and control characters"
            )
        else:
            return True
        return False

    def is_flag(self, path: Path, value: object) -> None:
        """Must be true or false."""
        if not isinstance(value, bool):
            self.error(path, "must be true or false")

    def is_whole(self, path: Path, value: object, least: int, most: int, or_null: str = "") -> bool:
        """Whether it is a whole number between two; `or_null`: what null means where it is allowed."""
        if value is None and or_null:
            return True
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return True
        ending = f", or null for {or_null}" if or_null else ""
        self.error(path, f"must be a whole number from {least:,} to {most:,}{ending}")
        return False

    def is_share(self, path: Path, value: object, most: float, above_zero: bool = False) -> bool:
        """Whether it is a number from 0 to `most`."""
        if (
            is_number(value)
            and isinstance(value, int | float)
            and value <= most
            and (value > 0 or not above_zero)
        ):
            return True
        least = "above 0" if above_zero else "0"
        self.error(path, f"must be a number from {least} to {most:,g}")
        return False

    def choice(self, path: Path, value: object, choices: Sequence[str]) -> bool:
        """Whether it is one of these words."""
        if isinstance(value, str) and value in choices:
            return True
        self.error(path, f"{shown(value)} is not possible here: use one of {named(choices)}")
        return False

    def words(
        self, path: Path, value: object, most: int, choices: Sequence[str] = (), least: int = 0
    ) -> bool:
        """Whether it is a list of words, each once; of these choices where there are some."""
        if not self.is_list(path, value, least, most) or not isinstance(value, list):
            return False
        seen: set[str] = set()
        before = len(self.errors)
        for at, each in enumerate(value):
            fine = self.choice((*path, at), each, choices) if choices else self.is_text((*path, at), each)
            if fine and each in seen:
                self.error((*path, at), f"{shown(each)} is listed above: remove it")
            elif fine:
                seen.add(each)
        return len(self.errors) == before

    def ids(self, path: Path, entries: Iterable[object], key: str = "id") -> None:
        """Ids are short, plain and used once, so that an explanation can point at them."""
        seen: set[str] = set()
        for at, entry in enumerate(entries):
            if not isinstance(entry, dict) or key not in entry:
                continue
            name = entry[key]
            if not isinstance(name, str) or not 1 <= len(name) <= 40 or not ID_LETTERS.issuperset(name):
                self.error(
                    (*path, at, key), "must have 1 to 40 small letters, digits, hyphens or underscores"
                )
            elif name in seen:
                self.error((*path, at, key), f"'{name}' is used above: give this one another {key}")
            else:
                seen.add(name)

    # ---- predicates

    def filter(
        self, path: Path, each: object, fields: Mapping[str, Field], refs: Mapping[str, Field]
    ) -> None:
        """A named predicate over nodes: one comparison, or a group of them."""
        if not isinstance(each, dict):
            self.error(path, f"must be an object, not {kind_of(each)}")
            return
        group = next((key for key in GROUPS if key in each), None)
        if group is None:
            known = ("id", "field", "op", "value", "ref")
            self.is_object(path, each, known, ("id", "field", "op"))
            self.comparison(path, each, fields, refs)
            return
        self.is_object(path, each, ("id", group), ("id",))
        self.group((*path, group), group, each[group], (fields, refs), 2)

    def condition(self, path: Path, condition: object, fields: Mapping[str, Field], depth: int = 1) -> None:
        """A predicate over an order or a line. `{"channel": [...]}` is short for the field order.channel."""
        self._predicate(path, condition, (fields, fields), depth, sugar=True)

    def _predicate(
        self,
        path: Path,
        condition: object,
        fields: tuple[Mapping[str, Field], Mapping[str, Field]],
        depth: int,
        sugar: bool,
    ) -> None:
        self.conditions += 1
        if self.conditions > MOST_CONDITIONS:
            if self.conditions == MOST_CONDITIONS + 1:
                self.error(path, f"a document may hold at most {MOST_CONDITIONS} conditions: use fewer")
            return
        if depth > DEEPEST:
            self.error(path, f"conditions may be nested at most {DEEPEST} deep: use flatter ones")
            return
        if not isinstance(condition, dict):
            self.error(path, f'must be an object such as {{"channel": ["web"]}}, not {kind_of(condition)}')
            return
        forms = ("channel", *GROUPS, "field") if sugar else (*GROUPS, "field")
        found = [key for key in forms if key in condition]
        if len(found) != 1:
            self.error(path, f"must have exactly one of {named(forms)}")
            return
        form = found[0]
        if form == "field":
            self.is_object(path, condition, ("field", "op", "value", "ref"), ("field", "op"))
            self.comparison(path, condition, *fields)
            return
        self.is_object(path, condition, (form,))
        if form == "channel":
            if self.is_list((*path, form), condition[form], 1, MOST_VALUES):
                self.values((*path, form), condition[form], fields[0]["order.channel"])
            return
        self.group((*path, form), form, condition[form], fields, depth + 1, sugar)

    def group(
        self,
        path: Path,
        form: str,
        value: object,
        fields: tuple[Mapping[str, Field], Mapping[str, Field]],
        depth: int,
        sugar: bool = False,
    ) -> None:
        """The parts of `all`, `any` or `not`."""
        if form == "not":
            self._predicate(path, value, fields, depth, sugar)
        elif self.is_list(path, value, 1, MOST_CONDITIONS) and isinstance(value, list):
            for position, part in enumerate(value):
                if self.is_over or self.conditions > MOST_CONDITIONS:
                    return
                self._predicate((*path, position), part, fields, depth, sugar)

    def comparison(
        self, path: Path, each: Mapping[str, object], fields: Mapping[str, Field], refs: Mapping[str, Field]
    ) -> None:
        """A field, an operator it allows, and a value of its type or another field of the same type."""
        name = each.get("field")
        if "field" not in each or not self.choice((*path, "field"), name, tuple(fields)):
            return
        field = fields[str(name)]
        if "op" not in each or not self.choice((*path, "op"), each["op"], field.ops):
            return
        op = str(each["op"])
        if "ref" in each:
            self.ref(path, each, field, op, refs)
        elif "value" not in each:
            self.error((*path, "value"), "is missing: add it, or a 'ref' to another field")
        else:
            self.operand((*path, "value"), each["value"], field, op)

    def ref(
        self, path: Path, each: Mapping[str, object], field: Field, op: str, refs: Mapping[str, Field]
    ) -> None:
        """Another field to compare with, in place of a value."""
        if "value" in each:
            self.error((*path, "ref"), "stands beside a value: remove one of the two")
        elif op not in REF_OPS:
            self.error((*path, "op"), f"'{op}' compares with values: use one of {named(REF_OPS)} with a ref")
        else:
            fitting = tuple(
                name for name, other in refs.items() if field.fits(other) and name != each["field"]
            )
            if fitting:
                self.choice((*path, "ref"), each["ref"], fitting)
            else:
                self.error((*path, "ref"), "nothing can be compared with this field: give a value")

    def operand(self, path: Path, value: object, field: Field, op: str) -> None:
        """The value that an operator needs."""
        if op == "exists":
            self.is_flag(path, value)
        elif op in LIST_OPS:
            if self.is_list(path, value, 1, MOST_VALUES) and isinstance(value, list):
                self.values(path, value, field)
        elif op == "between":
            if (
                self.is_list(path, value, 2, 2)
                and isinstance(value, list)
                and self.values(path, value, field)
                and value[0] > value[1]
            ):
                self.error(path, "must be two numbers or dates, the smaller one first")
        else:
            self.value(path, value, field)

    def values(self, path: Path, values: list[object], field: Field) -> bool:
        """Whether every one is a value of the field. A long list is looked at as a whole first."""
        if _all_plain(values, field):
            return True
        before = len(self.errors)
        for at, value in enumerate(values):
            if self.is_over:
                return False
            self.value((*path, at), value, field)
        return len(self.errors) == before

    def value(self, path: Path, value: object, field: Field) -> bool:
        """Whether it is one value of the field."""
        if field.kind == FLAG:
            self.is_flag(path, value)
            return isinstance(value, bool)
        if field.kind == NUMBER:
            if not is_number(value):
                self.error(path, f"must be a number from 0 to {LARGEST:,}")
                return False
            return True
        if field.kind == DATE:
            return self.is_date(path, value)
        if field.choices:
            return self.choice(path, value, field.choices)
        return self.is_text(path, value)

    def is_date(self, path: Path, value: object) -> bool:
        """Whether it is a day such as 2026-12-24."""
        try:
            if isinstance(value, str) and len(value) == 10 and date.fromisoformat(value).isoformat() == value:
                return True
        except ValueError:
            pass
        self.error(path, f"{shown(value)} is no date: write it as 2026-12-24")
        return False


def _all_plain(values: list[object], field: Field) -> bool:
    """Whether all are short printable texts, or numbers within bounds, told without a look at each in turn."""
    if field.number:
        return all(map(is_number, values))
    if field.kind == DATE or set(map(type, values)) != {str}:
        return False
    texts: list[Any] = values
    if field.choices:
        return set(texts) <= set(field.choices)
    return (
        max(map(len, texts)) <= MOST_LETTERS and all(map(str.strip, texts)) and "".join(texts).isprintable()
    )


def is_number(value: object) -> bool:
    """Whether it is a finite number from 0 to LARGEST."""
    if isinstance(value, float):
        return math.isfinite(value) and 0 <= value <= LARGEST
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    names = {type(None): "null", bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")


def shown(value: object) -> str:
    """A text as it was given, cut and made printable; else what it is."""
    return f"'{_printable(value)}'" if isinstance(value, str) else kind_of(value)


def named(names: Iterable[str]) -> str:
    """'a', 'b', 'c'."""
    return ", ".join(f"'{name}'" for name in names)


def _escaped(part: object) -> str:
    return _printable(part).replace("~", "~0").replace("/", "~1")


def _printable(value: object) -> str:
    text = str(value)[:60] if isinstance(value, str) else str(value)
    return "".join(letter if letter.isprintable() else "?" for letter in text)
