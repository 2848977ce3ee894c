"""Which units of a line can be canceled, from where, and who must be asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.promises.vocabulary import Case
from infra.errors import refused

Row = Mapping[str, Any]
AT_ONCE = ("held", "submitted")
"""Requests that nobody has answered: their units can be taken back without asking."""


@dataclass
class Plan:
    """What a cancellation does, in units by id."""

    waiting: dict[Any, int] = field(default_factory=dict)
    """Order line -> backordered units: they stop waiting."""
    withdrawn: dict[Any, int] = field(default_factory=dict)
    """Fulfillment-order line -> units taken back at once."""
    asked: dict[Any, int] = field(default_factory=dict)
    """Fulfillment-order line -> units its provider must answer for; they stay allocated."""


def cancellable(line: Row, work: Iterable[Row]) -> int:
    """Units of a line that are open and that nobody has asked to cancel yet."""
    asked = sum(one["cancel_requested"] for one in work)
    return int(line["backordered"] + line["allocated"] - asked)


def plan(lines: Sequence[Row], work: Sequence[Row], wanted: Mapping[Any, int | None] | None) -> Plan:
    """Cheapest to undo first: backordered units, then work not released, then submitted, then accepted.

    `lines` are order lines; `work` their open fulfillment-order lines with `request_status`, oldest first;
    `wanted` is units by order line (None = all that is open of it), or None for the whole order. Raises Problem
    409: `too-few-open` naming how many can be canceled, `nothing-open` when none can.
    """
    made = Plan()
    for line in lines:
        own = [one for one in work if one["order_line_id"] == line["id"]]
        can = cancellable(line, own)
        if wanted is None:
            units = can
        elif line["id"] in wanted:
            units = _units(line, wanted[line["id"]], can)
        else:
            continue
        _take(made, line, own, units)
    if not (made.waiting or made.withdrawn or made.asked):
        raise refused(
            "nothing-open", "No unit can be canceled: all have shipped, are canceled, or are asked for."
        )
    return made


def _units(line: Row, wanted: int | None, can: int) -> int:
    if not can or (wanted or 0) > can:
        raise refused("too-few-open", f"{can} of {line['ordered']} units of {line['sku']} can be canceled.")
    return can if wanted is None else wanted


def _take(made: Plan, line: Row, work: Sequence[Row], units: int) -> None:
    waiting = min(units, line["backordered"])
    if waiting:
        made.waiting[line["id"]] = waiting
        units -= waiting
    for status in (*AT_ONCE, "accepted", "cancel_requested"):
        for one in work:
            if one["request_status"] != status:
                continue
            part = min(units, one["quantity"] - one["shipped"] - one["released"] - one["cancel_requested"])
            if part:
                (made.withdrawn if status in AT_ONCE else made.asked)[one["id"]] = part
                units -= part


def check_refusable(by_law: Sequence[str]) -> None:
    """Raises Problem 409 `cancelled-by-law`, naming SKUs whose lines are canceled by law."""
    if by_law:
        raise refused(
            "cancelled-by-law",
            f"{', '.join(by_law)}: canceled by law, so it cannot go on. Give the units back; or report the hand-over,"
            " if the carrier had them before.",
        )


def ends(lines: Iterable[Row]) -> tuple[int, bool]:
    """(open units, whether anything shipped) of an order."""
    lines = list(lines)
    return (
        sum(line["allocated"] + line["backordered"] for line in lines),
        any(line["shipped"] for line in lines),
    )


# ---- canceled by law

REASONS = {
    Case.BUYER: "You canceled because of the delay",
    Case.NO_CONSENT: "We could not ship it in time, and you had not agreed to wait longer",
    Case.REVISED_DATE_MISSED: "It did not ship by the day you had agreed to",
    Case.SELLER: "We cannot ship it",
    Case.NO_OPTION_OFFERED: "It did not ship in the time we had promised",
}
"""Why, in words for the buyer."""
CONTRACT = "contract"
"""The case of a line whose contract its buyer ended because it was not delivered (EU, UK)."""
CONTRACT_ENDED = "It was not delivered in time, and you ended the contract"


def reason_of(case: str) -> str:
    """The same of a case as it is recorded."""
    return CONTRACT_ENDED if case == CONTRACT else REASONS[Case(case)]


PUNCTUAL = timedelta(minutes=2)
"""An effect that comes within this of its instant is on time."""


def late_by(due: datetime, now: datetime) -> int | None:
    """By how many seconds an effect comes late; None when it is on time."""
    late = now - due
    return round(late.total_seconds()) if late > PUNCTUAL else None
