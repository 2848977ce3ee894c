"""Reads of promises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.calendar import end_of_day, local_date
from app.searching import escaped, order_number
from app.shapes import cursor, page
from infra.errors import not_found
from infra.ids import first_id_at
from tenants.scope import Scope

LIVE = "p.state NOT IN ('shipped', 'cancelled', 'not_covered', 'incomplete')"
ENDING = f"{LIVE} AND p.state <> 'consent_indefinite'"
WITHOUT_DATE = f"{ENDING} AND (p.expected_ship_at IS NULL OR p.expected_ship_at >= p.deadline)"
ASKED = ("wait_silent", "wait_express", "wait_renewed")
WAITING = "p.state IN ('{}')".format("', '".join(ASKED))
BUCKETS = {
    "due_today": f"{ENDING} AND p.deadline > :now AND p.deadline <= :today",
    "at_risk": f"{WITHOUT_DATE} AND p.deadline > :now",
    "late": f"{ENDING} AND p.deadline <= :now",
    "waiting": WAITING,
    "live": LIVE,
}
"""Conditions over `promises p`, each within an index of its own in models.py; `:now` is business time, `:today` the
end of the seller's day."""
UNDECIDED = """(p.state IN ('open', 'wait_silent', 'consent_definite') AND p.deadline > :now
    AND (p.expected_ship_at IS NULL OR p.expected_ship_at >= p.deadline OR p.expected_ship_at <= :now)
    AND EXISTS (SELECT 1 FROM promise_events u WHERE u.tenant_id = :tenant AND u.order_id = p.order_id
        AND u.order_line_id = p.order_line_id AND u.kind = 'late_known'
        AND CAST(u.data->>'deadline' AS timestamptz) = p.deadline))"""
"""Kept has proposed a later date, and nobody has told the buyer yet."""
REFUND = """(p.state = 'cancelled' AND p.order_id IN (SELECT d.order_id FROM refunds_due d
    WHERE d.tenant_id = :tenant AND d.proven_at IS NULL))"""
VIEWS = BUCKETS | {"to_decide": UNDECIDED, "refund": REFUND}

MOST_COUNTED = 10_000
"""A view is counted this far: whoever has more than ten thousand lines to look at need not know how many."""
LINE = "JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id"
NOTICE = """LEFT JOIN LATERAL (SELECT n.id, n.state, n.facts FROM notices n WHERE n.tenant_id = :tenant
    AND n.order_id = p.order_id AND n.kind = 'delay' AND n.facts->'lines' ? CAST(p.order_line_id AS text)
    ORDER BY n.created_at DESC, n.id DESC LIMIT 1) n ON true"""
LISTED = """
SELECT p.*, o.number, o.customer, l.sku, l.title, l.allocated + l.backordered AS units, n.id AS notice_id,
    n.state AS notice_state, n.facts AS notice_facts, a.answer, r.due_at AS refund_by, k.at AS known_at, k.data
    AS known, {undecided} AS undecided
FROM ({page}) p
JOIN orders o ON o.tenant_id = :tenant AND o.id = p.order_id
{line}
{notice}
LEFT JOIN LATERAL (SELECT a.answer FROM delay_answers a WHERE a.tenant_id = :tenant AND a.order_id = p.order_id
    AND a.notice_id = n.id ORDER BY a.received_at DESC, a.id DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT min(r.due_at) AS due_at FROM refunds_due r WHERE r.tenant_id = :tenant
    AND r.order_id = p.order_id AND r.proven_at IS NULL) r ON true
LEFT JOIN LATERAL (SELECT k.at, k.data FROM promise_events k WHERE k.tenant_id = :tenant AND k.order_id = p.order_id
    AND k.order_line_id = p.order_line_id AND k.kind = 'late_known' ORDER BY k.id DESC LIMIT 1) k ON true
ORDER BY p.deadline {way}, p.id {way}
"""
"""The page is found first; what is shown of a line is read for the lines of the page alone."""
PAGE = """SELECT p.* FROM promises p {joins} WHERE p.tenant_id = :tenant AND {where}
    ORDER BY p.deadline {way}, p.id {way} LIMIT :limit"""
