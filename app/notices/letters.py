"""The letters that events of an order cause: what each must say is gathered from the order's rows.

Each is a reaction to an event and takes what the event told. A merchant may turn the courtesy letters off
(settings `notices`: {"received": "off", "shipped": "off", "undelivered": "off"}); the others are owed to the buyer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from email.utils import parseaddr
from typing import Any
from urllib.parse import quote
from uuid import UUID

from app import links
from app.calendar import local_date
from app.money import Money
from app.notices import service
from app.notices.facts import (
    CancelledFacts,
    Item,
    PaymentNeededFacts,
    ReceivedFacts,
    Refund,
    ShippedFacts,
    Shop,
    UndeliveredFacts,
)
from infra import settings
from infra.errors import not_found
from tenants.scope import Scope

TRACKING = {
    "ups": "https://www.ups.com/track?tracknum={}",
    "usps": "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    "fedex": "https://www.fedex.com/fedextrack/?trknbr={}",
}
WAYS = {
    "cash": "in cash or by check",
    "check": "by check",
    "external": "the way you paid",
    "terms": "to your account",
    "card": "to your card",
}


def shop_of(scope: Scope) -> Shop:
    """The merchant as buyers know it: settings `contact` {name, email, toll_free, hours, address: lines}."""
    contact = scope.tenant.settings.get("contact") or {}
    return Shop(
        name=contact.get("name") or scope.tenant.name,
        reply_email=contact.get("email") or parseaddr(settings.current().mail_from)[1],
        timezone=scope.tenant.timezone,
        toll_free=contact.get("toll_free") or "",
        hours=contact.get("hours") or "",
        address=tuple(contact.get("address") or ()),
    )


def order_row(scope: Scope, order_id: UUID) -> Any:
    """The order as letters need it. Raises Problem 404."""
    order = scope.row("SELECT * FROM orders WHERE tenant_id = :tenant AND id = :order", order=order_id)
    if order is None:
        raise not_found("order")
    return order


def common(scope: Scope, order: Any, items: tuple[Item, ...]) -> dict[str, Any]:
    """What every letter about an order says."""
    return {
        "shop": shop_of(scope),
        "order_number": f"K-{order.number}",
        "buyer_name": order.customer.get("name") or order.customer["email"],
        "items": items,
        "url": links.url(scope.tenant_id, order.id),
        "today": local_date(scope.now(), scope.tenant.timezone),
        "language": order.customer.get("language") or "en",
    }


def received(scope: Scope, order_id: UUID, **_: Any) -> None:
    """The order is placed and its total is known."""
    if _off(scope, "received"):
        return
    order = order_row(scope, order_id)
    lines = _lines(scope, order_id)
    items = tuple(
        Item(line.title, line.ordered, Money(line.items, order.currency), _ships_by(line, order))
        for line in lines
    )
    sums = (
        ("Discount", -order.discounts_total),
        ("Shipping and charges", order.charges_total),
        ("Tax", order.tax_total),
    )
    facts = ReceivedFacts(
        **common(scope, order, items),
        total=Money(order.total, order.currency),
        sums=tuple((name, Money(amount, order.currency)) for name, amount in sums if amount),
        address=_address(order.ship_to),
    )
    service.queue(scope, order_id, facts, cause=f"received:{order_id}")


def shipped(scope: Scope, order_id: UUID, *, shipment: str, **_: Any) -> None:
    """A parcel left. While its card is being charged the letter waits, so that it can say what was taken."""
    charging = scope.row(
        "SELECT count(*) AS captures FROM ledger_entries WHERE tenant_id = :tenant AND order_id = :order"
        " AND shipment_id = :shipment AND kind = 'capture' AND outcome IN ('pending', 'unknown')",
        order=order_id,
        shipment=UUID(shipment),
    )
    if charging is None or not charging.captures:
        parcel_left(scope, order_id, shipment=shipment)


def parcel_left(scope: Scope, order_id: UUID, *, shipment: str | None = None, **_: Any) -> None:
    """The parcel's card was charged, or could not be: the buyer hears of the parcel in either case."""
    if shipment is None or _off(scope, "shipped"):
        return
    order = order_row(scope, order_id)
    parcel = scope.row("SELECT * FROM shipments WHERE tenant_id = :tenant AND id = :id", id=UUID(shipment))
    if parcel is None:
        return
    own = scope.rows(
        "SELECT l.title, sum(s.quantity)::bigint AS units, sum(s.value)::bigint AS value FROM shipment_lines s"
        " JOIN order_lines l ON l.tenant_id = :tenant AND l.id = s.order_line_id"
        " WHERE s.tenant_id = :tenant AND s.shipment_id = :id GROUP BY l.id, l.title, l.position ORDER BY l.position",
        id=parcel.id,
    )
    rest = tuple(
        Item(line.title, line.allocated + line.backordered, ships_by=_ships_by(line, order))
        for line in _lines(scope, order_id)
        if line.allocated + line.backordered
    )
    items = tuple(Item(one.title, one.units, Money(one.value, order.currency)) for one in own)
    facts = ShippedFacts(
        **common(scope, order, items),
        carrier=parcel.carrier or ("you" if parcel.kind == "counter" else "our delivery service"),
        shipped_on=local_date(parcel.shipped_at, scope.tenant.timezone),
        tracking_number=parcel.tracking_number,
        tracking_url=_tracking(parcel.carrier, parcel.tracking_number),
        taken=_taken(scope, order, parcel.id),
        rest=rest,
    )
    service.queue(scope, order_id, facts, cause=f"shipped:{parcel.id}")


