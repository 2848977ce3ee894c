"""The same figures at 1,000,000 orders in 200 tenants: nothing may fall below 0.9 of its empty-database value.

The second tenant of the home takes 5,000 orders through ordinary batch intake; the owner role then copies the
whole tenant 199 times inside PostgreSQL. Only tenant_id differs, so every composite key fits and the books of
each copy balance. Foreign keys are dropped for the load and checked again after it. Not part of any figure.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import make_url

from app import integrity
from app.models import metadata
from infra import settings
from infra.embedded.home import Home
from infra.embedded.postgres import SUPERUSER
from tenants.scope import operator
from workers.cli.bench import clients
from workers.cli.bench.figures import Figure

if TYPE_CHECKING:
    from workers.cli.bench.scenes import Bench

TENANTS, ORDERS_EACH, BATCH = 200, 5_000, 250
NOT_COPIED = {"outbox", "idempotency_keys", "inbox", "timers", "audit_entries"} | {
    "api_keys", "oauth_clients", "oauth_tokens", "grants", "members", "invitations",
}  # fmt: skip
"""Nobody logs in to a copy, and no work waits in it."""


def measure(bench: Bench, before: list[Figure]) -> list[Figure]:
    """Load, then run the scenes again; `ratio` is to the empty database's value."""
    began = time.perf_counter()
    _fill_template(bench)
    with psycopg.connect(settings.current().owner_database_url, autocommit=True) as owner:
        keys = _drop_foreign_keys(owner)
        for at in range(1, TENANTS):
            _copy_tenant(owner, str(bench.template_id), at)
        for table, name, definition in keys:
            owner.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        owner.execute("VACUUM (ANALYZE)")
    _settle(bench)
    found = [
        Figure("load to a million orders", time.perf_counter() - began, "s", note="in no other figure"),
        _books(),
    ]
    earlier = {figure.name: figure.value for figure in before}
    for figure in bench.empty():
        base = earlier.get(figure.name)
        ratio = figure.value / base if base and figure.unit.endswith("/s") else None
        found.append(Figure(f"at a million, {figure.name}", figure.value, figure.unit, ratio, "of empty"))
    return found


def _settle(bench: Bench) -> None:
    """Write out what the load left dirty: nine gigabytes on their way to disk are no part of an order's cost."""
    password = Home(bench.home).state["postgres_passwords"][SUPERUSER]
    url = make_url(settings.current().owner_database_url).set(username=SUPERUSER, password=password)
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as superuser:
        superuser.execute("CHECKPOINT")


def _books() -> Figure:
    """Seconds of all books over all tenants. Raises RuntimeError on a fault."""
    began = time.perf_counter()
    with operator() as session:
        faults = [finding for finding in integrity.check(session) if finding.faults]
    if faults:
        raise RuntimeError(f"the books do not balance: {faults[0]}")
    return Figure("books of a million orders", time.perf_counter() - began, "s", note="aim: under 60")


def _fill_template(bench: Bench) -> None:
    http = clients.Http(bench.address, bench.template_key)
    bench.stock_up(bench.template_key)
    for at in range(0, ORDERS_EACH, BATCH):
        orders = [bench.body(700, at + n) for n in range(BATCH)]
        results = http.json("POST", "/v1/orders/batch", {"orders": orders})["results"]
        assert all(result["status"] == 201 for result in results), results[0]


def _drop_foreign_keys(owner: psycopg.Connection[Any]) -> list[tuple[str, str, str]]:
    keys = owner.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
    ).fetchall()
    for table, name, _ in keys:
        owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return keys


def _copy_tenant(owner: psycopg.Connection[Any], template: str, at: int) -> None:
    copy = f"00000000-0000-7000-8000-{at:012d}"
    owner.execute("INSERT INTO tenant_directory (tenant_id) VALUES (%s)", [copy])
    for table in metadata.sorted_tables:
        if table.info["scope"] == "TENANT" and table.name not in NOT_COPIED:
            names = [column.name for column in table.columns]
            own = ("tenant_id", "id") if table.name == "tenants" else ("tenant_id",)
            values = [f"'{copy}'::uuid" if name in own else name for name in names]
            owner.execute(
                f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)}"
                f" FROM {table.name} WHERE tenant_id = '{template}'"
            )
