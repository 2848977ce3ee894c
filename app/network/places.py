"""Where a United States ZIP code lies, and which zones a destination may be in. No network, no database.

Data: `places.npz`, built by build_places.py.
NOTICE: the table derives from "zipcodes" 3.0.0, Copyright (c) Sean Pianka, MIT license.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from app import calendar

# The Postal Service carries these like states; two-letter country codes of shops name some of them as
# countries.
_POSTAL_TERRITORIES = frozenset({"AS", "FM", "GU", "MH", "MP", "PR", "PW", "VI"})
_DOMESTIC = _POSTAL_TERRITORIES | {"US", "USA"}
_MILITARY_PREFIXES = frozenset({*range(90, 100), 340, *range(962, 967)})
# A military post office may be anywhere in its region: the zone there in which a day ends first.
_MILITARY_ZONES = {"AA": "America/Noronha", "AE": "Asia/Kabul", "AP": "Pacific/Auckland"}


class Place(NamedTuple):
    """A point in degrees, its zone and state; `precision` says what was found: the ZIP, its first three
    digits, the state."""

    lat: float
    lon: float
    timezone: str
    region: str
    precision: Literal["zip", "zip3", "state"]


def locate(postal_code: str | None, country: str = "US", region: str | None = None) -> Place | None:
    """The place of a ZIP code: itself, else the middle of its three-digit area, else of the state `region`.

    ZIP+4 and lost leading zeros are read. None abroad, for military addresses and for what nobody knows. The
    zone of an area or a state is the one in it where a day ends first, so that a deadline never comes out too
    late.
    """
    if not _is_domestic(country):
        return None
    table = _table()
    number = _number(postal_code)
    if number is not None:
        if number // 100 in _MILITARY_PREFIXES:
            return None
        found = table.by_zip(number) or table.areas.get(number // 100)
        if found is not None:
            return found
    name = region or country
    return table.regions.get(name.strip().upper())


def state_zones(region: str) -> tuple[str, ...]:
    """The zone (rarely two) of a state or territory in which a day ends first; () when the region is
    unknown."""
    name = region.strip().upper()
    if name in _MILITARY_ZONES:
        return (_MILITARY_ZONES[name],)
    place = _table().regions.get(name)
    return (place.timezone,) if place is not None else ()


def is_state(region: str) -> bool:
    """Whether a name is the two letters of a state, a territory or a military region of the United States."""
    return region.strip().upper() in _POSTAL_TERRITORIES or bool(state_zones(region))


def destination_zones(
    country: str, region: str | None = None, postal_code: str | None = None
) -> tuple[str, ...]:
    """The zones whose midnight may bind at that destination, the earliest only: of the ZIP code, else of the
    state, else of the whole country. () when the country is unknown; then only the seller's zone is left."""
    place = locate(postal_code, country, region)
    if place is not None:
        return (place.timezone,)
    at_home = state_zones(region or "") if _is_domestic(country) else ()
    return at_home or _country_zones(country.strip().upper())


def zip3(postal_code: str | None, country: str = "US") -> int | None:
    """The three-digit area of a ZIP code, 0 to 999; None abroad and for what is no ZIP code."""
    number = _number(postal_code) if _is_domestic(country) else None
    return None if number is None else number // 100


def zip3_middles() -> Mapping[int, Place]:
    """The middle of every three-digit area."""
    return _table().areas


def _is_domestic(country: str) -> bool:
    return country == "US" or country.strip().upper() in _DOMESTIC


class _Table:
    """The columns, sorted by ZIP code, and the averages made from them once."""

    def __init__(self, file: Path) -> None:
        with np.load(file) as columns:
            self.zips = columns["zips"]
            self.lat = (columns["lat"] / 10_000).astype(np.float32)
            self.lon = (columns["lon"] / 10_000).astype(np.float32)
            self.zone = columns["zone"]
            self.state = columns["state"]
            self.zones = tuple(columns["zones"].tolist())
            self.states = tuple(columns["states"].tolist())
        self.areas = self._middles(self.zips // 100, "zip3")
        self.regions = {place.region: place for place in self._middles(self.state, "state").values()}
        self._order = memoryview(self.zips)

    def by_zip(self, number: int) -> Place | None:
        at = bisect_left(self._order, number)
        if at == len(self._order) or self._order[at] != number:
            return None
        lat = self.lat.item(at)
        return self._place(at, lat, self.lon.item(at), self.zone.item(at), "zip") if lat else self._nearby(at)

    def _nearby(self, at: int) -> Place | None:
        """A ZIP code that the source lists without a point: its own zone and state, its surroundings'
        middle."""
        state = self.states[self.state.item(at)]
        middle = self.areas.get(self.zips.item(at) // 100)
        if middle is None or middle.region != state:
            middle = self.regions.get(state, middle)
        return middle and middle._replace(timezone=self.zones[self.zone.item(at)], region=state)

    def _middles(self, groups: np.ndarray, precision: Literal["zip3", "state"]) -> dict[int, Place]:
        """Mean point of each group's located ZIP codes, with its earliest zone and its commonest state."""
        members: dict[int, list[int]] = defaultdict(list)
        for at in np.flatnonzero(self.lat).tolist():
            members[groups.item(at)].append(at)
        places = {}
        for group, ats in members.items():
            commonest = int(np.bincount(self.state[ats]).argmax())
            first = ats[int((self.state[ats] == commonest).argmax())]
            lat, lon = float(self.lat[ats].mean()), float(self.lon[ats].mean())
            places[group] = self._place(first, lat, lon, int(self.zone[ats].min()), precision)
        return places

    def _place(
        self, at: int, lat: float, lon: float, zone: int, precision: Literal["zip", "zip3", "state"]
    ) -> Place:
        return Place(lat, lon, self.zones[zone], self.states[self.state.item(at)], precision)


@lru_cache(maxsize=1)
def _table() -> _Table:
    return _Table(Path(__file__).with_name("places.npz"))


def _number(postal_code: str | None) -> int | None:
    """The five digits of a ZIP code as a number; None when the text is no ZIP code."""
    if not postal_code:
        return None
    text = postal_code.strip()
    if not (text.isascii() and text.isdigit()):
        text = text.replace(" ", "-").partition("-")[0]
        if not (text.isascii() and text.isdigit()):
            return None
    if len(text) in (8, 9):  # ZIP+4 without its hyphen, perhaps without its leading zero
        text = text[:-4]
    return int(text) if 3 <= len(text) <= 5 else None


@lru_cache(maxsize=256)
def _country_zones(country: str) -> tuple[str, ...]:
    """The zones of a country in which a day ends first in winter or in summer (from the time zone
    database)."""
    zones = _zones_by_country().get(country, ())
    if not zones:
        return ()
    ends = {max(zones, key=lambda name: _offset(name, month)) for month in (1, 7)}
    return tuple(sorted(ends))


@lru_cache(maxsize=1)
def _zones_by_country() -> dict[str, list[str]]:
    table: dict[str, list[str]] = defaultdict(list)
    listing = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    for line in listing.splitlines():
        if line and not line.startswith("#"):
            code, _, name = line.split("\t")[:3]
            table[code].append(name)
    return table


def _offset(name: str, month: int) -> float:
    shift = datetime(2026, month, 15, tzinfo=UTC).astimezone(calendar.zone(name)).utcoffset()
    return shift.total_seconds() if shift is not None else 0.0
