"""The list of orders: saved views, filters, search, sort and pages by cursor; a fixed number of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.calendar import end_of_day
from app.orders.shapes import grouped
from app.orders.standing import LATE, LIVE, RISK, SQL
from app.searching import escaped, order_number
from infra.ids import first_id_at
from tenants.scope import Scope

PAGE_SIZE = 50
MOST_COUNTED = 10_000
COLUMNS = (
    "o.id, o.number, o.status, o.channel, o.customer, o.ship_to, o.total, o.currency, o.placed_at, o.buyer_zone,"
    " o.external_ref, o.reference_date, o.items_total, o.discounts_total, o.charges_total, o.tax_total,"
    " o.captured_total, o.refunded_total, o.source_code"
)
SORTS = {"placed": "o.placed_at", "number": "o.number", "total": "o.total"}
KINDS: dict[str, Callable[[str], Any]] = {"placed": datetime.fromisoformat, "number": int, "total": int}
PLACED_DAYS = {"today": 0, "7d": 6, "30d": 29, "90d": 89}
DUE_DAYS = {"tonight": 0, "week": 6, "month": 29}
VIEWS = {
    "open": "All open",
    "attention": "Needs attention",
    "risk": "At risk",
    "late": "Late",
    "waiting": "Waiting",
    "hold": "On hold",
    "shipped": "Shipped today",
    "all": "All",
}


def _among(orders: str) -> str:
    """The condition that an order is among those of a subquery. OFFSET 0 has the subquery worked out once, by its
    own indexes, whatever the planner guesses of its size."""
    return f"o.id IN (SELECT order_id FROM ({orders} OFFSET 0) among)"


_AT_RISK = f"SELECT p.order_id FROM promises p WHERE p.tenant_id = :tenant AND {RISK}"
_LATE = f"SELECT p.order_id FROM promises p WHERE p.tenant_id = :tenant AND {LATE}"
_HELD = "SELECT h.order_id FROM order_holds h WHERE h.tenant_id = :tenant AND h.released_at IS NULL"
_WAITING = "SELECT l.order_id FROM order_lines l WHERE l.tenant_id = :tenant AND l.backordered > 0"
# A shipment is recorded after it happened, and its id tells when: the primary key finds today's.
_SHIPPED = (
    "SELECT s.order_id FROM shipments s WHERE s.tenant_id = :tenant AND s.id >= :first_today"
    " AND s.shipped_at >= :today"
)
IN_VIEW = {
    "open": "o.status = 'placed'",
    "attention": f"o.status = 'placed' AND {_among(f'{_HELD} UNION {_LATE}')}",
    "risk": _among(_AT_RISK),
    "late": _among(_LATE),
    "waiting": _among(_WAITING),
    "hold": _among(_HELD),
    "shipped": _among(_SHIPPED),
    "all": "true",
}
COUNTS = f"""
SELECT (SELECT count(*) FROM orders WHERE tenant_id = :tenant AND status = 'placed') AS open,
    (SELECT count(DISTINCT order_id) FROM ({_HELD} UNION ALL {_LATE}) a) AS attention,
    (SELECT count(DISTINCT order_id) FROM ({_AT_RISK}) r) AS risk,
    (SELECT count(DISTINCT order_id) FROM ({_LATE}) l) AS late,
    (SELECT count(DISTINCT order_id) FROM ({_WAITING}) w) AS waiting,
    (SELECT count(DISTINCT order_id) FROM ({_HELD}) h) AS hold,
    (SELECT count(DISTINCT order_id) FROM ({_SHIPPED}) s) AS shipped
