"""The database: one declarative base, the fence around tenants, and who may connect.

Every table says what it is: TENANT (its rows belong to one tenant: fenced, keyed by tenant) or GLOBAL (no
tenant, no secret but a password hash). A statement outside a scope is refused here, because under a cached
generic plan the policy alone may answer with no rows instead of an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    Engine,
    ForeignKeyConstraint,
    MetaData,
    Text,
    Uuid,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from infra.ids import new_id

NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}


class Base(DeclarativeBase):
    """Every table of the installation."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        str: Text,
        int: BigInteger,
        datetime: TIMESTAMP(timezone=True),
        UUID: Uuid,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


class GlobalTable(Base):
    """A table without a tenant."""

    __abstract__ = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _register(cls, "GLOBAL")


class TenantTable(Base):
    """A table whose rows belong to one tenant. Primary key (tenant_id, id)."""

    __abstract__ = True

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _register(cls, "TENANT")


def _register(cls: type[Base], scope: str) -> None:
    table = cls.__dict__.get("__table__")
    if table is not None:
        table.info["scope"] = scope
        table.info.setdefault("append_only", bool(getattr(cls, "__append_only__", False)))


def tenant_key(column: str, table: str, target: str = "id", **options: Any) -> ForeignKeyConstraint:
    """A foreign key that cannot point at another tenant's row."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.{target}"], **options)


def one_of(column: str, *values: str) -> CheckConstraint:
    """A closed list of words in a text column."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


STATEMENTS_KEPT = 400
"""Prepared statements a connection remembers: more than a worker's round of all topics has, so that none pushes out
another before it comes again."""


class OutsideScope(Exception):
    """A statement was sent without a tenant, or outside any scope."""


@cache
def engine(url: str, pool_size: int = 12) -> Engine:
    """The pool of one role. Connections begin no transaction by themselves: a scope opens it."""
    made = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        pool_pre_ping=False,
        pool_use_lifo=True,
        pool_reset_on_return=None,
        skip_autocommit_rollback=True,
        json_serializer=lambda value: orjson.dumps(value, default=str).decode(),
        json_deserializer=orjson.loads,
        connect_args={"application_name": "kept"},
    )
    event.listen(made, "connect", _remember_statements)
    event.listen(made, "reset", _given_up)
    event.listen(made, "before_cursor_execute", _refuse_outside_scope)
    return made


def _remember_statements(raw: psycopg.Connection[Any], _: Any) -> None:
    raw.prepared_max = STATEMENTS_KEPT


def _given_up(raw: psycopg.Connection[Any], *_: Any) -> None:
    """Roll back what nobody kept, as the connection goes back to the pool. Not by the driver's rollback(): that
    forgets every prepared statement, in case one of them is over a table made in the transaction, and each would be
    parsed and planned anew. These roles make no tables."""
    if raw.pgconn.transaction_status != TransactionStatus.IDLE:
        command(raw, b"ROLLBACK")


def command(raw: psycopg.Connection[Any], words: bytes) -> None:
    """Have the server do something that answers no rows; nothing is remembered of it. Raises OperationalError."""
    ended = raw.pgconn.exec_(words)
    if ended.status != ExecStatus.COMMAND_OK:
        raise psycopg.OperationalError(ended.get_error_message() or "The connection is lost.")


def _refuse_outside_scope(connection: Connection, *_: Any) -> None:
    if "scope" not in connection.info:
        raise OutsideScope("Open a scope (tenants/scope.py) before talking to the database.")


@contextmanager
def transaction(url: str, opening: bytes, scope: str, pool_size: int = 12) -> Iterator[Session]:
    """One transaction: `opening` (BEGIN and its SET LOCALs) travels as a single round trip.

    The caller commits; leaving without a commit rolls back. A connection that died while idle in the pool is
    replaced once, before anything was done with it.
    """
    with _opened(url, opening, pool_size) as connection:
        connection.info["scope"] = scope
        try:
            with Session(bind=connection, expire_on_commit=False, autoflush=True) as session:
                yield session
        finally:
            connection.info.pop("scope", None)


@contextmanager
def _opened(url: str, opening: bytes, pool_size: int) -> Iterator[Connection]:
    pool = engine(url, pool_size)
    connection = pool.connect()
    try:
        try:
            command(driver(connection), opening)
        except psycopg.OperationalError:
            connection.invalidate()
            connection.close()
            pool.dispose()
            connection = pool.connect()
            command(driver(connection), opening)
        yield connection
    finally:
        connection.close()


def driver(source: Connection | Session) -> psycopg.Connection[Any]:
    """The psycopg connection underneath, for prepared hot-path statements inside the open scope."""
    connection = source.connection() if isinstance(source, Session) else source
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found
