"""`python -m workers.cli.prepare`: newest schema, then the tenants a home starts with; run once by `up`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from infra import schema, settings
from infra.embedded import places
from workers.cli.provision import provision


def main() -> int:
    """Write the ready file's `tenants` and `operator` to `--out`."""
    parser = argparse.ArgumentParser(prog="python -m workers.cli.prepare")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tenants", type=int, required=True)
    parser.add_argument("--demo", action="store_true")
    arguments = parser.parse_args()
    schema.upgrade(os.environ["DATABASE_OWNER_URL"])
    made = provision(settings.load(), demo=arguments.demo, tenants=arguments.tenants)
    places.write_private(arguments.out, json.dumps(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
