"""Be a warehouse: take the work, accept it, ship one part, then the rest. The card is charged for what shipped.

    python examples/ship_as_provider.py --ready-file ready.json

`demo_provider.py` is the same as a program that runs for days.
"""

from __future__ import annotations

import uuid

from kept_client import Client, Refused, arguments, ready, wait_for
from shop import APRON, MUG, order, set_up


def main() -> None:
    """One order, two parcels, two captures."""
    given = ready(arguments(__doc__ or "").parse_args().ready_file)
    merchant, provider = Client(given["api"], given["api_key"]), Client(given["api"], given["provider_key"])
    set_up(merchant)
    placed = merchant.post("/orders", order(f"EX-{uuid.uuid4().hex[:8]}", (APRON, 1), (MUG, 2)))

    def my_work() -> dict | None:
        found = provider.get("/fulfillment-orders", request_status="submitted", limit=200)["data"]
        return next((one for one in found if one["order_id"] == placed["id"]), None)

    work = wait_for("the work to arrive", my_work)
    path = f"/fulfillment-orders/{work['id']}"
    print(
        f"Work {work['number']} at {work['node']}: {[(line['sku'], line['quantity']) for line in work['lines']]}"
    )

    parcel = {
        "lines": [{"sku": APRON, "quantity": 1}],
        "carrier": "UPS",
        "tracking_number": "1Z84AF030000000001",
    }
    try:
        provider.post(f"{path}/shipments", parcel)
    except Refused as refusal:
        print(f"Not before it is accepted: {refusal.problem['detail']}")
    provider.post(f"{path}/acceptance", key=f"accept-{work['id']}")
    provider.post(f"{path}/shipments", parcel, key=f"ship-{work['id']}-1")
    rest = {"lines": [{"sku": MUG, "quantity": 2}], "carrier": "UPS", "tracking_number": "1Z84AF030000000002"}
    done = provider.post(f"{path}/shipments", rest, key=f"ship-{work['id']}-2")
    print(f"Shipped in {len(done['shipments'])} parcels; the work is {done['work_status']}")

    def paid() -> dict | None:
        totals = merchant.get(f"/orders/{placed['id']}")["totals"]
        return totals if totals["captured"] == totals["total"] else None

    print(f"Taken from the card: {wait_for('the captures', paid)['captured']['amount']} cents")
    for entry in merchant.get(f"/orders/{placed['id']}/ledger")["data"]:
        print(f"  {entry['kind']:<10} {entry['amount']['amount']:>6}  {entry['outcome']}")


if __name__ == "__main__":
    main()
