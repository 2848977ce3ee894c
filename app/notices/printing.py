"""The print queue: letters on paper that a person prints, mails, and marks as mailed with the day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.calendar import local_date
from app.notices import dates
from app.notices.delivery import learn, left
from app.notices.facts import OrderMessage, Rendered, recorded
from app.notices.labels import label
from app.notices.ways import Way
from infra.errors import invalid, not_found, refused
from infra.post import Letter, Slip, print_ready
from tenants import audit
from tenants.scope import Scope

QUEUE = """
SELECT n.id, n.order_id, n.kind, n.recipient, n.language, n.subject, n.body_text, n.facts, n.created_at, n.send_by,
    n.state, o.number, (SELECT max(d.attempt) FROM notice_deliveries d WHERE d.tenant_id = :tenant
        AND d.notice_id = n.id AND d.channel = 'post') AS attempt
FROM notices n JOIN orders o ON o.tenant_id = :tenant AND o.id = n.order_id
WHERE n.tenant_id = :tenant AND n.channel = 'post' AND {which} ORDER BY n.send_by NULLS LAST, n.created_at, n.id
LIMIT :most
"""
MOST = 200
SAMPLE_ADDRESS = ("Maya Ortiz", "12 Elm St", "Portland, ME 04101")


def waiting(scope: Scope) -> list[Any]:
    """Letters to be mailed, the most urgent first."""
    return scope.rows(QUEUE.format(which="n.state = 'queued'"), most=MOST)


def mailed(scope: Scope, most: int = 20) -> list[Any]:
    """Letters that were mailed, the newest first."""
    return scope.rows(
        "SELECT n.id, n.order_id, n.kind, n.recipient, n.subject, n.sent_at, o.number FROM notices n"
        " JOIN orders o ON o.tenant_id = :tenant AND o.id = n.order_id WHERE n.tenant_id = :tenant"
        " AND n.channel = 'post' AND n.state IN ('sent', 'delivered') ORDER BY n.sent_at DESC LIMIT :most",
        most=most,
    )


def pages(scope: Scope, ids: list[UUID] | None) -> bytes:
    """Letters as one PDF to print: these, mailed or not, or (None) all that wait. Raises Problem 404."""
    if ids is None:
        found = waiting(scope)
    else:
        found = scope.rows(QUEUE.format(which="n.id = ANY(:ids)"), ids=ids, most=MOST)
    if not found:
        raise not_found("letter")
    return print_ready([_of_row(row) for row in found])


def mark_mailed(scope: Scope, ids: list[UUID], day: date) -> int:
    """Letters were put in the mail on `day`, the shop's. Returns how many were not marked already.

    Raises Problem 404; 422 at /day for one to come or before the letter was written; 409 `too-late` when the law's
    last day for it was over by then: it does not count as sent.
    """
    now = scope.now()
    if day > local_date(now, scope.tenant.timezone):
        raise invalid("/day", "Enter the day on which they were mailed: today or before.")
    scope.rows(
        "SELECT id FROM notices WHERE tenant_id = :tenant AND id = ANY(:ids) ORDER BY id FOR UPDATE", ids=ids
    )
    found = scope.rows(QUEUE.format(which="n.id = ANY(:ids)"), ids=ids, most=MOST)
    if len(found) < len(set(ids)):
        raise not_found("letter")
    open_ = [row for row in found if row.state == "queued"]
    for row in open_:
        _check_day(scope, row, day, now)
        way = Way("post", row.recipient)
        learn(scope, row.id, row.attempt, way, "accepted", f"mailed on {day}")
        left(scope, row, way)
    if open_:
        audit.record(scope, "letters.mailed", f"{len(open_)} letters", day=day)
    return len(open_)


def _check_day(scope: Scope, row: Any, day: date, now: datetime) -> None:
    zone = scope.tenant.timezone
    if day < local_date(row.created_at, zone):
        raise invalid("/day", f"The letter for K-{row.number} was written later than that.")
    if row.send_by is not None and (now >= row.send_by):
        raise refused("too-late", f"The last day for the letter for K-{row.number} is over.")


def sample_page(facts: OrderMessage, made: Rendered) -> bytes:
    """A letter with sample facts, as it would be printed."""
    return print_ready(
        [_letter(facts.kind, recorded(facts), facts.language, "\n".join(SAMPLE_ADDRESS), made.text)]
    )


def _of_row(row: Any) -> Letter:
    return _letter(row.kind, row.facts, row.language, row.recipient, row.body_text)


def _letter(kind: str, facts: Any, language: str, recipient: str, text: str) -> Letter:
    """The letter of a message: what it says, with the shop as sender and, where an answer is asked, a slip."""
    shop = facts.get("shop") or {}
    paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    return Letter(
        sender=tuple(
            part for part in (shop.get("name"), *(shop.get("address") or ()), shop.get("toll_free")) if part
        ),
        recipient=tuple(recipient.split("\n")),
        date=dates.day(date.fromisoformat(facts["today"]), today=date.min, language=language),
        reference=f"{label('order', language)} {facts['order_number']}",
        paragraphs=tuple(paragraphs[1:]),
        online=label("online" if kind == "delay" else "see_order", language),
        url=facts["url"],
        slip=_slip(facts, language) if kind == "delay" else None,
    )


def _slip(facts: Any, language: str) -> Slip:
    wait = label("slip_wait" if facts["revised"] else "slip_wait_open", language)
    return Slip(
        label("slip", language),
        label("slip_words", language),
        (wait, label("slip_cancel", language)),
        label("slip_sign", language),
    )
