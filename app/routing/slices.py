"""The next orders of a what-if, decided by one of its versions, and what a run keeps between two transactions."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.network.loads import Loads
from app.routing import past, recording
from app.routing.configuration import Configuration, configuration
from app.routing.documents import default_document, parse
from app.routing.outcomes import Outcome
from app.routing.parcels import Decided, Event, PastOrder, StockChange
from app.routing.past_stock import Layout, PastStock, Place
from app.routing.policy import Rule
from app.routing.simulation import Figures, Run, replayed
from tenants.scope import Scope

BEFORE, AFTER = "before", "after"
"""The version compared with, and the version looked at."""
SIDES = (BEFORE, AFTER)


def parsed(scope: Scope, versions: dict[str, int]) -> dict[str, Rule]:
    """By scope, the rules of versions. Raises ValueError when one no longer fits the language."""
    rows = scope.rows(
        "SELECT version, document FROM rule_versions WHERE tenant_id = :tenant AND version = ANY(:versions)",
        versions=sorted(set(versions.values())),
    )
    found = {0: parse(default_document()), **{row.version: parse(row.document) for row in rows}}
    return {of: found[number] for of, number in versions.items()}


class Side:
    """One version on its way through the past, from where it was left. `basis`: see `runs._begin`."""

    def __init__(self, scope: Scope, basis: dict[str, Any], side: str, left: bytes | None = None) -> None:
        self.scope, self.basis = scope, basis
        kept = unpacked(left) if left is not None else {}
        self.seen: int = kept.get("seen", 0)
        """How many changes of the stock have come."""
        configured = _configured(scope, basis)
        places = [Place(*place) for place in basis["places"]]
        layout = Layout.of(places, configured.network.ids, configured.allotments)
        units = [place.units for place in places]
        self.run = _run(
            configured, parsed(scope, basis["rules"][side]), layout, units, basis["loads"], kept or None
        )

    def decide(self, order_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Decide the next orders; what came of each, as it is kept."""
        found = past.orders(self.scope, [UUID(each) for each in order_ids])
        return [_document(*one) for one in replayed(self._events(found), self.run)]

    def _events(self, found: Sequence[tuple[datetime, PastOrder]]) -> Iterator[Event]:
        """Orders, each after the stock that came before it."""
        for at, order in found:
            yield from self.coming(past.micros(at))
            yield order

    def coming(self, until: int) -> Iterator[StockChange]:
        """The changes of the stock up to a time (microseconds since 1970) that have not come yet."""
        changes = self.basis["changes"]
        while self.seen < len(changes) and changes[self.seen][2] <= until:
            position, delta, _ = changes[self.seen]
            self.seen += 1
            yield StockChange(position, delta)

    def left(self) -> dict[str, Any]:
        """What the version leaves, for the next slice."""
        run = self.run
        return {
            "seen": self.seen,
            "stock": run.stock.units,
            "loads": [[node, day, packages] for (node, day), packages in run.loads.added.items()],
            "figures": asdict(run.figures),
            "packages": run.packages,
            "units": run.units,
        }


def _configured(scope: Scope, basis: dict[str, Any]) -> Configuration:
    """The configuration, on the nodes and prices that the run began with."""
    now = configuration(scope)
    network = now.network
    if network.digest.hex() != basis["network"]:
        network = recording.network_of_digest(scope, basis["network"])
    elif now.prices.version == basis["prices"]:
        return now
    return replace(now, network=network, prices=recording.prices_of_version(scope, network, basis["prices"]))


def _run(
    configured: Configuration,
    rules: dict[str, Rule],
    layout: Layout,
    units: list[int],
    earlier: list[Any],
    left: dict[str, Any] | None,
) -> Run:
    loads = Loads((node, day, packages) for node, day, packages in earlier)
    if left is None:
        return Run(configured, rules, PastStock(layout, units), loads)
    for node, day, packages in left["loads"]:
        loads.add(node, day, packages)
    return Run(
        configured,
        rules,
        PastStock(layout, left["stock"]),
        loads,
        Figures(**left["figures"]),
        Counter(left["packages"]),
        Counter(left["units"]),
    )


def _document(decided: Decided, outcome: Outcome) -> dict[str, Any]:
    """What came of an order, and what it took, so that the stock of any moment can be told again."""
    return {
        "order": decided.order.id,
        "number": decided.order.number,
        "plan": outcome.plan,
        "packages": outcome.packages,
        "lost_units": outcome.lost_units,
        "cost": outcome.cost,
        "miles": outcome.miles,
        "transit_days": outcome.transit_days,
        "days_late": outcome.days_late,
        "taken": decided.taken,
        "loaded": decided.loaded,
    }


def packed(document: Any) -> bytes:
    """As a run keeps it: compressed JSON."""
    return zlib.compress(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), 1)


def unpacked(kept: bytes) -> Any:
    """What `packed` wrote."""
    return orjson.loads(zlib.decompress(bytes(kept)))
