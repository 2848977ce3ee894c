"""What Home shows, each part one set-based statement: promises, orders per hour, exceptions, work, stock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.calendar import end_of_day
from app.orders.standing import KEPT, LATE, LIVE, RISK
from app.payments.rules import HOLD_HOURS
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


EXCEPTIONS = f"""
WITH late_lines AS (
    SELECT p.order_id, min(p.deadline) AS by, count(*) AS lines,
        (array_agg(l.title ORDER BY p.deadline, l.position))[1] AS title,
        sum(l.total - l.value_shipped - l.value_cancelled) AS value, bool_or(p.deadline <= :now) AS missed
    FROM promises p JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id
    WHERE p.tenant_id = :tenant AND p.state IN ('open', 'consent_definite')
      AND (p.deadline <= :now OR (l.backordered > 0 AND {RISK}))
    GROUP BY 1
), held AS (
    SELECT h.order_id, h.kind, h.reason, h.placed_at, (SELECT min(p.deadline) FROM promises p
        WHERE p.tenant_id = :tenant AND p.order_id = h.order_id AND {LIVE}) AS by
    FROM order_holds h WHERE h.tenant_id = :tenant AND h.released_at IS NULL
), refused AS (
    SELECT DISTINCT ON (f.order_id) f.order_id, f.node, f.reject_reason
    FROM order_lines l
    JOIN fulfillment_order_lines fl ON fl.tenant_id = :tenant AND fl.order_line_id = l.id AND fl.released > 0
    JOIN fulfillment_orders f ON f.tenant_id = :tenant AND f.id = fl.fulfillment_order_id
        AND f.reject_reason IS NOT NULL
    WHERE l.tenant_id = :tenant AND l.backordered > 0 AND NOT EXISTS (SELECT 1 FROM routing_exceptions e
        WHERE e.tenant_id = :tenant AND e.order_id = l.order_id AND e.state = 'open')
    ORDER BY f.order_id, f.answered_at DESC NULLS LAST
), uncaptured AS (
    SELECT e.order_id, max(e.error) AS error, min(e.at) AS since, sum(e.amount) AS value FROM ledger_entries e
    WHERE e.tenant_id = :tenant AND e.outcome = 'pending' AND e.kind = 'capture' AND e.authorization_id IS NULL
      AND e.error_code IS NOT NULL
    GROUP BY 1
), found AS (
    SELECT 'hold' AS what, order_id, kind AS about, reason AS text, NULL::bigint AS value,
        CASE WHEN kind = 'payment' THEN placed_at + :payment_wait ELSE by END AS by FROM held
    WHERE kind <> 'payment' OR order_id NOT IN (SELECT order_id FROM uncaptured)
    UNION ALL
    SELECT CASE WHEN missed THEN 'missed' ELSE 'risk' END, order_id, title, lines::text, value, by FROM late_lines
    WHERE missed OR order_id NOT IN (SELECT order_id FROM refused)
    UNION ALL
    SELECT 'refused', r.order_id, n.name, r.reject_reason, NULL, NULL FROM refused r
    JOIN nodes n ON n.tenant_id = :tenant AND n.code = r.node
    UNION ALL
    SELECT 'stuck', order_id, kind, reason, NULL, NULL FROM routing_exceptions
    WHERE tenant_id = :tenant AND state = 'open' AND kind <> 'cancel'
    UNION ALL
    SELECT 'notice', order_id, kind, coalesce(error, ''), NULL, created_at + interval '1 day' FROM notices
    WHERE tenant_id = :tenant AND state IN ('bounced', 'failed') AND created_at > :recent
    UNION ALL
    SELECT 'capture', order_id, '', coalesce(error, ''), value, since + interval '1 day' FROM uncaptured
    UNION ALL
    SELECT 'refund', order_id, cause, '', amount, due_at FROM refunds_due
    WHERE tenant_id = :tenant AND proven_at IS NULL AND (alarm > 0 OR due_at < :soon)
)
SELECT f.what, f.order_id, f.about, f.text, coalesce(f.value, o.total) AS value, f.by, o.number, o.currency,
    o.customer->>'name' AS customer, count(*) OVER () AS total
FROM found f JOIN orders o ON o.tenant_id = :tenant AND o.id = f.order_id
ORDER BY f.by NULLS FIRST, o.number LIMIT :most
"""


def exceptions(scope: Scope, now: datetime, most: int = 8) -> tuple[list[Any], int]:
    """What needs a person, the most urgent first, and how many there are in all. `by` None: at once."""
    rows = scope.rows(
        EXCEPTIONS,
        now=now,
        recent=now - timedelta(days=30),
        soon=now + timedelta(days=2),
        payment_wait=timedelta(hours=_hold_hours(scope)),
        most=most,
    )
    return rows, rows[0].total if rows else 0


def _hold_hours(scope: Scope) -> float:
    return float(scope.tenant.settings.get("payment_hold_hours", HOLD_HOURS))


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
    """SKUs that sold in the last 14 days and will be gone soonest at that pace, with units waiting for stock."""
    return scope.rows(
        """
        SELECT s.code, s.title, sold.units AS sold, coalesce(stock.units, 0) AS can_sell,
            coalesce(waiting.units, 0) AS waiting, coalesce(stock.units, 0) * CAST(:days AS float) / sold.units AS cover
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
