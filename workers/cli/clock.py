"""`./kept clock`: move a sandbox's business clock; returns when all that fell due is done."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

from infra.errors import Problem
from tenants.scope import inside
from workers.cli.homes import add_home_argument, use_home
from workers.clockwork import advance
from workers.sandbox import span


def main(argv: list[str]) -> int:
    """Exit status 0 when the clock was moved."""
    parser = argparse.ArgumentParser(prog="./kept clock", description="Move a sandbox's clock forward.")
    add_home_argument(parser)
    parser.add_argument("--tenant", type=UUID, required=True, metavar="ID")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--advance", type=_span, metavar="30d", help="how far: 90s, 15m, 6h, 30d, 2w")
    way.add_argument("--to", type=datetime.fromisoformat, metavar="TIME", help="an instant, RFC 3339")
    options = parser.parse_args(argv)
    use_home(options.home)
    try:
        to = options.to or _now(options.tenant) + options.advance
        moved = advance(options.tenant, to if to.tzinfo else to.replace(tzinfo=UTC))
    except Problem as problem:
        print(problem.detail, file=sys.stderr)
        return 1
    print(f"It is now {moved['now']}; {moved['timers']} timers fired, {moved['jobs']} pieces of work done.")
    return 0


def _span(words: str) -> timedelta:
    found = span(words)
    if found is None:
        raise argparse.ArgumentTypeError("Say how far: 90s, 15m, 6h, 30d, 2w or 1d12h.")
    return found


def _now(tenant_id: UUID) -> datetime:
    with inside(tenant_id) as scope:
        if scope.row("SELECT 1 FROM tenants WHERE tenant_id = :tenant") is None:
            raise Problem(404, "not-found", f"There is no tenant {tenant_id} in this home.")
        return scope.now()
