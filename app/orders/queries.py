"""Reads of orders: whole documents in a fixed number of statements, however many orders."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.orders.moves import spoken
from app.orders.refusals import Refused, refused
from app.orders.shapes import Row, grouped, order_document, promise_document, work_document
from app.routing import replays
from app.routing.configuration import configuration
from app.routing.explanations import explain_table
from app.shapes import instant, money
from infra.errors import invalid, not_found
from tenants.scope import Scope

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def documents(scope: Scope, ids: list[UUID]) -> list[dict[str, Any]]:
    """Orders as the API shows them, in the order of `ids`; those not there are left out."""
    if not ids:
        return []
    orders = {row["id"]: row for row in _all(scope, "orders", "id", ids)}
    lines = grouped(_all(scope, "order_lines", "order_id", ids, "position"), "order_id")
    promises = grouped(_all(scope, "promises", "order_id", ids), "order_id")
    holds = grouped(
        [row for row in _all(scope, "order_holds", "order_id", ids) if row["released_at"] is None], "order_id"
    )
    work = grouped(work_rows(scope, "order_id", ids), "order_id")
    return [
        order_document(
            orders[one],
            lines=lines.get(one, []),
            promises=promises.get(one, []),
            work=work.get(one, []),
            holds=holds.get(one, []),
        )
        for one in ids
        if one in orders
    ]


def document(scope: Scope, order_id: UUID) -> dict[str, Any]:
    """One order. Raises Problem 404."""
    found = documents(scope, [order_id])
    if not found:
        raise not_found("order")
    return found[0]


def work_rows(scope: Scope, column: str, ids: list[UUID]) -> list[Row]:
    """Fulfillment orders with their lines and shipments: four statements."""
    work = _all(scope, "fulfillment_orders", column, ids, "created_at, length(number), number")
    if not work:
        return []
    own = [row["id"] for row in work]
    lines = grouped(
        _in_line_order(scope, "fulfillment_order_lines", "fulfillment_order_id", own), "fulfillment_order_id"
    )
    shipments = _all(scope, "shipments", "fulfillment_order_id", own)
    sent = [row["id"] for row in shipments]
    parts = (
        grouped(_in_line_order(scope, "shipment_lines", "shipment_id", sent), "shipment_id") if sent else {}
    )
    by_work = grouped(
        [{**row, "lines": parts.get(row["id"], [])} for row in shipments], "fulfillment_order_id"
    )
    return [
        {**row, "lines": lines.get(row["id"], []), "shipments": by_work.get(row["id"], [])} for row in work
    ]


def work_documents(scope: Scope, ids: list[UUID]) -> list[dict[str, Any]]:
    """Fulfillment orders as the API shows them, in the order of `ids`."""
    rows = {row["id"]: row for row in work_rows(scope, "id", ids)}
    addresses = {
        row["id"]: row["ship_to"]
        for row in _all(scope, "orders", "id", list({row["order_id"] for row in rows.values()}))
    }
    return [work_document(rows[one], addresses[rows[one]["order_id"]]) for one in ids if one in rows]


def _in_line_order(scope: Scope, table: str, column: str, ids: list[UUID]) -> list[Row]:
    """Rows that point at order lines, in the order's own order."""
    return [
        dict(row._mapping)
        for row in scope.rows(
            f"SELECT t.* FROM {table} t JOIN order_lines l ON l.tenant_id = :tenant AND l.id = t.order_line_id"
            f" WHERE t.tenant_id = :tenant AND t.{column} = ANY(:ids) ORDER BY l.position, t.id",
            ids=ids,
        )
    ]


def _all(scope: Scope, table: str, column: str, ids: list[UUID], order: str = "id") -> list[Row]:
    return [
        dict(row._mapping)
        for row in scope.rows(
            f"SELECT * FROM {table} WHERE tenant_id = :tenant AND {column} = ANY(:ids) ORDER BY {order}",
            ids=ids,
        )
    ]


