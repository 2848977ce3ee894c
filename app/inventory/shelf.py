"""Free units per SKU and node: what a channel is told and what an order can reserve, by one formula."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from app.inventory.allotments import NONE, Allotments

Slot = list
"""[position id, segment, free units, units taken]: mutable, shared by all drafts of one transaction."""


class Shelf:
    """Free units by (SKU id, node id), by position.

    Free = on hand - reserved - safety stock, floored at zero per position. Units that wait without supply come
    first: they are taken off before anything new is promised. A channel sees its own segment, and of the shared
    one what no other channel holds.
    """

    def __init__(
        self,
        stock: Iterable[Sequence],
        waiting: Mapping[str, int],
        ids: Mapping[str, str],
        allotments: Allotments = NONE,
    ) -> None:
        self.ids = ids
        self._allotments = allotments
        self._needed: dict[str, int] = {}
        self._slots: dict[str, dict[str, list[Slot]]] = defaultdict(lambda: defaultdict(list))
        for position, sku, node, segment, free in stock:
            self._slots[sku][node].append([position, segment, free, 0])
        for sku, units in waiting.items():
            self._set_aside(sku, units)

    def _set_aside(self, sku: str, units: int) -> None:
        for node in sorted(self._slots.get(sku, ()), reverse=True):
            for slot in self._slots[sku][node]:
                taken = min(units, slot[2])
                slot[2] -= taken
                units -= taken

    def offered(self, sku: str, channel: str) -> dict[str, int]:
        """Units that an order of this channel may take, by node that has the SKU at all."""
        return {node: self._free(slots, sku, node, channel) for node, slots in self._at(sku).items()}

    def free(self, sku: str, node: str, channel: str) -> int:
        """Units that an order of this channel may take."""
        return self._free(self._at(sku).get(node, ()), sku, node, channel)

    def _at(self, sku: str) -> Mapping[str, Sequence[Slot]]:
        return self._slots.get(sku, {})

    def _free(self, slots: Sequence[Slot], sku: str, node: str, channel: str) -> int:
        shared = own = 0
        for _, segment, free, _ in slots:
            if segment == "shared":
                shared += free
            elif segment == channel:
                own += free
        return own + shared - self._allotments.kept_from(channel, sku, node, shared)

    def kept(self, sku: str, node: str, channel: str) -> int:
        """Shared units that are free but held for other channels."""
        shared = sum(slot[2] for slot in self._at(sku).get(node, ()) if slot[1] == "shared")
        return self._allotments.kept_from(channel, sku, node, shared)

    def take(self, sku: str, node: str, channel: str, units: int) -> list[tuple[str, int]]:
        """Take units, the channel's own segment first: [(position id, units)]. The caller checked `free`."""
        taken = []
        kept = self.kept(sku, node, channel)
        for slot in self._own(sku, node, channel):
            part = min(units, slot[2])
            if part:
                slot[2] -= part
                slot[3] += part
                units -= part
                taken.append((slot[0], part))
                if kept and slot[1] == "shared":
                    self._needed[slot[0]] = max(self._needed.get(slot[0], 0), slot[3] + kept)
        return taken

    def put_back(self, sku: str, node: str, position: str, units: int) -> None:
        """Undo a take; units that were lent go back to where they were lent from, the others to the position."""
        slots = [slot for slot in self._slots[sku][node] if slot[0] == position]
        for slot in slots:
            back = units if slot is slots[-1] else min(units, slot[3])
            slot[2] += back
            slot[3] -= back
            units -= back

    @contextmanager
    def lent(self, held: Iterable[Sequence], channel: str) -> Iterator[None]:
        """Meanwhile these units of the channel's own quote count as its own: no allotment and nobody who waits takes
        of them. `held`: (position id, SKU id, node id, units)."""
        own = [(self._slots[sku][node], [position, channel, units, 0]) for position, sku, node, units in held]
        for slots, slot in own:
            slots.insert(0, slot)
        try:
            yield
        finally:
            for slots, slot in own:
                slots[:] = [one for one in slots if one is not slot]

    def needed(self) -> dict[str, int]:
        """Position -> the units that must be free there when everything taken is written, because others hold some:
        checked under the lock, so that two orders at once do not take what is held."""
        return self._needed

    def _own(self, sku: str, node: str, channel: str) -> list[Slot]:
        slots = self._at(sku).get(node, ())
        own = [slot for slot in slots if slot[1] == channel]
        return own + [slot for slot in slots if slot[1] == "shared"]
