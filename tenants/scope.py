"""Who is inside: tenant, actor and transaction, opened together and closed together.

The only place that commits. A scope sets the tenant with SET LOCAL inside its transaction; outside one,
infra/db.py refuses every statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from infra import clock, db, outbox, settings, statements
from infra.errors import Problem

Result = TypeVar("Result")


@dataclass(frozen=True)
class Actor:
    """Who acts: a member, an API key, a provider, a buyer, the system or platform staff."""

    kind: str
    id: str
    name: str
    permissions: frozenset[str] = frozenset()
    nodes: frozenset[str] | None = None
    """Node codes this actor is limited to; None means all."""

    def may(self, permission: str) -> bool:
        """Whether the actor holds the permission."""
        return permission in self.permissions

    def sees_node(self, code: str) -> bool:
        """Whether work at the node is this actor's to see."""
        return self.nodes is None or code in self.nodes

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


SYSTEM = Actor("system", "system", "Kept")


@dataclass
class TenantFacts:
    """What nearly every verb needs to know of its tenant."""

    name: str
    environment: str
    status: str
    timezone: str
    currency: str
    stripe_account: str | None
    clock_offset: int
    config_version: int
    rate_limit: int | None
    settings: dict[str, Any]


FACTS = (
    "t.name, t.environment, t.status, t.timezone, t.currency, t.stripe_account, t.clock_offset,"
    " t.config_version, t.rate_limit, t.settings"
)


@dataclass
class Scope:
    """One open transaction of one tenant."""

    tenant_id: UUID
    actor: Actor
    session: Session
    request_id: str = ""
    _facts: TenantFacts | None = field(default=None, repr=False)

    @property
    def tenant(self) -> TenantFacts:
        """The tenant's facts, read once per transaction."""
        if self._facts is None:
            [row] = self.rows(f"SELECT {FACTS} FROM tenants t WHERE t.tenant_id = :tenant")
            self._facts = TenantFacts(*row)
        return self._facts

    def now(self) -> datetime:
        """The tenant's business time, UTC."""
        return clock.business_now(self.tenant.clock_offset)

    def later(self, topic: str, subject_id: UUID, **payload: Any) -> None:
        """Have `topic` handled after this transaction commits."""
        outbox.add(self.session, self.tenant_id, topic, subject_id, payload)

    def all_later(self, topic: str, news: Sequence[tuple[UUID, Mapping[str, Any]]]) -> None:
        """As `later`, for several subjects: (subject, payload)."""
        outbox.add_all(self.session, self.tenant_id, topic, news)

    def at(
        self,
        due_at: datetime,
        topic: str,
        subject_id: UUID,
        *,
        key: str,
        shared: bool = False,
        **payload: Any,
    ) -> None:
        """Have `topic` handled at `due_at`, business time. The same key again moves it; a `shared` one stands."""
        arm = outbox.arm_shared if shared else outbox.arm
        arm(self.session, self.tenant_id, topic, subject_id, key=key, due_at=due_at, payload=payload or None)

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """Rows of a statement; `:tenant` is bound to this tenant."""
        return statements.rows(self.session, sql, {"tenant": self.tenant_id, **values})

    def row(self, sql: str, **values: Any) -> Any | None:
        """The one row of a statement, or None."""
        return statements.row(self.session, sql, {"tenant": self.tenant_id, **values})

    def execute(self, sql: str, **values: Any) -> int:
        """Run a statement and tell how many rows it touched."""
        return statements.execute(self.session, sql, {"tenant": self.tenant_id, **values})

    def many(self, sql: str, values: list[dict[str, Any]]) -> None:
        """Run a statement once per set of values, in one round trip."""
        statements.execute_many(self.session, sql, [{"tenant": self.tenant_id, **each} for each in values])

    def raw(self) -> psycopg.Connection[Any]:
        """The driver's connection, for hot-path statements inside this transaction."""
        return db.driver(self.session)

    def keep(self) -> None:
        """Make everything done in this scope true."""
        self.session.commit()


_current: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current() -> Scope:
    """The scope this code runs in. Raises OutsideScope."""
    found = _current.get()
    if found is None:
        raise db.OutsideScope("No tenant is open.")
    return found


@contextmanager
def opened(tenant_id: UUID, actor: Actor = SYSTEM, *, request_id: str = "") -> Iterator[Scope]:
    """Open a transaction inside a tenant without committing it at the end: the caller decides."""
    given = settings.current()
    opening = f"BEGIN; SET LOCAL app.tenant_id = '{UUID(str(tenant_id))}'".encode()
    with db.transaction(given.database_url, opening, str(tenant_id), given.pool_size) as session:
        scope = Scope(tenant_id, actor, session, request_id)
        token = _current.set(scope)
        try:
            yield scope
        finally:
            _current.reset(token)


@contextmanager
def inside(tenant_id: UUID, actor: Actor = SYSTEM, *, request_id: str = "") -> Iterator[Scope]:
    """Open a transaction inside a tenant; commit when the block ends well, else roll back."""
    with opened(tenant_id, actor, request_id=request_id) as scope:
        yield scope
        scope.keep()


@contextmanager
def directory() -> Iterator[Session]:
    """A transaction with no tenant, for global tables. A fenced table is an error here."""
    given = settings.current()
    with db.transaction(given.database_url, b"BEGIN", "directory", given.pool_size) as session:
        yield session
        session.commit()


@contextmanager
def operator() -> Iterator[Session]:
    """A read-only transaction over all tenants, as the operator role."""
    given = settings.current()
    with db.transaction(given.operator_database_url, b"BEGIN READ ONLY", "operator", 4) as session:
        yield session


class Contended(Exception):
    """Somebody else took what this transaction had planned with. Run it again from the start."""


def retried(work: Callable[[], Result], tries: int = 5) -> Result:
    """Run a whole transaction again when it lost a race (contention, deadlock); a 503 after the last try."""
    for _ in range(tries):
        try:
            return work()
        except Contended:
            continue
        except (DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if not isinstance(cause, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
                raise
    raise Problem(503, "contended", "Too many others want the same thing. Send the request again.")
