"""The form of routing rules: all of a document as fields that a person can fill.

What the fields cannot show (deeper groups, references written over the API) travels along as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.money import DECIMALS
from app.routing.choices import Comparison, typed
from app.routing.facts import FEWEST
from app.routing.policy import COST, DEFAULT_SCOPE, LEXICOGRAPHIC
from app.routing.vocabulary import TERMS

MOST_TRIED = 50


@dataclass
class WhenEntry:
    """Which orders or lines, as typed: channels and comparisons, all or any of them."""

    channels: list[str] = field(default_factory=list)
    match: str = "all"
    rows: list[Comparison] = field(default_factory=list)
    kept: str = ""
    """A condition that the form cannot show, as JSON."""

    @property
    def is_open_to_all(self) -> bool:
        """Whether it bounds nothing."""
        return not (self.channels or self.rows or self.kept)


@dataclass
class TermEntry:
    """One figure of an objective as typed: a price, a tolerance in percent or a weight, as its mode has it."""

    term: str = ""
    figure: str = ""


@dataclass
class RuleEntry:
    """One strategy as typed."""

    id: str = ""
    when: WhenEntry = field(default_factory=WhenEntry)
    nodes: str = ""
    filters: list[Comparison] = field(default_factory=list)
    objective: str = FEWEST
    terms: list[TermEntry] = field(default_factory=list)
    packages: str = ""
    value: str = ""
    whole: bool = False
    beyond: bool = False
    complete: bool = False
    kill: bool = False
    wait: bool = False
    relax: list[list[str]] = field(default_factory=list)
    then: str = "backorder"
    none: str = "backorder"


@dataclass
class RouteEntry:
    """One line route as typed."""

    id: str = ""
    when: WhenEntry = field(default_factory=WhenEntry)
    kinds: list[str] = field(default_factory=list)
    nodes: str = ""
    capabilities: str = ""
    apart: bool = False
    together: bool = False


@dataclass
class AllotmentEntry:
    """One channel's share as typed."""

    channel: str = ""
    share: str = ""
    borrow: bool = False


@dataclass
class RerouteEntry:
    """Life after a rejection as typed."""

    cycles: str = "3"
    cool_down: str = "0"
    then: str = "queue"
    reasons: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass
class ReleaseEntry:
    """When work goes out, as typed."""

    mode: str = "at_once"
    minutes: str = "30"
    express: str = ""


@dataclass
class Entry:
    """A whole document as typed."""

    name: str = ""
    scope: str = DEFAULT_SCOPE
    routes: list[RouteEntry] = field(default_factory=list)
    rules: list[RuleEntry] = field(default_factory=list)
    allotments: list[AllotmentEntry] = field(default_factory=list)
    reroute: RerouteEntry = field(default_factory=RerouteEntry)
    release: ReleaseEntry = field(default_factory=ReleaseEntry)


def entry_of(document: Mapping[str, Any], currency: str) -> Entry:
    """A valid document as typed."""
    reroute, release = document.get("reroute", {}), document.get("release", {})
    return Entry(
        name=document["name"],
        scope=document.get("scope", DEFAULT_SCOPE),
        routes=[_route(each, currency) for each in document.get("line_routes", ())],
        rules=[_rule(each, currency) for each in document["strategies"]],
        allotments=[
            AllotmentEntry(each["channel"], f"{each['share_percent']:g}", each.get("borrow", False))
            for each in document.get("allotments", ())
        ],
        reroute=RerouteEntry(
            str(reroute.get("most_cycles", 3)),
            str(reroute.get("cool_down_minutes", 0)),
            reroute.get("then", "queue"),
            {name: (one["stock"], one["exclude"]) for name, one in reroute.get("reasons", {}).items()},
        ),
        release=ReleaseEntry(
            release.get("mode", "at_once"),
            str(release.get("minutes", 30)),
            ", ".join(release.get("express", ())),
        ),
    )


def _rule(strategy: Mapping[str, Any], currency: str) -> RuleEntry:
    split, fallback = strategy.get("split") or {}, strategy.get("fallback", {})
    objective = strategy.get("objective", FEWEST)
    least = split.get("least_package_value", 0)
    return RuleEntry(
        id=strategy["id"],
        when=_when(strategy.get("when"), currency),
        nodes=", ".join(strategy.get("nodes", ())),
        filters=[_filter(each, currency) for each in strategy.get("filters", ())],
        objective=objective if isinstance(objective, str) else objective["mode"],
        terms=[] if isinstance(objective, str) else _terms(objective, currency),
        packages="" if split.get("max_packages") is None else str(split["max_packages"]),
        value=_major(least, currency) if least else "",
        whole=not split.get("lines", True),
        beyond=not strategy.get("respect_capacity", True),
        complete=split.get("ship_complete", False),
        kill=split.get("fill_or_kill", False),
        wait=strategy.get("on_partial", "ship") == "wait",
        relax=[list(step) for step in fallback.get("relax", ())],
        then=fallback.get("then", "backorder"),
        none=strategy.get("on_none", "backorder"),
    )


def _terms(objective: Mapping[str, Any], currency: str) -> list[TermEntry]:
    found = []
    for each in objective["terms"]:
        name = each["term"]
        if objective["mode"] == LEXICOGRAPHIC:
            share = each.get("tolerance", 0)
            figure = f"{share * 100:g}" if share else ""
        elif objective["mode"] == COST and not TERMS[name].is_money:
            figure = _major(each["weight"], currency)
        else:
            figure = f"{each['weight']:g}" if "weight" in each else ""
        found.append(TermEntry(name, figure))
    return found


def _major(amount: float, currency: str) -> str:
    """Minor units as typed: 1500 -> "15", 5.5 -> "0.055"."""
    return f"{amount / 10 ** DECIMALS[currency]:.12g}"


def _when(when: Mapping[str, Any] | None, currency: str) -> WhenEntry:
    if when is None:
        return WhenEntry()
    match = next((group for group in ("all", "any") if group in when), "")
    parts = when[match] if match else [when]
    channels = [part["channel"] for part in parts if "channel" in part]
    rows = [typed(part, currency) for part in parts if "channel" not in part]
    shown = [row for row in rows if row is not None]
    if len(shown) < len(rows) or len(channels) > 1:
        return WhenEntry(kept=json.dumps(when))
    return WhenEntry(list(channels[0]) if channels else [], match or "all", shown)


def _filter(each: Mapping[str, Any], currency: str) -> Comparison:
    """A filter; one that is bound to kinds of places is `any` of another kind and the comparison."""
    kinds: tuple[str, ...] = ()
    plain = each
    if "any" in each and len(each["any"]) == 2:
        first, second = each["any"]
        if first.get("field") == "node.kind" and first.get("op") in ("ne", "not_in"):
            kinds = tuple(first["value"]) if first["op"] == "not_in" else (first["value"],)
            plain = second
    found = typed(plain, currency)
    if found is None:
        return Comparison(each["id"], kept=json.dumps({key: each[key] for key in each if key != "id"}))
    found.id, found.kinds = each["id"], kinds
    return found


def _route(route: Mapping[str, Any], currency: str) -> RouteEntry:
    return RouteEntry(
        id=route["id"],
        when=_when(route["when"], currency),
        kinds=list(route.get("kinds", ())),
        nodes=", ".join(route.get("nodes", ())),
        capabilities=", ".join(route.get("capabilities", ())),
        apart=route.get("apart", False),
        together=route.get("together", False),
    )


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
