"""The queue: RQ over Redis or Valkey. One job carries up to 100 outbox rows of one tenant, as JSON."""

from __future__ import annotations

from functools import cache
from uuid import UUID

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

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


def enqueue(tenant_id: UUID, row_ids: list[UUID]) -> None:
    """Send outbox rows to whichever worker is free. Nothing is kept of the result."""
    queue().enqueue_call(
        JOB,
        args=(str(tenant_id), [str(row) for row in row_ids]),
        result_ttl=0,
        failure_ttl=3600,
        timeout=600,
        ttl=600,
    )
