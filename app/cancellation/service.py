"""The verbs of cancellation: an order, a line or a part of one, at any moment before it ships.

What no node has accepted is cancelled at once. What a node has accepted is asked back: the units stay allocated
until the provider answers, and a shipment that is reported first wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from app.allocation.service import release_all, release_waiting
from app.cancellation import rules
from app.events import (
    LINES_CANCELLED,
    ORDER_CANCELLED,
    WORK_CANCEL_REFUSED,
    WORK_CANCEL_REQUESTED,
    WORK_CANCELLED,
    record,
    tell,
)
from app.fulfillment import rules as work_rules
from app.fulfillment.queries import locked
from app.fulfillment.service import work_lines
from app.fulfillment.shipments import settle
from app.money import share
from app.orders.queries import document, work_documents
from app.orders.service import finish, lock
from app.shapes import identifier
from app.transitions import REQUEST, transition
from infra.errors import invalid, refused
from tenants.scope import Scope

Row = dict[str, Any]
LINES = "SELECT * FROM order_lines WHERE tenant_id = :tenant AND order_id = :order ORDER BY position"
WORK = """
SELECT w.*, f.request_status FROM fulfillment_order_lines w
JOIN fulfillment_orders f ON f.tenant_id = :tenant AND f.id = w.fulfillment_order_id
WHERE w.tenant_id = :tenant AND f.order_id = :order AND f.work_status IN ('open', 'picking', 'packed')
ORDER BY f.id, w.id FOR UPDATE OF f
"""
VALUES = """
UPDATE order_lines l SET value_cancelled = l.value_cancelled + c.value
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS c(id uuid, value bigint)
WHERE l.tenant_id = :tenant AND l.id = c.id
"""


def cancel(
    scope: Scope, order_id: UUID, lines: Sequence[Mapping[str, Any]] | None, reason: str
) -> dict[str, Any]:
    """Cancel units ({id, quantity?} per line; None = everything open). Returns the Order with `pending`: the
    units whose providers were asked.

    Effects: counters, value cancelled, reservations and stock, promises, work, the order's end. Records
    ORDER_CANCELLED when with this the whole order is cancelled, else LINES_CANCELLED for what is cancelled now,
    and WORK_CANCEL_REQUESTED for each provider asked. Raises Problem 404, 409, 422.
    """
    order = lock(scope, order_id)
    if order.status != "placed":
        raise refused(
            f"order-{order.status}", f"The order is {order.status}: nothing of it can be cancelled."
        )
    own, work = _rows(scope, LINES, order_id), _rows(scope, WORK, order_id)
    plan = rules.plan(own, work, _wanted(own, lines))
    units = dict(plan.waiting)
    for one in work:
        if one["id"] in plan.withdrawn:
            units[one["order_line_id"]] = units.get(one["order_line_id"], 0) + plan.withdrawn[one["id"]]
    if plan.waiting:
        release_waiting(scope, plan.waiting, why=reason)
    release_all(scope, plan.withdrawn, back_to="cancelled", stock="free", why=reason)
    _end_work(scope, {one["fulfillment_order_id"] for one in work if one["id"] in plan.withdrawn}, reason)
    _ask(scope, order_id, [one for one in work if one["id"] in plan.asked], plan.asked, reason)
    if units:
        _book(scope, order_id, order.status, own, units, reason)
    return {**document(scope, order_id), "pending": pending(scope, order_id)}


def pending(scope: Scope, order_id: UUID) -> list[dict[str, Any]]:
    """Units that wait for a provider's answer, by line."""
    return [
        {"id": str(row.order_line_id), "sku": row.sku, "quantity": row.units, "node": row.node}
        for row in scope.rows(
            "SELECT w.order_line_id, w.sku, w.cancel_requested AS units, f.node FROM fulfillment_order_lines w"
            " JOIN fulfillment_orders f ON f.tenant_id = :tenant AND f.id = w.fulfillment_order_id"
            " WHERE w.tenant_id = :tenant AND f.order_id = :order AND w.cancel_requested > 0 ORDER BY w.id",
            order=order_id,
        )
    ]


def accept(scope: Scope, work_id: UUID) -> dict[str, Any]:
    """The provider gives back the units asked for: they are cancelled now. Raises Problem 404, 409."""
    work = locked(scope, work_id)
    work_rules.check("answer", work["request_status"], work["work_status"])
    own = work_lines(scope, work_id)
    given = {line["id"]: line["cancel_requested"] for line in own if line["cancel_requested"]}
    before = _rows(scope, LINES, work["order_id"])
    _forget_requests(scope, work_id)
    release_all(scope, given, back_to="cancelled", stock="free", why="cancelled")
    units: dict[UUID, int] = {}
    for line in own:
        line["cancel_requested"] = 0
        line["released"] += given.get(line["id"], 0)
        if line["id"] in given:
            units[line["order_line_id"]] = units.get(line["order_line_id"], 0) + given[line["id"]]
    settle(scope, work, own, why="cancelled")
    tell(scope, work["order_id"], WORK_CANCELLED, work=str(work_id), node=work["node"])
    _book(scope, work["order_id"], work["order_status"], before, units, "cancelled")
    return work_documents(scope, [work_id])[0]


