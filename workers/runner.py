"""Runs outbox rows: each handler of the row's topic, then the row is done. Called by RQ jobs and by `clock`.

A row whose handler raises is tried again later, and dead-lettered with the reason in the end. Handlers that had
finished are not harmed by a second run: every effect has its own key.
"""

from __future__ import annotations

import time
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from infra import metrics, outbox
from tenants.scope import Contended, Scope, inside, opened, retried
from workers.handlers import Call, Verb, Work
from workers.subscriptions import SUBSCRIPTIONS

log = structlog.get_logger()


def run(tenant_id: UUID, row_id: UUID) -> bool:
    """Handle one row. False when it was finished or another worker holds it."""
    work = _take(tenant_id, row_id)
    if work is None:
        return False
    with structlog.contextvars.bound_contextvars(tenant=str(tenant_id), topic=work.topic, row=str(row_id)):
        try:
            _handle(work)
        except Exception as error:
            log.warning("job.failed", error=f"{type(error).__name__}: {error}", exc_info=error)
            metrics.JOBS.labels(work.topic, "failed").inc()
            with inside(tenant_id) as scope:
                outbox.fail(scope.session, tenant_id, row_id, f"{type(error).__name__}: {error}")
            return True
        metrics.JOBS.labels(work.topic, "done").inc()
        return True


def _take(tenant_id: UUID, row_id: UUID) -> Work | None:
    with opened(tenant_id) as scope:
        row = outbox.lock(scope.session, tenant_id, row_id)
        return None if row is None else Work(tenant_id, row_id, row.topic, row.subject_id, row.payload)


def _handle(work: Work) -> None:
    handlers = SUBSCRIPTIONS.get(work.topic, ())
    for handler in handlers:
        if isinstance(handler, Call):
            _ask(work, handler)
    verbs = [handler for handler in handlers if isinstance(handler, Verb)]
    failure = retried(lambda: _act(work, verbs))
    if failure is not None:
        raise failure


def _act(work: Work, verbs: list[Verb]) -> Exception | None:
    """Run the row's verbs and end the row. One that fails leaves the others done, so that a letter with a fault
    never holds back money: what is done is noted, and only the failed one is tried again."""
    with opened(work.tenant_id) as scope:
        row = outbox.lock(scope.session, work.tenant_id, work.row_id)
        if row is None:
            return None
        done, failure = list(row.handled), None
        for verb in verbs:
            if len(verbs) == 1:
                verb.run(scope, work.subject_id, **work.payload)
            elif verb.name not in done:
                fault = _one(scope, verb, work)
                failure = failure or fault
                done += [] if fault else [verb.name]
        if failure is None:
            outbox.finish(scope.session, work.tenant_id, work.row_id)
        elif done:
            outbox.partly(scope.session, work.tenant_id, work.row_id, done)
        scope.keep()
        return failure


def _one(scope: Scope, verb: Verb, work: Work) -> Exception | None:
    """Run one verb inside a savepoint. A lost race is everybody's: the whole transaction is run again."""
    try:
        with scope.session.begin_nested():
            verb.run(scope, work.subject_id, **work.payload)
    except (Contended, DBAPIError, psycopg.Error):
        raise
    except Exception as error:
        return error
    return None


def _ask(work: Work, handler: Call) -> None:
    request = retried(lambda: _begun(work, handler))
    if request is None:
        return
    try:
        answer = handler.call(request)
    except Exception as error:
        if handler.failed is not None:
            with inside(work.tenant_id) as scope:
                handler.failed(scope, request, error)
        raise
    retried(lambda: _finished(work, handler, request, answer))


def _begun(work: Work, handler: Call) -> object:
    with inside(work.tenant_id) as scope:
        return handler.begin(scope, work.subject_id, **work.payload)


def _finished(work: Work, handler: Call, request: object, answer: object) -> None:
    with inside(work.tenant_id) as scope:
        handler.finish(scope, request, answer)


def drain(tenant_id: UUID, patience: float = 120.0) -> int:
    """Run a tenant's waiting rows in this process until none is left, also those that other workers hold.

    For `clock`, provisioning and tests. Rows that failed wait for their own time. Returns how many were run here.
    """
    done, until = 0, time.monotonic() + patience
    while time.monotonic() < until:
        with inside(tenant_id) as scope:
            claimed = outbox.claim(scope.session, tenant_id, 100)
            elsewhere = not claimed and outbox.in_flight(scope.session, tenant_id)
        if not claimed and not elsewhere:
            break
        for row in claimed:
            done += run(tenant_id, row.id)
        if elsewhere:
            time.sleep(0.02)
    return done
