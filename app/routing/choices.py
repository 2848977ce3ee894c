"""Comparisons as a person chooses and types them, and back; the choices come from the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.money import DECIMALS, Money, ungrouped
from app.routing import clauses
from app.routing.fields import Condition, Filter
from app.routing.vocabulary import FIELDS, FLAG, LIST_OPS, NODE_FIELDS, ORDER_FIELDS, Field

SAME = {"eq": "in", "ne": "not_in"}
OPEN = "…"
OF_LIST = {"has_any": f"one of {OPEN}", "has_all": f"all of {OPEN}"}
SILENT = {"yes": ("eq", True), "no": ("eq", False), "known": ("exists", True), "unknown": ("exists", False)}
"""Choices that need no value."""
OLD = "node.distance_miles"


@dataclass
class Comparison:
    """One comparison as typed: `choice` is "field|operator"; `kinds` bounds a filter to places of these kinds."""

    id: str = ""
    choice: str = ""
    value: str = ""
    kinds: tuple[str, ...] = ()
    kept: str = ""
    """A predicate that the form cannot show, as JSON."""


def of_orders() -> dict[str, str]:
    """What a condition on orders may be, by "field|operator"."""
    return _choices(ORDER_FIELDS, lambda name, op, value: clauses.condition_words(Condition(op, name, value)))


def of_lines(fields: Mapping[str, Field]) -> dict[str, str]:
    """What a condition on lines may be, by "field|operator"."""
    return _choices(fields, lambda name, op, value: clauses.condition_words(Condition(op, name, value)))


def of_nodes() -> dict[str, str]:
    """What a filter may be, by "field|operator"."""
    fields = {name: field for name, field in NODE_FIELDS.items() if name != OLD}
    plain = {
        "node.kind": " (kinds)",
        "node.code": " (codes)",
        "node.region": " (states)",
        "node.country": " (countries)",
    }
    return {
        choice: f"{words}{plain.get(choice.partition('|')[0], '') if OPEN in words else ''}"
        for choice, words in _choices(
            fields, lambda name, op, value: clauses.filter_words(Filter("", name, op, value))
        ).items()
    }


def _choices(fields: Mapping[str, Field], said: Any) -> dict[str, str]:
    found = {}
    for name, field in fields.items():
        for op in field.ops:
            if field.kind == FLAG and op == "ne":
                continue
            silent = {"eq": ("yes", "no")} if field.kind == FLAG else {"exists": ("known", "unknown")}
            for token in silent.get(op, ()):
                found[f"{name}|{token}"] = _capital(said(name, *SILENT[token]))
            if op not in silent and op not in SAME:
                value = (OPEN, OPEN) if op == "between" else (OPEN,) if op in LIST_OPS else OPEN
                words = said(name, op, value).replace(OPEN, OF_LIST.get(op, OPEN))
                found[f"{name}|{op}"] = _capital(words)
    return found


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def typed(predicate: Mapping[str, Any], currency: str) -> Comparison | None:
    """A predicate as typed; None where the form cannot show it."""
    if "field" not in predicate or "ref" in predicate:
        return None
    name, op, value = predicate["field"], predicate["op"], predicate["value"]
    field = FIELDS[name]
    token = next(
        (
            key
            for key, pair in SILENT.items()
            if pair == (op, value) and (op == "exists" or field.kind == FLAG)
        ),
        "",
    )
    if token:
        return Comparison(choice=f"{name}|{token}")
    if field.kind == FLAG:
        # Of an order, what is not known is not yes and not no either; a node of which it is not known passes both.
        return None if name in ORDER_FIELDS else Comparison(choice=f"{name}|{'no' if value else 'yes'}")
    listed = value if isinstance(value, list) else [value]
    if field.unit == "money" and any(each != int(each) for each in listed):
        return None
    words = [_shown(each, field, currency) for each in listed]
    return Comparison(choice=f"{name}|{SAME.get(op, op)}", value=", ".join(words))


def _shown(value: Any, field: Field, currency: str) -> str:
    if field.unit == "money":
        return str(Money(int(value), currency).decimal())
    return str(value).replace("_", " ") if field.choices else str(value)


def predicate(one: Comparison, currency: str) -> dict[str, Any]:
    """What was typed, as the document says it; still to be validated."""
    name, _, token = one.choice.partition("|")
    if token in SILENT:
        op, value = SILENT[token]
        return {"field": name, "op": op, "value": value}
    field, lists = FIELDS.get(name), token in LIST_OPS or token == "between"
    parts = _parts(one.value, token) if lists else [one.value.strip()]
    values: list[Any] = (
        [_value(part, field, currency) for part in parts] if field is not None else list(parts)
    )
    return {"field": name, "op": token, "value": values if lists else values[0]}


def _parts(text: str, token: str) -> list[str]:
    """The values of a list, with commas between; a range may be typed as "100 to 500"."""
    between = " to " if token == "between" and " to " in text else ","
    return [part.strip() for part in text.split(between) if part.strip()]


def _value(text: str, field: Field, currency: str) -> Any:
    if field.unit == "money":
        return amount(text, currency)
    if field.number:
        return number(text)
    return word(text, field.choices) if field.choices else text


def word(text: str, choices: tuple[str, ...]) -> str:
    """ "Stores", "Gift card digital" as people write them -> store, gift_card_digital."""
    plain = text.strip().casefold().replace(" ", "_")
    return next((each for each in choices if plain in (each, clauses.KINDS.get(each), f"{each}s")), text)


def number(text: str) -> Any:
    """A figure where it is one, None where nothing is typed, else the text: the validation says what is wrong."""
    plain = ungrouped(text.strip().rstrip("%").strip())
    if not plain:
        return None
    if plain.isascii() and plain.isdigit() and len(plain) < 12:
        return int(plain)
    try:
        return float(plain)
    except ValueError:
        return text


def amount(text: str, currency: str, whole: bool = True) -> Any:
    """Money typed in major units as minor ones: "12.50" -> 1250; the text where it is no amount."""
    plain = ungrouped(text.strip().lstrip("$€£¥").strip())
    if not plain:
        return None
    try:
        minor = Decimal(plain).scaleb(DECIMALS[currency])
    except ArithmeticError:
        return text
    if not minor.is_finite():
        return text
    if minor == minor.to_integral_value() and abs(minor) < 10**12:
        return int(minor)
    return text if whole else float(minor)


def free_id(prefix: str, taken: set[str]) -> str:
    """An id that is not taken yet; it is now."""
    found = next(f"{prefix}-{at}" for at in range(1, 1000) if f"{prefix}-{at}" not in taken)
    taken.add(found)
    return found
