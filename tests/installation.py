"""A whole installation of a test's own: `up` and `down` as commands, and its parts to be killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.embedded import places, processes
from infra.embedded.home import Home
from infra.embedded.ports import free_port
from infra.settings import ENVIRONMENT
from workers.cli.installation import is_healthy

ROOT = Path(__file__).resolve().parents[1]
CLEAN = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT.values()}


class Kept:
    """One home and the commands over it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.ready_file = folder / "ready.json"
        self.port = free_port()

    def up(self, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        words = ["--detach", "--no-demo", "--tenants", "2", "--ready-file", str(self.ready_file), *more]
        return self.run("up", "--port", str(self.port), *words, **environment)

    def run(self, command: str, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "workers.cli", command, "--home", str(self.home), *more]
        return subprocess.run(argv, cwd=ROOT, env=CLEAN | environment, capture_output=True, text=True)

    def ready(self) -> dict:
        return json.loads(self.ready_file.read_text())

    def child(self, name: str) -> int | None:
        return processes.read_pid(Home(self.home).run / f"child-{name}.pid")

    def wait_healed(self, name: str, before: int) -> None:
        deadline = time.monotonic() + 30
        while self.child(name) in (None, before) or not is_healthy(self.ready()["url"]):
            assert time.monotonic() < deadline, f"{name} was not healed"
            time.sleep(0.1)


@contextmanager
def installed() -> Iterator[Kept]:
    """An installation with two empty tenants, up; down and gone afterwards."""
    folder = places.temporary_folder()
    made = Kept(folder)
    started = made.up()
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield made
    finally:
        made.run("down")
        shutil.rmtree(folder, ignore_errors=True)
