"""The verbs of what-if: start one, work through it slice by slice, cancel it.

A slice is one transaction: what both versions left, the progress and the next slice's outbox row are true together
or not at all. So a killed worker repeats at most the slice it was in. Nodes, prices and rules are those of the
start, whatever is changed meanwhile.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from app.events import SIMULATION_QUEUED
from app.network.loads import Loads
from app.routing import past, queries, recording, service
from app.routing.configuration import Configuration, configuration
from app.routing.documents import default_document, parse, validate
from app.routing.past_stock import Layout, PastStock, Place
from app.routing.policy import DEFAULT_SCOPE, Rule
from app.routing.simulation import (
    Change,
    Event,
    Figures,
    Outcome,
    Run,
    StockChange,
    node_loads,
    replayed,
)
from infra.clock import real_now
from infra.errors import invalid, not_found, refused
from infra.ids import new_id
from tenants import audit
from tenants.scope import Scope

MOST_ORDERS = 200_000
ORDERS_AT_ONCE = 400
MOST_CHANGES = 300
"""Orders that go otherwise that are kept, those where it matters most."""
USUAL_WEEKS = 4
BEFORE, AFTER = "before", "after"
"""The version compared with, and the version looked at."""
OPEN = ("queued", "running")


def start(
    scope: Scope,
    version: int,
    *,
    against: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    weeks: int | None = None,
) -> UUID:
    """Queue a what-if of a version against another, by default the one in force in its place (0: Kept's own
    default); over a period, by default the last four weeks. Returns its id.

    Raises Problem 404, 409 `simulation-running`, `rules-invalid`, 422 for a period without orders or with too many.
    """
    looked_at = queries.version(scope, version)
    other = _other(scope, looked_at, against)
    for one in (looked_at, other):
        if faults := validate(one["document"]):
            raise refused(
                "rules-invalid",
                f"Version {one['version']} cannot be used any more: {faults[0]['message']}. Write a new one.",
            )
    since, until = _period(scope, since, until, weeks)
    total = past.count(scope, since, until, MOST_ORDERS + 1)
    if not total:
        raise invalid("/from", "No order was placed in that time. Choose other weeks.")
    if total > MOST_ORDERS:
        raise invalid(
            "/from", f"More than {MOST_ORDERS:,} orders were placed in that time. Choose fewer weeks."
        )
    return _queue(scope, looked_at["version"], other["version"], since, until, total)


def _other(scope: Scope, looked_at: dict[str, Any], against: int | None) -> dict[str, Any]:
    if against is not None and against == looked_at["version"]:
        raise invalid("/against", "A version is compared with another one. Name another, or none.")
    if against:
        return queries.version(scope, against)
    active = compared_with(scope, looked_at["scope"]) if against is None else None
    if active is not None and active["version"] == looked_at["version"]:
        raise invalid("/against", f"Version {active['version']} is in force itself. Name another one.")
    return active or {"version": 0, "scope": DEFAULT_SCOPE, "document": default_document()}


def compared_with(scope: Scope, of: str) -> dict[str, Any] | None:
    """The version that decides a scope's orders now: its own, else the default one; None: Kept's own default."""
    return queries.active(scope, of) or queries.active(scope)


def _period(
    scope: Scope, since: datetime | None, until: datetime | None, weeks: int | None
) -> tuple[datetime, datetime]:
    if weeks is not None and since is not None:
        raise invalid("/weeks", "Send `weeks`, or `from` and `to`.")
    end = min(until or scope.now(), scope.now())
    begin = since or end - timedelta(weeks=weeks or USUAL_WEEKS)
    if begin >= end:
        raise invalid("/from", "`from` is a time in the past, before `to`.")
    return begin, end


def _queue(scope: Scope, version: int, against: int, since: datetime, until: datetime, total: int) -> UUID:
    scope.rows("SELECT id FROM tenants WHERE tenant_id = :tenant FOR NO KEY UPDATE")
    running = scope.rows(
        "SELECT id FROM simulations WHERE tenant_id = :tenant AND state = ANY(:open) LIMIT 1", open=list(OPEN)
    )
    if running:
        raise refused(
            "simulation-running", f"What-if {running[0].id} is not through yet. Wait for it, or cancel it."
        )
    simulation_id = new_id()
    scope.execute(
        "INSERT INTO simulations (tenant_id, id, version, against, orders_from, orders_to, orders_total,"
        " created_by, created_at)"
        " VALUES (:tenant, :id, :version, :against, :since, :until, :total, :actor, :now)",
        id=simulation_id,
        version=version,
        against=against,
        since=since,
        until=until,
        total=total,
        actor=str(scope.actor),
        now=real_now(),
    )
    scope.later(SIMULATION_QUEUED, simulation_id)
    audit.record(scope, "routing.simulation_started", f"v{version}", against=against, orders=total)
    return simulation_id


def cancel(scope: Scope, simulation_id: UUID) -> None:
    """Stop a what-if; what it found so far is dropped. Raises Problem 404, 409 when it is over."""
    row = scope.row(
        "SELECT state FROM simulations WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=simulation_id
    )
    if row is None:
        raise not_found("what-if")
    if row.state not in OPEN:
        raise refused(f"simulation-{row.state}", f"The what-if is {row.state}: there is nothing to stop.")
    _end(scope, simulation_id, "cancelled")


def work(scope: Scope, simulation_id: UUID, **_: Any) -> None:
    """One slice: the worker's verb for SIMULATION_QUEUED. Queues the next one until the period is through."""
    one = scope.row(
        "SELECT * FROM simulations WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=simulation_id
    )
    if one is None or one.state not in OPEN:
        return
    basis = _unpacked(one.basis) if one.basis is not None else _begin(scope, one)
    if basis is None:
        _end(
            scope, simulation_id, "failed", error="The rules no longer fit the language. Write a new version."
        )
        return
    slice_ = Slice(scope, one, basis)
    done = slice_.work()
    if done == ORDERS_AT_ONCE:
        scope.execute(
            "UPDATE simulations SET state = 'running', orders_done = orders_done + :done, progress = :progress"
            " WHERE tenant_id = :tenant AND id = :id",
            id=simulation_id,
            done=done,
            progress=_packed(slice_.progress()),
        )
        scope.later(SIMULATION_QUEUED, simulation_id)
        return
    _end(scope, simulation_id, "done", done=done, result=slice_.result(), changes=slice_.kept)
    if one.version:
        service.simulated(scope, one.version)


