"""The verbs of imports: take a file, then work through it slice by slice.

A slice is one transaction: its rows, their report, the progress and the next slice's outbox row are true together
or not at all. So a killed worker repeats at most the slice it was in, and nothing is taken twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

import orjson

from app import calendar
from app.events import IMPORT_QUEUED
from app.imports import files, loading
from app.imports.mappings import RATES
from app.imports.rules import Reader, of_card, resolve
from app.imports.slices import Slice
from infra.clock import real_now
from infra.errors import Problem, invalid, not_found, refused
from infra.ids import new_id
from tenants import audit
from tenants.scope import Scope

CHUNK_ROWS = 500
MOST_PRICES = 20_000
CHUNK_BYTES = 512_000
DRAFTS_LIVE = timedelta(days=1)


def receive(
    scope: Scope,
    stream: IO[bytes],
    *,
    filename: str,
    kind: str,
    mapping: str | Mapping[str, Any],
    rate_card: str = "",
) -> UUID:
    """Keep a file's rows and queue the work; `rate_card`: of which card prices and zones are, unless the file says
    so itself. Returns the import's id.

    Raises Problem 403 when the caller may not write this kind, 409 for a mapping that does not fit the kind, 413,
    422 for a file or a mapping that cannot be read.
    """
    document = resolve(kind, mapping)
    import_id = keep(scope, stream, filename=filename, kind=kind, delimiter=document.get("delimiter"))
    start(scope, import_id, mapping, rate_card)
    return import_id


def keep(scope: Scope, stream: IO[bytes], *, filename: str, kind: str, delimiter: str | None = None) -> UUID:
    """Keep a file's rows as a draft whose columns are still to be chosen. Raises as `receive`."""
    needed = "nodes:write" if kind in RATES else f"{kind}:write"
    if not scope.actor.may(needed):
        raise Problem(403, "lacks-scope", f"Importing {kind} needs the permission `{needed}` too.")
    rows = files.rows(stream, delimiter)
    header = files.titles(next(rows, (1, []))[1])
    import_id = new_id()
    _forget_drafts(scope)
    scope.execute(
        "INSERT INTO imports (tenant_id, id, kind, filename, mapping, header, state, rows_total, created_by,"
        " created_at) VALUES (:tenant, :id, :kind, :filename, '{}', CAST(:header AS jsonb), 'draft', 0, :actor,"
        " :now)",
        id=import_id,
        kind=kind,
        filename=filename[:255],
        header=orjson.dumps(header).decode(),
        actor=str(scope.actor),
        now=real_now(),
    )
    total = _keep(scope, import_id, rows)
    if kind == "rate_card" and total > MOST_PRICES:
        raise invalid("/file", f"The file has {total} rows. A price list has at most {MOST_PRICES}.")
    if not total:
        raise invalid("/file", "The file has a header and no rows.")
    scope.execute(
        "UPDATE imports SET rows_total = :n WHERE tenant_id = :tenant AND id = :id", n=total, id=import_id
    )
    return import_id


def start(scope: Scope, import_id: UUID, mapping: str | Mapping[str, Any], rate_card: str = "") -> None:
    """Read a draft by this mapping from now on, and queue the work. Raises Problem 404, 409, 422."""
    draft = _draft(scope, import_id)
    document = of_card(draft.kind, resolve(draft.kind, mapping), draft.header, rate_card)
    Reader(draft.kind, document, draft.header, calendar.zone(scope.tenant.timezone))
    scope.execute(
        "UPDATE imports SET state = 'queued', mapping = CAST(:mapping AS jsonb)"
        " WHERE tenant_id = :tenant AND id = :id",
        mapping=orjson.dumps(document).decode(),
        id=import_id,
    )
    scope.later(IMPORT_QUEUED, import_id)
    audit.record(scope, "import.started", draft.filename, kind=draft.kind, rows=draft.rows_total)


def discard(scope: Scope, import_id: UUID) -> None:
    """Forget a draft and its rows. Raises Problem 404, 409."""
    _draft(scope, import_id)
    _forget(scope, [import_id])


def _draft(scope: Scope, import_id: UUID) -> Any:
    row = scope.row("SELECT * FROM imports WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=import_id)
    if row is None:
        raise not_found("import")
    if row.state != "draft":
        raise refused(f"import-{row.state}", f"The import is {row.state}: its columns are chosen.")
    return row


def _forget_drafts(scope: Scope) -> None:
    """Drafts that nobody started within a day go, so that left files do not pile up."""
    old = scope.rows(
        "SELECT id FROM imports WHERE tenant_id = :tenant AND state = 'draft' AND created_at < :before"
        " FOR UPDATE SKIP LOCKED",
        before=real_now() - DRAFTS_LIVE,
    )
    _forget(scope, [row.id for row in old])


def _forget(scope: Scope, ids: list[UUID]) -> None:
    for table, column in (("import_chunks", "import_id"), ("imports", "id")):
        scope.execute(f"DELETE FROM {table} WHERE tenant_id = :tenant AND {column} = ANY(:ids)", ids=ids)


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
    if one is None or one.state in ("draft", "done"):
        return
    scope.actor = replace(scope.actor, kind="import", name=f"{one.filename}, {one.created_by}")
    reader = Reader(one.kind, one.mapping, one.header, calendar.zone(scope.tenant.timezone))
    slice_ = Slice(scope, import_id, reader, one.cursor)
    steps = {"orders": slice_.orders, "rate_card": slice_.prices, "zone_pairs": slice_.pairs}
    more = steps.get(one.kind, slice_.rows)()
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
