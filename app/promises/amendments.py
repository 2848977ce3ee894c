"""What a buyer asks for or agrees to after the order: a later date, or other goods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app import events
from app.promises import records
from app.promises.service import lock, stand
from app.promises.standing import Standing, standings
from app.promises.states import advance
from app.promises.vocabulary import LaterDateAsked, Outcome
from infra.errors import invalid, not_found, refused
from tenants.scope import Scope


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

    Raises Problem 404, 409 `promise-over`, 422 for a day that is not later than the one in force.
    """
    lock(scope, order_id)
    every = {one.line.id: one for one in standings(scope, order_id)}
    if not set(line_ids) <= every.keys():
        raise not_found("line")
    chosen = [every[line] for line in dict.fromkeys(line_ids)]
    for one in chosen:
        if not one.lives(scope.now()):
            raise refused(
                "promise-over", f"{one.line.title} is shipped, canceled or past its last day already."
            )
    for one in chosen:
        _check(one, scope.now(), ship_by)
    kind = "later_asked" if ship_by is not None else "substituted"
    key = ship_by.isoformat() if ship_by is not None else substitute
    kept = {one.line.id: _kept(one, ship_by, substitute, evidence) for one in chosen}
    if records.note(scope, order_id, kind, scope.now(), kept, key=key):
        said = f"Ship by {ship_by}" if ship_by is not None else f"Takes {substitute} instead"
        events.tell(scope, order_id, events.PROMISE_AMENDED, reason=f"{said}: {evidence}")
    stand(scope, order_id)
    return [one.line.id for one in chosen]


def _check(one: Standing, now: datetime, ship_by: date | None) -> None:
    """Raises Problem 422 for a day that is not after the one in force."""
    if ship_by is None:
        return
    if advance(one.state, LaterDateAsked(now, ship_by)).outcome is not Outcome.APPLIED:
        raise invalid("/ship_by", f"Give a day after the one that holds for {one.line.title}.")


def _kept(one: Standing, ship_by: date | None, substitute: str, evidence: str) -> dict[str, Any]:
    clock = one.state.clock
    assert clock is not None
    before = {"ship_by": clock.ship_by, "deadline": clock.deadline_at}
    return {"before": before, "ship_by": ship_by, "substitute": substitute, "evidence": evidence}
