"""The verbs of money: begin, take, renew, let go, give back. Each locks the order first.

Nothing here talks to the processor: attempts are written down, and asked after the commit (calls.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app import events
from app.payments import attempts, holds
from app.payments.book import Book, again, of_entry, of_tender, opened
from app.payments.rules import PAY_NOW, concerns, refund_shares
from app.payments.settlement import OPEN, RENEW, lift_hold
from infra.errors import refused
from tenants.scope import Scope

LOOK = "payment.reconcile"
SETTLE = "payment.settle"
AFTER_LAPSE = timedelta(minutes=1)


def start(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Authorize the cards of an order whose tax is known; one that needs none has nothing to wait for."""
    book = opened(scope, order_id)
    if book.order.status != "placed":
        return
    attempts.arrange(scope, book)


def take(scope: Scope, order_id: UUID, *, shipment: str | UUID, **_: Any) -> None:
    """Take what of the shipped value is not covered by money in hand.

    The amount is what has shipped so far less what was taken or is being taken, so the order in which shipments
    are handled does not matter, and none is charged twice.
    """
    book = opened(scope, order_id)
    for tender in book.tenders:
        entries = book.of(tender, "capture", "pending", "unknown", "succeeded")
        amount = book.due(tender) - sum(entry.amount for entry in entries)
        if amount <= 0 or tender.kind in PAY_NOW:
            continue
        if tender.kind == "card":
            attempts.capture(scope, book, tender, amount, UUID(str(shipment)))
        else:
            _book_terms(scope, book, tender, amount, UUID(str(shipment)))
    attempts.totals(scope, order_id)
    attempts.arrange(scope, again(scope, book))


def _book_terms(scope: Scope, book: Book, tender: Any, amount: int, shipment: UUID) -> None:
    """On terms the shipment is invoiced: nothing is asked of a processor."""
    key = f"capture:{shipment}:{tender.id}"
    entry = attempts.fact(
        scope, book.order.id, tender.id, "capture", amount, key, shipment=shipment, reference=tender.reference
    )
    events.record(
        scope,
        book.order.id,
        events.PAYMENT_CAPTURED,
        entry=entry,
        tender=tender.id,
        amount=amount,
        currency=book.order.currency,
        shipment=shipment,
    )


def let_go(scope: Scope, order_id: UUID, **_: Any) -> None:
    """After a cancellation: holds that nothing is left for are voided, a payment no longer awaited is not asked
    for, and what is left may be covered now."""
    book = opened(scope, order_id)
    attempts.arrange(scope, book)
    if book.live <= book.shipped and not any(book.waiting_capture(tender) for tender in book.cards):
        holds.release(scope, order_id)
    elif holds.standing(scope, order_id) is not None:
        lift_hold(scope, book)


def renew(scope: Scope, entry_id: UUID, **_: Any) -> None:
    """Before an authorization lapses: hold the card anew while goods are awaited. After: ask what became of it."""
    book = of_entry(scope, entry_id)
    entry = next(one for one in book.entries if one.id == entry_id)
    if entry.outcome != "succeeded" or entry.ended_at is not None:
        return
    if scope.now() >= entry.capture_before:
        scope.later(LOOK, entry_id)
        return
    scope.at(entry.capture_before + AFTER_LAPSE, RENEW, entry_id, key=f"authorization:{entry_id}")
    tender = book.tender(entry.tender_id)
    card = book.card(tender)
    newest = book.holds(tender)[0].id == entry_id
    if newest and card.open > 0 and not card.authorizing and not card.capturing:
        attempts.authorize(scope, book, tender, card.open)


def retry(scope: Scope, tender_id: UUID, **_: Any) -> None:
    """Try the card again for goods that are gone and not paid."""
    book = of_tender(scope, tender_id)
    tender = book.tender(tender_id)
    if book.waiting_capture(tender) is None:
        return
    scope.execute(
        "UPDATE ledger_entries SET error_code = NULL WHERE tenant_id = :tenant AND tender_id = :tender"
        " AND kind = 'capture' AND outcome = 'pending' AND authorization_id IS NULL",
        tender=tender_id,
    )
    book = again(scope, book)
    card = book.card(book.tender(tender_id))
    if card.refused and not card.held and not card.authorizing:
        attempts.authorize(scope, book, tender, card.open)
    else:
        attempts.arrange(scope, book)


