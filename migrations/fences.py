"""The one helper through which a migration opens a new table.

A TENANT table is fenced: row-level security enabled and forced; the app role sees the current tenant's rows
only (no missing_ok: no tenant set is an error), the operator reads all, the owner may backfill. On plain
PostgreSQL registering a table with a distributed database is a no-op.
"""

from __future__ import annotations

from alembic import op

APP, OPERATOR, OWNER = "kept_app", "kept_operator", "kept_owner"
TENANT = "tenant_id = current_setting('app.tenant_id')::uuid"


def fence(table: str, *, append_only: bool = False) -> None:
    """Open a tenant table to its roles, behind its fence."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} FOR ALL TO {APP} USING ({TENANT}) WITH CHECK ({TENANT})")
    op.execute(f"CREATE POLICY operator ON {table} FOR SELECT TO {OPERATOR} USING (true)")
    op.execute(f"CREATE POLICY owner ON {table} FOR ALL TO {OWNER} USING (true) WITH CHECK (true)")
    verbs = "SELECT, INSERT" if append_only else "SELECT, INSERT, UPDATE, DELETE"
    op.execute(f"GRANT {verbs} ON {table} TO {APP}")
    op.execute(f"GRANT SELECT ON {table} TO {OPERATOR}")


def open_global(table: str, verbs: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Open a table without a tenant to its roles."""
    op.execute(f"GRANT {verbs} ON {table} TO {APP}")
    op.execute(f"GRANT SELECT ON {table} TO {OPERATOR}")


def operator_view(name: str, query: str) -> None:
    """A view that exposes tenants and counts only: it reads with the operator's eyes, the app may read it."""
    op.execute(f"CREATE VIEW {name} AS {query}")
    op.execute(f"GRANT SELECT ON {name} TO {APP}")
    op.execute(f"GRANT CREATE ON SCHEMA public TO {OPERATOR}")
    op.execute(f"ALTER VIEW {name} OWNER TO {OPERATOR}")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {OPERATOR}")


def drop_operator_view(name: str) -> None:
    """Remove such a view; only its owner may."""
    op.execute(f"SET LOCAL ROLE {OPERATOR}")
    op.execute(f"DROP VIEW {name}")
    op.execute("RESET ROLE")
