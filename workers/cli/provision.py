"""The tenants a home starts with: empty sandboxes for tools, or the demo merchant. Running it again changes nothing,
and loads nothing of the application.

Keys are kept in the home's `credentials.json` (mode 0600), because the database has only their digests.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import text

from infra import settings as settings_module
from infra.clock import real_now
from infra.embedded import places
from infra.ids import new_id
from infra.settings import Settings
from tenants.scope import directory

OPERATOR_EMAIL = "operator@kept.example"


def provision(settings: Settings, *, demo: bool, tenants: int) -> dict[str, Any]:
    """The ready file's `tenants` and `operator`. Makes what is missing."""
    settings_module.use(settings)
    file = Path(os.environ["KEPT_HOME"]) / "credentials.json"
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"empty": [], "demo": []}
    kept = {name: [one for one in made if _is_there(one["id"])] for name, made in kept.items()}
    wanted = "demo" if demo else "empty"
    if len(kept[wanted]) < (1 if demo else tenants):
        _open_missing(kept, file, demo=demo, tenants=tenants)
    return {"tenants": kept[wanted] if demo else kept[wanted][:tenants], "operator": _operator()}


def _open_missing(kept: dict[str, Any], file: Path, *, demo: bool, tenants: int) -> None:
    from workers.cli import openings  # the whole application, which a later start must not wait for

    wanted = "demo" if demo else "empty"
    while len(kept[wanted]) < (1 if demo else tenants):
        made = openings.demo_tenant() if demo else openings.empty_tenant(len(kept["empty"]) + 1)
        kept[wanted].append(made)
        places.write_private(file, json.dumps(kept))


def _is_there(tenant_id: str) -> bool:
    with directory() as session:
        return (
            session.execute(
                text("SELECT 1 FROM tenant_directory WHERE tenant_id = :id"), {"id": tenant_id}
            ).one_or_none()
            is not None
        )


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
