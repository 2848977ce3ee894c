"""A what-if of 10,000 past orders by two versions of the rules, with the reasons of those that go otherwise.

Two processes decide it as two workers do: by the rows of the outbox, a version each. The orders are those that the
scenes before have placed; what is missing comes by ordinary batch intake and is part of no figure.
"""

from __future__ import annotations

import gc
import time
from concurrent.futures import ProcessPoolExecutor, wait
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.routing import runs, service
from tenants.scope import Scope, inside
from workers import runner
from workers.cli.bench import clients
from workers.cli.bench.figures import Figure
from workers.cli.homes import use_home

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

    from workers.cli.bench.scenes import Bench

ORDERS, BATCH, WORKERS = 10_000, 250, 2
LIMIT_SECONDS = 10.0
CLIENT = 800
NEXT_ROW = """
SELECT id FROM outbox WHERE tenant_id = :tenant AND subject_id = :simulation AND state IN ('waiting', 'sent')
ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
BY_COST = {"mode": "cost", "terms": [{"term": "shipping"}, {"term": "handling"}]}
FAR = {"id": "far", "field": "lane.distance_miles", "op": "gte", "value": 600}
VERSIONS: dict[str, dict[str, Any]] = {
    "none changes": {"objective": BY_COST},
    "all change": {"objective": BY_COST, "filters": [FAR]},
    "in order, all change": {
        "objective": {
            "mode": "lexicographic",
            "terms": [
                {"term": "packages"},
                {"term": "distance", "tolerance": 0.1},
                {"term": "shipping"},
            ],
        },
        "filters": [FAR],
    },
    "by scores, all change": {
        "objective": {
            "mode": "score",
            "terms": [{"term": "shipping", "weight": 70}, {"term": "distance", "weight": 30}],
        },
        "filters": [FAR],
    },
}
"""Where all change, the reasons of 300 orders are written, by both versions."""


def measure(bench: Bench) -> list[Figure]:
    """Of each version seconds by the clock and of the two processes' CPU, against Kept's own default; `ratio` is to the
    limit. Raises RuntimeError when a what-if did not come through."""
    _fill_up(bench)
    return [figure for name, strategy in VERSIONS.items() for figure in _measured(bench, name, strategy)]


def _measured(bench: Bench, name: str, strategy: dict[str, Any]) -> list[Figure]:
    with inside(bench.tenant_id) as scope:
        version = service.write(scope, {"name": name, "strategies": [{"id": "all", **strategy}]})
        simulation_id = runs.start(scope, version, against=0, since=_since(scope))
    spawn = get_context("spawn")
    with ProcessPoolExecutor(WORKERS, spawn, _ready, (bench.home, spawn.Barrier(WORKERS))) as workers:
        wait([workers.submit(time.process_time) for _ in range(WORKERS)])  # both are there
        began = time.perf_counter()
        shares = [workers.submit(_through, bench.tenant_id, simulation_id) for _ in range(WORKERS)]
        cpu = [share.result() for share in shares]
        seconds = time.perf_counter() - began
    orders = _decided(bench.tenant_id, simulation_id)
    return [
        Figure(
            f"what-if of 10,000 orders, {name}",
            seconds,
            "s",
            seconds / LIMIT_SECONDS,
            f"limit: {LIMIT_SECONDS:.0f} s; {orders:,} orders",
        ),
        Figure(f"what-if of 10,000 orders, {name}: CPU of its two workers", sum(cpu), "s"),
        Figure(f"what-if of 10,000 orders, {name}: CPU of the busier one", max(cpu), "s"),
    ]


def _fill_up(bench: Bench) -> None:
    with inside(bench.tenant_id) as scope:
        row = scope.row("SELECT count(*) AS n FROM orders WHERE tenant_id = :tenant AND status <> 'draft'")
    http = clients.Http(bench.address, bench.key)
    for at in range(int(row.n) if row else 0, ORDERS, BATCH):
        orders = [bench.body(CLIENT, at + n) for n in range(BATCH)]
        results = http.json("POST", "/v1/orders/batch", {"orders": orders})["results"]
        assert all(result["status"] == 201 for result in results), results[0]


def _since(scope: Scope) -> datetime:
    """When the 10,000th of the newest orders was placed."""
    row = scope.row(
        "SELECT placed_at FROM orders WHERE tenant_id = :tenant AND status <> 'draft'"
        " ORDER BY placed_at DESC, id DESC OFFSET :skipped LIMIT 1",
        skipped=ORDERS - 1,
    )
    assert row is not None
    placed_at: datetime = row.placed_at
    return placed_at


def _ready(home: Path, all_of_them: Barrier) -> None:
    """Set a process up as a worker is before its first row; takes work when the others do."""
    use_home(home)
    gc.freeze()
    all_of_them.wait()


def _through(tenant_id: UUID, simulation_id: UUID) -> float:
    """Work through its rows until it is over; returns seconds of CPU."""
    cpu = time.process_time()
    while _is_open(tenant_id, simulation_id):
        with inside(tenant_id) as scope:
            rows = scope.rows(NEXT_ROW, simulation=simulation_id)
        for row in rows:
            runner.run(tenant_id, row.id)
        if not rows:
            time.sleep(0.05)
    return time.process_time() - cpu


def _is_open(tenant_id: UUID, simulation_id: UUID) -> bool:
    with inside(tenant_id) as scope:
        row = scope.row(
            "SELECT state FROM simulations WHERE tenant_id = :tenant AND id = :id", id=simulation_id
        )
    return row is not None and row.state in runs.OPEN


def _decided(tenant_id: UUID, simulation_id: UUID) -> int:
    with inside(tenant_id) as scope:
        row = scope.row(
            "SELECT state, orders_done, error FROM simulations WHERE tenant_id = :tenant AND id = :id",
            id=simulation_id,
        )
    if row is None or row.state != "done":
        raise RuntimeError(f"the what-if did not come through: {row.error if row else 'it is gone'}")
    return int(row.orders_done)
