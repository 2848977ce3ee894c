"""Signed messages from outside, received once: the unique key decides."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from infra.clock import real_now
from infra.ids import new_id


def receive(
    session: Session, tenant_id: UUID, *, source: str, external_id: str, kind: str, payload: dict[str, Any]
) -> UUID | None:
    """Keep the message. None when it had come before: a duplicate has no second effect."""
    row_id = new_id()
    made = session.execute(
        text(
            "INSERT INTO inbox (tenant_id, id, source, external_id, kind, payload, received_at)"
            " VALUES (:tenant, :id, :source, :external, :kind, CAST(:payload AS jsonb), :now)"
            " ON CONFLICT (tenant_id, source, external_id) DO NOTHING RETURNING id"
        ),
        {
            "tenant": tenant_id,
            "id": row_id,
            "source": source,
            "external": external_id,
            "kind": kind,
            "payload": orjson.dumps(payload).decode(),
            "now": real_now(),
        },
    ).one_or_none()
    return row_id if made else None
