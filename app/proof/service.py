"""The proof file of an order: one reading of all its rows, as JSON data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.promises.readings import from_settings, to_document
from app.proof import queries, rules
from app.refunds.queries import document as refund_document
from tenants.scope import Scope

SHOWN = ("contact", "notices", "refunds", "promises", "laws", "recall_hours", "payment_hold_hours")
"""Tenant settings that shaped what happened."""


def shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a proof file names; never where messages go or by which secret."""
    named = {name: settings[name] for name in SHOWN if name in settings}
    if isinstance(named.get("notices"), Mapping):
        named["notices"] = {name: value for name, value in named["notices"].items() if name != "webhook"}
    return named


def proof(scope: Scope, order_id: UUID) -> dict[str, Any]:
    """What was promised and on which basis, what the buyer was told and answered, what shipped, what was given back,
    and the seals over all of it. Raises Problem 404."""
    found = queries.gathered(scope, order_id)
    found["refunds"] = [refund_document(row, scope.now()) for row in found["refunds"]]
    tenant = scope.tenant
    merchant = {
        "name": tenant.name,
        "environment": tenant.environment,
        "timezone": tenant.timezone,
        "readings": to_document(from_settings(tenant.settings.get("promises"))),
        "configuration": tenant.config_version,
        "settings": shown(tenant.settings),
    }
    return rules.document(found, merchant, queries.AWARE, scope.now())
