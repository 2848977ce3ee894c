"""Inbound orders as the API and the pages show them; a fixed number of statements, however many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.calendar import local_date
from app.inbound.queries import records
from app.inbound.rules import revision, standing
from app.network.rules import code_error
from app.shapes import cursor, page
from infra.errors import not_found
from tenants.scope import Scope

STILL = """EXISTS (SELECT 1 FROM inbound_lines x WHERE x.tenant_id = :tenant AND x.inbound_order_id = o.id
    AND x.received < x.quantity)"""
OVERDUE = """EXISTS (SELECT 1 FROM inbound_lines x WHERE x.tenant_id = :tenant AND x.inbound_order_id = o.id
    AND x.received < x.quantity AND x.expected_on < CAST(CAST(:now AS timestamptz) AT TIME ZONE n.timezone AS date))"""
VIEWS = {
    "open": f"o.cancelled_at IS NULL AND {STILL}",
    "late": f"o.cancelled_at IS NULL AND {OVERDUE}",
    "received": f"o.cancelled_at IS NULL AND NOT {STILL}",
    "cancelled": "o.cancelled_at IS NOT NULL",
}
"""Conditions over `inbound_orders o` at `nodes n`; `:now` is business time."""
SEARCHED = """(o.reference ILIKE :like OR o.supplier ILIKE :like OR EXISTS (SELECT 1 FROM inbound_lines x
    JOIN skus y ON y.tenant_id = :tenant AND y.id = x.sku_id WHERE x.tenant_id = :tenant AND x.inbound_order_id = o.id
    AND upper(y.code) = upper(:q)))"""
ORDERS = """
SELECT o.*, n.code AS node, n.name AS node_name, n.kind AS node_kind, n.timezone,
    (SELECT min(x.expected_on) FROM inbound_lines x WHERE x.tenant_id = :tenant AND x.inbound_order_id = o.id
        AND x.received < x.quantity) AS next_on
FROM inbound_orders o JOIN nodes n ON n.tenant_id = :tenant AND n.id = o.node_id
WHERE o.tenant_id = :tenant {where} ORDER BY {order} LIMIT :limit
"""
LINES = """
SELECT i.*, s.code AS sku, s.title FROM inbound_lines i JOIN skus s ON s.tenant_id = :tenant AND s.id = i.sku_id
WHERE i.tenant_id = :tenant AND i.inbound_order_id = ANY(:orders) ORDER BY i.inbound_order_id, s.code
"""
RECEIPTS = """
SELECT inbound_order_id, receipt, lines, actor, at FROM inbound_receipts
WHERE tenant_id = :tenant AND inbound_order_id = ANY(:orders) ORDER BY at, id
"""
MOST_COUNTED = 10_000
COUNTED = ", ".join(
    "(SELECT count(*) FROM (SELECT 1 FROM inbound_orders o JOIN nodes n ON n.tenant_id = :tenant AND n.id = o.node_id"
    f" WHERE o.tenant_id = :tenant AND {sql} LIMIT :most) x) AS {name}"
    for name, sql in VIEWS.items()
)
NEWEST, SOONEST = "o.id DESC", "next_on NULLS LAST, o.id"


def listed(scope: Scope, filters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of inbound orders by schemas.InboundListIn, newest first."""
    where, values = [], dict[str, Any]()
    for clause, name, value in (
        ("o.id < :after", "after", cursor(filters.get("after"))),
        ("n.code = :node", "node", filters.get("node")),
        ("o.supplier = :supplier", "supplier", filters.get("supplier")),
        (_brings(), "sku", filters.get("sku")),
    ):
        if value is not None:
            where.append(clause)
            values[name] = value
    if filters.get("state"):
        where.append(VIEWS[filters["state"]])
    limit = filters["limit"]
    return page(found(scope, where, values, NEWEST, limit + 1), limit)


def _brings() -> str:
    return """EXISTS (SELECT 1 FROM inbound_lines x JOIN skus y ON y.tenant_id = :tenant AND y.id = x.sku_id
        WHERE x.tenant_id = :tenant AND x.inbound_order_id = o.id AND y.code = :sku)"""


