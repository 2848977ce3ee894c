"""Take orders over from a file: columns by a mapping, progress, and what became of each row.

python examples/import_file.py --ready-file ready.json
"""

from __future__ import annotations

import csv
import io
import json
import uuid

from kept_client import Client, arguments, ready, wait_for
from shop import APRON, MUG, set_up

MAPPING = {
    "columns": {
        "external_ref": "Order",
        "channel": {"const": "marketplace"},
        "customer.email": "Email",
        "ship_to.name": "Name",
        "ship_to.line1": "Street",
        "ship_to.city": "City",
        "ship_to.region": {"column": "State", "transforms": ["us_state"]},
        "ship_to.postal_code": {"column": "ZIP", "transforms": [{"zfill": 5}]},
        "ship_to.country": {"const": "US"},
        "tender.kind": {"const": "external"},
        "tender.reference": "Order",
        "line.sku": "Item",
        "line.quantity": "Qty",
        "line.unit_price": "Price",
    }
}
"""target -> a column of the file, or a constant, or a column with transforms."""
COLUMNS = ("Order", "Email", "Name", "Street", "City", "State", "ZIP", "Item", "Qty", "Price")


def table() -> str:
    """Two orders, one of them with two lines, and a row that cannot be taken."""
    run = uuid.uuid4().hex[:8]
    boston = ("tom@example.com", "Tom Okafor", "9 Mount Vernon St", "Boston", "Massachusetts", "2108")
    seattle = ("june@example.com", "June Park", "401 Pine St", "Seattle", "Washington", "98101")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerow([f"MP-{run}-1", *boston, APRON, 1, "48.00"])
    writer.writerow([f"MP-{run}-1", *boston, MUG, 2, "15.00"])
    writer.writerow([f"MP-{run}-2", *seattle, MUG, 1, "16.00"])
    writer.writerow([f"MP-{run}-3", *seattle, "NO-SUCH-SKU", 1, "9.00"])
    return out.getvalue()


def main() -> None:
    """Send the file, wait, read the report."""
    given = ready(arguments(__doc__ or "").parse_args().ready_file)
    kept = Client(given["api"], given["api_key"])
    set_up(kept)
    sent = kept.call(
        "POST",
        "/imports",
        files={"file": ("orders.csv", table(), "text/csv")},
        data={"kind": "orders", "mapping": json.dumps(MAPPING)},
    )

    def finished() -> dict | None:
        now = kept.get(f"/imports/{sent['id']}", rows="all")
        print(f"{now['rows_done']} of {now['rows_total']} rows, {now['state']}")
        return now if now["state"] == "done" else None

    report = wait_for("the import", finished)
    print(f"{report['created']} orders made, {report['refused']} refused")
    for row in report["rows"]:
        print(f"  line {row['row']} {row['reference']}: {row['outcome']} {row['message']}")
    assert (report["created"], report["refused"]) == (2, 1)


if __name__ == "__main__":
    main()
