"""Trying rules on one basket or one order: the live decision on the stock of this moment, with nothing written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np

from app.calendar import local_date
from app.catalog.rules import volume_cm3
from app.inventory.allotments import Allotments
from app.inventory.rules import MADE, PLENTY
from app.inventory.shelf import Shelf
from app.routing.baskets import Asked, basket, destination
from app.routing.configuration import Configuration, configuration, loads
from app.routing.facts import BasketLine, Destination
from app.routing.policy import Rule
from app.routing.rules import Decision, decide
from infra.errors import FieldError, Problem, invalid
from tenants.scope import Scope

MOST_LINES = 50

SKUS = """
SELECT id, code, title, kind, weight_g, tax_code, price, components, attributes
FROM skus WHERE tenant_id = :tenant AND code = ANY(:codes)
"""
PARTS = "SELECT id, code FROM skus WHERE tenant_id = :tenant AND code = ANY(:codes)"
STOCK = """
SELECT p.id, p.sku_id, p.node_id, p.segment,
    p.on_hand - p.reserved - p.safety + coalesce(own.quantity, 0) AS free
FROM stock_positions p
LEFT JOIN (SELECT r.position_id, sum(r.quantity) AS quantity FROM order_lines l
    JOIN reservations r ON r.tenant_id = :tenant AND r.order_line_id = l.id
    WHERE l.tenant_id = :tenant AND l.order_id = :order AND r.position_id IS NOT NULL GROUP BY 1) own
    ON own.position_id = p.id
WHERE p.tenant_id = :tenant AND p.sku_id = ANY(:skus) AND p.disposition = 'sellable'
    AND p.segment IN ('shared', :channel) AND p.on_hand - p.reserved - p.safety + coalesce(own.quantity, 0) > 0
"""
WAITING = """
SELECT r.sku_id, sum(r.quantity) AS units FROM reservations r
JOIN order_lines l ON l.tenant_id = :tenant AND l.id = r.order_line_id
WHERE r.tenant_id = :tenant AND r.supply = 'none' AND r.sku_id = ANY(:skus) AND l.order_id <> :order
GROUP BY 1
"""
ORDER = """
SELECT o.id, o.number, o.channel, o.source_code, o.customer, o.ship_to, o.policy, l.sku,
    sum(l.ordered - l.cancelled - l.shipped) AS units,
    sum((l.items - l.discount) * (l.ordered - l.cancelled - l.shipped) / l.ordered) AS value,
    (SELECT min(r.ship_by) FROM order_lines own
        JOIN reservations r ON r.tenant_id = :tenant AND r.order_line_id = own.id
        WHERE own.tenant_id = :tenant AND own.order_id = o.id) AS ship_by
