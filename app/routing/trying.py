"""Trying rules from a page: the entries of a small form, and the answer as the page draws it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import url_for

from app.entries import address
from app.routing import phrases, trial
from app.routing.entry import tried_lines
from app.routing.explanations import explain_table
from app.routing.policy import Rule
from app.routing.trial import Trial, Wish
from infra.errors import Problem
from tenants.scope import Scope

MOST_LOOKED_AT = 6


@dataclass
class Attempt:
    """What came of a trial; empty when nothing was asked."""

    trial: Trial | None = None
    packages: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[tuple[str, int]] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    pins: list[dict[str, Any]] = field(default_factory=list)
    arcs: list[dict[str, Any]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    order_url: str = ""
    given_up: str = ""
    """What the fallback gave up, as the rules name it."""


def attempted(scope: Scope, rule: Rule, entries: Mapping[str, str]) -> Attempt:
    """Decide what the entries ask for: an order's number, or lines with a ZIP code and a channel."""
    wish, errors = _wish(scope, {name: text.replace("\x00", "") for name, text in entries.items()})
    if errors or wish is None:
        return Attempt(errors=errors)
    try:
        found = trial.attempt(scope, rule, wish)
    except Problem as problem:
        return Attempt(errors={"lines": problem.detail})
    return _drawn(found)


def _wish(scope: Scope, entries: Mapping[str, str]) -> tuple[Wish | None, dict[str, str]]:
    typed = entries.get("order", "").strip()
    number = typed.upper().removeprefix("K-")
    if number:
        if not (number.isascii() and number.isdigit() and len(number) < 15):
            return None, {"order": "Enter an order's number such as K-10482."}
        try:
            return trial.wish_of_order(scope, int(number)), {}
        except Problem as problem:
            return None, {"order": problem.detail}
    lines = tried_lines(entries.get("lines", ""))
    postal_code = entries.get("zip", "").strip()[:20]
    if not lines:
        return None, {"lines": "Enter at least one item."} if postal_code else {}
    if not postal_code:
        return None, {"zip": "Enter where it goes: the distance decides."}
    ship_to = {"postal_code": postal_code, "country": "US"}
    return Wish(lines, entries.get("channel", "") or "web", ship_to, bool(entries.get("complete"))), {}


def _drawn(found: Trial) -> Attempt:
    network, decision = found.configuration.network, found.decision
    packages: dict[int, list[tuple[str, int]]] = {}
    for line, node, units in decision.placements:
        packages.setdefault(node, []).append((found.titles[line], units))
    rows = explain_table(decision.explanation, network, decision.why.basket.currency)
    attempt = Attempt(
        found,
        packages=[
            {
                "name": network.names[node],
                "kind": network.kinds[node],
                "url": url_for("network_pages.detail", code=network.codes[node]),
                "lines": lines,
            }
            for node, lines in packages.items()
        ],
        waiting=[(found.titles[line], units) for line, units in decision.unfilled],
        rows=rows,
        given_up=phrases.all_given_up(decision.why.relaxed, decision.why.strategy),
    )
    if found.wish.number is not None:
        attempt.order_url = address("order_pages.detail", order_id=found.wish.order_id)
    _place(attempt, found, list(packages))
    return attempt


def _place(attempt: Attempt, found: Trial, chosen: list[int]) -> None:
    """Pins of the chosen nodes, of some that were looked at, and of the buyer, with arcs between."""
    network, goes_to = found.configuration.network, found.destination
    looked_at = [network.position[row.code] for row in attempt.rows if row.code in network.position]
    others = [node for node in looked_at if node not in chosen][:MOST_LOOKED_AT]
    for node in (*chosen, *others):
        if network.placed[node] and network.kinds[node] != "virtual":
            place = _degrees(network, node)
            attempt.pins.append(
                {
                    "name": network.names[node],
                    "longitude": place[0],
                    "latitude": place[1],
                    "kind": network.kinds[node],
                    "role": "" if node in chosen else "off",
                    "url": url_for("network_pages.detail", code=network.codes[node]),
                }
            )
            if node in chosen and goes_to.lat is not None:
                attempt.arcs.append({"start": place, "end": (goes_to.lon, goes_to.lat), "s": "due"})
    if goes_to.lat is not None:
        attempt.pins.append(
            {"name": "Buyer", "longitude": goes_to.lon, "latitude": goes_to.lat, "role": "dest"}
        )


def _degrees(network: Any, node: int) -> tuple[float, float]:
    return math.degrees(network.lon[node]), math.degrees(network.lat[node])
