"""What a form of rules sent: its fields as entries, and entries as a document."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.datastructures import MultiDict

from app.routing.checks import MOST_FILTERS
from app.routing.choices import Comparison, amount, free_id, number, predicate
from app.routing.entry import (
    AllotmentEntry,
    Entry,
    ReleaseEntry,
    RerouteEntry,
    RouteEntry,
    RuleEntry,
    TermEntry,
    WhenEntry,
)
from app.routing.facts import FEWEST
from app.routing.policy import COST, DEFAULT_SCOPE, LEXICOGRAPHIC, NAMED, SCORE
from app.routing.sections import MOST_ALLOTMENTS, MOST_ROUTES, MOST_STEPS, MOST_STRATEGIES, REASONS
from app.routing.vocabulary import TERMS

Sent = MultiDict[str, str]
MOST_ROWS = 20
USUAL = {
    COST: (("shipping", ""), ("handling", "")),
    LEXICOGRAPHIC: (("packages", ""), ("distance", "")),
    SCORE: (("shipping", "70"), ("distance", "30")),
}
"""What each mode starts with."""


def read(sent: Sent) -> Entry:
    """The entries as they were sent, in the order in which they stood on the page."""
    return Entry(
        name=sent.get("name", "").strip(),
        scope=sent.get("scope", DEFAULT_SCOPE),
        routes=[_route(sent, at) for at in sent.getlist("route")[:MOST_ROUTES]],
        rules=[_rule(sent, at) for at in sent.getlist("rule")[:MOST_STRATEGIES]],
        allotments=[
            AllotmentEntry(
                sent.get(f"{at}-channel", ""), _text(sent, f"{at}-share"), bool(sent.get(f"{at}-borrow"))
            )
            for at in sent.getlist("allotment")[:MOST_ALLOTMENTS]
        ],
        reroute=RerouteEntry(
            sent.get("reroute-cycles", "3").strip(),
            sent.get("reroute-cool_down", "0").strip(),
            sent.get("reroute-then", "queue"),
            {
                name: (sent.get(f"reroute-{name}-stock", ""), sent.get(f"reroute-{name}-exclude", ""))
                for name in REASONS
                if sent.get(f"reroute-{name}-stock") or sent.get(f"reroute-{name}-exclude")
            },
        ),
        release=ReleaseEntry(
            sent.get("release-mode", "at_once"),
            sent.get("release-minutes", "30").strip(),
            _text(sent, "release-express"),
        ),
    )


def _text(sent: Sent, name: str) -> str:
    return sent.get(name, "").strip()


def _rule(sent: Sent, at: str) -> RuleEntry:
    return RuleEntry(
        id=sent.get(f"{at}-id", ""),
        when=_when(sent, at),
        nodes=_text(sent, f"{at}-nodes"),
        filters=[one for place in range(MOST_FILTERS + 1) if (one := _filter(sent, f"{at}-{place}"))],
        objective=sent.get(f"{at}-objective", FEWEST),
        terms=_terms(sent, at),
        packages=_text(sent, f"{at}-packages"),
        value=_text(sent, f"{at}-value"),
        whole=bool(sent.get(f"{at}-whole")),
        beyond=bool(sent.get(f"{at}-beyond")),
        complete=bool(sent.get(f"{at}-complete")),
        kill=bool(sent.get(f"{at}-kill")),
        wait=bool(sent.get(f"{at}-wait")),
        relax=[names for place in range(MOST_STEPS + 1) if (names := sent.getlist(f"{at}-relax-{place}"))],
        then=sent.get(f"{at}-then", "backorder"),
        none=sent.get(f"{at}-none", "backorder"),
    )


def _terms(sent: Sent, at: str) -> list[TermEntry]:
    """The figures of an objective; a mode that was just chosen starts with the usual ones."""
    found = [
        TermEntry(name, _text(sent, f"{at}-t{place}-figure"))
        for place in range(len(TERMS) + 1)
        if (name := sent.get(f"{at}-t{place}-term"))
    ]
    usual = USUAL.get(sent.get(f"{at}-objective", ""), ())
    return found or [TermEntry(name, figure) for name, figure in usual]


def _when(sent: Sent, at: str) -> WhenEntry:
    rows = [one for place in range(MOST_ROWS) if (one := _filter(sent, f"{at}-w{place}"))]
    channels = sent.getlist(f"{at}-channels")
    kept = "" if channels or rows else sent.get(f"{at}-when", "")
    return WhenEntry(channels, sent.get(f"{at}-match", "all"), rows, kept)


def _filter(sent: Sent, name: str) -> Comparison | None:
    """One comparison, unless nothing was chosen or typed."""
    choice, value = sent.get(f"{name}-choice", ""), _text(sent, f"{name}-value")
    kept = "" if choice or sent.get(f"{name}-gone") else sent.get(f"{name}-kept", "")
    if not (choice or value or kept):
        return None
    return Comparison(sent.get(f"{name}-id", ""), choice, value, tuple(sent.getlist(f"{name}-kinds")), kept)


def _route(sent: Sent, at: str) -> RouteEntry:
    return RouteEntry(
        id=sent.get(f"{at}-id", ""),
        when=_when(sent, at),
        kinds=sent.getlist(f"{at}-kinds"),
        nodes=_text(sent, f"{at}-nodes"),
        capabilities=_text(sent, f"{at}-capabilities"),
        apart=bool(sent.get(f"{at}-apart")),
        together=bool(sent.get(f"{at}-together")),
    )


# ---- entries as a document


def document(entry: Entry, currency: str) -> dict[str, Any]:
    """The entries as a document, still to be validated. What stands at its default is left out."""
    taken = {rule.id for rule in entry.rules if rule.id}
    routes = {route.id for route in entry.routes if route.id}
    found: dict[str, Any] = {"name": entry.name}
    if entry.scope != DEFAULT_SCOPE:
        found["scope"] = entry.scope
    if entry.routes:
        found["line_routes"] = [_route_document(route, routes, currency) for route in entry.routes]
    found["strategies"] = [_strategy(rule, taken, currency) for rule in entry.rules]
    if entry.reroute != RerouteEntry():
        found["reroute"] = {
            "most_cycles": number(entry.reroute.cycles),
            "cool_down_minutes": number(entry.reroute.cool_down or "0"),
            "then": entry.reroute.then,
            "reasons": {
                name: {"stock": stock, "exclude": exclude}
                for name, (stock, exclude) in entry.reroute.reasons.items()
            },
        }
    if entry.release != ReleaseEntry():
        found["release"] = {
            "mode": entry.release.mode,
            "minutes": number(entry.release.minutes),
            "express": _listed(entry.release.express),
        }
    if entry.allotments:
        found["allotments"] = [
            {"channel": one.channel, "share_percent": number(one.share), "borrow": one.borrow}
            for one in entry.allotments
        ]
    return found


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _strategy(rule: RuleEntry, taken: set[str], currency: str) -> dict[str, Any]:
    rule.id = rule.id or free_id("rule", taken)
    ids = {each.id for each in rule.filters if each.id}
    split: dict[str, Any] = {"max_packages": number(rule.packages), "ship_complete": rule.complete}
    if rule.value:
        split["least_package_value"] = amount(rule.value, currency)
    if rule.whole:
        split["lines"] = False
    if rule.kill:
        split["fill_or_kill"] = True
    strategy: dict[str, Any] = {
        "id": rule.id,
        "filters": [_filter_document(each, ids, currency) for each in rule.filters],
        "objective": _objective(rule, currency),
        "split": split,
        "on_none": rule.none,
    }
    if (when := _condition(rule.when, currency)) is not None:
        strategy["when"] = when
    if rule.nodes:
        strategy["nodes"] = _listed(rule.nodes)
    if rule.beyond:
        strategy["respect_capacity"] = False
    if rule.wait:
        strategy["on_partial"] = "wait"
    known = {*ids, "max_packages", "least_package_value", "capacity", "allotments"}
    relax = [names for step in rule.relax if (names := [name for name in step if name in known])]
    if relax or rule.then != "backorder":
        strategy["fallback"] = {"relax": relax, "then": rule.then}
    return strategy


def _objective(rule: RuleEntry, currency: str) -> Any:
    """A word, or a mode with its terms."""
    if rule.objective in NAMED or not rule.terms:
        return rule.objective
    return {"mode": rule.objective, "terms": [_term(rule.objective, each, currency) for each in rule.terms]}


def _term(mode: str, each: TermEntry, currency: str) -> dict[str, Any]:
    found: dict[str, Any] = {"term": each.term}
    if not each.figure:
        return found
    if mode == LEXICOGRAPHIC:
        share = number(each.figure)
        found["tolerance"] = round(share / 100, 9) if isinstance(share, int | float) else share
    elif mode == COST and each.term in TERMS and not TERMS[each.term].is_money:
        found["weight"] = amount(each.figure, currency, whole=False)
    else:
        found["weight"] = number(each.figure)
    return found


def _condition(when: WhenEntry, currency: str) -> Any:
    parts: list[Any] = [{"channel": when.channels}] if when.channels else []
    parts += [predicate(row, currency) for row in when.rows]
    if not parts:
        return _json(when.kept) if when.kept else None
    return parts[0] if len(parts) == 1 else {"any" if when.match == "any" else "all": parts}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _filter_document(each: Comparison, taken: set[str], currency: str) -> Any:
    each.id = each.id or free_id("filter", taken)
    if each.kept and not each.choice:
        kept = _json(each.kept)
        return {"id": each.id, **kept} if isinstance(kept, dict) else kept
    found = predicate(each, currency)
    if not each.kinds:
        return {"id": each.id, **found}
    many = len(each.kinds) > 1
    others = {
        "field": "node.kind",
        "op": "not_in" if many else "ne",
        "value": list(each.kinds) if many else each.kinds[0],
    }
    return {"id": each.id, "any": [others, found]}


def _route_document(route: RouteEntry, taken: set[str], currency: str) -> dict[str, Any]:
    route.id = route.id or free_id("route", taken)
    found: dict[str, Any] = {"id": route.id}
    if (when := _condition(route.when, currency)) is not None:
        found["when"] = when
    for key, listed in (
        ("kinds", route.kinds),
        ("nodes", _listed(route.nodes)),
        ("capabilities", _listed(route.capabilities)),
    ):
        if listed:
            found[key] = listed
    for key, so in (("apart", route.apart), ("together", route.together)):
        if so:
            found[key] = True
    return found
