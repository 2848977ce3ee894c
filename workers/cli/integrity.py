"""`./kept integrity`: check the books; exit status 1 on any fault."""

from __future__ import annotations

import argparse
import time
from uuid import UUID

from app import integrity
from tenants.scope import operator
from workers.cli.homes import add_home_argument, use_home


def main(argv: list[str]) -> int:
    """Print each book with the rows checked and the faults found."""
    parser = argparse.ArgumentParser(prog="./kept integrity", description="Check the books of every tenant.")
    add_home_argument(parser)
    parser.add_argument("--tenant", type=UUID, metavar="ID", help="only this tenant's")
    options = parser.parse_args(argv)
    use_home(options.home)
    began, faults = time.monotonic(), 0
    with operator() as session:
        for finding in integrity.check(session, options.tenant):
            mark = "FAULT" if finding.faults else "ok"
            print(
                f"{mark:5} {finding.book.number:>2}. {finding.book.name:<72} {finding.rows:>9} rows"
                f" {finding.faults:>6} faults"
            )
            for example in finding.examples:
                print(f"          {example}")
            faults += finding.faults
    print(f"{'The books balance.' if not faults else f'{faults} faults.'} {time.monotonic() - began:.1f} s")
    return 1 if faults else 0
