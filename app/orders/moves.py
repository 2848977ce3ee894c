"""Why and where an order moved when the orders of its window were planned together, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.money import Money
from app.pages import formats
from app.routing.clauses import listed

Names = Mapping[str, str]
"""Of nodes, by code."""


def spoken(cause: str, explanation: Mapping[str, Any], sentence: str, names: Names) -> str:
    """A decision's sentence for an agent. Where a person named the place, or the order gave way to another, it is
    about what was left to choose from, so it begins with why."""
    if cause == "assigned":
        return f"A person named the place. With no other to choose from: {sentence}"
    why = gave_way(explanation.get("window") or {}, names)
    return f"{why}. On the stock that was left: {sentence}" if why else sentence


def gave_way(window: Mapping[str, Any], names: Names) -> str:
    """To which orders an order gave way; empty where it did not."""
    takers = window.get("gave_way_to")
    if not takers:
        return ""
    after = {code for code, _ in window["after"]}
    left = [code for code, _ in window["before"] if code not in after]
    at = listed([names.get(code, code) for code in left or sorted(after)], "and")
    return f"Gave way to {listed(takers, 'and')}, which needed what it held at {at}"


def moved(window: Mapping[str, Any], names: Names, currency: str) -> list[str]:
    """Where an order went, and what it and those that moved with it save."""
    before, after = (
        " and ".join(names.get(code, code) for code, _ in window[side]) for side in ("before", "after")
    )
    cost = [Money(amount, currency) for amount in window["cost"]]
    parts = [f"From {before} to {after}: shipping and handling {cost[1]} instead of {cost[0]}"]
    if window["moved"] > 1 and window["saved"] > 0:
        saved = Money(window["saved"], currency)
        parts.append(f"{formats.plural(window['moved'], 'order')} that moved together save {saved}")
    return parts
