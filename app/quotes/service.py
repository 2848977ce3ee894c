"""A basket quoted by the code that takes orders: priced, taxed, promised and routed. Nothing is written, unless the
quote is to hold its stock for some minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from app.allocation.service import offer
from app.events import QUOTE_LAPSED
from app.intake.drafts import Composer
from app.intake.quoted import timer_of
from app.intake.service import racing, read
from app.inventory import holds
from app.inventory.rules import MADE
from app.quotes.rules import standing
from app.quotes.statement import EXISTS, FORGET, HOLD, SHOWN
from app.routing.configuration import configuration
from app.shapes import instant
from infra.errors import Problem, not_found, refused
from infra.ids import new_id
from tenants.scope import Contended, Scope

NOBODY = {"email": "quote@kept.example", "name": "", "phone": ""}
LINE = ("sku", "title", "kind", "allocated", "backordered", "unit_price", "total", "promise")
TOTALS = ("items", "discounts", "charges", "tax", "total")
KEPT = timedelta(days=7)
"""How long a quote that held stock can be named and read after its minutes."""


def quote(scope: Scope, given: Mapping[str, Any]) -> dict[str, Any]:
    """Quote a basket (loaded schemas.QuoteIn); with `hold_minutes` its stock is held so long, on the tenant's clock.

    Raises Problem 422 and 409 as placing the order would, but for how it is paid; 403 where the caller may not hold
    stock; Contended when stock to hold was taken meanwhile.
    """
    minutes = given.get("hold_minutes")
    if minutes and not scope.actor.may("orders:write"):
        raise Problem(403, "lacks-scope", "Holding stock takes the scope `orders:write`.")
    # Nothing is paid by asking: a pre-order that would be charged at once is refused when it is placed.
    request = {**given, "external_ref": "", "customer": NOBODY, "tenders": [{"kind": "terms"}]}
    configured = configuration(scope)
    composer = Composer(scope, configured, read(scope, [request], configured.allotments))
    order = composer.draft(request, "").document
    answer = _answer(composer, order)
    return _held(scope, composer, answer, timedelta(minutes=minutes)) if minutes else answer


def shown(scope: Scope, quote_id: UUID) -> dict[str, Any]:
    """A quote that held stock, as it was answered, and how it stands now. Raises Problem 404."""
    row = scope.row(SHOWN, id=quote_id, now=scope.now())
    if row is None:
        raise not_found("quote")
    lines = [line if row.holds else line | {"held": 0} for line in row.answer["lines"]]
    order = None if row.order_id is None else str(row.order_id)
    return row.answer | {"lines": lines, "state": standing(row.ended_by, row.holds, order), "order_id": order}


def withdraw(scope: Scope, quote_id: UUID) -> dict[str, Any]:
    """End a quote's hold now; ended already, it stays as it is. Raises Problem 404, 409 `quote-used`."""
    hold = holds.of(scope, quote_id)
    row = scope.row(EXISTS, id=quote_id)
    if row is None:
        raise not_found("quote")
    if row.order_id is not None:
        raise refused("quote-used", "An order was placed by this quote. Cancel the order.")
    offer(scope, holds.give_back(scope, hold, "withdrawal"))
    return shown(scope, quote_id)


def lapsed(scope: Scope, _quote: UUID, **_: Any) -> None:
    """Handle QUOTE_LAPSED: every hold whose minutes are over ends, its units go to whoever waits."""
    offer(scope, holds.give_back(scope, holds.due(scope), "time"))


def forget(scope: Scope) -> None:
    """Drop the quotes that can be named no longer."""
    scope.execute(FORGET, before=scope.now() - KEPT)


def _answer(composer: Composer, order: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "quoted_at": instant(composer.now),
        "channel": order["channel"],
        "currency": order["currency"],
        "lines": [
            {"quantity": line["ordered"], **{name: line[name] for name in LINE}} for line in order["lines"]
        ],
        "totals": {part: order["totals"][part] for part in TOTALS},
        "tax_status": order["tax_status"],
        "plan": [
            {
                "node": package["node"],
                "ship_to": package["ship_to"],
                "lines": [{"sku": one["sku"], "quantity": one["quantity"]} for one in package["lines"]],
            }
            for package in order["fulfillment_orders"]
        ],
        "sentence": " ".join(decision["sentence"] for decision in composer.rows["decisions"]),
    }


def _held(scope: Scope, composer: Composer, answer: dict[str, Any], minutes: timedelta) -> dict[str, Any]:
    """Keep the quote with the units that its draft took off the shelf."""
    quote_id, until = new_id(), composer.now + minutes
    for line in answer["lines"]:
        line["held"] = 0 if line["kind"] in MADE else line["allocated"]
    answer |= {"id": str(quote_id), "held_until": instant(until), "state": "held", "order_id": None}
    units: Counter[str] = Counter()
    for one in composer.rows["reservations"]:
        if one["position_id"] is not None:
            units[one["position_id"]] += one["quantity"]
    needs = composer.shelf.needed()
    document = {
        "quote": {
            "id": quote_id,
            "channel": answer["channel"],
            "quoted_at": composer.now,
            "held_until": until,
            "answer": answer,
            "promises": _told(composer),
        },
        "holds": [{"id": new_id(), "position_id": one, "units": count} for one, count in units.items()],
        "needs": [{"position_id": one, "units": count} for one, count in needs.items()],
        "timer": {"id": new_id(), "topic": QUOTE_LAPSED, "key": timer_of(quote_id)},
    }
    values = {"tenant": scope.tenant_id, "doc": orjson.dumps(document).decode()}
    with racing():
        if scope.raw().execute(HOLD, values, prepare=True).fetchone() is None:
            raise Contended
    return answer


def _told(composer: Composer) -> dict[str, dict[str, Any]]:
    """What was told of each SKU, of several lines of one the earliest, with the basis it had (intake.quoted)."""
    skus = {line["id"]: line["sku"] for line in composer.rows["lines"]}
    told: dict[str, dict[str, Any]] = {}
    for promise in sorted(composer.rows["promises"], key=lambda one: one["deadline"], reverse=True):
        basis = {name: value for name, value in promise["evidence"].items() if name != "shown"}
        told[skus[promise["order_line_id"]]] = {
            "shown": promise["evidence"]["shown"],
            "ship_by": promise["original_date"],
            "deadline": promise["deadline"],
            "evidence": basis,
        }
    return told
