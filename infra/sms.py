"""Text messages out, through a gateway that takes JSON over HTTP.

SMS_URL is called with POST {"to", "from", "text", "reference"}, SMS_TOKEN as a bearer token and the reference as
Idempotency-Key, so that a repeat sends nothing twice. It answers 2xx with {"id"} when it has taken the text, 4xx when
it never will (408, 425 and 429: later).
"""

from __future__ import annotations

from dataclasses import dataclass

import requests

from infra import settings
from infra.mailer import Refused, Undelivered

TIMEOUT_SECONDS = (3.0, 15.0)
LATER = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class Text:
    """One text to one telephone. `reference` is the same at every attempt."""

    to: str
    text: str
    reference: str


def send(text: Text) -> str:
    """Hand the text to the gateway; returns its name for it. Raises Refused for good, Undelivered for now."""
    given = settings.current()
    if not given.sms_url:
        raise Refused("no gateway for text messages is configured")
    try:
        answer = requests.post(
            given.sms_url,
            json={"to": text.to, "from": given.sms_from, "text": text.text, "reference": text.reference},
            headers={"Authorization": f"Bearer {given.sms_token}", "Idempotency-Key": text.reference},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as lost:
        raise Undelivered(f"the gateway did not answer: {type(lost).__name__}") from lost
    if 200 <= answer.status_code < 300:
        return _name(answer)
    said = f"{answer.status_code} {answer.text[:200]}".strip()
    if 400 <= answer.status_code < 500 and answer.status_code not in LATER:
        raise Refused(said)
    raise Undelivered(said)


def _name(answer: requests.Response) -> str:
    try:
        return str(answer.json()["id"])[:200]
    except (ValueError, KeyError, TypeError):
        return ""
