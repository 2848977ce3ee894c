"""Values out of a decoded JSON document, each checked; what is refused is named by its path with a remedy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MOST_UNITS = 10**9  # so that sums of quantities and of millionths of money stay within 64 bits
MOST_SHOWN = 100  # characters

Name = str | int


class Unreadable(Exception):
    """The input cannot be used. `path` says where (`orders[3].lines[0].qty`), `remedy` what to do."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(f"{path}: {problem}. {remedy}")
        self.path = path
        self.remedy = remedy


def shown(value: Any) -> str:
    """A value as a message shows it: not more than begins it."""
    told = repr(value)
    return told if len(told) <= MOST_SHOWN else f"{told[:MOST_SHOWN]}..."


def each(
    root: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any], str], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Every object of a list, as read."""
    return [
        read(mapping(row, f"{name}[{at}]"), f"{name}[{at}]") for at, row in enumerate(listing(root, name))
    ]


def positions(names: Sequence[Name], path: str, field: str) -> dict[Name, int]:
    """Where each name stands; none may occur twice."""
    found: dict[Name, int] = {}
    for name in names:
        if name in found:
            raise Unreadable(path, f"the {field} {name!r} occurs twice", "Give each once.")
        found[name] = len(found)
    return found


def known(name: Any, names: Mapping[Name, int], path: str, where: str) -> int:
    """The position of a name that must be one of those."""
    if not is_name(name) or name not in names:
        raise Unreadable(
            path, f"{shown(name)} is not one of {where}", f"Add it to {where} or correct the name."
        )
    return names[name]


def member(given: Mapping[str, Any], name: str, path: str) -> Any:
    """A member that must be there."""
    if name not in given:
        place = name if path == name else f"{path}.{name}"
        raise Unreadable(place, "is missing", "Add it.")
    return given[name]


def mapping(value: Any, path: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise Unreadable(path, "is not an object", "Give a JSON object here.")
    return value


def listing(given: Mapping[str, Any], name: str, path: str = "") -> list[Any]:
    """A JSON list that must be there."""
    place = f"{path}.{name}" if path else name
    if name not in given:
        raise Unreadable(place, "is missing", "Add it; an empty list is allowed.")
    if not isinstance(given[name], list):
        raise Unreadable(place, "is not a list", "Give a JSON list here.")
    return list(given[name])


def text(value: Any, path: str) -> str:
    """A text that is not empty and that can be written as UTF-8."""
    if not isinstance(value, str) or not value:
        raise Unreadable(path, "is not a text", "Give a text that is not empty.")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise Unreadable(path, "holds half of a character", "Write it as UTF-8.")
    return value


def is_name(value: Any) -> bool:
    """Whether a value is what names may be: a text or a whole number."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def name_of(value: Any, path: str) -> Name:
    """The name of a node, a SKU or an order: a text that is not empty, or a whole number. Written as it was read."""
    if isinstance(value, str):
        return text(value, path)
    if not is_name(value):
        raise Unreadable(path, "is neither a text nor a whole number", "Give a name.")
    return int(value)


def number(value: Any, path: str, least: float = -math.inf) -> float:
    """A finite number up to MOST_UNITS either way."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= MOST_UNITS:
        raise Unreadable(path, f"{shown(value)} is not a number in reach", "Give a finite number.")
    if value < least:
        raise Unreadable(path, f"{value!r} is too low", f"Give at least {least:g}.")
    return float(value)


def numbers(given: Mapping[str, Any], name: str, path: str) -> list[float]:
    """A list of numbers from 0 on."""
    values = member(given, name, path.removesuffix(f".{name}"))
    if not isinstance(values, list):
        raise Unreadable(path, "is not a list", "Give a list of numbers.")
    return [number(value, f"{path}[{at}]", least=0.0) for at, value in enumerate(values)]


def whole(value: Any, path: str, least: int) -> int:
    """A whole number, also written as 2.0."""
    found = number(value, path)
    if found != int(found):
        raise Unreadable(path, f"{value!r} is not a whole number", "Give a whole number.")
    if found < least:
        raise Unreadable(path, f"{value!r} is too low", f"Give at least {least}.")
    return int(found)


def degrees(given: Mapping[str, Any], name: str, path: str, most: float) -> float:
    """A latitude or longitude."""
    value = number(member(given, name, path), f"{path}.{name}")
    if abs(value) > most:
        raise Unreadable(f"{path}.{name}", f"{value!r} is not an angle", f"Give degrees up to {most:g}.")
    return value
