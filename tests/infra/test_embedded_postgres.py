"""The embedded PostgreSQL: roles, locale, persistence, and life after kill -9."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.embedded import places, processes
from infra.embedded.postgres import APP, OPERATOR, OWNER, SUPERUSER, EmbeddedPostgres, PostgresFailed
from tests.services import Database


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    folder = places.temporary_folder()
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


def ask(url: str, question: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(question).fetchall()


def test_only_the_server_role_may_do_everything(server: EmbeddedPostgres) -> None:
    found = ask(
        server.url(SUPERUSER),
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
        " WHERE rolcanlogin ORDER BY rolname",
    )
    assert found == [
        (APP, False, False, False, False),
        (OPERATOR, False, False, False, False),
        (OWNER, False, False, False, False),
        (SUPERUSER, True, True, True, True),
    ]


def test_the_owner_owns_the_database_and_can_make_tables(server: EmbeddedPostgres) -> None:
    owner = ask(
        server.url(), "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    )
    assert owner == [(OWNER,)]
    with psycopg.connect(server.url(OWNER)) as connection:
        connection.execute("CREATE TABLE made_by_owner (name citext)")
        connection.rollback()


@pytest.mark.parametrize("role", [APP, OPERATOR])
def test_the_other_roles_can_make_nothing(server: EmbeddedPostgres, role: str) -> None:
    for forbidden in ("CREATE TABLE t ()", "CREATE SCHEMA s", "CREATE DATABASE d", "SET ROLE kept_owner"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(server.url(role), forbidden)


def test_the_owner_does_not_inherit_the_operator(server: EmbeddedPostgres) -> None:
    assert ask(server.url(OWNER), "SELECT pg_has_role('kept_operator', 'USAGE')") == [(False,)]
    assert ask(server.url(OWNER), "SELECT pg_has_role('kept_operator', 'SET')") == [(True,)]


def test_the_app_plans_once_and_sorts_by_code_point(server: EmbeddedPostgres) -> None:
    assert ask(server.url(APP), "SHOW plan_cache_mode") == [("force_generic_plan",)]
    assert ask(
        server.url(APP),
        "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()",
    ) == [("b", "C.UTF-8")]
    extensions = {name for (name,) in ask(server.url(APP), "SELECT extname FROM pg_extension")}
    assert extensions >= {"citext", "pg_trgm", "pg_stat_statements"}


def test_it_listens_on_loopback_with_a_password_only(server: EmbeddedPostgres) -> None:
    assert ask(server.url(APP), "SHOW listen_addresses") == [("127.0.0.1",)]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url(APP).replace(server.passwords[APP], "wrong"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_as_root_the_server_is_nobody_and_its_data_is_closed(server: EmbeddedPostgres) -> None:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    assert f"Uid:\t{server.account.uid}\t" in status  # type: ignore[union-attr]
    found = server.data.stat()
    assert (found.st_uid, found.st_mode & 0o777) == (server.account.uid, 0o700)  # type: ignore[union-attr]


def test_a_second_server_over_the_same_data_is_refused(server: EmbeddedPostgres) -> None:
    second = EmbeddedPostgres(server.data, passwords=server.passwords)
    with pytest.raises(PostgresFailed, match="Another process"):
        second.start()
    assert server.is_ready()


def test_committed_rows_survive_a_kill_and_a_stop() -> None:
    folder = places.temporary_folder()
    server = EmbeddedPostgres(folder / "postgres")
    try:
        server.start()
        with psycopg.connect(server.url(OWNER), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            assert server.process is not None
            server.process.kill()
            server.process.wait()
            server.stop()
            server.start()
        server.stop()
        server.start()
        assert ask(server.url(OWNER), "SELECT answer FROM kept") == [(42,)]
    finally:
        server.stop()
        shutil.rmtree(folder)


def test_a_pid_file_naming_another_program_does_not_stop_the_start() -> None:
    folder = places.temporary_folder()
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    try:
        server.prepare()
        (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
        server.start()
        assert server.is_ready()
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_the_server_dies_with_the_process_that_started_it() -> None:
    folder = places.temporary_folder()
    program = (
        "import sys, time; from pathlib import Path\n"
        "from infra.embedded.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), durable=False); server.start()\n"
        "print(server.process.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(folder / "postgres")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert processes.started_at(pid) is not None
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        deadline = time.monotonic() + 10
        while processes.started_at(pid) is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert processes.started_at(pid) is None
    finally:
        parent.kill()
        shutil.rmtree(folder)


def test_every_test_process_has_a_database_of_its_own(database: Database, worker: str) -> None:
    assert ask(database.app_url, "SELECT current_database(), current_user") == [(f"kept_{worker}", APP)]


def test_an_own_database_is_a_fresh_copy(own_database: Database, database: Database) -> None:
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert own_database.name != database.name
    assert ask(own_database.superuser_url, tables) == ask(database.superuser_url, tables)
