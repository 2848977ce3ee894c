"""What a buyer asks for or agrees to after the order: a later date, or other goods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from app import events
from app.promises import records
from app.promises.service import lock, stand
from app.promises.standing import Standing, standings
from app.promises.vocabulary import LIVE, Phase
from infra.errors import invalid, not_found, refused
from tenants.scope import Scope

MOVE = """
UPDATE promises p SET stated = true, basis = 'stated', original_date = :day, original_deadline = c.deadline,
    deadline = c.deadline
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS c(line uuid, deadline timestamptz)
WHERE p.tenant_id = :tenant AND p.order_line_id = c.line
"""


def amend(
    scope: Scope,
    order_id: UUID,
    line_ids: Sequence[UUID],
    evidence: str,
    *,
    ship_by: date | None = None,
    substitute: str = "",
) -> list[UUID]:
    """Record that the buyer asks to have lines shipped by a later day, which becomes their stated time; or agrees to
    other goods, which leaves the clock as it is. `evidence`: the buyer's words. Returns the lines.

    Raises Problem 404, 409 `promise-over`, `delay-asked` when a delay notice asked already, 422 for a day that is not
    later.
    """
    lock(scope, order_id)
    every = {one.line.id: one for one in standings(scope, order_id)}
    if not set(line_ids) <= every.keys():
        raise not_found("line")
    chosen = [every[line] for line in dict.fromkeys(line_ids)]
    for one in chosen:
        if not one.open_units or one.vested or one.at(scope.now()).phase not in LIVE:
            raise refused(
                "promise-over", f"{one.line.title} is shipped, cancelled or past its last day already."
            )
    if ship_by is not None:
        _move(scope, order_id, chosen, ship_by)
    kind = "later_asked" if ship_by is not None else "substituted"
    key = ship_by.isoformat() if ship_by is not None else substitute
    kept = {one.line.id: _kept(one, ship_by, substitute, evidence) for one in chosen}
    if records.note(scope, order_id, kind, scope.now(), kept, key=key):
        said = f"Ship by {ship_by}" if ship_by is not None else f"Takes {substitute} instead"
        events.tell(scope, order_id, events.PROMISE_AMENDED, reason=f"{said}: {evidence}")
    stand(scope, order_id)
    return [one.line.id for one in chosen]


def _move(scope: Scope, order_id: UUID, chosen: Sequence[Standing], ship_by: date) -> None:
    rows = []
    for one in chosen:
        clock = one.state.clock
        assert clock is not None
        if one.state.phase is not Phase.OPEN or one.state.notices:
            raise refused(
                "delay-asked", f"The buyer of {one.line.title} was asked about a delay: record their answer."
            )
        if clock.end_of(ship_by) <= clock.deadline_at:
            raise invalid("/ship_by", "Give a day after the one promised.")
        rows.append({"line": one.line.id, "deadline": clock.end_of(ship_by)})
    scope.execute(MOVE, day=ship_by, doc=orjson.dumps(rows).decode())


def _kept(one: Standing, ship_by: date | None, substitute: str, evidence: str) -> dict[str, Any]:
    clock = one.state.clock
    assert clock is not None
    before = {"ship_by": clock.ship_by, "deadline": clock.deadline_at}
    return {"before": before, "ship_by": ship_by, "substitute": substitute, "evidence": evidence}
