"""Instances made up for measuring: synthetic networks over the United States with scarce stock.

Demand lies around metropolitan areas, SKUs sell by a power law, stock is placed by somebody who forecast
demand imperfectly. A shape names what is difficult about it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.routing.replay.instance import Floats

METROS = (
    (40.7, -74.0, 19.5), (34.1, -118.2, 12.8), (41.9, -87.6, 9.3), (32.8, -96.8, 7.9), (29.8, -95.4, 7.3),
    (38.9, -77.0, 6.3), (39.95, -75.2, 6.2), (33.7, -84.4, 6.2), (25.8, -80.2, 6.1), (33.4, -112.1, 5.0),
    (42.4, -71.1, 4.9), (37.8, -122.4, 4.6), (34.0, -117.4, 4.7), (42.3, -83.0, 4.3), (47.6, -122.3, 4.0),
    (44.98, -93.3, 3.7), (27.95, -82.5, 3.3), (32.7, -117.2, 3.3), (39.7, -105.0, 3.0), (39.3, -76.6, 2.8),
    (38.6, -90.2, 2.8), (28.5, -81.4, 2.8), (35.2, -80.8, 2.8), (29.4, -98.5, 2.6), (45.5, -122.7, 2.5),
    (30.3, -97.7, 2.4), (40.4, -80.0, 2.4), (38.6, -121.5, 2.4), (36.2, -115.1, 2.3), (39.1, -84.5, 2.3),
    (39.1, -94.6, 2.2), (39.96, -83.0, 2.2), (41.5, -81.7, 2.1), (39.8, -86.2, 2.1), (36.2, -86.8, 2.0),
    (37.5, -77.4, 1.3), (43.0, -87.9, 1.6), (35.5, -97.5, 1.5), (35.8, -78.6, 1.4), (35.1, -90.0, 1.3),
    (40.8, -111.9, 1.3), (30.0, -90.1, 1.3), (42.9, -78.9, 1.2), (41.3, -96.0, 1.0), (35.1, -106.6, 0.9),
    (43.6, -116.2, 0.8), (31.8, -106.5, 0.9), (46.9, -96.8, 0.3), (45.8, -108.5, 0.2), (44.5, -73.2, 0.2),
)  # fmt: skip
CARRIER = {
    "zone_miles": [150, 300, 600, 1000, 1400, 1800],
    "base": [690, 720, 790, 880, 960, 1050, 1150],
    "per_lb": [25, 30, 40, 55, 70, 85, 100],
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What is made. `scarcity` is stock over the expected demand of the period; `noise` how badly it is placed."""

    nodes: int = 50
    skus: int = 200
    orders: int = 2000
    days: int = 5
    history: int = 2000
    warehouses: float = 0.2  # share of the nodes
    assortment: float = 0.35  # share of SKUs that a store carries
    scarcity: float = 1.05
    noise: float = 0.6  # sigma of the log-normal error of the placed stock
    popularity: float = 0.9  # exponent of the power law
    lines: tuple[float, ...] = (0.55, 0.25, 0.12, 0.05, 0.03)
    capacity: float | None = None  # packages a day of all stores over those expected of them
    drift: float = 0.0  # how far tastes and places wander between history and the last day
    surge: float = 1.0  # orders of the last days over those of the first
    weight: float = 1.0  # median pounds of a unit


SHAPES: Mapping[str, Shape] = {
    "five warehouses": Shape(nodes=5, skus=80, orders=1500, warehouses=1.0, assortment=0.8, noise=0.5),
    "twenty nodes": Shape(nodes=20, skus=150, orders=2000),
    "thirty, sprinkled": Shape(
        nodes=30,
        skus=150,
        assortment=0.3,
        noise=0.9,
        scarcity=1.15,
        lines=(0.5, 0.25, 0.15, 0.07, 0.03),
    ),
    "fifty nodes": Shape(),
    "fifty, drift": Shape(drift=1.0),
    "fifty, surge and capacity": Shape(surge=2.5, capacity=1.0),
    "fifty, many lines": Shape(lines=(0.25, 0.25, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02)),
    "fifty, barely enough": Shape(scarcity=0.95),
    "two hundred nodes": Shape(nodes=200, skus=300, orders=4000, history=4000, warehouses=0.06),
}


def quick(shape: Shape, share: float) -> Shape:
    """The same shape with fewer orders."""
    return replace(shape, orders=int(shape.orders * share), history=int(shape.history * share))


def document(shape: Shape, seed: int) -> dict[str, Any]:
    """An instance as its JSON document. The same shape and seed give the same document."""
    rng = np.random.default_rng(seed)
    metros = np.array(METROS)
    share = metros[:, 2] / metros[:, 2].sum()
    nodes = _nodes(shape, metros, share, rng)
    taste = 1.0 / np.arange(1, shape.skus + 1) ** shape.popularity
    rng.shuffle(taste)
    later = _drifted(taste, shape.drift, rng), _drifted(share, shape.drift, rng)
    history = _orders(shape, shape.history, "H", (taste, share), (taste, share), metros, rng)
    orders = _orders(shape, shape.orders, "O", (taste, share), later, metros, rng)
    stock = _stock(shape, nodes, history, metros, rng)
    _limit(shape, nodes, orders)
    weights = np.round(np.exp(rng.normal(np.log(shape.weight), 0.7, shape.skus)), 2)
    return {
        "currency": "USD",
        "days": shape.days,
        "carrier": CARRIER,
        "nodes": nodes,
        "skus": [
            {"sku": f"S{at:04d}", "weight_lb": float(weight), "lost_unit_penalty": 2500}
            for at, weight in enumerate(weights)
        ],
        "stock": stock,
        "history": history,
        "orders": orders,
    }


