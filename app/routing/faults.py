"""Faults of a document back at the fields of its form, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NEVER_REACHED = (
    "This rule is for every order, so those below it are never reached."
    " Choose its channels, or move it to the end."
)
LAST = "The last rule must be for every order. Clear its channels, or add a rule below."


@dataclass(frozen=True)
class Fault:
    """An error of the document at the form: whose (`0`, `r0`, `a0`, `reroute`...), which part, which field, what."""

    owner: str
    part: str
    name: str
    words: str


def faults(errors: list[dict[str, str]], rules: int) -> list[Fault]:
    """Errors of the document as faults of the form's fields, in plain words."""
    return [_fault(error["pointer"].split("/")[1:], error["message"], rules) for error in errors]


def _fault(path: list[str], message: str, rules: int) -> Fault:
    words = f"{message[:1].upper()}{message[1:]}."
    section, at, rest = path[:1], path[1] if len(path) > 1 else "", path[2:]
    if section == ["name"]:
        return Fault("about", "", "name", "Give these rules a name of up to 100 characters.")
    if section == ["strategies"] and at:
        part, name, said = _of_rule(at, rest, words, message, last=int(at) == rules - 1)
        return Fault(at, part, f"{at}-{name}", said)
    if section == ["line_routes"] and at:
        part, name, said = _of_route(rest, words)
        return Fault(f"r{at}", part, f"r{at}-{name}", said)
    if section == ["allotments"] and at:
        name = {"share_percent": "share"}.get(rest[0], rest[0]) if rest else "channel"
        return Fault(f"a{at}", "share", f"a{at}-{name}", words)
    if section and section[0] in ("reroute", "release"):
        names = {"most_cycles": "cycles", "cool_down_minutes": "cool_down"}
        name = names.get(at, at) if at != "reasons" else "-".join(rest) or "reasons"
        return Fault(section[0], "", f"{section[0]}-{name}", words)
    return Fault("about", "", section[0] if section else "", words)


def _of_rule(at: str, rest: list[str], words: str, message: str, last: bool) -> tuple[str, str, str]:
    if not rest:
        return "when", "channels", NEVER_REACHED
    key = rest[0]
    if key == "when":
        if last and len(rest) == 1:
            return "when", "channels", LAST
        return "when", _row(rest[1:]), words
    if key == "filters" and len(rest) > 1:
        part = rest[-1] if rest[-1] in ("field", "op") else "value"
        said = "Choose what this filter looks at." if part != "value" else words
        return f"filter-{rest[1]}", f"{rest[1]}-{'value' if part == 'value' else 'choice'}", said
    if key == "objective":
        where = f"t{rest[2]}-{'term' if rest[-1] == 'term' else 'figure'}" if len(rest) > 2 else "objective"
        return "objective", where, words
    if key == "split":
        return _of_split(rest[1:], words, message)
    if key == "fallback" and len(rest) > 2:
        return f"relax-{rest[2]}", f"relax-{rest[2]}", words
    names = {"fallback": "then", "on_none": "none", "on_partial": "wait", "respect_capacity": "beyond"}
    return ("nodes" if key == "nodes" else "missing"), names.get(key, key), words


def _of_split(rest: list[str], words: str, message: str) -> tuple[str, str, str]:
    if rest[:1] == ["max_packages"]:
        if "nearest" in message:
            said = "Taking each item from the nearest place sets no limit. Leave this empty."
        else:
            said = "Enter a whole number from 1 to 100, or nothing for no limit."
        return "split", "packages", said
    if rest[:1] == ["least_package_value"]:
        return "split", "value", "Enter an amount such as 15.00, or nothing for no limit."
    return "split", "packages", words


def _row(rest: list[str]) -> str:
    """The row of a condition; which row it is when channels stand before it cannot be told, the first will do."""
    digits = [part for part in rest if part.isdigit()]
    ending = "choice" if rest[-1:] and rest[-1] in ("field", "op") else "value"
    return f"w{digits[0] if digits else 0}-{ending}" if "channel" not in rest else "channels"


def _of_route(rest: list[str], words: str) -> tuple[str, str, str]:
    if not rest:
        return "to", "nodes", "Say where these lines go, or what they travel with."
    if rest[0] == "when":
        return (
            "when",
            _row(rest[1:]) if rest[1:] else "w0-choice",
            "Say which lines." if not rest[1:] else words,
        )
    return ("travel" if rest[0] in ("apart", "together") else "to"), rest[0], words


def by_field(found: list[Fault]) -> Mapping[str, str]:
    """The first fault of each field."""
    first: dict[str, str] = {}
    for fault in found:
        first.setdefault(fault.name, fault.words)
    return first
