"""Drafting orders in memory: every row an order will be, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from app.intake.rules import Priced, PricedLine, SkuFacts, price, tender_amounts
from app.inventory.rules import MADE, PLENTY
from app.inventory.shelf import Shelf
from app.network.places import destination_zones, locate
from app.network.rules import ships_on
from app.orders.shapes import order_document, order_number
from app.payments.rules import PAY_NOW
from app.promises.rules import Clock, PromiseInput, Unit, clock, coverage
from app.routing.configuration import Configuration
from app.routing.rules import Basket, BasketLine, Decision, Destination, decide
from infra.clock import real_now
from infra.errors import invalid, refused
from infra.ids import new_id
from tenants.scope import Scope

TABLES = (
    "customers",
    "orders",
    "lines",
    "promises",
    "reservations",
    "decisions",
    "fulfillment_orders",
    "fulfillment_order_lines",
    "tenders",
    "ledger",
    "timeline",
    "outbox",
)


@dataclass
class Draft:
    """One order to be: its row, its fulfillment orders' rows, and how it will be shown."""

    order: dict[str, Any]
    work: list[dict[str, Any]]
    document: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Line:
    """A line while it is drafted."""

    id: UUID
    priced: PricedLine
    request: Mapping[str, Any]
    clock: Clock
    covered: bool
    allocated: int = 0
    expected: datetime | None = None


