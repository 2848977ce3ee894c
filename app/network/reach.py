"""Which nodes deliver where: every node's zones laid out once, asked for one destination in microseconds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Zones = Sequence[Mapping[str, Any]]
"""[{country, regions, zip_prefixes}] of one node; none: everywhere."""
MOST_KEPT = 4096


class Reach:
    """The nodes of a network by what they serve.

    A zone without regions and ZIP prefixes is its whole country; one with either is the places that any of them
    names. A node serves a destination that lies in one of its zones.
    """

    def __init__(self, zones: Sequence[Zones]) -> None:
        self._anywhere = np.array([not own for own in zones], dtype=bool)
        self._by_place: dict[tuple[str, str, str], Flags] = {}
        for node, own in enumerate(zones):
            for place in (place for zone in own for place in _places(zone)):
                self._by_place.setdefault(place, np.zeros(len(zones), dtype=bool))[node] = True
        self.everywhere = bool(self._anywhere.all())
        self._longest = max((len(name) for _, kind, name in self._by_place if kind == "zip"), default=0)
        self._kept: dict[tuple[str, str, str], Flags] = {}

    def serves(self, country: str, region: str = "", postal_code: str = "") -> Flags:
        """By node, whether it delivers there. Read it, do not write to it."""
        if self.everywhere:
            return self._anywhere
        code = "".join(postal_code.split()).upper()[: self._longest]
        key = (country.upper(), region.strip().upper(), code)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[key] = self._found(*key)
        return found

    def _found(self, country: str, region: str, code: str) -> Flags:
        flags = self._anywhere.copy()
        named = [("", ""), ("region", region), *(("zip", code[:size]) for size in range(1, len(code) + 1))]
        for kind, name in named:
            served = self._by_place.get((country, kind, name))
            if served is not None:
                flags |= served
        flags.setflags(write=False)
        return flags


def _places(zone: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    country = zone["country"]
    if not zone["regions"] and not zone["zip_prefixes"]:
        yield country, "", ""
    yield from ((country, "region", region.strip().upper()) for region in zone["regions"])
    yield from ((country, "zip", prefix) for prefix in zone["zip_prefixes"])
