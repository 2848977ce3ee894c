"""Quote a basket, hold it while the buyer pays, and order by the quote.

python examples/hold_a_quote.py --ready-file ready.json
"""

from __future__ import annotations

import uuid

from kept_client import Client, Refused, arguments, ready
from shop import APRON, BOISE, MUG, order, set_up


def main() -> None:
    """One quote that becomes an order, and one whose buyer leaves."""
    given = ready(arguments(__doc__ or "").parse_args().ready_file)
    kept = Client(given["api"], given["api_key"])
    set_up(kept)

    basket = {"channel": "web", "ship_to": BOISE, "lines": [{"sku": APRON, "quantity": 2}]}
    quote = kept.post("/quotes", basket | {"hold_minutes": 15})
    [line] = quote["lines"]
    print(
        f"{line['held']} aprons are held until {quote['held_until']}, to ship by {line['promise']['ship_by']}"
    )

    # Whatever happens while the buyer looks for the card: these units and this promise are the order's.
    reference = f"EX-{uuid.uuid4().hex[:8]}"
    placed = kept.post("/orders", order(reference, (APRON, 2), quote_id=quote["id"]), key=reference)
    [line] = placed["lines"]
    print(f"Order {placed['number']} is ours: {line['allocated']} of {line['ordered']} allocated")

    # A quote is for one order.
    try:
        kept.post("/orders", order(f"{reference}-2", (APRON, 1), quote_id=quote["id"]))
    except Refused as refusal:
        print(f"A second order by it is refused: {refusal.problem['detail']}")

    # The buyer has left? Do not wait for the minutes to pass.
    left = kept.post("/quotes", basket | {"lines": [{"sku": MUG, "quantity": 1}], "hold_minutes": 60})
    kept.call("DELETE", f"/quotes/{left['id']}")
    print(f"The other quote is {kept.get('/quotes/' + left['id'])['state']}: its mug is given back")


if __name__ == "__main__":
    main()
