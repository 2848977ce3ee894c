"""Statements by the short way: `:name` values in, rows with names out, straight to the driver.

The life of an order is two hundred small statements, and describing each result anew took most of their processor
time. SQLAlchemy's session still opens and ends the transaction and keeps its savepoints; its listeners hear of every
statement sent here, the one that refuses what is outside a scope among them; and faults are its exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

import psycopg
from psycopg.rows import no_result
from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, MultipleResultsFound
from sqlalchemy.orm import Session

Values = Mapping[str, Any]
NUMBERED = postgresql.dialect(paramstyle="numeric_dollar")
CURSOR = "statements.cursor"
"""Where a connection keeps its cursor for all statements: each is read to its end before the next is sent."""


class Row(tuple[Any, ...]):
    """One row: by position, by attribute, or as a mapping."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    @property
    def _mapping(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))


@dataclass(frozen=True, slots=True)
class Parsed:
    """A statement as the server takes it, and the names of $1, $2 ..."""

    sql: str
    names: tuple[str, ...]

    def values(self, given: Values) -> list[Any]:
        """The values in the server's order."""
        return [given[name] for name in self.names]


@lru_cache(maxsize=2048)
def parsed(sql: str) -> Parsed:
    """A statement's text, searched for its parameters once."""
    compiled = text(sql).compile(dialect=NUMBERED)
    return Parsed(str(compiled), tuple(compiled.positiontup or ()))


def rows(session: Session, sql: str, values: Values) -> list[Any]:
    """All rows of a statement. Raises DBAPIError."""
    return _sent(session, sql, values).fetchall()


def row(session: Session, sql: str, values: Values) -> Any | None:
    """The one row of a statement, or None. Raises DBAPIError, MultipleResultsFound."""
    found = rows(session, sql, values)
    if len(found) > 1:
        raise MultipleResultsFound("One row at most was expected.")
    return found[0] if found else None


def execute(session: Session, sql: str, values: Values) -> int:
    """Run a statement; how many rows it touched. Raises DBAPIError."""
    return _sent(session, sql, values).rowcount


def execute_many(session: Session, sql: str, values: Sequence[Values]) -> None:
    """Run a statement once for each of the values, in one round trip. Raises DBAPIError."""
    if len(values) == 1:
        _sent(session, sql, values[0])
    elif values:
        known = parsed(sql)
        each = [known.values(one) for one in values]
        _heard(session, known.sql, each, lambda cursor: cursor.executemany(known.sql, each))


def _sent(session: Session, sql: str, values: Values) -> psycopg.RawCursor[Any]:
    known = parsed(sql)
    given = known.values(values)
    return _heard(session, known.sql, given, lambda cursor: cursor.execute(known.sql, given))


def _heard(
    session: Session, sql: str, values: list[Any], send: Callable[[psycopg.RawCursor[Any]], Any]
) -> psycopg.RawCursor[Any]:
    """Send it, after all who listen have heard of it."""
    connection = session.connection()
    cursor = connection.info.get(CURSOR) or _cursor(connection)
    for listener in connection.dispatch.before_cursor_execute:
        listener(connection, cursor, sql, values, None, False)
    try:
        send(cursor)
    except psycopg.Error as error:
        if cursor.connection.closed:
            connection.invalidate(error)
        raise DBAPIError.instance(sql, values, error, psycopg.Error) from error
    return cursor


def _cursor(connection: Connection) -> psycopg.RawCursor[Any]:
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    cursor = psycopg.RawCursor(raw, row_factory=_named)
    connection.info[CURSOR] = cursor
    return cursor


def _named(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Row]:
    """The driver's row factory: asked once per result."""
    result = cursor.pgresult
    if result is None or not result.nfields:
        return no_result
    return _row_of(tuple(result.fname(at) or b"" for at in range(result.nfields)))


@lru_cache(maxsize=2048)
def _row_of(columns: tuple[bytes, ...]) -> type[Row]:
    """The class of rows with these columns. A name that two of them have is no attribute: it would be a guess."""
    names = tuple(column.decode() for column in columns)
    once = {name: property(itemgetter(at)) for at, name in enumerate(names) if names.count(name) == 1}
    return type("Row", (Row,), {"__slots__": (), "_fields": names, **once})
