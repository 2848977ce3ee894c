"""The sections of a rule document, checked one after the other."""

from __future__ import annotations

from typing import Any

from app.routing.checks import (
    LARGEST,
    MOST_FILTERS,
    MOST_VALUES,
    Check,
    Path,
    is_number,
    kind_of,
    named,
)
from app.routing.facts import FEWEST, NEAREST
from app.routing.policy import COST, DEFAULT_SCOPE, LEXICOGRAPHIC, NAMED, SCORE
from app.routing.vocabulary import NODE_FIELDS, NODE_KINDS, ON_LINES, ON_NODES, ORDER_FIELDS, TERMS

MODES = (COST, LEXICOGRAPHIC, SCORE)
THENS = ("backorder", "queue", "cancel")
PARTIALS = ("ship", "wait")
LIMITS = ("max_packages", "least_package_value", "capacity", "allotments")
"""What a fallback step may give up besides filters."""
REASONS = (
    "out_of_stock",
    "damaged",
    "capacity",
    "closed",
    "cannot_ship",
    "address",
    "short_pick",
    "other",
)
STOCKS = ("hold", "free")
EXCLUDES = ("node", "sku", "none")
RELEASES = ("at_once", "window")

MOST_STRATEGIES = 20
MOST_ROUTES = 20
MOST_STEPS = 10
MOST_NODES = 500
MOST_WORDS = 20
MOST_ALLOTMENTS = 20
MOST_PACKAGES = 100
MOST_CYCLES = 20
MOST_MINUTES = 30 * 24 * 60
LONGEST_WINDOW = 24 * 60

DOCUMENT_KEYS = ("name", "scope", "line_routes", "strategies", "reroute", "release", "allotments")
STRATEGY_KEYS = (
    "id",
    "when",
    "nodes",
    "filters",
    "objective",
    "split",
    "respect_capacity",
    "on_partial",
    "on_none",
    "fallback",
)
SPLIT_KEYS = ("max_packages", "least_package_value", "lines", "ship_complete", "fill_or_kill")
ROUTE_KEYS = ("id", "when", "kinds", "nodes", "capabilities", "apart", "together")


def check_document(check: Check, document: object) -> None:
    """A whole document."""
    if not check.is_object((), document, DOCUMENT_KEYS, required=("name", "strategies")):
        return
    assert isinstance(document, dict)
    if "name" in document:
        check.is_text(("name",), document["name"])
    scope = document.get("scope", DEFAULT_SCOPE)
    check.is_text(("scope",), scope)
    routes = document.get("line_routes", [])
    if check.is_list(("line_routes",), routes, 0, MOST_ROUTES):
        for at, route in enumerate(routes):
            _route(check, ("line_routes", at), route)
        check.ids(("line_routes",), routes)
    strategies: Any = document.get("strategies")
    if "strategies" in document and check.is_list(("strategies",), strategies, 1, MOST_STRATEGIES):
        for at, strategy in enumerate(strategies):
            if check.is_over:
                return
            _strategy(check, ("strategies", at), strategy, last=at == len(strategies) - 1)
        check.ids(("strategies",), strategies)
    _reroute(check, ("reroute",), document.get("reroute", {}))
    _release(check, ("release",), document.get("release", {}))
    _allotments(check, ("allotments",), document.get("allotments", []), scope)


def _strategy(check: Check, path: Path, strategy: object, last: bool) -> None:
    if not check.is_object(path, strategy, STRATEGY_KEYS, required=("id",)):
        return
    assert isinstance(strategy, dict)
    _when(check, path, strategy.get("when"), last)
    check.words((*path, "nodes"), strategy.get("nodes", []), MOST_NODES)
    filters = strategy.get("filters", [])
    if check.is_list((*path, "filters"), filters, 0, MOST_FILTERS):
        for at, each in enumerate(filters):
            check.filter((*path, "filters", at), each, NODE_FIELDS, ON_NODES)
        check.ids((*path, "filters"), filters)
    _objective(check, (*path, "objective"), strategy.get("objective", FEWEST))
    _split(check, (*path, "split"), strategy)
    check.is_flag((*path, "respect_capacity"), strategy.get("respect_capacity", True))
    check.choice((*path, "on_partial"), strategy.get("on_partial", "ship"), PARTIALS)
    check.choice((*path, "on_none"), strategy.get("on_none", "backorder"), THENS)
    _fallback(check, (*path, "fallback"), strategy)


