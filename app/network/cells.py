"""A node's facts as people write them in one cell or field, and back. Pure.

What cannot be read so is passed on as it was written: the schema names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from app.network.rules import WEEKDAYS


def words(text: str) -> list[str]:
    """Codes or days, with commas, semicolons or spaces between."""
    return [word for word in re.split(r"[\s,;]+", text.strip()) if word]


def cutoffs(text: str) -> dict[str, str]:
    """Services with their cut-offs: "Ground 16:00; Next day 12:30", on lines or with semicolons between."""
    found = {}
    for part in _parts(text):
        service, _, moment = part.rpartition(" ")
        found[service.strip(" =:") or part] = moment if service else ""
    return found


def hours(text: str) -> dict[str, list[str]]:
    """Opening hours: "mon 09:00-17:00; sat 10:00-14:00"; several days may share them: "mon-fri 09:00-17:00"."""
    found: dict[str, list[str]] = {}
    for part in _parts(text):
        days, _, times = part.partition(" ")
        for day in _days(days.lower()):
            found[day] = [one.strip() for one in re.split(r"[-–]", times)]
    return found


def zones(text: str) -> list[dict[str, Any]]:
    """Where a node delivers: "US: NV, CA, 967*; CA". Figures, and what ends in *, are beginnings of ZIP codes."""
    found = []
    for part in _parts(text):
        country, _, rest = part.partition(":")
        names = words(rest)
        found.append(
            {
                "country": country.strip().upper(),
                "regions": [name for name in names if not _begins_zip(name)],
                "zip_prefixes": [name.rstrip("*").upper() for name in names if _begins_zip(name)],
            }
        )
    return found


def cutoffs_text(given: Mapping[str, str]) -> str:
    """As `cutoffs` reads it."""
    return "\n".join(f"{service} {moment}" for service, moment in sorted(given.items()))


def hours_text(given: Mapping[str, Sequence[str]]) -> str:
    """As `hours` reads it; neighboring days that share their hours stand on one line."""
    lines = []
    for times, run in groupby(WEEKDAYS, lambda day: given.get(day)):
        days = list(run)
        if times:
            name = days[0] if len(days) == 1 else f"{days[0]}-{days[-1]}"
            lines.append(f"{name} {times[0]}-{times[1]}")
    return "\n".join(lines)


def zones_text(given: Iterable[Mapping[str, Any]]) -> str:
    """As `zones` reads it."""
    return "\n".join(
        f"{zone['country']}: {', '.join(names)}" if names else str(zone["country"])
        for zone in given
        for names in [[*zone["regions"], *(f"{prefix}*" for prefix in zone["zip_prefixes"])]]
    )


def _begins_zip(name: str) -> bool:
    return name.endswith("*") or name.isdigit()


def _parts(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"[;\r\n]+", text) if part.strip()]


def _days(text: str) -> list[str]:
    first, dash, last = text.partition("-")
    if dash and first in WEEKDAYS and last in WEEKDAYS:
        return list(WEEKDAYS[WEEKDAYS.index(first) : WEEKDAYS.index(last) + 1])
    return [text]
