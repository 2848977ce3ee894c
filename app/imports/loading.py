"""Rows become orders, SKUs, nodes and stock, through the same verbs as the API; each row with its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from marshmallow import Schema, ValidationError

from app.allocation.adjustments import adjust
from app.allocation.schemas import StockAdjustmentIn
from app.catalog.schemas import SkuIn
from app.catalog.service import put_skus
from app.imports import bodies
from app.imports.files import Row
from app.imports.rules import Reader, Unreadable
from app.intake.schemas import MOST_LINES, OrderIn
from app.intake.service import Placed, place
from app.network.schemas import NodeIn
from app.network.service import put_nodes
from app.problems import field_errors
from infra.errors import Problem
from infra.ids import new_id
from tenants.scope import Contended, Scope

MOST_MESSAGE = 500


@dataclass(frozen=True)
class Outcome:
    """What became of a row (of an order: of its first row)."""

    row: int
    reference: str
    outcome: str
    message: str = ""
    subject: str | None = None


def report(scope: Scope, import_id: UUID, outcomes: Sequence[Outcome]) -> None:
    """Write the rows' report."""
    rows = [
        {
            "id": new_id(),
            "row": one.row,
            "reference": one.reference,
            "outcome": one.outcome,
            "message": one.message[:MOST_MESSAGE],
            "subject_id": one.subject,
        }
        for one in outcomes
    ]
    scope.execute(
        "INSERT INTO import_rows (tenant_id, id, import_id, row, reference, outcome, message, subject_id)"
        " SELECT :tenant, r.id, :import, r.row, r.reference, r.outcome, r.message, r.subject_id"
        " FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS r(id uuid, row bigint, reference text, outcome text,"
        " message text, subject_id uuid)",
        **{"import": import_id},
        doc=orjson.dumps(rows).decode(),
    )


# ---- orders


def load_orders(scope: Scope, reader: Reader, groups: Sequence[Sequence[Row]]) -> list[Outcome]:
    """Place the orders, each with its rows; a reference that is there already answers `existing`."""
    schema = OrderIn()
    outcomes: list[Outcome] = []
    sound: list[tuple[Sequence[Row], dict[str, Any]]] = []
    for rows in groups:
        try:
            sound.append((rows, _request(schema, reader, rows, scope.tenant.currency)))
        except Unreadable as error:
            outcomes.append(Outcome(rows[0][0], reader.reference(rows[0][1]), "refused", str(error)))
    placed = _place(scope, [request for _, request in sound])
    for (rows, request), result in zip(sound, placed, strict=True):
        outcomes.append(_placed(rows, request["external_ref"], result))
    return sorted(outcomes, key=lambda one: one.row)


def _request(schema: Schema, reader: Reader, rows: Sequence[Row], currency: str) -> dict[str, Any]:
    if not reader.reference(rows[0][1]):
        raise Unreadable("It has no reference. Every row needs the number of its order.")
    if len(rows) > MOST_LINES:
        raise Unreadable(f"It has more than {MOST_LINES} lines.")
    body, reference_date = bodies.order_request(reader, rows, currency)
    request = _loaded(schema, body, rows)
    if reference_date is not None:
        request["reference_date"] = date.fromisoformat(reference_date)
    return request


def _place(scope: Scope, requests: list[dict[str, Any]]) -> list[Placed]:
    """Place them together; when somebody takes the same stock meanwhile, in halves.

    Locks of an earlier half are kept, so two imports may wait for each other: the database ends one of them
    and its slice is run again.
    """
    if not requests:
        return []
    try:
        with attempt(scope):
            return place(scope, requests)
    except Contended:
        if len(requests) == 1:
            raise
        half = len(requests) // 2
        return _place(scope, requests[:half]) + _place(scope, requests[half:])


def _placed(rows: Sequence[Row], reference: str, result: Placed) -> Outcome:
    row = rows[0][0]
    if result.problem is not None:
        return Outcome(row, reference, "refused", said(result.problem, rows))
    assert result.order is not None
    return Outcome(row, reference, "created" if result.status == 201 else "existing", "", result.order["id"])


# ---- rows that stand alone


@dataclass(frozen=True)
class _Kind:
    """How one kind of row is read and written."""

    body: Callable[[Reader, Sequence[str], str], tuple[str, dict[str, Any]]]
    schema: type[Schema]
    put: Callable[[Scope, dict[str, dict[str, Any]]], Mapping[str, bool]]
    table: str


KINDS = {
    "skus": _Kind(bodies.sku_body, SkuIn, put_skus, "skus"),
    "nodes": _Kind(bodies.node_body, NodeIn, put_nodes, "nodes"),
}


def load(scope: Scope, import_id: UUID, reader: Reader, rows: Sequence[Row]) -> list[Outcome]:
    """Put SKUs or nodes, or adjust stock."""
    if reader.kind == "stock":
        return _stock(scope, reader, rows)
    kind = KINDS[reader.kind]
    schema = kind.schema()
    outcomes: list[Outcome] = []
    sound: dict[str, tuple[int, dict[str, Any]]] = {}
    named = _named_before(scope, import_id, [reader.reference(cells) for _, cells in rows])
    for row, cells in rows:
        code = reader.reference(cells)
        try:
            reader.check(cells)
            first = named.get(code) or (sound[code][0] if code in sound else None)
            if first is not None:
                outcomes.append(
                    Outcome(row, code, "existing", f"Row {first} of this file names it; that one stands.")
                )
                continue
            code, body = kind.body(reader, cells, scope.tenant.currency)
            if not code:
                raise Unreadable("It has no code.")
            sound[code] = (row, _loaded(schema, body))
        except Unreadable as error:
            outcomes.append(Outcome(row, code, "refused", str(error)))
    outcomes += _put(scope, kind, sound)
    return sorted(outcomes, key=lambda one: one.row)


