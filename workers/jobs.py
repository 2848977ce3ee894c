"""The RQ worker's entry and its only job: run a tenant's outbox rows, one after the other."""

from __future__ import annotations

from uuid import UUID, uuid4

from rq import SimpleWorker
from rq.serializers import JSONSerializer

from infra import logs, memory, settings
from infra.embedded import processes
from infra.queue import connection, queue
from workers.runner import run


def run_rows(tenant_id: str, row_ids: list[str]) -> None:
    """Handle the rows. Called by RQ."""
    for row_id in row_ids:
        run(UUID(tenant_id), UUID(row_id))


def main() -> None:
    """Work until told to stop; the supervisor starts another when Redis goes away."""
    logs.configure(settings.current().log_level, "worker")
    memory.settle()
    processes.say_ready()
    worker = SimpleWorker(
        [queue()],
        connection=connection(),
        serializer=JSONSerializer,
        name=f"kept-{uuid4().hex[:12]}",
    )
    worker.work(logging_level="WARNING", with_scheduler=False)


if __name__ == "__main__":
    main()
