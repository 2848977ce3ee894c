"""Queue a message to a buyer, once for one cause. How it reaches them is delivery.py's.

A message that lacks what it must say is kept, never sent, and told to a person.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from app import events
from app.notices import templates
from app.notices.compose import render
from app.notices.facts import AccountFacts, DelayFacts, Facts, Rendered, recorded
from app.notices.rules import lint
from app.notices.source import Unfit
from infra.errors import not_found
from infra.ids import new_id
from tenants.scope import Scope

INSERT = """
INSERT INTO notices (tenant_id, id, order_id, kind, cause, recipient, language, template_version, subject, body_text,
    body_html, body_sms, facts, state, error, created_at, send_by)
SELECT :tenant, :id, o.id, :kind, :cause, o.customer->>'email', :language, :version, :subject, :text, :html, :sms,
    CAST(:facts AS jsonb), :state, :error, :now, :send_by
FROM orders o WHERE o.tenant_id = :tenant AND o.id = :order
ON CONFLICT (tenant_id, cause) DO NOTHING
"""


def queue(scope: Scope, order_id: UUID, facts: Facts, *, cause: str, **extra: Any) -> UUID:
    """Render the message and have it sent after the commit; once per cause. Returns its id, also of the one that is
    there already. `extra` is kept with the facts. One with faults is kept as failed. Raises Problem 404."""
    rendered, version, faults = _made(scope, facts)
    notice_id = new_id()
    made = scope.execute(
        INSERT,
        id=notice_id,
        order=order_id,
        kind=facts.kind,
        cause=cause,
        language="en" if isinstance(facts, AccountFacts) else facts.language,
        version=version,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        sms=rendered.sms,
        facts=orjson.dumps({**recorded(facts), **extra, "words": rendered.words}, default=str).decode(),
        state="failed" if faults else "queued",
        error=f"It lacks: {', '.join(faults)}." if faults else None,
        now=scope.now(),
        send_by=facts.send_by if isinstance(facts, DelayFacts) else None,
    )
    if not made:
        return _there(scope, cause)
    if faults:
        reason = f"It lacks: {', '.join(faults)}."
        events.record(scope, order_id, events.NOTICE_FAILED, notice=notice_id, kind=facts.kind, reason=reason)
    else:
        scope.later(events.NOTICE_QUEUED, notice_id)
    return notice_id


def _there(scope: Scope, cause: str) -> UUID:
    there = scope.row("SELECT id FROM notices WHERE tenant_id = :tenant AND cause = :cause", cause=cause)
    if there is None:
        raise not_found("order")
    return UUID(str(there.id))


def faults_of(scope: Scope, facts: Facts) -> list[str]:
    """What a message of these facts would lack, were it sent now."""
    return _made(scope, facts)[2]


def _made(scope: Scope, facts: Facts) -> tuple[Rendered, int, list[str]]:
    """The message, the version of the wording, and what it lacks. Where the merchant's own wording lacks something for
    these facts Kept's takes its place: a buyer's right must not wait for an edit."""
    now = scope.now()
    if not isinstance(facts, AccountFacts):
        own = templates.in_force(scope, facts.kind, facts.language)
        if own.version:
            try:
                rendered = render(facts, own)
                if not lint(facts, rendered, sent_at=now):
                    return rendered, own.version, []
            except Unfit:
                pass
    rendered = render(facts)
    return rendered, 0, lint(facts, rendered, sent_at=now)
