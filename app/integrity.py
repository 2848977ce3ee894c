"""The books of an order business: what is always true, checked set-based over one tenant or all of them.

Each check is one statement that returns the rows looked at and the faults found (with up to five examples).
Read as the operator role, so that one statement covers every tenant; `:tenant` narrows it to one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app import history
from app.books import BOOKS, Book


@dataclass(frozen=True)
class Finding:
    """What a book showed."""

    book: Book
    rows: int
    faults: int
    examples: list[str]


SEALED = (
    Book(
        9,
        "the seals of an order's history are one unbroken chain",
        f"""
        SELECT s.tenant_id, s.order_id AS subject,
            CASE WHEN s.position <> s.expected THEN 'seal ' || s.expected || ' is gone'
                 WHEN s.previous <> s.before THEN 'seal ' || s.position || ' does not follow the one before'
                 WHEN s.digest <> {history.digest("s.previous", "s.list")} THEN 'seal ' || s.position || ' was changed'
            END AS fault
        FROM (SELECT tenant_id, order_id, position, previous, digest, row_number() OVER w AS expected,
                     lag(digest, 1, '') OVER w AS before,
                     (SELECT {history.row_list()} FROM jsonb_each_text(rows)) AS list
              FROM seals WHERE {{tenant}}
              WINDOW w AS (PARTITION BY tenant_id, order_id ORDER BY position)) s""",
    ),
    Book(
        9,
        "every row of an order's history is as it was sealed",
        f"""
        WITH sealed AS MATERIALIZED (
            SELECT s.tenant_id, s.order_id, r.key, r.value FROM seals s, jsonb_each_text(s.rows) r WHERE {{s.tenant}}
        )
        SELECT s.tenant_id, s.order_id AS subject,
            CASE WHEN h.id IS NULL THEN 'row ' || s.key || ' is gone'
                 WHEN s.value <> h.hash THEN h.source || ' ' || h.id || ' was changed'
            END AS fault
        FROM sealed s LEFT JOIN ({history.hashes("{tenant}")}) h
            ON h.tenant_id = s.tenant_id AND h.order_id = s.order_id AND h.id::text = s.key
        UNION ALL
        SELECT h.tenant_id, h.order_id, h.source || ' ' || h.id || ' was added, or never sealed'
        FROM ({history.rows("{tenant}")}) h
        WHERE {history.older_than_patience("h.id")} AND NOT EXISTS (SELECT 1 FROM sealed s
            WHERE s.tenant_id = h.tenant_id AND s.order_id = h.order_id AND s.key = h.id::text)""",
    ),
)

FOREIGN_KEYS = Book(
    11,
    "no row points at another tenant's row",
    """
    SELECT NULL::uuid AS tenant_id, NULL::uuid AS subject,
        CASE WHEN NOT EXISTS (SELECT 1 FROM pg_attribute a
            WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) AND a.attname = 'tenant_id')
        THEN c.conrelid::regclass || '.' || c.conname || ' lacks the tenant' END AS fault
    FROM pg_constraint c
        JOIN pg_class source ON source.oid = c.conrelid JOIN pg_class target ON target.oid = c.confrelid
    WHERE c.contype = 'f' AND source.relforcerowsecurity AND target.relforcerowsecurity""",
)
"""Composite keys make it impossible; this proves that every foreign key between fenced tables is one."""


def check(session: Session, tenant_id: UUID | None = None) -> Iterator[Finding]:
    """Every book, one after the other, and that no row points at another tenant's."""
    # Every worker of a parallel plan would build each hash table anew.
    session.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))
    for book in (*BOOKS, *SEALED, FOREIGN_KEYS):
        yield _finding(session, book, tenant_id)


def _finding(session: Session, book: Book, tenant_id: UUID | None) -> Finding:
    counted = f"SELECT count(*) AS rows, count(fault) AS faults FROM ({narrowed(book.query, tenant_id)}) b"
    values = {"tenant": tenant_id} if tenant_id else {}
    row = session.execute(text(counted), values).one()
    examples: list[str] = []
    if row.faults:
        shown = f"SELECT * FROM ({narrowed(book.query, tenant_id)}) b WHERE fault IS NOT NULL LIMIT 5"
        faulty = session.execute(text(shown), values)
        examples = [f"tenant {one.tenant_id}, {one.subject}: {one.fault}" for one in faulty]
    return Finding(book, row.rows, row.faults, examples)


def narrowed(query: str, tenant_id: UUID | None) -> str:
    """`{tenant}` and `{x.tenant}` become the filter, or true for all tenants."""
    for alias in ("", "p.", "sl.", "l.", "n.", "o.", "a.", "t.", "x.", "d.", "s.", "i.", "m.", "q."):
        name = "{" + alias + "tenant}"
        query = query.replace(name, f"{alias}tenant_id = :tenant" if tenant_id else "true")
    return query
