"""`python -m app.proof.verify FILE`: check a proof file's seals, with nothing but the file.

Exit status 0 when every row is as it was sealed, 1 when one is not, 2 when the file cannot be read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.proof.rules import faults


def main(arguments: list[str]) -> int:
    """Say what was found."""
    if len(arguments) != 1:
        print("usage: python -m app.proof.verify FILE", file=sys.stderr)
        return 2
    try:
        proof = json.loads(Path(arguments[0]).read_text())
        found = faults(proof)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"This is no proof file: {error}", file=sys.stderr)
        return 2
    for fault in found:
        print(fault)
    if not found:
        seal = proof["seal"]
        print(
            f"{seal['seals']} seals hold; {seal['unsealed_rows']} rows are not sealed yet. Newest: {seal['digest']}"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
