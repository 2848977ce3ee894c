"""What a person may decide about an order that routing could not place, and why not. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from infra.errors import Problem, refused

ACTIONS = {
    "route": "routed",
    "assign": "assigned",
    "backorder": "backordered",
    "cancel": "cancelled",
    "settle": "settled",
}
"""What is asked for -> what closes the exception."""
GONE = "gone"
"""Goods that a node reports as sent although their line was canceled by law: somebody looks into it, and says so."""
KINDS = ("nowhere", "cycles", "cancel", GONE)
STATES = ("open", "closed")
NOT_AVAILABLE = "not available"
"""Why units are canceled that no place can send."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of one SKU that an order waits for, and what the named node has free of it."""

    sku: str
    units: int
    free: int


def check_open(state: str, action: str, closed_by: str) -> None:
    """Raises Problem 409 `exception-closed`."""
    if state != "open":
        who = closed_by.partition(":")[2] or "Somebody"
        raise refused("exception-closed", f"{who} has decided already: the units were {action}.")


def check_action(kind: str, action: str) -> None:
    """Raises Problem 409 `wrong-action`: what is gone can only be settled, what waits has a place to be found."""
    if (kind == GONE) != (action == "settle"):
        right = "settle" if kind == GONE else "route, assign, backorder or cancel"
        raise refused("wrong-action", f"This exception is closed by {right}.")


def check_node(name: str, is_open: bool, wanted: Iterable[Wanted]) -> None:
    """Whether a node can be given what waits. Raises Problem 409 `node-closed`, `too-few-there`."""
    if not is_open:
        raise refused("node-closed", f"{name} is closed. Choose another node, or open it first.")
    for one in wanted:
        if one.free < one.units:
            raise refused(
                "too-few-there", f"{name} has {max(0, one.free)} of the {one.units} units of {one.sku} free."
            )


def cannot_send(name: str, outcome: str, *, full: bool) -> Problem:
    """409: the node has the goods but may not send them, as the decision says."""
    if full:
        return refused("node-full", f"{name} has no package left for the day. Raise its capacity first.")
    return refused("node-cannot", f"{name} may not send it: {outcome[:1].lower()}{outcome[1:]}.")


def nowhere(sentence: str) -> Problem:
    """409: nothing could be placed."""
    return refused("still-nowhere", f"No place can send it now. {sentence}".strip())
