"""An order in one row: its state bar, how its promise stands, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

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
    chosen = [line for own, line in stands if own == state]
    if state == "idle":
        whole = all(line["cancelled"] == line["ordered"] for line in lines)
        return "idle", "canceled" if whole else "no promise"
    days = [(promised_day(line, buyer_zone), line) for line in chosen]
    day, line = min(days, key=lambda pair: pair[0])
    if line["shipped_at"] is not None and line["state"] == "shipped":
        late = max((shipped_day(one, zone) - own).days for own, one in days)
        return state, formats.against(shipped_day(line, zone), day) if late <= 0 else _late(days, zone)
    if state == "late":
        return state, formats.days_left(day, now.astimezone(ZoneInfo(zone)).date())
    return state, day


def _late(days: Sequence[tuple[date, Line]], zone: str) -> str:
    return max(
        ((shipped_day(line, zone) - day).days, formats.against(shipped_day(line, zone), day))
        for day, line in days
    )[1]


def shipped_day(line: Line, zone: str) -> date:
    """The day on which the line's last unit left."""
    return formats.local_day(line["shipped_at"], zone)


def town(address: Mapping[str, Any]) -> str:
    """ "Boise, ID", with the country when it is not the United States."""
    parts = [address.get("city"), address.get("region")]
    if address.get("country", "US") != "US":
        parts.append(address["country"])
    return ", ".join(part for part in parts if part)
