"""The next orders of a what-if, decided by both versions, and what a run keeps between two transactions."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from app.network.loads import Loads
from app.routing import past, recording
from app.routing.configuration import Configuration, configuration
from app.routing.documents import default_document, parse
from app.routing.past_stock import Layout, PastStock, Place
from app.routing.policy import Rule
from app.routing.simulation import Change, Event, Figures, Outcome, Run, StockChange, node_loads, replayed
from tenants.scope import Scope

MOST_CHANGES = 300
"""Orders that go otherwise that are kept, those where it matters most."""
BEFORE, AFTER = "before", "after"
"""The version compared with, and the version looked at."""


def parsed(scope: Scope, rules: dict[str, dict[str, int]]) -> dict[str, dict[str, Rule]]:
    """By side and scope, the rules of versions. Raises ValueError when one no longer fits the language."""
    rows = scope.rows(
        "SELECT version, document FROM rule_versions WHERE tenant_id = :tenant AND version = ANY(:versions)",
        versions=sorted({number for side in rules.values() for number in side.values()}),
    )
    found = {0: parse(default_document()), **{row.version: parse(row.document) for row in rows}}
    return {name: {of: found[number] for of, number in side.items()} for name, side in rules.items()}


class Slice:
    """The next orders of a run, decided by both versions."""

    def __init__(self, scope: Scope, one: Any, basis: dict[str, Any]) -> None:
        self.scope, self.one, self.basis = scope, one, basis
        kept = unpacked(one.progress) if one.progress is not None else {}
        self.after = (
            datetime.fromisoformat(kept["at"]) if kept else datetime(1970, 1, 1, tzinfo=UTC),
            UUID(kept["id"]) if kept else UUID(int=0),
        )
        self.seen: int = kept.get("seen", 0)
        self.changed: int = kept.get("changed", 0)
        self.kept: list[dict[str, Any]] = kept.get("kept", [])
        self.configured = _configured(scope, basis)
        places = [Place(*place) for place in basis["places"]]
        layout = Layout.of(places, self.configured.network.ids, self.configured.allotments)
        rules = parsed(scope, basis["rules"])
        units = [place.units for place in places]
        self.runs = {
            name: _run(self.configured, rules[name], layout, units, basis["loads"], kept.get(name))
            for name in (BEFORE, AFTER)
        }

    def work(self, most: int) -> int:
        """Decide the next orders, up to so many. Returns how many there were."""
        found = past.orders(self.scope, self.one.orders_from, self.one.orders_to, self.after, most)
        changes = replayed(self._events(found), self.runs[BEFORE], self.runs[AFTER])
        self.changed += len(changes)
        self.kept = _weightiest(self.kept, changes)
        if found:
            self.after = (found[-1][0], UUID(found[-1][1].id))
        return len(found)

    def _events(self, found: list[Any]) -> Iterator[Event]:
        """Orders, each after the stock that came before it."""
        changes = self.basis["changes"]
        for at, order in found:
            until = past.micros(at)
            while self.seen < len(changes) and changes[self.seen][2] <= until:
                position, delta, _ = changes[self.seen]
                yield StockChange(position, delta)
                self.seen += 1
            yield order

    def progress(self) -> dict[str, Any]:
        """Where the run is, for the next slice."""
        return {
            "at": self.after[0].isoformat(),
            "id": str(self.after[1]),
            "seen": self.seen,
            "changed": self.changed,
            "kept": self.kept,
            **{name: _state(run) for name, run in self.runs.items()},
        }

    def result(self) -> dict[str, Any]:
        """What came of it: {before, after: figures, nodes: [load by node], changed: orders}."""
        return {
            **{name: asdict(run.figures) for name, run in self.runs.items()},
            "nodes": node_loads(self.configured, self.runs[BEFORE], self.runs[AFTER]),
            "changed": self.changed,
            "network": self.basis["network"],
            "prices": self.basis["prices"],
        }


def _weightiest(kept: list[dict[str, Any]], changes: list[Change]) -> list[dict[str, Any]]:
    """The orders to keep, those first where it matters most. Only what stays is put in words: that means to decide
    it once more."""
    rows: list[tuple[list[Any], dict[str, Any] | Change]] = [
        *((one["weight"], one) for one in kept),
        *((list(change.weight), change) for change in changes),
    ]
    first = sorted(rows, key=lambda row: row[0], reverse=True)[:MOST_CHANGES]
    return [change_document(one) if isinstance(one, Change) else one for _, one in first]


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
    state: dict[str, Any] | None,
) -> Run:
    loads = Loads((node, day, packages) for node, day, packages in earlier)
    if state is None:
        return Run(configured, rules, PastStock(layout, units), loads)
    for node, day, packages in state["loads"]:
        loads.add(node, day, packages)
    return Run(
        configured,
        rules,
        PastStock(layout, state["stock"]),
        loads,
        Figures(**state["figures"]),
        Counter(state["packages"]),
        Counter(state["units"]),
    )


def _state(run: Run) -> dict[str, Any]:
    return {
        "stock": run.stock.units,
        "loads": [[node, day, packages] for (node, day), packages in run.loads.added.items()],
        "figures": asdict(run.figures),
        "packages": run.packages,
        "units": run.units,
    }


def change_document(change: Change) -> dict[str, Any]:
    """An order that goes otherwise, as it is kept."""
    return {
        "order": change.order.id,
        "number": change.order.number,
        BEFORE: _outcome(change.before),
        AFTER: _outcome(change.after),
        "weight": list(change.weight),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "plan": [{"node": node, "sku": sku, "quantity": units} for node, sku, units in outcome.plan],
        "sentence": outcome.sentence,
        "packages": outcome.packages,
        "lost_units": outcome.lost_units,
        "cost": round(outcome.cost),
        "miles": round(outcome.miles, 1),
        "transit_days": outcome.transit_days,
        "days_late": outcome.days_late,
    }


def packed(document: dict[str, Any]) -> bytes:
    """As a run keeps it: compressed JSON."""
    return zlib.compress(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), 1)


def unpacked(kept: bytes) -> dict[str, Any]:
    """What `packed` wrote."""
    found: dict[str, Any] = orjson.loads(zlib.decompress(bytes(kept)))
    return found
