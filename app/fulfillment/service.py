"""The verbs of work at nodes: release to the node, accept, pack, deliver what is digital."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.calendar import local_date
from app.events import WINDOW_CLOSED, WORK_ACCEPTED, WORK_PACKED, WORK_SUBMITTED, record_all, tell
from app.fulfillment import rules
from app.fulfillment.queries import locked
from app.fulfillment.shipments import ship
from app.network.rules import ships_on
from app.orders.queries import work_documents
from app.routing.configuration import configuration
from app.transitions import REQUEST, WORK, transition, transition_all
from tenants.scope import Scope

FACTS = """
SELECT o.id, o.status, o.channel, o.total, o.authorized_total,
    (SELECT coalesce(sum(value_cancelled), 0) FROM order_lines
        WHERE tenant_id = :tenant AND order_id = o.id) AS cancelled,
    (SELECT coalesce(sum(amount), 0) FROM tenders
        WHERE tenant_id = :tenant AND order_id = o.id AND kind <> 'card') AS other,
    (SELECT count(*) FROM order_holds
        WHERE tenant_id = :tenant AND order_id = o.id AND released_at IS NULL) AS holds
FROM orders o WHERE o.tenant_id = :tenant AND o.id = ANY(:orders)
"""


def release_work(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Submit the order's held fulfillment orders to their nodes, when no hold is live, what is still wanted is paid
    or authorized, and no window gathers them: those wait for its end. Harmless when there is nothing to release, so
    any news may call it."""
    if (
        scope.row("SELECT id FROM orders WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=order_id)
        is None
    ):
        return
    held = scope.rows(
        "SELECT id, order_id, node, node_id, service, created_at FROM fulfillment_orders WHERE tenant_id = :tenant"
        " AND order_id = :order AND request_status = 'held' ORDER BY id FOR UPDATE",
        order=order_id,
    )
    facts = releasable(scope, [order_id]) if held else {}
    if order_id not in facts:
        return
    now = scope.now()
    ends = {work.id: _gathered_until(scope, facts[order_id].channel, work, now) for work in held}
    submit(scope, [work for work in held if ends[work.id] <= now])
    for end in sorted({end for end in ends.values() if end > now}):
        _gather(scope, [work for work, own in ends.items() if own == end], end)


def releasable(scope: Scope, order_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Those of some locked orders of which work may go to its nodes, with their facts."""
    rows = scope.rows(FACTS, orders=list(order_ids))
    return {row.id: row for row in rows if row.status == "placed" and not row.holds and _paid(row)}


def submit(scope: Scope, held: Sequence[Any]) -> None:
    """Give held work (rows with id, order_id and node, locked) to its nodes."""
    if not held:
        return
    transition_all(scope, REQUEST, [work.id for work in held], "held", "submitted")
    scope.execute(
        "UPDATE fulfillment_orders SET submitted_at = :now WHERE tenant_id = :tenant AND id = ANY(:ids)",
        now=scope.now(),
        ids=[work.id for work in held],
    )
    news = [(work.order_id, {"work": str(work.id), "node": work.node}) for work in held]
    record_all(scope, WORK_SUBMITTED, news)


def _gather(scope: Scope, work_ids: Sequence[UUID], end: datetime) -> None:
    """Have work wait for the end of its window, which closes once for all of its orders."""
    scope.execute(
        "UPDATE fulfillment_orders SET gathered_until = :end WHERE tenant_id = :tenant AND id = ANY(:ids)",
        end=end,
        ids=list(work_ids),
    )
    until = end.isoformat()
    scope.at(end, WINDOW_CLOSED, scope.tenant_id, key=f"window:{until}", shared=True, until=until)


def _gathered_until(scope: Scope, channel: str, work: Any, now: datetime) -> datetime:
    """When work goes to its node: at once, or with the others of its window, as the rules say.

    Express services and digital goods do not wait, nor does work that would leave its node on a later day for it.
    """
    configured = configuration(scope)
    _, rule = configured.ruled(channel)
    at = configured.network.index.get(str(work.node_id))
    waits = rule.release.mode == "window" and work.service not in rule.release.express
    if not waits or at is None or configured.network.kinds[at] == "virtual":
        return now
    ends = rules.window_end(work.created_at, rule.release.minutes)
    timetable = configured.network.timetables[at]
    leaves, later = (
        local_date(ships_on(moment, timetable, work.service), timetable.zone)
        for moment in (work.created_at, ends)
    )
    return ends if leaves == later else now


def _paid(facts: Any) -> bool:
    return rules.payment_allows(
        total=facts.total, cancelled=facts.cancelled, authorized=facts.authorized_total, other=facts.other
    )


def deliver_digital(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Kept delivers digital goods itself: released work of virtual nodes is accepted and shipped at once. A held
    order waits; lifting the hold delivers."""
    held = scope.rows(
        "SELECT id FROM order_holds WHERE tenant_id = :tenant AND order_id = :order AND released_at IS NULL",
        order=order_id,
    )
    if held:
        return
    for row in scope.rows(
        "SELECT f.id FROM fulfillment_orders f JOIN nodes n ON n.tenant_id = :tenant AND n.id = f.node_id"
        " WHERE f.tenant_id = :tenant AND f.order_id = :order AND n.kind = 'virtual'"
        " AND f.request_status IN ('submitted', 'accepted') ORDER BY f.id",
        order=order_id,
    ):
        _deliver(scope, row.id)


def _deliver(scope: Scope, work_id: UUID) -> None:
    work = locked(scope, work_id)
    if work["request_status"] == "submitted":
        _accept(scope, work)
    elif work["request_status"] != "accepted":
        return
    ship(scope, work_id, {"kind": "digital", "carrier": "", "service": "digital", "tracking_number": ""})


def accept(scope: Scope, work_id: UUID) -> dict[str, Any]:
    """The node takes the work on. Raises Problem 404, 409."""
    work = locked(scope, work_id)
    rules.check("accept", work["request_status"], work["work_status"])
    _accept(scope, work)
    return work_documents(scope, [work_id])[0]


def _accept(scope: Scope, work: Mapping[str, Any]) -> None:
    transition(scope, REQUEST, work["id"], work["request_status"], "accepted")
    scope.execute(
        "UPDATE fulfillment_orders SET answered_at = :now WHERE tenant_id = :tenant AND id = :id",
        now=scope.now(),
        id=work["id"],
    )
    tell(scope, work["order_id"], WORK_ACCEPTED, work=str(work["id"]), node=work["node"])


def pack(scope: Scope, work_id: UUID, lines: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """Units are in a parcel (by SKU; None = all). The work is packed when every open unit is.

    Raises Problem 404, 409 (`more-than-open`, or by the name of the state), 422.
    """
    work = locked(scope, work_id)
    rules.check("pack", work["request_status"], work["work_status"])
    own = work_lines(scope, work_id)
    packed = rules.assign(rules.asked(lines), [(line, rules.unpacked(line)) for line in own], "unpacked")
    if not packed:
        raise rules.nothing_to_do("pack")
    scope.many(
        "UPDATE fulfillment_order_lines SET packed = greatest(packed, shipped) + :units"
        " WHERE tenant_id = :tenant AND id = :id",
        [{"id": line["id"], "units": units} for line, units in packed],
    )
    left = sum(rules.unpacked(line) for line in own) - sum(units for _, units in packed)
    after = "picking" if left else "packed"
    if after != work["work_status"]:
        transition(scope, WORK, work_id, work["work_status"], after)
    tell(scope, work["order_id"], WORK_PACKED, work=str(work_id), units=sum(units for _, units in packed))
    return work_documents(scope, [work_id])[0]


def work_lines(scope: Scope, work_id: UUID) -> list[dict[str, Any]]:
    """The lines of a fulfillment order, the oldest line of the order first."""
    return [
        dict(row._mapping)
        for row in scope.rows(
            "SELECT f.* FROM fulfillment_order_lines f"
            " JOIN order_lines l ON l.tenant_id = :tenant AND l.id = f.order_line_id"
            " WHERE f.tenant_id = :tenant AND f.fulfillment_order_id = :id ORDER BY l.position, f.id",
            id=work_id,
        )
    ]