def _named_before(scope: Scope, import_id: UUID, codes: list[str]) -> dict[str, int]:
    """Row of this file that took each code already."""
    rows = scope.rows(
        "SELECT reference, min(row) AS row FROM import_rows WHERE tenant_id = :tenant AND import_id = :import"
        " AND outcome <> 'refused' AND reference = ANY(:codes) GROUP BY reference",
        **{"import": import_id},
        codes=sorted(set(codes)),
    )
    return {row.reference: row.row for row in rows}


def _put(scope: Scope, kind: _Kind, sound: dict[str, tuple[int, dict[str, Any]]]) -> list[Outcome]:
    """All at once; when one is refused, one by one, so that only that one is."""
    if not sound:
        return []
    try:
        with attempt(scope):
            fresh = kind.put(scope, {code: body for code, (_, body) in sound.items()})
    except Problem as problem:
        if len(sound) == 1:
            ((code, (row, _)),) = sound.items()
            return [Outcome(row, code, "refused", said(problem))]
        return [outcome for code, one in sound.items() for outcome in _put(scope, kind, {code: one})]
    return [
        Outcome(row, code, "created")
        if fresh[code]
        else Outcome(row, code, "existing", "It was there; it is now as this row says.")
        for code, (row, _) in sound.items()
    ]


def _stock(scope: Scope, reader: Reader, rows: Sequence[Row]) -> list[Outcome]:
    """Adjust stock, row by row in one batch; a row that is refused stands alone."""
    schema = StockAdjustmentIn()
    outcomes: list[Outcome] = []
    sound: list[tuple[int, dict[str, Any]]] = []
    for row, cells in rows:
        try:
            reader.check(cells)
            _, body = bodies.stock_body(reader, cells, scope.tenant.currency)
            sound.append((row, _loaded(schema, body)))
        except Unreadable as error:
            outcomes.append(Outcome(row, reader.reference(cells), "refused", str(error)))
    outcomes += _adjusted(scope, sound)
    return sorted(outcomes, key=lambda one: one.row)


def _adjusted(scope: Scope, sound: Sequence[tuple[int, dict[str, Any]]]) -> list[Outcome]:
    """All at once; when one is refused, in halves, so that only that one is."""
    if not sound:
        return []
    try:
        with attempt(scope):
            adjust(scope, [one for _, one in sound])
    except Problem as problem:
        if len(sound) > 1:
            half = len(sound) // 2
            return _adjusted(scope, sound[:half]) + _adjusted(scope, sound[half:])
        row, one = sound[0]
        return [Outcome(row, _place_name(one), "refused", said(problem))]
    return [Outcome(row, _place_name(one), "created") for row, one in sound]


def _place_name(one: Mapping[str, Any]) -> str:
    return f"{one['sku']} at {one['node']}"


def _loaded(schema: Schema, body: dict[str, Any], rows: Sequence[Row] = ()) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(body)
    except ValidationError as error:
        raise Unreadable(
            _listed([(one.pointer, one.message) for one in field_errors(error)], rows)
        ) from error
    return loaded


@contextmanager
def attempt(scope: Scope) -> Iterator[None]:
    """A part of the transaction that may fail alone."""
    scope.execute("SAVEPOINT part")
    try:
        yield
    except (Problem, Contended):
        scope.execute("ROLLBACK TO SAVEPOINT part")
        raise
    scope.execute("RELEASE SAVEPOINT part")


def said(problem: Problem, rows: Sequence[Row] = ()) -> str:
    """A refusal as one text for the report; `rows` are the lines of an order."""
    if not problem.errors:
        return problem.detail
    return _listed([(one.pointer, one.message) for one in problem.errors], rows)


def _listed(errors: Sequence[tuple[str, str]], rows: Sequence[Row] = ()) -> str:
    """Field errors as one text for the report: at most three; `rows` are the lines of an order."""
    shown = [f"{_place_words(pointer, rows)}: {_said(message)}" for pointer, message in errors[:3]]
    more = f" And {len(errors) - 3} more." if len(errors) > 3 else ""
    return " ".join(shown) + more


def _place_words(pointer: str, rows: Sequence[Row]) -> str:
    """A pointer into the request as a reader of the file knows it: /lines/1/sku is the second row's SKU."""
    first, _, rest = pointer.strip("/").partition("/")
    at, _, field = rest.partition("/")
    if first == "lines" and at.isdecimal() and int(at) < len(rows):
        return f"Row {rows[int(at)][0]}{f', {field}' if field else ''}".replace("_", " ")
    return pointer.strip("/").replace("/", " ").replace("_", " ")


def _said(message: str) -> str:
    """The remedy of an API call as the remedy of a file."""
    return message.replace("PUT it first", "Add it first")