STATUS_WHERE = {
    "shipped": "o.status = 'closed'",
    "cancelled": "o.status = 'cancelled'",
    "partly_shipped": "o.status = 'placed' AND c.shipped > 0",
    "backordered": "o.status = 'placed' AND c.shipped = 0 AND c.allocated = 0",
    "in_progress": "o.status = 'placed' AND c.shipped = 0 AND c.allocated > 0 AND {begun}",
    "unfulfilled": "o.status = 'placed' AND c.shipped = 0 AND c.allocated > 0 AND NOT {begun}",
}
"""rules.fulfillment_status, as conditions: an order ends as soon as none of its units is open."""
BEGUN = (
    "EXISTS (SELECT 1 FROM fulfillment_orders f WHERE f.tenant_id = :tenant AND f.order_id = o.id"
    " AND f.work_status IN ('picking', 'packed'))"
)
COUNTED = (
    " CROSS JOIN LATERAL (SELECT sum(l.shipped) AS shipped, sum(l.allocated) AS allocated FROM order_lines l"
    " WHERE l.tenant_id = :tenant AND l.order_id = o.id) c"
)
PLAIN = {
    "status": "o.status = :status",
    "channel": "o.channel = :channel",
    "external_ref": "o.external_ref = :external_ref",
    "number": "o.number = :number",
    "email": "lower(o.customer->>'email') = lower(:email)",
    "sku": "o.id IN (SELECT l.order_id FROM order_lines l WHERE l.tenant_id = :tenant AND l.sku_id = :sku)",
    "placed_from": "o.placed_at >= :placed_from",
    "placed_to": "o.placed_at < :placed_to",
    "hold": "EXISTS (SELECT 1 FROM order_holds h WHERE h.tenant_id = :tenant AND h.order_id = o.id"
    " AND h.released_at IS NULL AND :hold IN (h.kind, 'any'))",
}


