"""The tenants a home starts with: empty sandboxes for tools, or the demo merchant. Running it again changes nothing.

Keys are kept in the home's `credentials.json` (mode 0600), because the database has only their digests.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import text

from app.demo import seed
from app.routing.documents import default_document
from infra import settings as settings_module
from infra.clock import real_now
from infra.embedded import places
from infra.ids import new_id
from infra.settings import Settings
from tenants import credentials, service
from tenants.rules import ALL, PROVIDER_SCOPES
from tenants.scope import directory, inside
from workers.runner import drain

OPERATOR_EMAIL = "operator@kept.example"
DEMO_EMAIL = "priya@alderandfinch.example"


def provision(settings: Settings, *, demo: bool, tenants: int) -> dict[str, Any]:
    """The ready file's `tenants` and `operator`. Makes what is missing."""
    settings_module.use(settings)
    file = Path(os.environ["KEPT_HOME"]) / "credentials.json"
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"empty": [], "demo": []}
    kept = {name: [one for one in made if _is_there(one["id"])] for name, made in kept.items()}
    wanted = "demo" if demo else "empty"
    while len(kept[wanted]) < (1 if demo else tenants):
        kept[wanted].append(_demo_tenant() if demo else _empty_tenant(len(kept["empty"]) + 1))
        places.write_private(file, json.dumps(kept))
    return {"tenants": kept[wanted] if demo else kept[wanted][:tenants], "operator": _operator()}


def _is_there(tenant_id: str) -> bool:
    with directory() as session:
        return (
            session.execute(
                text("SELECT 1 FROM tenant_directory WHERE tenant_id = :id"), {"id": tenant_id}
            ).one_or_none()
            is not None
        )


def _empty_tenant(number: int) -> dict[str, Any]:
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


def _demo_tenant() -> dict[str, Any]:
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


def _operator() -> dict[str, str]:
    password = os.environ.get("KEPT_OPERATOR_PASSWORD", "")
    with directory() as session:
        known = session.execute(
            text("SELECT 1 FROM staff WHERE email = :email"), {"email": OPERATOR_EMAIL}
        ).one_or_none()
        if known is None:
            session.execute(
                text(
                    "INSERT INTO staff (id, email, name, password_hash, created_at)"
                    " VALUES (:id, :email, 'Operator', :hash, :now)"
                ),
                {
                    "id": new_id(),
                    "email": OPERATOR_EMAIL,
                    "hash": PasswordHasher().hash(password),
                    "now": real_now(),
                },
            )
    return {"email": OPERATOR_EMAIL, "password": password}
