"""`python -m workers.cli NAME ...`: what `./kept NAME ...` hands over to."""

from __future__ import annotations

import importlib
import sys

COMMANDS = ("up", "down", "test", "clock", "integrity", "bench")


def main(argv: list[str]) -> int:
    """Run one command; its module is loaded only then."""
    if not argv or argv[0] not in COMMANDS:
        print(f"One of: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return int(importlib.import_module(f"workers.cli.{argv[0]}").main(argv[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