def listed(scope: Scope, filters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of orders, newest first, with a fixed number of statements. Raises Problem 422 for a bad cursor or a
    channel that is not there."""
    where, values = ["o.tenant_id = :tenant"], dict[str, Any](limit=filters["limit"] + 1)
    for name, condition in PLAIN.items():
        if filters.get(name) is not None:
            where.append(condition)
            values[name] = filters[name]
    if "number" in values:
        values["number"] = int(values["number"].removeprefix("K-"))
    if "sku" in values:
        values["sku"] = _sku_id(scope, values["sku"])
    wanted = filters.get("fulfillment_status")
    if wanted:
        where.append(STATUS_WHERE[wanted].format(begun=BEGUN))
    if filters.get("after"):
        where.append("(o.placed_at, o.id) < (:placed, :after)")
        values["placed"], values["after"] = _position(filters["after"])
    found = scope.rows(
        f"SELECT o.id, o.placed_at FROM orders o{COUNTED if wanted else ''} WHERE {' AND '.join(where)}"
        " ORDER BY o.placed_at DESC, o.id DESC LIMIT :limit",
        **values,
    )
    if not found and "channel" in values:
        _check_channel(scope, values["channel"])
    shown = found[: filters["limit"]]
    return {
        "data": documents(scope, [row.id for row in shown]),
        "next": _cursor(shown[-1]) if len(found) > len(shown) else None,
    }


def _check_channel(scope: Scope, code: str) -> None:
    """Asked only of a page without orders: any order names a channel that is there."""
    known = [
        row.code for row in scope.rows("SELECT code FROM channels WHERE tenant_id = :tenant ORDER BY code")
    ]
    if code not in known:
        raise invalid("/channel", f"There is no channel {code}. There are: {', '.join(known)}.")


def _sku_id(scope: Scope, code: str) -> UUID | None:
    """Asked apart, so that the planner knows how many lines the SKU has: few are read by it, many from the newest
    order on."""
    row = scope.row("SELECT id FROM skus WHERE tenant_id = :tenant AND code = :code", code=code)
    return row.id if row is not None else None


def _cursor(row: Any) -> str:
    """Where a page ends: the moment in microseconds and the id, opaque to callers."""
    micros = (row.placed_at - EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(micros.to_bytes(8, "big", signed=True) + row.id.bytes).decode().rstrip("=")


def _position(after: str) -> tuple[datetime, UUID]:
    try:
        raw = urlsafe_b64decode(after + "=" * (-len(after) % 4))
        micros = int.from_bytes(raw[:8], "big", signed=True)
        return EPOCH + timedelta(microseconds=micros), UUID(bytes=raw[8:])
    except (ValueError, OverflowError) as error:
        raise invalid("/after", "Send the `next` of an earlier page, unchanged.") from error


def timeline(scope: Scope, order_id: UUID) -> dict[str, Any]:
    """What happened to an order, oldest first. Raises Problem 404."""
    _there(scope, order_id)
    rows = scope.rows(
        "SELECT id, name, at, actor, data FROM timeline WHERE tenant_id = :tenant AND order_id = :order"
        " ORDER BY id",
        order=order_id,
    )
    return {"data": [{**row._mapping, "id": str(row.id), "at": instant(row.at)} for row in rows]}


def routing(scope: Scope, order_id: UUID, *, replayed: bool = False) -> dict[str, Any]:
    """The decision in force with its candidates, and the earlier ones. An order with several destinations has a
    decision for each of them, made at one moment: they are shown as one. `replayed`: each is decided once more, and
    without each of its constraints. Raises Problem 404."""
    _there(scope, order_id)
    rows = scope.rows(
        "SELECT made_at, cause, rule_version, plan, explanation, sentence, input_hash, inputs FROM routing_decisions"
        " WHERE tenant_id = :tenant AND order_id = :order ORDER BY made_at DESC, id",
        order=order_id,
    )
    if not rows:
        return {
            "plan": [],
            "refused": [],
            "exception": None,
            "candidates": [],
            "rule_version": None,
            "sentence": "",
            "cause": None,
            "made_at": None,
            "earlier": [],
            "reasons": [],
            "replay": [] if replayed else None,
        }
    now = [row for row in rows if row.made_at == rows[0].made_at]
    network = configuration(scope).network
    currency = scope.tenant.currency
    names = dict(zip(network.codes, network.names, strict=True))
    plan = [one for row in now for one in row.plan]
    since = refused(scope, order_id, rows[0].made_at)
    said = [spoken(row.cause, row.explanation, row.sentence, names) for row in now]
    if since.refusals:
        said.insert(0, f"{since.words(plan)} As it was decided:")
    candidates = [one for row in now for one in explain_table(row.explanation, network, currency)]
    return {
        **_decision(rows[0]),
        "plan": plan,
        **_left(since),
        "sentence": " ".join(said),
        "candidates": [
            {
                "node": one.code,
                "name": one.name,
                "outcome": one.outcome,
                "packages": one.packages,
                "miles": one.miles,
                "against": one.against,
            }
            for one in candidates
        ],
        "earlier": [_decision(row) for row in rows[len(now) :]],
        "reasons": [replays.reasons(row.explanation) for row in now],
        "replay": [{**_decision(row), **replays.replay(scope, row)} for row in rows] if replayed else None,
    }


def _left(since: Refused) -> dict[str, Any]:
    one = since.exception
    return {
        "refused": [
            {"node": each.node, "reason": each.reason, "units": each.units, "at": instant(each.at)}
            for each in since.refusals
        ],
        "exception": None
        if one is None
        else {"id": str(one.id), "kind": one.kind, "reason": one.reason, "opened_at": instant(one.opened_at)},
    }


def _decision(row: Any) -> dict[str, Any]:
    return {
        "made_at": instant(row.made_at),
        "cause": row.cause,
        "sentence": row.sentence,
        "rule_version": row.rule_version,
        "plan": row.plan,
    }


def ledger(scope: Scope, order_id: UUID) -> dict[str, Any]:
    """Every attempt against the order's tenders, oldest first. Raises Problem 404."""
    _there(scope, order_id)
    rows = scope.rows(
        "SELECT e.id, t.kind AS tender, t.currency, e.kind, e.amount, e.outcome, e.reference, e.at"
        " FROM ledger_entries e JOIN tenders t ON t.tenant_id = :tenant AND t.id = e.tender_id"
        " WHERE e.tenant_id = :tenant AND e.order_id = :order ORDER BY e.id",
        order=order_id,
    )
    return {
        "data": [
            {
                "id": str(row.id),
                "tender": row.tender,
                "kind": row.kind,
                "amount": money(row.amount, row.currency),
                "outcome": row.outcome,
                "reference": row.reference,
                "at": instant(row.at),
            }
            for row in rows
        ]
    }


def promises(scope: Scope, order_id: UUID) -> dict[str, Any]:
    """What the buyer was told about each line, and on what basis. Raises Problem 404."""
    _there(scope, order_id)
    rows = scope.rows(
        "SELECT p.*, l.sku FROM promises p"
        " JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id"
        " WHERE p.tenant_id = :tenant AND p.order_id = :order ORDER BY l.position",
        order=order_id,
    )
    return {
        "data": [
            {
                **promise_document(row._mapping),
                "line": str(row.order_line_id),
                "sku": row.sku,
                "made_at": instant(row.made_at),
                "original_deadline": instant(row.original_deadline),
                "evidence": row.evidence,
            }
            for row in rows
        ]
    }


def _there(scope: Scope, order_id: UUID) -> None:
    if scope.row("SELECT id FROM orders WHERE tenant_id = :tenant AND id = :id", id=order_id) is None:
        raise not_found("order")
