"""What the console shows, over all tenants, as the operator role. Times are real time, UTC, unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.console.rules import SLOW_SECONDS
from app.searching import escaped
from infra.ids import first_id_at

LOST_AFTER = timedelta(seconds=90)
"""A question to the processor that is open for longer has lost its answer; the janitor asks again."""
VIEWS = {
    "all": "All",
    "look": "Needs a look",
    "live": "Live",
    "sandbox": "Sandbox",
    "suspended": "Suspended",
}
CONDITIONS = {
    "all": "true",
    "look": "(w.dead > 0 OR m.entries > 0 OR w.oldest < :slow)",
    "live": "t.environment = 'live'",
    "sandbox": "t.environment = 'sandbox'",
    "suspended": "t.status = 'suspended'",
}
WORK = """
    SELECT tenant_id, count(*) FILTER (WHERE state IN ('waiting', 'sent')) AS waiting,
        count(*) FILTER (WHERE state = 'sent') AS in_flight, count(*) FILTER (WHERE state = 'dead') AS dead,
        min(available_at) FILTER (WHERE state IN ('waiting', 'sent')) AS oldest
    FROM outbox WHERE state IN ('waiting', 'sent', 'dead') GROUP BY tenant_id
"""
UNSETTLED = """
    SELECT tenant_id, count(*) AS entries FROM ledger_entries
    WHERE outcome IN ('pending', 'unknown') AND (outcome = 'unknown' OR error_code IS NULL AND next_action IS NULL)
      AND asked_at < :lost GROUP BY tenant_id
"""
ORDERS_TODAY = """(SELECT count(*) FROM orders o WHERE o.tenant_id = t.tenant_id AND o.placed_at >= date_trunc('day',
        CAST(:now AS timestamptz) + make_interval(secs => t.clock_offset), 'UTC'))"""
TENANTS = f"""
WITH w AS ({WORK}), m AS ({UNSETTLED})
SELECT t.tenant_id, t.name, t.environment, t.status, t.created_at, t.clock_offset,
    coalesce(w.waiting, 0) AS waiting, coalesce(w.dead, 0) AS dead, w.oldest, coalesce(m.entries, 0) AS unsettled,
    {ORDERS_TODAY} AS orders_today,
    greatest(
        (SELECT uuid_extract_timestamp(o.id) FROM orders o WHERE o.tenant_id = t.tenant_id ORDER BY o.id DESC LIMIT 1),
        (SELECT max(k.last_used_at) FROM api_keys k WHERE k.tenant_id = t.tenant_id),
        (SELECT a.at FROM audit_entries a WHERE a.tenant_id = t.tenant_id ORDER BY a.at DESC LIMIT 1)
    ) AS last_activity
FROM tenants t LEFT JOIN w ON w.tenant_id = t.tenant_id LEFT JOIN m ON m.tenant_id = t.tenant_id
"""


def _values(now: datetime) -> dict[str, Any]:
    return {"now": now, "lost": now - LOST_AFTER, "slow": now - timedelta(seconds=SLOW_SECONDS)}


def tenants(
    session: Session,
    now: datetime,
    *,
    view: str = "all",
    q: str = "",
    after: UUID | None = None,
    most: int = 50,
) -> list[Any]:
    """Tenants by name, up to `most` and one more. `q` is a part of the name, or a whole id."""
    conditions, values = [CONDITIONS[view]], _values(now)
    if q:
        conditions.append("(t.name ILIKE :q OR t.tenant_id::text = :id)")
        values |= {"q": f"%{escaped(q)}%", "id": q.lower()}
    if after:
        conditions.append(
            "(lower(t.name), t.tenant_id) > (SELECT lower(name), tenant_id FROM tenants WHERE tenant_id = :after)"
        )
        values["after"] = after
    sql = f"{TENANTS} WHERE {' AND '.join(conditions)} ORDER BY lower(t.name), t.tenant_id LIMIT :most"
    return list(session.execute(text(sql), values | {"most": most + 1}))


def worst_tenants(session: Session, now: datetime, most: int = 6) -> list[Any]:
    """Tenants that need a look, the worst first; then the busiest."""
    order = "coalesce(w.dead, 0) DESC, coalesce(m.entries, 0) DESC, w.oldest, orders_today DESC"
    sql = f"{TENANTS} ORDER BY {order} LIMIT :most"
    return list(session.execute(text(sql), _values(now) | {"most": most}))


def counts(session: Session, now: datetime) -> Any:
    """Tenants per view: columns named as VIEWS."""
    columns = ", ".join(f"count(*) FILTER (WHERE {CONDITIONS[view]}) AS {view}" for view in VIEWS)
    sql = (
        f"WITH w AS ({WORK}), m AS ({UNSETTLED}) SELECT {columns} FROM tenants t"
        " LEFT JOIN w ON w.tenant_id = t.tenant_id LEFT JOIN m ON m.tenant_id = t.tenant_id"
    )
    return session.execute(text(sql), _values(now)).one()


def orders_today(session: Session, now: datetime) -> int:
    """Orders of all tenants on the UTC day of each one's own clock."""
    sql = f"SELECT coalesce(sum({ORDERS_TODAY}), 0) FROM tenants t"
    return int(session.execute(text(sql), {"now": now}).scalar_one())


