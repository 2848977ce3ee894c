"""What channels hold of the shared stock, and so what each of them sees. Pure.

A hold keeps the last units at a node (or a share of those free at the moment) for its channel: the other channels
do not see them. A channel whose own hold may borrow sees everything. Of several holds of one channel that speak of
a SKU at a node the most particular counts: SKU and node, then SKU, then node, then neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hold:
    """What one channel holds. `sku`, `node`: ids as text; None = all of them."""

    channel: str
    sku: str | None
    node: str | None
    share_percent: int | None
    units: int | None
    borrow: bool

    def of(self, free: int) -> int:
        """Units held of those free at a node."""
        return min(free, self.units) if self.units is not None else free * (self.share_percent or 0) // 100


class Allotments:
    """The holds of all channels."""

    def __init__(self, holds: Iterable[Hold] = ()) -> None:
        self._holds: dict[str, dict[tuple[str | None, str | None], Hold]] = {}
        for hold in holds:
            self._holds.setdefault(hold.channel, {})[hold.sku, hold.node] = hold

    def __bool__(self) -> bool:
        """Whether anybody holds anything."""
        return bool(self._holds)

    def kept_from(self, channel: str, sku: str, node: str, free: int) -> int:
        """Of the shared units free at a node, those that a channel does not see, because others hold them."""
        if not self._holds or free <= 0:
            return 0
        own = self._hold(channel, sku, node)
        if own is not None and own.borrow:
            return 0
        others = (self._hold(one, sku, node) for one in self._holds if one != channel)
        return min(free, sum(hold.of(free) for hold in others if hold is not None))

    def shares(self, sku: str | None, node: str | None) -> int:
        """Percent of what is free there that all channels hold together."""
        own = (self._hold(channel, sku, node) for channel in self._holds)
        return sum(hold.share_percent or 0 for hold in own if hold is not None)

    def _hold(self, channel: str, sku: str | None, node: str | None) -> Hold | None:
        own = self._holds.get(channel)
        if own is None:
            return None
        places = ((sku, node), (sku, None), (None, node), (None, None))
        return next((own[place] for place in places if place in own), None)


NONE = Allotments()
"""Nobody holds anything."""
