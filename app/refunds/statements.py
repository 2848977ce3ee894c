"""The buyer's statement of a refund: the date sent, the amount and the tender (16 CFR 435.1(d))."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.money import Money
from app.notices import letters
from app.notices import service as notices
from app.notices.facts import Item, RefundFacts
from tenants.scope import Scope

BY_HAND = ("cash", "check", "money_order")


def send(scope: Scope, due: Any, tender: Any) -> UUID:
    """Queue the statement of a refund whose money has gone; once for each way in which it went. Returns the notice."""
    order = letters.order_row(scope, due.order_id)
    items = tuple(
        Item(row.title, row.cancelled)
        for row in scope.rows(
            "SELECT title, cancelled FROM order_lines WHERE tenant_id = :tenant AND order_id = :order"
            " AND cancelled > 0 ORDER BY position",
            order=due.order_id,
        )
    )
    facts = RefundFacts(
        **letters.common(scope, order, items),
        amount=Money(due.amount, order.currency),
        sent_on=due.sent_on,
        way=due.paid_form if due.taken and due.paid_form in BY_HAND else tender.kind,
        card=_card(due, tender),
        taken=due.taken,
        reference=due.reference or "",
    )
    return notices.queue(
        scope, due.order_id, facts, cause=f"refund:{due.id}:{due.entry_id or 'let-go'}", due=str(due.id)
    )


def _card(due: Any, tender: Any) -> str:
    card = tender.card or {}
    if due.paid_form in BY_HAND or not card.get("last4"):
        return ""
    return f"{str(card.get('brand') or 'card').capitalize()} {card['last4']}"
