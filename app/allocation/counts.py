"""Counts: a node says what lies there; differences become cases, and a person decides.

A count speaks of the goods on the shelf: sellable and on hold together. Units on hold wait for exactly this.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from app.allocation import queries
from app.allocation.adjustments import change
from app.catalog.queries import by_code as skus_by_code
from app.inventory.ledger import Place
from app.inventory.rules import STOCKLESS
from app.network.queries import by_code as nodes_by_code
from infra.errors import FieldError, Problem, invalid, not_found, refused
from infra.ids import new_id
from tenants.scope import Scope

SLACK = timedelta(minutes=5)
EXPECTED = """
SELECT p.sku_id, sum(p.on_hand) - coalesce(sum(later.delta), 0) AS units,
    sum(p.on_hand) FILTER (WHERE p.disposition = 'on_hold') AS held
FROM stock_positions p
LEFT JOIN LATERAL (SELECT sum(m.delta) AS delta FROM stock_movements m
    WHERE m.tenant_id = :tenant AND m.position_id = p.id AND m.at > :at) later ON true
WHERE p.tenant_id = :tenant AND p.node_id = :node AND p.sku_id = ANY(:skus)
    AND p.disposition IN ('sellable', 'on_hold')
GROUP BY p.sku_id
"""
OPEN = """
INSERT INTO stock_cases (tenant_id, id, node_id, sku_id, kind, expected, counted, opened_at)
SELECT :tenant, c.id, :node, c.sku_id, 'count', c.expected, c.counted, :now
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS c(id uuid, sku_id uuid, expected bigint, counted bigint)
"""
CLOSE = """
UPDATE stock_cases SET state = 'dismissed', closed_at = :now, note = :note
WHERE tenant_id = :tenant AND node_id = :node AND sku_id = ANY(:skus) AND state = 'open' AND kind = ANY(:kinds)
"""
SHELF = """
SELECT p.disposition, p.segment, p.on_hand FROM stock_positions p
WHERE p.tenant_id = :tenant AND p.node_id = :node AND p.sku_id = :sku
    AND p.disposition IN ('sellable', 'on_hold') AND p.on_hand > 0
