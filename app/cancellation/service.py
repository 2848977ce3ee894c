"""The verbs of cancellation: an order, a line or a part of one, at any moment before it ships.

What no node has accepted is canceled at once. What a node has accepted is asked back: the units stay allocated
until the provider answers, and a shipment that is reported first wins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from app.allocation.service import Stock, release_all, release_waiting
from app.calendar import local_date
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
from app.promises.records import note
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
PROMISES_END = """
UPDATE promises p SET state = CASE WHEN l.shipped > 0 THEN 'shipped' ELSE 'cancelled' END, due_at = NULL,
    vested_at = coalesce(p.vested_at, :now), vests_on = coalesce(p.vests_on, :today)
FROM order_lines l WHERE l.tenant_id = :tenant AND l.id = p.order_line_id AND p.tenant_id = :tenant
    AND p.order_line_id = ANY(:lines) AND l.allocated + l.backordered = 0
    AND p.state NOT IN ('shipped', 'not_covered') AND l.cancelled > 0
RETURNING p.order_line_id, p.vested_at = :now AND p.regimes ? 'us_federal' AND l.covered AS now
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

    Effects: counters, value canceled, reservations and stock, promises, work, the order's end. Records
    ORDER_CANCELLED when with this the whole order is canceled, else LINES_CANCELLED for what is canceled now,
    and WORK_CANCEL_REQUESTED for each provider asked. Raises Problem 404, 409, 422.
    """
    order = lock(scope, order_id)
    if order.status != "placed":
        raise refused(f"order-{order.status}", f"The order is {order.status}: nothing of it can be canceled.")
    own, work = _rows(scope, LINES, order_id), _rows(scope, WORK, order_id)
    _take_back(scope, order, own, work, rules.plan(own, work, _wanted(own, lines)), reason)
    return {**document(scope, order_id), "pending": pending(scope, order_id)}


def cancel_lines(scope: Scope, order: Any, line_ids: Collection[UUID], reason: str) -> None:
    """Cancel all that is open of these lines and not asked for already, whatever becomes of the rest. The caller
    holds the order."""
    own, work = _rows(scope, LINES, order.id), _rows(scope, WORK, order.id)
    wanted = {
        line["id"]: None
        for line in own
        if line["id"] in line_ids
        and rules.cancellable(line, [one for one in work if one["order_line_id"] == line["id"]])
    }
    if order.status == "placed" and wanted:
        _take_back(scope, order, own, work, rules.plan(own, work, wanted), reason)


def _take_back(
    scope: Scope, order: Any, own: list[Row], work: list[Row], plan: rules.Plan, reason: str
) -> None:
    units = dict(plan.waiting)
    for one in work:
        if one["id"] in plan.withdrawn:
            units[one["order_line_id"]] = units.get(one["order_line_id"], 0) + plan.withdrawn[one["id"]]
    if plan.waiting:
        release_waiting(scope, plan.waiting, why=reason)
    release_all(scope, plan.withdrawn, back_to="cancelled", stock="free", why=reason)
    _end_work(scope, {one["fulfillment_order_id"] for one in work if one["id"] in plan.withdrawn}, reason)
    _ask(scope, order.id, [one for one in work if one["id"] in plan.asked], plan.asked, reason)
    if units:
        _book(scope, order.id, order.status, own, units, reason)


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
    """The provider gives back the units asked for: they are canceled now. Raises Problem 404, 409."""
    work = locked(scope, work_id)
    work_rules.check("answer", work["request_status"], work["work_status"])
    own = work_lines(scope, work_id)
    asked = {one["id"]: one["order_line_id"] for one in own if one["cancel_requested"]}
    by_law = reasons(scope, work["order_id"])
    reason = next((by_law[line] for line in asked.values() if line in by_law), "cancelled")
    _give_back(scope, work, own, asked, "free", reason)
    return work_documents(scope, [work_id])[0]


def reasons(scope: Scope, order_id: UUID) -> dict[UUID, str]:
    """Why lines of the order were canceled by law, in words for the buyer."""
    rows = scope.rows(
        "SELECT order_line_id, data->>'case' AS ended FROM promise_events WHERE tenant_id = :tenant"
        " AND order_id = :order AND kind IN ('ended', 'ended_by_buyer') ORDER BY id",
        order=order_id,
    )
    return {row.order_line_id: rules.reason_of(row.ended) for row in rows}


def take_unanswered(scope: Scope, work_id: UUID, line_ids: Collection[UUID], reason: str) -> None:
    """Cancel the units of these order lines that were asked for, without the provider's answer. They are on hold
    until somebody counts: nobody knows whether they have left."""
    work = locked(scope, work_id)
    own = work_lines(scope, work_id)
    asked = {one["id"] for one in own if one["cancel_requested"] and one["order_line_id"] in line_ids}
    if asked:
        _give_back(scope, work, own, asked, "on_hold", reason)


def _give_back(
    scope: Scope, work: dict[str, Any], own: list[Row], asked: Collection[UUID], stock: Stock, reason: str
) -> None:
    """Cancel the units that these lines of the work were asked for."""
    given = {line["id"]: line["cancel_requested"] for line in own if line["id"] in asked}
    before = _rows(scope, LINES, work["order_id"])
    _forget_requests(scope, given)
    release_all(scope, given, back_to="cancelled", stock=stock, why=reason)
    units: dict[UUID, int] = {}
    for line in own:
        if line["id"] in given:
            line["cancel_requested"] = 0
            line["released"] += given[line["id"]]
            units[line["order_line_id"]] = units.get(line["order_line_id"], 0) + given[line["id"]]
    settle(scope, work, own, why=reason)
    tell(scope, work["order_id"], WORK_CANCELLED, work=str(work["id"]), node=work["node"])
    _book(scope, work["order_id"], work["order_status"], before, units, reason)


def refuse(scope: Scope, work_id: UUID, reason: str) -> dict[str, Any]:
    """The provider keeps the units: it is too late. The work goes on. Raises Problem 404, 409; `cancelled-by-law`
    when nobody has the choice any more."""
    work = locked(scope, work_id)
    work_rules.check("answer", work["request_status"], work["work_status"])
    own = work_lines(scope, work_id)
    rules.check_refusable(_vested(scope, work["order_id"], {one["order_line_id"] for one in own}))
    _forget_requests(scope, [one["id"] for one in own])
    transition(scope, REQUEST, work_id, "cancel_requested", "accepted", why=reason)
    tell(scope, work["order_id"], WORK_CANCEL_REFUSED, work=str(work_id), node=work["node"], reason=reason)
    return work_documents(scope, [work_id])[0]


def _vested(scope: Scope, order_id: UUID, line_ids: Collection[UUID]) -> list[str]:
    """SKUs of the lines that are canceled by law."""
    rows = scope.rows(
        "SELECT l.sku FROM promises p JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id"
        " WHERE p.tenant_id = :tenant AND p.order_id = :order AND p.order_line_id = ANY(:lines)"
        " AND p.vested_at IS NOT NULL ORDER BY l.position",
        order=order_id,
        lines=list(line_ids),
    )
    return [row.sku for row in rows]


def _forget_requests(scope: Scope, work_line_ids: Collection[UUID]) -> None:
    scope.execute(
        "UPDATE fulfillment_order_lines SET cancel_requested = 0 WHERE tenant_id = :tenant AND id = ANY(:ids)",
        ids=list(work_line_ids),
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
    """The money, the promises and the order's end, after the units of `before` were canceled."""
    told = []
    for line in before:
        count = units.get(line["id"], 0)
        if count:
            value = share(line["total"], count, line["shipped"] + line["cancelled"], line["ordered"])
            told.append({"id": str(line["id"]), "sku": line["sku"], "quantity": count, "value": value})
    scope.execute(
        VALUES, doc=orjson.dumps([{"id": one["id"], "value": one["value"]} for one in told]).decode()
    )
    vests_on = _end_promises(scope, order_id, units)
    open_units, shipped = rules.ends(_rows(scope, LINES, order_id))
    after = finish(scope, order_id, status, open_units=open_units, shipped=shipped)
    name = ORDER_CANCELLED if after == "cancelled" else LINES_CANCELLED
    value = sum(one["value"] for one in told)
    gone = sum(line["value_cancelled"] for line in before) + value
    record(scope, order_id, name, reason=reason, lines=told, value=value, gone=gone, vests_on=vests_on)


def _end_promises(scope: Scope, order_id: UUID, units: Mapping[UUID, int]) -> date:
    """Promises of which nothing is open have ended, now where the law has not ended them before (435.2(b)(4)). Returns
    the seller's day from which the refund of these units counts: the earliest of theirs, else today."""
    now = scope.now()
    today = local_date(now, scope.tenant.timezone)
    ended = scope.rows(
        PROMISES_END,
        lines=list(units),
        now=now,
        today=today,
    )
    granted = {
        row.order_line_id: {"case": "c4", "units": units[row.order_line_id]} for row in ended if row.now
    }
    note(scope, order_id, "ended", now, granted, key=f"c4:{now.isoformat()}")
    vested = scope.row(
        "SELECT min(vests_on) AS day FROM promises WHERE tenant_id = :tenant AND order_line_id = ANY(:lines)",
        lines=list(units),
    )
    return today if vested is None or vested.day is None else vested.day


def _rows(scope: Scope, sql: str, order_id: UUID) -> list[Row]:
    return [dict(row._mapping) for row in scope.rows(sql, order=order_id)]
