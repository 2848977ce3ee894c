"""Move a sandbox's own clock: what falls due on the way happens, in order, before the answer comes.

python examples/move_clock.py --ready-file ready.json --advance 2d
"""

from __future__ import annotations

from datetime import datetime

from kept_client import Client, arguments, ready


def main() -> None:
    """Two days forward; real time stands still."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--advance", default="2d", metavar="2d", help="how far: 90s, 15m, 6h, 30d, 2w, 1d12h")
    options = parser.parse_args()
    given = ready(options.ready_file)
    kept = Client(given["api"], given["api_key"])
    before = kept.get("/sandbox/clock")["now"]
    moved = kept.post("/sandbox/clock", {"advance": options.advance})
    print(f"It was {before}, it is {moved['now']}")
    print(f"{moved['timers']} timers fired on the way, {moved['jobs']} pieces of work were done")
    assert datetime.fromisoformat(moved["now"]) > datetime.fromisoformat(before)


if __name__ == "__main__":
    main()
