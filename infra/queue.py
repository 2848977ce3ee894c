"""The queue: RQ over Redis or Valkey. One job carries up to 100 outbox rows of one tenant, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from rq.worker_registration import get_keys

from infra import settings

NAME = "kept"
JOB = "workers.jobs.run_rows"


@cache
def connection() -> Redis:
    """This process's connection pool."""
    return Redis.from_url(settings.current().redis_url, socket_connect_timeout=2, health_check_interval=30)


def queue() -> Queue:
    """The one queue."""
    return Queue(NAME, connection=connection(), serializer=JSONSerializer)


def enqueue(tenant_id: UUID, row_ids: list[UUID], *, at_front: bool = False) -> None:
    """Send outbox rows to whichever worker is free, before all that waits if `at_front`. Nothing is kept of the
    result."""
    queue().enqueue_call(
        JOB,
        args=(str(tenant_id), [str(row) for row in row_ids]),
        result_ttl=0,
        failure_ttl=3600,
        timeout=600,
        ttl=600,
        at_front=at_front,
    )


@dataclass(frozen=True)
class Standing:
    """How the queue stands: jobs not begun, jobs in work, workers alive."""

    waiting: int
    running: int
    workers: int


def standing() -> Standing | None:
    """The queue as Redis has it; None when Redis does not answer. Changes nothing."""
    found = queue()
    try:
        workers = get_keys(queue=found)
        return Standing(
            waiting=found.count,
            running=found.started_job_registry.get_job_count(cleanup=False),
            # A worker that was killed stays registered for a while; its own key lapses.
            workers=int(connection().exists(*workers)) if workers else 0,
        )
    except (RedisError, OSError):
        return None
