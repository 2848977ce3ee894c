"""Messages to a merchant's own address, signed as Standard Webhooks says: webhook-id, webhook-timestamp and
webhook-signature over id, time and body."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import requests
from standardwebhooks import Webhook

from infra import settings
from infra.addresses import NotPublic, check_public
from infra.clock import real_now
from infra.mailer import Refused, Undelivered

TIMEOUT_SECONDS = (3.0, 15.0)
GONE = 410


@dataclass(frozen=True, slots=True)
class Hook:
    """One call. `id` is the same at every attempt, so that a repeat can be told; `secret` as `whsec_...`."""

    url: str
    secret: str
    id: str
    body: str


def send(hook: Hook) -> None:
    """Call it once. 2xx: taken. Raises Refused for 410 Gone, Undelivered for everything else."""
    now = real_now()
    try:
        check_public(hook.url, allow_private=settings.current().private_services == "allow")
        answer = requests.post(
            hook.url,
            data=hook.body.encode(),
            headers=_headers(hook, now),
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except NotPublic as wrong:
        raise Refused(str(wrong)) from wrong
    except (requests.RequestException, OSError) as lost:
        raise Undelivered(f"it did not answer: {type(lost).__name__}") from lost
    if 200 <= answer.status_code < 300:
        return
    if answer.status_code == GONE:
        raise Refused("410 Gone")
    raise Undelivered(f"it answered {answer.status_code}")


def _headers(hook: Hook, now: datetime) -> dict[str, str]:
    signature = Webhook(hook.secret).sign(hook.id, now, hook.body)
    return {
        "Content-Type": "application/json",
        "webhook-id": hook.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