def tenant(session: Session, tenant_id: UUID, now: datetime) -> Any | None:
    """One tenant with the figures of the list and what else there is to know of it, or None."""
    sql = f"SELECT x.*, t.timezone, t.currency, t.rate_limit, t.suspended_reason FROM ({TENANTS}) x" + (
        " JOIN tenants t ON t.tenant_id = x.tenant_id WHERE x.tenant_id = :tenant"
    )
    return session.execute(text(sql), _values(now) | {"tenant": tenant_id}).one_or_none()


def usage(session: Session, tenant_id: UUID, now: datetime) -> Any:
    """How much of everything a tenant has: counts, and orders received in the last day and 30 days."""
    return session.execute(
        text(
            """
            SELECT (SELECT count(*) FROM orders WHERE tenant_id = :tenant) AS orders,
                (SELECT count(*) FROM orders WHERE tenant_id = :tenant AND id >= :day) AS orders_day,
                (SELECT count(*) FROM orders WHERE tenant_id = :tenant AND id >= :month) AS orders_month,
                (SELECT count(*) FROM orders WHERE tenant_id = :tenant AND status = 'placed') AS orders_open,
                (SELECT count(*) FROM skus WHERE tenant_id = :tenant) AS skus,
                (SELECT count(*) FROM customers WHERE tenant_id = :tenant) AS customers,
                (SELECT count(*) FROM members WHERE tenant_id = :tenant AND removed_at IS NULL) AS members,
                (SELECT count(*) FROM api_keys WHERE tenant_id = :tenant AND revoked_at IS NULL
                    AND (expires_at IS NULL OR expires_at > :now)) AS keys,
                (SELECT count(*) FROM grants WHERE tenant_id = :tenant AND revoked_at IS NULL
                    AND (ends_at IS NULL OR ends_at > :now)) AS providers
            """
        ),
        {
            "tenant": tenant_id,
            "now": now,
            "day": first_id_at(now - timedelta(days=1)),
            "month": first_id_at(now - timedelta(days=30)),
        },
    ).one()


def nodes(session: Session, tenant_id: UUID, most: int = 12) -> list[Any]:
    """A tenant's nodes with their open work, the busiest first; each row names how many there are in all."""
    return list(
        session.execute(
            text(
                """
                SELECT n.code, n.name, n.kind, n.open, count(f.id) AS work, count(*) OVER () AS total
                FROM nodes n LEFT JOIN fulfillment_orders f ON f.tenant_id = n.tenant_id AND f.node_id = n.id
                    AND f.work_status IN ('open', 'picking', 'packed')
                    AND f.request_status IN ('submitted', 'accepted', 'cancel_requested')
                WHERE n.tenant_id = :tenant GROUP BY n.tenant_id, n.id, n.code, n.name, n.kind, n.open
                ORDER BY work DESC, n.code LIMIT :most
                """
            ),
            {"tenant": tenant_id, "most": most},
        )
    )


def staff_acts(session: Session, tenant_id: UUID, most: int = 8) -> list[Any]:
    """What platform staff did inside a tenant, newest first."""
    return list(
        session.execute(
            text(
                "SELECT at, actor_name, action, subject, detail FROM audit_entries WHERE tenant_id = :tenant"
                " AND actor_kind = 'staff' ORDER BY at DESC, id DESC LIMIT :most"
            ),
            {"tenant": tenant_id, "most": most},
        )
    )


# ---- queues


def topics(session: Session, tenant_id: UUID | None = None) -> list[Any]:
    """Unfinished work by topic: waiting (of it: tried before), in flight, given up, and when the oldest was due."""
    only = "AND tenant_id = :tenant" if tenant_id else ""
    sql = f"""
        SELECT topic, count(*) FILTER (WHERE state = 'waiting') AS waiting,
            count(*) FILTER (WHERE state = 'waiting' AND attempts > 0) AS again,
            count(*) FILTER (WHERE state = 'sent') AS in_flight, count(*) FILTER (WHERE state = 'dead') AS dead,
            min(available_at) FILTER (WHERE state IN ('waiting', 'sent')) AS oldest,
            count(DISTINCT tenant_id) AS tenants
        FROM outbox WHERE state IN ('waiting', 'sent', 'dead') {only}
        GROUP BY topic ORDER BY dead DESC, count(*) DESC, topic"""
    return list(session.execute(text(sql), {"tenant": tenant_id} if tenant_id else {}))


