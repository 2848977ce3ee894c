"""The verbs of what-if: start one, work through it slice by slice, cancel it, go on with one that failed.

A slice is one transaction: what the version left, the progress and the next slice's outbox row are true together
or not at all. So a killed worker repeats at most the slice it was in. Orders, nodes, prices and rules are those of
the start, whatever is changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import structlog
from sqlalchemy.exc import OperationalError

from app.events import SIMULATION_QUEUED
from app.routing import changed, past, queries, recording, service
from app.routing.configuration import configuration
from app.routing.documents import default_document, validate
from app.routing.policy import DEFAULT_SCOPE
from app.routing.simulation import node_loads
from app.routing.slices import AFTER, BEFORE, SIDES, Side, packed, parsed, unpacked
from infra.clock import real_now
from infra.errors import invalid, not_found, refused
from infra.ids import new_id
from tenants import audit
from tenants.scope import Contended, Scope

MOST_ORDERS = 200_000
ORDERS_AT_ONCE = 400
USUAL_WEEKS = 4
OPEN = ("queued", "running")
JOINED = "joined"
UNFORESEEN = "Something unforeseen went wrong. Try again: it goes on where it was."

HOW_FAR = """
SELECT count(*) FILTER (WHERE before IS NULL) AS without_before, count(*) FILTER (WHERE after IS NULL) AS without_after,
    coalesce(sum(size) FILTER (WHERE before IS NOT NULL AND after IS NOT NULL), 0)::bigint AS done
