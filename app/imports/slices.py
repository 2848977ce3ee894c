"""A slice of an import: the next rows, taken and loaded in the caller's transaction."""

from __future__ import annotations

import zlib
from uuid import UUID

import orjson

from app.imports import files, loading, rates
from app.imports.rules import Reader
from app.intake.schemas import MOST_LINES
from infra.ids import new_id
from tenants.scope import Scope

ORDERS_AT_ONCE = 250
STAGED_CHUNKS = 8
PRICE_CHUNKS = 120
PAIR_CHUNKS = 10


class Slice:
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

    def prices(self) -> bool:
        """A price list is taken whole: every chunk at once. Always False."""
        self._loaded(rates.load_prices, self._chunks(PRICE_CHUNKS))
        return False

    def pairs(self) -> bool:
        """Pairs of ZIP areas, several chunks at once. False when those were the last."""
        chunks = self._chunks(PAIR_CHUNKS)
        self._loaded(rates.load_pairs, chunks)
        return bool(chunks) and self._left()

    def _loaded(self, load: rates.Load, chunks: list[list[files.Row]]) -> None:
        rows = [row for chunk in chunks for row in chunk]
        self.outcomes, self.done = load(self.scope, self.reader, rows), len(rows)

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
            lines=MOST_LINES + 1,
        )
        groups: dict[str, list[files.Row]] = {}
        for row in rows:
            groups.setdefault(row.reference, []).append((row.row, row.cells))
        return groups
