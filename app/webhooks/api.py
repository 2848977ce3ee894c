"""Messages from the card processor: the signature is checked on the raw body, each is kept once, and all that
follows happens later. At the site's root, not part of the API.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, request
from sqlalchemy import text

from app import events
from infra import inbox, settings
from infra.errors import Problem
from infra.stripe_gateway import event
from tenants.scope import directory, inside

log = structlog.get_logger()
MOST_BODY = 1_000_000
blueprint = Blueprint("webhooks", __name__)


@blueprint.post("/webhooks/stripe")
def stripe() -> Response:
    """Take an event. 200 also for one that came before or is nobody's here: it must not be sent again."""
    if (request.content_length or 0) > MOST_BODY:
        raise Problem(413, "too-large", f"Send at most {MOST_BODY} bytes at once.")
    secret = settings.current().stripe_webhook_secret
    message = (
        event(request.get_data(), request.headers.get("Stripe-Signature", ""), secret) if secret else None
    )
    if message is None:
        raise Problem(400, "bad-signature", "The signature does not fit the body.")
    account = message.get("account")
    with directory() as session:
        tenant_id = session.execute(
            text("SELECT tenant_id FROM stripe_accounts WHERE account = :account"), {"account": account}
        ).scalar()
    if tenant_id is None:
        log.info("webhook.ignored", account=account, message=message.get("id"), kind=message.get("type"))
        return Response(status=200)
    with inside(tenant_id) as scope:
        kept = inbox.receive(
            scope.session,
            tenant_id,
            source="stripe",
            external_id=message["id"],
            kind=message["type"],
            payload=message,
        )
        if kept is not None:
            scope.later(events.WEBHOOK_RECEIVED, kept)
    return Response(status=200)