# ---- the buyer mends a payment


@dataclass(frozen=True, slots=True)
class CardWanted:
    """What the processor must know to ask a buyer for another card. `amount`: what it is to bear, minor units;
    `customer_key`: the one under which an authorization makes the customer, too."""

    account: str
    customer: str | None
    customer_key: str
    email: str
    name: str
    amount: int
    currency: str
    language: str


def card_wanted(scope: Scope, order_id: UUID) -> CardWanted:
    """The card that the buyer may replace now. Raises Problem 404, 409 like `retry_payment`, and `cards-not-ready`
    while the tenant's account at the processor is still being opened."""
    book, tender = _mendable(scope, order_id)
    if scope.tenant.stripe_account is None:
        raise refused("cards-not-ready", "Cards cannot be taken yet. Try again in a few minutes.")
    return CardWanted(
        account=scope.tenant.stripe_account,
        customer=tender.processor_customer,
        customer_key=f"customer:{tender.id}",
        email=book.order.customer.get("email", ""),
        name=book.order.customer.get("name", ""),
        amount=book.card(tender).open,
        currency=tender.currency,
        language=book.order.customer.get("language") or "en",
    )


def retry_payment(
    scope: Scope, order_id: UUID, payment_method: str | None = None, customer: str | None = None
) -> None:
    """Try the order's card again, with another payment method if one is given; the buyer is there.

    `customer`: whose payment method it is at the processor, where it is kept with one already.
    Raises Problem 404, 409 `nothing-to-pay`, `payment-being-checked` while an answer is awaited.
    """
    book, tender = _mendable(scope, order_id)
    if payment_method is None and not tender.payment_method:
        raise refused("card-needed", "Give a card to pay with.")
    if payment_method is not None:
        scope.execute(
            "UPDATE tenders SET payment_method = :method, card = NULL, mandate_at = :now,"
            " processor_customer = coalesce(:customer, processor_customer) WHERE tenant_id = :tenant AND id = :id",
            id=tender.id,
            method=payment_method,
            customer=customer,
            now=scope.now(),
        )
    last = book.last_attempt(tender)
    if last is not None and last.outcome == "pending":
        attempts.supersede(scope, book, last)
    attempts.authorize(scope, book, tender, book.card(tender).open, buyer=True)


def _mendable(scope: Scope, order_id: UUID) -> tuple[Book, Any]:
    """The card in need, when another attempt may begin."""
    book = opened(scope, order_id)
    tender = _in_need(book)
    if tender is None or book.order.status == "cancelled":
        raise refused("nothing-to-pay", "This order needs no payment now.")
    last = book.last_attempt(tender)
    if last is not None and last.outcome in OPEN and last.next_action is None:
        raise refused("payment-being-checked", "The last payment is still being checked. Wait a moment.")
    return book, tender


def confirm_action(scope: Scope, order_id: UUID) -> bool:
    """The buyer came back from the bank: ask what became of it. Tells whether there was anything to ask."""
    book = opened(scope, order_id)
    asking = [
        last.id
        for last in map(book.last_attempt, book.cards)
        if last is not None and last.outcome == "pending" and last.next_action
    ]
    for entry_id in asking:
        scope.later(LOOK, entry_id)
    return bool(asking)


def _in_need(book: Book) -> Any | None:
    for tender in book.cards:
        card = book.card(tender)
        last = book.last_attempt(tender)
        needs = card.refused or not card.held or card.held[0] < card.open
        if card.open > 0 and needs and not (last is None and card.has_card):
            return tender
    return None


def give_up(scope: Scope, order_id: UUID, **_: Any) -> None:
    """The buyer did not mend the payment in time: what has not shipped is to be canceled."""
    book = opened(scope, order_id)
    if book.order.status == "placed" and holds.standing(scope, order_id) is not None:
        events.record(scope, order_id, events.PAYMENT_ABANDONED, reason="The payment was not made in time.")


# ---- giving back


