"""What a provider may do with work in which state, which units it touches, and when work is over. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from app.routing.policy import Reason
from infra.errors import Problem, invalid, refused

REJECT_REASONS = ("out_of_stock", "damaged", "capacity", "closed", "cannot_ship", "address", "other")
SUSPECT = frozenset({"out_of_stock", "damaged", "short_pick"})
"""Reasons that say something about the goods."""
ADDRESS = "address"
"""The one reason that is about the order: no other node would do better, and none is kept from it."""
MOST_NAMED = 6
"""Refusals that a reason names."""
SHORT = "short_pick"
LIVE = frozenset({"open", "picking", "packed"})
TIMED = frozenset({"open", "wait_silent", "wait_express", "wait_renewed", "consent_definite"})
"""States of a promise that end with its deadline."""

Line = dict[str, Any]


@dataclass(frozen=True)
class Action:
    """Which request statuses an action needs, and what to do otherwise."""

    requests: frozenset[str]
    remedy: str


ACTIONS: dict[str, Action] = {
    "accept": Action(frozenset({"submitted"}), "Only submitted work can be accepted."),
    "reject": Action(
        frozenset({"submitted", "accepted"}), "Only submitted or accepted work can be rejected."
    ),
    "pick": Action(frozenset({"accepted"}), "Accept the work before picking it."),
    "pack": Action(frozenset({"accepted"}), "Accept the work before packing it."),
    "ship": Action(frozenset({"accepted", "cancel_requested"}), "Accept the work before shipping it."),
    "answer": Action(frozenset({"cancel_requested"}), "No cancellation waits for an answer."),
}


def check(action: str, request_status: str, work_status: str) -> None:
    """Raises Problem 409 `request-<status>` or `work-<status>` when the state does not allow the action."""
    allowed = ACTIONS[action]
    if request_status not in allowed.requests:
        raise refused(
            f"request-{request_status.replace('_', '-')}",
            f"The request is {request_status.replace('_', ' ')}. {allowed.remedy}",
        )
    if work_status not in LIVE:
        raise refused(f"work-{work_status}", f"The work is {work_status}: nothing is left to do.")
    if action == "pick" and work_status == "packed":
        raise refused("work-packed", "The work is packed already. Ship it.")


def check_holds(kinds: Iterable[str]) -> None:
    """Raises Problem 409 `hold-<kind>`: goods of a held order stay."""
    for kind in sorted(kinds):
        raise refused(f"hold-{kind}", f"The order is on hold ({kind}). Nothing may leave until it is lifted.")


def check_time(moment: datetime, now: datetime, slack_seconds: int = 300) -> None:
    """A hand-over lies in the past. Raises Problem 422."""
    if (moment - now).total_seconds() > slack_seconds:
        raise invalid("/shipped_at", "shipped_at lies in the future. Send when the goods were handed over.")


def lost(lines: Iterable[Line], wanted: Mapping[str, int] | None, shipped_at: datetime) -> list[Line]:
    """Lines of a hand-over that were canceled by law when the carrier had the goods (16 CFR 435.2(c)), whether or not
    anybody has acted on it yet. At the very instant the cancellation comes first. Units that were given back already
    stay so, whatever is reported of them later."""
    return [
        line
        for line in lines
        if (wanted is None or line["sku"] in wanted) and _lost(line, shipped_at.astimezone(UTC))
    ]


def _lost(line: Line, shipped_at: datetime) -> bool:
    if line["vested_at"] is not None:
        return shipped_at >= datetime.fromisoformat(line["vested_at"]) or (
            not open_units(line) and line["released"] > 0
        )
    return line["promise"] in TIMED and shipped_at >= datetime.fromisoformat(line["deadline"])


def cancelled_by_law(lines: Sequence[Line]) -> Problem:
    """409: these goods were not to leave any more."""
    skus = ", ".join(sorted({line["sku"] for line in lines}))
    return refused(
        "cancelled-by-law",
        f"{skus}: the buyer's time for this was over, so the line is canceled and its money goes back. Stop the parcel"
        " if it can be stopped. What left before the end may be reported with its time in shipped_at.",
    )


def effect(reason: str, said: Mapping[str, Reason]) -> Reason:
    """What a refusal for this reason does to stock and to the order's choices. Where the rule says nothing: goods
    that are in doubt are on hold until somebody counts them, a wrong address is nobody's, other refusals are the
    node's."""
    if reason in said:
        return said[reason]
    if reason == ADDRESS:
        return Reason("free", "none")
    return Reason("hold", "sku") if reason in SUSPECT else Reason("free", "node")


