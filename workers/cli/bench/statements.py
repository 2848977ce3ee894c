"""Counting what is sent to PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import psycopg

from infra import db


@dataclass
class Count:
    """Statements and round trips of this process, and the statements' text."""

    round_trips: int = 0
    texts: list[str] = field(default_factory=list)

    @property
    def statements(self) -> int:
        """Several statements of one string count one by one."""
        return sum(text.strip().rstrip(";").count(";") + 1 for text in self.texts)


@contextlib.contextmanager
def counted() -> Iterator[Count]:
    """Count every statement that psycopg sends inside the block, commits included."""
    count = Count()
    execute, commit, command = psycopg.Cursor.execute, psycopg.Connection.commit, db.command

    def noted(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        count.round_trips += 1
        count.texts.append(str(query))
        return execute(cursor, query, *args, **kwargs)

    def committed(connection: Any) -> None:
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            count.round_trips += 1
            count.texts.append("COMMIT")
        commit(connection)

    def commanded(connection: Any, words: bytes) -> None:
        count.round_trips += 1
        count.texts.append(words.decode())
        command(connection, words)

    with (
        mock.patch.object(db, "command", commanded),
        mock.patch.object(psycopg.Cursor, "execute", noted),
        mock.patch.object(psycopg.Connection, "commit", committed),
    ):
        yield count
