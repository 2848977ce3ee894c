"""Orders that routing leaves to a person, or has canceled: told once, until somebody closes them."""

from __future__ import annotations

from uuid import UUID

from app.events import ROUTING_STUCK, record
from infra.ids import new_id
from tenants.scope import Scope

KINDS = {"queue": "nowhere", "cancel": "cancel"}
"""What a rule says for units without a place -> the kind of exception."""

OPEN = """
INSERT INTO routing_exceptions (tenant_id, id, order_id, kind, reason, opened_at)
VALUES (:tenant, :id, :order, :kind, :reason, :now)
ON CONFLICT (tenant_id, order_id, kind) WHERE state = 'open' DO UPDATE SET reason = EXCLUDED.reason
"""


def leave(scope: Scope, order_id: UUID, kind: str, reason: str) -> None:
    """Open an exception of this kind for the order; one that is open already learns the new reason."""
    scope.execute(OPEN, id=new_id(), order=order_id, kind=kind, reason=reason, now=scope.now())
    record(scope, order_id, ROUTING_STUCK, kind=kind, reason=reason)
