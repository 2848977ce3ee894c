"""Who belongs to a tenant, with which role: reading it, inviting, changing, removing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tenants.scope import FACTS, Scope, TenantFacts, directory, opened

MOST_CHOICES = 40
NAMES_SECONDS = 60.0


@dataclass(frozen=True)
class Membership:
    """A member as the edge needs them."""

    id: UUID
    name: str
    role: str
    suspended_reason: str | None


def of_account(scope: Scope, account_id: UUID | None) -> Membership | None:
    """The account's membership here, and the tenant's facts with it in one read. None: not a member (any more)."""
    row = scope.row(
        f"SELECT {FACTS}, m.id AS member_id, m.name AS member_name, m.role, t.suspended_reason FROM tenants t"
        " JOIN members m ON m.tenant_id = t.tenant_id AND m.account_id = :account AND m.removed_at IS NULL"
        " WHERE t.tenant_id = :tenant",
        account=account_id,
    )
    if row is None:
        return None
    scope._facts = TenantFacts(*row[:10])
    return Membership(row.member_id, row.member_name, row.role, row.suspended_reason)


@dataclass(frozen=True)
class Choice:
    """A tenant that an account may work in."""

    tenant_id: UUID
    name: str
    environment: str


_names: dict[UUID, tuple[float, Choice]] = {}
"""Names shown in the tenant switch, good for a minute: each lies behind its own tenant's fence."""


def choices(account_id: UUID) -> list[Choice]:
    """The tenants of an account by name, live before sandbox; at most 40."""
    with directory() as session:
        ids = session.execute(
            text("SELECT tenant_id FROM account_tenants WHERE account_id = :account ORDER BY 1 LIMIT :most"),
            {"account": account_id, "most": MOST_CHOICES},
        ).scalars()
        known = ids.all()
    found = [_choice(tenant_id) for tenant_id in known]
    return sorted(found, key=lambda choice: (choice.name.casefold(), choice.environment))


def _choice(tenant_id: UUID) -> Choice:
    read_at, choice = _names.get(tenant_id, (0.0, None))
    if choice is None or time.monotonic() - read_at > NAMES_SECONDS:
        with opened(tenant_id) as scope:
            choice = Choice(tenant_id, scope.tenant.name, scope.tenant.environment)
        _names[tenant_id] = (time.monotonic(), choice)
    return choice


def listed(scope: Scope) -> list[Any]:
    """The team: id, account_id, name, email, role, created_at; owners first, then by name."""
    return scope.rows(
        "SELECT id, account_id, name, email, role, created_at FROM members WHERE tenant_id = :tenant"
        " AND removed_at IS NULL ORDER BY array_position(ARRAY['owner', 'manager', 'agent', 'picker', 'analyst'],"
        " role), lower(name), id"
    )
