"""The form of one node: from what is kept to what is typed, and from what was typed to the API's body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.entries import amount, loaded
from app.forms import Form
from app.money import Money
from app.network import cells
from app.network.rules import CAPABILITIES, FEDERAL
from app.network.schemas import MOST_MINUTES, WEEKDAYS, NodeIn
from app.network.vocabulary import KINDS as KIND_CODES

KINDS = {
    "warehouse": ("Warehouse", "Ships from stock, yours or a provider's"),
    "store": ("Store", "Sells over the counter, ships or hands over from its shelf"),
    "vendor": ("Vendor", "Ships its own stock for you"),
    "workshop": ("Workshop", "Makes items when they are ordered"),
    "virtual": ("Virtual", "Delivers digital items; has no place"),
}
assert set(KINDS) == set(KIND_CODES)
DAYS = dict(zip(WEEKDAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
COUNTS = ("capacity_per_day", "capacity_per_hour", "handling_minutes")
CAPABILITY_WORDS = {
    "hazard": "Hazardous goods",
    "temperature": "Chilled and frozen",
    "gift_wrap": "Gift wrap",
    "personalization": "Personalization",
    "pickup": "Pick-up at the counter",
}
assert set(CAPABILITY_WORDS) == set(CAPABILITIES)
WORKING_DAYS = WEEKDAYS[:5]
ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
)
ADDRESS = {"line1": 200, "line2": 200, "city": 120, "region": 60, "postal_code": 20}
POINTERS = {
    "/node": "code",
    **{f"/address/{name}": name for name in (*ADDRESS, "country")},
    **{
        f"/{name}": name
        for name in (
            "name",
            "kind",
            "latitude",
            "longitude",
            "timezone",
            "capacity_per_day",
            "capacity_per_hour",
            "handling_minutes",
            "cutoffs",
            "capabilities",
            "zones",
            "rate_card",
            "handling_per_package",
            "handling_per_unit",
            "priority",
            "cutoff",
        )
    },
    "/calendar/open_days": "open_days",
    "/calendar/hours": "hours",
    "/calendar/holidays": "holidays",
    "/calendar/closed": "closed",
}


def values(row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """What stands in the fields of a node that is kept."""
    calendar = row["calendar"]
    return {
        "code": row["code"],
        "name": row["name"],
        "kind": row["kind"],
        **{name: row["address"].get(name, "") for name in ADDRESS},
        "country": row["address"].get("country", "US"),
        "latitude": "" if row["latitude"] is None else row["latitude"],
        "longitude": "" if row["longitude"] is None else row["longitude"],
        "timezone": row["timezone"],
        **{name: "" if row[name] is None else row[name] for name in COUNTS},
        **{
            name: str(Money(row[name], currency).decimal())
            for name in ("handling_per_package", "handling_per_unit")
        },
        "priority": row["priority"],
        "cutoff": row["cutoff"] or "",
        "open_days": calendar.get("open_days", list(WORKING_DAYS)),
        "hours": cells.hours_text(calendar.get("hours", {})),
        "holidays": "1" if calendar.get("holidays") == FEDERAL else "",
        "cutoffs": cells.cutoffs_text(row["cutoffs"]),
        "capabilities": [code for code in row["capabilities"] if code in CAPABILITIES],
        "own_capabilities": ", ".join(code for code in row["capabilities"] if code not in CAPABILITIES),
        "zones": cells.zones_text(row["zones"]),
        "rate_card": row["rate_card"] or "",
        "closed": "\n".join(calendar.get("closed", [])),
        "open": "1" if row["open"] else "",
    }


def read(form: Form, currency: str, kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """The node as the API would load it; faults stand in the form.

    A place that was worked out from an address is worked out again when the address changes.
    """
    address = {name: text for name, most in ADDRESS.items() if (text := form.text(name, most=most))}
    address["country"] = form.value("country").strip().upper() or "US"
    place = {name: _degrees(form, name) for name in ("latitude", "longitude")}
    if kept is not None and _moved(kept, address, place):
        place = {"latitude": None, "longitude": None}
    body = {
        "name": form.text("name", "Enter a name people know it by.", most=200),
        "kind": form.choice("kind", KINDS),
        "address": address,
        **place,
        "timezone": form.text("timezone", most=60) or None,
        "capacity_per_day": form.whole("capacity_per_day", 0, 10_000_000, optional=True),
        "capacity_per_hour": form.whole("capacity_per_hour", 1, 10_000_000, optional=True),
        "handling_minutes": form.whole("handling_minutes", 0, MOST_MINUTES, optional=True),
        "handling_per_package": amount(form, "handling_per_package", currency),
        "handling_per_unit": amount(form, "handling_per_unit", currency),
        "priority": _priority(form),
        "cutoff": form.value("cutoff").strip()[:5] or None,
        "cutoffs": cells.cutoffs(form.value("cutoffs")),
        "calendar": {
            "open_days": form.choices("open_days", WEEKDAYS, "Choose at least one day."),
            "closed": _closed(form),
            **({"hours": hours} if (hours := cells.hours(form.value("hours"))) else {}),
            **({"holidays": FEDERAL} if form.value("holidays") else {}),
        },
        "capabilities": [
            *(code for code in CAPABILITIES if form.chosen("capabilities", code)),
            *cells.words(form.value("own_capabilities")),
        ],
        "zones": cells.zones(form.value("zones")),
        "rate_card": form.value("rate_card") or None,
        "open": bool(form.value("open")),
    }
    return loaded(form, NodeIn(), body, POINTERS)


def _priority(form: Form) -> int:
    given = form.whole("priority", 0, 9999, optional=True)
    return 100 if given is None else given


def _degrees(form: Form, name: str) -> float | None:
    typed = form.value(name).strip()
    if not typed:
        return None
    if not re.fullmatch(r"[-−]?\d{1,3}(\.\d{1,12})?", typed):
        form.errors[name] = "Enter degrees such as 39.5296, negative in the west and the south."
        return None
    return float(typed.replace("−", "-"))


def _moved(kept: Mapping[str, Any], address: Mapping[str, Any], place: Mapping[str, Any]) -> bool:
    """The address changed, the coordinates did not: they belong to the old one."""
    names = ("postal_code", "region", "country")
    same = all(kept["address"].get(name, "") == address.get(name, "") for name in names)
    return not same and all(kept[name] == place[name] for name in place)


def _closed(form: Form) -> list[str]:
    days = re.split(r"[\s,;]+", form.value("closed").strip())
    wrong = [day for day in days if day and not re.fullmatch(r"\d{4}-\d\d-\d\d", day)]
    if wrong:
        form.errors["closed"] = f"Write days such as 2026-12-25. This is none: {wrong[0][:30]}"
    return [day for day in days if day and day not in wrong]
