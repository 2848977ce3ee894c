"""`./kept bench`: what the hot paths do here and now, as shares of the raw limit of the same PostgreSQL.

Runs in a home of its own, on the same database with the same durability: first the raw limit (the same
statements with rows made beforehand), then the same orders over HTTP through the whole path. Relay and workers
are stopped while intake is measured, so that both sides have the machine to themselves.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from infra import settings
from infra.embedded.postgres import EmbeddedPostgres
from workers.cli.bench import figures, million, routing, what_if
from workers.cli.bench.figures import Figure
from workers.cli.bench.scenes import Bench
from workers.cli.homes import ROOT, use_home

BACKGROUND = ("relay", "worker-1", "worker-2", "schedule")


def main(argv: list[str]) -> int:
    """Measure and print. Exit status 1 when an answer was a refusal."""
    parser = argparse.ArgumentParser(prog="./kept bench", description="Measure the hot paths.")
    parser.add_argument(
        "--quick", action="store_true", help="everything shorter, without the table of routing policies: 45 s"
    )
    parser.add_argument("--full", action="store_true", help="also at 1,000,000 orders in 200 tenants")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="kept-bench-"))
    folder.chmod(0o755)
    try:
        found = measure(folder / "home", quick=options.quick, full=options.full)
    finally:
        _kept("down", folder / "home")
        shutil.rmtree(folder, ignore_errors=True)
    figures.show(found)
    if options.json:
        figures.write(found, options.json)
    return 0


def measure(home: Path, *, quick: bool, full: bool) -> list[Figure]:
    """All figures."""
    _kept("up", home, "--no-demo", "--tenants", "2" if full else "1", "--detach")
    use_home(home)
    pids = {
        file.name.removeprefix("child-").removesuffix(".pid"): int(file.read_text().split()[0])
        for file in (home / "run").glob("child-*.pid")
    }
    binary = EmbeddedPostgres(home / "unused").program("pgbench")
    with _stopped([pids[name] for name in BACKGROUND if name in pids]):
        bench = Bench(home, pids, binary, seconds=0.4 if quick else 6.0)
        found = [*bench.memory(), *bench.empty()]
        rows = routing.rows(60) if quick else [*routing.rows(2000), *routing.policy_rows()]
        found += [
            Figure(str(row["name"]), float(row["value"]), str(row["unit"]), _ratio(row)) for row in rows
        ]
    found += bench.later_work()
    if full:
        with _stopped([pids[name] for name in BACKGROUND if name in pids]):
            found += [*what_if.measure(bench), *million.measure(bench, found)]
    return found


def _ratio(row: dict[str, str | float]) -> float | None:
    return float(row["ratio_to_limit"]) if "ratio_to_limit" in row else None


@contextlib.contextmanager
def _stopped(pids: list[int]) -> Iterator[None]:
    _signal(pids, signal.SIGSTOP)
    while _in_transaction():
        # One was stopped in the middle: its locks would outlast the whole measurement.
        _signal(pids, signal.SIGCONT)
        time.sleep(0.05)
        _signal(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pids, signal.SIGCONT)
        time.sleep(0.2)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _in_transaction() -> bool:
    """Whether any of the application's connections is in the middle of a transaction."""
    with psycopg.connect(settings.current().database_url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"
            " AND (state LIKE 'idle in transaction%' OR state = 'active')"
        ).fetchone()
    return bool(row and row[0])


def _kept(command: str, home: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", command, "--home", str(home), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"`kept {command}` failed:\n{done.stdout}{done.stderr}")