"""


@dataclass(frozen=True)
class Filters:
    """What the address asks for."""

    view: str = "open"
    q: str = ""
    channels: tuple[str, ...] = ()
    placed: str = ""
    promise: str = ""
    due: str = ""
    node: str = ""
    sort: str = "placed"
    descending: bool = True
    after: str = ""
    before: str = ""

    @classmethod
    def read(cls, args: Any) -> Filters:
        """From a query string; what is not known falls back to the default."""
        sort = args.get("sort", "-placed")
        key = sort.removeprefix("-")
        return cls(
            view=_known(args.get("view", ""), VIEWS, "open"),
            q=args.get("q", "").replace("\x00", "").strip()[:200],
            channels=tuple(one.replace("\x00", "") for one in args.getlist("channel"))[:20],
            placed=_known(args.get("placed", ""), PLACED_DAYS, ""),
            promise=_known(args.get("promise", ""), SQL, ""),
            due=_known(args.get("due", ""), DUE_DAYS, ""),
            node=args.get("node", "").replace("\x00", "")[:100],
            sort=key if key in SORTS else "placed",
            descending=sort.startswith("-") if key in SORTS else True,
            after=args.get("after", ""),
            before=args.get("before", ""),
        )

    @property
    def narrowed(self) -> bool:
        """Whether anything beside the view narrows the list."""
        return bool(self.q or self.channels or self.placed or self.promise or self.due or self.node)


def _known(value: str, table: Mapping[str, Any], default: str) -> str:
    return value if value in table else default


@dataclass
class Page:
    """One page of orders as rows for the list."""

    rows: list[dict[str, Any]]
    first: str = ""
    last: str = ""
    has_before: bool = False
    has_after: bool = False


@dataclass
class _Where:
    clauses: list[str] = field(default_factory=lambda: ["o.tenant_id = :tenant"])
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, clause: str, **values: Any) -> None:
        self.clauses.append(clause)
        self.values |= values

    def __str__(self) -> str:
        return " AND ".join(self.clauses)


def counts(scope: Scope, now: datetime) -> dict[str, int]:
    """How many orders each view shows, in one statement; `all` is not counted."""
    row = scope.row(COUNTS, **_moments(scope, now))
    assert row is not None
    return dict(row._mapping)


def total(scope: Scope, filters: Filters, now: datetime) -> int | None:
    """How many orders the filters leave; None when it is more than anybody counts."""
    where = _where(scope, filters, now)
    row = scope.row(
        f"SELECT count(*) AS n FROM (SELECT 1 FROM orders o WHERE {where} LIMIT :most) found",
        most=MOST_COUNTED + 1,
        **where.values,
    )
    return None if row is None or row.n > MOST_COUNTED else row.n


def page(scope: Scope, filters: Filters, now: datetime, limit: int = PAGE_SIZE) -> Page:
    """A page of orders with their lines, promises, holds and nodes: five statements, six when text is searched."""
    where = _where(scope, filters, now)
    column = SORTS[filters.sort]
    backward = bool(filters.before)
    cursor = _cursor(filters.sort, filters.before or filters.after)
    descending = filters.descending != backward
    if cursor is not None:
        where.add(
            f"({column}, o.id) {'<' if descending else '>'} (:at, :at_id)", at=cursor[0], at_id=cursor[1]
        )
    order = "DESC" if descending else "ASC"
    found = scope.rows(
        f"SELECT o.*, c.name AS channel_name, c.kind AS channel_kind FROM (SELECT {COLUMNS} FROM orders o"
        f" WHERE {where} ORDER BY {column} {order}, o.id {order} LIMIT :limit) o"
        " JOIN channels c ON c.tenant_id = :tenant AND c.code = o.channel"
        f" ORDER BY {column} {order}, o.id {order}",
        limit=limit + 1,
        **where.values,
    )
    more = len(found) > limit
    shown = [dict(row._mapping) for row in found[:limit]]
    if backward:
        shown.reverse()
    _complete(scope, shown)
    return Page(
        shown,
        _token(filters.sort, shown[0]) if shown else "",
        _token(filters.sort, shown[-1]) if shown else "",
        has_before=more if backward else cursor is not None,
        has_after=cursor is not None if backward else more,
    )


def each(scope: Scope, filters: Filters, now: datetime, size: int = 1000) -> Iterator[dict[str, Any]]:
    """Every order the filters leave, a thousand at a time."""
    at = filters
    while True:
        part = page(scope, at, now, size)
        yield from part.rows
        if not part.has_after:
            return
        at = Filters(**{**vars(filters), "after": part.last, "before": ""})


def _complete(scope: Scope, orders: list[dict[str, Any]]) -> None:
    """Give each order its lines (with promise and last shipping time), live holds and nodes."""
    ids = [order["id"] for order in orders]
    lines = grouped(_lines(scope, ids), "order_id")
    holds = grouped(
        _mapped(
            scope.rows(
                "SELECT order_id, kind, reason FROM order_holds WHERE tenant_id = :tenant"
                " AND order_id = ANY(:ids) AND released_at IS NULL ORDER BY placed_at",
                ids=ids,
            )
        ),
        "order_id",
    )
    nodes = grouped(
        _mapped(
            scope.rows(
                "SELECT DISTINCT f.order_id, n.name FROM fulfillment_orders f JOIN nodes n"
                " ON n.tenant_id = :tenant AND n.id = f.node_id WHERE f.tenant_id = :tenant"
                " AND f.order_id = ANY(:ids) AND f.work_status <> 'cancelled' AND f.request_status <> 'rejected'"
                " ORDER BY 1, 2",
                ids=ids,
            )
        ),
        "order_id",
    )
    for order in orders:
        order["lines"] = lines.get(order["id"], [])
        order["holds"] = holds.get(order["id"], [])
        order["nodes"] = [row["name"] for row in nodes.get(order["id"], [])]


def _lines(scope: Scope, ids: list[UUID]) -> list[dict[str, Any]]:
    return _mapped(
        scope.rows(
            """
            SELECT l.order_id, l.id, l.sku, l.ordered, l.cancelled, l.backordered, l.allocated, l.shipped,
                p.state, p.deadline, p.original_deadline, p.original_date, p.expected_ship_at, gone.at AS shipped_at
            FROM order_lines l
            LEFT JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
            LEFT JOIN LATERAL (SELECT max(s.shipped_at) AS at FROM shipment_lines sl
                JOIN shipments s ON s.tenant_id = :tenant AND s.id = sl.shipment_id
                WHERE sl.tenant_id = :tenant AND sl.order_line_id = l.id AND l.shipped > 0) gone ON true
            WHERE l.tenant_id = :tenant AND l.order_id = ANY(:ids) ORDER BY l.order_id, l.position
            """,
            ids=ids,
        )
    )


def _mapped(rows: list[Any]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]


def _moments(scope: Scope, now: datetime) -> dict[str, Any]:
    """Business time now, the tenant's midnight, and the smallest id a row written since then can have."""
    zone = scope.tenant.timezone
    midnight = _days_ago(now, 0, zone)
    earliest = midnight - timedelta(seconds=scope.tenant.clock_offset)
    return {"now": now, "today": midnight, "first_today": first_id_at(earliest)}


