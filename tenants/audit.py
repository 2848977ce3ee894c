"""The record of who changed what. Append-only; read on the Settings page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

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


@dataclass(frozen=True)
class Filter:
    """Which entries: `action` is a first word such as `key`, `actor` a part of a name, times are UTC."""

    action: str = ""
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None


def listed(scope: Scope, wanted: Filter, *, after: UUID | None = None, most: int = 50) -> list[Any]:
    """Entries, newest first, up to `most` and one more (to tell whether there are more)."""
    conditions, values = ["tenant_id = :tenant"], dict[str, Any]()
    if wanted.action:
        conditions.append("action LIKE :action")
        values["action"] = f"{_plain(wanted.action)}.%"
    if wanted.actor:
        conditions.append("actor_name ILIKE :actor")
        values["actor"] = f"%{_plain(wanted.actor)}%"
    if wanted.since:
        conditions.append("at >= :since")
        values["since"] = wanted.since
    if wanted.until:
        conditions.append("at < :until")
        values["until"] = wanted.until
    if after:
        conditions.append("id < :after")
        values["after"] = after
    return scope.rows(
        "SELECT id, at, actor_kind, actor_name, action, subject, detail, request_id FROM audit_entries"
        f" WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT :most",
        most=most + 1,
        **values,
    )


def kinds(scope: Scope) -> list[str]:
    """The first words of all actions there are: key, member, grant..."""
    rows = scope.rows(
        "SELECT DISTINCT split_part(action, '.', 1) AS kind FROM audit_entries WHERE tenant_id = :tenant ORDER BY 1"
    )
    return [row.kind for row in rows]


def _plain(pattern: str) -> str:
    """The text itself, where LIKE would read signs into it."""
    return pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
