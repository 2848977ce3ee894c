"""Real input: every order of the superstore file over two hundred nodes, imported, routed, paid, shipped.

The data lies outside the project (KEPT_DATA, or ../shared/data); where it is absent the journey is skipped.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import integrity
from infra import settings as settings_module
from infra import stripe_simulator
from infra.settings import Settings
from tenants.scope import inside, operator
from tests.factories import Merchant, new_merchant
from workers.runner import drain, run

DATA = Path(os.environ.get("KEPT_DATA") or Path(__file__).parents[3] / "shared" / "data")
ORDERS = DATA / "orders" / "superstore_us_orders.csv.gz"
NODES = DATA / "stores" / "network_200_nodes.csv"
SCARCE = 0.06
"""Share of the products that no node has: they are backordered."""

pytestmark = pytest.mark.skipif(
    not (ORDERS.exists() and NODES.exists()), reason=f"no real data: {ORDERS} and {NODES}"
)


@pytest.fixture
def merchant(app: Flask, in_force: Settings) -> Iterator[Merchant]:
    """A merchant whose cards are charged by the Stripe simulator."""
    with stripe_simulator.serve() as stripe:
        settings_module.use(dataclasses.replace(in_force, stripe_api_base=stripe.url))
        merchant = new_merchant(app, "Superstore")
        merchant.drain()
        yield merchant
        settings_module.use(in_force)


class Journey:
    """The steps, each timed."""

    def __init__(self, merchant: Merchant) -> None:
        self.merchant, self.times = merchant, {}

    def timed(self, name: str, act: Any) -> Any:
        began = time.monotonic()
        result = act()
        self.times[name] = round(time.monotonic() - began, 2)
        return result

    def load(self, content: bytes, kind: str, mapping: str = "kept") -> dict[str, Any]:
        """Import a file whole. Returns the import when it is done."""
        answer = self.merchant.client.post(
            "/v1/imports",
            headers={"Authorization": f"Bearer {self.merchant.key}"},
            data={"file": (io.BytesIO(content), f"{kind}.csv"), "kind": kind, "mapping": mapping},
            content_type="multipart/form-data",
        )
        assert answer.status_code == 202, answer.get_data(as_text=True)
        import_id = answer.get_json()["id"]
        while (now := self.merchant.ok("GET", f"/imports/{import_id}"))["state"] != "done":
            assert run_one(self.merchant, "import.queued"), now
        return now

    def drain(self) -> None:
        """All later work, however long it takes."""
        while drain(self.merchant.tenant_id, patience=3600):
            pass

    def ship_all(self) -> int:
        """The provider accepts, and ships everything it sees. Returns how many hand-overs."""
        shipped = 0
        for status in ("submitted", "accepted"):
            while work := self.merchant.provider.ok(
                "GET", f"/fulfillment-orders?request_status={status}&limit=200"
            )["data"]:
                for one in work:
                    shipped += self._handle(one, status)
        return shipped

    def _handle(self, work: dict[str, Any], status: str) -> int:
        path = f"/fulfillment-orders/{work['id']}"
        if status == "submitted":
            self.merchant.provider.ok("POST", f"{path}/acceptance", {})
            return 0
        parcel = {"carrier": "UPS", "service": "Ground", "tracking_number": f"1Z{work['number']}"}
        lines = [{"sku": line["sku"], "quantity": line["quantity"]} for line in work["lines"]]
        self.merchant.provider.ok("POST", f"{path}/shipments", parcel | {"lines": merged(lines)})
        return 1


def merged(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Units by SKU: an order may name a product on two lines."""
    units: Counter[str] = Counter()
    for line in lines:
        units[line["sku"]] += line["quantity"]
    return [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()]


def run_one(merchant: Merchant, topic: str) -> bool:
    """Run the next waiting row of one topic, so that each step can be timed alone."""
    with inside(merchant.tenant_id) as scope:
        row = scope.row(
            "SELECT id FROM outbox WHERE tenant_id = :tenant AND topic = :topic AND state = 'waiting'"
            " ORDER BY id LIMIT 1",
            topic=topic,
        )
    return row is not None and run(merchant.tenant_id, row.id)


