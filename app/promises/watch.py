"""The watch over promises: it wakes at the next instant at which time does something to a line of the tenant.

`promises.due_at` says when each line must be looked at; the scan is one range of one index, whatever the number of
promises. It only finds who is due: what follows happens order by order (topic DUE).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from infra.clock import real_now
from infra.ids import new_id
from tenants.scope import Scope

SCAN, DUE = "promise.scan", "promise.due"
TIMER = "promise-scan"
AT_LEAST_EVERY = timedelta(hours=1)
"""The net under it: a line whose transaction committed while the scan read is found by the next one."""
IN_A_SANDBOX = timedelta(days=1)
"""The same where the clock is moved and stops at every timer on the way."""
LOOKED_AT = timedelta(hours=1)
"""An order whose look was lost is looked at again after this."""
MOST_LINES = 1000

FIND = """
SELECT id, order_id, {due} AS due_at FROM promises WHERE tenant_id = :tenant AND {due} <= :now
ORDER BY {due} LIMIT :most FOR UPDATE SKIP LOCKED
"""

LEASE = """
UPDATE promises SET {due} = :again WHERE tenant_id = :tenant AND id = ANY(:ids)
"""

NEXT = """
SELECT least((SELECT min(due_at) FROM promises WHERE tenant_id = :tenant AND due_at IS NOT NULL),
    (SELECT min(delivery_due_at) FROM promises WHERE tenant_id = :tenant AND delivery_due_at IS NOT NULL)) AS due
"""
CLOCKS = ("due_at", "delivery_due_at")
"""The columns that say when to look: at the delay rule's clock, and at the clock of delivery."""

QUEUE = """
INSERT INTO outbox (tenant_id, id, topic, subject_id, payload, available_at, created_at)
SELECT :tenant, d.id, d.topic, d.order_id, d.payload, :real, :real
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS d(id uuid, topic text, order_id uuid, payload jsonb) ORDER BY d.id
"""

SOONER = """
UPDATE timers SET due_at = :due WHERE tenant_id = :tenant AND key = :key AND state = 'armed' AND due_at > :due
"""


def arm_scan(scope: Scope, tenant_id: UUID, **_: Any) -> None:
    """Begin to watch a tenant's promises, or go on."""
    now = scope.now()
    found = scope.row(NEXT)
    net = now + (IN_A_SANDBOX if scope.tenant.environment == "sandbox" else AT_LEAST_EVERY)
    due = min(found.due, net) if found is not None and found.due is not None else net
    scope.at(max(due, now), SCAN, tenant_id, key=TIMER)


def scan(scope: Scope, tenant_id: UUID, **_: Any) -> None:
    """Have every order looked at that is due, in the order in which they fell due, and set the clock anew."""
    now = scope.now()
    orders: dict[UUID, datetime] = {}
    for clock in CLOCKS:
        found = scope.rows(FIND.format(due=clock), now=now, most=MOST_LINES)
        for row in found:
            orders[row.order_id] = min(orders.get(row.order_id, row.due_at), row.due_at)
        if found:
            scope.execute(LEASE.format(due=clock), again=now + LOOKED_AT, ids=[row.id for row in found])
    if orders:
        scope.execute(
            QUEUE,
            real=real_now(),
            doc=orjson.dumps(
                [
                    {"id": new_id(), "topic": DUE, "order_id": order, "payload": {"due": due.isoformat()}}
                    for order, due in sorted(orders.items(), key=lambda one: one[1])
                ]
            ).decode(),
        )
    arm_scan(scope, tenant_id)


def sooner(scope: Scope, due: datetime) -> None:
    """Have the watch wake by `due` (business time), if it would sleep longer."""
    scope.execute(SOONER, due=due, key=TIMER)
