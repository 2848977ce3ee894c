"""What becomes of orders that routing could not place: a person decides, or the rule has them canceled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from app.allocation import matching
from app.cancellation.service import cancel
from app.events import ROUTING_DECIDED, tell
from app.exceptions import queries, rules
from app.exceptions.rules import NOT_AVAILABLE
from app.orders.service import lock
from app.orders.shapes import order_number
from app.routing.configuration import configuration
from app.routing.explanations import FULL, explain_table
from infra.errors import Problem, invalid, not_found, refused
from tenants import audit
from tenants.scope import Scope

WAITING = """
SELECT id, backordered FROM order_lines
WHERE tenant_id = :tenant AND order_id = :order AND backordered > 0 ORDER BY position
"""

FREE = """
SELECT s.code AS sku, need.units, coalesce((
    SELECT sum(greatest(0, p.on_hand - p.reserved - p.safety)) FROM stock_positions p
    WHERE p.tenant_id = :tenant AND p.sku_id = need.sku_id AND p.node_id = :node AND p.disposition = 'sellable'
        AND p.segment IN ('shared', :channel)), 0)::bigint AS free
FROM (SELECT part.sku_id, sum(part.units)::bigint AS units FROM order_lines l CROSS JOIN LATERAL (
        SELECT l.sku_id, l.backordered AS units WHERE jsonb_array_length(l.components) = 0
        UNION ALL SELECT CAST(one->>'sku_id' AS uuid), l.backordered * CAST(one->>'quantity' AS bigint)
        FROM jsonb_array_elements(l.components) one) part
    WHERE l.tenant_id = :tenant AND l.order_id = :order AND l.backordered > 0
        AND l.kind NOT IN ('made_to_order', 'digital', 'gift_card_digital')
    GROUP BY 1) need
JOIN skus s ON s.tenant_id = :tenant AND s.id = need.sku_id ORDER BY s.code
"""

CLOSE = """
UPDATE routing_exceptions SET state = 'closed', action = :action, closed_at = :now, closed_by = :who
WHERE tenant_id = :tenant AND id = :id
"""

OVER = """
UPDATE routing_exceptions SET state = 'closed', action = :action, closed_at = :now, closed_by = :who
WHERE tenant_id = :tenant AND order_id = :order AND state = 'open' AND kind <> 'gone' AND NOT EXISTS (
    SELECT 1 FROM order_lines l WHERE l.tenant_id = :tenant AND l.order_id = :order AND l.backordered > 0)
"""


def cancel_unfilled(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Cancel what nobody can fill of an order whose rule says so; once, and harmless when there is none."""
    order = scope.row(
        "SELECT status FROM orders WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=order_id
    )
    found = scope.row(
        "SELECT id FROM routing_exceptions WHERE tenant_id = :tenant AND order_id = :order AND kind = 'cancel'"
        " AND state = 'open' FOR UPDATE",
        order=order_id,
    )
    if order is None or found is None:
        return
    lines = _waiting(scope, order_id)
    if order.status == "placed" and lines:
        cancel(scope, order_id, lines, NOT_AVAILABLE)
        _close(scope, found.id, "cancelled")
    else:
        _over(scope, order_id, "cancelled")


