"""The verbs of messages to buyers: queue one for a cause, send it, learn what became of it.

`begin`, `call` and `finish` send a queued message with no transaction open. A message that lacks what it must say is
kept, never sent, and told to a person.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from app import events
from app.notices.facts import Facts, recorded
from app.notices.rules import lint, render
from infra.errors import not_found
from infra.ids import new_id
from infra.mailer import Mail, Refused, send
from tenants.scope import Scope


def queue(scope: Scope, order_id: UUID, facts: Facts, *, cause: str, **extra: Any) -> UUID:
    """Render the message and have it sent after the commit; once per cause. Returns its id, also of the one that is
    there already. `extra` is kept with the facts. One with faults is kept as failed. Raises Problem 404."""
    there = scope.row("SELECT id FROM notices WHERE tenant_id = :tenant AND cause = :cause", cause=cause)
    if there is not None:
        return UUID(str(there.id))
    order = scope.row("SELECT customer FROM orders WHERE tenant_id = :tenant AND id = :order", order=order_id)
    if order is None:
        raise not_found("order")
    rendered = render(facts)
    now = scope.now()
    faults = lint(facts, rendered, sent_at=now)
    notice_id = new_id()
    made = scope.execute(
        "INSERT INTO notices (tenant_id, id, order_id, kind, cause, recipient, subject, body_text, body_html, facts,"
        " state, error, created_at) VALUES (:tenant, :id, :order, :kind, :cause, :recipient, :subject, :text, :html,"
        " CAST(:facts AS jsonb), :state, :error, :now) ON CONFLICT (tenant_id, cause) DO NOTHING",
        id=notice_id,
        order=order_id,
        kind=facts.kind,
        cause=cause,
        recipient=order.customer["email"],
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        facts=orjson.dumps({**recorded(facts), **extra, "words": rendered.words}, default=str).decode(),
        state="failed" if faults else "queued",
        error=f"It lacks: {', '.join(faults)}." if faults else None,
        now=now,
    )
    if not made:
        return queue(scope, order_id, facts, cause=cause)
    if faults:
        reason = f"It lacks: {', '.join(faults)}."
        events.record(scope, order_id, events.NOTICE_FAILED, notice=notice_id, kind=facts.kind, reason=reason)
    else:
        scope.later(events.NOTICE_QUEUED, notice_id)
    return notice_id


def faults_of(scope: Scope, facts: Facts) -> list[str]:
    """What a message of these facts would lack, were it sent now."""
    return lint(facts, render(facts), sent_at=scope.now())


# ---- sending


def begin(scope: Scope, notice_id: UUID, **_: Any) -> tuple[UUID, Mail] | None:
    """The mail of a queued message; None when it has left or must not."""
    row = scope.row(
        "SELECT recipient, subject, body_text, body_html, facts FROM notices"
        " WHERE tenant_id = :tenant AND id = :id AND state = 'queued'",
        id=notice_id,
    )
    if row is None:
        return None
    shop = row.facts.get("shop") or {}
    mail = Mail(
        row.recipient,
        row.subject,
        row.body_text,
        row.body_html,
        message_id=str(notice_id),
        from_name=shop.get("name", ""),
        reply_to=shop.get("reply_email", ""),
    )
    return notice_id, mail


def call(queued: tuple[UUID, Mail]) -> str:
    """Send it. Answers with the refusal when the recipient is refused for good, else ''. Raises Undelivered."""
    try:
        send(queued[1])
    except Refused as refusal:
        return str(refusal) or "refused"
    return ""


def finish(scope: Scope, queued: tuple[UUID, Mail], refusal: str) -> None:
    """Note that it left, or that it never will: then a person must reach the buyer otherwise."""
    row = scope.row(
        "UPDATE notices SET state = :state, error = :error, sent_at = :sent"
        " WHERE tenant_id = :tenant AND id = :id AND state = 'queued' RETURNING order_id, kind, recipient",
        id=queued[0],
        state="failed" if refusal else "sent",
        error=refusal or None,
        sent=None if refusal else scope.now(),
    )
    if row is None:
        return
    told = {"notice": queued[0], "kind": row.kind, "to": row.recipient}
    if refusal:
        events.record(scope, row.order_id, events.NOTICE_FAILED, reason=refusal, **told)
    else:
        events.tell(scope, row.order_id, events.NOTICE_SENT, **told)
