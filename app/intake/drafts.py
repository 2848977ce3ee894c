"""Drafting orders in memory: every row an order will be, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from app.catalog.rules import there_from
from app.events import ORDER_PLACED
from app.intake import rows
from app.intake.promising import Promiser
from app.intake.quoted import Named
from app.intake.rows import Line, Placement, Taken
from app.intake.rules import SkuFacts, cannot_fill, price, tender_amounts
from app.intake.terms import Sale, zones_of
from app.inventory.rules import MADE, PLENTY
from app.inventory.shelf import Shelf
from app.network.loads import Loads
from app.orders.shapes import order_document, order_number
from app.payments.rules import PAY_NOW
from app.promises.on_time import seller_record
from app.promises.policy import in_force
from app.routing import recording
from app.routing.baskets import Asked, basket, destination, resting_pairs
from app.routing.configuration import Configuration
from app.routing.rules import Decision, decide
from infra.clock import real_now
from infra.errors import invalid
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
    "loads",
    "exceptions",
    "tenders",
    "ledger",
    "timeline",
    "outbox",
)


@dataclass(frozen=True)
class Facts:
    """What drafting some requests needs of the database, as far as the requests name it."""

    skus: Mapping[str, SkuFacts]
    shelf: Shelf
    channels: Mapping[str, str]
    orders: Mapping[tuple[str, str], tuple[UUID, str]] = field(default_factory=dict)
    """Those already there: (id, body hash) by (channel, external_ref)."""
    loads: Loads = field(default_factory=Loads)
    resting: Sequence[tuple[str, str | None]] = ()
    """(node id, SKU id or None = everything) that get no work for the moment."""


@dataclass
class Draft:
    """One order to be: its row, its fulfillment orders' rows, and how it will be shown."""

    order: dict[str, Any]
    work: list[dict[str, Any]]
    document: dict[str, Any] = field(default_factory=dict)


