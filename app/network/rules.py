"""Where a node stands, worked out from what was given. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.network.places import locate
from infra.errors import FieldError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_DAYS = 400
"""How far ahead an open day is looked for."""
_CODE = re.compile(r"[^/\x00-\x1f\x7f\ud800-\udfff]{1,100}")


def code_error(code: str) -> str | None:
    """What is wrong with a merchant's own code (of a node or a SKU), or None."""
    if not _CODE.fullmatch(code) or code != code.strip() or code in (".", ".."):
        return "A code has 1 to 100 characters, without a slash, control characters or spaces at its ends."
    return None


def ships_on(now: datetime, calendar: Mapping[str, Any]) -> datetime:
    """When work given to a node now should leave it: the next day on which it is open, 24 hours from now at the
    earliest. Without `open_days` a node works Monday to Friday."""
    open_days = calendar.get("open_days") or WEEKDAYS[:5]
    closed = set(calendar.get("closed", []))
    day = now + timedelta(days=1)
    for _ in range(MOST_DAYS):
        if WEEKDAYS[day.weekday()] in open_days and day.date().isoformat() not in closed:
            break
        day += timedelta(days=1)
    return day


def placed(given: Mapping[str, Any], home_zone: str) -> tuple[dict[str, Any], list[FieldError]]:
    """latitude, longitude and timezone: as given, else from the address; and what cannot be found.

    A virtual node needs no place; its zone is the merchant's (`home_zone`).
    """
    address = given["address"]
    country, region = address.get("country", "US"), address.get("region")
    latitude, longitude, timezone = given["latitude"], given["longitude"], given["timezone"]
    errors = []
    if (latitude is None) != (longitude is None):
        missing = "latitude" if latitude is None else "longitude"
        errors.append(FieldError(f"/{missing}", "Send latitude and longitude together, or neither."))
    place = locate(address.get("postal_code"), country, region)
    if latitude is None and longitude is None and place is not None:
        latitude, longitude = round(place.lat, 5), round(place.lon, 5)
    if timezone is None:
        timezone = place.timezone if place is not None else None
    if given["kind"] == "virtual":
        timezone = timezone or home_zone
    elif latitude is None and not errors:
        errors.append(
            FieldError("/latitude", "The address tells no place. Send latitude and longitude, or a ZIP code.")
        )
    if timezone is None:
        errors.append(FieldError("/timezone", "The address tells no time zone. Send one."))
    return {"latitude": latitude, "longitude": longitude, "timezone": timezone}, errors
