"""Who may do what: one table. Doors check permission; the rules of an order business check state."""

from __future__ import annotations

from collections.abc import Iterable

RESOURCES = (
    "orders",
    "customers",
    "skus",
    "nodes",
    "stock",
    "counts",
    "routing",
    "imports",
    "fulfillment",
    "payments",
    "settings",
    "team",
    "keys",
    "audit",
    "sandbox",
)
ALL = frozenset(f"{resource}:{verb}" for resource in RESOURCES for verb in ("read", "write"))
READ = frozenset(scope for scope in ALL if scope.endswith(":read"))

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    "owner": ALL,
    "manager": ALL - {"team:write"},
    "agent": frozenset(
        {
            "orders:read",
            "orders:write",
            "customers:read",
            "customers:write",
            "skus:read",
            "nodes:read",
            "stock:read",
            "routing:read",
            "fulfillment:read",
            "payments:read",
        }
    ),
    "picker": frozenset(
        {
            "orders:read",
            "skus:read",
            "nodes:read",
            "stock:read",
            "counts:write",
            "fulfillment:read",
            "fulfillment:write",
        }
    ),
    "analyst": READ - {"keys:read", "team:read", "sandbox:read"},
}

PROVIDER_SCOPES = frozenset({"fulfillment:read", "fulfillment:write", "counts:read", "counts:write"})
"""All that a grant may give: a provider sees work and stock of its nodes, nothing else."""


def role_permissions(role: str) -> frozenset[str]:
    """What a role may do. Unknown roles may do nothing."""
    return ROLE_PERMISSIONS.get(role, frozenset())


def unknown_scopes(scopes: Iterable[str], *, provider: bool) -> list[str]:
    """Scopes that do not exist, or that a provider's key may not have."""
    return sorted(set(scopes) - (PROVIDER_SCOPES if provider else ALL))


def may_grant(granter: frozenset[str], scopes: Iterable[str]) -> bool:
    """Nobody gives away more than they have."""
    return set(scopes) <= granter