EITHER = """SELECT p.* FROM promises p WHERE p.tenant_id = :tenant AND p.id = ANY(ARRAY({pages}))
    ORDER BY p.deadline {way}, p.id {way} LIMIT :limit"""
"""Of several meanings each has a page of its own, so that each is found by its own index; the first of these are the
page."""

FEW_LINES = 500
"""So many lines of a SKU are looked at one by one; more, and the page comes up soon on the way through all lines."""
GOODS = "SELECT id FROM skus WHERE tenant_id = :tenant AND upper(code) = upper(:q)"
MEANT = f"""
SELECT ARRAY({GOODS}) AS goods,
    ARRAY(SELECT id FROM order_lines WHERE tenant_id = :tenant AND sku_id = ANY(ARRAY({GOODS}))
        LIMIT {FEW_LINES + 1}) AS lines,
    (SELECT array_agg(id) FROM (SELECT id FROM customers WHERE tenant_id = :tenant
        AND (name ILIKE :like OR email ILIKE :like) LIMIT 500) c) AS people
"""


def listed(scope: Scope, filters: Mapping[str, Any]) -> dict[str, Any]:
    """A page of promises, the earliest deadline first, by PromiseListIn."""
    limit = filters["limit"]
    return page(found(scope, filters, limit + 1), limit)