def _end(
    scope: Scope,
    simulation_id: UUID,
    state: str,
    *,
    done: int = 0,
    result: dict[str, Any] | None = None,
    changes: Sequence[dict[str, Any]] = (),
    error: str = "",
) -> None:
    scope.execute(
        "UPDATE simulations SET state = :state, orders_done = orders_done + :done, finished_at = :now,"
        " result = CAST(:result AS jsonb), changes = CAST(:changes AS jsonb), error = :error, basis = NULL,"
        " progress = NULL WHERE tenant_id = :tenant AND id = :id",
        id=simulation_id,
        state=state,
        done=done,
        now=real_now(),
        result=orjson.dumps(result or {}).decode(),
        changes=orjson.dumps([{k: v for k, v in one.items() if k != "weight"} for one in changes]).decode(),
        error=error,
    )


def _begin(scope: Scope, one: Any) -> dict[str, Any] | None:
    """Read what the whole run needs, and keep it with the run. None when a rule cannot be read any more."""
    configured = configuration(scope)
    recording.keep(scope, configured)
    rules = _rules_of(scope, one)
    try:
        _parsed(scope, rules)
    except ValueError:
        return None
    places, positions = past.stock_at(scope, configured.network, one.orders_from, one.orders_to)
    basis = {
        "network": configured.network.digest.hex(),
        "prices": configured.prices.version,
        "rules": rules,
        "places": [list(place) for place in places],
        "changes": past.changes(scope, positions, one.orders_from, one.orders_to),
        "loads": past.earlier_loads(scope, one.orders_from) if configured.network.limited else [],
    }
    packed = _packed(basis)
    scope.execute(
        "UPDATE simulations SET basis = :basis WHERE tenant_id = :tenant AND id = :id",
        id=one.id,
        basis=packed,
    )
    return _unpacked(packed)


def _rules_of(scope: Scope, one: Any) -> dict[str, dict[str, int]]:
    """By side, the version that decides each scope: what is in force, with the two compared in their places."""
    before = {of: number for of, (number, _) in queries.in_force(scope).items()}
    if one.against:
        before[queries.version(scope, one.against)["scope"]] = one.against
    before.setdefault(DEFAULT_SCOPE, 0)
    return {BEFORE: before, AFTER: {**before, queries.version(scope, one.version)["scope"]: one.version}}


def _parsed(scope: Scope, rules: dict[str, dict[str, int]]) -> dict[str, dict[str, Rule]]:
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
        kept = _unpacked(one.progress) if one.progress is not None else {}
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
        rules = _parsed(scope, basis["rules"])
        units = [place.units for place in places]
        self.runs = {
            name: _run(self.configured, rules[name], layout, units, basis["loads"], kept.get(name))
            for name in (BEFORE, AFTER)
        }

    def work(self) -> int:
        """Decide the next orders. Returns how many there were."""
        found = past.orders(self.scope, self.one.orders_from, self.one.orders_to, self.after, ORDERS_AT_ONCE)
        changes = replayed(self._events(found), self.runs[BEFORE], self.runs[AFTER])
        self.changed += len(changes)
        rows = [*self.kept, *(change_document(change) for change in changes)]
        self.kept = sorted(rows, key=lambda row: row["weight"], reverse=True)[:MOST_CHANGES]
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


def _packed(document: dict[str, Any]) -> bytes:
    return zlib.compress(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), 1)


def _unpacked(kept: bytes) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(zlib.decompress(bytes(kept)))
    return found
