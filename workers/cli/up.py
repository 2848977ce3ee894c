"""`./kept up`: everything this machine lacks, started under one supervisor."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from infra.embedded import ports, processes
from infra.embedded.home import Home, NotRunning
from infra.embedded.places import UnsafeFolder
from infra.embedded.postgres import PostgresFailed
from infra.supervisor import PartFailed, StopRequested, Supervisor
from workers.cli.homes import ROOT, add_home_argument
from workers.cli.installation import Installation, Unusable, is_healthy

TENANTS_SHOWN = 5


def main(argv: list[str]) -> int:
    """Start, and stay in front unless `--detach`. Exit status 0: ready (or it was already running)."""
    options = _options(argv)
    if options.detach:
        return _detach(argv)
    try:
        home = Home(options.home)
        os.umask(0o077)
        if not home.lock():
            return _join(home, options.ready_file)
        try:
            return _run(home, options)
        finally:
            home.retract()
            home.unlock()
    except (PartFailed, Unusable, PostgresFailed, UnsafeFolder, PermissionError) as error:
        _say(f"\nKept did not start. {error}")
        return 1


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./kept up", description="Set up and run everything.")
    add_home_argument(parser)
    parser.add_argument(
        "--port", type=int, metavar="N", help="of the portal and the API (8000 or the next free one)"
    )
    parser.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="written when all is ready: addresses, log-ins"
    )
    parser.add_argument(
        "--no-demo", dest="demo", action="store_false", help="empty sandbox tenants, no demo merchant"
    )
    parser.add_argument(
        "--tenants", type=int, default=1, metavar="K", help="how many, with --no-demo (%(default)s)"
    )
    parser.add_argument(
        "--detach", action="store_true", help="return when ready and run on in the background"
    )
    parser.add_argument("--behind", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def _detach(argv: list[str]) -> int:
    """Run the same command in a session of its own, show what it says until it is ready or has failed."""
    command = [
        sys.executable,
        "-m",
        "workers.cli",
        "up",
        "--behind",
        *(word for word in argv if word != "--detach"),
    ]
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    assert child.stdout is not None
    try:
        for line in child.stdout:  # ends when the child is ready, or gone
            _say(line.rstrip("\n"))
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        return 130
    with contextlib.suppress(subprocess.TimeoutExpired):
        return child.wait(0.5)
    return 0


def _run(home: Home, options: argparse.Namespace) -> int:
    home.retract()
    if options.ready_file is not None:
        options.ready_file.unlink(missing_ok=True)
    processes.write_pid(home.run / "supervisor.pid", os.getpid())
    supervisor = Supervisor(home.run, home.logs, _say)
    try:
        supervisor.end_leftovers()
        installation = _installation(home, options)
        began = time.monotonic()
        supervisor.start(installation.parts())
        home.publish(installation.document(), installation.environment)
        if options.ready_file is not None:
            home.write_ready_file(options.ready_file)
        _say(f"\nKept is ready after {time.monotonic() - began:.1f} s.")
        _show(home)
        if options.behind:
            _go_silent(home.logs / "supervisor.log")
            supervisor.watch()
        else:
            _say("Ctrl-C stops it. The logs follow.\n")
            supervisor.watch(show=lambda name, line: _say(f"{name:<10}| {line}"))
    except StopRequested:
        pass
    finally:
        home.retract()
        if supervisor.has_children():
            _say("Stopping.")
            supervisor.stop()
            _say("Stopped. The data stays.")
        (home.run / "supervisor.pid").unlink(missing_ok=True)
    return 0


def _installation(home: Home, options: argparse.Namespace) -> Installation:
    if options.port is not None and not ports.is_free(options.port):
        raise Unusable(f"Port {options.port} is taken. Give --port another number, or none for a free one.")
    made = Installation(home, port=options.port, demo=options.demo, tenants=options.tenants)
    _say(f"Starting Kept in {home.path}")
    for line in made.borrowed():
        _say(line)
    return made


def _join(home: Home, ready_file: Path | None) -> int:
    """Another process runs this home: point to it when it is well, refuse otherwise."""
    who = f"process {home.supervisor() or 'unknown'}"
    try:
        document = home.published()
    except NotRunning:
        _say(
            f"Another `up` ({who}) is starting or stopping {home.path}. Wait for it, or end it: {_down(home)}"
        )
        return 1
    if not is_healthy(document["url"], timeout=10.0):
        _say(
            f"Kept runs in {home.path} ({who}) but does not answer at {document['url']}. Stop it: {_down(home)}"
        )
        return 1
    if ready_file is not None:
        home.write_ready_file(ready_file)
    _say(f"Kept is already running ({who}).")
    _show(home)
    return 0


def _show(home: Home) -> None:
    """Print where everything is and how to log in."""
    document = home.published()
    addresses = {
        "Portal": document["url"],
        "API": f"{document['api']}  (described at {document['url']}/docs)",
        "Sent mail": document["mail"],
        "Stripe": document["stripe"] and f"{document['stripe']}  (a simulator: no real money)",
        "Home": home.path,
    }
    _say("")
    for name, value in addresses.items():
        if value:
            _say(f"  {name:<10} {value}")
    _say("\n  Log in as")
    for tenant in document["tenants"][:TENANTS_SHOWN]:
        _show_login(tenant["name"], tenant["owner"])
    if len(document["tenants"]) > TENANTS_SHOWN:
        _say(f"    and {len(document['tenants']) - TENANTS_SHOWN} more: --ready-file FILE lists all")
    _show_login("Operator", document["operator"])
    _say(f"\n  Stop it with {_down(home)}")


def _show_login(name: str, login: dict[str, Any]) -> None:
    _say(f"    {name:<24} {login['email']:<32} {login['password']}")


def _down(home: Home) -> str:
    return f"{ROOT / 'kept'} down --home {home.path}"


def _go_silent(log: Path) -> None:
    """Write to a file from now on: whoever started us reads to the end and goes."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sys.stdout.flush()
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)


def _say(text: str) -> None:
    # The terminal may be gone; stopping in order matters more than being read.
    with contextlib.suppress(OSError):
        print(text, flush=True)
