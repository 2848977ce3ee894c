"""The stock of a past period, as it was and as it would have become: positions that orders deplete. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.inventory.allotments import NONE, Allotments
from app.routing.facts import Ints

SHARED = "shared"


class Place(NamedTuple):
    """One position at the start of the period: units that no earlier order had, below zero where earlier orders
    took more than there was; units of safety stock. `node` is a position in the network."""

    sku: str
    segment: str
    node: int
    units: int
    safety: int


@dataclass(frozen=True, eq=False)
class Layout:
    """What does not change while orders deplete the stock: where each position lies in the arrays."""

    nodes: Sequence[str]
    """Ids, in the network's order."""
    node: Ints
    safety: Ints
    rows: dict[tuple[str, str], slice]
    """(SKU id, segment) -> its positions."""
    at: dict[tuple[str, str, int], int]
    allotments: Allotments

    @classmethod
    def of(cls, places: Sequence[Place], nodes: Sequence[str], allotments: Allotments = NONE) -> Layout:
        """`places` sorted by SKU and segment."""
        rows: dict[tuple[str, str], slice] = {}
        for at, place in enumerate(places):
            first = rows.get((place.sku, place.segment), slice(at, at)).start
            rows[place.sku, place.segment] = slice(first, at + 1)
        return cls(
            nodes,
            np.array([place.node for place in places], dtype=np.int64),
            np.array([place.safety for place in places], dtype=np.int64),
            rows,
            {(place.sku, place.segment, place.node): at for at, place in enumerate(places)},
            allotments,
        )


class PastStock:
    """Units by position, as one version of the rules leaves them."""

    def __init__(self, layout: Layout, units: Sequence[int] | Ints) -> None:
        self.layout = layout
        self.units: Ints = np.array(units, dtype=np.int64)

    def seen(self, sku: str, channel: str) -> Ints:
        """Units that an order of a channel may take, by node: above safety stock, less what other channels hold."""
        row = self._free(sku, SHARED)
        allotments = self.layout.allotments
        if allotments:
            for node in row.nonzero()[0].tolist():
                row[node] -= allotments.kept_from(channel, sku, self.layout.nodes[node], int(row[node]))
        if (sku, channel) in self.layout.rows:
            row += self._free(sku, channel)
        return row

    def left(self, sku: str, node: int, channel: str) -> int:
        """The same at one node."""
        units = self._free_at(sku, SHARED, node)
        if units and self.layout.allotments:
            units -= self.layout.allotments.kept_from(channel, sku, self.layout.nodes[node], units)
        return units + self._free_at(sku, channel, node)

    def _free_at(self, sku: str, segment: str, node: int) -> int:
        at = self.layout.at.get((sku, segment, node))
        return 0 if at is None else max(int(self.units[at] - self.layout.safety[at]), 0)

    def _free(self, sku: str, segment: str) -> Ints:
        row = np.zeros(len(self.layout.nodes), dtype=np.int64)
        own = self.layout.rows.get((sku, segment))
        if own is not None:
            row[self.layout.node[own]] = np.maximum(self.units[own] - self.layout.safety[own], 0)
        return row

    def take(self, sku: str, node: int, channel: str, units: int) -> list[tuple[int, int]]:
        """Take units, the channel's own segment first; returns (position, units). The caller looked at `seen`."""
        taken = []
        for segment in (channel, SHARED):
            at = self.layout.at.get((sku, segment, node))
            part = min(units, self._free_at(sku, segment, node))
            if at is not None and part:
                self.units[at] -= part
                units -= part
                taken.append((at, part))
        return taken

    def change(self, position: int, delta: int) -> None:
        """A receipt, a count, a return: units came to a position or went."""
        self.units[position] += delta