class Composer:
    """Drafts orders one after the other against one shelf, and collects their rows by table."""

    def __init__(
        self,
        scope: Scope,
        configured: Configuration,
        shelf: Shelf,
        skus: Mapping[str, SkuFacts],
        channels: Mapping[str, str],
    ) -> None:
        self.scope, self.configured, self.shelf = scope, configured, shelf
        self.skus, self.channels = skus, channels
        self.now = scope.now()
        self.real = real_now()
        self.rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
        self.drafts: list[Draft] = []
        self._customers: dict[str, UUID] = {}

    def draft(self, request: Mapping[str, Any], digest: str) -> Draft:
        """Draft one order. Raises Problem 422 (shape against facts) or 409 (fill or kill)."""
        kind = self.channels.get(request["channel"])
        if kind is None:
            raise invalid(
                "/channel", f"There is no channel {request['channel']}. See Settings for the codes."
            )
        currency = request.get("currency") or self.scope.tenant.currency
        ship_to = request["ship_to"]
        if not (ship_to.get("postal_code") or ship_to.get("region")):
            raise invalid("/ship_to/postal_code", "Say where it goes: a postal code, or at least a region.")
        priced = price(request, self.skus, currency)
        total = priced.sum("total")
        amounts = tender_amounts(request["tenders"], total, currency)
        placed_at = request.get("placed_at") or self.now
        order_id = new_id()
        zones = destination_zones(ship_to["country"], ship_to.get("region"), ship_to.get("postal_code"))
        lines = [
            self._line(request, at, line, placed_at, zones, in_person=kind == "store")
            for at, line in enumerate(priced.lines)
        ]
        placements, decisions = self._route(request, lines)
        if (request.get("policy") or {}).get("fill_or_kill") and any(
            line.allocated < line.priced.quantity for line in lines
        ):
            self._put_back(placements)
            raise refused("cannot-fill", "Not every unit is available now, and the order is fill-or-kill.")
        order = self._order_row(request, order_id, digest, priced, placed_at, zones, amounts)
        self._customer(request["customer"])
        self.rows["orders"].append(order)
        line_rows = [self._line_row(order_id, at, line) for at, line in enumerate(lines)]
        promises = [self._promise_row(order_id, line, request, placed_at) for line in lines]
        work = self._work(order_id, lines, placements)
        self._backorders(order_id, lines, placed_at)
        self._decisions(order_id, decisions)
        self._tenders(order_id, request, amounts, currency)
        self._news(order_id, order)
        draft = Draft(order, work)
        draft.document = order_document(order, lines=line_rows, promises=promises, work=work)
        self.drafts.append(draft)
        return draft

    def number(self, numbers: list[int]) -> None:
        """Give every drafted order its number, and its fulfillment orders theirs."""
        for draft, number in zip(self.drafts, numbers, strict=True):
            draft.order["number"] = number
            draft.document["number"] = order_number(number)
            for at, work in enumerate(draft.work, 1):
                work["number"] = f"{order_number(number)}-{at}"
                draft.document["fulfillment_orders"][at - 1]["number"] = work["number"]

    # ---- promise

    def _line(
        self,
        request: Mapping[str, Any],
        at: int,
        priced: PricedLine,
        placed_at: datetime,
        zones: tuple[str, ...],
        *,
        in_person: bool,
    ) -> _Line:
        given = request["lines"][at]
        promise = given.get("promise") or request.get("promise")
        sku = priced.sku
        covered = coverage(
            ordered_in_person=in_person,
            exemption=sku.exemption or ("seeds_and_plants" if sku.exempt else None),
        ).covered
        return _Line(
            id=new_id(),
            priced=priced,
            request=given,
            clock=clock(placed_at, zones, self.scope.tenant.timezone, _promise_input(promise)),
            covered=covered,
        )

    # ---- routing and reservation

    def _route(
        self, request: Mapping[str, Any], lines: list[_Line]
    ) -> tuple[list[tuple[_Line, int, int, list[tuple[str, str, int]]]], list[Decision]]:
        """Place the lines: [(line, node, units, [(position, SKU id, units)])], one decision per destination."""
        by_destination: dict[int, list[_Line]] = {}
        destinations: list[Mapping[str, Any]] = []
        for line in lines:
            goes_to = line.request.get("ship_to") or request["ship_to"]
            if goes_to not in destinations:
                destinations.append(goes_to)
            by_destination.setdefault(destinations.index(goes_to), []).append(line)
        placements, decisions = [], []
        for at, group in by_destination.items():
            decision = self._decide(request, group, destinations[at])
            decisions.append(decision)
            for line_at, node, units in decision.placements:
                taken = self._take(group[line_at], node, units, request["channel"])
                units = taken[0]
                if units:
                    group[line_at].allocated += units
                    group[line_at].expected = ships_on(self.now, self.configured.calendars[node])
                    placements.append((group[line_at], node, units, taken[1]))
        return placements, decisions

    def _decide(self, request: Mapping[str, Any], lines: list[_Line], goes_to: Mapping[str, Any]) -> Decision:
        network = self.configured.network
        available = np.zeros((len(lines), len(network)), dtype=np.int64)
        for at, line in enumerate(lines):
            self._available(available[at], line.priced.sku, request["channel"])
        place = locate(goes_to.get("postal_code"), goes_to["country"], goes_to.get("region"))
        basket = Basket(
            lines=[
                BasketLine(
                    line.priced.sku.code, line.priced.sku.kind, line.priced.quantity, line.priced.sku.weight_g
                )
                for line in lines
            ],
            destination=Destination(
                place.lat if place else None,
                place.lon if place else None,
                goes_to.get("region") or "",
                goes_to.get("postal_code") or "",
                goes_to["country"],
            ),
            available=available,
            channel=request["channel"],
            ship_complete=bool((request.get("policy") or {}).get("ship_complete")),
        )
        return decide(network, basket, self.configured.rule)

    def _available(self, row: np.ndarray, sku: SkuFacts, channel: str) -> None:
        network = self.configured.network
        if sku.kind in MADE:
            row[:] = PLENTY
            return
        offers = [(self.shelf.offered(part, channel), each) for part, each in self._parts(sku)]
        for node in offers[0][0]:
            at = network.index.get(node)
            if at is not None:
                row[at] = min(offered.get(node, 0) // each for offered, each in offers)

    def _parts(self, sku: SkuFacts) -> list[tuple[str, int]]:
        """(SKU id, units per unit): itself, or a kit's components."""
        if sku.kind != "kit" or not sku.components:
            return [(sku.id, 1)]
        return [(self.shelf.ids.get(part["sku"], ""), part["quantity"]) for part in sku.components]

    def _take(
        self, line: _Line, node: int, units: int, channel: str
    ) -> tuple[int, list[tuple[str, str, int]]]:
        sku = line.priced.sku
        if sku.kind in MADE:
            return units, []
        node_id, parts = self.configured.network.ids[node], self._parts(sku)
        units = min(units, *(max(0, self.shelf.free(part, node_id, channel)) // each for part, each in parts))
        return units, [
            (position, part, taken)
            for part, each in parts
            for position, taken in self.shelf.take(part, node_id, channel, units * each)
        ]

    def _put_back(self, placements: list[tuple[_Line, int, int, list[tuple[str, str, int]]]]) -> None:
        for _, node, _, taken in placements:
            for position, part, units in taken:
                self.shelf.put_back(part, self.configured.network.ids[node], position, units)

    # ---- rows

    def _order_row(
        self,
        request: Mapping[str, Any],
        order_id: UUID,
        digest: str,
        priced: Priced,
        placed_at: datetime,
        zones: tuple[str, ...],
        amounts: list[int],
    ) -> dict[str, Any]:
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
            "buyer_zone": zones[0] if zones else self.scope.tenant.timezone,
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

    def _customer(self, customer: Mapping[str, Any]) -> None:
        email = customer["email"].lower()
        if email not in self._customers:
            self._customers[email] = new_id()
            self.rows["customers"].append({"id": self._customers[email], "created_at": self.now, **customer})

    def _line_row(self, order_id: UUID, at: int, line: _Line) -> dict[str, Any]:
        sku, priced = line.priced.sku, line.priced
        row = {
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
            "covered": line.covered,
            "components": [
                {"sku_id": part, "quantity": each} for part, each in self._parts(sku) if sku.kind == "kit"
            ],
            "options": line.request.get("options") or {},
            "ship_to": line.request.get("ship_to"),
        }
        self.rows["lines"].append(row)
        return row

    def _promise_row(
        self, order_id: UUID, line: _Line, request: Mapping[str, Any], placed_at: datetime
    ) -> dict[str, Any]:
        shown = line.request.get("promise") or request.get("promise")
        row = {
            "id": new_id(),
            "order_id": order_id,
            "order_line_id": line.id,
            "stated": line.clock.basis == "stated",
            "basis": line.clock.basis if line.covered else "not covered",
            "evidence": {
                "shown": shown,
                "allocated": line.allocated,
                "backordered": line.priced.quantity - line.allocated,
                "rules": line.clock.settings.version,
                "conflicting": line.clock.conflicting,
            },
            "made_at": placed_at,
            "deadline": line.clock.deadline_at,
            "original_date": line.clock.ship_by,
            "expected_ship_at": line.expected if line.allocated == line.priced.quantity else None,
            "state": "open" if line.covered else "not_covered",
        }
        self.rows["promises"].append(row)
        return row

    def _work(
        self,
        order_id: UUID,
        lines: list[_Line],
        placements: list[tuple[_Line, int, int, list[tuple[str, str, int]]]],
    ) -> list[dict[str, Any]]:
        work: dict[tuple[int, str], dict[str, Any]] = {}
        for line, node, units, taken in placements:
            goes_to = line.request.get("ship_to")
            key = (node, repr(goes_to))
            if key not in work:
                work[key] = {
                    "id": new_id(),
                    "order_id": order_id,
                    "node_id": self.configured.node_ids[node],
                    "node": self.configured.network.codes[node],
                    "number": "",
                    "work_status": "open",
                    "request_status": "held",
                    "service": "standard",
                    "ship_to": goes_to,
                    "promised_by": line.clock.deadline_at,
                    "created_at": self.now,
                    "lines": [],
                    "shipments": [],
                }
            one = work[key]
            one["promised_by"] = min(one["promised_by"], line.clock.deadline_at)
            self._work_line(one, line, units)
            self._reservations(order_id, one, line, units, taken)
        self.rows["fulfillment_orders"].extend(work.values())
        return list(work.values())

    def _work_line(self, work: dict[str, Any], line: _Line, units: int) -> None:
        row = {
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
        self.rows["fulfillment_order_lines"].append(row)
        work["lines"].append(row)

    def _reservations(
        self,
        order_id: UUID,
        work: dict[str, Any],
        line: _Line,
        units: int,
        taken: list[tuple[str, str, int]],
    ) -> None:
        supply = MADE.get(line.priced.sku.kind)
        held: list[tuple[str | None, str, int]] = (
            [(None, line.priced.sku.id, units)] if supply else [(p, part, n) for p, part, n in taken]
        )
        for position, part, quantity in held:
            self.rows["reservations"].append(
                {
                    "id": new_id(),
                    "order_id": order_id,
                    "order_line_id": line.id,
                    "sku_id": part,
                    "node_id": work["node_id"],
                    "position_id": position,
                    "supply": supply or "on_hand",
                    "quantity": quantity,
                    "ship_by": line.clock.deadline_at,
                    "made_at": self.now,
                }
            )

    def _backorders(self, order_id: UUID, lines: list[_Line], placed_at: datetime) -> None:
        for line in lines:
            if line.allocated < line.priced.quantity:
                self.rows["reservations"].append(
                    {
                        "id": new_id(),
                        "order_id": order_id,
                        "order_line_id": line.id,
                        "sku_id": line.priced.sku.id,
                        "node_id": None,
                        "position_id": None,
                        "supply": "none",
                        "quantity": line.priced.quantity - line.allocated,
                        "ship_by": line.clock.deadline_at,
                        "made_at": placed_at,
                    }
                )

    def _decisions(self, order_id: UUID, decisions: list[Decision]) -> None:
        network = self.configured.network
        for decision in decisions:
            self.rows["decisions"].append(
                {
                    "id": new_id(),
                    "order_id": order_id,
                    "made_at": self.now,
                    "rule_version": self.configured.rule_version,
                    "plan": [
                        {"node": network.codes[node], "line": line, "quantity": units}
                        for line, node, units in decision.placements
                    ],
                    "explanation": decision.explanation,
                    "sentence": decision.sentence,
                    "input_hash": decision.input_hash,
                    "packages": decision.packages,
                    "miles": decision.miles,
                }
            )

    def _tenders(self, order_id: UUID, request: Mapping[str, Any], amounts: list[int], currency: str) -> None:
        for at, (given, amount) in enumerate(zip(request["tenders"], amounts, strict=True)):
            tender_id = new_id()
            self.rows["tenders"].append(
                {
                    "id": tender_id,
                    "order_id": order_id,
                    "position": at,
                    "kind": given["kind"],
                    "amount": amount,
                    "currency": currency,
                    "payment_method": given.get("payment_method"),
                    "code": given.get("code"),
                    "reference": given.get("reference"),
                    "mandate_at": self.now if given["kind"] == "card" else None,
                }
            )
            if given["kind"] in PAY_NOW and amount:
                self.rows["ledger"].append(
                    {
                        "id": new_id(),
                        "order_id": order_id,
                        "tender_id": tender_id,
                        "amount": amount,
                        "key": f"paid:{tender_id}",
                        "reference": given.get("reference"),
                        "at": self.now,
                        "settled_at": self.real,
                    }
                )

    def _news(self, order_id: UUID, order: Mapping[str, Any]) -> None:
        self.rows["timeline"].append(
            {
                "id": new_id(),
                "order_id": order_id,
                "name": "order.placed",
                "at": self.now,
                "actor": str(self.scope.actor),
                "data": {"channel": order["channel"], "total": order["total"], "currency": order["currency"]},
            }
        )
        self.rows["outbox"].append(
            {"id": new_id(), "order_id": order_id, "topic": "order.placed", "at": self.real}
        )


def _promise_input(given: Mapping[str, Any] | None) -> PromiseInput | None:
    if not given:
        return None
    within = given.get("within")
    return PromiseInput(
        ship_by=given.get("ship_by"),
        within=within["value"] if within else None,
        unit=Unit(within["unit"]) if within else Unit.DAYS,
        deliver_by=given.get("deliver_by"),
        transit_days=5 if given.get("deliver_by") else 0,
    )
