"""`./kept test`: the tests, in parallel; with `--checks` the checks that are not tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from infra import schema
from infra.embedded import places
from infra.embedded.postgres import OWNER, EmbeddedPostgres
from workers.cli.homes import ROOT

PARALLEL = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
COMMANDS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "import-linter": ["lint-imports"],
}


def main(argv: list[str]) -> int:
    """Hand over to pytest with these arguments, or run the checks."""
    os.chdir(ROOT)
    if argv == ["--checks"]:
        return check_all()
    alone = [] if os.access(ROOT, os.W_OK) else ["-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *PARALLEL, *alone, *argv]
    sys.stdout.flush()
    return os.execv(sys.executable, command)


def check_all() -> int:
    """Every check, even after a failed one; says how long each took."""
    checks: dict[str, Callable[[], bool]] = {name: _program(argv) for name, argv in COMMANDS.items()}
    checks["migrations"] = _migrations_hold
    failed = [name for name, check in checks.items() if not _timed(name, check)]
    if failed:
        print(f"Failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


def _timed(name: str, check: Callable[[], bool]) -> bool:
    began = time.monotonic()
    passed = check()
    print(f"{name:<14} {'passed' if passed else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
    return passed


def _program(argv: list[str]) -> Callable[[], bool]:
    program = Path(sys.executable).with_name(argv[0])
    return lambda: subprocess.run([program, *argv[1:]]).returncode == 0


def _migrations_hold() -> bool:
    """Up, down to nothing, up again, and the models say the same as the migrations."""
    folder = places.temporary_folder()
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    try:
        server.start()
        for move in (schema.upgrade, schema.downgrade, schema.upgrade, schema.check):
            move(server.url(OWNER))
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return False
    finally:
        server.stop()
        shutil.rmtree(folder)
    return True
