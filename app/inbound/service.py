"""The verbs of inbound supply: say what is to come and when, take what came, or give the rest up.

What changes here for buyers who wait follows in the outbox (SUPPLY_CHANGED). Locks: the inbound order first, then
stock by (node, SKU, id).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from app import events
from app.calendar import local_date
from app.catalog.queries import by_code as skus_by_code
from app.inbound import rules
from app.inventory.ledger import Ledger
from app.inventory.rules import STOCKLESS
from app.network.queries import by_code as nodes_by_code
from app.network.rules import code_error
from infra.errors import FieldError, Problem, invalid, not_found, refused
from infra.ids import new_id
from tenants import audit
from tenants.scope import Scope

MAKE = """
INSERT INTO inbound_orders (tenant_id, id, reference, supplier, node_id, ordered_on, created_at)
VALUES (:tenant, :id, :reference, :supplier, :node, :ordered_on, :now)
ON CONFLICT (tenant_id, reference) DO NOTHING
"""
LINES = """
SELECT i.id, i.sku_id, s.code AS sku, i.quantity, i.received, i.expected_on FROM inbound_lines i
JOIN skus s ON s.tenant_id = :tenant AND s.id = i.sku_id
WHERE i.tenant_id = :tenant AND i.inbound_order_id = :order ORDER BY s.code
"""
CHANGE = """
UPDATE inbound_orders SET supplier = :supplier, node_id = :node, ordered_on = :ordered_on
WHERE tenant_id = :tenant AND id = :id
"""
PUT_LINES = """
INSERT INTO inbound_lines (tenant_id, id, inbound_order_id, sku_id, quantity, expected_on, first_expected_on)
SELECT :tenant, l.id, :order, l.sku_id, l.quantity, l.expected_on, l.expected_on
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS l(id uuid, sku_id uuid, quantity bigint, expected_on date)
ON CONFLICT (tenant_id, inbound_order_id, sku_id) DO UPDATE SET quantity = EXCLUDED.quantity,
    expected_on = EXCLUDED.expected_on,
    first_expected_on = coalesce(inbound_lines.first_expected_on, EXCLUDED.expected_on),
    received_at = CASE WHEN inbound_lines.received = EXCLUDED.quantity
        THEN coalesce(inbound_lines.received_at, CAST(:now AS timestamptz)) END