def _taken(scope: Scope, order: Any, shipment_id: UUID) -> Money | None:
    """What this shipment takes from the buyer's cards."""
    row = scope.row(
        "SELECT sum(e.amount)::bigint AS amount FROM ledger_entries e"
        " JOIN tenders t ON t.tenant_id = :tenant AND t.id = e.tender_id AND t.kind = 'card'"
        " WHERE e.tenant_id = :tenant AND e.order_id = :order AND e.kind = 'capture' AND e.shipment_id = :shipment"
        " AND e.outcome = 'succeeded'",
        order=order.id,
        shipment=shipment_id,
    )
    return Money(row.amount, order.currency) if row is not None and row.amount else None


def undelivered(
    scope: Scope,
    order_id: UUID,
    items: Mapping[UUID, Item],
    due: date,
    *,
    may_end: bool,
    refused: bool = False,
) -> None:
    """Goods that were to arrive by a day, `due`, have not left and are late, or the seller refused to deliver them:
    what the buyer may do. `items`: by line, of which each gets a letter once for one cause. No law asks for it."""
    if _off(scope, "undelivered"):
        return
    facts = UndeliveredFacts(
        **common(scope, order_row(scope, order_id), tuple(items.values())),
        due=due,
        may_end=may_end,
        refused=refused,
    )
    what = "refused" if refused else "ending" if may_end else "late"
    service.queue(scope, order_id, facts, cause=f"undelivered:{min(items)}:{due}:{what}")


def cancelled(
    scope: Scope, order_id: UUID, *, reason: str, lines: list[dict[str, Any]], value: int, gone: int, **_: Any
) -> None:
    """Units were canceled: what becomes of their money, in writing. `value`: of these units; `gone`: of all that was
    canceled of the order until then, minor units."""
    order = order_row(scope, order_id)
    titles = {str(line.id): line.title for line in _lines(scope, order_id)}
    items = tuple(
        Item(titles.get(line["id"], line["sku"]), line["quantity"], Money(line["value"], order.currency))
        for line in lines
    )
    if not items:
        return
    refunds = _refunds(scope, order, f"cancelled:{gone}")
    let_go = value - sum(refund.amount.amount for refund in refunds)
    facts = CancelledFacts(
        **common(scope, order, items),
        reason=_as_sentence(reason),
        refunds=refunds,
        released=Money(let_go, order.currency) if let_go > 0 and _was_held(scope, order_id) else None,
        whole_order=order.status == "cancelled",
    )
    lines_key = "+".join(f"{line['id']}x{line['quantity']}" for line in lines)
    service.queue(scope, order_id, facts, cause=f"cancelled:{order_id}:{gone}:{lines_key}")


