"""What buyers wrote back: an unmistakable answer to a delay notice is taken, everything else is left to a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.notices import inbound
from app.notices.replies import answer_of
from app.promises.service import answer_delay
from infra.errors import Problem, not_found, refused
from tenants import audit
from tenants.scope import Scope

DECISIONS = ("consent", "cancel", "read")


def take(scope: Scope, order_id: UUID, *, mail: str, **_: Any) -> None:
    """Take a reply that says, in the buyer's own first words and from the buyer's own address, to wait or to cancel.
    Any other stays open for a person; so does an answer that comes too late to count."""
    reply = inbound.reply(scope, UUID(mail))
    if reply is None or reply.state != "open" or reply.about != "delay":
        return
    answer = answer_of(reply.body)
    if not answer or reply.sender not in _own_addresses(reply):
        return
    try:
        with scope.session.begin_nested():
            answer_delay(scope, reply.notice_id, answer, "email", _evidence(reply), reply.received_at)
    except Problem:
        return
    inbound.close(scope, reply.id, answer)


def decide(scope: Scope, mail_id: UUID, decision: str, note: str = "") -> None:
    """A person has read a reply: it says `consent` or `cancel` to its delay notice, or needs nothing more (`read`).

    Raises Problem 404; 409 `reply-closed`, `not-asked`, and what `answer_delay` refuses.
    """
    reply = inbound.reply(scope, mail_id)
    if reply is None or decision not in DECISIONS:
        raise not_found("reply")
    if reply.state != "open":
        raise refused("reply-closed", "Somebody has dealt with this reply already.")
    if decision != "read":
        if reply.about != "delay":
            raise refused("not-asked", "The message it answers asked nothing.")
        evidence = _evidence(reply) | {"read_by": scope.actor.name}
        answer_delay(scope, reply.notice_id, decision, "email", evidence, reply.received_at)
    inbound.close(scope, reply.id, decision)
    audit.record(scope, f"reply.{decision}", f"K-{reply.number}", note=note)


def _own_addresses(reply: Any) -> set[str]:
    return {reply.recipient.lower(), str(reply.customer.get("email", "")).lower()}


def _evidence(reply: Any) -> dict[str, Any]:
    return {
        "mail": reply.key,
        "from": reply.sender,
        "subject": reply.subject,
        "text": reply.body,
        "received_at": reply.received_at,
    }
