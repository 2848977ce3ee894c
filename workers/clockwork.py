"""Moving a sandbox's business clock: what falls due on the way is run, in order, in this process.

The clock stops at every timer on the way: the tenant's time and its Stripe simulator's time are set to that
moment, the timer fires, and all later work it causes is done before the clock goes on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

import requests

from infra import outbox, settings
from infra.clock import business_now, real_now
from infra.errors import Problem, invalid
from tenants import audit
from tenants.scope import SYSTEM, Actor, inside
from workers.runner import drain

MOST = timedelta(days=3660)


def advance(tenant_id: UUID, to: datetime, actor: Actor = SYSTEM) -> dict[str, object]:
    """Move a sandbox's clock to `to` (UTC, business time). Returns the new time and what was done.

    Raises Problem 409 for a live tenant, 422 for a time that is past or more than ten years ahead.
    """
    with inside(tenant_id, actor) as scope:
        tenant = scope.tenant
        start = business_now(tenant.clock_offset)
        if tenant.environment != "sandbox":
            raise Problem(409, "live-clock", "Only a sandbox's clock can be moved.")
        if not timedelta(0) <= to - start <= MOST:
            raise invalid("/to", "The clock moves forward only, by at most ten years at once.")
        audit.record(scope, "clock.moved", tenant.name, before=start, after=to)
    fired, done = 0, drain(tenant_id)
    while (due := _next_due(tenant_id)) is not None and due <= to:
        _set(tenant_id, max(due, start))
        with inside(tenant_id) as scope:
            fired += outbox.fire_due(scope.session, tenant_id, max(due, scope.now()))
        done += drain(tenant_id)
    _set(tenant_id, to)
    done += drain(tenant_id)
    return {"now": to, "timers": fired, "jobs": done}


def _next_due(tenant_id: UUID) -> datetime | None:
    with inside(tenant_id) as scope:
        row = scope.row("SELECT min(due_at) AS due FROM timers WHERE tenant_id = :tenant AND state = 'armed'")
    return row.due if row else None


def _set(tenant_id: UUID, moment: datetime) -> None:
    """Set the tenant's clock, and with it the simulator's clock of its connected account. Rounded up: a
    clock that stood some tenths before the moment would find nothing due, and ask again until they have passed."""
    with inside(tenant_id) as scope:
        account = scope.tenant.stripe_account
        offset = ceil((moment - real_now()).total_seconds())
        scope.execute(
            "UPDATE tenants SET clock_offset = greatest(clock_offset, :offset) WHERE tenant_id = :tenant",
            offset=offset,
        )
    base = settings.current().stripe_api_base
    if account and base:
        _set_processor(base, account, moment)


def _set_processor(base: str, account: str, moment: datetime) -> None:
    """Move the simulator's clock to the moment, if it is not past it already: real time runs on while work is done,
    and it refuses to turn back."""
    clock = f"{base}/_simulator/clock"
    found = requests.get(clock, params={"account": account}, timeout=10)
    found.raise_for_status()
    ahead = ceil(moment.timestamp()) - int(found.json()["now"])
    if ahead > 0:
        answer = requests.post(clock, json={"account": account, "advance_seconds": ahead}, timeout=10)
        answer.raise_for_status()
