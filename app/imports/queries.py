"""Reads of imports: progress, and the report row by row."""

from __future__ import annotations

import zlib
from typing import Any
from uuid import UUID

import orjson

from app.imports import rules
from app.shapes import cursor, instant, page
from infra.errors import invalid, not_found
from tenants.scope import Scope

COLUMNS = (
    "id, kind, filename, mapping->>'name' AS mapping, state, rows_total, rows_done, created, existing, refused,"
    " created_by, created_at, finished_at, header, mapping AS document"
)


def document(scope: Scope, import_id: UUID) -> dict[str, Any]:
    """One import. Raises Problem 404."""
    row = scope.row(f"SELECT {COLUMNS} FROM imports WHERE tenant_id = :tenant AND id = :id", id=import_id)
    if row is None:
        raise not_found("import")
    return _shown(row)


def imports(scope: Scope, *, limit: int, after: str | None = None) -> dict[str, Any]:
    """A page of imports, the newest first."""
    rows = scope.rows(
        f"SELECT {COLUMNS} FROM imports WHERE tenant_id = :tenant AND (CAST(:after AS uuid) IS NULL OR id < :after)"
        " ORDER BY id DESC LIMIT :limit",
        after=cursor(after),
        limit=limit + 1,
    )
    return page([_shown(row) for row in rows], limit)


def report(
    scope: Scope, import_id: UUID, *, outcome: str | None, limit: int, after: str | None = None
) -> dict[str, Any]:
    """A page of the report in the order of the file; `after` is the row that the page before ended with."""
    if after is not None and not (after.isdecimal() and len(after) < 16):
        raise invalid("/after", "Send the `next` of an earlier page, unchanged.")
    rows = scope.rows(
        "SELECT row, reference, outcome, message, subject_id FROM import_rows WHERE tenant_id = :tenant"
        " AND import_id = :import AND row > :after AND (CAST(:outcome AS text) IS NULL OR outcome = :outcome)"
        " ORDER BY row LIMIT :limit",
        **{"import": import_id},
        after=int(after or 0),
        outcome=outcome,
        limit=limit + 1,
    )
    shown = [
        {
            "row": row.row,
            "reference": row.reference,
            "outcome": row.outcome,
            "message": row.message,
            "subject": None if row.subject_id is None else str(row.subject_id),
        }
        for row in rows[:limit]
    ]
    return {"rows": shown, "next": str(shown[-1]["row"]) if len(rows) > limit else None}


def every_row(scope: Scope, import_id: UUID, outcome: str | None) -> list[tuple[Any, ...]]:
    """The whole report as (row, reference, outcome, message)."""
    rows = scope.rows(
        "SELECT row, reference, outcome, message FROM import_rows WHERE tenant_id = :tenant"
        " AND import_id = :import AND (CAST(:outcome AS text) IS NULL OR outcome = :outcome) ORDER BY row",
        **{"import": import_id},
        outcome=outcome,
    )
    return [tuple(row) for row in rows]


def sample(scope: Scope, import_id: UUID, most: int = 5) -> tuple[list[str], list[list[str]]]:
    """A file's column names and the cells of its first rows."""
    row = scope.row(
        "SELECT i.header, c.content FROM imports i LEFT JOIN import_chunks c ON c.tenant_id = :tenant"
        " AND c.import_id = i.id AND c.position = 0 WHERE i.tenant_id = :tenant AND i.id = :import",
        **{"import": import_id},
    )
    if row is None:
        raise not_found("import")
    rows = [] if row.content is None else orjson.loads(zlib.decompress(row.content))[:most]
    return row.header, [cells for _, cells in rows]


def rate_cards(scope: Scope) -> list[tuple[str, str]]:
    """The rate cards whose prices or zones a file may hold: (code, name)."""
    rows = scope.rows("SELECT code, name FROM rate_cards WHERE tenant_id = :tenant ORDER BY name, code")
    return [(row.code, row.name) for row in rows]


def _shown(row: Any) -> dict[str, Any]:
    shown = dict(row._mapping)
    header, looked_at = shown.pop("header"), rules.read(shown.pop("document"))
    return {
        **shown,
        "ignored": [title for title in header if title not in ("", *looked_at)]
        if row.state != "draft"
        else [],
        "id": str(row.id),
        "mapping": row.mapping or "own",
        "created_at": instant(row.created_at),
        "finished_at": None if row.finished_at is None else instant(row.finished_at),
    }
