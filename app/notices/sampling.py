"""A sample of a message, sent to whoever edits its wording."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.calendar import local_date
from app.notices import templates
from app.notices.compose import render
from app.notices.letters import shop_of
from app.notices.samples import samples
from infra import mailer
from infra.mailer import Mail, Refused
from tenants.scope import Scope


def begin(
    scope: Scope, sample_id: UUID, *, kind: str, language: str, version: int, to: str, **_: Any
) -> Mail:
    """The sample as a mail."""
    shop = shop_of(scope)
    today = local_date(scope.now(), scope.tenant.timezone)
    facts = next(iter(samples(kind, shop, today, language).values()))
    made = render(facts, templates.wording(scope, kind, language, version))
    return Mail(
        to,
        f"[Sample] {made.subject}",
        made.text,
        made.html,
        message_id=str(sample_id),
        from_name=shop.name,
        reply_to=shop.reply_email,
    )


def call(mail: Mail) -> None:
    """Send it; an address that is refused is not tried again. Raises Undelivered."""
    try:
        mailer.send(mail)
    except Refused:
        return


def finish(scope: Scope, mail: Mail, answer: None) -> None:
    """Nothing is kept of a sample."""