def found(
    scope: Scope, where: list[str], values: Mapping[str, Any], order: str, most: int
) -> list[dict[str, Any]]:
    """At most so many inbound orders, whole."""
    conditions = "".join(f" AND {clause}" for clause in where)
    given = dict(values) | ({"now": scope.now()} if ":now" in conditions else {})
    rows = scope.rows(ORDERS.format(where=conditions, order=order), limit=most, **given)
    ids = [row.id for row in rows]
    lines: dict[UUID, list[Any]] = {}
    receipts: dict[UUID, list[Any]] = {}
    if ids:
        for one in scope.rows(LINES, orders=ids):
            lines.setdefault(one.inbound_order_id, []).append(one._mapping)
        for one in scope.rows(RECEIPTS, orders=ids):
            receipts.setdefault(one.inbound_order_id, []).append(one._mapping)
    known = records(scope, {row.supplier for row in rows})
    return [
        _shown(scope, row._mapping, lines.get(row.id, []), receipts.get(row.id, []), known.get(row.supplier))
        for row in rows
    ]


def one(scope: Scope, reference: str) -> dict[str, Any]:
    """One inbound order. Raises Problem 404."""
    rows = [] if code_error(reference) else found(scope, ["o.reference = :r"], {"r": reference}, NEWEST, 1)
    if not rows:
        raise not_found("inbound order")
    return rows[0]


def counts(scope: Scope) -> dict[str, int]:
    """Inbound orders in each view, counted to MOST_COUNTED: that many stands for as many or more."""
    row = scope.row(f"SELECT {COUNTED}", now=scope.now(), most=MOST_COUNTED)
    return dict(row._mapping) if row is not None else {}


def exists(scope: Scope, reference: str) -> bool:
    """Whether an inbound order has this reference."""
    return bool(
        scope.rows(
            "SELECT 1 FROM inbound_orders WHERE tenant_id = :tenant AND reference = :reference",
            reference=reference,
        )
    )


def waiting_orders(scope: Scope, line_ids: list[UUID], most: int) -> list[Any]:
    """The orders of these lines, the earliest promise first, and how many there are."""
    return scope.rows(
        """
        SELECT o.id, o.number, o.customer->>'name' AS customer, min(p.expected_ship_at) AS expected,
            min(p.deadline) AS deadline, count(*) OVER () AS orders
        FROM order_lines l JOIN orders o ON o.tenant_id = :tenant AND o.id = l.order_id
        JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
        WHERE l.tenant_id = :tenant AND l.id = ANY(:lines)
        GROUP BY o.id, o.number, o.customer ORDER BY min(p.deadline), o.number LIMIT :most
        """,
        lines=line_ids,
        most=most,
    )


def _shown(
    scope: Scope, row: Mapping[str, Any], lines: list[Any], receipts: list[Any], record: Any
) -> dict[str, Any]:
    today = local_date(scope.now(), row["timezone"])
    return {
        **{name: row[name] for name in ("reference", "supplier", "node", "ordered_on", "cancelled_at")},
        "id": str(row["id"]),
        "node_name": row["node_name"],
        "node_kind": row["node_kind"],
        "next_on": row["next_on"],
        "revision": revision(row, lines),
        "state": standing(row, lines, today),
        "lines": [_line(line, today, cancelled=row["cancelled_at"] is not None) for line in lines],
        "receipts": [dict(one) for one in receipts],
        "record": record,
    }


def _line(line: Mapping[str, Any], today: Any, *, cancelled: bool) -> dict[str, Any]:
    still = 0 if cancelled else line["quantity"] - line["received"]
    names = (
        "sku_id",
        "sku",
        "title",
        "quantity",
        "received",
        "expected_on",
        "first_expected_on",
        "received_at",
    )
    return {
        **{name: line[name] for name in names},
        "open": still,
        "late": bool(still) and line["expected_on"] is not None and line["expected_on"] < today,
    }
