"""The tenant's own account at the processor: opened once, right after the tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from infra import stripe_gateway as gateway
from tenants.scope import Scope


@dataclass(frozen=True, slots=True)
class Opening:
    """What the processor must know of a tenant."""

    tenant_id: UUID
    name: str


def begin(scope: Scope, _: UUID, **__: Any) -> Opening | None:
    """None when the account is there."""
    return None if scope.tenant.stripe_account else Opening(scope.tenant_id, scope.tenant.name)


def call(opening: Opening) -> str:
    """Open a connected account; the tenant's id is the key. Raises Unknown."""
    return gateway.create_account(
        opening.name, None, key=f"account:{opening.tenant_id}", metadata={"tenant": str(opening.tenant_id)}
    )


def finish(scope: Scope, _: Opening, account: str) -> None:
    """Keep it with the tenant, and by its id for webhooks."""
    scope.execute(
        "UPDATE tenants SET stripe_account = :account WHERE tenant_id = :tenant AND stripe_account IS NULL",
        account=account,
    )
    scope.execute(
        "INSERT INTO stripe_accounts (account, tenant_id) VALUES (:account, :tenant) ON CONFLICT DO NOTHING",
        account=account,
    )
