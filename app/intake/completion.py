"""A properly completed order (16 CFR 435.1(c)) that turns out not to be one, and becomes one after all.

A payment that is declined at first, or a credit that is refused, stops the clock of every line: nothing was tendered.
The clock begins anew, whole, when the replacement is authorized. A later authorization that fails does not stop it.
An address that was never usable: addresses.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from app import events
from app.intake.terms import promise_input
from app.network.places import destination_zones
from app.orders.service import lock
from app.payments.attempts import all_covered
from app.payments.book import opened
from app.promises import records, watch
from app.promises.readings import from_settings
from app.promises.regimes import Regime, california_clock
from app.promises.rules import Clock, clock
from app.promises.timing import first_look
from tenants.scope import Scope

STOPS = """
UPDATE promises p SET state = 'incomplete', due_at = NULL FROM order_lines l
WHERE p.tenant_id = :tenant AND p.order_id = :order AND l.tenant_id = :tenant AND l.id = p.order_line_id
    AND l.allocated + l.backordered > 0 AND p.vested_at IS NULL
    AND p.state NOT IN ('shipped', 'cancelled', 'not_covered', 'incomplete', 'delivery')
RETURNING p.order_line_id, p.made_at, p.original_date, p.original_deadline
"""

EVER_HELD = """
SELECT count(*) AS times FROM ledger_entries e
WHERE e.tenant_id = :tenant AND e.order_id = :order AND e.kind IN ('authorize', 'capture') AND e.outcome = 'succeeded'
"""

STOPPED = """
SELECT p.order_line_id, p.evidence, p.regimes, p.made_at, coalesce(l.ship_to, o.ship_to) AS ship_to FROM promises p
JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id
JOIN orders o ON o.tenant_id = :tenant AND o.id = p.order_id
WHERE p.tenant_id = :tenant AND p.order_id = :order AND p.state = 'incomplete'
"""

BEGINS = """
UPDATE promises p SET state = 'open', deadline = c.deadline, due_at = c.due_at
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS c(line uuid, deadline timestamptz, due_at timestamptz)
WHERE p.tenant_id = :tenant AND p.order_line_id = c.line
"""

AWAITED = """
SELECT kind, data->>'stops' = 'true' AS stops FROM promise_events WHERE tenant_id = :tenant AND order_id = :order
    AND kind IN ('address_asked', 'address_came') ORDER BY id DESC LIMIT 1
"""

DISHONOR = frozenset({"action_required"})
"""Answers that are no refusal: the bank still asks."""


def refused(scope: Scope, order_id: UUID, *, code: str = "", entry: str = "", **_: Any) -> None:
    """A payment was refused. Before anything was ever held or taken for the order, that stops its clocks."""
    if code in DISHONOR:
        return
    lock(scope, order_id)
    held = scope.row(EVER_HELD, order=order_id)
    if held is not None and held.times:
        return
    now = scope.now()
    stopped = scope.rows(STOPS, order=order_id)
    lines = {
        row.order_line_id: {
            "before": {"pco": row.made_at, "ship_by": row.original_date, "deadline": row.original_deadline}
        }
        for row in stopped
    }
    if records.note(scope, order_id, "dishonored", now, lines, key=entry or now.isoformat()):
        events.tell(scope, order_id, events.PROMISE_STOPPED, code=code)


def paid(scope: Scope, order_id: UUID, *, entry: str = "", **_: Any) -> None:
    """A payment is held. When nothing is missing any more, clocks that had stopped begin anew, counted from the
    moment at which it was asked for."""
    lock(scope, order_id)
    asked = scope.row(
        "SELECT at FROM ledger_entries WHERE tenant_id = :tenant AND id = CAST(:id AS uuid)", id=entry or None
    )
    begin(scope, order_id, asked.at if asked is not None else scope.now(), key=entry)


def begin(
    scope: Scope, order_id: UUID, pco: datetime, *, key: str = "", paid_at: datetime | None = None
) -> None:
    """Begin the clocks that had stopped anew, whole, if neither payment nor address is missing now. `pco`: when the
    last of them came, UTC; `paid_at`: when a payment was accepted, if that was before. The caller holds the order."""
    stopped = scope.rows(STOPPED, order=order_id)
    asked = asked_for_address(scope, order_id)
    if not stopped or (asked is not None and asked.stops) or not all_covered(opened(scope, order_id)):
        return
    begun = {row.order_line_id: _clock(scope, row, pco, paid_at or pco) for row in stopped}
    rows = [
        {
            "line": line,
            "deadline": one.deadline_at,
            "due_at": first_look(one.deadline_at, one.pco, one.settings.decide_days),
        }
        for line, one in begun.items()
    ]
    scope.execute(BEGINS, doc=orjson.dumps(rows).decode())
    watch.sooner(scope, min(row["due_at"] for row in rows))
    lines = {line: _shown(one) for line, one in begun.items()}
    if records.note(scope, order_id, "completed", pco, lines, key=key or pco.isoformat()):
        events.tell(scope, order_id, events.PROMISE_RESUMED, at=pco)


def asked_for_address(scope: Scope, order_id: UUID) -> Any | None:
    """The event by which the buyer was asked for an address that can be used (`stops`: the clocks wait for it); None
    where none was, or one came since."""
    row = scope.row(AWAITED, order=order_id)
    return row if row is not None and row.kind == "address_asked" else None


def _clock(scope: Scope, row: Any, pco: datetime, paid_at: datetime) -> Clock:
    zones = destination_zones(
        row.ship_to.get("country") or "US", row.ship_to.get("region"), row.ship_to.get("postal_code")
    )
    readings = from_settings(row.evidence.get("readings"))
    shown = promise_input(_dated(row.evidence.get("shown")), row.evidence.get("transit_days"))
    made = clock(pco, zones, scope.tenant.timezone, shown, settings=readings)
    if Regime.US_CALIFORNIA in row.regimes:
        return california_clock(made, paid_at, [shown] if shown else [], readings)
    return made


def _dated(shown: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What was shown, as intake knew it: its days were kept as text."""
    if not shown:
        return None
    days = ("ship_by", "deliver_by")
    return {
        name: date.fromisoformat(value) if name in days and value else value for name, value in shown.items()
    }


def _shown(one: Clock) -> dict[str, Any]:
    return {"pco": one.pco, "ship_by": one.ship_by, "deadline": one.deadline_at, "basis": one.basis}
