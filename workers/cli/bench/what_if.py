"""A what-if of 10,000 past orders by two versions of the rules, with the reasons of those that go otherwise.

One process decides it slice after slice, as a worker does. The orders are those that the scenes before have placed;
what is missing comes by ordinary batch intake and is part of no figure.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.routing import runs, service
from tenants.scope import Scope, inside
from workers.cli.bench import clients
from workers.cli.bench.figures import Figure

if TYPE_CHECKING:
    from workers.cli.bench.scenes import Bench

ORDERS, BATCH = 10_000, 250
LIMIT_SECONDS = 10.0
CLIENT = 800
COST = {
    "name": "Cost",
    "strategies": [
        {"id": "all", "objective": {"mode": "cost", "terms": [{"term": "shipping"}, {"term": "handling"}]}}
    ],
}


def measure(bench: Bench) -> list[Figure]:
    """Seconds by the clock and of this process's CPU, against Kept's own default; `ratio` is to the limit. Raises
    RuntimeError when the what-if did not come through."""
    _fill_up(bench)
    with inside(bench.tenant_id) as scope:
        version = service.write(scope, COST)
        simulation_id = runs.start(scope, version, against=0, since=_since(scope))
    began, cpu = time.perf_counter(), time.process_time()
    orders = _through(bench.tenant_id, simulation_id)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return [
        Figure(
            "what-if of 10,000 orders",
            seconds,
            "s",
            seconds / LIMIT_SECONDS,
            f"limit: {LIMIT_SECONDS:.0f} s; {orders:,} orders",
        ),
        Figure("what-if of 10,000 orders, CPU of its process", cpu, "s"),
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


def _through(tenant_id: UUID, simulation_id: UUID) -> int:
    """Work through it; returns how many orders were decided."""
    while True:
        with inside(tenant_id) as scope:
            runs.work(scope, simulation_id)
            row = scope.row(
                "SELECT state, orders_done, error FROM simulations WHERE tenant_id = :tenant AND id = :id",
                id=simulation_id,
            )
        if row is None or row.state not in runs.OPEN:
            break
    if row is None or row.state != "done":
        raise RuntimeError(f"the what-if did not come through: {row.error if row else 'it is gone'}")
    return int(row.orders_done)
