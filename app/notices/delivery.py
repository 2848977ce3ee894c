"""How a queued message reaches the buyer: by one way after another, each attempt written down before it is made.

`begin` decides and writes, `call` asks the outside with no transaction open, `finish` notes the answer. A crash
in between repeats the same attempt under the same reference. What a mail server tells later comes to `bounced` and
`confirmed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from app import events
from app.notices import addresses, references
from app.notices.references import Reference
from app.notices.ways import (
    COURTESY,
    Attempt,
    Exhausted,
    GiveUp,
    Take,
    Wait,
    Way,
    channels_of,
    decide,
    quiet_of,
    tries_again_at,
    ways,
)
from infra import hooks, mailer, outbox, post, settings, sms
from infra.hooks import Hook
from infra.ids import new_id
from infra.mailer import Mail, Refused, Undelivered
from infra.sms import Text
from tenants.scope import Scope

NOTICE = """
SELECT n.*, o.number, o.customer, o.ship_to, o.bill_to, o.buyer_zone FROM notices n
JOIN orders o ON o.tenant_id = :tenant AND o.id = n.order_id
WHERE n.tenant_id = :tenant AND n.id = :id FOR UPDATE OF n
"""

ATTEMPTS = """
SELECT attempt, channel, address, min(at) AS begun_at, array_agg(state) AS states,
    (array_agg(error ORDER BY at DESC, id DESC) FILTER (WHERE error <> ''))[1] AS error
FROM notice_deliveries WHERE tenant_id = :tenant AND notice_id = :id GROUP BY 1, 2, 3 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One attempt as it is handed to the outside."""

    notice_id: UUID
    number: int
    way: Way
    message: Mail | Text | Hook


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the other end said: `accepted`, `refused` for good, `deferred`; its name for it, or its words."""

    state: str
    reference: str = ""
    words: str = ""


def begin(scope: Scope, notice_id: UUID, **_: Any) -> Outgoing | None:
    """Decide what a queued message does next, and write the attempt down. None when nothing is to be sent now."""
    notice = scope.row(NOTICE, id=notice_id)
    if notice is None or notice.state != "queued":
        return None
    while True:
        step = _step(scope, notice)
        if isinstance(step, GiveUp):
            learn(scope, notice_id, step.attempt.number, step.attempt.way, "given_up")
        elif isinstance(step, Wait):
            scope.at(step.until, events.NOTICE_QUEUED, notice_id, key=f"notice:{notice_id}")
            return None
        elif isinstance(step, Exhausted):
            _exhausted(scope, notice, step.reason)
            return None
        elif step.way.channel != "post":
            learn(scope, notice_id, step.number, step.way, "started")
            outbox.disarm(scope.session, scope.tenant_id, f"notice:{notice_id}")
            return Outgoing(notice_id, step.number, step.way, _message(scope, notice, step))
        else:
            _to_print(scope, notice, step)


def _step(scope: Scope, notice: Any) -> Take | Wait | GiveUp | Exhausted:
    chosen = scope.tenant.settings.get("notices") or {}
    return decide(
        scope.now(),
        _ways(scope, notice),
        _attempts(scope, notice.id),
        quiet_of(chosen, notice.buyer_zone or scope.tenant.timezone),
        send_by=notice.send_by,
        courtesy=notice.kind in COURTESY,
    )


def _ways(scope: Scope, notice: Any) -> list[Way]:
    chosen = scope.tenant.settings.get("notices") or {}
    found = addresses.of_order(notice, chosen)
    return ways(channels_of(chosen), found, str(notice.customer.get("reach_by") or ""))


def _attempts(scope: Scope, notice_id: UUID) -> list[Attempt]:
    return [
        Attempt(row.attempt, Way(row.channel, row.address), row.begun_at, frozenset(row.states))
        for row in scope.rows(ATTEMPTS, id=notice_id)
    ]