def refuse(scope: Scope, work_id: UUID, reason: str) -> dict[str, Any]:
    """The provider keeps the units: it is too late. The work goes on. Raises Problem 404, 409."""
    work = locked(scope, work_id)
    work_rules.check("answer", work["request_status"], work["work_status"])
    _forget_requests(scope, work_id)
    transition(scope, REQUEST, work_id, "cancel_requested", "accepted", why=reason)
    tell(scope, work["order_id"], WORK_CANCEL_REFUSED, work=str(work_id), node=work["node"], reason=reason)
    return work_documents(scope, [work_id])[0]


def _forget_requests(scope: Scope, work_id: UUID) -> None:
    scope.execute(
        "UPDATE fulfillment_order_lines SET cancel_requested = 0"
        " WHERE tenant_id = :tenant AND fulfillment_order_id = :work",
        work=work_id,
    )


def _wanted(own: Sequence[Row], lines: Sequence[Mapping[str, Any]] | None) -> dict[UUID, int | None] | None:
    if lines is None:
        return None
    known = {line["id"] for line in own}
    wanted: dict[UUID, int | None] = {}
    for at, line in enumerate(lines):
        line_id = identifier(line["id"])
        if line_id not in known:
            raise invalid(f"/lines/{at}/id", "The order has no line with this id.")
        if line_id in wanted:
            raise invalid(f"/lines/{at}/id", "Name each line once.")
        wanted[line_id] = line.get("quantity")
    return wanted


def _end_work(scope: Scope, work_ids: set[UUID], reason: str) -> None:
    """Close the work from which units were taken back, when nothing of it is left."""
    for work_id in sorted(work_ids):
        work = locked(scope, work_id)
        settle(scope, work, work_lines(scope, work_id), why=reason)
        if work["request_status"] == "closed":
            tell(scope, work["order_id"], WORK_CANCELLED, work=str(work_id), node=work["node"])


def _ask(scope: Scope, order_id: UUID, lines: Sequence[Row], asked: Mapping[UUID, int], reason: str) -> None:
    """Ask the providers; their units stay allocated until they answer."""
    scope.many(
        "UPDATE fulfillment_order_lines SET cancel_requested = cancel_requested + :units"
        " WHERE tenant_id = :tenant AND id = :id",
        [{"id": line["id"], "units": asked[line["id"]]} for line in lines],
    )
    statuses = {line["fulfillment_order_id"]: line["request_status"] for line in lines}
    for work_id, status in sorted(statuses.items()):
        if status == "accepted":
            transition(scope, REQUEST, work_id, status, "cancel_requested", why=reason)
        tell(scope, order_id, WORK_CANCEL_REQUESTED, work=str(work_id), reason=reason)


def _book(
    scope: Scope,
    order_id: UUID,
    status: str,
    before: Sequence[Row],
    units: Mapping[UUID, int],
    reason: str,
) -> None:
    """The money, the promises and the order's end, after the units of `before` were cancelled."""
    told = []
    for line in before:
        count = units.get(line["id"], 0)
        if count:
            value = share(line["total"], count, line["shipped"] + line["cancelled"], line["ordered"])
            told.append({"id": str(line["id"]), "sku": line["sku"], "quantity": count, "value": value})
    scope.execute(
        VALUES, doc=orjson.dumps([{"id": one["id"], "value": one["value"]} for one in told]).decode()
    )
    scope.execute(
        "UPDATE promises p SET state = CASE WHEN l.shipped > 0 THEN 'shipped' ELSE 'cancelled' END"
        " FROM order_lines l WHERE l.tenant_id = :tenant AND l.id = p.order_line_id AND p.tenant_id = :tenant"
        " AND p.order_line_id = ANY(:lines) AND l.allocated + l.backordered = 0"
        " AND p.state NOT IN ('shipped', 'cancelled', 'not_covered')",
        lines=list(units),
    )
    open_units, shipped = rules.ends(_rows(scope, LINES, order_id))
    after = finish(scope, order_id, status, open_units=open_units, shipped=shipped)
    name = ORDER_CANCELLED if after == "cancelled" else LINES_CANCELLED
    record(scope, order_id, name, reason=reason, lines=told, value=sum(one["value"] for one in told))


def _rows(scope: Scope, sql: str, order_id: UUID) -> list[Row]:
    return [dict(row._mapping) for row in scope.rows(sql, order=order_id)]
