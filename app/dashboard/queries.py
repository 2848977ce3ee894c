"""What Home shows, each part one set-based statement: promises, orders per hour, work, stock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.calendar import end_of_day
from app.inbound.queries import COMING
from app.orders.standing import KEPT, LATE, LIVE, RISK
from tenants.scope import Scope

HORIZONS = (("tonight", 0), ("week", 6), ("month", 29))
"""A promise strip looks at today; a merchant with nothing due today is shown the week, then the month."""
SALES_DAYS = 14
SHORT_COVER_DAYS = 14
GROUPS = {
    "Web": ("web", "social", "api"),
    "Marketplace": ("marketplace",),
    "Phone": ("phone", "broadcast"),
    "Store": ("store",),
    "App": ("phone_app", "tablet_app"),
    "Mail and EDI": ("mail", "email", "edi"),
}
"""Kinds of channels as Home groups them, in the fixed order of the charts."""


@dataclass(frozen=True)
class Strip:
    """Lines promised through the last day of a horizon, by how they stand."""

    horizon: str
    until: date
    kept: int
    due: int
    risk: int
    late: int
    next_risk: datetime | None
    """The last second in which a delay notice of a line at risk may go out."""

    @property
    def total(self) -> int:
        """All lines of the strip."""
        return self.kept + self.due + self.risk + self.late


def start_of_day(day: date, zone: str) -> datetime:
    """The first instant of a day in a zone."""
    return end_of_day(day - timedelta(days=1), zone)


def strip(scope: Scope, now: datetime) -> Strip:
    """The promises of the nearest horizon that has any; lines late from before are always counted."""
    zone = scope.tenant.timezone
    today = now.astimezone(ZoneInfo(zone)).date()
    ends = {name: end_of_day(today + timedelta(days=days), zone) for name, days in HORIZONS}
    counts = ", ".join(
        f"count(*) FILTER (WHERE stands = '{state}' AND deadline <= :{name}) AS {state}_{name}"
        for name, _ in HORIZONS
        for state in ("kept", "due", "risk", "late")
    )
    row = scope.row(
        f"""
        SELECT {counts}, min(deadline) FILTER (WHERE stands = 'risk') - interval '1 second' AS next_risk FROM (
            SELECT p.deadline, CASE WHEN {LATE} THEN 'late' WHEN {RISK} THEN 'risk' ELSE 'due' END AS stands
            FROM promises p WHERE p.tenant_id = :tenant AND {LIVE} AND p.deadline <= :month
            UNION ALL
            SELECT p.deadline, 'kept' FROM promises p
            WHERE p.tenant_id = :tenant AND p.deadline > :start AND p.deadline <= :month AND {KEPT}
        ) lines
        """,
        now=now,
        start=start_of_day(today, zone),
        **ends,
    )
    assert row is not None
    found = row._mapping
    for name, days in HORIZONS:
        figures = {state: found[f"{state}_{name}"] for state in ("kept", "due", "risk", "late")}
        if sum(figures.values()) or name == "month":
            return Strip(name, today + timedelta(days=days), next_risk=row.next_risk, **figures)
    raise AssertionError("the last horizon always returns")


@dataclass(frozen=True)
class Hours:
    """Orders of today by hour and group of channels, beside those of the same weekday last week."""

    hours: list[int]
    series: list[tuple[str, str, list[int]]]
    """(group, color, orders per hour); groups without any order are left out."""
    last_week: list[int]
    so_far: int
    so_far_last_week: int


def orders_per_hour(scope: Scope, now: datetime) -> Hours:
    """Today's orders through the running hour, in the tenant's zone and business time."""
    zone = scope.tenant.timezone
    local = now.astimezone(ZoneInfo(zone))
    before = local.date() - timedelta(days=7)
    rows = scope.rows(
        """
        SELECT day, kind, extract(hour FROM placed_at AT TIME ZONE :zone)::int AS hour, count(*) AS orders,
            count(*) FILTER (WHERE placed_at < :week_ago) AS so_far
        FROM (
            SELECT 'today' AS day, channel, placed_at FROM orders
            WHERE tenant_id = :tenant AND placed_at >= :start AND placed_at < :end
            UNION ALL
            SELECT 'before', channel, placed_at FROM orders
            WHERE tenant_id = :tenant AND placed_at >= :start_before AND placed_at < :end_before
        ) o JOIN channels c ON c.tenant_id = :tenant AND c.code = o.channel
        GROUP BY 1, 2, 3
        """,
        zone=zone,
        start=start_of_day(local.date(), zone),
        end=end_of_day(local.date(), zone),
        start_before=start_of_day(before, zone),
        end_before=end_of_day(before, zone),
        week_ago=now - timedelta(days=7),
    )
    hours = list(range(local.hour + 1))
    group_of = {kind: name for name, kinds in GROUPS.items() for kind in kinds}
    today = {name: [0] * 24 for name in GROUPS}
    last_week, so_far_before = [0] * 24, 0
    for row in rows:
        if row.day == "today":
            today[group_of[row.kind]][row.hour] += row.orders
        else:
            last_week[row.hour] += row.orders
            so_far_before += row.so_far
    return Hours(
        hours,
        [
            (name, f"c{at}", counts[: len(hours)])
            for at, (name, counts) in enumerate(today.items(), 1)
            if any(counts)
        ],
        last_week[: len(hours)],
        sum(map(sum, today.values())),
        so_far_before,
    )


def stock_cases(scope: Scope, most: int = 4) -> list[Any]:
    """Open differences of counts, the oldest first."""
    return scope.rows(
        """
        SELECT k.id, k.kind, k.expected, k.counted, k.opened_at, s.code AS sku, s.title, n.name AS node,
            count(*) OVER () AS total
        FROM stock_cases k
        JOIN skus s ON s.tenant_id = :tenant AND s.id = k.sku_id
        JOIN nodes n ON n.tenant_id = :tenant AND n.id = k.node_id
        WHERE k.tenant_id = :tenant AND k.state = 'open' ORDER BY k.opened_at LIMIT :most
        """,
        most=most,
    )


def work_per_node(scope: Scope, now: datetime) -> list[Any]:
    """Nodes with their open work, the busiest first. `used` is open work over the packages of a day."""
    return scope.rows(
        """
        SELECT n.code, n.name, n.kind, n.latitude, n.longitude, n.capacity_per_day, n.open,
            coalesce(w.work, 0) AS work, coalesce(w.over, 0) AS over,
            CASE WHEN n.capacity_per_day > 0 THEN coalesce(w.work, 0)::float / n.capacity_per_day END AS used
        FROM nodes n LEFT JOIN (
            SELECT node_id, count(*) AS work, count(*) FILTER (WHERE promised_by <= :now) AS over
            FROM fulfillment_orders WHERE tenant_id = :tenant AND work_status IN ('open', 'picking', 'packed')
              AND request_status IN ('submitted', 'accepted', 'cancel_requested')
            GROUP BY 1) w ON w.node_id = n.id
        WHERE n.tenant_id = :tenant ORDER BY work DESC, n.code
        """,
        now=now,
    )


def running_out(scope: Scope, now: datetime, most: int = 6) -> list[Any]:
    """SKUs that sold in the last 14 days and will be gone soonest at that pace, with units that wait for stock, units
    that are to come and the first day any is due."""
    return scope.rows(
        f"""
        SELECT s.code, s.title, sold.units AS sold, coalesce(stock.units, 0) AS can_sell,
            coalesce(waiting.units, 0) AS waiting, coming.units AS coming, coming.next_on,
            coalesce(stock.units, 0) * CAST(:days AS float) / sold.units AS cover
        FROM (
            SELECT l.sku_id, sum(l.ordered - l.cancelled) AS units
            FROM orders o JOIN order_lines l ON l.tenant_id = :tenant AND l.order_id = o.id
            WHERE o.tenant_id = :tenant AND o.placed_at >= :since AND o.placed_at <= :now
              AND l.kind IN ('stock', 'preorder', 'gift_card_physical')
            GROUP BY 1 HAVING sum(l.ordered - l.cancelled) > 0) sold
        JOIN skus s ON s.tenant_id = :tenant AND s.id = sold.sku_id
        LEFT JOIN (SELECT sku_id, sum(greatest(on_hand - reserved - safety, 0)) AS units FROM stock_positions
            WHERE tenant_id = :tenant AND disposition = 'sellable' GROUP BY 1) stock ON stock.sku_id = s.id
        LEFT JOIN (SELECT sku_id, sum(quantity) AS units FROM reservations
            WHERE tenant_id = :tenant AND supply = 'none' GROUP BY 1) waiting ON waiting.sku_id = s.id
        LEFT JOIN ({COMING.format(skus="true")}) coming ON coming.sku = s.id
        WHERE coalesce(stock.units, 0) * CAST(:days AS float) / sold.units < :short
        ORDER BY cover, sold.units DESC LIMIT :most
        """,
        since=now - timedelta(days=SALES_DAYS),
        now=now,
        days=SALES_DAYS,
        short=SHORT_COVER_DAYS,
        most=most,
    )


def is_new(scope: Scope) -> bool:
    """Whether the merchant has no order yet: Home then says what to do first."""
    return scope.row("SELECT 1 FROM orders WHERE tenant_id = :tenant LIMIT 1") is None
