"""Accounts, tenants, members, keys, grants, settings and rule versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import GlobalTable, TenantTable, one_of, tenant_key
from infra.ids import new_id
from tenants.vocabulary import CHANNEL_KINDS, ROLES

# ---- Global: no tenant, and look-ups that hold only key -> tenant


class Account(GlobalTable):
    """A person who logs in. May be a member of many tenants."""

    __tablename__ = "accounts"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str | None]
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = (Index("uq_accounts_email", text("lower(email)"), unique=True),)


class SsoSubject(GlobalTable):
    """Which account an identity provider's subject logs in to."""

    __tablename__ = "sso_subjects"
    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))


class WebSession(GlobalTable):
    """A logged-in browser. Only a digest of its token is kept; it rotates and may be revoked."""

    __tablename__ = "web_sessions"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    previous_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    tenant_id: Mapped[UUID | None]
    """The tenant being worked in; a choice, not a right: membership is checked at each request."""
    created_at: Mapped[datetime]
    rotated_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str] = mapped_column(server_default="")


class Provider(GlobalTable):
    """An outside organization: 3PL, drop-shipper, store system, contact center."""

    __tablename__ = "providers"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    created_at: Mapped[datetime]


class Staff(GlobalTable):
    """Platform staff. The password works only with the embedded parts; single sign-on otherwise."""

    __tablename__ = "staff"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    sso_subject: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class TenantDirectory(GlobalTable):
    """Every tenant by id: only that it exists. Its name and settings are behind the fence."""

    __tablename__ = "tenant_directory"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)


class AccountTenant(GlobalTable):
    """Which tenants an account is a member of (look-up; the membership itself is behind the fence)."""

    __tablename__ = "account_tenants"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)


class KeyDirectory(GlobalTable):
    """The prefix of a key or token -> its tenant."""

    __tablename__ = "key_directory"
    prefix: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]


class StripeAccount(GlobalTable):
    """A connected Stripe account -> its tenant, for webhooks."""

    __tablename__ = "stripe_accounts"
    account: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]


# ---- Behind the fence


class Tenant(TenantTable):
    """One merchant in one environment. `id` equals `tenant_id`."""

    __tablename__ = "tenants"
    merchant_id: Mapped[UUID]
    """The same for a merchant's sandbox and live tenants."""
    name: Mapped[str]
    environment: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    timezone: Mapped[str] = mapped_column(server_default="America/New_York")
    currency: Mapped[str] = mapped_column(server_default="USD")
    stripe_account: Mapped[str | None]
    clock_offset: Mapped[int] = mapped_column(server_default="0")
    """Seconds the business clock is ahead of real time; 0 in live."""
    config_version: Mapped[int] = mapped_column(server_default="1")
    """Goes up with every change to nodes, channels or active rules: caches are keyed by it."""
    rate_limit: Mapped[int | None]
    """Requests per minute over all keys; null = none."""
    suspended_reason: Mapped[str | None]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime]
    __table_args__ = (
        one_of("environment", "sandbox", "live"),
        one_of("status", "active", "suspended"),
        CheckConstraint("clock_offset = 0 OR environment = 'sandbox'", name="only_sandbox_clock_moves"),
        CheckConstraint("id = tenant_id", name="id_is_tenant"),
    )


class Counter(TenantTable):
    """Human numbers, taken in blocks by a transaction of their own. Gaps happen, duplicates do not."""

    __tablename__ = "counters"
    name: Mapped[str]
    value: Mapped[int]
    __table_args__ = (Index("uq_counters_name", "tenant_id", "name", unique=True),)


class Member(TenantTable):
    """A person in a tenant, with a role."""

    __tablename__ = "members"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("role", *ROLES),
        Index("uq_members_account", "tenant_id", "account_id", unique=True),
    )


class Invitation(TenantTable):
    """An offer of membership by mail; the link is signed, so nothing secret is kept."""

    __tablename__ = "invitations"
    email: Mapped[str]
    role: Mapped[str]
    invited_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (one_of("role", *ROLES),)


class Channel(TenantTable):
    """Where orders come from."""

    __tablename__ = "channels"
    code: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    __table_args__ = (
        one_of("kind", *CHANNEL_KINDS),
        Index("uq_channels_code", "tenant_id", "code", unique=True),
    )


class Grant(TenantTable):
    """What an outside organization may do here: verbs, nodes, dates."""

    __tablename__ = "grants"
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    name: Mapped[str]
    nodes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Node codes; `*` means every node, present and future."""
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class ApiKey(TenantTable):
    """A key: shown once, kept as a digest. Rotation leaves the old one valid for an overlap."""

    __tablename__ = "api_keys"
    name: Mapped[str]
    prefix: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    grant_id: Mapped[UUID | None]
    rate_limit: Mapped[int | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    replaced_by: Mapped[UUID | None]
    __table_args__ = (
        tenant_key("grant_id", "grants"),
        tenant_key("replaced_by", "api_keys"),
        Index("uq_api_keys_prefix", "tenant_id", "prefix", unique=True),
    )


class OAuthClient(TenantTable):
    """An OAuth 2.0 client for the client-credentials grant; the secret is kept as a digest."""

    __tablename__ = "oauth_clients"
    client_id: Mapped[str]
    secret_digest: Mapped[bytes] = mapped_column(LargeBinary)
    previous_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_until: Mapped[datetime | None]
    """Until then the secret before the last rotation works too."""
    name: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    grant_id: Mapped[UUID | None]
    rate_limit: Mapped[int | None]
    """Requests per minute over all its tokens; null = none of its own."""
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        tenant_key("grant_id", "grants"),
        Index("uq_oauth_clients_client", "tenant_id", "client_id", unique=True),
    )


class OAuthToken(TenantTable):
    """An access token, kept as a digest."""

    __tablename__ = "oauth_tokens"
    client_row_id: Mapped[UUID]
    prefix: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        tenant_key("client_row_id", "oauth_clients"),
        Index("uq_oauth_tokens_prefix", "tenant_id", "prefix", unique=True),
        Index(None, "tenant_id", "expires_at"),
    )


class AuditEntry(TenantTable):
    """Who changed which setting or acted with whose authority. Append-only."""

    __tablename__ = "audit_entries"
    __append_only__ = True
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    request_id: Mapped[str] = mapped_column(server_default="")
    __table_args__ = (Index(None, "tenant_id", "at"),)


class RuleVersion(TenantTable):
    """A routing-rule document, as versions. A version's document never changes; one is active in each scope."""

    __tablename__ = "rule_versions"
    version: Mapped[int]
    scope: Mapped[str] = mapped_column(server_default="default")
    """Whose orders it is for: `default`, or a channel's code."""
    state: Mapped[str]
    document: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(server_default="")
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("state", "draft", "simulated", "active", "retired"),
        Index("uq_rule_versions_version", "tenant_id", "version", unique=True),
        Index(
            "uq_rule_versions_active",
            "tenant_id",
            "scope",
            unique=True,
            postgresql_where=text("state = 'active'"),
        ),
    )