"""
RECEIVE = """
UPDATE inbound_lines i SET received = i.received + r.units,
    received_at = CASE WHEN i.received + r.units = i.quantity THEN CAST(:now AS timestamptz) END
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS r(id uuid, units bigint)
WHERE i.tenant_id = :tenant AND i.id = r.id
"""
KEEP = """
INSERT INTO inbound_receipts (tenant_id, id, inbound_order_id, receipt, lines, actor, at)
VALUES (:tenant, :id, :order, :receipt, CAST(:lines AS jsonb), :actor, :now)
"""


def put(scope: Scope, reference: str, given: Mapping[str, Any]) -> bool:
    """Make an inbound order, or amend it (loaded schemas.InboundIn, whole: a line left out is no longer to come).

    Returns whether it is new. Raises Problem 422 naming each unknown code, each SKU without stock, each day more than
    three years away and each quantity below what has come; 409 `inbound-cancelled`, `already-received`,
    `inbound-changed` when it no longer is what `replaces` says.
    """
    if wrong := code_error(reference):
        raise invalid("/reference", wrong)
    today = local_date(scope.now(), scope.tenant.timezone)
    _check_days(given, today)
    node, skus = _known(scope, given)
    values = {"supplier": given["supplier"], "node": node, "ordered_on": given["ordered_on"] or today}
    created = bool(scope.execute(MAKE, id=new_id(), reference=reference, now=scope.now(), **values))
    order = _locked(scope, reference)
    rules.check_live(reference, order.cancelled_at)
    before = {row.sku: row for row in scope.rows(LINES, order=order.id)}
    there = rules.revision(order._mapping, [row._mapping for row in before.values()])
    rules.check_seen(reference, given.get("replaces"), there)
    wanted = {one["sku"]: one for one in given["lines"]}
    _check_amendment(order, node, before, given["lines"])
    values["ordered_on"] = given["ordered_on"] or order.ordered_on
    renamed = (order.supplier, order.ordered_on) != (values["supplier"], values["ordered_on"])
    if not created:
        scope.execute(CHANGE, id=order.id, **values)
    changed = {sku for sku, one in wanted.items() if _differs(before.get(sku), one)}
    gone = before.keys() - wanted.keys()
    _write_lines(scope, order.id, [(skus[sku], wanted[sku]) for sku in sorted(changed)])
    _drop_lines(scope, [before[sku].id for sku in gone])
    if order.node_id != node:
        changed |= wanted.keys()
    if changed or gone:
        _tell(scope, [skus[sku] for sku in changed] + [before[sku].sku_id for sku in gone])
    if changed or gone or renamed:
        said = {name: values[name] for name in ("supplier", "ordered_on")}
        days = {sku: wanted[sku]["expected_on"] for sku in sorted(changed)}
        audit.record(scope, "inbound.saved", reference, **said, expected_on=days)
    return created


def _check_days(given: Mapping[str, Any], today: date) -> None:
    days = [("/ordered_on", given["ordered_on"])]
    days += [(f"/lines/{at}/expected_on", one["expected_on"]) for at, one in enumerate(given["lines"])]
    errors = [FieldError(place, wrong) for place, day in days if (wrong := rules.day_fault(day, today))]
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)


def _known(scope: Scope, given: Mapping[str, Any]) -> tuple[UUID, dict[str, UUID]]:
    """The node's id and the SKUs' by code. Raises Problem 422."""
    node = nodes_by_code(scope, [given["node"]]).get(given["node"])
    skus = skus_by_code(scope, (one["sku"] for one in given["lines"]))
    errors, seen = [], set[str]()
    if node is None:
        errors.append(FieldError("/node", f"There is no node {given['node']}. PUT it first."))
    for at, one in enumerate(given["lines"]):
        sku = skus.get(one["sku"])
        if sku is None:
            errors.append(FieldError(f"/lines/{at}/sku", f"There is no SKU {one['sku']}. PUT it first."))
        elif sku.kind in STOCKLESS:
            errors.append(FieldError(f"/lines/{at}/sku", STOCKLESS[sku.kind]))
        elif one["sku"] in seen:
            errors.append(FieldError(f"/lines/{at}/sku", f"{one['sku']} has a line already. Send one line."))
        seen.add(one["sku"])
    if errors or node is None:
        raise Problem(422, "invalid", errors[0].message, errors=errors)
    return node.id, {code: row.id for code, row in skus.items()}


def _locked(scope: Scope, reference: str) -> Any:
    order = None
    if not code_error(reference):
        order = scope.row(
            "SELECT * FROM inbound_orders WHERE tenant_id = :tenant AND reference = :reference FOR UPDATE",
            reference=reference,
        )
    if order is None:
        raise not_found("inbound order")
    return order


def _check_amendment(
    order: Any, node: UUID, before: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]
) -> None:
    came = {sku: row.received for sku, row in before.items() if row.received}
    if came and order.node_id != node:
        raise refused(
            "already-received", "Some of it has come already: the node stays. Make a new inbound order."
        )
    missing = sorted(came.keys() - {one["sku"] for one in lines})
    if missing:
        raise refused(
            "already-received",
            f"{came[missing[0]]} of {missing[0]} have come already: its line stays. Lower its quantity to that.",
        )
    errors = [
        FieldError(
            f"/lines/{at}/quantity", f"{came[one['sku']]} of {one['sku']} have come already. Send no fewer."
        )
        for at, one in enumerate(lines)
        if one["quantity"] < came.get(one["sku"], 0)
    ]
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)


def _differs(before: Any | None, line: Mapping[str, Any]) -> bool:
    return before is None or (before.quantity, before.expected_on) != (line["quantity"], line["expected_on"])


def _write_lines(scope: Scope, order_id: UUID, lines: Sequence[tuple[UUID, Mapping[str, Any]]]) -> None:
    rows = [
        {"id": new_id(), "sku_id": sku, "quantity": one["quantity"], "expected_on": one["expected_on"]}
        for sku, one in lines
    ]
    if rows:
        scope.execute(PUT_LINES, order=order_id, now=scope.now(), doc=_json(rows))


def _drop_lines(scope: Scope, ids: list[UUID]) -> None:
    if ids:
        scope.execute("DELETE FROM inbound_lines WHERE tenant_id = :tenant AND id = ANY(:ids)", ids=ids)


def receive(scope: Scope, reference: str, receipt: str, units: Mapping[str, int]) -> bool:
    """Take a delivery (SKU code -> units) into sellable stock at the order's node, with its movements; whoever waits is
    served afterwards. `receipt` is the caller's number of the delivery: the same again is taken once.

    Returns whether it is new. Raises Problem 404; 409 `receipt-taken`, `inbound-cancelled`, `more-than-ordered`; 422
    for a SKU that the order does not bring.
    """
    order = _locked(scope, reference)
    known = scope.row(
        "SELECT lines FROM inbound_receipts WHERE tenant_id = :tenant AND inbound_order_id = :order"
        " AND receipt = :receipt",
        order=order.id,
        receipt=receipt,
    )
    if known is not None:
        if known.lines != dict(units):
            raise refused(
                "receipt-taken", f"Receipt {receipt} was taken with other lines. Send a new number for it."
            )
        return False
    rules.check_live(reference, order.cancelled_at)
    lines = {row.sku: row for row in scope.rows(LINES, order=order.id)}
    _check_receipt(reference, lines, units)
    why = f"Received on {reference} from {order.supplier}, {receipt}"
    ledger = Ledger(scope, [(order.node_id, lines[sku].sku_id, "sellable", "shared") for sku in units])
    for sku, count in units.items():
        position = ledger.by_place[(order.node_id, lines[sku].sku_id, "sellable", "shared")]
        ledger.move(position, count, "receipt", why, str(lines[sku].id))
    ledger.write()
    came = [{"id": lines[sku].id, "units": count} for sku, count in units.items()]
    scope.execute(RECEIVE, now=scope.now(), doc=_json(came))
    scope.execute(
        KEEP,
        id=new_id(),
        order=order.id,
        receipt=receipt,
        lines=orjson.dumps(dict(units)).decode(),
        actor=str(scope.actor),
        now=scope.now(),
    )
    skus = sorted(str(lines[sku].sku_id) for sku in units)
    scope.later(events.STOCK_AVAILABLE, UUID(skus[0]), skus=skus)
    _tell(scope, [UUID(sku) for sku in skus])
    audit.record(scope, "inbound.received", reference, receipt=receipt, units=dict(units))
    return True


def _check_receipt(reference: str, lines: Mapping[str, Any], units: Mapping[str, int]) -> None:
    errors = [
        FieldError(f"/lines/{at}/sku", f"{reference} brings no {sku}. Amend it first, or adjust the stock.")
        for at, sku in enumerate(units)
        if sku not in lines
    ]
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)
    for sku, count in units.items():
        still = lines[sku].quantity - lines[sku].received
        if count > still:
            raise rules.more_than_ordered(sku, count, still)


def cancel(scope: Scope, reference: str, reason: str) -> None:
    """What has not come will not come. Canceling twice is once. Raises Problem 404, 409 `all-received`."""
    order = _locked(scope, reference)
    if order.cancelled_at is not None:
        return
    still = [row for row in scope.rows(LINES, order=order.id) if row.received < row.quantity]
    if not still:
        raise refused("all-received", f"All of {reference} has come: there is nothing to cancel.")
    scope.execute(
        "UPDATE inbound_orders SET cancelled_at = :now WHERE tenant_id = :tenant AND id = :id",
        id=order.id,
        now=scope.now(),
    )
    _tell(scope, [row.sku_id for row in still])
    audit.record(scope, "inbound.cancelled", reference, reason=reason)


def _tell(scope: Scope, skus: Iterable[UUID]) -> None:
    codes = sorted(str(sku) for sku in skus)
    scope.later(events.SUPPLY_CHANGED, UUID(codes[0]), skus=codes)


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(list(rows), default=str).decode()
