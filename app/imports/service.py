"""The verbs of imports: take a file, then work through it slice by slice.

A slice is one transaction: its rows, their report, the progress and the next slice's outbox row are true together
or not at all. So a killed worker repeats at most the slice it was in, and nothing is taken twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import IO, Any
from uuid import UUID

import orjson

from app import calendar
from app.events import IMPORT_QUEUED
from app.imports import files, loading
from app.imports.rules import Reader, resolve
from infra.clock import real_now
from infra.errors import Problem, invalid
from infra.ids import new_id
from tenants import audit
from tenants.scope import Scope

CHUNK_ROWS = 500
CHUNK_BYTES = 512_000
ORDERS_AT_ONCE = 250
STAGED_CHUNKS = 8
MOST_ROWS_OF_ORDER = 500


def receive(
    scope: Scope, stream: IO[bytes], *, filename: str, kind: str, mapping: str | Mapping[str, Any]
) -> UUID:
    """Keep a file's rows and queue the work. Returns the import's id.

    Raises Problem 403 when the caller may not write this kind, 409 for a mapping that does not fit the kind, 413,
    422 for a file or a mapping that cannot be read.
    """
    needed = f"{kind}:write"
    if not scope.actor.may(needed):
        raise Problem(403, "lacks-scope", f"Importing {kind} needs the permission `{needed}` too.")
    document = resolve(kind, mapping)
    rows = files.rows(stream, document.get("delimiter"))
    header = files.titles(next(rows, (1, []))[1])
    Reader(kind, document, header, calendar.zone(scope.tenant.timezone))
    import_id = new_id()
    scope.execute(
        "INSERT INTO imports (tenant_id, id, kind, filename, mapping, header, rows_total, created_by, created_at)"
        " VALUES (:tenant, :id, :kind, :filename, CAST(:mapping AS jsonb), CAST(:header AS jsonb), 0, :actor, :now)",
        id=import_id,
        kind=kind,
        filename=filename[:255],
        mapping=orjson.dumps(document).decode(),
        header=orjson.dumps(header).decode(),
        actor=str(scope.actor),
        now=real_now(),
    )
    total = _keep(scope, import_id, rows)
    if not total:
        raise invalid("/file", "The file has a header and no rows.")
    scope.execute(
        "UPDATE imports SET rows_total = :n WHERE tenant_id = :tenant AND id = :id", n=total, id=import_id
    )
    scope.later(IMPORT_QUEUED, import_id)
    audit.record(scope, "import.received", filename[:255], kind=kind, rows=total)
    return import_id


def _keep(scope: Scope, import_id: UUID, rows: Any) -> int:
    """Write the rows as compressed chunks, a few hundred at a time. Returns how many."""
    total, position, size = 0, 0, 0
    held: list[files.Row] = []
    for row in rows:
        held.append(row)
        size += sum(map(len, row[1]))
        total += 1
        if len(held) == CHUNK_ROWS or size > CHUNK_BYTES:
            _chunk(scope, import_id, position, held)
            held, size, position = [], 0, position + 1
    if held:
        _chunk(scope, import_id, position, held)
    return total


def _chunk(scope: Scope, import_id: UUID, position: int, rows: list[files.Row]) -> None:
    scope.execute(
        "INSERT INTO import_chunks (tenant_id, id, import_id, position, content)"
        " VALUES (:tenant, :id, :import, :position, :content)",
        id=new_id(),
        **{"import": import_id},
        position=position,
        content=zlib.compress(orjson.dumps(rows), 1),
    )


def work(scope: Scope, import_id: UUID, **_: Any) -> None:
    """One slice: the worker's verb for IMPORT_QUEUED. Queues the next one until the file is through."""
    one = scope.row("SELECT * FROM imports WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=import_id)
    if one is None or one.state in ("done", "failed"):
        return
    scope.actor = replace(scope.actor, kind="import", name=f"{one.filename}, {one.created_by}")
    reader = Reader(one.kind, one.mapping, one.header, calendar.zone(scope.tenant.timezone))
    slice_ = _Slice(scope, import_id, reader, one.cursor)
    more = slice_.orders() if one.kind == "orders" else slice_.rows()
    outcomes = slice_.outcomes
    loading.report(scope, import_id, outcomes)
    counts = {
        name: sum(one.outcome == name for one in outcomes) for name in ("created", "existing", "refused")
    }
    scope.execute(
        "UPDATE imports SET state = CAST(:state AS text), cursor = :cursor, rows_done = rows_done + :done,"
        " created = created + :created, existing = existing + :existing, refused = refused + :refused,"
        " finished_at = CASE WHEN :state = 'done' THEN CAST(:now AS timestamptz) END"
        " WHERE tenant_id = :tenant AND id = :id",
        id=import_id,
        state="running" if more else "done",
        cursor=slice_.cursor,
        done=slice_.done,
        now=real_now(),
        **counts,
    )
    if more:
        scope.later(IMPORT_QUEUED, import_id)
    else:
        scope.execute("DELETE FROM import_lines WHERE tenant_id = :tenant AND import_id = :id", id=import_id)


class _Slice:
    """The next rows of an import, and what became of them."""

    def __init__(self, scope: Scope, import_id: UUID, reader: Reader, cursor: int) -> None:
        self.scope, self.import_id, self.reader, self.cursor = scope, import_id, reader, cursor
        self.done = 0
        self.outcomes: list[loading.Outcome] = []

    def rows(self) -> bool:
        """Rows that stand alone: one chunk. False when it was the last."""
        chunks = self._chunks(1)
        for chunk in chunks:
            self.outcomes = loading.load(self.scope, self.import_id, self.reader, chunk)
            self.done = len(chunk)
        return bool(chunks) and self._left()

    def orders(self) -> bool:
        """Stage rows until none is left, then take orders in the order of their first rows.

        An order's rows may stand anywhere in the file; the table groups them, so that memory holds one slice.
        """
        if chunks := self._chunks(STAGED_CHUNKS):
            self._stage([row for chunk in chunks for row in chunk])
            return True
        groups = self._groups()
        self.outcomes = loading.load_orders(self.scope, self.reader, list(groups.values()))
        self.done = sum(map(len, groups.values()))
        if groups:
            self.cursor = max(rows[0][0] for rows in groups.values())
        return len(groups) == ORDERS_AT_ONCE

    def _chunks(self, most: int) -> list[list[files.Row]]:
        """The next chunks, taken out of the table."""
        rows = self.scope.rows(
            "DELETE FROM import_chunks WHERE tenant_id = :tenant AND id IN ("
            " SELECT id FROM import_chunks WHERE tenant_id = :tenant AND import_id = :import"
            " ORDER BY position LIMIT :most) RETURNING position, content",
            **{"import": self.import_id},
            most=most,
        )
        rows.sort(key=lambda row: row.position)
        return [[(row[0], row[1]) for row in orjson.loads(zlib.decompress(one.content))] for one in rows]

    def _left(self) -> bool:
        return bool(
            self.scope.rows(
                "SELECT 1 FROM import_chunks WHERE tenant_id = :tenant AND import_id = :import LIMIT 1",
                **{"import": self.import_id},
            )
        )

    def _stage(self, rows: list[files.Row]) -> None:
        doc = [
            {
                "id": new_id(),
                "row": row,
                # A row without a reference belongs to no order: it stands alone and is refused.
                "reference": self.reader.reference(cells) or f"\n{row}",
                "cells": cells,
            }
            for row, cells in rows
        ]
        self.scope.execute(
            "INSERT INTO import_lines (tenant_id, id, import_id, row, reference, cells)"
            " SELECT :tenant, l.id, :import, l.row, l.reference, l.cells"
            " FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS l(id uuid, row bigint, reference text, cells jsonb)",
            **{"import": self.import_id},
            doc=orjson.dumps(doc).decode(),
        )

    def _groups(self) -> dict[str, list[files.Row]]:
        """The next orders' rows, by reference; one row more than an order may have shows that it is too long."""
        rows = self.scope.rows(
            """
            SELECT l.reference, l.row, l.cells FROM (
                SELECT a.reference, a.row FROM import_lines a
                WHERE a.tenant_id = :tenant AND a.import_id = :import AND a.row > :cursor
                  AND NOT EXISTS (SELECT 1 FROM import_lines b WHERE b.tenant_id = :tenant
                    AND b.import_id = :import AND b.reference = a.reference AND b.row < a.row)
                ORDER BY a.row LIMIT :most) first
            CROSS JOIN LATERAL (
                SELECT c.reference, c.row, c.cells FROM import_lines c
                WHERE c.tenant_id = :tenant AND c.import_id = :import AND c.reference = first.reference
                ORDER BY c.row LIMIT :lines) l
            ORDER BY first.row, l.row
            """,
            **{"import": self.import_id},
            cursor=self.cursor,
            most=ORDERS_AT_ONCE,
            lines=MOST_ROWS_OF_ORDER + 1,
        )
        groups: dict[str, list[files.Row]] = {}
        for row in rows:
            groups.setdefault(row.reference, []).append((row.row, row.cells))
        return groups