ORDER BY p.segment <> 'shared', p.segment
"""


def count(scope: Scope, given: Mapping[str, Any]) -> dict[str, Any]:
    """Compare a snapshot (loaded schemas.CountIn) with the books as they were at `counted_at`.

    Lines that agree close what was open about them and free what was on hold; the others open a case each.
    Raises Problem 404 for a node this actor does not see, 422 for lines that cannot be counted.
    """
    node = nodes_by_code(scope, [given["node"]]).get(given["node"])
    if node is None or not scope.actor.sees_node(given["node"]):
        raise not_found("node")
    at = _moment(scope, given.get("counted_at"))
    counted = _counted(scope, given["lines"])
    books = {row.sku_id: row for row in scope.rows(EXPECTED, at=at, node=node.id, skus=list(counted))}
    expected = {sku: int(books[sku].units) if sku in books else 0 for sku in counted}
    agreed = [sku for sku, units in counted.items() if units == expected[sku]]
    differ = {sku: units for sku, units in counted.items() if units != expected[sku]}
    _close(scope, node.id, agreed, ["count", "rejection"], "A later count agreed with the books.")
    _close(scope, node.id, list(differ), ["count"], "Counted again.")
    _free_held(scope, node.id, [sku for sku in agreed if sku in books and books[sku].held])
    cases = [
        {"id": new_id(), "sku_id": sku, "expected": expected[sku], "counted": units}
        for sku, units in differ.items()
    ]
    if cases:
        scope.execute(OPEN, node=node.id, now=scope.now(), doc=orjson.dumps(cases, default=str).decode())
    shown = queries.cases_of(scope, [case["id"] for case in cases])
    return {"node": given["node"], "agreed": len(agreed), "cases": shown}


def accept(scope: Scope, case_id: UUID, note: str) -> dict[str, Any]:
    """Believe the count: the difference leaves the books (or enters them), units on hold first; what is left on
    hold is sellable again. Raises Problem 404, 409 `case-not-open`, `below-zero`."""
    case = _open_case(scope, case_id)
    reference = str(case_id)
    shelf = [
        ((case.node_id, case.sku_id, row.disposition, row.segment), int(row.on_hand))
        for row in scope.rows(SHELF, node=case.node_id, sku=case.sku_id)
    ]
    on_hold = [(place, units) for place, units in shelf if place[2] == "on_hold"]
    sellable = [(place, units) for place, units in shelf if place[2] == "sellable"]
    difference = case.counted - case.expected
    if case.kind == "rejection":
        change(scope, _losses(on_hold, -difference, note, reference))
    else:
        changes = _losses(on_hold, -difference, note, reference) if difference < 0 else []
        left = -difference - sum(-fields["delta"] for _, fields in changes)
        if difference < 0 and left:
            changes += _losses(sellable, left, note, reference, last=True)
        if difference > 0:
            shared: Place = (case.node_id, case.sku_id, "sellable", "shared")
            changes.append((shared, _fields(difference, "count", note, reference)))
        gone = {place: -fields["delta"] for place, fields in changes}
        for place, units in on_hold:
            changes += _unheld(place, units - gone.get(place, 0), reference)
        change(scope, changes)
        _settle(scope, case.node_id, case.sku_id, "accepted", "Settled by a count.")
    return _closed(scope, case_id, "accepted", note)


def dismiss(scope: Scope, case_id: UUID, note: str) -> dict[str, Any]:
    """Believe the books. Units that a rejection put on hold are sellable again. Raises Problem 404, 409."""
    case = _open_case(scope, case_id)
    if case.kind == "rejection":
        held = case.expected - case.counted
        changes: list[tuple[Place, dict[str, Any]]] = []
        for row in scope.rows(SHELF, node=case.node_id, sku=case.sku_id):
            if row.disposition == "on_hold" and held:
                units = min(held, int(row.on_hand))
                held -= units
                changes += _unheld((case.node_id, case.sku_id, "on_hold", row.segment), units, str(case_id))
        change(scope, changes)
    return _closed(scope, case_id, "dismissed", note)


def _moment(scope: Scope, given: datetime | None) -> datetime:
    now = scope.now()
    if given is not None and given > now + SLACK:
        raise invalid("/counted_at", "counted_at lies in the future. Send when it was counted.")
    return min(given, now) if given is not None else now


def _counted(scope: Scope, lines: list[dict[str, Any]]) -> dict[UUID, int]:
    skus = skus_by_code(scope, (line["sku"] for line in lines))
    errors, counted = [], {}
    for at, line in enumerate(lines):
        sku, pointer = skus.get(line["sku"]), f"/lines/{at}/sku"
        if sku is None:
            errors.append(FieldError(pointer, f"There is no SKU {line['sku']}."))
        elif sku.kind in STOCKLESS:
            errors.append(FieldError(pointer, STOCKLESS[sku.kind]))
        elif sku.id in counted:
            errors.append(FieldError(pointer, f"{line['sku']} is named twice. Add the units."))
        else:
            counted[sku.id] = line["on_hand"]
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)
    return counted


def _close(scope: Scope, node: UUID, skus: list[UUID], kinds: list[str], note: str) -> None:
    if skus:
        scope.execute(CLOSE, node=node, skus=skus, kinds=kinds, now=scope.now(), note=note)


def _free_held(scope: Scope, node: UUID, skus: list[UUID]) -> None:
    if not skus:
        return
    rows = scope.rows(
        "SELECT sku_id, segment, on_hand FROM stock_positions WHERE tenant_id = :tenant AND node_id = :node"
        " AND sku_id = ANY(:skus) AND disposition = 'on_hold' AND on_hand > 0",
        node=node,
        skus=skus,
    )
    changes: list[tuple[Place, dict[str, Any]]] = []
    for row in rows:
        changes += _unheld((node, row.sku_id, "on_hold", row.segment), int(row.on_hand), "count")
    change(scope, changes)


def _losses(
    shelf: list[tuple[Place, int]], units: int, note: str, reference: str, *, last: bool = False
) -> list[tuple[Place, dict[str, Any]]]:
    """Take units from these positions in order. `last`: the last one takes what is still missing."""
    changes = []
    for at, (place, there) in enumerate(shelf):
        taken = units if last and at == len(shelf) - 1 else min(units, there)
        if taken:
            changes.append((place, _fields(-taken, "count", note, reference)))
            units -= taken
    if last and units:
        raise refused("below-zero", "The books hold less than the count takes away. Count again.")
    return changes


def _unheld(place: Place, units: int, reference: str) -> list[tuple[Place, dict[str, Any]]]:
    if not units:
        return []
    node, sku, _, segment = place
    return [
        (place, _fields(-units, "unhold", "", reference)),
        ((node, sku, "sellable", segment), _fields(units, "unhold", "", reference)),
    ]


def _fields(delta: int, cause: str, reason: str, reference: str) -> dict[str, Any]:
    return {"delta": delta, "cause": cause, "reason": reason, "reference": reference}


def _open_case(scope: Scope, case_id: UUID) -> Any:
    case = scope.row(
        "SELECT * FROM stock_cases WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=case_id
    )
    if case is None:
        raise not_found("case")
    queries.case(scope, case_id)
    if case.state != "open":
        raise refused("case-not-open", f"The case is {case.state} already.")
    return case


def _settle(scope: Scope, node: UUID, sku: UUID, state: str, note: str) -> None:
    scope.execute(
        "UPDATE stock_cases SET state = :state, closed_at = :now, note = :note WHERE tenant_id = :tenant"
        " AND node_id = :node AND sku_id = :sku AND state = 'open' AND kind = 'rejection'",
        node=node,
        sku=sku,
        state=state,
        now=scope.now(),
        note=note,
    )


def _closed(scope: Scope, case_id: UUID, state: str, note: str) -> dict[str, Any]:
    scope.execute(
        "UPDATE stock_cases SET state = :state, closed_at = :now, note = CASE WHEN :note = '' THEN note ELSE :note"
        " END WHERE tenant_id = :tenant AND id = :id",
        state=state,
        now=scope.now(),
        note=note,
        id=case_id,
    )
    return queries.case(scope, case_id)
