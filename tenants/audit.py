"""The record of who changed what. Append-only; read on the Settings page."""

from __future__ import annotations

from typing import Any

import orjson

from infra.clock import real_now
from infra.ids import new_id
from tenants.scope import Scope


def record(scope: Scope, action: str, subject: str, **detail: Any) -> None:
    """Write one entry in the scope's transaction. Real time: audit is not a business clock."""
    scope.execute(
        "INSERT INTO audit_entries (tenant_id, id, at, actor_kind, actor_id, actor_name, action, subject,"
        " detail, request_id) VALUES (:tenant, :id, :at, :kind, :actor_id, :name, :action, :subject,"
        " CAST(:detail AS jsonb), :request_id)",
        id=new_id(),
        at=real_now(),
        kind=scope.actor.kind,
        actor_id=scope.actor.id,
        name=scope.actor.name,
        action=action,
        subject=subject,
        detail=orjson.dumps(detail, default=str).decode(),
        request_id=scope.request_id,
    )