def dead(
    session: Session,
    *,
    tenant_id: UUID | None = None,
    topic: str = "",
    after: UUID | None = None,
    most: int = 50,
) -> list[Any]:
    """Work that was given up, newest first, up to `most` and one more."""
    conditions, values = ["b.state = 'dead'"], dict[str, Any]()
    for condition, name, value in (
        ("b.tenant_id = :tenant", "tenant", tenant_id),
        ("b.topic = :topic", "topic", topic),
        ("b.id < :after", "after", after),
    ):
        if value:
            conditions.append(condition)
            values[name] = value
    return list(
        session.execute(
            text(
                "SELECT b.tenant_id, b.id, b.topic, b.error, b.attempts, b.created_at, b.available_at,"
                " t.name AS tenant, t.environment, o.number AS order_number FROM outbox b"
                " JOIN tenants t ON t.tenant_id = b.tenant_id"
                " LEFT JOIN orders o ON o.tenant_id = b.tenant_id AND o.id = b.subject_id"
                f" WHERE {' AND '.join(conditions)} ORDER BY b.id DESC LIMIT :most"
            ),
            values | {"most": most + 1},
        )
    )


# ---- incidents


@dataclass(frozen=True)
class Incidents:
    """What needs a person, by kind: the oldest rows of each, and how many there are."""

    dead: list[Any]
    refunds: list[Any]
    payments: list[Any]
    promises: list[Any]
    clocks: list[Any]
    """The promises by tenant, the longest past first."""

    @property
    def total(self) -> int:
        """All of them."""
        return sum(rows[0].total for rows in (self.dead, self.refunds, self.payments, self.promises) if rows)


def incidents(session: Session, now: datetime, tenant_id: UUID | None = None, most: int = 20) -> Incidents:
    """Everything that stays undone until a person acts, over all tenants or of one."""
    values = _values(now) | {"most": most} | ({"tenant": tenant_id} if tenant_id else {})
    found = []
    for sql in (DEAD, REFUNDS, PAYMENTS, PROMISES, CLOCKS):
        narrowed = sql.replace("{tenant}", "t.tenant_id = :tenant" if tenant_id else "true")
        found.append(list(session.execute(text(narrowed), values)))
    return Incidents(*found)


DEAD = """
SELECT t.tenant_id, t.name AS tenant, t.environment, b.topic, count(*) AS rows, min(b.created_at) AS since,
    (array_agg(b.error ORDER BY b.id DESC))[1] AS error, sum(count(*)) OVER () AS total
FROM outbox b JOIN tenants t ON t.tenant_id = b.tenant_id WHERE b.state = 'dead' AND {tenant}
GROUP BY t.tenant_id, t.name, t.environment, b.topic ORDER BY since LIMIT :most
"""
REFUNDS = """
SELECT t.tenant_id, t.name AS tenant, t.environment, o.number, o.currency,
    d.amount, d.cause, d.due_at, count(*) OVER () AS total
FROM refunds_due d JOIN tenants t ON t.tenant_id = d.tenant_id
JOIN orders o ON o.tenant_id = d.tenant_id AND o.id = d.order_id
WHERE d.proven_at IS NULL AND d.due_at < CAST(:now AS timestamptz) + make_interval(secs => t.clock_offset) AND {tenant}
ORDER BY d.due_at LIMIT :most
"""
PAYMENTS = """
SELECT t.tenant_id, t.name AS tenant, t.environment, o.number, o.currency,
    e.kind, e.amount, e.outcome, e.asked_at, e.error, count(*) OVER () AS total
FROM ledger_entries e JOIN tenants t ON t.tenant_id = e.tenant_id
JOIN orders o ON o.tenant_id = e.tenant_id AND o.id = e.order_id
WHERE e.outcome IN ('pending', 'unknown') AND (e.outcome = 'unknown' OR e.error_code IS NULL AND e.next_action IS NULL)
  AND e.asked_at < :lost AND {tenant}
ORDER BY e.asked_at LIMIT :most
"""
OVERDUE = """p.state NOT IN ('shipped', 'cancelled', 'not_covered', 'incomplete', 'consent_indefinite', 'delivery')
  AND p.deadline <= CAST(:now AS timestamptz) + make_interval(secs => t.clock_offset)"""
"""A clock past its deadline, by the tenant's business time, to which nothing was done."""
PROMISES = f"""
SELECT t.tenant_id, t.name AS tenant, t.environment, o.number,
    count(*) AS lines, min(p.deadline) AS deadline, min(p.state) AS state, count(*) OVER () AS total
FROM promises p JOIN tenants t ON t.tenant_id = p.tenant_id
JOIN orders o ON o.tenant_id = p.tenant_id AND o.id = p.order_id
WHERE {OVERDUE} AND {{tenant}}
GROUP BY t.tenant_id, t.name, t.environment, o.tenant_id, o.id, o.number ORDER BY min(p.deadline) LIMIT :most
"""
CLOCKS = f"""
SELECT t.tenant_id, t.name AS tenant, t.environment, count(*) AS lines, count(DISTINCT p.order_id) AS orders,
    min(p.deadline) AS deadline, extract(epoch FROM CAST(:now AS timestamptz) + make_interval(secs => t.clock_offset)
        - min(p.deadline))::bigint AS age, sum(count(*)) OVER () AS total
FROM promises p JOIN tenants t ON t.tenant_id = p.tenant_id WHERE {OVERDUE} AND {{tenant}}
GROUP BY t.tenant_id, t.name, t.environment, t.clock_offset ORDER BY age DESC LIMIT :most
"""
