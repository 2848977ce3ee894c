"""Send many orders in one call. Each stands alone: one that is refused stops no other.

python examples/place_batch.py --ready-file ready.json
"""

from __future__ import annotations

import uuid

from kept_client import Client, arguments, ready
from shop import APRON, MUG, order, set_up


def main() -> None:
    """Four orders: two good ones, one sent twice, one for a SKU that is not there."""
    given = ready(arguments(__doc__ or "").parse_args().ready_file)
    kept = Client(given["api"], given["api_key"])
    set_up(kept)

    run = uuid.uuid4().hex[:8]
    orders = [
        order(f"EX-{run}-1", (APRON, 1)),
        order(f"EX-{run}-2", (MUG, 4)),
        order(f"EX-{run}-1", (APRON, 1)),
        order(f"EX-{run}-3", ("NO-SUCH-SKU", 1)),
    ]
    results = kept.post("/orders/batch", {"orders": orders})["results"]
    for sent, result in zip(orders, results, strict=True):
        if result["status"] == 201:
            said = f"placed as {result['order']['number']}"
        elif result["status"] == 200:
            said = f"was there already as {result['order']['number']}"
        else:
            said = f"refused: {result['problem']['detail']}"
        print(f"{sent['external_ref']}: {result['status']}, {said}")
    assert [result["status"] for result in results] == [201, 201, 200, 422]


if __name__ == "__main__":
    main()
