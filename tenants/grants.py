"""Reading the grants that a tenant gave to outside organizations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from tenants.scope import Scope

COLUMNS = (
    "SELECT g.id, g.provider_id, p.name AS provider, g.name, g.nodes, g.scopes, g.starts_at, g.ends_at,"
    " g.revoked_at, g.created_at, (SELECT count(*) FROM api_keys k WHERE k.tenant_id = :tenant"
    " AND k.grant_id = g.id AND k.revoked_at IS NULL) AS keys FROM grants g"
    " JOIN providers p ON p.id = g.provider_id WHERE g.tenant_id = :tenant"
)


def listed(scope: Scope) -> list[Any]:
    """The tenant's grants with their organization and how many keys hang on each; the running ones first."""
    return scope.rows(f"{COLUMNS} ORDER BY g.revoked_at IS NOT NULL, lower(p.name), g.id")


def get(scope: Scope, grant_id: UUID) -> Any | None:
    """One grant, or None."""
    return scope.row(f"{COLUMNS} AND g.id = :id", id=grant_id)


def provider_name(scope: Scope, provider_id: UUID) -> str | None:
    """The organization with this id, which it gave to the merchant itself."""
    found: str | None = scope.session.execute(
        text("SELECT name FROM providers WHERE id = :id"), {"id": provider_id}
    ).scalar_one_or_none()
    return found