def learn(
    scope: Scope, notice_id: UUID, number: int, way: Way, state: str, reference: str = "", error: str = ""
) -> bool:
    """Write down what was learned of an attempt. False when it was known."""
    return bool(
        scope.execute(
            "INSERT INTO notice_deliveries (tenant_id, id, notice_id, attempt, channel, address, state, reference,"
            " error, at) VALUES (:tenant, :id, :notice, :attempt, :channel, :address, :state, :reference, :error, :now)"
            " ON CONFLICT (tenant_id, notice_id, attempt, state) DO NOTHING",
            id=new_id(),
            notice=notice_id,
            attempt=number,
            channel=way.channel,
            address=way.address,
            state=state,
            reference=reference,
            error=error[:500],
            now=scope.now(),
        )
    )


def _to_print(scope: Scope, notice: Any, step: Take) -> None:
    """Put it into the print queue, where it lies until a person has mailed it; what cannot be printed is refused."""
    learn(scope, notice.id, step.number, step.way, "started")
    unknown = post.unprintable(f"{step.way.address}\n{notice.body_text}")
    if unknown:
        learn(scope, notice.id, step.number, step.way, "refused", error=f"It cannot be printed: {unknown}")
        return
    scope.execute(
        "UPDATE notices SET channel = 'post', recipient = :address WHERE tenant_id = :tenant AND id = :id",
        id=notice.id,
        address=step.way.address,
    )


def _exhausted(scope: Scope, notice: Any, reason: str) -> None:
    """Nothing reached the buyer, or it is too late to: whoever counts on the message must know, and a person."""
    errors = [row.error for row in scope.rows(ATTEMPTS, id=notice.id) if row.error]
    told = errors[-1] if errors else reason
    scope.execute(
        "UPDATE notices SET state = 'bounced', bounced_at = :now, error = :error"
        " WHERE tenant_id = :tenant AND id = :id",
        id=notice.id,
        now=scope.now(),
        error=told,
    )
    events.record(
        scope, notice.order_id, events.NOTICE_BOUNCED, notice=notice.id, kind=notice.kind, reason=told
    )


# ---- the message of each channel


def _message(scope: Scope, notice: Any, step: Take) -> Mail | Text | Hook:
    reference = references.written(Reference(scope.tenant_id, notice.id, step.number))
    return MESSAGES[step.way.channel](scope, notice, step, reference)


def _mail(scope: Scope, notice: Any, step: Take, reference: str) -> Mail:
    """Bounces come back to an address that names the attempt; so do answers to a message that asks for one."""
    shop = notice.facts.get("shop") or {}
    back = mailer.address_for(settings.current().inbound_address, reference)
    return Mail(
        step.way.address,
        notice.subject,
        notice.body_text,
        notice.body_html,
        message_id=reference,
        from_name=shop.get("name", ""),
        reply_to=back if back and notice.kind == "delay" else shop.get("reply_email", ""),
        bounces_to=back,
    )


def _text(scope: Scope, notice: Any, step: Take, reference: str) -> Text:
    return Text(step.way.address, notice.body_sms, reference)


def _hook(scope: Scope, notice: Any, step: Take, reference: str) -> Hook:
    given = (scope.tenant.settings.get("notices") or {})["webhook"]
    body = {
        "type": "notice",
        "timestamp": notice.created_at,
        "data": {
            "id": notice.id,
            "order_id": notice.order_id,
            "order": f"K-{notice.number}",
            "kind": notice.kind,
            "language": notice.language,
            "send_by": notice.send_by,
            "customer": notice.customer,
            "ship_to": notice.ship_to,
            "subject": notice.subject,
            "text": notice.body_text,
            "html": notice.body_html,
            "sms": notice.body_sms,
        },
    }
    return Hook(
        step.way.address, given["secret"], f"notice_{reference}", orjson.dumps(body, default=str).decode()
    )


