"""Every table says what it is, is fenced and keyed accordingly; read from PostgreSQL itself, not from the models."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app.console.isolation import DIRECTORIES, fences_of
from app.console.rules import fence_faults
from app.models import metadata
from infra import db
from infra.settings import Settings
from tenants.scope import directory, inside, operator
from tests.factories import Merchant
from tests.services import Database

TENANT = [table.name for table in metadata.sorted_tables if table.info.get("scope") == "TENANT"]
GLOBAL = [table.name for table in metadata.sorted_tables if table.info.get("scope") == "GLOBAL"]
SECRETS = ("password", "secret", "token", "key", "digest", "hash")
ALLOWED_IN_GLOBAL = {
    ("accounts", "password_hash"),
    ("staff", "password_hash"),
    ("web_sessions", "token_digest"),
    ("web_sessions", "previous_digest"),
}


@pytest.fixture
def raw(in_force: Settings, database: Database):
    """A plain connection as the app role."""
    with psycopg.connect(database.app_url) as connection:
        yield connection


def test_every_table_is_registered(database: Database) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        there = {
            row[0]
            for row in connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
        }
    assert there - {"alembic_version"} == set(TENANT) | set(GLOBAL)


def test_the_console_looks_at_the_tables_there_are(database: Database) -> None:
    """Whatever names a tenant is looked at, also what nobody registered; the directories are left out by name."""
    assert set(DIRECTORIES) == {name for name in GLOBAL if "tenant_id" in metadata.tables[name].c}
    with Session(create_engine(database.owner_url)) as session:
        found = fences_of(session)
        assert [fence.table for fence in found] == sorted(TENANT)
        assert fence_faults(found) == []
        session.execute(text("CREATE TABLE stray (tenant_id uuid, id uuid)"))
        assert fence_faults(fences_of(session)) == ["stray has no forced row-level security"]
        session.rollback()


@pytest.mark.parametrize("table", TENANT)
def test_tenant_table_is_fenced_and_keyed(database: Database, table: str) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        enabled, forced = connection.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [table]
        ).fetchone()
        policies = {
            name: (using, check, permissive)
            for name, using, check, permissive in connection.execute(
                "SELECT polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), polpermissive"
                " FROM pg_policy WHERE polrelid = %s::regclass",
                [table],
            )
        }
        keys = connection.execute(
            "SELECT i.relname, x.indisunique, array_agg(a.attname ORDER BY k.n) FROM pg_index x"
            " JOIN pg_class i ON i.oid = x.indexrelid"
            " CROSS JOIN LATERAL unnest(x.indkey::int[]) WITH ORDINALITY k(attnum, n)"
            " LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum"
            " WHERE x.indrelid = %s::regclass GROUP BY 1, 2",
            [table],
        ).fetchall()
        triggers = connection.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
        ).fetchone()[0]
    assert (enabled, forced) == (True, True)
    fence = "(tenant_id = (current_setting('app.tenant_id'::text))::uuid)"
    assert policies == {
        "tenant": (fence, fence, True),
        "operator": ("true", None, True),
        "owner": ("true", "true", True),
    }
    assert all("tenant_id" in columns for _, unique, columns in keys if unique), keys
    assert triggers == 0


def test_foreign_keys_between_tenant_tables_carry_the_tenant(database: Database) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        keys = connection.execute(
            "SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, c.confdeltype, c.confupdtype,"
            " array(SELECT attname FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = ANY(c.conkey))"
            " FROM pg_constraint c WHERE c.contype = 'f'"
        ).fetchall()
    assert keys
    for source, target, on_delete, on_update, columns in keys:
        if source in TENANT and target in TENANT:
            assert "tenant_id" in columns, (source, target)
        assert not (source in GLOBAL and target in TENANT), (source, target)
        assert (on_delete, on_update) == ("a", "a"), (source, target)


def test_no_global_table_holds_a_secret_but_the_password_hash() -> None:
    found = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        if table.info["scope"] == "GLOBAL"
        for column in table.columns
        if any(word in column.name for word in SECRETS)
    }
    assert found == ALLOWED_IN_GLOBAL


def test_append_only_tables_grant_no_change_to_the_app(database: Database) -> None:
    append_only = {table.name for table in metadata.sorted_tables if table.info.get("append_only")}
    with psycopg.connect(database.superuser_url) as connection:
        for table in TENANT:
            update, delete, truncate = connection.execute(
                "SELECT has_table_privilege('kept_app', %(t)s, 'UPDATE'), has_table_privilege('kept_app', %(t)s,"
                " 'DELETE'), has_table_privilege('kept_app', %(t)s, 'TRUNCATE')",
                {"t": table},
            ).fetchone()
            assert (update, delete) == (table not in append_only,) * 2, table
            assert not truncate
    assert {"stock_movements", "timeline", "status_changes", "audit_entries", "shipments"} <= append_only


def test_roles_have_no_way_around_the_fence(database: Database) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        roles = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
            " WHERE rolname LIKE 'kept%'"
        ).fetchall()
        owners = {
            row[0]
            for row in connection.execute(
                "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
            )
        }
    assert {name for name, *_ in roles} >= {"kept_app", "kept_operator", "kept_owner"}
    assert all(not any(rights) for _, *rights in roles)
    assert owners == {"kept_owner"}


@pytest.mark.parametrize("table", TENANT)
def test_without_a_tenant_every_statement_is_an_error(raw, table: str, merchant: Merchant) -> None:
    with pytest.raises(psycopg.errors.UndefinedObject):
        raw.execute(f"SELECT * FROM {table}")
    raw.rollback()
    raw.execute("SET LOCAL app.tenant_id = ''")
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        raw.execute(f"SELECT * FROM {table}").fetchall()
    raw.rollback()


def test_raw_sql_sees_and_changes_only_its_own_tenant(
    raw, merchant: Merchant, other_merchant: Merchant
) -> None:
    own, other = merchant.tenant_id, other_merchant.tenant_id
    raw.execute(f"SET LOCAL app.tenant_id = '{own}'")
    assert raw.execute("SELECT DISTINCT tenant_id FROM channels").fetchall() == [(own,)]
    assert raw.execute("SELECT * FROM channels WHERE tenant_id = %s", [other]).fetchall() == []
    assert raw.execute("UPDATE channels SET name = 'x' WHERE tenant_id = %s", [other]).rowcount == 0
    assert raw.execute("DELETE FROM channels WHERE tenant_id = %s", [other]).rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute(
            "INSERT INTO channels (tenant_id, id, code, kind, name) VALUES (%s, %s, 'x', 'web', 'x')",
            [other, uuid4()],
        )
    raw.rollback()


def test_a_row_cannot_move_to_another_tenant(raw, merchant: Merchant, other_merchant: Merchant) -> None:
    raw.execute(f"SET LOCAL app.tenant_id = '{merchant.tenant_id}'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute("UPDATE channels SET tenant_id = %s", [other_merchant.tenant_id])
    raw.rollback()


def test_the_tenant_ends_with_its_transaction(raw, merchant: Merchant) -> None:
    raw.execute(f"SET LOCAL app.tenant_id = '{merchant.tenant_id}'")
    assert raw.execute("SELECT count(*) FROM channels").fetchone()[0] > 0
    raw.commit()
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        raw.execute("SELECT count(*) FROM channels").fetchone()
    raw.rollback()


def test_statements_outside_a_scope_are_refused(in_force: Settings) -> None:
    with db.engine(in_force.database_url, in_force.pool_size).connect() as connection:
        with pytest.raises(db.OutsideScope):
            connection.execute(text("SELECT 1"))


def test_the_directory_has_no_tenant_and_the_operator_only_reads(merchant: Merchant) -> None:
    with pytest.raises(Exception, match=r"app.tenant_id|invalid input syntax for type uuid"):
        with directory() as session:
            session.execute(text("SELECT * FROM orders")).all()
    with operator() as session:
        seen = set(session.execute(text("SELECT tenant_id FROM tenants")).scalars())
        assert merchant.tenant_id in seen
        with pytest.raises(Exception, match=r"read-only|permission denied"):
            session.execute(text("UPDATE tenants SET name = 'x'"))


def test_work_views_show_tenants_and_counts_only(database: Database) -> None:
    allowed = {"tenant_id", "clock_offset", "next_due", "waiting", "sent", "lapsed", "oldest", "entries"}
    with psycopg.connect(database.superuser_url) as connection:
        columns = connection.execute(
            "SELECT c.relname, a.attname, pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_attribute a"
            " ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace"
            " AND has_table_privilege('kept_app', c.oid, 'SELECT') AND c.relname NOT LIKE 'pg_stat%'"
        ).fetchall()
    assert columns
    for view, column, owner in columns:
        assert column in allowed, (view, column)
        assert owner == "kept_operator", view


def test_a_backfill_by_the_owner_touches_rows(database: Database, merchant: Merchant) -> None:
    with psycopg.connect(database.owner_url) as connection:
        touched = connection.execute("UPDATE channels SET name = name").rowcount
        connection.rollback()
    assert touched > 0, "the owner's policy hides rows from backfills"


def test_scopes_of_two_tenants_do_not_mix(merchant: Merchant, other_merchant: Merchant) -> None:
    with inside(merchant.tenant_id) as outer:
        with inside(other_merchant.tenant_id) as inner:
            assert _seen(inner) == {other_merchant.tenant_id}
        assert _seen(outer) == {merchant.tenant_id}


def _seen(scope) -> set[UUID]:
    return set(scope.session.execute(text("SELECT tenant_id FROM channels")).scalars())