def found(scope: Scope, filters: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
    """At most so many promises by PromiseListIn, and by `q` (searched text), `due_from` (UTC) and `latest_first`."""
    now = scope.now()
    bucket, last_first = filters.get("bucket"), bool(filters.get("latest_first"))
    state = filters.get("state")
    where = ["p.state = :state", VIEWS[bucket] if bucket else "true"] if state else [VIEWS[bucket or "live"]]
    if state in ASKED:
        where.append(
            WAITING
        )  # said once more for the planner: it cannot know which index has the state asked for
    values: dict[str, Any] = {"state": state, "now": now, "today": today_ends(scope, now)}
    for clause, value in (
        ("p.deadline < :before", filters.get("due_before")),
        ("p.deadline >= :since", filters.get("due_from")),
        ("l.sku = :sku", filters.get("sku")),
        ("coalesce(n.state, 'none') = :notice", filters.get("notice_state")),
        (
            f"(p.deadline, p.id) {'<' if last_first else '>'} (SELECT q.deadline, q.id FROM promises q"
            " WHERE q.tenant_id = :tenant AND q.id = :after)",
            cursor(filters.get("after")),
        ),
    ):
        if value is not None:
            where.append(clause)
            values[clause.rpartition(":")[2].rstrip(")")] = value
    meanings = ["true"]
    if filters.get("q"):
        meanings, meant = _searched(scope, filters["q"])
        values |= meant
    way = "DESC" if last_first else "ASC"
    pages = [_page(" AND ".join([*where, meaning]), way) for meaning in meanings]
    sql = LISTED.format(undecided=UNDECIDED, page=_either(pages, way), way=way, line=LINE, notice=NOTICE)
    used = {name: value for name, value in values.items() if f":{name}" in sql}
    return [_shown(row, now) for row in scope.rows(sql, limit=most, **used)]


def _page(where: str, way: str) -> str:
    joins = " ".join(join for join, named in ((LINE, "l.sku"), (NOTICE, "n.state")) if named in where)
    return PAGE.format(joins=joins, where=where, way=way)


def _either(pages: list[str], way: str) -> str:
    if len(pages) == 1:
        return pages[0]
    ids = " UNION ".join(f"(SELECT f.id FROM ({page}) f)" for page in pages)
    return EITHER.format(pages=ids, way=way)


def _searched(scope: Scope, text: str) -> tuple[list[str], dict[str, Any]]:
    """What a searched text may ask of a line: an order's number or the buyer's name or email, and a SKU. What it may
    mean is looked up first, so that only what can find something is searched. Returns the conditions, of which one is
    to hold, and their values."""
    meant = scope.row(MEANT, q=text, like=f"%{escaped(text)}%")
    assert meant is not None
    number = order_number(text)
    arms: dict[str, Any] = {}
    if number is not None:
        arms["x.number = :number"] = number
    if "@" in text:
        arms["lower(x.customer->>'email') = lower(:email)"] = text
    if meant.people:
        arms["x.customer_id = ANY(:people)"] = meant.people
    orders = " UNION ".join(
        f"SELECT x.id FROM orders x WHERE x.tenant_id = :tenant AND {arm}" for arm in arms
    )
    either = [f"p.order_id IN ({orders})"] if arms else []
    if meant.lines:
        few = len(meant.lines) <= FEW_LINES
        either.append("p.order_line_id = ANY(:lines)" if few else "l.sku_id = ANY(:goods)")
    values = {"goods": meant.goods, "lines": meant.lines} | {
        arm.rpartition(":")[2].rstrip(")"): value for arm, value in arms.items()
    }
    return either or ["false"], values


COUNTED = ", ".join(
    f"(SELECT count(*) FROM (SELECT 1 FROM promises p WHERE p.tenant_id = :tenant AND {sql} LIMIT :most) x) AS {name}"
    for name, sql in VIEWS.items()
)


def counts(scope: Scope) -> dict[str, int]:
    """Lines in each view, counted to MOST_COUNTED: that many stands for as many or more."""
    now = scope.now()
    row = scope.row(f"SELECT {COUNTED}", now=now, today=today_ends(scope, now), most=MOST_COUNTED)
    return dict(row._mapping) if row is not None else {}


KEPT_SINCE = """
SELECT count(DISTINCT p.id) AS kept FROM shipments s
JOIN shipment_lines sl ON sl.tenant_id = :tenant AND sl.shipment_id = s.id
JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = sl.order_line_id AND p.state = 'shipped'
WHERE s.tenant_id = :tenant AND s.id >= :first AND s.shipped_at >= :since AND s.shipped_at < p.deadline
"""


def kept_today(scope: Scope) -> int:
    """Lines whose last units left today, in time. A shipment is recorded after it happened: the key finds today's."""
    zone = scope.tenant.timezone
    began = end_of_day(local_date(scope.now(), zone) - timedelta(days=1), zone)
    first = first_id_at(began - timedelta(seconds=scope.tenant.clock_offset))
    row = scope.row(KEPT_SINCE, since=began, first=first)
    return int(row.kept) if row is not None else 0


def late_now(scope: Scope) -> int:
    """Lines past their deadline that are neither shipped nor ended."""
    row = scope.row(
        f"SELECT count(*) AS late FROM promises p WHERE p.tenant_id = :tenant AND {BUCKETS['late']}",
        now=scope.now(),
    )
    return int(row.late) if row is not None else 0


BY_DAY = f"""
SELECT CAST((p.deadline - interval '1 second') AT TIME ZONE :zone AS date) AS day,
    CASE WHEN p.deadline <= :now THEN 'late' WHEN {BUCKETS["at_risk"]} THEN 'risk'
        WHEN {BUCKETS["waiting"]} THEN 'waiting' ELSE 'due' END AS stands, count(*) AS lines
FROM promises p WHERE p.tenant_id = :tenant AND {ENDING} AND p.deadline > :first AND p.deadline <= :last GROUP BY 1, 2
UNION ALL
SELECT CAST((r.due_at - interval '1 second') AT TIME ZONE :zone AS date), 'refund', count(*) FROM refunds_due r
WHERE r.tenant_id = :tenant AND r.proven_at IS NULL AND r.due_at > :first AND r.due_at <= :last GROUP BY 1
"""


def by_day(scope: Scope, first: datetime, last: datetime) -> list[Any]:
    """Deadlines in a span of time (UTC, the first instant left out): (day of the seller's, how they stand, lines), and
    the last days of refunds as `refund`."""
    return scope.rows(BY_DAY, now=scope.now(), first=first, last=last, zone=scope.tenant.timezone)


def today_ends(scope: Scope, now: datetime) -> datetime:
    """The first instant after the seller's day, UTC."""
    zone = scope.tenant.timezone
    return end_of_day(local_date(now, zone), zone)


def _shown(row: Any, now: datetime) -> dict[str, Any]:
    facts = row.notice_facts or {}
    return {
        "id": str(row.id),
        "order_id": str(row.order_id),
        "order": f"K-{row.number}",
        "buyer": row.customer.get("name") or row.customer.get("email") or "",
        "line": str(row.order_line_id),
        "sku": row.sku,
        "title": row.title,
        "units": row.units,
        "state": row.state,
        "made_at": row.made_at,
        "first_deadline": row.original_deadline,
        "deadline": row.deadline,
        "days_left": (row.deadline - now).days,
        "expected_ship_at": row.expected_ship_at,
        "cancelled_at": row.vested_at,
        "notice": None
        if row.notice_id is None
        else {
            "id": str(row.notice_id),
            "kind": facts["delay"],
            "state": row.notice_state,
            "ship_by": facts["revised"],
            "reply_by": facts["reply_by"].replace("+00:00", "Z"),
        },
        "answer": row.answer,
        "proposed": _proposed(row),
        "refund_by": row.refund_by,
    }


def _proposed(row: Any) -> dict[str, Any] | None:
    """The date that Kept proposes, while nobody has told the buyer."""
    if not row.undecided:
        return None
    return {
        "ship_by": row.known["proposed"],
        "since": row.known_at.isoformat().replace("+00:00", "Z"),
        "basis": row.known["basis"],
    }


def delay_notices(scope: Scope, ids: list[UUID]) -> list[dict[str, Any]]:
    """Delay notices as the API shows them, oldest first."""
    rows = scope.rows(
        "SELECT id, subject, state, facts FROM notices WHERE tenant_id = :tenant AND id = ANY(:ids)"
        " ORDER BY created_at, id",
        ids=ids,
    )
    return [
        {
            "id": str(row.id),
            "kind": row.facts["delay"],
            "lines": row.facts["lines"],
            "ship_by": row.facts["revised"],
            "reply_by": row.facts["reply_by"].replace("+00:00", "Z"),
            "state": row.state,
            "subject": row.subject,
        }
        for row in rows
    ]


def open_question(scope: Scope, order_id: UUID) -> Any | None:
    """The latest delay notice of the order that the buyer has not answered, with its facts; None when there is none
    to answer in time."""
    return scope.row(
        "SELECT n.id, n.subject, n.facts, n.created_at FROM notices n WHERE n.tenant_id = :tenant"
        " AND n.order_id = :order AND n.kind = 'delay' AND n.state NOT IN ('bounced', 'failed')"
        " AND CAST(n.facts->>'reply_by' AS timestamptz) > :now"
        " AND NOT EXISTS (SELECT 1 FROM delay_answers a WHERE a.tenant_id = :tenant AND a.notice_id = n.id)"
        " ORDER BY n.created_at DESC, n.id DESC LIMIT 1",
        order=order_id,
        now=scope.now(),
    )


def notice_of(scope: Scope, order_id: UUID, notice_id: UUID) -> UUID:
    """A delay notice of that order. Raises Problem 404."""
    found = scope.row(
        "SELECT id FROM notices WHERE tenant_id = :tenant AND order_id = :order AND id = :id AND kind = 'delay'",
        order=order_id,
        id=notice_id,
    )
    if found is None:
        raise not_found("delay notice")
    return UUID(str(found.id))


def asked_by(scope: Scope, order_id: UUID) -> list[Any]:
    """The order's delay notices that left, the newest first."""
    return scope.rows(
        "SELECT id, subject, coalesce(sent_at, created_at) AS at FROM notices WHERE tenant_id = :tenant"
        " AND order_id = :order AND kind = 'delay' AND state NOT IN ('bounced', 'failed')"
        " ORDER BY created_at DESC, id DESC",
        order=order_id,
    )
