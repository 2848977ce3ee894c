"""`./kept down`: stops what `up` started."""

from __future__ import annotations

import argparse
import time

from infra.embedded import processes
from infra.embedded.home import Home
from infra.supervisor import end_leftovers
from workers.cli.homes import add_home_argument

GRACE = 90.0


def main(argv: list[str]) -> int:
    """Stop and wait for it. Exit status 0 also when nothing ran."""
    parser = argparse.ArgumentParser(
        prog="./kept down", description="Stop what `up` started; the data stays."
    )
    add_home_argument(parser)
    path = parser.parse_args(argv).home
    if not path.is_dir():
        print(f"Nothing runs in {path}: there is no such folder.")
        return 0
    home = Home(path)
    began = time.monotonic()
    pid = home.supervisor()
    try:
        if pid is not None:
            print(f"Stopping Kept in {home.path} (process {pid})", flush=True)
            processes.end(pid, grace=GRACE)
    except PermissionError:
        print(f"Process {pid} is another user's: stop it as that user.")
        return 1
    ended = end_leftovers(home.run, print)
    home.retract()
    if pid is None and not ended:
        print(f"Nothing runs in {home.path}.")
    else:
        print(f"Stopped in {time.monotonic() - began:.1f} s. The data stays.")
    return 0
