"""The price table of a tenant, made anew from its own past in the background; routing only reads it.

`begin` reads, `call` works it out with no transaction open, `finish` writes the next version. A tenant without
history has balance and breadth alone; one whose rules name no price has no table and no work.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from app.events import PRICES_EXPIRED
from app.routing import prices
from app.routing.baskets import destination
from app.routing.configuration import Configuration, configuration
from app.routing.facts import MICRO, Ints, Network
from app.routing.futures import Goods, Past
from app.routing.policy import Rule
from app.routing.terms import ESTIMATED_PACKAGE, ESTIMATED_PER_KG, ESTIMATED_PER_MILE
from infra.clock import real_now
from infra.ids import new_id
from tenants.scope import Scope
from tenants.service import configuration_changed

PRICED = frozenset({"stock_price", "capacity_price", "rejection_risk"})
"""Terms that read the table."""
DAYS = 90
MOST_ORDERS = 4_000
HORIZON_DAYS = 14
"""How far ahead demand is set against what is there now: supply that is not there yet is not counted on."""
EVERY = timedelta(hours=6)
GRAMS_PER_LB = 453.59237
LIGHT_G, HEAVY_G = 454, 4536

ORDERS = """
SELECT o.id, o.ship_to, o.ship_lat, o.ship_lon, o.placed_at FROM orders o
WHERE o.tenant_id = :tenant AND o.placed_at > :since ORDER BY o.placed_at DESC LIMIT :most
"""
LINES = """
SELECT l.order_id, l.sku_id, sum(l.ordered) AS units FROM order_lines l
JOIN skus s ON s.tenant_id = :tenant AND s.id = l.sku_id AND s.kind IN ('stock', 'preorder', 'gift_card_physical')
WHERE l.tenant_id = :tenant AND l.order_id = ANY(:orders) GROUP BY 1, 2
"""
STOCK = """
SELECT p.sku_id, s.code AS sku, s.weight_g, p.node_id, sum(greatest(p.on_hand - p.reserved - p.safety, 0)) AS free
FROM stock_positions p JOIN skus s ON s.tenant_id = :tenant AND s.id = p.sku_id
WHERE p.tenant_id = :tenant AND p.disposition = 'sellable' GROUP BY 1, 2, 3, 4
"""
SOLD = """
SELECT p.sku_id, p.node_id, -sum(m.delta) AS units
FROM stock_movements m JOIN stock_positions p ON p.tenant_id = :tenant AND p.id = m.position_id
WHERE m.tenant_id = :tenant AND m.cause = 'shipment' AND m.at > :since GROUP BY 1, 2
"""
REFUSED = """
SELECT node, (count(*) FILTER (WHERE reject_reason IS NOT NULL))::float8 / count(*) AS share
FROM fulfillment_orders WHERE tenant_id = :tenant AND created_at > :since GROUP BY node
"""


@dataclass(frozen=True)
class Request:
    """All that the prices are worked out from."""

    network: Network
    skus: list[str]
    past: Past
    goods: Goods
    supply: prices.Supply
    start: Ints
    demand: prices.Demand
    limited: bool
    risk: dict[str, float]
    basis: dict[str, Any]


def reads_prices(rule: Rule) -> bool:
    """Whether some strategy's objective has a term of the table."""
    return any(term.name in PRICED for strategy in rule.strategies for term in strategy.objective.terms)


def begin(scope: Scope, _: UUID, **__: Any) -> Request | None:
    """Read the past and what is there; None when no rule in force reads prices. The next time is set."""
    configured = configuration(scope)
    if not any(reads_prices(rule) for _, rule in configured.rules.values()):
        return None
    now = scope.now()
    scope.at(now + EVERY, PRICES_EXPIRED, scope.tenant_id, key="prices")
    orders = scope.rows(ORDERS, since=now - timedelta(days=DAYS), most=MOST_ORDERS)[::-1]
    stock = scope.rows(STOCK)
    skus = sorted({(row.sku, str(row.sku_id), row.weight_g) for row in stock})
    at = {sku: position for position, (_, sku, _) in enumerate(skus)}
    lines = scope.rows(LINES, orders=[order.id for order in orders])
    sold = scope.rows(SOLD, since=now - timedelta(days=HORIZON_DAYS))
    on_hand = _matrix(configured, at, stock, "free")
    return Request(
        network=configured.network,
        skus=[code for code, _, _ in skus],
        past=_past(configured.network, orders, lines, at),
        goods=Goods(
            np.array([weight / GRAMS_PER_LB for _, _, weight in skus]), configured.network.handling_per_unit
        ),
        supply=_supply(configured, on_hand),
        start=on_hand + _matrix(configured, at, sold, "units"),
        demand=_demand(orders, now),
        limited=bool(configured.capacities),
        risk={row.node: round(row.share, 4) for row in scope.rows(REFUSED, since=now - timedelta(days=DAYS))},
        basis={"orders": len(orders), "lines": len(lines), "skus": len(skus), "days": DAYS},
    )


