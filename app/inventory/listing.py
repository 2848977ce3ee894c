"""Stock as its pages show it: items by node, and one position with the ledger behind its numbers.

Each function is one statement, however much there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.catalog.rules import STOCKED
from app.searching import escaped
from tenants.scope import Scope

PAGE = 25
MOVES = 50
MOST_EXPORTED = 200_000
MOST_HOLDERS = 20

FREE = "greatest(p.on_hand - p.reserved - p.safety, 0)"
VIEWS = {
    "all": ("All items", ""),
    "waiting": (
        "Wait for stock",
        """ AND EXISTS (SELECT 1 FROM reservations r WHERE r.tenant_id = :tenant AND r.sku_id = s.id
            AND r.supply = 'none')""",
    ),
    "out": (
        "Nothing to sell",
        """ AND NOT EXISTS (SELECT 1 FROM stock_positions p WHERE p.tenant_id = :tenant AND p.sku_id = s.id
            AND p.disposition = 'sellable' AND p.on_hand - p.reserved - p.safety > 0)""",
    ),
    "apart": (
        "Not sellable",
        """ AND EXISTS (SELECT 1 FROM stock_positions p WHERE p.tenant_id = :tenant AND p.sku_id = s.id
            AND p.disposition <> 'sellable' AND p.on_hand > 0)""",
    ),
}


@dataclass(frozen=True)
class Filters:
    """What a person asked to see; the address holds it."""

    view: str
    q: str
    node: str

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Filters:
        """From the address; what cannot be is ignored."""
        view = given.get("view", "all")
        q, node = (given.get(name, "").replace("\x00", "").strip()[:200] for name in ("q", "node"))
        return cls(view if view in VIEWS else "all", q, node)

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.q or self.node or self.view != "all")

    def where(self) -> tuple[str, dict[str, Any]]:
        """Conditions over `skus s`."""
        clauses = f"s.tenant_id = :tenant AND s.kind = ANY(:kinds){VIEWS[self.view][1]}"
        values: dict[str, Any] = {"kinds": sorted(STOCKED)}
        if self.q:
            clauses += " AND (s.code ILIKE :q OR s.title ILIKE :q)"
            values["q"] = f"%{escaped(self.q)}%"
        if self.node:
            clauses += """ AND EXISTS (SELECT 1 FROM stock_positions p JOIN nodes n ON n.tenant_id = :tenant
                AND n.id = p.node_id WHERE p.tenant_id = :tenant AND p.sku_id = s.id AND n.code = :node)"""
            values["node"] = self.node
        return clauses, values


@dataclass(frozen=True)
class Page:
    """Rows of a list, and whether there are more on either side."""

    rows: list[Any]
    has_before: bool
    has_after: bool


def items(scope: Scope, filters: Filters, after: str, before: str) -> Page:
    """Stocked SKUs in the order of their codes, after one code or before another."""
    where, values = filters.where()
    if after:
        where, values = f"{where} AND s.code > :after", values | {"after": after}
    elif before:
        where, values = f"{where} AND s.code < :before", values | {"before": before}
    backwards = bool(before and not after)
    rows = scope.rows(
        f"SELECT s.id, s.code, s.title FROM skus s WHERE {where}"
        f" ORDER BY s.code {'DESC' if backwards else ''} LIMIT :limit",
        limit=PAGE + 1,
        **values,
    )
    more, shown = len(rows) > PAGE, rows[:PAGE]
    if backwards:
        return Page(shown[::-1], has_before=more, has_after=True)
    return Page(shown, has_before=bool(after), has_after=more)


CELLS = f"""
SELECT p.sku_id, p.node_id, sum(p.on_hand) AS on_hand, sum(p.reserved) AS reserved, sum(p.safety) AS safety,
    coalesce(sum({FREE}) FILTER (WHERE p.disposition = 'sellable'), 0) AS can_sell,
    coalesce(sum(p.on_hand) FILTER (WHERE p.disposition <> 'sellable'), 0) AS apart,
    (array_agg(p.id ORDER BY p.disposition = 'sellable' DESC, p.segment = 'shared' DESC, p.id))[1] AS position