def _days_ago(now: datetime, days: int, zone: str) -> datetime:
    """Midnight of a day in the tenant's zone."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return end_of_day(today - timedelta(days=days + 1), zone)


def _where(scope: Scope, filters: Filters, now: datetime) -> _Where:
    zone = scope.tenant.timezone
    where = _Where(values=_moments(scope, now))
    where.add(IN_VIEW[filters.view])
    if filters.q:
        _search(scope, where, filters.q)
    if filters.channels:
        where.add("o.channel = ANY(:channels)", channels=list(filters.channels))
    if filters.placed:
        where.add("o.placed_at >= :since", since=_days_ago(now, PLACED_DAYS[filters.placed], zone))
    if filters.promise or filters.due:
        _promise(where, filters, now, zone)
    if filters.node:
        open_only = "" if filters.view == "all" else " AND f.work_status IN ('open', 'picking', 'packed')"
        where.add(
            _among(
                "SELECT f.order_id FROM fulfillment_orders f WHERE f.tenant_id = :tenant AND f.node = :node"
                f" AND f.work_status <> 'cancelled' AND f.request_status <> 'rejected'{open_only}"
            ),
            node=filters.node,
        )
    return where


def _promise(where: _Where, filters: Filters, now: datetime, zone: str) -> None:
    clauses = [SQL[filters.promise] if filters.promise else LIVE]
    if filters.due:
        today = now.astimezone(ZoneInfo(zone)).date()
        clauses.append("p.deadline <= :due")
        where.values["due"] = end_of_day(today + timedelta(days=DUE_DAYS[filters.due]), zone)
        if filters.promise == "kept":
            clauses.append("p.deadline > :today")
    conditions = " AND ".join(clauses)
    where.add(_among(f"SELECT p.order_id FROM promises p WHERE p.tenant_id = :tenant AND {conditions}"))


MEANT = """
SELECT (SELECT array_agg(code) FROM channels WHERE tenant_id = :tenant) AS channels,
    (SELECT array_agg(id) FROM (SELECT id FROM customers WHERE tenant_id = :tenant AND (name ILIKE :like
        OR email ILIKE :like OR (:digits <> '' AND regexp_replace(phone, '[^0-9]', '', 'g') LIKE :phone))
        LIMIT :most) u) AS customers,
    (SELECT array_agg(id) FROM skus WHERE tenant_id = :tenant AND upper(code) = upper(:q)) AS skus
"""
MOST_CUSTOMERS = 500


def _search(scope: Scope, where: _Where, text: str) -> None:
    """By number, the channel's own number, email, name or phone of the buyer, or SKU.

    First what the text means is looked up, so that only arms that can find something are searched.
    """
    digits = "".join(char for char in text if char.isdigit())
    digits = digits if len(digits) >= 7 else ""
    meant = scope.row(
        MEANT, q=text, like=f"%{escaped(text)}%", digits=digits, phone=f"%{digits}%", most=MOST_CUSTOMERS
    )
    assert meant is not None
    arms = [
        "SELECT x.id AS order_id FROM orders x WHERE x.tenant_id = :tenant AND x.channel = ANY(:every_channel)"
        " AND x.external_ref = :q",
        "SELECT x.id FROM orders x WHERE x.tenant_id = :tenant AND lower(x.customer->>'email') = lower(:q)",
    ]
    values: dict[str, Any] = {"q": text, "every_channel": meant.channels or []}
    number = order_number(text)
    if number is not None:
        arms.append("SELECT x.id FROM orders x WHERE x.tenant_id = :tenant AND x.number = :number")
        values["number"] = number
    if meant.customers:
        arms.append("SELECT x.id FROM orders x WHERE x.tenant_id = :tenant AND x.customer_id = ANY(:people)")
        values["people"] = meant.customers
    if meant.skus:
        arms.append(
            "SELECT l.order_id FROM order_lines l WHERE l.tenant_id = :tenant AND l.sku_id = ANY(:goods)"
        )
        values["goods"] = meant.skus
    where.add(_among(f"SELECT order_id FROM ({' UNION '.join(arms)}) arms"), **values)


def _token(sort: str, row: Mapping[str, Any]) -> str:
    value = {"placed": row["placed_at"], "number": row["number"], "total": row["total"]}[sort]
    return f"{value.isoformat() if isinstance(value, datetime) else value}~{row['id'].hex}"


def _cursor(sort: str, token: str) -> tuple[Any, UUID] | None:
    value, _, row_id = token.partition("~")
    try:
        return KINDS[sort](value), UUID(hex=row_id)
    except ValueError:
        return None
