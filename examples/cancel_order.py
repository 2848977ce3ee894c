"""Cancel a part of an order, then all that is left of it. Stock is freed and the card's hold is let go.

python examples/cancel_order.py --ready-file ready.json
"""

from __future__ import annotations

import uuid

from kept_client import Client, arguments, ready, wait_for
from shop import APRON, MUG, order, set_up


def main() -> None:
    """Three units ordered, one canceled, then the rest."""
    given = ready(arguments(__doc__ or "").parse_args().ready_file)
    kept = Client(given["api"], given["api_key"])
    set_up(kept)
    placed = kept.post("/orders", order(f"EX-{uuid.uuid4().hex[:8]}", (APRON, 1), (MUG, 2)))
    path = f"/orders/{placed['id']}"
    wait_for("the authorization", lambda: kept.get(path)["totals"]["authorized"]["amount"] > 0)

    mugs = next(line for line in placed["lines"] if line["sku"] == MUG)
    part = {"lines": [{"id": mugs["id"], "quantity": 1}], "reason": "The buyer wants one mug only"}
    kept.post(f"{path}/cancellation", part)
    print(f"Canceled: {_units(kept.get(path), 'cancelled')} of {_units(placed, 'ordered')} units")

    kept.post(f"{path}/cancellation", {"reason": "The buyer changed her mind"})
    now = kept.get(path)
    print(f"The order is {'canceled' if now['status'] == 'cancelled' else now['status']}")
    wait_for("the hold on the card to go", lambda: _voided(kept, path))
    print("Nothing was taken, and the hold on the card is let go")


def _units(order: dict, what: str) -> int:
    return sum(line[what] for line in order["lines"])


def _voided(kept: Client, path: str) -> bool:
    """Whether every authorization that stood was let go."""
    entries = [one for one in kept.get(f"{path}/ledger")["data"] if one["outcome"] == "succeeded"]
    return (
        bool(entries)
        and not any(one["kind"] == "capture" for one in entries)
        and "void" in {one["kind"] for one in entries}
    )


if __name__ == "__main__":
    main()
