"""The raw limit: the very statements of order intake, with the rows made beforehand, sent straight to PostgreSQL.

By psycopg (prepared, one process per client) and by pgbench (prepared; the document comes from a table). What
the whole path reaches is shown as a share of the first.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import tempfile
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from app.intake.drafts import Composer
from app.intake.service import _numbers, asked, body_hash, read
from app.intake.statement import READ, WRITE
from app.routing.configuration import configuration
from infra.clock import real_now
from tenants.credentials import KEY_SQL, prefix_of
from tenants.scope import opened

_fork = multiprocessing.get_context("fork")


def documents(tenant_id: UUID, requests: list[dict[str, Any]]) -> list[str]:
    """What intake would write for each request, one document each; nothing is written."""
    made = []
    with opened(tenant_id) as scope:
        facts = read(scope, requests)
        for request in requests:
            composer = Composer(scope, configuration(scope), facts)
            composer.draft(request, body_hash(request))
            composer.number(_numbers(tenant_id, 1))
            made.append(composer.written())
    return made


def by_psycopg(
    url: str, tenant_id: UUID, key: str, shares: list[list[str]], request: dict[str, Any]
) -> float:
    """Orders per second of len(shares) clients, each sending its documents."""
    barrier = _fork.Barrier(len(shares) + 1)
    ends = []
    for share in shares:
        mine, theirs = _fork.Pipe()
        _fork.Process(
            target=_psycopg_client, args=(url, tenant_id, key, share, request, barrier, theirs), daemon=True
        ).start()
        ends.append(mine)
    barrier.wait()
    began = time.perf_counter()
    for end in ends:
        end.recv()
    return sum(map(len, shares)) / (time.perf_counter() - began)


def _psycopg_client(
    url: str,
    tenant_id: UUID,
    key: str,
    share: list[str],
    request: dict[str, Any],
    barrier: Barrier,
    end: Connection,
) -> None:
    given = asked(tenant_id, [request], real_now())
    opening = f"BEGIN; SET LOCAL app.tenant_id = '{tenant_id}'"
    with psycopg.connect(url, autocommit=True) as connection:
        barrier.wait()
        for document in share:
            connection.execute(opening)
            connection.execute(
                KEY_SQL, {"prefix": prefix_of(key), "tenant": tenant_id}, prepare=True
            ).fetchone()
            connection.execute(READ, given, prepare=True).fetchone()
            connection.execute(WRITE, {"tenant": tenant_id, "doc": document}, prepare=True).fetchone()
            connection.execute("COMMIT")
    end.send(True)


def by_pgbench(
    binary: Path, owner_url: str, url: str, tenant_id: UUID, documents: list[str], clients: int
) -> float:
    """Orders per second of pgbench, the documents read from a table made for it."""
    with psycopg.connect(owner_url) as owner:
        owner.execute("DROP TABLE IF EXISTS bench_documents")
        owner.execute("CREATE TABLE bench_documents (id int PRIMARY KEY, doc jsonb NOT NULL)")
        with owner.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO bench_documents VALUES (%s, %s::jsonb)", list(enumerate(documents))
            )
        owner.execute("GRANT SELECT ON bench_documents TO kept_app")
    each = len(documents) // clients
    write = WRITE.replace("%(tenant)s", f"'{tenant_id}'::uuid").replace(
        "SELECT %(doc)s::jsonb AS d",
        f"SELECT doc AS d FROM bench_documents WHERE id = :client_id * {each} + :n",
    )
    script = f"\\set n :n + 1\nBEGIN;\nSET LOCAL app.tenant_id = '{tenant_id}';\n{' '.join(write.split())};\nCOMMIT;\n"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "order.sql"
        file.write_text(script)
        done = subprocess.run(
            [
                *(str(binary), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-t", str(each - 1)),
                *("-D", "n=-1", "-f", str(file), url),
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C"},
        )
    with psycopg.connect(owner_url) as owner:
        owner.execute("DROP TABLE bench_documents")
    for line in done.stdout.splitlines():
        if line.startswith("tps ="):
            return float(line.split()[2])
    raise RuntimeError(done.stderr[-800:] or done.stdout[-800:])
