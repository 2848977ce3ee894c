"""What a refusal does besides giving units back, as the rule in force for the order's channel says: what the order
may not use any more, what rests for everybody, and when it has been tried often enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson

from app.events import STOCK_AVAILABLE, WORK_REJECTED, WORK_SHORT
from app.fulfillment import rules
from app.routing import stuck
from app.routing.configuration import configuration
from app.routing.policy import Reroute
from infra.ids import new_id
from tenants.scope import Scope

REST = """
INSERT INTO cool_downs (tenant_id, id, node_id, sku_id, reason, until)
SELECT :tenant, c.id, :node, c.sku_id, :reason, :until
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS c(id uuid, sku_id uuid) ORDER BY c.sku_id
ON CONFLICT (tenant_id, node_id, sku_id) DO UPDATE SET reason = EXCLUDED.reason,
    until = greatest(cool_downs.until, EXCLUDED.until)
"""

REFUSALS = """
SELECT coalesce(n.name, t.data->>'node') AS node, t.data->>'reason' AS reason
FROM timeline t LEFT JOIN nodes n ON n.tenant_id = :tenant AND n.code = t.data->>'node'
WHERE t.tenant_id = :tenant AND t.order_id = :order AND t.name IN (:rejected, :short)
    AND t.at > coalesce((SELECT max(e.closed_at) FROM routing_exceptions e WHERE e.tenant_id = :tenant
        AND e.order_id = :order AND e.kind = 'cycles' AND e.state = 'closed'), '-infinity')
ORDER BY t.id
"""


def policy(scope: Scope, channel: str) -> Reroute:
    """What the rule in force says about refusals of a channel's orders."""
    return configuration(scope).ruled(channel)[1].reroute


def exclude(scope: Scope, units: Iterable[tuple[rules.Line, int]], what: str) -> None:
    """Keep the order away from the node, or from single SKUs there. A node that is excluded stays excluded."""
    if what == "none":
        return
    scope.many(
        "UPDATE fulfillment_order_lines SET excludes = CASE WHEN excludes = 'node' THEN excludes ELSE :what END"
        " WHERE tenant_id = :tenant AND id = :id",
        [{"id": line["id"], "what": what} for line, _ in units],
    )


def cool_down(
    scope: Scope, work: Mapping[str, Any], units: Sequence[tuple[rules.Line, int]], reason: str, minutes: int
) -> None:
    """Let the node rest for these SKUs: no order gets them from there meanwhile. Whoever waits is asked again
    when it ends."""
    if not minutes:
        return
    until = scope.now() + timedelta(minutes=minutes)
    skus = sorted({line["sku_id"] for line, _ in units}, key=str)
    rows = [{"id": new_id(), "sku_id": sku} for sku in skus]
    scope.execute(
        REST,
        node=work["node_id"],
        reason=reason,
        until=until,
        doc=orjson.dumps(rows, default=str).decode(),
    )
    for sku in skus:
        key = f"cool-down:{work['node_id']}:{sku}"
        scope.at(until, STOCK_AVAILABLE, sku, key=key, skus=[str(sku)], cause="rested")


def spent(scope: Scope, work: Mapping[str, Any], reason: str, reroute: Reroute) -> str:
    """Where the order goes when this refusal is one too many (`queue`, `backorder` or `cancel`), else ''.

    Refusals are counted since a person last decided. The order's row is locked by the caller.
    """
    refused = [
        (row.node, row.reason)
        for row in scope.rows(REFUSALS, order=work["order_id"], rejected=WORK_REJECTED, short=WORK_SHORT)
    ]
    own = scope.row(
        "SELECT name FROM nodes WHERE tenant_id = :tenant AND id = :id",
        id=work["node_id"],
    )
    assert own is not None
    refused.append((own.name, reason))
    if len(refused) <= reroute.most_cycles:
        return ""
    if reroute.then != "backorder":
        kind = "cycles" if reroute.then == "queue" else stuck.KINDS[reroute.then]
        stuck.leave(scope, work["order_id"], kind, rules.refused_by(refused))
    return reroute.then