def _when(check: Check, path: Path, when: object, last: bool) -> None:
    if when is not None:
        check.condition((*path, "when"), when, ORDER_FIELDS)
        if last:
            check.error(
                (*path, "when"),
                "the last strategy must be for every order, or some order finds none:"
                " remove this, or add a strategy without 'when' below",
            )
    elif not last:
        check.error(
            path,
            "a strategy without 'when' is for every order, so those below it are never reached:"
            " add a 'when', or move it to the end",
        )


def _objective(check: Check, path: Path, objective: object) -> None:
    """A word, or a mode with terms."""
    if not isinstance(objective, dict):
        if not (isinstance(objective, str) and objective in NAMED):
            given = f"'{objective[:60]}'" if isinstance(objective, str) else kind_of(objective)
            check.error(
                path,
                f"{given} is not possible here: use one of {named(NAMED)},"
                f" or an object with 'mode' ({named(MODES)}) and 'terms'",
            )
        return
    check.is_object(path, objective, ("mode", "terms"), ("mode", "terms"))
    mode, terms = objective.get("mode"), objective.get("terms")
    if "mode" not in objective or not check.choice((*path, "mode"), mode, MODES) or "terms" not in objective:
        return
    if not check.is_list((*path, "terms"), terms, 1, len(TERMS)) or not isinstance(terms, list):
        return
    for at, term in enumerate(terms):
        _term(check, (*path, "terms", at), term, str(mode))
    check.ids((*path, "terms"), terms, key="term")


def _term(check: Check, path: Path, term: object, mode: str) -> None:
    """A figure with its price (cost), its tolerance (lexicographic) or its weight (score)."""
    extra = "tolerance" if mode == LEXICOGRAPHIC else "weight"
    if not check.is_object(path, term, ("term", extra), ("term",)) or not isinstance(term, dict):
        return
    possible = tuple(name for name, kind in TERMS.items() if mode in kind.modes)
    if "term" not in term or not check.choice((*path, "term"), term["term"], possible):
        return
    if mode == LEXICOGRAPHIC:
        check.is_share((*path, extra), term.get(extra, 0), 10)
        return
    kind = TERMS[term["term"]]
    if extra in term:
        check.is_share((*path, extra), term[extra], LARGEST, above_zero=True)
    elif mode == SCORE or not kind.is_money:
        what = "its weight" if mode == SCORE else f"minor units for each {kind.unit}"
        check.error((*path, extra), f"is missing: add {what}")


def _split(check: Check, path: Path, strategy: dict[str, Any]) -> None:
    split = strategy.get("split")
    if split is None or not check.is_object(path, split, SPLIT_KEYS):
        return
    cap = split.get("max_packages")
    fine = check.is_whole((*path, "max_packages"), cap, 1, MOST_PACKAGES, or_null="no limit")
    if fine and cap is not None and strategy.get("objective") == NEAREST:
        check.error(
            (*path, "max_packages"),
            f"the objective '{NEAREST}' does not count packages: use null, or the objective '{FEWEST}'",
        )
    check.is_whole((*path, "least_package_value"), split.get("least_package_value", 0), 0, LARGEST)
    for key in ("lines", "ship_complete", "fill_or_kill"):
        check.is_flag((*path, key), split.get(key, False))


