"""The verbs of accounts: open a merchant, its tenants, members, providers and grants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from infra.clock import real_now
from infra.errors import Problem, not_found
from infra.ids import new_id
from tenants import audit
from tenants.rules import PROVIDER_SCOPES, unknown_scopes
from tenants.scope import SYSTEM, Actor, Scope, directory, inside
from tenants.vocabulary import CHANNEL_KINDS

CHANNEL_NAMES = {
    "store": "Store",
    "mail": "Paper mail",
    "email": "Email",
    "social": "Social",
    "web": "Web shop",
    "phone_app": "Phone app",
    "tablet_app": "Tablet app",
    "phone": "Telephone",
    "broadcast": "Radio and TV",
    "marketplace": "Marketplace",
    "edi": "EDI",
    "api": "API",
}


@dataclass(frozen=True)
class Opened:
    """A merchant's new tenants."""

    merchant_id: UUID
    sandbox: UUID
    live: UUID | None


def open_merchant(
    name: str,
    *,
    owner: UUID | None,
    timezone: str = "America/New_York",
    currency: str = "USD",
    live: bool = True,
    rate_limit: int | None = 600,
    first_rules: dict[str, object] | None = None,
) -> Opened:
    """Open a merchant: a sandbox with a clock of its own, and a live tenant beside it.

    `owner` is an account id; `rate_limit` is requests per minute over all keys of each tenant.
    """
    merchant, sandbox = new_id(), new_id()
    live_id = new_id() if live else None
    for tenant_id, environment in ((sandbox, "sandbox"), (live_id, "live")):
        if tenant_id is not None:
            with inside(tenant_id) as scope:
                _open_tenant(scope, merchant, name, environment, timezone, currency, rate_limit)
                if owner is not None:
                    add_member(scope, owner, "owner")
                if first_rules is not None:
                    _first_rules(scope, first_rules)
    return Opened(merchant, sandbox, live_id)


def _open_tenant(
    scope: Scope,
    merchant: UUID,
    name: str,
    environment: str,
    timezone: str,
    currency: str,
    rate_limit: int | None,
) -> None:
    now = real_now()
    scope.execute("INSERT INTO tenant_directory (tenant_id) VALUES (:tenant)")
    scope.execute(
        "INSERT INTO tenants (tenant_id, id, merchant_id, name, environment, timezone, currency, rate_limit,"
        " created_at) VALUES (:tenant, :tenant, :merchant, :name, :environment, :zone, :currency, :limit, :now)",
        merchant=merchant,
        name=name,
        environment=environment,
        zone=timezone,
        currency=currency,
        limit=rate_limit,
        now=now,
    )
    scope.many(
        "INSERT INTO channels (tenant_id, id, code, kind, name) VALUES (:tenant, :id, :code, :code, :name)",
        [{"id": new_id(), "code": kind, "name": CHANNEL_NAMES[kind]} for kind in CHANNEL_KINDS],
    )
    scope.execute(
        "INSERT INTO counters (tenant_id, id, name, value) VALUES (:tenant, :id, 'order', 10000)", id=new_id()
    )
    scope.later("tenant.opened", scope.tenant_id)
    audit.record(scope, "tenant.opened", name, environment=environment)


def _first_rules(scope: Scope, document: dict[str, object]) -> None:
    now = real_now()
    scope.execute(
        "INSERT INTO rule_versions (tenant_id, id, version, state, document, note, created_by, created_at,"
        " activated_at) VALUES (:tenant, :id, 1, 'active', CAST(:document AS jsonb), 'Where every merchant"
        " starts', 'system:Kept', :now, :now)",
        id=new_id(),
        document=orjson.dumps(document).decode(),
        now=now,
    )


