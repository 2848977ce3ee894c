"""Signed links in mails: what they say cannot be changed, each is good for one purpose, and none is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from infra import settings
from infra.errors import Problem

VERIFY, RESET, INVITATION = "verify-email", "reset-password", "invitation"
LIFETIMES = {VERIFY: timedelta(hours=48), RESET: timedelta(hours=1), INVITATION: timedelta(days=7)}
IN_WORDS = {VERIFY: "48 hours", RESET: "1 hour", INVITATION: "7 days"}


def sign(purpose: str, **facts: str) -> str:
    """A token that carries the facts; anybody can read it, nobody can change it."""
    return _serializer(purpose).dumps(facts)


def read(purpose: str, token: str) -> dict[str, Any]:
    """The facts of a token. Raises Problem 404 when it is expired or not ours."""
    try:
        facts = _serializer(purpose).loads(token, max_age=int(LIFETIMES[purpose].total_seconds()))
    except SignatureExpired as error:
        raise Problem(
            404,
            "link-expired",
            f"This link worked for {IN_WORDS[purpose]}. Ask for a new one.",
            title="This link has expired",
        ) from error
    except BadSignature as error:
        raise Problem(
            404,
            "link-unknown",
            "A part of it is missing. Open it from the mail again, or copy all of it.",
            title="This link is not complete",
        ) from error
    return dict(facts)


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.current().secret_key, salt=f"kept.{purpose}")
