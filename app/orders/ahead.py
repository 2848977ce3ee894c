"""What time will do to an order next: deadlines, notices, authorizations and refunds on one line of time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.money import Money
from app.orders.ledger import tender_name
from app.promises.timing import last_call

Row = Mapping[str, Any]
ENDS = {
    "open": "Must have shipped, or the buyer agreed to wait",
    "wait_silent": "Must have shipped: the new date, which silence agrees to",
    "wait_express": "Canceled, unless the buyer has agreed to wait",
    "wait_renewed": "Canceled, unless the buyer has agreed again",
    "consent_definite": "Must have shipped: the date the buyer agreed to",
}
"""What the deadline of a line means, by the promise's state; the other states have none."""
MAY_BE_TOLD = ("open", "wait_silent", "consent_definite")
SECOND = timedelta(seconds=1)


def ahead(
    lines: Sequence[Row],
    notices: Sequence[Row],
    tenders: Sequence[Row],
    entries: Sequence[Row],
    refunds: Sequence[Any],
    now: datetime,
    currency: str,
    tab: str = "",
) -> list[dict[str, Any]]:
    """What lies ahead, the soonest first: [{at, title, text, icon, s, tab}]. A deadline is told by its last moment."""
    names = {tender["id"]: tender_name(tender) for tender in tenders}
    told = max((notice["created_at"] for notice in notices if notice["kind"] == "delay"), default=None)
    found = [
        *_deadlines(lines),
        *_last_calls(lines, told),
        *_authorizations(entries, names, currency),
        *_refunds(refunds, names),
    ]
    shown = [one for one in found if one["at"] > now and (not tab or one["tab"] == tab)]
    return sorted(shown, key=lambda one: (one["at"], one["title"]))


def _open(lines: Sequence[Row]) -> Iterator[Row]:
    return (line for line in lines if line["allocated"] + line["backordered"] and line["state"] in ENDS)


def _deadlines(lines: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Lines that share deadline and state are one moment."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for line in _open(lines):
        groups.setdefault((line["deadline"], line["state"], line["s"]), []).append(line)
    for (deadline, state, s), own in groups.items():
        yield _moment(deadline - SECOND, ENDS[state], _titles(own), "calendar-due", s=s)


def _last_calls(lines: Sequence[Row], told: datetime | None) -> Iterator[dict[str, Any]]:
    calls: dict[datetime, list[Row]] = {}
    for line in _open(lines):
        if line["s"] == "risk" and line["state"] in MAY_BE_TOLD:
            since = max(line["made_at"], told or line["made_at"])
            calls.setdefault(last_call(line["deadline"], since), []).append(line)
    for at, own in calls.items():
        yield _moment(at, "Kept tells the buyer of the delay, if nobody has", _titles(own), "send")


def _authorizations(
    entries: Sequence[Row], names: Mapping[Any, str], currency: str
) -> Iterator[dict[str, Any]]:
    for entry in entries:
        left = entry["amount"] - entry["captured"]
        held = entry["kind"] == "authorize" and entry["outcome"] == "succeeded" and entry["ended_at"] is None
        if held and left > 0 and entry["capture_before"] is not None:
            title = f"Authorization of {Money(left, currency)} expires"
            yield _moment(entry["capture_before"], title, names[entry["tender_id"]], "credit-card", "money")


def _refunds(refunds: Sequence[Any], names: Mapping[Any, str]) -> Iterator[dict[str, Any]]:
    for due in refunds:
        if due.proven_at is None:
            title = f"Last day to give {Money(due.amount, due.currency)} back and tell the buyer"
            yield _moment(
                due.due_at - SECOND, title, names[due.tender_id], "receipt-refund", "money", s="risk"
            )


def _titles(lines: Sequence[Row]) -> str:
    titles = list(dict.fromkeys(line["title"] for line in lines))
    return titles[0] if len(titles) == 1 else f"{titles[0]} and {len(titles) - 1} more"


def _moment(
    at: datetime, title: str, text: str, icon: str, tab: str = "promise", *, s: str = ""
) -> dict[str, Any]:
    return {"at": at, "title": title, "text": text, "icon": icon, "tab": tab, "s": s}
