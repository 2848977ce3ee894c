"""Units that will not ship from where they were sent: rejected, not found on the shelf, or sent elsewhere.

Each verb gives the units back to the order (allocated -> backordered); a second step, after the commit, routes
them again without the nodes that could not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.allocation.matching import reroute
from app.allocation.service import Stock, release_all
from app.events import UNITS_WAITING, WORK_CANCELLED, WORK_PICKED, WORK_REJECTED, WORK_SHORT, record, tell
from app.fulfillment import refusals, rules
from app.fulfillment.queries import locked
from app.fulfillment.service import work_lines
from app.fulfillment.shipments import settle
from app.orders.queries import work_documents
from app.orders.service import place_hold
from app.transitions import WORK, transition
from tenants.scope import Scope


def reject(
    scope: Scope, work_id: UUID, reason: str, lines: Sequence[Mapping[str, Any]] | None
) -> dict[str, Any]:
    """The node refuses units (by SKU; None = all that is open). Raises Problem 404, 409, 422.

    The rule in force says by reason whether the units are on hold until somebody counts, or free, and what the
    order must not use any more. For a wrong address the order itself is put on hold until somebody corrects it.
    """
    work = locked(scope, work_id)
    rules.check("reject", work["request_status"], work["work_status"])
    own = work_lines(scope, work_id)
    refused = rules.assign(rules.asked(lines), [(line, rules.open_units(line)) for line in own])
    if not refused:
        raise rules.nothing_to_do("reject")
    ends = _refuse(scope, work, refused, reason)
    if reason == rules.ADDRESS:
        place_hold(scope, work["order_id"], "address", f"{work['node']} cannot send to this address.")
    scope.execute(
        "UPDATE fulfillment_orders SET reject_reason = :reason, answered_at = :now"
        " WHERE tenant_id = :tenant AND id = :id",
        reason=reason,
        now=scope.now(),
        id=work_id,
    )
    settle(scope, work, own, request="rejected", why=reason)
    record(scope, work["order_id"], WORK_REJECTED, **_news(work, refused, reason), ends=ends)
    return work_documents(scope, [work_id])[0]


def pick(scope: Scope, work_id: UUID, lines: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """Units were taken from the shelf (by SKU; None = all). Of a SKU that is named, the units that were not there
    are routed again; a SKU that is not named is still to be picked. Raises Problem 404, 409, 422."""
    work = locked(scope, work_id)
    rules.check("pick", work["request_status"], work["work_status"])
    own = work_lines(scope, work_id)
    wanted = rules.asked(lines)
    picked = rules.assign(wanted, [(line, rules.unpicked(line)) for line in own], "unpicked")
    if wanted is None and not picked:
        raise rules.nothing_to_do("pick")
    for line, units in picked:
        line["picked"] = max(line["picked"], line["shipped"]) + units
    scope.many(
        "UPDATE fulfillment_order_lines SET picked = :picked WHERE tenant_id = :tenant AND id = :id",
        [{"id": line["id"], "picked": line["picked"]} for line, _ in picked],
    )
    if work["work_status"] == "open" and picked:
        transition(scope, WORK, work_id, "open", "picking")
        work["work_status"] = "picking"
    tell(scope, work["order_id"], WORK_PICKED, work=str(work_id), units=sum(units for _, units in picked))
    _short(scope, work, own, wanted)
    return work_documents(scope, [work_id])[0]


def _short(
    scope: Scope, work: dict[str, Any], own: list[rules.Line], wanted: Mapping[str, int] | None
) -> None:
    missing = [
        (line, rules.unpicked(line))
        for line in own
        if wanted is not None and line["sku"] in wanted and rules.unpicked(line)
    ]
    if not missing:
        return
    ends = _refuse(scope, work, missing, rules.SHORT)
    scope.execute(
        "UPDATE fulfillment_orders SET reject_reason = :reason WHERE tenant_id = :tenant AND id = :id",
        reason=rules.SHORT,
        id=work["id"],
    )
    settle(scope, work, own, why=rules.SHORT)
    record(scope, work["order_id"], WORK_SHORT, **_news(work, missing, rules.SHORT), ends=ends)


def _refuse(
    scope: Scope, work: Mapping[str, Any], units: Sequence[tuple[rules.Line, int]], reason: str
) -> str:
    """Give units back as the rule says for this reason. Returns where they go when they are not routed again."""
    reroute = refusals.policy(scope, work["order_channel"])
    effect = rules.effect(reason, reroute.reasons)
    give_back(scope, units, reason, "on_hold" if effect.stock == "hold" else "free")
    refusals.exclude(scope, units, effect.exclude)
    if reason != rules.ADDRESS:
        refusals.cool_down(scope, work, units, reason, reroute.cool_down_minutes)
    return refusals.spent(scope, work, reason, reroute)


def give_back(
    scope: Scope, units: Sequence[tuple[rules.Line, int]], reason: str, stock: Stock = "free"
) -> None:
    """Units of work wait again (line, units); the lines are brought up to date."""
    counts = {line["id"]: count for line, count in units}
    release_all(scope, counts, back_to="backorder", stock=stock, why=reason)
    for line, count in units:
        line["released"] += count


def _news(work: Mapping[str, Any], units: Sequence[tuple[rules.Line, int]], reason: str) -> dict[str, Any]:
    return {
        "work": str(work["id"]),
        "node": work["node"],
        "reason": reason,
        "units": sum(count for _, count in units),
    }


def route_again(scope: Scope, order_id: UUID, *, reason: str = "moved", ends: str = "", **_: Any) -> None:
    """After units came back, in a transaction of its own: route them without the nodes that could not. When they
    were refused too often (`ends`), they go where the rule says instead."""
    if not ends:
        reroute(scope, order_id, cause=reason if reason in ("moved", rules.SHORT) else "rejected")


def take_back(scope: Scope, order_id: UUID, *, moved: bool = False, **_: Any) -> None:
    """After a change of address: take back what no node has accepted; it is routed to the new place next."""
    if not moved:
        return
    rows = scope.rows(
        "SELECT id FROM fulfillment_orders WHERE tenant_id = :tenant AND order_id = :order"
        " AND request_status IN ('held', 'submitted') AND ship_to IS NULL ORDER BY id",
        order=order_id,
    )
    withdraw(scope, order_id, [row.id for row in rows], "moved")


def withdraw(scope: Scope, order_id: UUID, work_ids: Sequence[UUID], why: str) -> None:
    """Take work of one order back from its nodes, as far as nobody has accepted it; it is routed again next."""
    work = [locked(scope, one) for one in work_ids]
    units = [(line, rules.open_units(line)) for one in work for line in _own(scope, one)]
    if not units:
        return
    give_back(scope, units, why)
    for one in work:
        if one["request_status"] in ("held", "submitted"):
            settle(scope, one, work_lines(scope, one["id"]), why=why)
            tell(scope, order_id, WORK_CANCELLED, work=str(one["id"]), node=one["node"], reason=why)
    scope.later(UNITS_WAITING, order_id)


def _own(scope: Scope, work: Mapping[str, Any]) -> list[rules.Line]:
    """Open lines of work that nobody has accepted meanwhile."""
    if work["request_status"] not in ("held", "submitted"):
        return []
    return [line for line in work_lines(scope, work["id"]) if rules.open_units(line)]