MESSAGES: dict[str, Callable[[Scope, Any, Take, str], Mail | Text | Hook]] = {
    "email": _mail,
    "sms": _text,
    "webhook": _hook,
}
SENDERS: dict[type, Callable[[Any], str | None]] = {Mail: mailer.send, Text: sms.send, Hook: hooks.send}


def call(outgoing: Outgoing) -> Outcome:
    """Hand it over, and tell what the other end said."""
    try:
        return Outcome("accepted", SENDERS[type(outgoing.message)](outgoing.message) or "")
    except Refused as refusal:
        return Outcome("refused", words=str(refusal) or "refused")
    except Undelivered as failure:
        return Outcome("deferred", words=str(failure))


def finish(scope: Scope, outgoing: Outgoing, outcome: Outcome) -> None:
    """Note the answer: it left, the next way is taken, or this one is tried again in a while."""
    notice = scope.row(NOTICE, id=outgoing.notice_id)
    if notice is None:
        return
    number, way = outgoing.number, outgoing.way
    learn(scope, notice.id, number, way, outcome.state, outcome.reference, outcome.words)
    if notice.state != "queued":
        return
    attempts = _attempts(scope, notice.id)
    attempt = next(one for one in attempts if one.number == number)
    if attempt.is_over:
        scope.later(events.NOTICE_QUEUED, notice.id)
    elif outcome.state == "accepted":
        left(scope, notice, way)
    else:
        has_others = bool(set(_ways(scope, notice)) - {one.way for one in attempts})
        due = tries_again_at(scope.now(), attempt, has_others, notice.send_by)
        scope.at(due, events.NOTICE_QUEUED, notice.id, key=f"notice:{notice.id}")


def left(scope: Scope, notice: Any, way: Way) -> None:
    """The message is out of our hands: accepted at the other end, or mailed by a person."""
    scope.execute(
        "UPDATE notices SET state = 'sent', sent_at = :now, channel = :channel, recipient = :address, error = NULL"
        " WHERE tenant_id = :tenant AND id = :id",
        id=notice.id,
        now=scope.now(),
        channel=way.channel,
        address=way.address,
    )
    events.tell(
        scope,
        notice.order_id,
        events.NOTICE_SENT,
        notice=notice.id,
        kind=notice.kind,
        channel=way.channel,
        to=way.address,
    )


# ---- what is learned later


def bounced(scope: Scope, notice_id: UUID, number: int, reason: str) -> None:
    """An attempt that was accepted, or whose answer was lost, did not reach the buyer: the next way is taken while
    there is time, else the message counts as not offered. Learned once."""
    notice = scope.row(NOTICE, id=notice_id)
    attempt = next((one for one in _attempts(scope, notice_id) if one.number == number), None)
    if notice is None or attempt is None or attempt.is_over:
        return
    learn(scope, notice_id, number, attempt.way, "bounced", error=reason)
    if notice.state not in ("queued", "sent", "delivered"):
        return
    scope.execute(
        "UPDATE notices SET state = 'queued', sent_at = NULL, delivered_at = NULL, error = :reason"
        " WHERE tenant_id = :tenant AND id = :id",
        id=notice_id,
        reason=reason[:500],
    )
    step = _step(scope, notice)
    if isinstance(step, Exhausted):
        _exhausted(scope, notice, step.reason)
    else:
        scope.later(events.NOTICE_QUEUED, notice_id)


def confirmed(scope: Scope, notice_id: UUID, number: int) -> None:
    """The other end says that an attempt reached the buyer."""
    notice = scope.row(NOTICE, id=notice_id)
    attempt = next((one for one in _attempts(scope, notice_id) if one.number == number), None)
    if notice is None or attempt is None or attempt.is_over:
        return
    learn(scope, notice_id, number, attempt.way, "delivered")
    if notice.state == "sent":
        scope.execute(
            "UPDATE notices SET state = 'delivered', delivered_at = :now WHERE tenant_id = :tenant AND id = :id",
            id=notice_id,
            now=scope.now(),
        )
