"""An order in one row: its state bar, how its promise stands, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from app.calendar import day_in_words
from app.orders.standing import WORST, promised_day, standing
from app.pages import formats

Line = Mapping[str, Any]
Part = tuple[str, int, str]


def bar(lines: Sequence[Line], now: datetime, *, held: bool) -> tuple[list[Part], str]:
    """The parts of a state bar (state, units, fill) and its words, over one line or all of an order."""
    shipped, working, waiting, cancelled = (
        _by_state(lines, now, counter) for counter in ("shipped", "allocated", "backordered", "cancelled")
    )
    parts: list[Part] = [(state, units, "") for state, units in shipped.items()]
    if held:
        units = sum(working.values()) + sum(waiting.values())
        parts.append(("idle", units, "wait"))
    else:
        parts += [(state, units, "") for state, units in working.items()]
        parts += [(state, units, "wait") for state, units in waiting.items()]
    parts.append(("idle", sum(cancelled.values()), "none"))
    return [part for part in parts if part[1]], _words(lines, held)


def _by_state(lines: Sequence[Line], now: datetime, counter: str) -> dict[str, int]:
    """Units of a counter by color: shipped units are kept unless late, open ones stand as their promise does."""
    found: dict[str, int] = {}
    for line in lines:
        state = of_line(line, now)
        if counter == "shipped":
            state = "late" if state == "late" and not line["backordered"] + line["allocated"] else "kept"
        elif state in ("idle", "kept"):
            state = "due"
        if line[counter]:
            found[state] = found.get(state, 0) + line[counter]
    return found


def of_line(line: Line, now: datetime) -> str:
    """How a line's promise stands; a line without one is idle."""
    return standing(line if line.get("state") else None, now, line.get("shipped_at"))


def _words(lines: Sequence[Line], held: bool) -> str:
    ordered, cancelled, shipped, allocated, backordered = (
        sum(line[name] for line in lines)
        for name in ("ordered", "cancelled", "shipped", "allocated", "backordered")
    )
    wanted = ordered - cancelled
    if not wanted:
        return f"{formats.number(cancelled)} canceled"
    if shipped:
        if cancelled and shipped == wanted:
            return f"{formats.number(shipped)} shipped, {formats.number(cancelled)} canceled"
        return f"{formats.number(shipped)} of {formats.number(wanted)} shipped"
    if held:
        return f"{formats.number(wanted)} held"
    if backordered == wanted:
        return f"{formats.number(wanted)} waiting"
    if allocated == wanted:
        return f"{formats.number(wanted)} in work"
    return f"{formats.number(allocated)} of {formats.number(wanted)} in work"


def promise(lines: Sequence[Line], now: datetime, buyer_zone: str, zone: str) -> tuple[str, date | str]:
    """The state of an order's worst promise, and its day or how it went ("2 days early")."""
    stands = [(of_line(line, now), line) for line in lines]
    state = min((state for state, _ in stands), key=WORST.index, default="idle")
    if state == "idle":
        whole = all(line["cancelled"] == line["ordered"] for line in lines)
        return "idle", "canceled" if whole else "no promise"
    chosen = [(promised_day(line, buyer_zone), line) for own, line in stands if own == state]
    still_open = [day for day, line in chosen if line["state"] != "shipped"]
    if not still_open:
        return state, _went(chosen, zone)
    if state == "late":
        return state, formats.days_left(min(still_open), formats.local_day(now, zone))
    return state, min(still_open)


def _went(chosen: Sequence[tuple[date, Line]], zone: str) -> str:
    """How shipped lines compare with their promises: the one that took longest."""
    gone = [(shipped_day(line, zone), day) for day, line in chosen if line["shipped_at"] is not None]
    if not gone:
        return "shipped"
    return formats.against(*max(gone, key=lambda pair: pair[0] - pair[1]))


AGREED = {
    "wait_silent": "The buyer was asked; silence agrees",
    "wait_express": "The buyer was asked; silence cancels",
    "wait_renewed": "The buyer was asked again; silence cancels",
    "consent_definite": "The buyer agreed to this date",
}


def clock_words(line: Line, day: date | None, today: date) -> str | None:
    """What stands under a line's clock where its dates alone do not tell it: what the buyer was asked or agreed to,
    and what is left; None where they do."""
    if day is None or line["state"] == "shipped":
        return None
    left = formats.days_left(day, today)
    if line["state"] in AGREED:
        return f"{AGREED[line['state']]}, {left}"
    if line["s"] in ("risk", "late") and not line["expected_ship_at"]:
        return f"{left[:1].upper()}{left[1:]}, no ship date known"
    return None


def comes(sources: Sequence[Mapping[str, Any]], today: date) -> str:
    """What a waiting line waits for: "Waits for PO-7 from Dune Pottery, due Dec 4"; empty when nothing is to come."""
    if not sources:
        return ""
    last = sources[-1]
    day = formats.short_date(date.fromisoformat(last["expected_on"]), "UTC", today, weekday=False)
    return f"Waits for {last['reference']} from {last['supplier']}, due {day}"


DELIVERY = {
    "due": "To be delivered by {}",
    "late": "Not delivered by {}; the buyer may give a further time",
    "extended": "The buyer waits for delivery until {}",
    "terminable": "Not delivered by {}; the buyer may end the contract",
    "delivered": "Delivered",
    "ended": "The buyer ended the contract",
    "closed": "",
}


def delivery_words(line: Line, today: date) -> str:
    """How a line stands under a law of delivery; empty where none governs, or nothing is left to deliver."""
    if line["delivery_state"] is None:
        return ""
    return DELIVERY[line["delivery_state"]].format(day_in_words(line["deliver_by"], today=today))


def shipped_day(line: Line, zone: str) -> date:
    """The day on which the line's last unit left."""
    return formats.local_day(line["shipped_at"], zone)


def town(address: Mapping[str, Any]) -> str:
    """ "Boise, ID", with the country when it is not the United States."""
    parts = [address.get("city"), address.get("region")]
    if address.get("country", "US") != "US":
        parts.append(address["country"])
    return ", ".join(part for part in parts if part)