def _fallback(check: Check, path: Path, strategy: dict[str, Any]) -> None:
    fallback = strategy.get("fallback", {})
    if not check.is_object(path, fallback, ("relax", "then")):
        return
    check.choice((*path, "then"), fallback.get("then", "backorder"), THENS)
    steps = fallback.get("relax", [])
    if not check.is_list((*path, "relax"), steps, 0, MOST_STEPS):
        return
    filters = strategy.get("filters")
    ids = (
        [each.get("id") for each in filters[:MOST_FILTERS] if isinstance(each, dict)]
        if isinstance(filters, list)
        else []
    )
    possible = (*LIMITS, *(name for name in ids if isinstance(name, str) and len(name) <= 40))
    for at, step in enumerate(steps):
        check.words((*path, "relax", at), step, MOST_WORDS, possible, least=1)


def _route(check: Check, path: Path, route: object) -> None:
    if not check.is_object(path, route, ROUTE_KEYS, ("id", "when")) or not isinstance(route, dict):
        return
    if "when" in route:
        check.condition((*path, "when"), route["when"], ON_LINES)
    check.words((*path, "kinds"), route.get("kinds", []), len(NODE_KINDS), NODE_KINDS)
    check.words((*path, "nodes"), route.get("nodes", []), MOST_NODES)
    check.words((*path, "capabilities"), route.get("capabilities", []), MOST_WORDS)
    for key in ("apart", "together"):
        check.is_flag((*path, key), route.get(key, False))
    if not any(route.get(key) for key in ROUTE_KEYS[2:]):
        check.error(
            path, "changes nothing for its lines: add 'kinds', 'nodes', 'capabilities', 'apart' or 'together'"
        )


def _reroute(check: Check, path: Path, reroute: object) -> None:
    if not check.is_object(path, reroute, ("most_cycles", "cool_down_minutes", "then", "reasons")):
        return
    assert isinstance(reroute, dict)
    check.is_whole((*path, "most_cycles"), reroute.get("most_cycles", 3), 0, MOST_CYCLES)
    check.is_whole((*path, "cool_down_minutes"), reroute.get("cool_down_minutes", 0), 0, MOST_MINUTES)
    check.choice((*path, "then"), reroute.get("then", "queue"), THENS)
    reasons = reroute.get("reasons", {})
    if not check.is_object((*path, "reasons"), reasons, REASONS):
        return
    for name in REASONS:
        at = (*path, "reasons", name)
        if name not in reasons:
            continue
        reason = reasons[name]
        if check.is_object(at, reason, ("stock", "exclude"), ("stock", "exclude")):
            for key, choices in (("stock", STOCKS), ("exclude", EXCLUDES)):
                if key in reason:
                    check.choice((*at, key), reason[key], choices)


def _release(check: Check, path: Path, release: object) -> None:
    if not check.is_object(path, release, ("mode", "minutes", "express")) or not isinstance(release, dict):
        return
    check.choice((*path, "mode"), release.get("mode", "at_once"), RELEASES)
    check.is_whole((*path, "minutes"), release.get("minutes", 30), 1, LONGEST_WINDOW)
    check.words((*path, "express"), release.get("express", []), MOST_VALUES)


def _allotments(check: Check, path: Path, allotments: object, scope: object) -> None:
    if not check.is_list(path, allotments, 0, MOST_ALLOTMENTS) or not isinstance(allotments, list):
        return
    if allotments and scope != DEFAULT_SCOPE:
        check.error(path, "are shares of all stock: keep them in the rules of the scope 'default'")
    total: float = 0
    channels: set[str] = set()
    for at, one in enumerate(allotments):
        if not check.is_object(
            (*path, at), one, ("channel", "share_percent", "borrow"), ("channel", "share_percent")
        ):
            continue
        channel, share = one.get("channel", ""), one.get("share_percent", 1)
        if "channel" in one and check.is_text((*path, at, "channel"), channel):
            if channel in channels:
                check.error((*path, at, "channel"), "has a share above: keep one of the two")
            channels.add(channel)
        if check.is_share((*path, at, "share_percent"), share, 100, above_zero=True) and is_number(share):
            total += share
        check.is_flag((*path, at, "borrow"), one.get("borrow", False))
    if total > 100:
        check.error(path, f"hold {total:g} percent together: at most 100 can be given away")
