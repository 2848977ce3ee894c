"""An instance from real data: past orders of a shop over two hundred real places, at real zones and prices.

    python -m app.routing.replay.superstore DATA_DIR --out INSTANCE.json.gz [--since 2017-01-01] [--seed 1]

Real: who ordered what, how much, when and from which ZIP code (the superstore data set), where the nodes are, the
Postal Service's zones between ZIP areas and its prices by pound. Not to be had, and so made up: what is on hand,
pounds of a unit (by kind of goods), handling costs and what a unit that cannot be sent is worth.

Stock is what a planner of a wide and slow assortment would have bought on the first day for the rest of the file:
every SKU lies in a few of the warehouses, each with its share of what the year before sold, grown as orders grew, and
a usual line's quantity besides; and a unit or some in a few of the stores. Nothing is replenished. Orders before the
first day are history.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from app.network.places import locate, zip3

ORDERS = Path("orders/superstore_us_orders.csv.gz")
NODES = Path("stores/network_200_nodes.csv")
PRICES = Path("shipping/usps_ground_advantage_commercial_2026-07-12.csv")
PAIRS = Path("shipping/usps_zone_pairs_2018_sample.csv.gz")

ZONE_MILES = (50, 150, 300, 600, 1000, 1400, 1800)
POUNDS = {
    "Accessories": 1.0, "Appliances": 9.0, "Art": 0.6, "Binders": 1.5, "Bookcases": 45.0, "Chairs": 30.0,
    "Copiers": 40.0, "Envelopes": 1.2, "Fasteners": 0.3, "Furnishings": 3.0, "Labels": 0.3, "Machines": 25.0,
    "Paper": 5.0, "Phones": 0.8, "Storage": 10.0, "Supplies": 0.7, "Tables": 60.0,
}  # fmt: skip
LOST_UNIT = 2500
WAREHOUSES = 6  # that hold a SKU
STORES = 0.03  # share of the stores that hold it
BESIDES, AT_MOST = 3, 3  # units: in a warehouse beyond its share, in a store

Row = Mapping[str, str]


def document(data: Path, since: date, seed: int) -> dict[str, Any]:
    """The instance as its JSON document. Raises OSError where a file is missing."""
    rng = np.random.default_rng(seed)
    orders = _orders(_read(data / ORDERS), since)
    history = [order for order in orders if order["day"] < 0]
    coming = [order for order in orders if order["day"] >= 0]
    nodes = _nodes(_read(data / NODES))
    skus = _skus(_read(data / ORDERS), rng)
    names = [sku["sku"] for sku in skus]
    return {
        "currency": "USD",
        "days": coming[-1]["day"] + 1,
        "carrier": _carrier(data, nodes),
        "nodes": nodes,
        "skus": skus,
        "stock": _stock(names, _expected(names, history, coming[-1]["day"] + 1), nodes, rng),
        "history": history,
        "orders": coming,
    }


def _read(file: Path) -> list[dict[str, str]]:
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def _orders(rows: Iterable[Row], since: date) -> list[dict[str, Any]]:
    """Orders by date and number; `day` counts from `since`. Numbers lost the leading zeros of their ZIP codes."""
    orders: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        code = row["Postal Code"].zfill(5)
        place = locate(code)
        assert place is not None, code
        order = orders.setdefault(
            (row["Order Date"], row["Order ID"]),
            {
                "id": row["Order ID"],
                "day": (date.fromisoformat(row["Order Date"]) - since).days,
                "lat": round(place.lat, 4),
                "lon": round(place.lon, 4),
                "postal_code": code,
                "lines": [],
            },
        )
        order["lines"].append({"sku": row["Product ID"], "qty": int(row["Quantity"])})
    return [orders[key] for key in sorted(orders)]


def _nodes(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [
        {
            "id": row["node_id"],
            "kind": row["type"],
            "lat": float(row["lat"]),
            "lon": float(row["lon"]),
            "postal_code": row["zip"],
            "handling_per_package": 120 if row["type"] == "warehouse" else 260,
            "handling_per_unit": 20 if row["type"] == "warehouse" else 55,
            "capacity_per_day": None,
            "priority": 0 if row["type"] == "warehouse" else 1,
        }
        for row in rows
    ]


def _skus(rows: Iterable[Row], rng: np.random.Generator) -> list[dict[str, Any]]:
    kinds = {row["Product ID"]: row["Sub-Category"] for row in rows}
    return [
        {
            "sku": sku,
            "weight_lb": round(POUNDS[kinds[sku]] * float(np.exp(rng.normal(0, 0.4))), 2),
            "lost_unit_penalty": LOST_UNIT,
        }
        for sku in sorted(kinds)
    ]


def _expected(skus: Sequence[str], history: Sequence[Mapping[str, Any]], days: int) -> np.ndarray:
    """Units of each SKU in so many days, as the last year of history and the growth over the year before it say."""
    sold: Counter[str] = Counter()
    for order in history:
        if order["day"] >= -365:
            for line in order["lines"]:
                sold[line["sku"]] += line["qty"]
    last = sum(order["day"] >= -365 for order in history)
    before = sum(-730 <= order["day"] < -365 for order in history)
    growth = last / before if before else 1.0
    return (np.array([sold[sku] for sku in skus]) + 0.5) * growth * days / 365


def _stock(
    skus: Sequence[str], expected: np.ndarray, nodes: Sequence[Mapping[str, Any]], rng: np.random.Generator
) -> list[dict[str, Any]]:
    warehouses = [at for at, node in enumerate(nodes) if node["kind"] == "warehouse"]
    stores = np.array([at for at, node in enumerate(nodes) if node["kind"] != "warehouse"])
    rows = []
    for sku, units in zip(skus, expected.tolist(), strict=True):
        each = units / WAREHOUSES + BESIDES
        held = {
            at: int(each + rng.random()) for at in rng.choice(warehouses, WAREHOUSES, replace=False).tolist()
        }
        some = stores[rng.random(len(stores)) < STORES].tolist()
        held |= {at: int(rng.integers(1, AT_MOST + 1)) for at in some}
        rows += [{"node": nodes[at]["id"], "sku": sku, "qty": held[at]} for at in sorted(held)]
    return rows


def _carrier(data: Path, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Prices by pound and zone, and the zones told for any pair with a node at one end."""
    zones = range(1, 10)
    own = {zip3(node["postal_code"]) for node in nodes}
    pairs: dict[str, dict[str, int]] = {}
    for row in _read(data / PAIRS):
        if zip3(row["origin_zip3"] + "01") in own or zip3(row["dest_zip3"] + "01") in own:
            pairs.setdefault(row["origin_zip3"], {})[row["dest_zip3"]] = int(row["zone"])
    return {
        "zone_miles": ZONE_MILES,
        "prices": [
            {"up_to_lb": int(row["weight_lb"]), "by_zone": [int(row[f"zone_{zone}_cents"]) for zone in zones]}
            for row in _read(data / PRICES)
        ],
        "zone_pairs": pairs,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m app.routing.replay.superstore", description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="holds orders, stores and shipping")
    parser.add_argument("--out", type=Path, required=True, metavar="INSTANCE", help="JSON, gzipped")
    parser.add_argument("--since", type=date.fromisoformat, default=date(2017, 1, 1), help="the first day")
    parser.add_argument("--seed", type=int, default=1, help="of what is made up")
    options = parser.parse_args(arguments)
    try:
        made = document(options.data, options.since, options.seed)
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}. Name the folder of the data.", file=sys.stderr)
        return 2
    options.out.write_bytes(gzip.compress(json.dumps(made).encode(), mtime=0))
    first, days = options.since, timedelta(days=made["days"] - 1)
    print(f"{len(made['history'])} orders before, {len(made['orders'])} from {first} to {first + days}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
