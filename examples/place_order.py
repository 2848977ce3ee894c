"""Place an order, and watch it be paid for and sent to a warehouse.

python examples/place_order.py --ready-file ready.json
"""

from __future__ import annotations

import uuid

from kept_client import Client, Refused, arguments, ready, usd, wait_for
from shop import APRON, MUG, order, set_up


def main() -> None:
    """One order from the first call to the warehouse's door."""
    given = ready(arguments(__doc__ or "").parse_args().ready_file)
    kept = Client(given["api"], given["api_key"])
    set_up(kept)

    reference = f"EX-{uuid.uuid4().hex[:8]}"
    body = order(
        reference,
        (APRON, 1),
        (MUG, 2),
        charges=[{"code": "shipping", "amount": usd(795)}],
        promise={"within": {"value": 3, "unit": "business_days"}, "text": "Ships within 3 business days"},
    )
    placed = kept.post("/orders", body, key=reference)
    print(f"Order {placed['number']} is placed: {placed['totals']['total']['amount']} cents in all")
    for line in placed["lines"]:
        print(f"  {line['ordered']} x {line['title']}, to ship by {line['promise']['ship_by']}")

    # The answer was lost? Send the same again: the order is there once.
    again = kept.post("/orders", body, key=reference)
    assert again["id"] == placed["id"]
    # The same reference for something else is refused, whatever the key.
    try:
        kept.post("/orders", order(reference, (MUG, 5)))
    except Refused as refusal:
        print(f"Another order under {reference}: {refusal.problem['detail']}")

    # Stock was reserved with the answer. Tax, card and warehouse follow by themselves.
    def in_work() -> dict | None:
        now = kept.get(f"/orders/{placed['id']}")
        return (
            now
            if [one for one in now["fulfillment_orders"] if one["request_status"] == "submitted"]
            else None
        )

    now = wait_for("the work at the warehouse", in_work)
    print(f"Authorized on the card: {now['totals']['authorized']['amount']} cents; taken so far: 0")
    print(f"Why there: {kept.get('/orders/' + placed['id'] + '/routing')['sentence']}")


if __name__ == "__main__":
    main()