def packed(shape: Shape, seed: int) -> bytes:
    """The document as UTF-8 JSON."""
    return json.dumps(document(shape, seed)).encode()


def _nodes(shape: Shape, metros: Floats, share: Floats, rng: np.random.Generator) -> list[dict[str, Any]]:
    warehouses = max(1, round(shape.nodes * shape.warehouses))
    nodes = []
    for at in range(shape.nodes):
        warehouse = at < warehouses
        spread = 1.0 if warehouse else 0.3
        metro = rng.choice(len(metros)) if warehouse else rng.choice(len(metros), p=share)
        nodes.append(
            {
                "id": f"{'W' if warehouse else 'N'}{at:03d}",
                "kind": "warehouse" if warehouse else "store",
                "lat": round(float(metros[metro, 0] + rng.normal(0, spread)), 4),
                "lon": round(float(metros[metro, 1] + rng.normal(0, spread)), 4),
                "handling_per_package": 120 if warehouse else 260,
                "handling_per_unit": 20 if warehouse else 55,
                "capacity_per_day": None,
                "priority": 0 if warehouse else 1,
            }
        )
    return nodes


def _drifted(weights: Floats, drift: float, rng: np.random.Generator) -> Floats:
    changed = weights * np.exp(rng.normal(0, drift, len(weights)))
    return changed / changed.sum()


def _orders(
    shape: Shape,
    count: int,
    prefix: str,
    first: tuple[Floats, Floats],
    last: tuple[Floats, Floats],
    metros: Floats,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Orders in time order, from the tastes and places of the first day to those of the last."""
    days = np.linspace(1.0, shape.surge if prefix == "O" else 1.0, shape.days)
    per_day = np.floor(count * days / days.sum()).astype(int)
    per_day[-1] += count - per_day.sum()
    orders: list[dict[str, Any]] = []
    for day, number in enumerate(per_day.tolist()):
        moved = day / max(shape.days - 1, 1)
        taste, share = (
            (1 - moved) * f / f.sum() + moved * g / g.sum() for f, g in zip(first, last, strict=True)
        )
        for _ in range(number):
            metro = rng.choice(len(metros), p=share)
            size = min(1 + int(rng.choice(len(shape.lines), p=shape.lines)), shape.skus)
            skus = rng.choice(shape.skus, size, replace=False, p=taste)
            orders.append(
                {
                    "id": f"{prefix}{len(orders):06d}",
                    "day": day,
                    "lat": round(float(metros[metro, 0] + rng.normal(0, 0.6)), 4),
                    "lon": round(float(metros[metro, 1] + rng.normal(0, 0.6)), 4),
                    "lines": [
                        {"sku": f"S{sku:04d}", "qty": int(1 + (rng.random() < 0.12) * rng.integers(1, 4))}
                        for sku in skus.tolist()
                    ],
                }
            )
    return orders


def _stock(
    shape: Shape,
    nodes: list[dict[str, Any]],
    history: list[dict[str, Any]],
    metros: Floats,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Units by node and SKU: what history sold, spread over those that carry it, with the forecaster's error."""
    sold = np.zeros(shape.skus)
    for order in history:
        for line in order["lines"]:
            sold[int(line["sku"][1:])] += line["qty"]
    expected = (sold + 0.5) * shape.orders / max(shape.history, 1)
    warehouse = np.array([node["kind"] == "warehouse" for node in nodes])
    carries = (rng.random((shape.skus, len(nodes))) < shape.assortment) | (
        warehouse & (rng.random((shape.skus, len(nodes))) < 0.85)
    )
    carries[np.arange(shape.skus), rng.integers(0, len(nodes), shape.skus)] = True
    size = np.where(warehouse, 6.0, 1.0)
    weight = carries * size * np.exp(rng.normal(0, shape.noise, carries.shape))
    wanted = expected * shape.scarcity + 0.7 * np.sqrt(expected)
    target = wanted[:, None] * weight / weight.sum(axis=1, keepdims=True)
    units = np.floor(target + rng.random(target.shape)).astype(int)
    return [
        {"node": nodes[node]["id"], "sku": f"S{sku:04d}", "qty": int(units[sku, node])}
        for sku, node in np.argwhere(units > 0).tolist()
    ]


def _limit(shape: Shape, nodes: list[dict[str, Any]], orders: list[dict[str, Any]]) -> None:
    """Packages a day of each store, where the shape says so."""
    if shape.capacity is None:
        return
    each = shape.capacity * len(orders) / shape.days / len(nodes)
    for node in nodes:
        if node["kind"] == "store":
            node["capacity_per_day"] = max(1, round(each))
