"""`python -m app.routing.replay INSTANCE --out DECISIONS`: a stream of orders routed by a policy.

Exit status 0, or 2 with a message on standard error when the instance, the profile or a name cannot be used.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from app.routing.replay.instance import Instance, Profile
from app.routing.replay.policies import DEFAULT, POLICIES, route
from app.routing.replay.reading import Unreadable, read_instance, read_profile
from app.routing.replay.stream import Decision, written


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m app.routing.replay", description=__doc__)
    parser.add_argument("instance", type=Path, metavar="INSTANCE", help="JSON, plain or gzipped")
    parser.add_argument("--out", type=Path, required=True, metavar="DECISIONS", help="one JSON object a line")
    parser.add_argument("--profile", type=Path, help="JSON: w1, a, b, window_orders, seed, time_limit_s")
    parser.add_argument("--policy", choices=POLICIES, default=DEFAULT, help=f"default: {DEFAULT}")
    options = parser.parse_args(arguments)
    try:
        instance = read_instance(options.instance)
        profile = read_profile(options.profile) if options.profile else Profile()
    except Unreadable as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        write(options.out, lines(instance, route(instance, profile, options.policy)))
    except OSError as error:
        print(f"error: {options.out}: {error.strerror}. Name a file that can be written.", file=sys.stderr)
        return 2
    return 0


def write(out: Path, found: Iterable[str]) -> None:
    """The whole file or none: until all lines are there they stand in a file beside it. What is no file of its own,
    such as standard output, is written as it comes.
    """
    if out.is_symlink() or (out.exists() and not out.is_file()):
        _fill(out, found)
        return
    part = out.with_name(f"{out.name}.part")
    try:
        _fill(part, found)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _fill(file: Path, found: Iterable[str]) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as opened:
        opened.writelines(found)


def lines(instance: Instance, decisions: Iterable[Decision]) -> Iterable[str]:
    for decision in decisions:
        yield json.dumps(written(instance, decision), ensure_ascii=False, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
