"""Mail that came back for a message: kept once, and told to whom it concerns. What a reply does is decided above, where
promises are known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app import events
from app.notices import delivery
from app.notices.references import Reference
from infra.clock import real_now
from infra.ids import new_id
from infra.inbound import Incoming
from tenants.scope import Scope


def take(scope: Scope, reference: Reference, mail: Incoming, reason: str) -> bool:
    """Deal with one mail about one attempt; `reason` is why it bounced. False when there is no such message, so that
    the mail is not ours; a mail that was taken before changes nothing."""
    notice = scope.row(
        "SELECT id, order_id, created_at FROM notices WHERE tenant_id = :tenant AND id = :id",
        id=reference.notice_id,
    )
    if notice is None:
        return False
    mail_id = new_id()
    fresh = scope.execute(
        "INSERT INTO received_mails (tenant_id, id, notice_id, order_id, key, kind, sender, subject, body, received_at,"
        " state) VALUES (:tenant, :id, :notice, :order, :key, :kind, :sender, :subject, :body, :at, :state)"
        " ON CONFLICT (tenant_id, key) DO NOTHING",
        id=mail_id,
        notice=notice.id,
        order=notice.order_id,
        key=mail.key,
        kind=mail.kind,
        sender=mail.sender,
        subject=mail.subject,
        body=reason if mail.kind in ("bounce", "delay") else mail.text,
        at=max(notice.created_at, _received(scope, mail)),  # a server writes whole seconds
        state="open" if mail.kind == "reply" else "closed",
    )
    if not fresh:
        return True
    if mail.kind == "bounce":
        delivery.bounced(scope, notice.id, reference.attempt, reason)
    elif mail.kind == "delivered":
        delivery.confirmed(scope, notice.id, reference.attempt)
    elif mail.kind == "reply":
        events.record(scope, notice.order_id, events.REPLY_RECEIVED, mail=mail_id, sender=mail.sender)
    return True


def _received(scope: Scope, mail: Incoming) -> datetime:
    """When our server took it, in business time: the law counts from then, however late the mailbox is read."""
    return scope.now() - (real_now() - mail.received_at)


def reply(scope: Scope, mail_id: Any) -> Any | None:
    """One reply with the message it answers, locked; None when there is none."""
    return scope.row(
        "SELECT m.*, n.kind AS about, n.recipient, o.number, o.customer FROM received_mails m"
        " JOIN notices n ON n.tenant_id = :tenant AND n.id = m.notice_id"
        " JOIN orders o ON o.tenant_id = :tenant AND o.id = m.order_id"
        " WHERE m.tenant_id = :tenant AND m.id = :id AND m.kind = 'reply' FOR UPDATE OF m",
        id=mail_id,
    )


def close(scope: Scope, mail_id: Any, outcome: str) -> None:
    """A reply is dealt with."""
    scope.execute(
        "UPDATE received_mails SET state = 'closed', outcome = :outcome, closed_at = :now, closed_by = :who"
        " WHERE tenant_id = :tenant AND id = :id",
        id=mail_id,
        outcome=outcome,
        now=scope.now(),
        who=str(scope.actor),
    )


def to_read(scope: Scope, most: int) -> list[Any]:
    """Replies that a person must read, the oldest first."""
    return scope.rows(
        "SELECT m.*, n.kind AS about, n.subject AS about_subject, o.number, o.customer->>'name' AS customer"
        " FROM received_mails m JOIN notices n ON n.tenant_id = :tenant AND n.id = m.notice_id"
        " JOIN orders o ON o.tenant_id = :tenant AND o.id = m.order_id"
        " WHERE m.tenant_id = :tenant AND m.state = 'open' ORDER BY m.received_at, m.id LIMIT :most",
        most=most,
    )
