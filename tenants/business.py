"""A tenant's own settings: its name, its zone, and the choices an order business is run by."""

from __future__ import annotations

from typing import Any

import orjson

from tenants import audit, service
from tenants.scope import Scope


def change(scope: Scope, *, name: str, timezone: str, settings: dict[str, Any]) -> list[str]:
    """Change what differs, and write down what it was. Returns the names of what changed."""
    before = {"name": scope.tenant.name, "timezone": scope.tenant.timezone} | {
        key: scope.tenant.settings.get(key) for key in settings
    }
    after = {"name": name, "timezone": timezone, **settings}
    changed = {key: [before[key], value] for key, value in after.items() if before[key] != value}
    if not changed:
        return []
    scope.execute(
        "UPDATE tenants SET name = :name, timezone = :zone, settings = settings || CAST(:settings AS jsonb)"
        " WHERE tenant_id = :tenant",
        name=name,
        zone=timezone,
        settings=orjson.dumps(settings).decode(),
    )
    service.configuration_changed(scope)
    audit.record(scope, "settings.changed", ", ".join(sorted(changed)), changed=changed)
    return sorted(changed)
