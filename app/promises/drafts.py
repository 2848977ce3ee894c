"""What a buyer would read: the real verb, undone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from app.promises.service import send_delay_notice
from tenants.scope import Scope


def drafts(
    scope: Scope, order_id: UUID, line_ids: Sequence[UUID], revised: date | None, reason: str
) -> list[Any]:
    """The delay notices that `send_delay_notice` would send, with subject, body_text, recipient and facts. Nothing is
    kept. Raises what it raises."""
    scope.execute("SAVEPOINT draft")
    try:
        ids = send_delay_notice(scope, order_id, line_ids, revised, reason)
        return scope.rows(
            "SELECT subject, body_text, recipient, facts FROM notices WHERE tenant_id = :tenant AND id = ANY(:ids)"
            " ORDER BY id",
            ids=ids,
        )
    finally:
        scope.execute("ROLLBACK TO SAVEPOINT draft")