def table(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def source(most: int | None) -> list[dict[str, str]]:
    """The file's rows, of its first `most` orders."""
    with gzip.open(ORDERS, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = list(dict.fromkeys(row["Order ID"] for row in rows))[:most]
    wanted = set(kept)
    return [row for row in rows if row["Order ID"] in wanted]


def stock(rows: list[dict[str, str]], draw: random.Random) -> bytes:
    """Generated stock: centers keep most products, stores a few; some products nobody has, some too little."""
    with NODES.open(encoding="utf-8", newline="") as file:
        nodes = [(row["node_id"], row["type"]) for row in csv.DictReader(file)]
    demand: Counter[str] = Counter()
    for row in rows:
        demand[row["Product ID"]] += int(row["Quantity"])
    made = []
    for sku in sorted(demand):
        if draw.random() < SCARCE:
            continue
        centers = draw.sample([code for code, kind in nodes if kind == "warehouse"], 5)
        stores = draw.sample([code for code, kind in nodes if kind == "store"], 4)
        for node in centers:
            units = draw.randint(0, 1 + demand[sku] // 3)
            made.append({"node": node, "sku": sku, "on_hand": units + 1, "cause": "receipt"})
        for node in stores:
            made.append({"node": node, "sku": sku, "on_hand": draw.randint(1, 5), "cause": "receipt"})
    return table(made)


@pytest.mark.parametrize(
    "most", [pytest.param(300, id="300 orders"), pytest.param(None, id="all", marks=pytest.mark.full)]
)
@pytest.mark.timeout(7200)
def test_superstore(
    merchant: Merchant, most: int | None, record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = source(most)
    journey = Journey(merchant)
    content = table(rows)
    orders = len({row["Order ID"] for row in rows})

    skus = journey.timed("skus imported", lambda: journey.load(content, "skus", "superstore"))
    assert skus["refused"] == 0
    assert skus["created"] == len({row["Product ID"] for row in rows})
    nodes = journey.timed("nodes imported", lambda: journey.load(NODES.read_bytes(), "nodes", "network"))
    assert (nodes["created"], nodes["refused"]) == (200, 0)
    shelves = stock(rows, random.Random(3))
    assert journey.timed("stock imported", lambda: journey.load(shelves, "stock"))["refused"] == 0

    done = journey.timed("orders imported", lambda: journey.load(content, "orders", "superstore"))
    assert (done["created"], done["existing"], done["refused"]) == (orders, 0, 0)
    every_order_routed_or_backordered(merchant, rows)

    journey.timed("taxed, authorized, released", journey.drain)
    shipped = journey.timed("accepted and shipped", journey.ship_all)
    journey.timed("captured", journey.drain)
    journey.timed("shipped after captures", journey.ship_all)
    journey.timed("captured at last", journey.drain)
    everything_shipped_is_captured(merchant)
    again = journey.timed("the file again", lambda: journey.load(content, "orders", "superstore"))
    assert (again["created"], again["existing"], again["refused"]) == (0, orders, 0)
    with operator() as session:
        findings = journey.timed("integrity", lambda: list(integrity.check(session, merchant.tenant_id)))
    assert [(one.book.name, one.examples) for one in findings if one.faults] == []
    record_property("superstore", json.dumps(journey.times))
    with capsys.disabled():
        print(f"\nsuperstore, {orders} orders, {len(rows)} lines, {shipped} shipments: {journey.times}")


def every_order_routed_or_backordered(merchant: Merchant, rows: list[dict[str, str]]) -> None:
    """Every unit is in work at a node or waits; totals equal the file's Sales to the cent; every plan has its
    reason."""
    with inside(merchant.tenant_id) as scope:
        (lines,) = scope.rows(
            "SELECT count(*) AS n, sum(items - discount) AS worth, sum(allocated) AS allocated,"
            " sum(backordered) AS waiting, bool_and(allocated + backordered = ordered) AS whole"
            " FROM order_lines WHERE tenant_id = :tenant"
        )
        (unexplained,) = scope.rows(
            "SELECT count(*) AS n FROM orders o WHERE o.tenant_id = :tenant AND NOT EXISTS (SELECT 1"
            " FROM routing_decisions d WHERE d.tenant_id = :tenant AND d.order_id = o.id AND d.sentence <> '')"
        )
        (dates,) = scope.rows(
            "SELECT count(*) AS n FROM orders WHERE tenant_id = :tenant AND reference_date IS NULL"
        )
    assert lines.n == len(rows)
    assert lines.worth == sum(cents(row["Sales"]) for row in rows)
    assert lines.whole
    assert lines.allocated > lines.waiting > 0
    assert unexplained.n == 0
    assert dates.n == 0


def cents(figure: str) -> int:
    """Half away from zero, as money is rounded everywhere."""
    whole, _, part = figure.partition(".")
    part = (part + "000")[: max(3, len(part))]
    return int(whole) * 100 + int(part[:2]) + (part[2] >= "5")


def everything_shipped_is_captured(merchant: Merchant) -> None:
    """What a node could ship has shipped; of each order exactly that is captured."""
    with inside(merchant.tenant_id) as scope:
        (left,) = scope.rows(
            "SELECT sum(allocated) AS open, sum(shipped) AS shipped FROM order_lines WHERE tenant_id = :tenant"
        )
        wrong = scope.rows(
            "SELECT o.number, o.captured_total, l.shipped FROM orders o JOIN (SELECT order_id,"
            " sum(value_shipped) AS shipped FROM order_lines WHERE tenant_id = :tenant GROUP BY 1) l"
            " ON l.order_id = o.id WHERE o.tenant_id = :tenant AND o.captured_total <> l.shipped"
        )
        unpaid = scope.rows(
            "SELECT count(*) AS n FROM order_holds WHERE tenant_id = :tenant AND released_at IS NULL"
        )
    assert wrong == []
    assert unpaid[0].n == 0
    assert left.open == 0
    assert left.shipped > 0
