"""The verb `ship`: goods were physically handed over. Stock, work, line and order change together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.allocation.days import free_day
from app.events import SHIPMENT_CORRECTED, SHIPPED, SHIPPED_TOO_LATE, record, tell
from app.fulfillment import rules
from app.fulfillment.queries import locked
from app.fulfillment.statement import READ, WRITE
from app.money import share
from app.orders.service import finish
from app.orders.shapes import work_document
from app.promises.records import note
from app.transitions import REQUEST, WORK, transition
from infra.errors import Problem
from infra.ids import new_id
from tenants.scope import Contended, Scope


@dataclass(frozen=True)
class Shipped:
    """The fulfillment order as it is now; `again` when this very hand-over was told before; `refusal` when the goods
    were not to leave: nothing changed but that somebody will look into it."""

    document: dict[str, Any]
    again: bool = False
    refusal: Problem | None = None


def ship(scope: Scope, work_id: UUID, report: Mapping[str, Any]) -> Shipped:
    """Record a hand-over of `lines` (by SKU; None = all that is open). Partial is fine.

    report: kind, carrier, service, tracking_number, shipped_at (None = now), cost (minor units), handed_to,
    lines. A repeat of the same report (rules.report_digest) changes nothing. Raises Problem 404, 409 by the
    name of the state or the hold, 422 for a time in the future.
    """
    work = locked(scope, work_id)
    facts = scope.row(READ, id=work_id, node=work["node_id"], order=work["order_id"])
    assert facts is not None
    shipments = [_shipment(row) for row in facts.shipments or []]
    wanted = rules.asked(report.get("lines"))
    digest = rules.report_digest(report, wanted)
    if digest is not None and any(one["report"] == digest for one in shipments):
        return Shipped(_document(work, facts.lines, shipments), again=True)
    now = scope.now()
    shipped_at = report.get("shipped_at") or now
    rules.check_time(shipped_at, now)
    lost = rules.lost(facts.lines, wanted, shipped_at)
    if lost:
        _look_into(scope, work, lost, shipped_at, digest or f"{work['id']}:{shipped_at.isoformat()}")
        return Shipped(_document(work, facts.lines, shipments), refusal=rules.cancelled_by_law(lost))
    rules.check("ship", work["request_status"], work["work_status"])
    rules.check_holds(facts.holds or [])
    taken = rules.assign(wanted, [(line, rules.open_units(line)) for line in facts.lines])
    if not taken:
        raise rules.nothing_to_do("ship")
    parcel = _Parcel(work, report, digest, now)
    for line, units in taken:
        parcel.add(line, units, facts.reservations or [])
    _write(scope, parcel, now)
    shipments.append({**parcel.shipment, "lines": parcel.lines})
    settle(scope, work, facts.lines)
    _correct(scope, work, [line for line, _ in taken if line["vested_at"] is not None], shipped_at)
    record(scope, work["order_id"], SHIPPED, shipment=str(parcel.shipment["id"]))
    left = facts.order_open - sum(units for _, units in taken)
    finish(scope, work["order_id"], work["order_status"], open_units=left, shipped=True)
    return Shipped(_document(work, facts.lines, shipments))


def _look_into(
    scope: Scope, work: Mapping[str, Any], lost: Sequence[rules.Line], shipped_at: datetime, key: str
) -> None:
    """Goods may have left although their line is canceled: nothing is charged, and a person is told, once."""
    lines = {UUID(line["order_line_id"]): {"work": str(work["id"]), "sku": line["sku"]} for line in lost}
    if not note(scope, work["order_id"], "gone", shipped_at, lines, key):
        return
    skus = ", ".join(sorted({line["sku"] for line in lost}))
    tell(scope, work["order_id"], SHIPPED_TOO_LATE, work=str(work["id"]), sku=skus, at=shipped_at)
    scope.execute(
        "INSERT INTO routing_exceptions (tenant_id, id, order_id, kind, reason, opened_at)"
        " VALUES (:tenant, :id, :order, 'gone', :reason, :now)"
        " ON CONFLICT (tenant_id, order_id, kind) WHERE state = 'open' DO NOTHING",
        id=new_id(),
        order=work["order_id"],
        reason=f"{work['node']} reports that {skus} left after the line was canceled by law. It is not charged. Stop"
        " the parcel if you can, and count the stock there.",
        now=scope.now(),
    )


def _correct(
    scope: Scope, work: Mapping[str, Any], lines: Sequence[rules.Line], shipped_at: datetime
) -> None:
    """Lines that were canceled, of units whose money and letter still waited: they had left before."""
    if lines:
        corrected = {UUID(line["order_line_id"]): {"work": str(work["id"])} for line in lines}
        note(scope, work["order_id"], "corrected", shipped_at, corrected, key=f"{work['id']}:{shipped_at}")
        skus = ", ".join(sorted({line["sku"] for line in lines}))
        tell(scope, work["order_id"], SHIPMENT_CORRECTED, work=str(work["id"]), sku=skus, at=shipped_at)


@dataclass
class _Parcel:
    """The rows one hand-over writes, gathered line by line."""

    work: dict[str, Any]
    report: Mapping[str, Any]
    digest: str | None
    now: datetime
    shipment: dict[str, Any] = field(init=False)
    lines: list[dict[str, Any]] = field(default_factory=list)
    movements: list[dict[str, Any]] = field(default_factory=list)
    touched: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Lines of the fulfillment order, by id."""
    counters: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Order lines, by id: a line may come from here in two parts."""
    drawn: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Reservations, by id."""
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        report = self.report
        self.shipment = {
            "id": new_id(),
            "fulfillment_order_id": self.work["id"],
            "order_id": self.work["order_id"],
            "kind": report["kind"],
            "carrier": report["carrier"],
            "service": report["service"],
            "tracking_number": report["tracking_number"],
            "shipped_at": report.get("shipped_at") or self.now,
            "recorded_at": self.now,
            "cost": report.get("cost"),
            "value": 0,
            "handed_to": report.get("handed_to"),
            "report": self.digest,
        }

    def add(self, line: dict[str, Any], units: int, reservations: Sequence[Mapping[str, Any]]) -> None:
        """Put units of a line in. The line's own counters follow, so that a second part is worth the rest."""
        counted = self.counters.setdefault(
            line["order_line_id"], {"id": line["order_line_id"], "quantity": 0, "value": 0}
        )
        consumed = line["line_shipped"] + line["cancelled"] + counted["quantity"]
        value = share(line["total"], units, consumed, line["ordered"])
        row = {
            "id": new_id(),
            "shipment_id": self.shipment["id"],
            "fulfillment_order_line_id": line["id"],
            "order_line_id": line["order_line_id"],
            "sku": line["sku"],
            "quantity": units,
            "value": value,
        }
        self.lines.append(row)
        self.shipment["value"] += value
        counted["quantity"] += units
        counted["value"] += value
        if line["allocated"] + line["backordered"] == counted["quantity"]:
            self.done.append(line["order_line_id"])
        line["shipped"] += units
        line["cancel_requested"] = min(line["cancel_requested"], rules.open_units(line))
        self.touched[line["id"]] = {
            "id": line["id"],
            "quantity": units,
            "cancel_requested": line["cancel_requested"],
        }
        self._draw(line, units, str(row["id"]), reservations)

    def _draw(
        self, line: Mapping[str, Any], units: int, reference: str, reservations: Sequence[Mapping[str, Any]]
    ) -> None:
        own = [one for one in reservations if one["order_line_id"] == line["order_line_id"]]
        for sku_id, each in _components(line):
            rest = units * each
            for held in own:
                drawn = self.drawn.get(held["id"], {}).get("quantity", 0)
                part = min(rest, held["quantity"] - drawn) if held["sku_id"] == sku_id else 0
                if not part:
                    continue
                rest -= part
                self.drawn[held["id"]] = {
                    "id": held["id"],
                    "position_id": held["position_id"],
                    "quantity": drawn + part,
                    "held": held["quantity"],
                }
                if held["position_id"] is not None:
                    self.movements.append(
                        {
                            "id": new_id(),
                            "position_id": held["position_id"],
                            "delta": -part,
                            "reference": reference,
                        }
                    )
            if rest:
                raise Contended

    def document(self) -> str:
        """All rows as one JSON document."""
        return orjson.dumps(
            {
                "shipment": self.shipment,
                "lines": self.lines,
                "movements": self.movements,
                "work": list(self.touched.values()),
                "counters": list(self.counters.values()),
                "taken": list(self.drawn.values()),
                "done": self.done,
            }
        ).decode()


