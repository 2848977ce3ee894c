"""The rule document: its default, its validation with an error per path, its reading into a Rule and as sentences.

A document is untrusted JSON; there is no code and no regular expression of the merchant's in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from app.routing import phrases
from app.routing.checks import Check
from app.routing.facts import FEWEST
from app.routing.fields import Condition, Filter, Value
from app.routing.policy import (
    DEFAULT_SCOPE,
    SCORE,
    Allotment,
    Fallback,
    LineRoute,
    Objective,
    Reason,
    Release,
    Reroute,
    Rule,
    Split,
    Strategy,
    Term,
)
from app.routing.sections import REASONS, check_document

SINGLE = {"in": "eq", "not_in": "ne"}


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
    check = Check()
    check_document(check, document)
    return check.errors


def scope_of(document: Mapping[str, Any]) -> str:
    """Whose orders a valid document is for: `default`, or a channel's code."""
    return str(document.get("scope", DEFAULT_SCOPE))


def parse(document: Mapping[str, Any]) -> Rule:
    """A valid document as a Rule. Raises ValueError with the first error of an invalid one."""
    errors = validate(document)
    if errors:
        raise ValueError(f"{errors[0]['pointer'] or '/'}: {errors[0]['message']}")
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return Rule(
        name=document["name"],
        strategies=tuple(_strategy(each) for each in document["strategies"]),
        scope=scope_of(document),
        line_routes=tuple(_route(each) for each in document.get("line_routes", ())),
        reroute=_reroute(document.get("reroute", {})),
        release=_release(document.get("release", {})),
        allotments=tuple(
            Allotment(each["channel"], float(each["share_percent"]), each.get("borrow", False))
            for each in document.get("allotments", ())
        ),
        digest=hashlib.sha256(canonical.encode("ascii")).digest(),
    )


def sentences(document: Mapping[str, Any], currency: str = "USD") -> list[str]:
    """A valid document as English sentences, in reading order: line routes, strategies, and what it says besides.

    Raises ValueError as `parse`.
    """
    return [each.sentence for each in phrases.statements(parse(document), currency)]


def _strategy(document: Mapping[str, Any]) -> Strategy:
    when, split = document.get("when"), document.get("split") or {}
    fallback = document.get("fallback", {})
    return Strategy(
        id=document["id"],
        when=condition(when) if when is not None else None,
        nodes=tuple(document.get("nodes", ())),
        filters=tuple(_filter(each) for each in document.get("filters", ())),
        objective=_objective(document.get("objective", FEWEST)),
        split=Split(
            max_packages=split.get("max_packages"),
            least_package_value=split.get("least_package_value", 0),
            lines=split.get("lines", True),
            ship_complete=split.get("ship_complete", False),
            fill_or_kill=split.get("fill_or_kill", False),
        ),
        respect_capacity=document.get("respect_capacity", True),
        on_partial=document.get("on_partial", "ship"),
        on_none=document.get("on_none", "backorder"),
        fallback=Fallback(
            tuple(tuple(step) for step in fallback.get("relax", ())), fallback.get("then", "backorder")
        ),
    )


def _objective(given: str | Mapping[str, Any]) -> Objective:
    if isinstance(given, str):
        return Objective(given)
    terms = given["terms"]
    total = sum(term["weight"] for term in terms) if given["mode"] == SCORE else 1
    return Objective(
        given["mode"],
        tuple(
            Term(term["term"], term.get("weight", 1) / total, float(term.get("tolerance", 0)))
            for term in terms
        ),
    )


def _filter(document: Mapping[str, Any]) -> Filter:
    """A filter, or a part of one, which has no id of its own."""
    name = document.get("id", "")
    for group in ("all", "any"):
        if group in document:
            return Filter(name, "", group, "", parts=tuple(_filter(part) for part in document[group]))
    if "not" in document:
        return Filter(name, "", "not", "", parts=(_filter(document["not"]),))
    op, value = _operand(document)
    return Filter(name, document["field"], op, value, document.get("ref", ""))


def condition(document: Mapping[str, Any]) -> Condition:
    """A valid predicate over an order or a line."""
    if "channel" in document:
        return Condition("in", "order.channel", tuple(document["channel"]))
    for group in ("all", "any"):
        if group in document:
            return Condition(group, parts=tuple(condition(part) for part in document[group]))
    if "not" in document:
        return Condition("not", parts=(condition(document["not"]),))
    op, value = _operand(document)
    return Condition(op, document["field"], value, ref=document.get("ref", ""))


def _operand(document: Mapping[str, Any]) -> tuple[str, Value]:
    """Operator and value; one of a single value is that value, so that both read and compare as the same."""
    op, value = document["op"], document.get("value", "")
    if op in SINGLE and len(value) == 1:
        return SINGLE[op], value[0]
    return op, tuple(value) if isinstance(value, list) else value


def _route(document: Mapping[str, Any]) -> LineRoute:
    return LineRoute(
        id=document["id"],
        when=condition(document["when"]),
        kinds=tuple(document.get("kinds", ())),
        nodes=tuple(document.get("nodes", ())),
        capabilities=tuple(document.get("capabilities", ())),
        apart=document.get("apart", False),
        together=document.get("together", False),
    )


def _reroute(document: Mapping[str, Any]) -> Reroute:
    """Reasons in the order of the language: a stored document does not keep its own."""
    given = document.get("reasons", {})
    return Reroute(
        most_cycles=document.get("most_cycles", 3),
        cool_down_minutes=document.get("cool_down_minutes", 0),
        then=document.get("then", "queue"),
        reasons={
            name: Reason(given[name]["stock"], given[name]["exclude"]) for name in REASONS if name in given
        },
    )


def _release(document: Mapping[str, Any]) -> Release:
    return Release(
        mode=document.get("mode", "at_once"),
        minutes=document.get("minutes", 30),
        express=tuple(document.get("express", ())),
    )
