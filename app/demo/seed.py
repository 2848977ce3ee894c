"""Opening the demo merchant: a catalog, a network, months of past orders, and a morning with something going on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.cancellation.service import cancel
from app.catalog.schemas import SkuIn
from app.catalog.service import put_skus
from app.demo.goods import SOLD_OUT, catalog
from app.demo.history import History
from app.demo.orders import Buyers, Shelf, request
from app.demo.places import PROVIDERS, SITES, node_body
from app.demo.rules import BY_COST, CARD, RULES, rate_card
from app.inbound import service as inbound
from app.inbound.schemas import InboundIn
from app.intake.schemas import OrderIn
from app.intake.service import place
from app.network.rate_cards import put_rate_card
from app.network.schemas import NodeIn, RateCardIn
from app.network.service import put_nodes
from app.orders.service import place_hold
from app.routing import service as routing
from tenants import business
from tenants.scope import Scope, inside
from tenants.service import open_merchant

__all__ = ["NAME", "PROVIDERS", "open_demo"]

NAME = "Alder & Finch"
ZONE = "America/New_York"
CONTACT = {
    "email": "help@alderandfinch.example",
    "toll_free": "1-800-555-0136",
    "hours": "every day, 8 AM to 10 PM Eastern",
    "address": ["210 Alder Street", "Columbus, OH 43215"],
}
SEED = 1887
FRESH = 14
"""Card orders that have just come in."""
ON_ITS_WAY = (
    ("PO-1041", "Harlan Woolworks", 38, ((SOLD_OUT[2], 40, 9), (SOLD_OUT[3], 60, 16))),
    ("PO-1044", "Blue Ridge Pottery", 21, ((SOLD_OUT[0], 36, 24),)),
    ("PO-1036", "Reed & Daughters", 50, ((SOLD_OUT[5], 24, 33),)),
    ("PO-1039", "Cedar Point Candles", 30, (("CN-SOY-FIG", 240, -2), ("CN-SOY-CEDAR", 120, 5))),
)
"""Inbound orders: reference, supplier, days since it was ordered, (SKU, units, days until it is due)."""


def open_demo(owner: UUID) -> UUID:
    """Open the demo merchant's sandbox for an account and fill it. Returns the tenant's id.

    What is queued for later (tax, cards) runs when the caller drains the tenant, with the processor at hand.
    """
    opened = open_merchant(NAME, owner=owner, timezone=ZONE, live=False, rate_limit=None, first_rules=RULES)
    with inside(opened.sandbox) as scope:
        skus = catalog(scope.now().date())
        business.change(scope, name=NAME, timezone=ZONE, settings={"contact": CONTACT})
        _network(scope)
        _catalog(scope, skus)
        routing.write(scope, BY_COST, "Are bulky orders the only ones that gain by cost?")
    History(opened.sandbox, skus, random.Random(SEED)).write()
    with inside(opened.sandbox) as scope:
        _this_morning(scope, skus)
    return opened.sandbox


def _network(scope: Scope) -> None:
    put_rate_card(scope, CARD, RateCardIn().load(rate_card()))
    schema = NodeIn()
    put_nodes(scope, {site.code: schema.load(node_body(site)) for site in SITES})


def _catalog(scope: Scope, skus: Mapping[str, Mapping[str, Any]]) -> None:
    schema = SkuIn()
    put_skus(scope, {code: schema.load(sku) for code, sku in skus.items()})


# ---- what is going on


def _this_morning(scope: Scope, skus: Mapping[str, Mapping[str, Any]]) -> None:
    """Fresh card orders, and one order in each state that a person should see."""
    draw = random.Random(SEED + 1)
    shelf, buyers = Shelf.of(skus), Buyers(draw)
    bodies = [_paid(request(draw, shelf, buyers, f"AF-{50_000 + at}")) for at in range(FRESH)]
    for at, body in enumerate(bodies):
        body["placed_at"] = (scope.now() - timedelta(minutes=3 * (FRESH - at))).isoformat()
    _placed(scope, bodies)
    _scenes(scope, draw, shelf, buyers)
    _on_its_way(scope)


def _scenes(scope: Scope, draw: random.Random, shelf: Shelf, buyers: Buyers) -> None:
    declined = _basket(draw, shelf, buyers, "AF-60001", {"LN-SHT-OAT": 1, "LN-PIL-OAT": 2})
    asked = _basket(draw, shelf, buyers, "AF-60002", {"MT-DUT-SAG": 1})
    doubted = _basket(draw, shelf, buyers, "AF-60003", {"GC-P-200": 5})
    changed = _basket(draw, shelf, buyers, "AF-60004", {"CT-BTH-SAG": 4, "CN-SOY-FIG": 2})
    waiting = _basket(draw, shelf, buyers, "AF-60005", {"CR-MUG-SAG": 2, SOLD_OUT[0]: 1})
    everything = {"CN-SOY-CEDAR": 1, "GC-E-50": 1, "GC-P-100": 1, "MO-MNO": 1, "PR-BOK": 1}
    phone = _basket(draw, shelf, buyers, "AF-60006", everything, "phone") | {"source_code": "HOLIDAY-CATALOG"}
    today = scope.now().date()
    tonight = _basket(draw, shelf, buyers, "AF-60007", {SOLD_OUT[1]: 1, "KT-GRD": 1})
    tonight |= _promised(today, "Ships today") | {"placed_at": (scope.now() - timedelta(days=2)).isoformat()}
    overdue = _basket(draw, shelf, buyers, "AF-60008", {SOLD_OUT[4]: 2}, "phone")
    overdue |= _promised(today - timedelta(days=1), "Ships within the week")
    overdue["placed_at"] = (scope.now() - timedelta(days=6)).isoformat()
    orders = _placed(
        scope,
        [
            _paid(declined, "pm_card_chargeDeclined"),
            _paid(asked, "pm_card_authenticationRequired"),
            _paid(doubted),
            _paid(changed),
            _paid(waiting),
            _paid(phone),
            tonight | {"tenders": [{"kind": "external", "reference": "AF-60007"}]},
            overdue | {"tenders": [{"kind": "check", "reference": "Check 2041"}]},
        ],
    )
    place_hold(
        scope, UUID(orders[2]["id"]), "fraud", "Five gift cards of $200 to a new address. Call the buyer."
    )
    towels = next(line for line in orders[3]["lines"] if line["sku"] == "CN-SOY-FIG")
    cancel(
        scope, UUID(orders[3]["id"]), [{"id": towels["id"], "quantity": 1}], "The buyer wants one candle only"
    )


def _on_its_way(scope: Scope) -> None:
    """What suppliers are to send, some of it here already; of two items that are sold out nobody knows."""
    today, schema = scope.now().date(), InboundIn()
    for reference, supplier, ordered, lines in ON_ITS_WAY:
        wanted = [
            {"sku": code, "quantity": units, "expected_on": (today + timedelta(days=days)).isoformat()}
            for code, units, days in lines
        ]
        ordered_on = (today - timedelta(days=ordered)).isoformat()
        body = {"supplier": supplier, "node": "WH-COL", "ordered_on": ordered_on, "lines": wanted}
        inbound.put(scope, reference, schema.load(body))
    reference, _, _, lines = ON_ITS_WAY[-1]
    inbound.receive(scope, reference, "DN-2207", {lines[0][0]: lines[0][1] // 2})


def _basket(
    draw: random.Random,
    shelf: Shelf,
    buyers: Buyers,
    reference: str,
    units: Mapping[str, int],
    channel: str = "web",
) -> dict[str, Any]:
    body = request(draw, shelf, buyers, reference, channel=channel)
    for extra in ("discounts", "promise"):
        body.pop(extra, None)
    return body | {"lines": [{"sku": code, "quantity": many} for code, many in units.items()]}


def _promised(day: date, text: str) -> dict[str, Any]:
    return {"promise": {"ship_by": day.isoformat(), "text": text}}


def _paid(body: dict[str, Any], method: str = "pm_card_visa") -> dict[str, Any]:
    return body | {"tenders": [{"kind": "card", "payment_method": method}]}


def _placed(scope: Scope, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    schema = OrderIn()
    results = place(scope, [schema.load(body) for body in bodies])
    orders = []
    for result in results:
        if result.problem is not None:
            raise result.problem
        assert result.order is not None
        orders.append(result.order)
    return orders
