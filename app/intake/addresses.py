"""An address that was never usable: the buyer is asked for another, and gives one, or never does.

Without an address the order is not properly completed (16 CFR 435.1(c)). The strict reading keeps the clock that began
with the order all the same; by the setting `address_completed` it begins anew with the usable address, if the buyer was
asked promptly. Nothing leaves meanwhile.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app import events
from app.calendar import add_working_days, local_date
from app.cancellation.lapses import will_not_ship
from app.cancellation.service import cancel_lines
from app.intake.completion import STOPS, asked_for_address, begin
from app.orders.service import lock, place_hold, release_hold
from app.promises import records
from app.promises.readings import from_settings
from infra.errors import Problem, invalid, refused
from tenants.scope import Scope

PROMPT_DAYS = 1
"""Working days after the order within which asking is prompt: the notice guide's own pace."""
HOLD = "address"
NEVER = "We asked you for an address we can send to, and none came"

OPEN = """
SELECT l.id, p.evidence->'readings' AS readings, p.state FROM order_lines l
JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
WHERE l.tenant_id = :tenant AND l.order_id = :order AND l.allocated + l.backordered > 0 AND p.vested_at IS NULL
    AND p.state <> 'not_covered' ORDER BY l.position
"""

PAID = """
SELECT greatest(max(o.placed_at), max(e.at)) AS at FROM orders o LEFT JOIN promise_events e ON e.tenant_id = :tenant
    AND e.order_id = o.id AND e.kind = 'completed'
WHERE o.tenant_id = :tenant AND o.id = :order
"""


def ask(scope: Scope, order_id: UUID, evidence: str, asked_at: datetime | None = None) -> bool:
    """Record that the buyer was asked for an address that can be used, at `asked_at` (UTC), else now, and hold the
    order. `evidence`: what shows it. Returns whether the clocks stand still from now on. Asked again while the answer
    is awaited, it is nothing.

    Raises Problem 404; 409 `order-cancelled`, `order-closed`, `promise-over`; 422 at /asked_at.
    """
    order, at = lock(scope, order_id), asked_at or scope.now()
    if not order.placed_at <= at <= scope.now():
        raise invalid("/asked_at", "Give a time after the order, and not in the future.")
    lines = scope.rows(OPEN, order=order_id)
    before = asked_for_address(scope, order_id)
    if before is not None:
        return bool(before.stops)
    place_hold(scope, order_id, HOLD, "The address cannot be used; the buyer was asked for another")
    if not lines:
        raise refused("promise-over", "Nothing of the order is open under a promise.")
    zone = scope.tenant.timezone
    prompt = local_date(at, zone) <= add_working_days(local_date(order.placed_at, zone), PROMPT_DAYS)
    stops = prompt and all(
        from_settings(line.readings).address_completed == "restarts_clock" for line in lines
    )
    if stops:
        scope.rows(STOPS, order=order_id)
    facts = {"evidence": evidence, "prompt": prompt, "stops": stops}
    records.note(scope, order_id, "address_asked", at, {line.id: facts for line in lines}, key=at.isoformat())
    events.tell(scope, order_id, events.ADDRESS_ASKED, reason=evidence, stops=stops)
    return stops


def came(scope: Scope, order_id: UUID, **_: Any) -> None:
    """The order's address was changed: where the buyer had been asked for one, it is usable now, and clocks that stood
    still begin anew; in California not later than the payment gave."""
    lock(scope, order_id)
    if asked_for_address(scope, order_id) is None:
        return
    now = scope.now()
    lines: dict[UUID, dict[str, Any]] = {line.id: {} for line in scope.rows(OPEN, order=order_id)}
    records.note(scope, order_id, "address_came", now, lines, key=now.isoformat())
    paid = scope.row(PAID, order=order_id)
    begin(
        scope, order_id, now, key=f"address:{now.isoformat()}", paid_at=paid.at if paid is not None else None
    )
    try:
        release_hold(scope, order_id, HOLD, "The buyer gave another address")
    except Problem as problem:
        if problem.code != "no-such-hold":
            raise


def never(scope: Scope, order_id: UUID, evidence: str) -> None:
    """No usable address ever came: the seller will not ship (435.2(b)(4), (c)(4)), and everything paid goes back,
    counted from now. Raises Problem 404; 409 `address-not-asked`, `promise-over`."""
    order = lock(scope, order_id)
    if asked_for_address(scope, order_id) is None:
        raise refused("address-not-asked", "Ask the buyer for an address first, and record that.")
    lines = scope.rows(OPEN, order=order_id)
    live = {line.id for line in lines if line.state not in ("incomplete", "delivery")}
    if live:
        will_not_ship(scope, order_id, live, f"{NEVER}. {evidence}")
    cancel_lines(scope, order, {line.id for line in lines} - live, NEVER)