def _components(line: Mapping[str, Any]) -> list[tuple[str, int]]:
    """(SKU id, units per unit): what is taken from the shelf for one unit of the line."""
    if not line["components"]:
        return [(line["sku_id"], 1)]
    return [(part["sku_id"], part["quantity"]) for part in line["components"]]


def _write(scope: Scope, parcel: _Parcel, now: datetime) -> None:
    row = scope.row(WRITE, doc=parcel.document(), actor=str(scope.actor), now=now)
    if row is None or row.drawn != len(parcel.drawn):
        raise Contended


def settle(
    scope: Scope, work: dict[str, Any], lines: Sequence[rules.Line], *, request: str = "closed", why: str = ""
) -> None:
    """End the work when none of its units is open (its request becomes `request`); else go on, and take back a
    cancellation that a shipment overtook. The caller holds the row; `work` is brought up to date."""
    ended = rules.outcome(lines)
    if ended is not None:
        transition(scope, WORK, work["id"], work["work_status"], ended, why=why)
        if ended == "cancelled":
            free_day(scope, work["id"])
        transition(scope, REQUEST, work["id"], work["request_status"], request, why=why)
        work["work_status"], work["request_status"] = ended, request
    elif work["request_status"] == "cancel_requested" and not any(one["cancel_requested"] for one in lines):
        transition(scope, REQUEST, work["id"], "cancel_requested", "accepted", why=why or "shipped first")
        work["request_status"] = "accepted"


def _document(
    work: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], shipments: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return work_document({**work, "lines": lines, "shipments": shipments}, work["order_ship_to"])


def _shipment(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "shipped_at": datetime.fromisoformat(row["shipped_at"])}
