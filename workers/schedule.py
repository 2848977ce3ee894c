"""What the clock starts: timers that fall due, the janitor, forgetting what is old, reading the mailbox."""

from __future__ import annotations

import signal
import time
from types import FrameType

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra import logs, outbox, settings
from infra.clock import business_now
from infra.embedded import processes
from tenants.scope import directory, inside
from workers import janitor, postman

log = structlog.get_logger()
TICK_SECONDS = 1.0
JANITOR_SECONDS = 10.0
FORGET_SECONDS = 3600.0
SEAL_SECONDS = 60.0

running = True


def main() -> None:
    """Tick until told to stop."""
    logs.configure(settings.current().log_level, "schedule")
    processes.begin()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _stop)
    postman.start()
    swept, sealed, forgot = 0.0, 0.0, time.monotonic()
    while running:
        try:
            fire_timers()
            if time.monotonic() - swept > JANITOR_SECONDS:
                janitor.sweep()
                swept = time.monotonic()
            if time.monotonic() - sealed > SEAL_SECONDS:
                janitor.seal()
                sealed = time.monotonic()
            if time.monotonic() - forgot > FORGET_SECONDS:
                janitor.forget()
                janitor.seal_late()
                forgot = time.monotonic()
        except (DBAPIError, OSError) as error:
            log.warning("schedule.interrupted", error=str(error)[:200])
        time.sleep(TICK_SECONDS)


def _stop(_: int, __: FrameType | None) -> None:
    global running
    running = False


def fire_timers() -> int:
    """Turn every tenant's due timers into outbox rows. Returns how many."""
    with directory() as session:
        due = session.execute(text("SELECT tenant_id, clock_offset FROM timers_due")).all()
    fired = 0
    for row in due:
        with inside(row.tenant_id) as scope:
            fired += outbox.fire_due(scope.session, row.tenant_id, business_now(row.clock_offset))
    return fired


if __name__ == "__main__":
    main()
