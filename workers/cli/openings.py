"""Opening the tenants a home starts with, each with its owner, a key and its providers."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import text

from app.demo import seed
from app.routing.documents import default_document
from infra.clock import real_now
from infra.ids import new_id
from tenants import credentials, service
from tenants.rules import ALL, PROVIDER_SCOPES
from tenants.scope import directory, inside
from workers.runner import drain

DEMO_EMAIL = "priya@alderandfinch.example"


def empty_tenant(number: int) -> dict[str, Any]:
    owner = account(f"owner{number}@example.com", f"Owner {number}")
    opened = service.open_merchant(
        f"Tenant {number}",
        owner=owner["id"],
        live=False,
        rate_limit=None,
        first_rules=default_document(),
    )
    made = _described(opened.sandbox, f"Tenant {number}", owner)
    made["providers"] = [provider(opened.sandbox, f"Provider {number}", ["*"])]
    drain(opened.sandbox)
    return made


def demo_tenant() -> dict[str, Any]:
    owner = account(DEMO_EMAIL, "Priya Raman")
    tenant_id = seed.open_demo(owner["id"])
    made = _described(tenant_id, seed.NAME, owner)
    made["providers"] = [provider(tenant_id, name, nodes) for name, nodes in seed.PROVIDERS.items()]
    drain(tenant_id)
    return made


def _described(tenant_id: UUID, name: str, owner: dict[str, Any]) -> dict[str, Any]:
    with inside(tenant_id) as scope:
        key = credentials.create_key(scope, name="First key", scopes=sorted(ALL))
    return {
        "id": str(tenant_id),
        "name": name,
        "environment": "sandbox",
        "api_key": key.key,
        "owner": {"email": owner["email"], "password": owner["password"]},
    }


def provider(tenant_id: UUID, name: str, nodes: list[str]) -> dict[str, Any]:
    """An outside organization with a grant on these nodes and a key."""
    with directory() as session:
        provider_id = service.create_provider(session, name)
    with inside(tenant_id) as scope:
        grant_id = service.grant(scope, provider_id, name=name, nodes=nodes)
        key = credentials.create_key(
            scope, name=f"{name}, fulfillment", scopes=sorted(PROVIDER_SCOPES), grant_id=grant_id
        )
    return {"name": name, "api_key": key.key, "nodes": nodes}


def account(email: str, name: str) -> dict[str, Any]:
    """An account with a verified address and a fresh password, as {id, email, password}."""
    password = secrets.token_urlsafe(9)
    with directory() as session:
        found = session.execute(
            text(
                "INSERT INTO accounts (id, email, name, password_hash, email_verified_at, created_at)"
                " VALUES (:id, :email, :name, :hash, :now, :now)"
                " ON CONFLICT (lower(email)) DO UPDATE SET password_hash = EXCLUDED.password_hash RETURNING id"
            ),
            {
                "id": new_id(),
                "email": email,
                "name": name,
                "hash": PasswordHasher().hash(password),
                "now": real_now(),
            },
        ).scalar_one()
    return {"id": found, "email": email, "password": password}
