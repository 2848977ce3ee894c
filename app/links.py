"""Links to a buyer's own pages: signed, without an account, carrying the tenant.

A token says the tenant, the order and what it opens. It is the same every time, so the same mail always holds the
same link; it does not expire, because a buyer's right to look and to cancel does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from infra import settings

ORDER = "order"


@dataclass(frozen=True, slots=True)
class Link:
    """What a token opens."""

    tenant_id: UUID
    order_id: UUID
    purpose: str


def token(tenant_id: UUID, order_id: UUID, purpose: str = ORDER) -> str:
    """The signed token of a buyer's link."""
    return str(_signer().dumps([tenant_id.hex, order_id.hex, purpose]))


def read(given: str) -> Link | None:
    """What the token opens; None when it is not one of ours."""
    try:
        tenant, order, purpose = _signer().loads(given)
        return Link(UUID(hex=tenant), UUID(hex=order), str(purpose))
    except (BadSignature, ValueError, TypeError, AttributeError):
        return None


def url(tenant_id: UUID, order_id: UUID, purpose: str = ORDER) -> str:
    """The address a buyer opens."""
    return f"{settings.current().public_url.rstrip('/')}/o/{token(tenant_id, order_id, purpose)}"


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(settings.current().secret_key, salt="kept.buyer-link")