FROM stock_positions p
WHERE p.tenant_id = :tenant AND p.sku_id = ANY(:skus)
GROUP BY 1, 2
"""


def cells(scope: Scope, skus: Iterable[UUID]) -> list[Any]:
    """Stock of these SKUs by node; `position` leads to the ledger of what is sellable there."""
    return scope.rows(CELLS, skus=list(skus))


def waiting(scope: Scope, skus: Iterable[UUID]) -> dict[UUID, int]:
    """Units of these SKUs that orders wait for."""
    rows = scope.rows(
        "SELECT sku_id, sum(quantity) AS units FROM reservations WHERE tenant_id = :tenant AND supply = 'none'"
        " AND sku_id = ANY(:skus) GROUP BY 1",
        skus=list(skus),
    )
    return {row.sku_id: int(row.units) for row in rows}


def nodes(scope: Scope) -> list[Any]:
    """Every node that can hold stock, by name."""
    return scope.rows(
        "SELECT id, code, name, kind FROM nodes WHERE tenant_id = :tenant AND kind NOT IN ('virtual', 'workshop')"
        " ORDER BY name, code"
    )


def exported(scope: Scope, filters: Filters) -> list[Any]:
    """Every position of the list's items, for a file."""
    where, values = filters.where()
    at_node = " AND n.code = :node" if filters.node else ""
    return scope.rows(
        f"""
        SELECT s.code AS sku, s.title, n.code AS node, p.disposition, p.segment, p.on_hand, p.reserved, p.safety,
            CASE WHEN p.disposition = 'sellable' THEN {FREE} ELSE 0 END AS can_sell
        FROM skus s
        JOIN stock_positions p ON p.tenant_id = :tenant AND p.sku_id = s.id
        JOIN nodes n ON n.tenant_id = :tenant AND n.id = p.node_id
        WHERE {where}{at_node} ORDER BY s.code, n.code, p.disposition, p.segment LIMIT :most
        """,
        most=MOST_EXPORTED,
        **values,
    )


def beside(scope: Scope, position_id: UUID) -> list[Any]:
    """A position and all others of the same item at the same node, the sellable first, with what quotes hold of each,
    and until when at most; empty when not there."""
    return scope.rows(
        f"""
        SELECT p.*, {FREE} AS free, s.code AS sku, s.title, n.code AS node, n.name AS node_name, n.kind AS node_kind,
            q.for_quotes, q.quotes, q.quotes_until
        FROM stock_positions own
        JOIN stock_positions p ON p.tenant_id = :tenant AND p.sku_id = own.sku_id AND p.node_id = own.node_id
        JOIN skus s ON s.tenant_id = :tenant AND s.id = own.sku_id
        JOIN nodes n ON n.tenant_id = :tenant AND n.id = own.node_id
        CROSS JOIN LATERAL (SELECT CAST(coalesce(sum(h.units), 0) AS bigint) AS for_quotes, count(*) AS quotes,
                max(o.held_until) AS quotes_until
            FROM quote_holds h JOIN quotes o ON o.tenant_id = :tenant AND o.id = h.quote_id
            WHERE h.tenant_id = :tenant AND h.position_id = p.id) q
        WHERE own.tenant_id = :tenant AND own.id = :id
        ORDER BY p.disposition = 'sellable' DESC, p.disposition, p.segment = 'shared' DESC, p.segment
        """,
        id=position_id,
    )


MOVEMENTS = """
SELECT m.id, m.delta, m.cause, m.reason, m.reference, m.actor, m.at,
    :on_hand - coalesce(newer.units, 0)
        - coalesce(sum(m.delta) OVER (ORDER BY m.id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
        AS balance,
    o.id AS order_id, o.number
FROM (SELECT * FROM stock_movements WHERE tenant_id = :tenant AND position_id = :position AND id < :before
    ORDER BY id DESC LIMIT :limit) m
CROSS JOIN (SELECT sum(delta) AS units FROM stock_movements WHERE tenant_id = :tenant AND position_id = :position
    AND id >= :before) newer
LEFT JOIN shipment_lines sl ON sl.tenant_id = :tenant AND m.cause = 'shipment' AND m.reference ~ :uuid
    AND sl.id = CAST(CASE WHEN m.reference ~ :uuid THEN m.reference END AS uuid)
LEFT JOIN shipments sh ON sh.tenant_id = :tenant AND sh.id = sl.shipment_id
LEFT JOIN orders o ON o.tenant_id = :tenant AND o.id = sh.order_id
ORDER BY m.id DESC
"""
LAST = UUID(int=2**128 - 1)


