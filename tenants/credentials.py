"""API keys and OAuth tokens: shown once, kept as digests, found by prefix."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from infra.clock import real_now
from infra.errors import Problem, not_found
from infra.ids import new_id
from tenants import audit
from tenants.rules import may_grant, unknown_scopes
from tenants.scope import FACTS, Actor, Scope, TenantFacts, directory

PREFIX_LENGTH = 12
TOKEN_SECONDS = 3600
TOKEN_KIND, CLIENT_KIND = "kept_token_", "kept_client_"
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class NewKey:
    """A key as shown once."""

    id: UUID
    key: str
    prefix: str


def create_key(
    scope: Scope,
    *,
    name: str,
    scopes: list[str],
    grant_id: UUID | None = None,
    expires_at: datetime | None = None,
    rate_limit: int | None = None,
) -> NewKey:
    """Make a key. Raises Problem 422 for unknown scopes and 403 for more than the maker has."""
    check_scopes(scope, scopes, provider=grant_id is not None)
    made = fresh("kept_live_" if scope.tenant.environment == "live" else "kept_test_")
    scope.execute(
        "INSERT INTO api_keys (tenant_id, id, name, prefix, digest, scopes, grant_id, rate_limit, created_by,"
        " created_at, expires_at) VALUES (:tenant, :id, :name, :prefix, :digest, :scopes, :grant,"
        " :rate_limit, :by, :now, :expires)",
        id=made.id,
        name=name,
        prefix=made.prefix,
        digest=digest(made.key),
        scopes=scopes,
        grant=grant_id,
        rate_limit=rate_limit,
        by=str(scope.actor),
        now=real_now(),
        expires=expires_at,
    )
    list_prefix(scope, made.prefix)
    audit.record(scope, "key.created", made.prefix, name=name, scopes=scopes)
    return made


def rotate_key(scope: Scope, key_id: UUID, *, overlap_hours: int = 24) -> NewKey:
    """A successor with the same rights; the old key works until the overlap ends. Raises 404, 409."""
    old = scope.row("SELECT * FROM api_keys WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=key_id)
    if old is None:
        raise not_found("key")
    if old.revoked_at or old.replaced_by:
        raise Problem(409, "key-not-current", "This key was already revoked or rotated. Make a new one.")
    made = create_key(
        scope,
        name=old.name,
        scopes=old.scopes,
        grant_id=old.grant_id,
        rate_limit=old.rate_limit,
        expires_at=None if old.expires_at is None else real_now() + (old.expires_at - old.created_at),
    )
    end = real_now() + timedelta(hours=overlap_hours)
    scope.execute(
        "UPDATE api_keys SET replaced_by = :new, expires_at = least(coalesce(expires_at, :end), :end)"
        " WHERE tenant_id = :tenant AND id = :id",
        new=made.id,
        end=end,
        id=key_id,
    )
    audit.record(scope, "key.rotated", old.prefix, successor=made.prefix, overlap_hours=overlap_hours)
    return made


def revoke_key(scope: Scope, key_id: UUID) -> None:
    """The key stops working with this transaction. Raises 404."""
    row = scope.row(
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, :now) WHERE tenant_id = :tenant AND id = :id"
        " RETURNING prefix",
        id=key_id,
        now=real_now(),
    )
    if row is None:
        raise not_found("key")
    audit.record(scope, "key.revoked", row.prefix)


def issue_token(scope: Scope, client_row_id: UUID, scopes: list[str]) -> NewKey:
    """An access token of a client, valid for an hour."""
    made = fresh(TOKEN_KIND)
    now = real_now()
    scope.execute(
        "INSERT INTO oauth_tokens (tenant_id, id, client_row_id, prefix, digest, scopes, issued_at,"
        " expires_at) VALUES (:tenant, :id, :client, :prefix, :digest, :scopes, :now, :expires)",
        id=made.id,
        client=client_row_id,
        prefix=made.prefix,
        digest=digest(made.key),
        scopes=scopes,
        now=now,
        expires=now + timedelta(seconds=TOKEN_SECONDS),
    )
    list_prefix(scope, made.prefix)
    return made


def check_scopes(scope: Scope, scopes: list[str], *, provider: bool) -> None:
    """Raises Problem 422 for unknown scopes and 403 for more than the maker has."""
    unknown = unknown_scopes(scopes, provider=provider)
    if unknown:
        raise Problem(
            422, "unknown-scope", f"A key cannot hold: {', '.join(unknown)}. Leave them out."
        ) from None
    if scope.actor.kind != "system" and not may_grant(scope.actor.permissions, scopes):
        raise Problem(403, "more-than-own", "A key cannot hold more than the person who makes it.")


def fresh(kind: str) -> NewKey:
    """A new secret of a kind, with the part of it that may be shown."""
    prefix = kind + "".join(secrets.choice(_ALPHABET) for _ in range(PREFIX_LENGTH))
    return NewKey(new_id(), f"{prefix}_{secrets.token_urlsafe(24)}", prefix)


def digest(secret: str) -> bytes:
    """SHA-256: enough for secrets of 192 random bits, and cheap on every request."""
    return hashlib.sha256(secret.encode()).digest()


def list_prefix(scope: Scope, prefix: str) -> None:
    """Let the prefix be found before its tenant is known."""
    scope.execute("INSERT INTO key_directory (prefix, tenant_id) VALUES (:prefix, :tenant)", prefix=prefix)


_tenants_by_prefix: dict[str, UUID] = {}
"""Prefixes never change hands, so what was once found stays true."""


def prefix_of(token: str) -> str:
    """The part of a key or token that may be shown."""
    parts = token.split("_", 3)
    return "_".join(parts[:3]) if len(parts) == 4 else ""


def tenant_of(token: str) -> UUID | None:
    """Whose key this claims to be; proves nothing yet."""
    prefix = prefix_of(token)
    if not prefix or len(prefix) > 40:
        return None
    found = _tenants_by_prefix.get(prefix)
    if found is None:
        with directory() as session:
            found = session.execute(
                text("SELECT tenant_id FROM key_directory WHERE prefix = :prefix"), {"prefix": prefix}
            ).scalar_one_or_none()
        if found is not None:
            _tenants_by_prefix[prefix] = found
    return found


KEY_SQL = f"""
SELECT {FACTS}, k.id AS key_id, k.digest, k.scopes, k.name AS key_name, k.rate_limit AS key_limit,
       k.expires_at, k.revoked_at, k.last_used_at, g.id AS grant_id, g.nodes, g.name AS grant_name,
       g.scopes AS grant_scopes, g.starts_at, g.ends_at, g.revoked_at AS grant_revoked_at