def refund(
    scope: Scope,
    order_id: UUID,
    tender_id: UUID,
    amount: int,
    cause: str,
    *,
    reference: str | None = None,
    by_hand: bool = False,
) -> list[UUID]:
    """Give back `amount` minor units of what a tender paid; once per cause. Returns the entries.

    A card is refunded by the processor, capture by capture, newest first; of any other tender, and of a card
    `by_hand`, the refund is booked as made by a person (`reference`: check number, receipt). The same cause again
    gives back only what of it has failed. Raises Problem 404, 409 `refund-too-large`.
    """
    book = opened(scope, order_id)
    tender = book.tender(tender_id)
    key = f"refund:{cause}:{tender_id}"
    tries = [entry for entry in book.entries if entry.key.startswith(f"{key}:")]
    standing = [entry for entry in tries if entry.outcome != "failed"]
    made = [entry.id for entry in standing]
    missing = amount - sum(entry.amount for entry in standing)
    if missing <= 0:
        return made
    captures = book.of(tender, "capture", "succeeded")[::-1]
    back = book.of(tender, "refund", "pending", "unknown", "succeeded")
    try:
        shares = refund_shares([(one.amount, _back(back, one)) for one in captures], missing)
    except ValueError as error:
        raise refused("refund-too-large", "That is more than was taken and not given back yet.") from error
    processor = tender.kind == "card" and not by_hand
    for at, (one, share) in enumerate(zip(captures, shares, strict=True), len(tries) + 1):
        if share:
            give = _ask_back if processor else _book_back
            made.append(give(scope, book, tender, one, share, f"{key}:{at}", reference))
    attempts.totals(scope, order_id)
    return made


def _back(back: list[Any], capture: Any) -> int:
    """What of a capture went back: by its authorization, or by its tender where there is none."""
    return sum(one.amount for one in back if one.authorization_id == capture.authorization_id)


def _ask_back(
    scope: Scope, book: Book, tender: Any, capture: Any, share: int, key: str, _: str | None
) -> UUID:
    drawn = {"authorization": capture.authorization_id, "shipment": capture.shipment_id}
    return attempts.attempt(scope, book.order.id, tender.id, "refund", share, key, **drawn)


def _book_back(
    scope: Scope, book: Book, tender: Any, capture: Any, share: int, key: str, reference: str | None
) -> UUID:
    drawn = {"authorization": capture.authorization_id, "shipment": capture.shipment_id}
    order_id, currency = book.order.id, book.order.currency
    entry = attempts.fact(scope, order_id, tender.id, "refund", share, key, reference=reference, **drawn)
    facts = {"entry": entry, "tender": tender.id, "amount": share, "currency": currency}
    events.tell(scope, order_id, events.PAYMENT_REFUNDED, **facts)
    return entry


# ---- what the processor tells


def heard(scope: Scope, message_id: UUID, **_: Any) -> None:
    """A webhook came in: where it may tell something new of an entry, the processor is asked what is true."""
    message = scope.row(
        "SELECT kind, payload FROM inbox WHERE tenant_id = :tenant AND id = :id", id=message_id
    )
    if message is None:
        return
    thing = (message.payload.get("data") or {}).get("object") or {}
    for entry in _entries_of(scope, thing):
        if not concerns(message.kind, entry.kind, entry.outcome, entry.ended_at is not None):
            continue
        known = entry.reference is not None and entry.kind in ("authorize", "refund")
        scope.later(LOOK if known else attempts.ASK, entry.id)


def _entries_of(scope: Scope, thing: Mapping[str, Any]) -> list[Any]:
    """Our entries that a payment, a charge or a refund of the processor belongs to."""
    references = [thing[name] for name in ("id", "payment_intent") if isinstance(thing.get(name), str)]
    attempt = (thing.get("metadata") or {}).get("attempt")
    return scope.rows(
        "SELECT id, kind, outcome, ended_at, reference FROM ledger_entries WHERE tenant_id = :tenant"
        " AND (reference = ANY(:references) OR id = CAST(:attempt AS uuid)) AND kind IN ('authorize', 'refund')",
        references=references,
        attempt=_uuid(attempt),
    )


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None