def routed(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Close what an order was stuck for when all of it has a place after all."""
    _over(scope, order_id, "routed")


def cancelled(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Close what an order was stuck for when what waited is canceled."""
    _over(scope, order_id, "cancelled")


def resolve(scope: Scope, exception_id: UUID, action: str, node: str | None = None) -> dict[str, Any]:
    """A person decides about an exception; returns it closed. `route`: try again now, without what earlier
    refusals excluded; `assign`: all that waits goes to `node`; `backorder`: it waits; `cancel`: it is canceled;
    `settle`: goods that left although canceled by law were looked into.

    Raises Problem 404; 409 `exception-closed`, `wrong-action`, `order-<status>`, `nothing-waits`, `still-nowhere`,
    `node-closed`, `too-few-there`, `node-full`, `node-cannot`; 422 at /node.
    """
    if (action == "assign") != (node is not None):
        raise invalid("/node", "Name the node with the action assign, and with no other.")
    found = scope.row(
        "SELECT order_id FROM routing_exceptions WHERE tenant_id = :tenant AND id = :id", id=exception_id
    )
    if found is None:
        raise not_found("routing exception")
    order = lock(scope, found.order_id)
    own = scope.row(
        "SELECT * FROM routing_exceptions WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=exception_id
    )
    assert own is not None
    rules.check_open(own.state, own.action, own.closed_by)
    rules.check_action(own.kind, action)
    if own.kind == rules.GONE:
        _close(scope, own.id, rules.ACTIONS[action])
        return queries.shown(scope, own.id)
    if order.status != "placed":
        raise refused(f"order-{order.status}", f"The order is {order.status}: nothing of it waits.")
    if not _waiting(scope, order.id):
        raise refused("nothing-waits", "No unit of this order waits any more.")
    _close(scope, own.id, rules.ACTIONS[action])
    ACTS[action](scope, order, node or "")
    tell(scope, order.id, ROUTING_DECIDED, action=rules.ACTIONS[action], kind=own.kind, node=node)
    audit.record(
        scope, f"routing.{rules.ACTIONS[action]}", order_number(order.number), kind=own.kind, node=node
    )
    return queries.shown(scope, own.id)


def resolve_all(
    scope: Scope, ids: Sequence[UUID], action: str, node: str | None = None
) -> tuple[int, list[tuple[str, str]]]:
    """Decide several in the same way, each for itself: how many were, and (order, reason) of those that could not be
    and stay as they are. Orders are locked in the order of their ids, so two such acts do not wait for each other."""
    found = scope.rows(
        "SELECT e.id, o.number FROM routing_exceptions e JOIN orders o ON o.tenant_id = :tenant AND o.id = e.order_id"
        " WHERE e.tenant_id = :tenant AND e.id = ANY(:ids) ORDER BY e.order_id",
        ids=list(ids),
    )
    skipped = []
    for row in found:
        try:
            with scope.session.begin_nested():
                resolve(scope, row.id, action, node)
        except Problem as problem:
            skipped.append((order_number(row.number), problem.detail))
    return len(found) - len(skipped), skipped


def own(scope: Scope, ids: Sequence[UUID], owner: str) -> int:
    """Say who looks after open exceptions (an actor, or '' for nobody). Returns how many it was said of."""
    changed = scope.rows(
        "UPDATE routing_exceptions SET owner = :owner WHERE tenant_id = :tenant AND state = 'open' AND id = ANY(:ids)"
        " RETURNING id",
        owner=owner,
        ids=list(ids),
    )
    return len(changed)


def _route(scope: Scope, order: Any, _: str) -> None:
    scope.execute(
        "UPDATE fulfillment_order_lines l SET excludes = NULL FROM fulfillment_orders f"
        " WHERE l.tenant_id = :tenant AND f.tenant_id = :tenant AND f.id = l.fulfillment_order_id"
        " AND f.order_id = :order AND l.excludes IS NOT NULL",
        order=order.id,
    )
    if not matching.reroute(scope, order.id, cause="asked"):
        raise rules.nowhere(_last(scope, order.id)[-1].sentence)


def _assign(scope: Scope, order: Any, code: str) -> None:
    node = scope.row("SELECT id, name, open FROM nodes WHERE tenant_id = :tenant AND code = :code", code=code)
    if node is None:
        raise invalid("/node", f"There is no node {code}.")
    free = scope.rows(FREE, order=order.id, node=node.id, channel=order.channel)
    rules.check_node(node.name, node.open, [rules.Wanted(row.sku, row.units, row.free) for row in free])
    matching.reroute(scope, order.id, cause="assigned", only=code)
    if _waiting(scope, order.id):
        raise _cannot(scope, order.id, code, node.name)


def _cannot(scope: Scope, order_id: UUID, code: str, name: str) -> Exception:
    """Why the decision left something out although the goods are there."""
    network = configuration(scope).network
    for decision in _last(scope, order_id):
        for row in explain_table(decision.explanation, network, scope.tenant.currency):
            if row.code == code and row.packages is None:
                nodes = decision.explanation["nodes"]
                full = nodes["outcome"][nodes["code"].index(code)] == chr(FULL)
                return rules.cannot_send(name, row.outcome, full=full)
    return rules.cannot_send(name, "a part of it is held for other channels", full=False)


def _last(scope: Scope, order_id: UUID) -> list[Any]:
    """The decisions of the order's last routing: one for each address."""
    return scope.rows(
        "SELECT sentence, explanation FROM routing_decisions WHERE tenant_id = :tenant AND order_id = :order"
        " AND made_at = (SELECT max(made_at) FROM routing_decisions WHERE tenant_id = :tenant"
        " AND order_id = :order) ORDER BY id",
        order=order_id,
    )


def _backorder(scope: Scope, order: Any, _: str) -> None:
    """Nothing else: from now on it is matched to stock that comes."""


def _cancel(scope: Scope, order: Any, _: str) -> None:
    cancel(scope, order.id, _waiting(scope, order.id), NOT_AVAILABLE)


ACTS: dict[str, Callable[[Scope, Any, str], None]] = {
    "route": _route,
    "assign": _assign,
    "backorder": _backorder,
    "cancel": _cancel,
}


def _waiting(scope: Scope, order_id: UUID) -> list[dict[str, Any]]:
    """What of each line waits, as a cancellation names it."""
    return [{"id": str(row.id), "quantity": row.backordered} for row in scope.rows(WAITING, order=order_id)]


def _close(scope: Scope, exception_id: UUID, action: str) -> None:
    scope.execute(CLOSE, id=exception_id, action=action, now=scope.now(), who=str(scope.actor))


def _over(scope: Scope, order_id: UUID, action: str) -> None:
    scope.execute(OVER, order=order_id, action=action, now=scope.now(), who=str(scope.actor))
