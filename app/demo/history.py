"""Months of past orders, as if Kept had been in use: bulk rows whose books balance.

Orders are drafted by intake's own Composer (priced, promised, routed and reserved like any other) at the time they
were placed, and written by intake's own statement. What has shipped since is then written set-based, with the same
rows that the verbs of fulfillment write one by one: shipments with their values, stock movements, status history,
timeline. Money of the past is in hand (`external`, `cash`, `check`) or on terms: the processor knows none of it.
Nothing is queued for later: what happened, happened.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import psycopg

from app import events
from app.demo.goods import PREORDERS, SOLD_OUT
from app.demo.happened import Happened, id_at
from app.demo.orders import Buyers, Shelf, daily_orders, moment_of_day, request
from app.demo.places import SITES
from app.demo.statement import CLOSE_STOCK, HAPPENED, MOVEMENTS, POSITIONS, TERMS_TOTALS
from app.intake.drafts import Composer, Facts
from app.intake.rules import SkuFacts
from app.intake.schemas import OrderIn
from app.intake.service import body_hash
from app.intake.statement import NUMBERS, READ, WRITE
from app.inventory.shelf import Shelf as Stock
from app.money import share
from app.orders.shapes import grouped
from app.routing.configuration import Configuration, configuration
from infra import settings
from infra.ids import new_id
from tenants.scope import inside

DAYS = 100
FEW = 40
AT_ONCE = 400
UNITS_SOLD = 7000
"""About as many as all the past orders want: what sells best is stocked deepest."""
STALE_DAYS = 24
"""Since when the sold-out goods are ordered in vain."""
CARRIERS = {"warehouse": ("UPS", "Ground"), "store": ("USPS", "Priority"), "workshop": ("FedEx", "Ground")}
TENDERS = {"store": "cash", "mail": "check", "edi": "terms"}


class History:
    """Writes the past of one tenant, batch by batch, each in a transaction of its own."""

    def __init__(self, tenant_id: UUID, skus: Mapping[str, Mapping[str, Any]], draw: random.Random) -> None:
        self.tenant_id, self.skus, self.draw = tenant_id, skus, draw
        self.consumed: dict[str, list[tuple[datetime, int, str]]] = defaultdict(list)
        """Position -> units that left: (when, how many, shipment line)."""
        self.supply: dict[str, int] = {}

    def write(self) -> int:
        """Write it all. Returns how many orders."""
        with self._open():
            self.now = self.scope.now()
            self.configured: Configuration = configuration(self.scope)
            nodes = self.scope.rows("SELECT id, kind FROM nodes WHERE tenant_id = :tenant")
            self.kinds = {row.id: row.kind for row in nodes}
            self._stock_up()
        with self._open():
            facts, stock = self._facts()
        requests = list(self._requests(Buyers(self.draw)))
        first, rest = requests[:FEW], requests[FEW:]
        self._batch(first, facts, stock)
        _count_rows()
        for at in range(0, len(rest), AT_ONCE):
            self._batch(rest[at : at + AT_ONCE], facts, stock)
        with self._open():
            self._move()
            self.scope.execute(TERMS_TOTALS)
        return len(requests)

    @contextmanager
    def _open(self) -> Iterator[None]:
        with inside(self.tenant_id) as self.scope:
            yield

    # ---- stock

    def _stock_up(self) -> None:
        """Positions with all the units that ever came in; what left is taken off at the end."""
        nodes = {
            row.code: row.id
            for row in self.scope.rows("SELECT id, code FROM nodes WHERE tenant_id = :tenant")
        }
        ids = {
            row.code: row.id for row in self.scope.rows("SELECT id, code FROM skus WHERE tenant_id = :tenant")
        }
        rows, shelf = [], Shelf.of(self.skus)
        sold = dict(zip(shelf.codes, shelf.weights, strict=True))
        for site in SITES:
            for code, sku in self.skus.items():
                if sku["kind"] not in ("stock", "gift_card_physical") or code in SOLD_OUT:
                    continue
                if self.draw.random() < site.depth:
                    share = UNITS_SOLD * sold[code] / sum(shelf.weights) / len(SITES)
                    units = round(share * self.draw.uniform(1.5, 4)) + self.draw.randint(60, 160)
                    units = self.draw.randint(3, 14) if site.kind == "store" else units
                    row = {"id": new_id(), "node_id": nodes[site.code], "sku_id": ids[code], "on_hand": units}
                    rows.append(row)
                    self.supply[str(row["id"])] = units
        self.scope.execute(POSITIONS, doc=_json(rows))

    def _facts(self) -> tuple[dict[str, SkuFacts], Stock]:
        row = (
            self.scope.raw()
            .execute(
                READ,
                {
                    "tenant": self.scope.tenant_id,
                    "skus": sorted(self.skus),
                    "segments": ["shared"],
                    "channels": [],
                    "refs": [],
                    "today": self.now.date(),
                    "now": self.now,
                },
            )
            .fetchone()
        )
        assert row is not None
        skus, parts, stock, *_ = row
        known = [SkuFacts(*values) for values in skus]
        ids = {**(parts or {}), **{sku.code: sku.id for sku in known}}
        return {sku.code: sku for sku in known}, Stock(stock, {}, ids)

    def _move(self) -> None:
        """Receipts that always covered what left, and the shipments: each position's ledger."""
        opened = self.now - timedelta(days=DAYS + 6)
        arrivals = [opened, *(opened + timedelta(days=days, hours=9) for days in (34, 68, 92))]
        rows = []
        for position, units in self.supply.items():
            left = self.consumed.get(position, [])
            spare = units - sum(quantity for _, quantity, _ in left)
            for at, begins in enumerate(arrivals):
                ends = arrivals[at + 1] if at + 1 < len(arrivals) else self.now + timedelta(days=1)
                needed = sum(quantity for when, quantity, _ in left if begins <= when < ends)
                needed += spare - spare // 2 if at == 0 else spare // 2 if at == len(arrivals) - 1 else 0
                if needed:
                    rows.append(_movement(position, needed, "receipt", f"Delivery {at + 1}", begins))
            rows += [_movement(position, -units, "shipment", line, when) for when, units, line in left]
        for row in rows:
            row["id"] = id_at(row["at"])
        self.scope.execute(MOVEMENTS, doc=_json(rows))
        gone = [
            {"id": one, "units": sum(units for _, units, _ in left)} for one, left in self.consumed.items()
        ]
        self.scope.execute(CLOSE_STOCK, doc=_json(gone))

    # ---- orders

    def _requests(self, buyers: Buyers) -> Iterator[dict[str, Any]]:
        """Loaded requests with their times, the oldest first."""
        late = {code for code, *_ in PREORDERS} | set(SOLD_OUT)
        usual = Shelf.of({code: sku for code, sku in self.skus.items() if code not in late})
        full, schema, number = Shelf.of(self.skus), OrderIn(), 40_000
        for days in range(DAYS, -1, -1):
            midnight = (self.now - timedelta(days=days)).replace(hour=5, minute=0, second=0, microsecond=0)
            hours = sorted(moment_of_day(self.draw) for _ in range(daily_orders(midnight)))
            for hour in hours:
                placed_at = midnight + timedelta(hours=hour)
                if placed_at > self.now - timedelta(minutes=20):
                    continue
                number += 1
                shelf = full if days < STALE_DAYS and self.draw.random() < 0.5 else usual
                body = request(self.draw, shelf, buyers, f"AF-{number}")
                kind = TENDERS.get(body["channel"], "external")
                body["tenders"] = [{"kind": kind, "reference": f"{kind}-{number}"}]
                self._promise(body)
                loaded: dict[str, Any] = schema.load(body)
                loaded["placed_at"] = placed_at
                yield loaded

    def _promise(self, body: dict[str, Any]) -> None:
        """The shop showed when a pre-ordered thing is released, and promised nothing for what it lacked."""
        for line in body["lines"]:
            if released := self.skus[line["sku"]].get("release_date"):
                day = datetime.fromisoformat(released) + timedelta(days=5)
                line["promise"] = {"ship_by": day.date().isoformat(), "text": f"Ships after {released}"}
        if any(line["sku"] in SOLD_OUT for line in body["lines"]):
            body.pop("promise", None)

    def _batch(self, requests: list[dict[str, Any]], facts: dict[str, SkuFacts], stock: Stock) -> None:
        """Place, then what followed: apart, because rows that are changed in the transaction that made them have
        all their keys checked again."""
        with self._open():
            composer = self._drafted(requests, facts, stock)
            happened = self._what_happened(composer)
            self.scope.raw().execute(WRITE, {"tenant": self.tenant_id, "doc": composer.written()})
        with self._open():
            self.scope.execute(HAPPENED, doc=_json(happened.rows))

    def _drafted(self, requests: list[dict[str, Any]], facts: dict[str, SkuFacts], stock: Stock) -> Composer:
        channels = {one["channel"]: one["channel"] for one in requests}
        composer = Composer(self.scope, self.configured, Facts(facts, stock, channels))
        for one in requests:
            composer.now = one["placed_at"]
            composer.draft(one, body_hash(one))
        row = self.scope.raw().execute(NUMBERS, {"tenant": self.tenant_id, "block": len(requests)}).fetchone()
        assert row is not None
        composer.number(list(range(row[0] - len(requests) + 1, row[0] + 1)))
        composer.rows["outbox"] = []
        for told in composer.rows["timeline"]:
            told["id"] = id_at(told["at"])
        for order in composer.rows["orders"]:
            order["tax_status"] = "given"
        return composer

    # ---- what happened since

    def _what_happened(self, composer: Composer) -> Happened:
        done = Happened()
        lines = {line["id"]: {**line, "shipped": 0} for line in composer.rows["lines"]}
        of_order = grouped(lines.values(), "order_id")
        tenders = {tender["order_id"]: tender for tender in composer.rows["tenders"]}
        gone: set[UUID] = set()
        held: dict[tuple[UUID, UUID], list[dict[str, Any]]] = defaultdict(list)
        for one in composer.rows["reservations"]:
            if one["node_id"] is not None:
                held[one["order_line_id"], one["node_id"]].append(one)
        for draft in composer.drafts:
            order = draft.order
            ended = [
                self._work(done, order, work, lines, held, gone, tenders[order["id"]]) for work in draft.work
            ]
            if all(line["shipped"] == line["ordered"] for line in of_order[order["id"]]):
                last = max(at for at in ended if at is not None)
                done.step("order", order["id"], "placed", "closed", "system:Kept", last)
                done.told(order["id"], events.ORDER_CLOSED, "system:Kept", last)
                done.add("orders", id=order["id"])
        for line in lines.values():
            if line["shipped"]:
                value = share(line["total"], line["shipped"], 0, line["ordered"])
                whole = line["shipped"] == line["ordered"]
                done.add("lines", id=line["id"], shipped=line["shipped"], value=value, done=whole)
        composer.rows["reservations"] = [
            one for one in composer.rows["reservations"] if one["id"] not in gone
        ]
        return done

    def _work(
        self,
        done: Happened,
        order: Mapping[str, Any],
        work: Mapping[str, Any],
        lines: dict[UUID, dict[str, Any]],
        held: Mapping[tuple[UUID, UUID], list[dict[str, Any]]],
        gone: set[UUID],
        tender: Mapping[str, Any],
    ) -> datetime | None:
        """The life of one fulfillment order up to now. Returns when it shipped."""
        kind = self.kinds[work["node_id"]]
        submitted = order["placed_at"] + timedelta(seconds=self.draw.randint(2, 40))
        accepted = submitted + (
            timedelta(seconds=1) if kind == "virtual" else timedelta(minutes=self.draw.randint(6, 140))
        )
        shipped = accepted + self._effort(kind, [lines[one["order_line_id"]]["sku"] for one in work["lines"]])
        actor = "system:Kept" if kind == "virtual" else f"provider:{work['node']}"
        order_id, work_id, named = order["id"], work["id"], {"work": str(work["id"]), "node": work["node"]}
        done.step("request", work_id, "held", "submitted", "system:Kept", submitted)
        done.told(order_id, events.WORK_SUBMITTED, "system:Kept", submitted, **named)
        state = {
            "id": work_id,
            "work": "open",
            "request": "submitted",
            "submitted": submitted,
            "answered": None,
        }
        if accepted < self.now:
            state |= {"request": "accepted", "answered": accepted}
            done.step("request", work_id, "submitted", "accepted", actor, accepted)
            done.told(order_id, events.WORK_ACCEPTED, actor, accepted, **named)
        if shipped >= self.now:
            done.add("work", **state)
            return None
        done.add("work", **(state | {"work": "shipped", "request": "closed"}))
        self._ship(done, order, work, lines, held, gone, tender, kind, actor, shipped)
        done.step("work", work_id, "open", "shipped", actor, shipped)
        done.step("request", work_id, "accepted", "closed", actor, shipped)
        return shipped

    def _effort(self, kind: str, codes: list[str]) -> timedelta:
        if kind == "virtual":
            return timedelta(seconds=3)
        if kind == "workshop":
            days = max(self.skus[code].get("lead_time_days") or 3 for code in codes)
            return timedelta(days=days - 1, hours=self.draw.randint(1, 20))
        return timedelta(hours=self.draw.triangular(2, 60, 14))

    def _ship(
        self,
        done: Happened,
        order: Mapping[str, Any],
        work: Mapping[str, Any],
        lines: dict[UUID, dict[str, Any]],
        held: Mapping[tuple[UUID, UUID], list[dict[str, Any]]],
        gone: set[UUID],
        tender: Mapping[str, Any],
        kind: str,
        actor: str,
        at: datetime,
    ) -> None:
        shipment, total = new_id(), 0
        for one in work["lines"]:
            line, part = lines[one["order_line_id"]], new_id()
            value = share(line["total"], one["quantity"], line["shipped"], line["ordered"])
            line["shipped"] += one["quantity"]
            total += value
            done.add(
                "shipment_lines",
                id=part,
                shipment_id=shipment,
                fulfillment_order_line_id=one["id"],
                order_line_id=line["id"],
                sku=one["sku"],
                quantity=one["quantity"],
                value=value,
            )
            for reserved in held[line["id"], work["node_id"]]:
                gone.add(reserved["id"])
                if reserved["position_id"] is not None:
                    self.consumed[str(reserved["position_id"])].append((at, reserved["quantity"], str(part)))
        carrier, service = CARRIERS.get(kind, ("", "digital"))
        done.add(
            "shipments",
            id=shipment,
            fulfillment_order_id=work["id"],
            order_id=order["id"],
            kind="digital" if kind == "virtual" else "carrier",
            carrier=carrier,
            service=service,
            tracking_number=self._tracking(carrier),
            at=at,
            cost=None if kind == "virtual" else 620 + 35 * self.draw.randint(0, 40),
            value=total,
        )
        done.told(order["id"], events.SHIPPED, actor, at, shipment=str(shipment))
        if tender["kind"] == "terms" and total:
            key = f"capture:{shipment}:{tender['id']}"
            ids = {
                "id": new_id(),
                "order_id": order["id"],
                "tender_id": tender["id"],
                "shipment_id": shipment,
            }
            done.add("ledger", **ids, amount=total, key=key, reference=tender["reference"], at=at)

    def _tracking(self, carrier: str) -> str:
        digits = "".join(self.draw.choices("0123456789", k=12))
        return {"UPS": f"1Z84AF03{digits[:8]}", "USPS": f"9405{digits}", "FedEx": f"77{digits[:10]}"}.get(
            carrier, ""
        )


def _count_rows() -> None:
    """Have the database count its tables, as the owner: plans made while they were empty read them whole."""
    given = settings.current()
    if given.owner_database_url:
        with psycopg.connect(given.owner_database_url, autocommit=True) as connection:
            connection.execute("ANALYZE")


def _movement(position: str, delta: int, cause: str, reference: str, at: datetime) -> dict[str, Any]:
    return {"position_id": position, "delta": delta, "cause": cause, "reference": reference, "at": at}


def _json(rows: Any) -> str:
    return orjson.dumps(rows, default=str).decode()
