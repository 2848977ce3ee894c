"""The reference of one attempt to deliver a message, as mail carries it: in the Message-ID, in the return path and in
the address for answers. It names tenant, message and attempt, and only we can make one: a stranger's mail cannot be
taken for an answer to a message it never saw.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from uuid import UUID

from infra import settings

SIGNED = 3
LENGTH = 58
FOUND = re.compile(rf"(?<![a-z2-7])[a-z2-7]{{{LENGTH}}}(?![a-z2-7])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reference:
    """One attempt (1 to 255) to deliver one message of one tenant."""

    tenant_id: UUID
    notice_id: UUID
    attempt: int


def written(reference: Reference) -> str:
    """58 letters and figures; capitals do not matter, as in any address."""
    raw = reference.tenant_id.bytes + reference.notice_id.bytes + bytes([reference.attempt])
    return base64.b32encode(raw + _signature(raw)).decode().rstrip("=").lower()


def found(text: str) -> Reference | None:
    """The first reference of ours in a text (an address, a Message-ID, a header); None when there is none."""
    for candidate in FOUND.findall(text):
        raw = base64.b32decode(candidate.upper() + "=" * (-LENGTH % 8))
        body, signature = raw[:-SIGNED], raw[-SIGNED:]
        if hmac.compare_digest(signature, _signature(body)):
            return Reference(UUID(bytes=body[:16]), UUID(bytes=body[16:32]), body[32])
    return None


def _signature(raw: bytes) -> bytes:
    key = settings.current().secret_key.encode()
    return hmac.new(key, b"kept.mail-reference" + raw, hashlib.sha256).digest()[:SIGNED]