def movements(scope: Scope, position_id: UUID, on_hand: int, before: UUID | None) -> Page:
    """The ledger of a position, newest first, each with the units that were there after it."""
    rows = scope.rows(
        MOVEMENTS,
        position=position_id,
        on_hand=on_hand,
        before=before or LAST,
        limit=MOVES + 1,
        uuid="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    )
    return Page(rows[:MOVES], has_before=before is not None, has_after=len(rows) > MOVES)


def holders(scope: Scope, position_id: UUID) -> list[Any]:
    """The orders that hold reserved units of a position, the earliest promise first."""
    return scope.rows(
        """
        SELECT o.id, o.number, o.customer->>'name' AS customer, sum(r.quantity) AS units, min(r.ship_by) AS ship_by,
            count(*) OVER () AS orders
        FROM reservations r
        JOIN order_lines l ON l.tenant_id = :tenant AND l.id = r.order_line_id
        JOIN orders o ON o.tenant_id = :tenant AND o.id = l.order_id
        WHERE r.tenant_id = :tenant AND r.position_id = :position
        GROUP BY o.id, o.number, o.customer ORDER BY min(r.ship_by), o.number LIMIT :most
        """,
        position=position_id,
        most=MOST_HOLDERS,
    )


def daily(scope: Scope, position_id: UUID, zone: str, since: datetime) -> dict[date, int]:
    """What movements of a position since a moment add up to, by day of the zone."""
    rows = scope.rows(
        "SELECT (at AT TIME ZONE :zone)::date AS day, sum(delta) AS units FROM stock_movements"
        " WHERE tenant_id = :tenant AND position_id = :position AND at >= :since GROUP BY 1",
        position=position_id,
        zone=zone,
        since=since,
    )
    return {row.day: int(row.units) for row in rows}


def cases(scope: Scope, state: str, before: UUID | None, *, node: str = "") -> Page:
    """Differences that a person must look at, newest first."""
    rows = scope.rows(
        f"""
        SELECT c.*, n.code AS node, n.name AS node_name, n.kind AS node_kind, s.code AS sku, s.title
        FROM stock_cases c
        JOIN skus s ON s.tenant_id = :tenant AND s.id = c.sku_id
        JOIN nodes n ON n.tenant_id = :tenant AND n.id = c.node_id
        WHERE c.tenant_id = :tenant AND c.state = :state AND c.id < :before {"AND n.code = :node" if node else ""}
        ORDER BY c.id DESC LIMIT :limit
        """,
        state=state,
        before=before or LAST,
        limit=MOVES + 1,
        **({"node": node} if node else {}),
    )
    return Page(rows[:MOVES], has_before=before is not None, has_after=len(rows) > MOVES)


def case_counts(scope: Scope) -> dict[str, int]:
    """How many differences stand in which state."""
    rows = scope.rows("SELECT state, count(*) AS cases FROM stock_cases WHERE tenant_id = :tenant GROUP BY 1")
    return {row.state: row.cases for row in rows}


def open_cases(scope: Scope, sku_id: UUID, node_id: UUID) -> list[Any]:
    """Open differences of one item at one node."""
    return scope.rows(
        "SELECT id, kind, expected, counted, opened_at FROM stock_cases WHERE tenant_id = :tenant"
        " AND state = 'open' AND sku_id = :sku AND node_id = :node ORDER BY id DESC LIMIT 5",
        sku=sku_id,
        node=node_id,
    )


def standing(scope: Scope, sku: str, node: str) -> list[Any]:
    """Positions of an item at a node, both by code, for whoever is about to adjust them."""
    return scope.rows(
        f"""
        SELECT p.disposition, p.segment, p.on_hand, p.reserved, p.safety, {FREE} AS free
        FROM skus s JOIN nodes n ON n.tenant_id = :tenant AND n.code = :node
        JOIN stock_positions p ON p.tenant_id = :tenant AND p.sku_id = s.id AND p.node_id = n.id
        WHERE s.tenant_id = :tenant AND s.code = :sku ORDER BY p.disposition = 'sellable' DESC, p.disposition, p.segment
        """,
        sku=sku,
        node=node,
    )