def refused_by(refusals: Sequence[tuple[str, str]]) -> str:
    """Refusals (node's name, reason), in words."""
    named = [f"{node} ({reason.replace('_', ' ')})" for node, reason in refusals[-MOST_NAMED:]]
    earlier = len(refusals) - len(named)
    return f"Refused by {', '.join(named)}" + (f" and {earlier} before" if earlier else "") + "."


def open_units(line: Line) -> int:
    """Units that can still leave from here."""
    return int(line["quantity"] - line["shipped"] - line["released"])


def unpicked(line: Line) -> int:
    """Open units nobody took from the shelf yet."""
    return max(0, int(line["quantity"] - line["released"] - max(line["picked"], line["shipped"])))


def unpacked(line: Line) -> int:
    """Open units in no parcel yet."""
    return max(0, int(line["quantity"] - line["released"] - max(line["packed"], line["shipped"])))


def asked(lines: Sequence[Mapping[str, Any]] | None) -> dict[str, int] | None:
    """Units by SKU; a repeated SKU is summed. None = everything."""
    if not lines:
        return None
    units: dict[str, int] = {}
    for line in lines:
        units[line["sku"]] = units.get(line["sku"], 0) + line["quantity"]
    return units


def assign(
    wanted: Mapping[str, int] | None, lines: Sequence[tuple[Line, int]], what: str = "open"
) -> list[tuple[Line, int]]:
    """Units of each line, the oldest line of a SKU first. `lines` are (line, units it can give), oldest first.

    Raises Problem 422 for a SKU that is not in this work, 409 `more-than-open` for too many units.
    """
    if wanted is None:
        return [(line, units) for line, units in lines if units]
    known = {line["sku"] for line, _ in lines}
    for at, sku in enumerate(wanted):
        if sku not in known:
            raise invalid(f"/lines/{at}/sku", f"{sku} is not in this fulfillment order.")
    rest = dict(wanted)
    taken = []
    for line, units in lines:
        part = min(rest.get(line["sku"], 0), units)
        if part:
            rest[line["sku"]] -= part
            taken.append((line, part))
    for sku, missing in rest.items():
        if missing:
            raise refused(
                "more-than-open",
                f"Only {wanted[sku] - missing} of {wanted[sku]} units of {sku} are {what} here.",
            )
    return taken


def outcome(lines: Iterable[Line]) -> str | None:
    """The work status in which the work ends, or None while units are open."""
    lines = list(lines)
    if any(open_units(line) for line in lines):
        return None
    if not any(line["shipped"] for line in lines):
        return "cancelled"
    return "incomplete" if any(line["released"] for line in lines) else "shipped"


def report_digest(shipment: Mapping[str, Any], wanted: Mapping[str, int] | None) -> str | None:
    """What tells two hand-overs of the same work apart: who carried what, under which number, and when.

    None when neither a tracking number nor a time was given: then two equal reports are two hand-overs, and
    only an Idempotency-Key tells a repeat.
    """
    at = shipment.get("shipped_at")
    if not shipment.get("tracking_number") and at is None:
        return None
    parts = [
        shipment["kind"],
        shipment["carrier"],
        shipment["tracking_number"],
        None if at is None else at.timestamp(),
        shipment.get("handed_to"),
        None if wanted is None else sorted(wanted.items()),
    ]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def payment_allows(*, total: int, cancelled: int, authorized: int, other: int) -> bool:
    """Whether what is still wanted is covered, in minor units. `other` is borne by tenders that need no
    authorization: money in hand, and terms, which are paid later by agreement."""
    return authorized + other >= total - cancelled


def nothing_to_do(what: str) -> Problem:
    """409: the request names no unit."""
    return refused("nothing-open", f"Nothing is left to {what} here.")


def window_end(since: datetime, minutes: int) -> datetime:
    """The end of the window that an instant lies in; windows of so many minutes follow each other from 1970 on."""
    length = minutes * 60
    return datetime.fromtimestamp((int(since.timestamp()) // length + 1) * length, UTC)
