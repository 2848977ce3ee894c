"""One PostgreSQL and one Valkey for a whole test run, shared by all its processes.

The first test that asks for a database starts this file as a program; it ends with the run, even by kill -9.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra import schema
from infra.embedded import places, processes
from infra.embedded.postgres import APP, DATABASE, OPERATOR, OWNER, SUPERUSER, EmbeddedPostgres
from infra.embedded.valkey import EmbeddedValkey

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 120


class ServicesFailed(Exception):
    """The servers did not start; the message says why."""


@dataclass(frozen=True)
class Database:
    """One database of the test server, by each of its log-ins."""

    name: str
    app_url: str
    owner_url: str
    operator_url: str
    superuser_url: str


class Services:
    """The running servers as the tests see them."""

    def __init__(self, folder: Path, facts: dict) -> None:
        self.folder = folder
        self._postgres = EmbeddedPostgres(
            folder / "postgres", port=facts["port"], passwords=facts["passwords"], durable=False
        )
        self._redis_url = facts["redis_url"]

    def redis_url(self, number: int) -> str:
        """One of Valkey's numbered databases."""
        return f"{self._redis_url}/{number}"

    def copy_database(self, name: str) -> Database:
        """A fresh database with the newest schema, copied from the template."""
        with _locked(self.folder):  # a template is copied by one at a time
            self._postgres.create_database(name, template=DATABASE)
        return self._database(name)

    def empty_database(self, name: str) -> Database:
        """A fresh database without any schema."""
        self._postgres.create_database(name)
        return self._database(name)

    def drop_database(self, name: str) -> None:
        """Remove a database."""
        self._postgres.drop_database(name)

    def _database(self, name: str) -> Database:
        urls = [self._postgres.url(role, name) for role in (APP, OWNER, OPERATOR, SUPERUSER)]
        return Database(name, *urls)


def running(folder: Path, run: int) -> Services:
    """The services of the run that is process `run`, started now if nobody did. Raises ServicesFailed."""
    facts, failed = folder / "services.json", folder / "services.failed"
    with _locked(folder):
        if not facts.exists() and not failed.exists():
            _start(folder, run)
    if failed.exists():
        raise ServicesFailed(failed.read_text())
    return Services(folder, json.loads(facts.read_text()))


def stop(folder: Path) -> None:
    """End the services of a run, if they were started."""
    pid = processes.read_pid(folder / "services.pid")
    if pid is not None:
        processes.end(pid, grace=30.0)


def _start(folder: Path, run: int) -> None:
    command = [sys.executable, "-m", "tests.services", "--folder", str(folder), "--run", str(run)]
    with (folder / "services.log").open("ab") as log:
        helper = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    processes.write_pid(folder / "services.pid", helper.pid)
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "services.json").exists():
        if helper.poll() is not None or time.monotonic() > deadline:
            processes.end_child(helper)
            (folder / "services.failed").write_text((folder / "services.log").read_text(errors="replace"))
            return
        time.sleep(0.05)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Run the services until the run's process is gone or SIGTERM comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--run", type=int, required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    fast = {"wal_level": "minimal", "max_wal_senders": "0", "max_connections": "300"}
    postgres = EmbeddedPostgres(arguments.folder / "postgres", durable=False, settings=fast)
    valkey = EmbeddedValkey(arguments.folder / "valkey", durable=False)
    try:
        valkey.start()
        postgres.start()
        schema.upgrade(postgres.url(OWNER))
        facts = {
            "port": postgres.port,
            "passwords": postgres.passwords,
            "redis_url": valkey.url().rsplit("/", 1)[0],
        }
        places.write_private(arguments.folder / "services.json", json.dumps(facts))
        began = processes.started_at(arguments.run)
        while began is not None and processes.started_at(arguments.run) == began:
            time.sleep(0.5)
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        postgres.stop()
        valkey.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