def _refunds(scope: Scope, order: Any, cause: str) -> tuple[Refund, ...]:
    rows = scope.rows(
        "SELECT d.amount, d.due_at, t.kind FROM refunds_due d"
        " JOIN tenders t ON t.tenant_id = :tenant AND t.id = d.tender_id"
        " WHERE d.tenant_id = :tenant AND d.order_id = :order AND d.cause = :cause ORDER BY t.position",
        order=order.id,
        cause=cause,
    )
    zone = scope.tenant.timezone
    return tuple(
        Refund(
            WAYS[row.kind],
            Money(row.amount, order.currency),
            local_date(row.due_at - timedelta(seconds=1), zone),
        )
        for row in rows
    )


def _was_held(scope: Scope, order_id: UUID) -> bool:
    row = scope.row(
        "SELECT count(*) AS holds FROM ledger_entries WHERE tenant_id = :tenant AND order_id = :order"
        " AND kind = 'authorize' AND outcome = 'succeeded'",
        order=order_id,
    )
    return bool(row and row.holds)


def payment_needed(
    scope: Scope, order_id: UUID, *, reason: str, amount: int = 0, entry: str = "", **_: Any
) -> None:
    """The payment did not go through, or the bank asks: the buyer can mend it until the order is given up."""
    order = order_row(scope, order_id)
    hold = scope.row(
        "SELECT due_at FROM timers WHERE tenant_id = :tenant AND key = :key AND state = 'armed'",
        key=f"payment-hold:{order_id}",
    )
    if hold is None or not amount:
        return
    items = tuple(
        Item(line.title, line.ordered - line.cancelled)
        for line in _lines(scope, order_id)
        if line.ordered > line.cancelled
    )
    facts = PaymentNeededFacts(
        **common(scope, order, items),
        amount=Money(amount, order.currency),
        reason=_as_sentence(reason),
        cancels_at=hold.due_at,
    )
    service.queue(scope, order_id, facts, cause=f"payment_needed:{entry or order_id}")


def _off(scope: Scope, kind: str) -> bool:
    return (scope.tenant.settings.get("notices") or {}).get(kind) == "off"


def _lines(scope: Scope, order_id: UUID) -> list[Any]:
    return scope.rows(
        "SELECT l.*, p.deadline, p.original_deadline, p.original_date, p.state AS promise FROM order_lines l"
        " LEFT JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id"
        " WHERE l.tenant_id = :tenant AND l.order_id = :order ORDER BY l.position",
        order=order_id,
    )


def _ships_by(line: Any, order: Any) -> date | None:
    """The promised day in force."""
    if line.original_date is None or line.promise == "not_covered":
        return None
    if line.deadline == line.original_deadline:
        return line.original_date
    return local_date(line.deadline - timedelta(seconds=1), order.buyer_zone)


def _address(ship_to: dict[str, Any]) -> tuple[str, ...]:
    city = " ".join(part for part in (ship_to.get("region"), ship_to.get("postal_code")) if part)
    rows = (
        ship_to.get("name"),
        ship_to.get("company"),
        ship_to.get("line1"),
        ship_to.get("line2"),
        ", ".join(part for part in (ship_to.get("city"), city) if part),
        ship_to.get("country") if ship_to.get("country") != "US" else None,
    )
    return tuple(row for row in rows if row)


def _tracking(carrier: str, number: str) -> str:
    pattern = TRACKING.get(carrier.split()[0].lower() if carrier else "")
    return pattern.format(quote(number)) if pattern and number else ""


def _as_sentence(reason: str) -> str:
    words = " ".join(reason.split()) or "your order was canceled"
    return words if words[-1] in ".!?" else f"{words}."