FROM orders o JOIN order_lines l ON l.tenant_id = :tenant AND l.order_id = o.id
WHERE o.tenant_id = :tenant AND o.number = :number
GROUP BY o.tenant_id, o.id, l.sku
HAVING sum(l.ordered - l.cancelled - l.shipped) > 0 ORDER BY min(l.position)
"""
NO_ORDER = UUID(int=0)


@dataclass(frozen=True)
class Wish:
    """What to route: SKU codes with units, where to, over which channel."""

    lines: Sequence[tuple[str, int]]
    channel: str
    ship_to: Mapping[str, Any]
    ship_complete: bool = False
    order_id: UUID = NO_ORDER
    """The order whose own reservations count as free."""
    number: int | None = None
    says: Mapping[str, Any] = field(default_factory=dict)
    """What else the order says, as `Asked` names it."""
    values: Mapping[str, int] = field(default_factory=dict)
    """What the units of a SKU are worth as agreed, in minor units; else what they cost today."""


@dataclass(frozen=True)
class Trial:
    """A decision, with what is needed to show it."""

    wish: Wish
    decision: Decision
    configuration: Configuration
    titles: list[str]
    destination: Destination


def wish_of_order(scope: Scope, number: int) -> Wish:
    """What is still open of an order, as it was placed. Raises Problem 422 at /order."""
    rows = scope.rows(ORDER, number=number)
    if not rows:
        raise invalid("/order", f"No order K-{number} with units left to ship is here.")
    first = rows[0]
    policy, customer = first.policy or {}, first.customer
    last_day = (
        local_date(first.ship_by - timedelta(seconds=1), scope.tenant.timezone) if first.ship_by else None
    )
    return Wish(
        [(row.sku, int(row.units)) for row in rows],
        first.channel,
        first.ship_to,
        bool(policy.get("ship_complete")),
        first.id,
        first.number,
        {
            "service": policy.get("service") or "",
            "source_code": first.source_code or "",
            "email": customer.get("email") or "",
            "is_business": customer.get("business"),
            "promised_by": last_day,
        },
        {row.sku: int(row.value) for row in rows},
    )


def attempt(scope: Scope, rule: Rule, wish: Wish) -> Trial:
    """Decide a wish by a rule, on the stock that is free now.

    Raises Problem 422 at /lines for a SKU that is not here.
    """
    skus = {row.code: row for row in scope.rows(SKUS, codes=sorted({code for code, _ in wish.lines}))}
    if errors := [
        FieldError(f"/lines/{at}/sku", f"There is no SKU {code}.")
        for at, (code, _) in enumerate(wish.lines)
        if code not in skus
    ]:
        raise Problem(422, "invalid", " ".join(error.message for error in errors), errors=errors)
    configured = configuration(scope)
    shelf = _shelf(scope, list(skus.values()), wish, configured.allotments)
    found = [skus[code] for code, _ in wish.lines]
    asked = Asked(
        wish.channel,
        scope.now(),
        scope.tenant.timezone,
        wish.ship_complete,
        currency=scope.tenant.currency,
        **wish.says,
    )
    lines = [
        BasketLine(
            sku=row.code,
            kind=row.kind,
            quantity=units,
            weight_g=row.weight_g,
            volume_cm3=volume_cm3(row.attributes),
            value=wish.values.get(row.code, row.price * units),
            tax_code=row.tax_code,
            attributes=row.attributes,
        )
        for row, (_, units) in zip(found, wish.lines, strict=True)
    ]
    available = np.array([_free(row, configured, shelf, wish.channel) for row in found], dtype=np.int64)
    to = destination(wish.ship_to)
    given = basket(configured, asked, lines, to, available, loads(scope, configured))
    decision = decide(configured.network, given, rule, prices=configured.prices)
    return Trial(wish, decision, configured, [row.title for row in found], to)


def _shelf(scope: Scope, skus: list[Any], wish: Wish, allotments: Allotments) -> Shelf:
    codes = sorted({part["sku"] for row in skus for part in row.components})
    ids = {row.code: str(row.id) for row in (*skus, *scope.rows(PARTS, codes=codes))}
    wanted = [UUID(one) for one in ids.values()]
    stock = scope.rows(STOCK, skus=wanted, channel=wish.channel, order=wish.order_id)
    waiting = scope.rows(WAITING, skus=wanted, order=wish.order_id)
    return Shelf(
        [(str(row.id), str(row.sku_id), str(row.node_id), row.segment, int(row.free)) for row in stock],
        {str(row.sku_id): int(row.units) for row in waiting},
        ids,
        allotments,
    )


def _free(row: Any, configured: Configuration, shelf: Shelf, channel: str) -> list[int]:
    """Units that each node of the network could give."""
    if row.kind in MADE:
        return [PLENTY] * len(configured.network)
    parts = [(shelf.ids.get(part["sku"], ""), part["quantity"]) for part in row.components] or [
        (str(row.id), 1)
    ]
    return [
        min(max(0, shelf.free(part, node, channel)) // each for part, each in parts)
        for node in configured.network.ids
    ]