FROM simulation_slices WHERE tenant_id = :tenant AND simulation_id = :simulation
"""
NEXT_SLICE = """
SELECT id, orders FROM simulation_slices
WHERE tenant_id = :tenant AND simulation_id = :simulation AND {side} IS NULL ORDER BY position LIMIT 1
"""
WRITE_SLICE = """
UPDATE simulation_slices SET {side} = :decided WHERE tenant_id = :tenant AND id = :id AND {side} IS NULL
"""
LAY_OUT = """
INSERT INTO simulation_slices (tenant_id, id, simulation_id, position, orders, size)
SELECT :tenant, r.id, :simulation, r.position, r.orders, r.size
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, position bigint, orders jsonb, size bigint)
"""

log = structlog.get_logger()


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
    _one_at_a_time(scope)
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


def _one_at_a_time(scope: Scope) -> None:
    scope.rows("SELECT id FROM tenants WHERE tenant_id = :tenant FOR NO KEY UPDATE")
    running = scope.rows(
        "SELECT id FROM simulations WHERE tenant_id = :tenant AND state = ANY(:open) LIMIT 1", open=list(OPEN)
    )
    if running:
        raise refused(
            "simulation-running", f"What-if {running[0].id} is not through yet. Wait for it, or cancel it."
        )


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


def resume(scope: Scope, simulation_id: UUID) -> None:
    """Have a what-if that failed go on where it was. Raises Problem 404, 409 `simulation-<state>` when it did not fail,
    `simulation-running`."""
    _one_at_a_time(scope)
    row = scope.row(
        "SELECT state FROM simulations WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=simulation_id
    )
    if row is None:
        raise not_found("what-if")
    if row.state != "failed":
        raise refused(
            f"simulation-{row.state}",
            "The what-if did not fail. Run it again from its start.",
        )
    scope.execute(
        "UPDATE simulations SET state = 'queued', error = '', finished_at = NULL"
        " WHERE tenant_id = :tenant AND id = :id",
        id=simulation_id,
    )
    scope.later(SIMULATION_QUEUED, simulation_id)


def work(scope: Scope, simulation_id: UUID, part: str = "", **_: Any) -> None:
    """One piece of a run: the worker's verb for SIMULATION_QUEUED. Without a `part` it begins, or goes on; then each
    version is a part of its own, slice after slice, so that two workers decide them side by side; JOINED comes when
    both are through, queued by whichever was the last.

    What goes wrong unforeseen ends the run and is logged, so that it never only seems to run; what it had found is
    kept, and `resume` goes on from there. A lost race or connection is the worker's to try again.
    """
    try:
        with scope.session.begin_nested():
            if part in SIDES:
                _slice(scope, simulation_id, part)
            elif part == JOINED:
                _join(scope, simulation_id)
            else:
                _go_on(scope, simulation_id)
    except (Contended, OperationalError):
        raise
    except Exception as error:
        log.error("what_if.failed", simulation=str(simulation_id), exc_info=error)
        _fail(scope, simulation_id, UNFORESEEN)


def _go_on(scope: Scope, simulation_id: UUID) -> None:
    """Begin, and queue what is still to be done."""
    one = _open(scope, simulation_id)
    if one is None:
        return
    if one.basis is None:
        try:
            _begin(scope, one)
        except ValueError:
            _fail(scope, one.id, "The rules no longer fit the language. Write a new version.")
            return
    _queue_next(scope, simulation_id, SIDES)


def _open(scope: Scope, simulation_id: UUID) -> Any:
    """The run, locked; None when there is nothing left to do for it."""
    one = scope.row(
        "SELECT * FROM simulations WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=simulation_id
    )
    return one if one is not None and one.state in OPEN else None


def _queue_next(scope: Scope, simulation_id: UUID, sides: Sequence[str]) -> Any:
    """Queue the next slice of these sides, or the end where both are through. The run is locked: of two sides that
    come to their ends at once, one sees that the other is there. Returns how far both are."""
    row = scope.row(HOW_FAR, simulation=simulation_id)
    assert row is not None
    behind = {BEFORE: row.without_before, AFTER: row.without_after}
    for side in sides:
        if behind[side]:
            scope.later(SIMULATION_QUEUED, simulation_id, part=side)
    if not any(behind.values()):
        scope.later(SIMULATION_QUEUED, simulation_id, part=JOINED)
    return row


def _slice(scope: Scope, simulation_id: UUID, side: str) -> None:
    """Decide a version's next orders. Nothing is locked meanwhile: of two that decide the same slice, as when one was
    taken for dead, the second writes nothing."""
    one = scope.row(
        f"SELECT id, state, basis, left_{side} AS left FROM simulations WHERE tenant_id = :tenant AND id = :id",
        id=simulation_id,
    )
    if one is None or one.state not in OPEN:
        return
    orders = scope.row(NEXT_SLICE.format(side=side), simulation=simulation_id)
    if orders is None:
        return
    version = Side(scope, unpacked(one.basis), side, one.left)
    decided = packed(version.decide(orders.orders))
    written = _open(scope, simulation_id) is not None and scope.execute(
        WRITE_SLICE.format(side=side), id=orders.id, decided=decided
    )
    if not written:
        return
    row = _queue_next(scope, simulation_id, (side,))
    scope.execute(
        f"UPDATE simulations SET state = 'running', orders_done = :done, left_{side} = :left"
        " WHERE tenant_id = :tenant AND id = :id",
        id=simulation_id,
        done=row.done,
        left=packed(version.left()),
    )


def _join(scope: Scope, simulation_id: UUID) -> None:
    """Both versions are through: put them side by side."""
    one = _open(scope, simulation_id)
    if one is None:
        return
    basis = unpacked(one.basis)
    ended = {BEFORE: one.left_before, AFTER: one.left_after}
    found = {name: Side(scope, basis, name, left).run for name, left in ended.items()}
    begun = {name: Side(scope, basis, name) for name in SIDES}
    count, kept = changed.changed(scope, simulation_id, begun)
    result = {
        **{name: asdict(run.figures) for name, run in found.items()},
        "nodes": node_loads(found[BEFORE].configured, found[BEFORE], found[AFTER]),
        "changed": count,
        "network": basis["network"],
        "prices": basis["prices"],
    }
    _end(scope, simulation_id, "done", result=result, changes=kept)
    if one.version:
        service.simulated(scope, one.version)


def _fail(scope: Scope, simulation_id: UUID, error: str) -> None:
    """End it with a reason, unless it has ended; where it was is kept, for `resume`."""
    scope.execute(
        "UPDATE simulations SET state = 'failed', error = :error, finished_at = :now"
        " WHERE tenant_id = :tenant AND id = :id AND state = ANY(:open)",
        id=simulation_id,
        error=error,
        now=real_now(),
        open=list(OPEN),
    )


def _end(
    scope: Scope,
    simulation_id: UUID,
    state: str,
    *,
    result: dict[str, Any] | None = None,
    changes: Sequence[dict[str, Any]] = (),
) -> None:
    scope.execute(
        "UPDATE simulations SET state = :state, finished_at = :now, result = CAST(:result AS jsonb),"
        " changes = CAST(:changes AS jsonb), basis = NULL, left_before = NULL, left_after = NULL"
        " WHERE tenant_id = :tenant AND id = :id",
        id=simulation_id,
        state=state,
        now=real_now(),
        result=orjson.dumps(result or {}).decode(),
        changes=orjson.dumps(changes).decode(),
    )
    scope.execute(
        "DELETE FROM simulation_slices WHERE tenant_id = :tenant AND simulation_id = :simulation",
        simulation=simulation_id,
    )


def _begin(scope: Scope, one: Any) -> None:
    """Read what the whole run needs, and keep it with the run; lay out its slices. Raises ValueError when a rule cannot
    be read any more."""
    configured = configuration(scope)
    recording.keep(scope, configured)
    rules = _rules_of(scope, one)
    for versions in rules.values():
        parsed(scope, versions)
    places, positions = past.stock_at(scope, configured.network, one.orders_from, one.orders_to)
    basis = {
        "network": configured.network.digest.hex(),
        "prices": configured.prices.version,
        "rules": rules,
        "places": [list(place) for place in places],
        "changes": past.changes(scope, positions, one.orders_from, one.orders_to),
        "loads": past.earlier_loads(scope, one.orders_from) if configured.network.limited else [],
    }
    orders = past.order_ids(scope, one.orders_from, one.orders_to)
    scope.execute(
        "UPDATE simulations SET basis = :basis, orders_total = :total WHERE tenant_id = :tenant AND id = :id",
        id=one.id,
        basis=packed(basis),
        total=len(orders),
    )
    _lay_out(scope, one.id, orders)


def _lay_out(scope: Scope, simulation_id: UUID, orders: Sequence[UUID]) -> None:
    """The slices of a run. Both versions decide the same orders, whatever is placed or imported meanwhile."""
    slices = [orders[at : at + ORDERS_AT_ONCE] for at in range(0, len(orders), ORDERS_AT_ONCE)]
    rows = [
        {
            "id": str(new_id()),
            "position": position,
            "orders": [str(each) for each in own],
            "size": len(own),
        }
        for position, own in enumerate(slices)
    ]
    scope.execute(LAY_OUT, simulation=simulation_id, rows=orjson.dumps(rows).decode())


def _rules_of(scope: Scope, one: Any) -> dict[str, dict[str, int]]:
    """By side, the version that decides each scope: what is in force, with the two compared in their places."""
    before = {of: number for of, (number, _) in queries.in_force(scope).items()}
    if one.against:
        before[queries.version(scope, one.against)["scope"]] = one.against
    before.setdefault(DEFAULT_SCOPE, 0)
    return {BEFORE: before, AFTER: {**before, queries.version(scope, one.version)["scope"]: one.version}}