class Composer:
    """Drafts orders one after the other against one shelf, and collects their rows by table."""

    def __init__(
        self,
        scope: Scope,
        configured: Configuration,
        facts: Facts,
    ) -> None:
        self.scope, self.configured, self.shelf = scope, configured, facts.shelf
        self.skus, self.channels = facts.skus, facts.channels
        self.loads, self.resting = facts.loads, facts.resting
        readings, self.laws = in_force(scope)
        self.promiser = Promiser(configured, readings, self.laws)
        self.on_time = seller_record(scope)
        self.now = scope.now()
        self.real = real_now()
        self.rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
        self.drafts: list[Draft] = []
        self._customers: dict[str, UUID] = {}

    def draft(self, request: Mapping[str, Any], digest: str, quote: Named | None = None) -> Draft:
        """Draft one order; `quote`: the one it names. Raises Problem 422 (shape against facts) or 409 (fill or kill,
        a promise of the quote that has passed)."""
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
        zones = zones_of(ship_to)
        sale = self._sale(request, placed_at, in_person=kind == "store")
        lines = [
            self.promiser.line(request, at, line, sale, zones, quote) for at, line in enumerate(priced.lines)
        ]
        placements, decisions = self._route(request, lines)
        kill = (request.get("policy") or {}).get("fill_or_kill") or any(made.kill for made, _ in decisions)
        units = [(line.allocated, line.priced.quantity) for line in lines] if kill else []
        if any(now < ordered for now, ordered in units):
            self._put_back(placements)
            raise cannot_fill(units)
        zone = zones[0] if zones else self.scope.tenant.timezone
        order = rows.order_row(request, order_id, digest, priced, placed_at, zone, amounts)
        self._customer(request["customer"])
        self.rows["orders"].append(order)
        line_rows = [
            rows.line_row(order_id, at, line, self._parts(line.priced.sku)) for at, line in enumerate(lines)
        ]
        self.rows["lines"].extend(line_rows)
        work = self._work(order_id, placements, _service(request))
        basis = {"seller": self.on_time}
        promises = [
            rows.promise_row(order_id, line, placed_at, self.laws, basis | {"work": self._given(line, work)})
            for line in lines
        ]
        self.rows["promises"].extend(promises)
        self._backorders(order_id, lines, placed_at)
        version, _ = self.configured.ruled(request["channel"])
        self.rows["decisions"].extend(
            rows.decision_row(order_id, decision, given, self.configured, version, self.now)
            for decision, given in decisions
        )
        self._nowhere(order_id, [decision for decision, _ in decisions])
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

    def written(self, quotes: Sequence[Mapping[str, Any]] = ()) -> str:
        """Everything drafted, as the document that the one statement of intake writes. `quotes`: what ends with it."""
        needs = [{"position_id": one, "units": units} for one, units in self.shelf.needed().items()]
        return orjson.dumps(self.rows | {"needs": needs, "quotes": quotes}).decode()

    # ---- promise

    def _sale(self, request: Mapping[str, Any], placed_at: datetime, *, in_person: bool) -> Sale:
        return Sale(
            channel=request["channel"],
            placed_at=placed_at,
            seller_zone=self.scope.tenant.timezone,
            business=bool(request["customer"].get("business")),
            in_person=in_person,
            charged=any(one["kind"] in PAY_NOW for one in request["tenders"]),
        )

    # ---- routing and reservation

    def _route(
        self, request: Mapping[str, Any], lines: list[Line]
    ) -> tuple[list[Placement], list[tuple[Decision, str]]]:
        """Place the lines: [(line, node, units, [(position, SKU id, units)])], one decision per destination."""
        by_destination: dict[int, list[Line]] = {}
        destinations: list[Mapping[str, Any]] = []
        for line in lines:
            goes_to = line.request.get("ship_to") or request["ship_to"]
            if goes_to not in destinations:
                destinations.append(goes_to)
            by_destination.setdefault(destinations.index(goes_to), []).append(line)
        placements, decisions = [], []
        for at, group in by_destination.items():
            decision, given = self._decide(request, group, destinations[at])
            decisions.append((decision, given))
            for line_at, node, units in decision.placements:
                taken = self._take(group[line_at], node, units, request["channel"])
                units = taken[0]
                if units:
                    line = group[line_at]
                    leaves = self._leaves(line, node, _service(request))
                    line.allocated += units
                    line.expected = max(line.expected or leaves, leaves)
                    placements.append((line, node, units, taken[1]))
        return placements, decisions

    def _leaves(self, line: Line, node: int, service: str) -> datetime:
        """When a package of a line given to the node now should leave it."""
        network, sku = self.configured.network, line.priced.sku
        released = date.fromisoformat(sku.release_date) if sku.release_date else None
        there = there_from(self.now, sku.kind, sku.lead_time_days, released, self.scope.tenant.timezone)
        ahead = int(self.loads.ahead([network.ids[node]])[0])
        return network.departures.leaves(node, there, service, ahead)

    def _decide(
        self, request: Mapping[str, Any], lines: list[Line], goes_to: Mapping[str, Any]
    ) -> tuple[Decision, str]:
        """The decision for one destination, and everything it was made from."""
        configured, channel = self.configured, request["channel"]
        available = np.zeros((len(lines), len(configured.network)), dtype=np.int64)
        for at, line in enumerate(lines):
            self._available(available[at], line.priced.sku, channel)
            line.free = None if line.priced.sku.kind in MADE else int(available[at].sum())
        given = basket(
            configured,
            self._asked(request, lines),
            [rows.basket_line(line) for line in lines],
            destination(goes_to),
            available,
            self.loads,
        )
        _, rule = configured.ruled(channel)
        excluded = resting_pairs(configured.network, self.resting, [line.priced.sku.id for line in lines])
        decision = decide(configured.network, given, rule, excluded=excluded, prices=configured.prices)
        return decision, recording.inputs(configured, given, excluded)

    def _asked(self, request: Mapping[str, Any], lines: list[Line]) -> Asked:
        policy = request.get("policy") or {}
        return Asked(
            channel=request["channel"],
            now=self.now,
            timezone=self.scope.tenant.timezone,
            currency=self.scope.tenant.currency,
            ship_complete=bool(policy.get("ship_complete")),
            service=_service(request),
            source_code=request.get("source_code") or "",
            email=request["customer"]["email"],
            is_business=request["customer"].get("business"),
            promised_by=min(line.clock.ship_by for line in lines),
        )

    def _available(self, row: np.ndarray, sku: SkuFacts, channel: str) -> None:
        network = self.configured.network
        if sku.kind in MADE:
            row[:] = PLENTY
            return
        (first, each), *others = self._parts(sku)
        units = {node: free // each for node, free in self.shelf.offered(first, channel).items()}
        for part, each in others:
            offered = self.shelf.offered(part, channel)
            units = {node: min(count, offered.get(node, 0) // each) for node, count in units.items()}
        for node, count in units.items():
            at = network.index.get(node)
            if at is not None:
                row[at] = count

    def _parts(self, sku: SkuFacts) -> list[tuple[str, int]]:
        """(SKU id, units per unit): itself, or a kit's components."""
        if sku.kind != "kit" or not sku.components:
            return [(sku.id, 1)]
        return [(self.shelf.ids.get(part["sku"], ""), part["quantity"]) for part in sku.components]

    def _take(self, line: Line, node: int, units: int, channel: str) -> tuple[int, list[Taken]]:
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

    def _put_back(self, placements: list[Placement]) -> None:
        for _, node, _, taken in placements:
            for position, part, units in taken:
                self.shelf.put_back(part, self.configured.network.ids[node], position, units)

    # ---- rows

    def _customer(self, customer: Mapping[str, Any]) -> None:
        email = customer["email"].lower()
        if email not in self._customers:
            self._customers[email] = new_id()
            self.rows["customers"].append({"id": self._customers[email], "created_at": self.now, **customer})

    def _work(self, order_id: UUID, placements: list[Placement], service: str) -> list[dict[str, Any]]:
        """One fulfillment order per node and destination, with its lines and what it reserves."""
        work: dict[tuple[int, str], dict[str, Any]] = {}
        for line, node, units, taken in placements:
            key = (node, repr(line.request.get("ship_to")))
            if key not in work:
                work[key] = rows.work_row(order_id, line, self.configured, node, self.now, service)
                self._load(work[key], node, service)
            one = work[key]
            one["promised_by"] = min(one["promised_by"], line.clock.deadline_at)
            row = rows.work_line_row(one, line, units)
            self.rows["fulfillment_order_lines"].append(row)
            one["lines"].append(row)
            self.rows["reservations"].extend(rows.held_rows(one, line, units, taken, self.now))
        self.rows["fulfillment_orders"].extend(work.values())
        return list(work.values())

    def _load(self, work: dict[str, Any], node: int, service: str) -> None:
        """Take a package of the node's day, where its capacity is limited."""
        network = self.configured.network
        limit = self.configured.capacities.get(network.ids[node])
        ahead = self.loads.ahead(network.ids) if network.paced else None
        self.loads.queue(network.ids[node])
        if limit is None:
            return
        day = int(network.departures.at(self.now, service, ahead).days[node])
        self.loads.add(network.ids[node], day)
        work["leaves_on"] = date.fromordinal(day)
        full = self.loads.of([network.ids[node]], np.array([day]))[0] > limit
        self.rows["loads"].append(
            {
                "id": new_id(),
                "order_id": work["order_id"],
                "node_id": work["node_id"],
                "day": work["leaves_on"],
                "capacity": None if full else limit,  # a rule looked past the limit
            }
        )

    def _given(self, line: Line, work: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The work a line was given, with how full its day is."""
        own = [one for one in work if any(part["order_line_id"] == line.id for part in one["lines"])]
        return [rows.load_of(one, self.loads, self.configured.capacities) for one in own]

    def _nowhere(self, order_id: UUID, decisions: list[Decision]) -> None:
        """An order that the rule leaves to a person, or has canceled, as far as nobody can fill it."""
        kinds = {"queue": "nowhere", "cancel": "cancel"}
        for then in dict.fromkeys(decision.then for decision in decisions if decision.then in kinds):
            reason = next(decision.sentence for decision in decisions if decision.then == then)
            self.rows["exceptions"].append(
                {
                    "id": new_id(),
                    "order_id": order_id,
                    "kind": kinds[then],
                    "reason": reason,
                    "opened_at": self.now,
                }
            )

    def _backorders(self, order_id: UUID, lines: list[Line], placed_at: datetime) -> None:
        for line in lines:
            if line.allocated < line.priced.quantity:
                self.rows["reservations"].append(rows.waiting_row(order_id, line, placed_at))

    def _tenders(self, order_id: UUID, request: Mapping[str, Any], amounts: list[int], currency: str) -> None:
        for at, (given, amount) in enumerate(zip(request["tenders"], amounts, strict=True)):
            tender = rows.tender_row(order_id, at, given, amount, currency, self.now)
            self.rows["tenders"].append(tender)
            if given["kind"] in PAY_NOW and amount:
                self.rows["ledger"].append(rows.paid_row(tender, self.now, self.real))

    def _news(self, order_id: UUID, order: Mapping[str, Any]) -> None:
        self.rows["timeline"].append(rows.told_row(order, str(self.scope.actor), self.now))
        self.rows["outbox"].append(
            {"id": new_id(), "order_id": order_id, "topic": ORDER_PLACED, "at": self.real}
        )


def _service(request: Mapping[str, Any]) -> str:
    """The carrier service asked for, or ''."""
    return (request.get("policy") or {}).get("service") or ""
