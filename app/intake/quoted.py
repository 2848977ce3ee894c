"""Orders that name the quote a buyer was shown: its units are theirs, and what it told is their promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.intake.terms import Sale, Terms
from infra.errors import FieldError, Problem, invalid
from tenants.scope import Scope

NAMED = """
WITH named AS MATERIALIZED (
    SELECT id, channel, quoted_at, ended_at, order_id, promises FROM quotes
    WHERE tenant_id = :tenant AND id = ANY(:ids) ORDER BY id FOR UPDATE
)
SELECT n.id, n.channel, n.quoted_at, n.ended_at, n.order_id, n.promises,
    coalesce((SELECT json_agg(json_build_array(p.id, p.sku_id, p.node_id, h.units,
            p.on_hand - p.reserved - p.safety))
        FROM quote_holds h JOIN stock_positions p ON p.tenant_id = :tenant AND p.id = h.position_id
        WHERE h.tenant_id = :tenant AND h.quote_id = n.id), '[]') AS held
FROM named n
"""
UNKNOWN = "There is no quote with this id. Ask POST /quotes for one with hold_minutes, or leave quote_id out."
Held = tuple[str, str, str, int]
"""(Position id, SKU id, node id, units that are free for the order that names the quote.)"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a quote told of a SKU. `shown`: the promise it was asked with; `evidence`: the basis it had."""

    quote_id: str
    quoted_at: datetime
    ship_by: date
    deadline: datetime
    shown: Mapping[str, Any] | None
    evidence: Mapping[str, Any]

    @property
    def day(self) -> dict[str, Any]:
        """Its day as a statement."""
        essential = {"essential": True} if (self.shown or {}).get("essential") else {}
        return {"ship_by": self.ship_by, **essential}

    def kept(self) -> dict[str, Any]:
        """As it is kept with the promise it became."""
        return {
            "id": self.quote_id,
            "quoted_at": self.quoted_at,
            "ship_by": self.ship_by,
            "deadline": self.deadline,
            "shown": self.shown,
            "basis": self.evidence,
        }


@dataclass(frozen=True)
class Named:
    """A quote that an order names, locked: what it told by SKU code, and what it still holds."""

    id: UUID
    channel: str
    ordered: bool
    told: Mapping[str, Told]
    held: Sequence[Held]
    units: Mapping[tuple[str, str], int]
    """(Position id, SKU id) -> units that it holds."""


def named(scope: Scope, requests: Iterable[Mapping[str, Any]]) -> dict[str, Named]:
    """The quotes that these orders name, by the id they wrote, locked. None named, none asked."""
    wanted: dict[str, UUID] = {}
    for request in requests:
        if "quote_id" in request:
            wanted[request["quote_id"]] = _id(request["quote_id"])
    if not wanted:
        return {}
    found = {row.id: _named(row) for row in scope.rows(NAMED, ids=sorted(set(wanted.values())))}
    return {written: found[one] for written, one in wanted.items() if one in found}


def of(quotes: Mapping[str, Named], request: Mapping[str, Any], used: Iterable[UUID]) -> Named | None:
    """The quote that an order names; None where it names none. `used`: by orders before it in the batch.

    Raises Problem 422 (unknown, another channel's) and 409 `quote-used`.
    """
    if "quote_id" not in request:
        return None
    quote = quotes.get(request["quote_id"])
    if quote is None:
        raise invalid("/quote_id", UNKNOWN)
    if quote.channel != request["channel"]:
        raise invalid("/quote_id", f"It was quoted for channel {quote.channel}. Quote again for this one.")
    if quote.ordered or quote.id in used:
        text = "An order was placed by this quote already. Quote again, or leave quote_id out."
        raise Problem(409, "quote-used", text, errors=[FieldError("/quote_id", text)])
    return quote


def earliest(own: Terms, as_told: Terms, told_day: Terms, told: Told, sale: Sale, code: str) -> Terms:
    """The terms of a line of which a quote told something before: never later than that. Law first: its own terms
    where they are as early. `as_told`: reckoned from when it was told; `told_day`: the day it named as a statement,
    where an address or settings that have changed since would make that later. Raises Problem 409 `quote-outdated`."""
    if told.deadline <= sale.placed_at:
        text = f"It told that {code} ships by {told.ship_by}, which has passed. Quote again."
        raise Problem(409, "quote-outdated", text, errors=[FieldError("/quote_id", text)])
    named_day = (told_day,) if as_told.clock.deadline_at > told.deadline else ()
    return min(own, as_told, *named_day, key=_deadlines)


def left_over(quote: Named, reservations: Iterable[Mapping[str, Any]]) -> set[UUID]:
    """SKUs of which the quote held units that its order did not take."""
    left = Counter(quote.units)
    for one in reservations:
        if one["position_id"] is not None:
            left[one["position_id"], str(one["sku_id"])] -= one["quantity"]
    return {UUID(sku) for (_, sku), units in left.items() if units > 0}


def timer_of(quote_id: UUID) -> str:
    """The key of the timer that ends a quote's hold."""
    return f"quote:{quote_id}"


def _deadlines(terms: Terms) -> tuple[datetime, datetime]:
    to_deliver = terms.delivery.deadline_at if terms.delivery else terms.clock.deadline_at
    return (terms.clock.deadline_at, to_deliver) if terms.covered else (to_deliver, terms.clock.deadline_at)


def _id(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError:
        return UUID(int=0)


def _named(row: Any) -> Named:
    # After waiting for the lock the quote is as it is now, its holds as they were: an ended one has none.
    held = [] if row.ended_at is not None else row.held
    return Named(
        id=row.id,
        channel=row.channel,
        ordered=row.order_id is not None,
        told={code: _told(row, one) for code, one in row.promises.items()},
        held=[
            (position, sku, node, max(0, free + units) - max(0, free))
            for position, sku, node, units, free in held
        ],
        units={(position, sku): units for position, sku, _, units, _ in held},
    )


def _told(row: Any, one: Mapping[str, Any]) -> Told:
    return Told(
        quote_id=str(row.id),
        quoted_at=row.quoted_at,
        ship_by=date.fromisoformat(one["ship_by"]),
        deadline=datetime.fromisoformat(one["deadline"]),
        shown=one["shown"] and _dated(one["shown"]),
        evidence=one["evidence"],
    )


def _dated(shown: Mapping[str, Any]) -> dict[str, Any]:
    """A promise as loaded, from how it was kept."""
    days = {name: date.fromisoformat(shown[name]) for name in ("ship_by", "deliver_by") if name in shown}
    return {**shown, **days}
