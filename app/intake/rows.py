"""The rows an order is written as, by table, from what was drafted. Pure but for the ids, which are new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from app.catalog.rules import volume_cm3
from app.events import ORDER_PLACED
from app.intake.quoted import Told
from app.intake.rules import Priced, PricedLine
from app.intake.terms import Terms
from app.inventory.rules import MADE
from app.network.loads import Loads
from app.network.places import locate
from app.payments.rules import PAY_NOW
from app.promises.laws import Laws
from app.promises.readings import DEFAULT, Settings
from app.promises.regimes import Delivery
from app.promises.rules import Clock
from app.promises.timing import decide_at, first_look
from app.routing.configuration import Configuration
from app.routing.facts import BasketLine
from app.routing.rules import Decision
from infra.ids import new_id


@dataclass
class Line:
    """A line while it is drafted."""

    id: UUID
    priced: PricedLine
    request: Mapping[str, Any]
    terms: Terms
    shown: Mapping[str, Any] | None
    """What the buyer was told when it would ship, or arrive."""
    told: Told | None
    """What the quote told that the order names."""
    allocated: int = 0
    expected: datetime | None = None
    free: int | None = None
    """Units that its channel could have had when it was routed; None: it does not run out."""

    @property
    def clock(self) -> Clock:
        """By when it must ship."""
        return self.terms.clock


Taken = tuple[str, str, int]
"""(Position, SKU id, units) taken off the shelf."""
Placement = tuple[Line, int, int, list[Taken]]
"""(Line, the node's place in the network, units, what was taken for them)."""


def order_row(
    request: Mapping[str, Any],
    order_id: UUID,
    digest: str,
    priced: Priced,
    placed_at: datetime,
    zone: str,
    amounts: list[int],
) -> dict[str, Any]:
    """The order; its number comes later. `zone`: the buyer's; `amounts`: of its tenders, minor units."""
    ship_to = request["ship_to"]
    place = locate(ship_to.get("postal_code"), ship_to["country"], ship_to.get("region"))
    paid = sum(a for one, a in zip(request["tenders"], amounts, strict=True) if one["kind"] in PAY_NOW)
    return {
        "id": order_id,
        "number": 0,
        "status": "placed",
        "channel": request["channel"],
        "external_ref": request["external_ref"],
        "body_hash": digest,
        "source_code": request.get("source_code"),
        "currency": priced.currency,
        "customer": request["customer"],
        "ship_to": ship_to,
        "bill_to": request.get("bill_to"),
        "ship_lat": place.lat if place else None,
        "ship_lon": place.lon if place else None,
        "buyer_zone": zone,
        "placed_at": placed_at,
        "reference_date": request.get("reference_date"),
        "items_total": priced.sum("items"),
        "discounts_total": priced.sum("discount"),
        "charges_total": priced.sum("charges"),
        "tax_total": priced.sum("tax"),
        "total": priced.sum("total"),
        "authorized_total": 0,
        "captured_total": paid,
        "refunded_total": 0,
        "tax_status": priced.tax_status,
        "charges": priced.charges,
        "discounts": priced.discounts,
        "policy": request.get("policy") or {},
    }


def basket_line(line: Line) -> BasketLine:
    """A line as routing sees it."""
    sku = line.priced.sku
    return BasketLine(
        sku=sku.code,
        kind=sku.kind,
        quantity=line.priced.quantity,
        weight_g=sku.weight_g,
        volume_cm3=volume_cm3(sku.attributes),
        value=line.priced.items - line.priced.discount,
        tax_code=sku.tax_code,
        attributes=sku.attributes,
    )


def line_row(order_id: UUID, at: int, line: Line, parts: list[tuple[str, int]]) -> dict[str, Any]:
    """One line. `parts`: (SKU id, units per unit), of which a kit is made."""
    sku, priced = line.priced.sku, line.priced
    return {
        "id": line.id,
        "order_id": order_id,
        "position": at,
        "sku_id": sku.id,
        "sku": sku.code,
        "title": sku.title,
        "kind": sku.kind,
        "weight_g": sku.weight_g,
        "ordered": priced.quantity,
        "cancelled": 0,
        "backordered": priced.quantity - line.allocated,
        "allocated": line.allocated,
        "shipped": 0,
        "delivered": 0,
        "returned": 0,
        "refunded": 0,
        "unit_price": priced.unit_price,
        "list_price": None if priced.unit_price == sku.price else sku.price,
        "items": priced.items,
        "discount": priced.discount,
        "charges": priced.charges,
        "tax": priced.tax,
        "total": priced.total,
        "tax_code": sku.tax_code,
        "covered": line.terms.covered,
        "components": [{"sku_id": part, "quantity": each} for part, each in parts if sku.kind == "kit"],
        "options": line.request.get("options") or {},
        "ship_to": line.request.get("ship_to"),
    }


def promise_row(
    order_id: UUID, line: Line, placed_at: datetime, laws: Laws, basis: Mapping[str, Any]
) -> dict[str, Any]:
    """The clocks a line is under, with what the buyer was shown, and on which basis, as evidence."""
    shown, terms = line.shown, line.terms
    return {
        "id": new_id(),
        "order_id": order_id,
        "order_line_id": line.id,
        "stated": line.clock.basis == "stated" if terms.covered else bool(shown and set(shown) & STATED),
        "basis": line.clock.basis if terms.covered else "delivery" if terms.delivery else "not covered",
        "regimes": list(terms.regimes),
        "evidence": {
            "shown": shown,
            "allocated": line.allocated,
            "backordered": line.priced.quantity - line.allocated,
            "rules": line.clock.settings.version,
            "laws": laws.version,
            **_readings(line.clock.settings),
            **_delivery_facts(terms),
            "conflicting": line.clock.conflicting,
            "expected_ship_at": line.expected,
            "free": line.free,
            **({"quote": line.told.kept()} if line.told else {}),
            **basis,
        },
        "made_at": placed_at,
        "deadline": line.clock.deadline_at,
        "original_date": line.clock.ship_by,
        "expected_ship_at": line.expected if line.allocated == line.priced.quantity else None,
        "state": "open" if terms.covered else "delivery" if terms.delivery else "not_covered",
        "due_at": _first_look(line, placed_at),
        "deliver_by": terms.delivery and terms.delivery.deliver_by,
        "delivery_deadline": terms.delivery and terms.delivery.deadline_at,
        "delivery_state": terms.delivery and "due",
        "delivery_due_at": terms.delivery and _first_delivery_look(line, terms.delivery, placed_at),
    }


def load_of(work: Mapping[str, Any], loads: Loads, capacities: Mapping[str, int | None]) -> dict[str, Any]:
    """A fulfillment order's node and day, with the day's packages where the node has a limit."""
    node, day = str(work["node_id"]), work["leaves_on"]
    shown = {"node": work["node"], "leaves_on": day}
    if day is None:
        return shown
    packages = int(loads.of([node], np.array([day.toordinal()]))[0])
    return shown | {"packages": packages, "capacity": capacities.get(node)}


STATED = {"ship_by", "within", "deliver_by"}


def _delivery_facts(terms: Terms) -> dict[str, Any]:
    """What a law of delivery started from, and the days under way where a clock was reckoned with them."""
    if terms.delivery is None:
        return {} if terms.transit_days is None else {"transit_days": terms.transit_days}
    first = {
        "deliver_by": terms.delivery.deliver_by,
        "deadline": terms.delivery.deadline_at,
        "essential": terms.delivery.essential,
    }
    return {"transit_days": terms.transit_days, "delivery": first}


def _first_delivery_look(line: Line, to: Delivery, placed_at: datetime) -> datetime:
    """When the watch looks at a delivery first: to alarm where no other clock does, else at its deadline."""
    if line.terms.covered:
        return to.deadline_at
    decide = decide_at(line.clock.deadline_at, line.clock.settings.decide_days)
    return decide if placed_at < decide < to.deadline_at else to.deadline_at


def _readings(settings: Settings) -> dict[str, Any]:
    """Where the clock follows other readings of the rule than the usual ones: which."""
    if settings == DEFAULT:
        return {}
    chosen = asdict(settings)
    return {"readings": {name: chosen[name] for name in chosen if chosen[name] != getattr(DEFAULT, name)}}


def _first_look(line: Line, placed_at: datetime) -> datetime | None:
    """When the watch looks at the line first: at once where it is known already that it cannot ship in time."""
    if not line.terms.covered:
        return None
    if line.expected is not None and line.expected >= line.clock.deadline_at:
        return placed_at
    return first_look(line.clock.deadline_at, placed_at, line.clock.settings.decide_days)


def work_row(
    order_id: UUID, line: Line, configured: Configuration, node: int, now: datetime, service: str
) -> dict[str, Any]:
    """The fulfillment order of a node, as its first line opens it; its number comes later."""
    return {
        "id": new_id(),
        "order_id": order_id,
        "node_id": configured.node_ids[node],
        "node": configured.network.codes[node],
        "number": "",
        "work_status": "open",
        "request_status": "held",
        "service": service or "standard",
        "ship_to": line.request.get("ship_to"),
        "promised_by": line.clock.deadline_at,
        "created_at": now,
        "leaves_on": None,
        "lines": [],
        "shipments": [],
    }


def work_line_row(work: Mapping[str, Any], line: Line, units: int) -> dict[str, Any]:
    """A line's units in a fulfillment order."""
    return {
        "id": new_id(),
        "order_id": work["order_id"],
        "fulfillment_order_id": work["id"],
        "order_line_id": line.id,
        "sku_id": line.priced.sku.id,
        "sku": line.priced.sku.code,
        "quantity": units,
        "picked": 0,
        "packed": 0,
        "shipped": 0,
        "released": 0,
    }


def held_rows(
    work: Mapping[str, Any], line: Line, units: int, taken: list[Taken], now: datetime
) -> Iterator[dict[str, Any]]:
    """The reservations of units placed at a node: of what was taken off the shelf, or of what will be made."""
    supply = MADE.get(line.priced.sku.kind)
    node_id = work["node_id"]
    if supply:
        yield _reservation(work["order_id"], line, line.priced.sku.id, units, supply, now, node_id)
        return
    for position, part, quantity in taken:
        yield _reservation(work["order_id"], line, part, quantity, "on_hand", now, node_id, position)


def waiting_row(order_id: UUID, line: Line, placed_at: datetime) -> dict[str, Any]:
    """The reservation of units that wait for stock."""
    units = line.priced.quantity - line.allocated
    return _reservation(order_id, line, line.priced.sku.id, units, "none", placed_at)


def _reservation(
    order_id: UUID,
    line: Line,
    sku_id: str,
    quantity: int,
    supply: str,
    at: datetime,
    node_id: UUID | None = None,
    position_id: str | None = None,
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "order_id": order_id,
        "order_line_id": line.id,
        "sku_id": sku_id,
        "node_id": node_id,
        "position_id": position_id,
        "supply": supply,
        "quantity": quantity,
        "ship_by": line.clock.deadline_at,
        "made_at": at,
    }


def decision_row(
    order_id: UUID,
    decision: Decision,
    inputs: str,
    configured: Configuration,
    rule_version: int,
    now: datetime,
) -> dict[str, Any]:
    """How one destination was routed, why, and from what (see `recording.inputs`)."""
    codes = configured.network.codes
    return {
        "id": new_id(),
        "order_id": order_id,
        "made_at": now,
        "rule_version": rule_version,
        "plan": [
            {"node": codes[node], "line": line, "quantity": units}
            for line, node, units in decision.placements
        ],
        "explanation": decision.explanation,
        "sentence": decision.sentence,
        "input_hash": decision.input_hash,
        "inputs": inputs,
        "packages": decision.packages,
        "miles": decision.miles,
    }


def tender_row(
    order_id: UUID, at: int, given: Mapping[str, Any], amount: int, currency: str, now: datetime
) -> dict[str, Any]:
    """One tender, for `amount` minor units."""
    return {
        "id": new_id(),
        "order_id": order_id,
        "position": at,
        "kind": given["kind"],
        "amount": amount,
        "currency": currency,
        "payment_method": given.get("payment_method"),
        "code": given.get("code"),
        "reference": given.get("reference"),
        "mandate_at": now if given["kind"] == "card" else None,
    }


def paid_row(tender: Mapping[str, Any], now: datetime, real: datetime) -> dict[str, Any]:
    """The ledger's entry of a tender that is in hand already. `now` is business time, `real` the wall clock's."""
    return {
        "id": new_id(),
        "order_id": tender["order_id"],
        "tender_id": tender["id"],
        "amount": tender["amount"],
        "key": f"paid:{tender['id']}",
        "reference": tender["reference"],
        "at": now,
        "settled_at": real,
    }


def told_row(order: Mapping[str, Any], actor: str, now: datetime) -> dict[str, Any]:
    """The timeline's first entry."""
    return {
        "id": new_id(),
        "order_id": order["id"],
        "name": ORDER_PLACED,
        "at": now,
        "actor": actor,
        "data": {"channel": order["channel"], "total": order["total"], "currency": order["currency"]},
    }
