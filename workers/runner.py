"""Runs outbox rows: each handler of the row's topic, then the row is done. Called by RQ jobs and by `clock`.

A row whose handler raises is tried again later, and dead-lettered with the reason in the end. Handlers that had
finished are not harmed by a second run: every effect has its own key.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from infra import metrics, outbox
from tenants.scope import Contended, Scope, inside, opened, retried
from workers.handlers import Call, Verb, Work, parted
from workers.subscriptions import SUBSCRIPTIONS

log = structlog.get_logger()
Result = TypeVar("Result")
TO_ALL = (Contended, DBAPIError, psycopg.Error)
"""What fails the whole transaction, whichever verb it struck: a lost race, or the database itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A row whose question to somebody outside is written down, and is to be put now."""

    work: Work
    call: Call
    verbs: tuple[Verb, ...]
    request: Any


class Stumbled(Exception):
    """One of several verbs failed, and took the others with it: they are to be run one by one."""


def run(tenant_id: UUID, row_id: UUID) -> bool:
    """Handle one row. False when it was finished or another worker holds it."""
    with structlog.contextvars.bound_contextvars(tenant=str(tenant_id), row=str(row_id)):
        try:
            topic = _handled(tenant_id, row_id)
        except Exception as error:
            with inside(tenant_id) as scope:
                topic = outbox.fail(scope.session, tenant_id, row_id, f"{type(error).__name__}: {error}")
            log.warning("job.failed", topic=topic, error=f"{type(error).__name__}: {error}", exc_info=error)
            metrics.JOBS.labels(topic, "failed").inc()
            return True
        if topic is not None:
            metrics.JOBS.labels(topic, "done").inc()
        return topic is not None


def _handled(tenant_id: UUID, row_id: UUID) -> str | None:
    """The row's topic once all its handlers are done; None when there is no such row to be had."""
    begun = _carefully(lambda one_by_one: _begin(tenant_id, row_id, one_by_one=one_by_one))
    if not isinstance(begun, Asked):
        return begun
    answer = _ask(begun)
    if begun.verbs:
        # What was heard is true before anybody acts on it: no verb's fault may lose it.
        retried(lambda: _hear(begun, answer))
        _carefully(lambda one_by_one: _act(begun, one_by_one=one_by_one))
    else:
        retried(lambda: _hear_and_end(begun, answer))
    return begun.work.topic


def _carefully(transaction: Callable[[bool], Result]) -> Result:
    """Run the verbs of a transaction straight on; where one of several fails, from the start and one by one."""
    try:
        return retried(lambda: transaction(False))
    except Stumbled:
        return retried(lambda: transaction(True))


def _begin(tenant_id: UUID, row_id: UUID, *, one_by_one: bool) -> Asked | str | None:
    """The row's first transaction, and its only one where nobody outside has to be asked."""
    with opened(tenant_id) as scope:
        row = outbox.lock(scope.session, tenant_id, row_id)
        if row is None:
            return None
        work = Work(tenant_id, row_id, row.topic, row.subject_id, row.payload)
        call, verbs = parted(SUBSCRIPTIONS.get(row.topic, ()))
        request = call.begin(scope, work.subject_id, **work.payload) if call is not None else None
        if call is not None and request is not None:
            scope.keep()
            return Asked(work, call, verbs, request)
        _end(scope, work, verbs, row.handled, one_by_one=one_by_one)
        return work.topic


def _ask(begun: Asked) -> Any:
    try:
        return begun.call.call(begun.request)
    except Exception as error:
        if begun.call.failed is not None:
            with inside(begun.work.tenant_id) as scope:
                begun.call.failed(scope, begun.request, error)
        raise


def _hear(begun: Asked, answer: Any) -> None:
    with inside(begun.work.tenant_id) as scope:
        begun.call.finish(scope, begun.request, answer)


def _hear_and_end(begun: Asked, answer: Any) -> None:
    """The answer is true also when another worker holds the row by now: it was given to us."""
    work = begun.work
    with inside(work.tenant_id) as scope:
        row = outbox.lock(scope.session, work.tenant_id, work.row_id)
        begun.call.finish(scope, begun.request, answer)
        if row is not None:
            outbox.finish(scope.session, work.tenant_id, work.row_id)


def _act(begun: Asked, *, one_by_one: bool) -> None:
    work = begun.work
    with opened(work.tenant_id) as scope:
        row = outbox.lock(scope.session, work.tenant_id, work.row_id)
        if row is not None:
            _end(scope, work, begun.verbs, row.handled, one_by_one=one_by_one)


def _end(scope: Scope, work: Work, verbs: tuple[Verb, ...], handled: list[str], *, one_by_one: bool) -> None:
    """Run the row's verbs that are not done yet, and end the row; the transaction is kept. `one_by_one`, one that
    fails leaves the others done, so that a letter with a fault never holds back money: what is done is noted, and
    only the failed one is tried again."""
    done, failure = list(handled), None
    for verb in verbs:
        if verb.name not in done:
            fault = _run(scope, verb, work, one_by_one=one_by_one, several=len(verbs) > 1)
            failure = failure or fault
            done += [] if fault else [verb.name]
    if failure is None:
        outbox.finish(scope.session, work.tenant_id, work.row_id)
    elif done:
        outbox.partly(scope.session, work.tenant_id, work.row_id, done)
    scope.keep()
    if failure is not None:
        raise failure


def _run(scope: Scope, verb: Verb, work: Work, *, one_by_one: bool, several: bool) -> Exception | None:
    """Run one verb: in a savepoint of its own if `one_by_one`, which tells its fault; else as part of the whole.
    Nearly always all of them succeed, and a savepoint each would cost more than many a verb."""
    try:
        if not one_by_one:
            verb.run(scope, work.subject_id, **work.payload)
            return None
        with scope.session.begin_nested():
            verb.run(scope, work.subject_id, **work.payload)
    except TO_ALL:
        raise
    except Exception as error:
        if one_by_one:
            return error
        if several:
            raise Stumbled from error
        raise
    return None


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
