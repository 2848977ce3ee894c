"""What needs a person, whatever the cause: holds, promises, refusals, payments, messages and refunds in one list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.entries import address
from app.orders.standing import LIVE, RISK
from app.payments.rules import HOLD_HOURS
from tenants.scope import Scope

TITLES = {
    "payment": "Payment needed",
    "fraud": "Fraud hold",
    "address": "Address hold",
    "credit": "Credit hold",
    "manual": "Held by a person",
    "review": "Held for review",
}
LINES = {
    "missed": ("Promise missed", "Decide"),
    "risk": ("Waits for stock", "Offer a choice"),
    "arrives_late": ("Will arrive late", "Review"),
    "undelivered": ("Not delivered in time", "Review"),
    "terminable": ("The buyer may end the contract", "Review"),
}
"""What is told of an order's lines; the last three under the laws of the European Union and the United Kingdom, which
are about delivery."""

FOUND = f"""
WITH late_lines AS (
    SELECT p.order_id, min(p.deadline) AS by, count(*) AS lines,
        (array_agg(l.title ORDER BY p.deadline, l.position))[1] AS title,
        sum(l.total - l.value_shipped - l.value_cancelled) AS value, bool_or(p.deadline <= :now) AS missed
    FROM promises p JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id
    WHERE p.tenant_id = :tenant AND p.state IN ('open', 'consent_definite')
      AND (p.deadline <= :now OR (l.backordered > 0 AND {RISK}))
    GROUP BY 1
), deliveries AS (
    SELECT order_id, max(urgency) AS urgency, min(by) AS by, count(*) AS lines, sum(value) AS value,
        (array_agg(title ORDER BY urgency DESC, by))[1] AS title
    FROM (
        SELECT p.order_id, p.delivery_deadline AS by, l.title, l.total - l.value_cancelled AS value,
            CASE p.delivery_state WHEN 'terminable' THEN 2 ELSE 1 END AS urgency
        FROM promises p JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id
        WHERE p.tenant_id = :tenant AND p.delivery_state IN ('late', 'terminable')
        UNION ALL
        SELECT p.order_id, p.deadline, l.title, l.total - l.value_cancelled, 0
        FROM promises p JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id
        WHERE p.tenant_id = :tenant AND p.state = 'delivery' AND p.delivery_state IN ('due', 'extended')
          AND (p.deadline <= :now OR (l.backordered > 0 AND {RISK}))) d
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
    WHERE missed OR (order_id NOT IN (SELECT order_id FROM refused) AND NOT EXISTS (SELECT 1 FROM routing_exceptions e
        WHERE e.tenant_id = :tenant AND e.order_id = late_lines.order_id AND e.state = 'open' AND e.kind <> 'cancel'))
    UNION ALL
    SELECT (ARRAY['arrives_late', 'undelivered', 'terminable'])[urgency + 1], order_id, title, lines::text, value, by
    FROM deliveries
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
WHERE f.what <> ALL(:without) ORDER BY f.by NULLS FIRST, o.number LIMIT :most
"""


def found(scope: Scope, now: datetime, most: int, without: Sequence[str] = ()) -> tuple[list[Any], int]:
    """What needs a person, the most urgent first, and how many there are in all. `by` None: at once.

    `without` leaves out causes (the column `what`) that the page tells elsewhere.
    """
    rows = scope.rows(
        FOUND,
        now=now,
        recent=now - timedelta(days=30),
        soon=now + timedelta(days=2),
        payment_wait=timedelta(hours=float(scope.tenant.settings.get("payment_hold_hours", HOLD_HOURS))),
        without=list(without),
        most=most,
    )
    return rows, rows[0].total if rows else 0


def described(row: Any, now: datetime) -> dict[str, Any]:
    """One of `found` for a page: what happened, its value, by when, and where to act."""
    title, text, button = _words(row)
    return {
        "title": title,
        "text": text,
        "button": button,
        "number": row.number,
        "customer": row.customer,
        "url": address("order_pages.detail", order_id=row.order_id),
        "value": int(row.value),
        "currency": row.currency,
        "by": row.by and row.by - timedelta(seconds=1),  # a deadline is the first instant too late
        "s": "late" if row.by is None or row.by <= now else "risk" if (row.by - now).days < 1 else "due",
    }


def _words(row: Any) -> tuple[str, str, str]:
    who = row.customer or "The buyer"
    if row.what == "hold":
        return TITLES[row.about], _to_staff(row.text) or f"Nothing leaves until it is lifted. {who}", "Review"
    if row.what in LINES:
        title, button = LINES[row.what]
        lines = int(row.text)
        more = f", and {lines - 1} more" if lines > 1 else ""
        return title, f"{row.about}{more}", button
    if row.what == "refused":
        reason = row.text.replace("_", " ") if row.text else "no reason given"
        return f"{row.about} rejected the work", f"{reason.capitalize()}; no other node has it", "Route again"
    if row.what == "stuck":
        return "Refused too often" if row.about == "cycles" else "No place for it", row.text, "Decide"
    if row.what == "notice":
        kind = {"delay": "Delay notice"}.get(row.about, "Message")
        return f"{kind} not delivered", row.text or "The mail server refused it", "Call buyer"
    if row.what == "capture":
        return "Payment not taken", _to_staff(row.text) or "The goods are gone, the card did not pay", "Retry"
    return "Refund due", "Still open", "Refund"


def _to_staff(text: str) -> str:
    """What a card processor says to the buyer ("Your card was declined."), as staff read it."""
    return text.replace("Your ", "The buyer's ", 1) if text.startswith("Your ") else text
