"""Moves outbox rows to the queue: fair between tenants, bounded in flight.

Two steps, so that nothing locks across tenants: which tenants have work (a view of counts), then claim per
tenant. Redis holds nothing that may not be lost: a row sent and not finished within its lease is sent again.
"""

from __future__ import annotations

import signal
import time
from types import FrameType
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.events import SAMPLE_ASKED, SIMULATION_QUEUED
from infra import logs, outbox, settings
from infra.embedded import processes
from infra.queue import enqueue
from tenants.members import INVITED
from tenants.scope import directory, inside

log = structlog.get_logger()
IDLE_SECONDS = 0.15
MOST_IN_FLIGHT = 2_000
MOST_PER_TENANT = 400
SHARE = 100
"""Rows one tenant gets per round, so that a busy tenant delays nobody for long."""
AWAITED = (SIMULATION_QUEUED, SAMPLE_ASKED, INVITED)
"""Somebody sits and waits for these: they go before what else the tenant has, such as an import of thousands."""

running = True


def main() -> None:
    """Relay until told to stop."""
    logs.configure(settings.current().log_level, "relay")
    processes.begin()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _stop)
    while running:
        try:
            moved = relay_once()
        except (DBAPIError, RedisError, OSError) as error:
            log.warning("relay.interrupted", error=str(error)[:200])
            time.sleep(1)
            continue
        if not moved:
            time.sleep(IDLE_SECONDS)


def _stop(_: int, __: FrameType | None) -> None:
    global running
    running = False


def relay_once() -> int:
    """One round over all tenants with work. Returns how many rows were sent."""
    waiting = tenants_with_work()
    in_flight = sum(sent for _, _, sent in waiting)
    moved = 0
    for tenant_id, ready, sent in waiting:
        room = min(SHARE, MOST_PER_TENANT - sent, MOST_IN_FLIGHT - in_flight - moved)
        if room >= min(SHARE, ready):  # a backlog goes in whole shares: to look for a few rows costs as much
            moved += _send(tenant_id, room)
    return moved


def tenants_with_work() -> list[tuple[UUID, int, int]]:
    """(tenant, rows to send now, rows in flight), the longest waiting first."""
    with directory() as session:
        rows = session.execute(
            text(
                "SELECT tenant_id, waiting + lapsed AS ready, sent - lapsed AS sent FROM work_waiting"
                " WHERE waiting + lapsed > 0 ORDER BY oldest"
            )
        ).all()
    return [(row.tenant_id, row.ready, row.sent) for row in rows]


def _send(tenant_id: UUID, most: int) -> int:
    with inside(tenant_id) as scope:
        claimed = outbox.claim(scope.session, tenant_id, most, AWAITED)
    for awaited in (True, False):
        rows = [row.id for row in claimed if (row.topic in AWAITED) == awaited]
        if rows:
            enqueue(tenant_id, rows, at_front=awaited)
    return len(claimed)


if __name__ == "__main__":
    main()
