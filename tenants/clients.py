"""OAuth 2.0 clients: who may ask for tokens, with secrets that are shown once and rotate with overlap."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from infra.clock import real_now
from infra.errors import not_found, refused
from tenants import audit
from tenants.credentials import CLIENT_KIND, check_scopes, digest, fresh, list_prefix
from tenants.scope import Scope


def create_client(
    scope: Scope,
    *,
    name: str,
    scopes: list[str],
    grant_id: UUID | None = None,
    expires_at: datetime | None = None,
    rate_limit: int | None = None,
) -> tuple[str, str]:
    """An OAuth client: (client_id, client_secret), the secret shown once. Raises Problem 422, 403."""
    check_scopes(scope, scopes, provider=grant_id is not None)
    made, secret = fresh(CLIENT_KIND), secrets.token_urlsafe(32)
    scope.execute(
        "INSERT INTO oauth_clients (tenant_id, id, client_id, secret_digest, name, scopes, grant_id, rate_limit,"
        " created_by, created_at, expires_at) VALUES (:tenant, :id, :client, :digest, :name, :scopes, :grant,"
        " :rate_limit, :by, :now, :expires)",
        id=made.id,
        client=made.prefix,
        digest=digest(secret),
        name=name,
        scopes=scopes,
        grant=grant_id,
        rate_limit=rate_limit,
        by=str(scope.actor),
        now=real_now(),
        expires=expires_at,
    )
    list_prefix(scope, made.prefix)
    audit.record(scope, "oauth_client.created", made.prefix, name=name, scopes=scopes)
    return made.prefix, secret


def rotate_client(scope: Scope, client_id: str, *, overlap_hours: int = 24) -> str:
    """A new secret; the old one works until the overlap ends. Raises 404, 409 when revoked."""
    row = scope.row(
        "SELECT id, revoked_at FROM oauth_clients WHERE tenant_id = :tenant AND client_id = :client FOR UPDATE",
        client=client_id,
    )
    if row is None:
        raise not_found("OAuth client")
    if row.revoked_at is not None:
        raise refused("client-not-current", "This client was already revoked. Make a new one.")
    secret = secrets.token_urlsafe(32)
    scope.execute(
        "UPDATE oauth_clients SET previous_digest = secret_digest, previous_until = :until,"
        " secret_digest = :digest WHERE tenant_id = :tenant AND id = :id",
        id=row.id,
        digest=digest(secret),
        until=real_now() + timedelta(hours=overlap_hours),
    )
    audit.record(scope, "oauth_client.rotated", client_id, overlap_hours=overlap_hours)
    return secret


def revoke_client(scope: Scope, client_id: str) -> None:
    """The client and all its tokens stop working. Raises 404."""
    now = real_now()
    row = scope.row(
        "UPDATE oauth_clients SET revoked_at = coalesce(revoked_at, :now) WHERE tenant_id = :tenant"
        " AND client_id = :client RETURNING id",
        client=client_id,
        now=now,
    )
    if row is None:
        raise not_found("OAuth client")
    scope.execute(
        "UPDATE oauth_tokens SET revoked_at = :now WHERE tenant_id = :tenant AND client_row_id = :id"
        " AND revoked_at IS NULL",
        id=row.id,
        now=now,
    )
    audit.record(scope, "oauth_client.revoked", client_id)


@dataclass(frozen=True)
class ProvenClient:
    """A client that knew its secret."""

    row_id: UUID
    scopes: frozenset[str]
    in_force: bool
    """False when its tenant is suspended, or the grant behind it is over or not begun."""


def authenticate(scope: Scope, client_id: str, secret: str) -> ProvenClient | None:
    """The client, when the secret (or the one before, in its overlap) is right and neither is revoked or expired."""
    row = scope.row(
        "SELECT c.*, g.scopes AS grant_scopes, g.starts_at, g.ends_at, g.revoked_at AS grant_revoked_at"
        " FROM oauth_clients c LEFT JOIN grants g ON g.tenant_id = :tenant AND g.id = c.grant_id"
        " WHERE c.tenant_id = :tenant AND c.client_id = :client",
        client=client_id,
    )
    now, given = real_now(), digest(secret)
    if row is None or not _knows(row, given, now):
        return None
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    scopes = frozenset(row.scopes)
    if row.grant_id is not None:
        scopes &= frozenset(row.grant_scopes)
    return ProvenClient(row.id, scopes, scope.tenant.status == "active" and _in_force(row, now))


def _knows(row: Any, given: bytes, now: datetime) -> bool:
    if hmac.compare_digest(bytes(row.secret_digest), given):
        return True
    in_overlap = row.previous_digest is not None and now < row.previous_until
    return in_overlap and hmac.compare_digest(bytes(row.previous_digest), given)


def _in_force(row: Any, now: datetime) -> bool:
    if row.grant_id is None:
        return True
    over = row.grant_revoked_at is not None or (row.ends_at is not None and row.ends_at <= now)
    return not over and row.starts_at <= now


def listed(scope: Scope) -> list[Any]:
    """The tenant's clients, newest first, without anything secret."""
    return scope.rows(
        "SELECT c.id, c.name, c.client_id, c.scopes, c.grant_id, g.name AS grant_name, c.rate_limit, c.created_by,"
        " c.created_at, c.expires_at, c.last_used_at, c.revoked_at, c.previous_until FROM oauth_clients c"
        " LEFT JOIN grants g ON g.tenant_id = :tenant AND g.id = c.grant_id WHERE c.tenant_id = :tenant"
        " ORDER BY c.id DESC"
    )