FROM tenants t
LEFT JOIN api_keys k ON k.tenant_id = t.tenant_id AND k.prefix = %(prefix)s
LEFT JOIN grants g ON g.tenant_id = t.tenant_id AND g.id = k.grant_id
WHERE t.tenant_id = %(tenant)s
"""
TOKEN_SQL = KEY_SQL.replace(
    "LEFT JOIN api_keys k ON k.tenant_id = t.tenant_id AND k.prefix = %(prefix)s",
    "LEFT JOIN (SELECT o.tenant_id, o.prefix, c.id, o.digest, o.scopes, c.name, c.rate_limit,"
    " least(o.expires_at, c.expires_at) AS expires_at, coalesce(o.revoked_at, c.revoked_at) AS revoked_at,"
    " c.last_used_at, c.grant_id FROM oauth_tokens o JOIN oauth_clients c ON c.tenant_id = o.tenant_id"
    " AND c.id = o.client_row_id) k ON k.tenant_id = t.tenant_id AND k.prefix = %(prefix)s",
)


@dataclass(frozen=True)
class Caller:
    """A proven key: who acts, and how often they may."""

    actor: Actor
    key_id: UUID
    """The key; with an OAuth token its client, so that a client has one limit and one name over all its tokens."""
    rate_limit: int | None
    stale_use: bool
    """Whether the last use is worth writing again (at most once a minute)."""
    by_token: bool = False


def prove(scope: Scope, token: str) -> Caller:
    """Check the key inside its tenant's transaction. Raises Problem 401 or 403."""
    prefix = prefix_of(token)
    sql = TOKEN_SQL if prefix.startswith(TOKEN_KIND) else KEY_SQL
    row = scope.raw().execute(sql, {"prefix": prefix, "tenant": scope.tenant_id}, prepare=True).fetchone()
    now = real_now()
    if row is None or row[10] is None or not hmac.compare_digest(bytes(row[11]), digest(token)):
        raise unauthorized("This key is not known here.")
    scope._facts = TenantFacts(*row[:10])
    found = _KeyRow(*row[10:])
    if found.revoked_at is not None or (found.expires_at is not None and found.expires_at <= now):
        raise unauthorized("This key was revoked or has expired. Make a new one in Settings.")
    if scope.tenant.status == "suspended":
        raise Problem(403, "suspended", "This account is suspended. Ask Kept's support.")
    stale = _stale(found.last_used_at, now)
    return Caller(
        _actor(found, now), found.key_id, found.rate_limit, stale, by_token=prefix.startswith(TOKEN_KIND)
    )


@dataclass(frozen=True)
class _KeyRow:
    key_id: UUID
    digest: bytes
    scopes: list[str]
    name: str
    rate_limit: int | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    grant_id: UUID | None
    nodes: list[str] | None
    grant_name: str | None
    grant_scopes: list[str] | None
    starts_at: datetime | None
    ends_at: datetime | None
    grant_revoked_at: datetime | None


def _actor(row: _KeyRow, now: datetime) -> Actor:
    if row.grant_id is None:
        return Actor("key", str(row.key_id), row.name, frozenset(row.scopes))
    over = row.grant_revoked_at is not None or (row.ends_at is not None and row.ends_at <= now)
    if over or (row.starts_at is not None and row.starts_at > now):
        raise Problem(403, "grant-not-in-force", "The grant behind this key is not in force today.")
    nodes = None if "*" in (row.nodes or []) else frozenset(row.nodes or [])
    permissions = frozenset(row.scopes) & frozenset(row.grant_scopes or [])
    return Actor("provider", str(row.grant_id), row.grant_name or "", permissions, nodes)


def _stale(last_used_at: datetime | None, now: datetime) -> bool:
    return last_used_at is None or now - last_used_at > timedelta(minutes=1)


def note_use(scope: Scope, caller: Caller) -> None:
    """Remember that the key was used. Another request doing the same is not waited for."""
    table = "oauth_clients" if caller.by_token else "api_keys"
    scope.execute(
        f"UPDATE {table} SET last_used_at = :now WHERE tenant_id = :tenant AND id IN (SELECT id FROM {table}"
        " WHERE tenant_id = :tenant AND id = :id FOR UPDATE SKIP LOCKED)",
        id=caller.key_id,
        now=real_now(),
    )


def unauthorized(detail: str) -> Problem:
    """401 with the challenge."""
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


def listed(scope: Scope) -> list[Any]:
    """The tenant's keys, newest first, without anything secret."""
    return scope.rows(
        "SELECT k.id, k.name, k.prefix, k.scopes, k.grant_id, g.name AS grant_name, k.rate_limit, k.created_by,"
        " k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.replaced_by FROM api_keys k LEFT JOIN grants g"
        " ON g.tenant_id = :tenant AND g.id = k.grant_id WHERE k.tenant_id = :tenant ORDER BY k.id DESC"
    )
