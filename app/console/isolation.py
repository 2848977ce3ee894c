"""Whether one tenant is alone behind its fence: read from PostgreSQL's own catalog, then tried as the app role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.console.rules import Fence, fence_faults
from infra.ids import new_id
from tenants.scope import directory, opened

FENCES = """
SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
    coalesce(jsonb_object_agg(p.polname, jsonb_build_array(pg_get_expr(p.polqual, p.polrelid),
        pg_get_expr(p.polwithcheck, p.polrelid))) FILTER (WHERE p.polname IS NOT NULL), '{}') AS policies
FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> ALL(:directories)
    AND EXISTS (SELECT 1 FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
GROUP BY c.oid ORDER BY c.relname
"""
DIRECTORIES = ("account_tenants", "key_directory", "stripe_accounts", "tenant_directory", "web_sessions")
"""Tables that name tenants and are read before one is known; they have no fence."""
ROLE = """SELECT rolname AS name, rolsuper OR rolbypassrls OR EXISTS (
    SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relowner = r.oid) AS above_the_fence
FROM pg_roles r WHERE rolname = current_user"""


@dataclass(frozen=True)
class Checked:
    """One thing that was looked at."""

    name: str
    faults: list[str]
    note: str


def check(session: Session, tenant_id: UUID) -> list[Checked]:
    """Fences, the app's role, and three attempts to reach the tenant's rows from outside it."""
    fences = fences_of(session)
    fenced = Checked(
        "Every table is fenced", fence_faults(fences), f"{len(fences)} tables in pg_class and pg_policy"
    )
    return [fenced, *_probes(session, tenant_id, [fence.table for fence in fences])]


def fences_of(session: Session) -> list[Fence]:
    """Of every table whose rows belong to tenants, as PostgreSQL's own catalog has them."""
    rows = session.execute(text(FENCES), {"directories": list(DIRECTORIES)}).all()
    return [Fence(row.name, row.enabled, row.forced, _policies(row.policies)) for row in rows]


def _policies(found: dict[str, list[str | None]]) -> dict[str, tuple[str | None, str | None]]:
    return {name: (using, check) for name, (using, check) in found.items()}


def _probes(session: Session, tenant_id: UUID, tables: list[str]) -> list[Checked]:
    mine = _seen(session, tenant_id, tables)
    with opened(new_id()) as stranger:  # a tenant that does not exist has nothing of its own to see
        role: Any = stranger.session.execute(text(ROLE)).one()
        seen = _seen(stranger.session, tenant_id, tables)
    with opened(tenant_id) as own:
        unseen = [table for table in mine if table not in _seen(own.session, tenant_id, tables)]
    return [
        Checked(
            "The app's role cannot pass the fence",
            [f"{role.name} owns tables, is a superuser or bypasses row-level security"]
            if role.above_the_fence
            else [],
            f"role {role.name}",
        ),
        Checked(
            "Another tenant sees none of its rows",
            [f"{table} shows rows to another tenant" for table in seen],
            f"{len(tables)} tables asked, {len(mine)} hold rows of this tenant",
        ),
        Checked(
            "The tenant sees its own rows",
            [f"{table} hides the tenant's own rows" for table in unseen],
            f"{len(mine)} of {len(mine)} tables" if not unseen else f"{len(unseen)} tables hide rows",
        ),
        Checked(
            "Without a tenant every question is an error",
            [] if _is_refused_without_tenant() else ["A question without a tenant was answered"],
            "asked of the orders table",
        ),
    ]


def _seen(session: Session, tenant_id: UUID, tables: list[str]) -> list[str]:
    """The tables that show this session any row of the tenant."""
    asked = ", ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE tenant_id = :tenant) AS {table}" for table in tables
    )
    row = session.execute(text(f"SELECT {asked}"), {"tenant": tenant_id}).one()
    return [table for table, seen in row._mapping.items() if seen]


def _is_refused_without_tenant() -> bool:
    try:
        with directory() as session:
            session.execute(text("SELECT 1 FROM orders LIMIT 1")).all()
    except DBAPIError:
        return True
    return False