def add_member(scope: Scope, account_id: UUID, role: str) -> UUID:
    """Make an account a member. Joining again changes the role and lifts a removal."""
    account = scope.row("SELECT email, name FROM accounts WHERE id = :id", id=account_id)
    if account is None:
        raise not_found("account")
    row = scope.row(
        "INSERT INTO members (tenant_id, id, account_id, email, name, role, created_at) VALUES (:tenant, :id,"
        " :account, :email, :name, :role, :now) ON CONFLICT (tenant_id, account_id)"
        " DO UPDATE SET role = EXCLUDED.role, removed_at = NULL RETURNING id",
        id=new_id(),
        account=account_id,
        email=account.email,
        name=account.name,
        role=role,
        now=real_now(),
    )
    scope.execute(
        "INSERT INTO account_tenants (account_id, tenant_id) VALUES (:account, :tenant)"
        " ON CONFLICT DO NOTHING",
        account=account_id,
    )
    audit.record(scope, "member.added", account.email, role=role)
    assert row is not None
    return row.id


def create_provider(session: Session, name: str) -> UUID:
    """An outside organization, which may serve many tenants."""
    provider = new_id()
    session.execute(
        text("INSERT INTO providers (id, name, created_at) VALUES (:id, :name, :now)"),
        {"id": provider, "name": name, "now": real_now()},
    )
    return provider


def grant(
    scope: Scope,
    provider_id: UUID,
    *,
    name: str,
    nodes: list[str],
    scopes: list[str] | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> UUID:
    """Give a provider verbs on nodes. Raises 422 for a scope a provider may not have or no node."""
    wanted = sorted(PROVIDER_SCOPES) if scopes is None else scopes
    if unknown := unknown_scopes(wanted, provider=True):
        raise Problem(422, "unknown-scope", f"A grant cannot give: {', '.join(unknown)}.")
    if not nodes:
        raise Problem(422, "no-nodes", "Name at least one node, or `*` for all present and future ones.")
    grant_id = new_id()
    scope.execute(
        "INSERT INTO grants (tenant_id, id, provider_id, name, nodes, scopes, starts_at, ends_at, created_at)"
        " VALUES (:tenant, :id, :provider, :name, :nodes, :scopes, :starts, :ends, :now)",
        id=grant_id,
        provider=provider_id,
        name=name,
        nodes=nodes,
        scopes=wanted,
        starts=starts_at or real_now(),
        ends=ends_at,
        now=real_now(),
    )
    audit.record(scope, "grant.given", name, nodes=nodes, scopes=wanted, ends_at=ends_at)
    return grant_id


def revoke_grant(scope: Scope, grant_id: UUID) -> None:
    """End a grant now; every key that hangs on it stops. Raises 404."""
    row = scope.row(
        "UPDATE grants SET revoked_at = coalesce(revoked_at, :now) WHERE tenant_id = :tenant AND id = :id"
        " RETURNING name",
        id=grant_id,
        now=real_now(),
    )
    if row is None:
        raise not_found("grant")
    audit.record(scope, "grant.revoked", row.name)


def suspend(tenant_id: UUID, reason: str, actor: Actor = SYSTEM) -> None:
    """Stop a tenant's doors; its data stays, and its buyers' links keep working."""
    with inside(tenant_id, actor) as scope:
        scope.execute(
            "UPDATE tenants SET status = 'suspended', suspended_reason = :reason WHERE tenant_id = :tenant",
            reason=reason,
        )
        audit.record(scope, "tenant.suspended", scope.tenant.name, reason=reason)


def resume(tenant_id: UUID, actor: Actor = SYSTEM) -> None:
    """Open a suspended tenant's doors again."""
    with inside(tenant_id, actor) as scope:
        scope.execute(
            "UPDATE tenants SET status = 'active', suspended_reason = NULL WHERE tenant_id = :tenant"
        )
        audit.record(scope, "tenant.resumed", scope.tenant.name)


def configuration_changed(scope: Scope) -> None:
    """Nodes, channels or active rules changed: caches keyed by the version go stale."""
    scope.execute("UPDATE tenants SET config_version = config_version + 1 WHERE tenant_id = :tenant")


def all_tenants() -> list[UUID]:
    """Every tenant's id, oldest first."""
    with directory() as session:
        return list(session.execute(text("SELECT tenant_id FROM tenant_directory ORDER BY 1")).scalars())
