"""The verb of stock: adjust positions, one or a thousand, all or none.

A loss is accepted even where units are reserved: then quotes lose their holds, the latest promises give theirs back
and wait again, in the same transaction, and other nodes are asked for them afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.allocation import rules, service
from app.allocation.days import free_day
from app.catalog.queries import by_code as skus_by_code
from app.inventory import holds
from app.inventory.ledger import Ledger, Place, Position
from app.inventory.rules import STOCKLESS, parts, target
from app.network.queries import by_code as nodes_by_code
from app.transitions import REQUEST, WORK, transition
from infra.errors import FieldError, Problem
from tenants import audit
from tenants.scope import Contended, Scope

HOLDERS = """
SELECT r.position_id, f.id, f.fulfillment_order_id, w.order_id, f.quantity - f.shipped - f.released AS open,
    r.quantity AS held, l.kind, l.sku_id, l.components, r.sku_id AS part
FROM reservations r
JOIN order_lines l ON l.tenant_id = :tenant AND l.id = r.order_line_id
JOIN fulfillment_order_lines f ON f.tenant_id = :tenant AND f.order_line_id = r.order_line_id
JOIN fulfillment_orders w ON w.tenant_id = :tenant AND w.id = f.fulfillment_order_id AND w.node_id = r.node_id
WHERE r.tenant_id = :tenant AND r.position_id = ANY(:positions) AND f.quantity > f.shipped + f.released
ORDER BY r.ship_by DESC, r.made_at DESC, f.id DESC
"""


def adjust(scope: Scope, given: Sequence[Mapping[str, Any]], *, single: bool = False) -> list[dict[str, Any]]:
    """Adjust stock (loaded schemas.StockAdjustmentIn, in order). Returns the positions as they are afterwards.

    `single`: the request was one adjustment, so pointers begin at its own fields.
    Raises Problem 422 naming each unknown code and each SKU without stock of its own, 409 `below-zero`, and
    Contended when stock was reserved meanwhile.
    """
    pointer = "" if single else "/adjustments/{}"
    places = _places(scope, given, pointer)
    ledger = _written(scope, given, places, pointer)
    kept_back = [one for one in given if one.get("safety") is not None]
    if kept_back:
        first = f"{kept_back[0]['sku']} at {kept_back[0]['node']}"
        more = f" and {len(kept_back) - 1} more" if len(kept_back) > 1 else ""
        why = kept_back[0]["reason"]
        audit.record(scope, "stock.safety_set", first + more, units=kept_back[0]["safety"], reason=why)
    return _shown(ledger, given, places)


def change(scope: Scope, changes: Sequence[tuple[Place, Mapping[str, Any]]]) -> Ledger:
    """Adjust positions that are known by their keys; the same rules as `adjust`."""
    places = [place for place, _ in changes]
    given = [fields for _, fields in changes]
    return _written(scope, given, places)


def _places(scope: Scope, given: Sequence[Mapping[str, Any]], pointer: str) -> list[Place]:
    nodes = nodes_by_code(scope, (one["node"] for one in given))
    skus = skus_by_code(scope, (one["sku"] for one in given))
    segments = {"shared", *_channels(scope, {one["segment"] for one in given} - {"shared"})}
    errors = []
    places: list[Place] = []
    for at, one in enumerate(given):
        prefix = pointer.format(at)
        node, sku = nodes.get(one["node"]), skus.get(one["sku"])
        if node is None or not scope.actor.sees_node(one["node"]):
            errors.append(FieldError(f"{prefix}/node", f"There is no node {one['node']}. PUT it first."))
        if sku is None:
            errors.append(FieldError(f"{prefix}/sku", f"There is no SKU {one['sku']}. PUT it first."))
        elif sku.kind in STOCKLESS:
            errors.append(FieldError(f"{prefix}/sku", STOCKLESS[sku.kind]))
        if one["segment"] not in segments:
            errors.append(
                FieldError(f"{prefix}/segment", f"{one['segment']} is neither `shared` nor a channel's code.")
            )
        if node is not None and sku is not None:
            places.append((node.id, sku.id, one["disposition"], one["segment"]))
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)
    return places


def _channels(scope: Scope, codes: set[str]) -> list[str]:
    if not codes:
        return []
    rows = scope.rows(
        "SELECT code FROM channels WHERE tenant_id = :tenant AND code = ANY(:codes)", codes=sorted(codes)
    )
    return [row.code for row in rows]


def _short(scope: Scope, places: Sequence[Place], given: Sequence[Mapping[str, Any]]) -> dict[UUID, int]:
    """Positions that would hold less than is reserved, as things look before anything is locked."""
    rows = scope.rows(
        "SELECT p.id, p.sku_id, p.node_id, p.disposition, p.segment, p.on_hand, p.reserved, p.safety"
        " FROM stock_positions p WHERE p.tenant_id = :tenant AND p.sku_id = ANY(:skus)"
        " AND p.node_id = ANY(:nodes) AND p.reserved > 0",
        skus=sorted({place[1] for place in places}),
        nodes=sorted({place[0] for place in places}),
    )
    seen = {
        (row.node_id, row.sku_id, row.disposition, row.segment): Position(
            row.id,
            (row.node_id, row.sku_id, row.disposition, row.segment),
            row.on_hand,
            row.reserved,
            row.safety,
        )
        for row in rows
    }
    left = {place: position.on_hand for place, position in seen.items()}
    for place, one in zip(places, given, strict=True):
        if place in left:
            left[place] = target(left[place], one)
    return {
        seen[place].id: seen[place].reserved - units
        for place, units in left.items()
        if units < seen[place].reserved
    }


def _victims(scope: Scope, short: Mapping[UUID, int]) -> dict[UUID, int]:
    """Which work gives units back, the latest promise first: fulfillment-order line -> ordered units."""
    if not short:
        return {}
    holders: dict[UUID, list[dict[str, Any]]] = {}
    for row in scope.rows(HOLDERS, positions=list(short)):
        each = dict(parts(row.kind, row.sku_id, row.components))[row.part]
        holders.setdefault(row.position_id, []).append({**row._mapping, "each": each})
    chosen: dict[UUID, int] = {}
    for position, units in sorted(short.items()):
        for line, count in rules.give_back(units, holders.get(position, [])).items():
            chosen[line] = max(chosen.get(line, 0), count)
    return chosen


def _shown(
    ledger: Ledger, given: Sequence[Mapping[str, Any]], places: Sequence[Place]
) -> list[dict[str, Any]]:
    shown = []
    for place, one in zip(places, given, strict=True):
        position = ledger.by_place[place]
        shown.append(
            {
                "id": str(position.id),
                "node": one["node"],
                "sku": one["sku"],
                "disposition": one["disposition"],
                "segment": one["segment"],
                "on_hand": position.on_hand,
                "reserved": position.reserved,
                "safety": position.safety,
                "available": position.free if one["disposition"] == "sellable" else 0,
            }
        )
    return shown


def _written(
    scope: Scope,
    given: Sequence[Mapping[str, Any]],
    places: Sequence[Place],
    pointer: str = "",
) -> Ledger:
    short = _short(scope, places, given)
    quotes = holds.given_way(scope, short)
    short = {one: units - quotes.units.get(one, 0) for one, units in short.items()}
    short = {one: units for one, units in short.items() if units > 0}
    victims = _victims(scope, short)
    work, reservations, taken = _lock_victims(scope, victims, short)
    held = [reservations[one].position_id for one in taken if reservations[one].position_id is not None]
    ledger = Ledger(scope, places, [*held, *quotes.units])
    more = quotes.release(ledger)
    for at, (place, one) in enumerate(zip(places, given, strict=True)):
        position = ledger.by_place[place]
        after = target(position.on_hand, one)
        if after < 0:
            text = f"Only {position.on_hand} are on hand there; {-int(one['delta'])} cannot leave."
            raise Problem(409, "below-zero", text, errors=[FieldError(f"{pointer.format(at)}/delta", text)])
        free = position.free
        ledger.move(position, after - position.on_hand, one["cause"], one["reason"], one["reference"])
        if one.get("safety") is not None:
            ledger.keep_back(position, one["safety"])
        if position.free > free and place[2] == "sellable":
            more.add(place[1])
    if victims:
        released = service.apply(
            scope,
            work,
            victims,
            taken,
            reservations,
            ledger,
            back_to="backorder",
            stock="free",
            why="stock lost",
            write=False,
        )
        _close_emptied(scope, {row.fulfillment_order_id for row in released.work.values()})
        service.offer(scope, {row.sku_id for row in work.values()}, cause="stock_lost")
    if any(position.reserved > position.on_hand for position in ledger.by_id.values()):
        raise Contended
    ledger.write()
    holds.end(scope, quotes, "loss")
    service.offer(scope, more)
    return ledger


def _lock_victims(
    scope: Scope, victims: Mapping[UUID, int], short: Collection[UUID]
) -> tuple[dict[UUID, Any], dict[UUID, Any], dict[UUID, int]]:
    if not victims:
        return {}, {}, {}
    work = service.read_work(scope, victims)
    service.lock_orders(scope, {row.order_id for row in work.values()})
    service.lock_work(scope, {row.fulfillment_order_id for row in work.values()})
    work = service.read_work(scope, victims)
    if any(row.quantity - row.shipped - row.released < victims[one] for one, row in work.items()):
        raise Contended
    reservations = service.read_reservations(scope, work)
    return work, reservations, service.taken_from(work, victims, reservations, short)


def _close_emptied(scope: Scope, work_ids: set[UUID]) -> None:
    """Work of which nothing is left to ship is over."""
    lines: dict[UUID, list[Any]] = {}
    states: dict[UUID, Any] = {}
    for row in scope.rows(
        "SELECT w.id, w.work_status, w.request_status, f.quantity, f.shipped, f.released"
        " FROM fulfillment_orders w JOIN fulfillment_order_lines f"
        " ON f.tenant_id = :tenant AND f.fulfillment_order_id = w.id"
        " WHERE w.tenant_id = :tenant AND w.id = ANY(:ids) ORDER BY w.id",
        ids=sorted(work_ids),
    ):
        states[row.id] = row
        lines.setdefault(row.id, []).append(row._mapping)
    for work_id, state in states.items():
        after = rules.outcome(lines[work_id])
        if after is not None and WORK.allows(state.work_status, after):
            transition(scope, WORK, work_id, state.work_status, after, why="stock lost")
            if after == "cancelled":
                free_day(scope, work_id)
            transition(scope, REQUEST, work_id, state.request_status, "closed", why="stock lost")