def call(request: Request) -> dict[str, Any]:
    """The table as it is kept, with the seconds it took."""
    began = time.perf_counter()
    values = prices.Values(request.goods, limited=request.limited, usual=ESTIMATED_PACKAGE / MICRO)
    found = values.refresh(request.past, request.supply, request.demand)
    there, start = request.supply.stock, request.start
    by_unit = found.of_units(slice(None), prices.USUAL, there, start, prices.breadth(there))
    codes, held = request.network.codes, start > 0
    stock = {
        sku: {codes[node]: round(float(by_unit[row, node]), 2) for node in held[row].nonzero()[0].tolist()}
        for row, sku in enumerate(request.skus)
    }
    capacity = {
        codes[node]: round(float(amount), 2)
        for node, amount in enumerate(found.capacity.tolist())
        if amount >= 0.01
    }
    basis = {**request.basis, "seconds": round(time.perf_counter() - began, 1)}
    return {"document": {"stock": stock, "capacity": capacity, "risk": request.risk}, "basis": basis}


def finish(scope: Scope, _: Request, answer: dict[str, Any]) -> None:
    """Write the next version; every process reads it from its next transaction on."""
    configuration_changed(scope)
    scope.execute(
        "INSERT INTO price_tables (tenant_id, id, version, document, basis, made_at)"
        " SELECT :tenant, :id, coalesce(max(version), 0) + 1, CAST(:document AS jsonb), CAST(:basis AS jsonb), :now"
        " FROM price_tables WHERE tenant_id = :tenant",
        id=new_id(),
        document=orjson.dumps(answer["document"]).decode(),
        basis=orjson.dumps(answer["basis"]).decode(),
        now=real_now(),
    )


def _matrix(configured: Configuration, at: dict[str, int], rows: list[Any], name: str) -> Ints:
    """[SKU, node] of rows with a sku_id and a node_id."""
    found = np.zeros((len(at), len(configured.network)), dtype=np.int64)
    for row in rows:
        sku, node = at.get(str(row.sku_id)), configured.network.index.get(str(row.node_id))
        if sku is not None and node is not None:
            found[sku, node] = int(getattr(row, name))
    return found


def _past(network: Network, orders: list[Any], lines: list[Any], at: dict[str, int]) -> Past:
    """Past orders with what a package to each of them costs from every node: before anything is in it, and a pound."""
    own = {order.id: position for position, order in enumerate(orders)}
    kept = sorted(
        (own[row.order_id], at[str(row.sku_id)], int(row.units)) for row in lines if str(row.sku_id) in at
    )
    opening = np.empty((len(orders), len(network)), dtype=np.float32)
    per_lb = np.empty_like(opening)
    weights = np.array([LIGHT_G, HEAVY_G], dtype=np.int64)
    table, priced = network.tariffs.table(weights), network.tariffs.priced
    for position, order in enumerate(orders):
        to = destination(order.ship_to, order.ship_lat, order.ship_lon)
        distance = network.distances(to)
        light, heavy = table[network.tariffs.rows(to.country, to.postal_code or None, distance)].T
        slope = (heavy - light) / ((HEAVY_G - LIGHT_G) / GRAMS_PER_LB)
        estimate = (ESTIMATED_PACKAGE + distance * ESTIMATED_PER_MILE) / MICRO
        per_lb[position] = np.where(priced, slope, ESTIMATED_PER_KG * GRAMS_PER_LB / 1000)
        opening[position] = np.where(priced, light - slope, estimate) + network.handling_per_package
    places = np.array(kept, dtype=np.int64).reshape(-1, 3)
    return Past(opening, per_lb, places[:, 0], places[:, 1], places[:, 2])


def _supply(configured: Configuration, on_hand: Ints) -> prices.Supply:
    limit = configured.network.capacity_per_day.astype(np.float64)
    per_day = np.where(limit < 0, 1e9, limit)
    return prices.Supply(on_hand, per_day, per_day)


def _demand(orders: list[Any], now: datetime) -> prices.Demand:
    """Orders expected today and within the horizon, as the past went."""
    if not orders:
        return prices.Demand(0.0, 0.0, 0)
    days = max((now - orders[0].placed_at).total_seconds() / 86_400, 1.0)
    per_day = len(orders) / days
    return prices.Demand(per_day / 2, per_day * HORIZON_DAYS, HORIZON_DAYS)
