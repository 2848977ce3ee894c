"""Attempts: each is written down before the processor is asked, so a lost answer can always be asked for again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.payments import holds
from app.payments.book import Book
from app.payments.rules import SUPERSEDED, Next, covered, next_step
from infra.clock import real_now
from infra.ids import new_id
from tenants.scope import Scope

ASK = "payment.ask"
NO_CARD = "No card was given yet."


def arrange(scope: Scope, book: Book) -> bool:
    """Begin what each card of the order needs now; nothing while an answer is awaited. The order is locked. Tells
    whether anything was begun."""
    steps = [(tender, next_step(book.card(tender))) for tender in book.cards]
    for tender, step in steps:
        _begin(scope, book, tender, step)
    return any(step.step != "nothing" for _, step in steps)


def all_covered(book: Book) -> bool:
    """Whether every card bears its part, so that work may begin."""
    return all(covered(book.card(tender)) for tender in book.cards)


def _begin(scope: Scope, book: Book, tender: Any, step: Next) -> None:
    if step.step == "authorize":
        authorize(scope, book, tender, step.amount)
    elif step.step == "capture":
        _draw(scope, book.waiting_capture(tender), book.holds(tender)[0])
    elif step.step == "void":
        live = book.holds(tender)
        for at in step.holds:
            void(scope, book, live[at])
    elif step.step == "drop":
        void(scope, book, book.last_attempt(tender))
    elif step.step == "ask":
        holds.place(scope, book.order.id, NO_CARD, tender=tender.id, amount=step.amount)


def authorize(scope: Scope, book: Book, tender: Any, amount: int, *, buyer: bool | None = None) -> UUID:
    """Begin the tender's next attempt to hold `amount`. `buyer`: the buyer is there and the bank may ask; by default
    so until an attempt has succeeded, and with it the card was kept for later."""
    count = len(book.of(tender, "authorize"))
    present = not book.of(tender, "authorize", "succeeded") if buyer is None else buyer
    key = f"authorize:{tender.id}:{count + 1}:{'buyer' if present else 'saved'}"
    return attempt(scope, book.order.id, tender.id, "authorize", amount, key)


def capture(scope: Scope, book: Book, tender: Any, amount: int, shipment_id: UUID) -> UUID:
    """Write down that `amount` is to be taken for a shipment. It is drawn as soon as the card allows."""
    key = f"capture:{shipment_id}:{tender.id}"
    return attempt(scope, book.order.id, tender.id, "capture", amount, key, shipment=shipment_id, ask=False)


def void(scope: Scope, book: Book, authorization: Any) -> UUID:
    """Begin to let a hold go, or an attempt that waits for its buyer."""
    count = len(
        [one for one in book.entries if one.authorization_id == authorization.id and one.kind == "void"]
    )
    return attempt(
        scope,
        book.order.id,
        authorization.tender_id,
        "void",
        authorization.amount,
        f"void:{authorization.id}:{count + 1}",
        authorization=authorization.id,
    )


def supersede(scope: Scope, book: Book, asked: Any) -> None:
    """Give up an attempt that waits for its buyer, for a newer one."""
    scope.execute(
        "UPDATE ledger_entries SET outcome = 'failed', error_code = :code, next_action = NULL, settled_at = :real,"
        " ended_at = :now WHERE tenant_id = :tenant AND id = :id",
        id=asked.id,
        code=SUPERSEDED,
        real=real_now(),
        now=scope.now(),
    )
    void(scope, book, asked)


def _draw(scope: Scope, waiting: Any, authorization: Any) -> None:
    scope.execute(
        "UPDATE ledger_entries SET authorization_id = :authorization, asked_at = :real"
        " WHERE tenant_id = :tenant AND id = :id",
        id=waiting.id,
        authorization=authorization.id,
        real=real_now(),
    )
    scope.later(ASK, waiting.id)


def attempt(
    scope: Scope,
    order_id: UUID,
    tender_id: UUID,
    kind: str,
    amount: int,
    key: str,
    *,
    authorization: UUID | None = None,
    shipment: UUID | None = None,
    ask: bool = True,
) -> UUID:
    """Write a pending entry and have the processor asked after the commit. The key makes it one of its kind."""
    entry_id = new_id()
    scope.execute(
        "INSERT INTO ledger_entries (tenant_id, id, order_id, tender_id, kind, amount, outcome, key,"
        " authorization_id, shipment_id, at, asked_at) VALUES (:tenant, :id, :order, :tender, :kind, :amount,"
        " 'pending', :key, :authorization, :shipment, :now, :asked)",
        id=entry_id,
        order=order_id,
        tender=tender_id,
        kind=kind,
        amount=amount,
        key=key,
        authorization=authorization,
        shipment=shipment,
        now=scope.now(),
        asked=real_now() if ask else None,
    )
    if ask:
        scope.later(ASK, entry_id)
    return entry_id


def fact(
    scope: Scope,
    order_id: UUID,
    tender_id: UUID,
    kind: str,
    amount: int,
    key: str,
    *,
    authorization: UUID | None = None,
    shipment: UUID | None = None,
    reference: str | None = None,
) -> UUID:
    """Write an entry that needs no processor: it is true already."""
    entry_id = new_id()
    scope.execute(
        "INSERT INTO ledger_entries (tenant_id, id, order_id, tender_id, kind, amount, outcome, key,"
        " authorization_id, shipment_id, reference, at, settled_at) VALUES (:tenant, :id, :order, :tender, :kind,"
        " :amount, 'succeeded', :key, :authorization, :shipment, :reference, :now, :real)",
        id=entry_id,
        order=order_id,
        tender=tender_id,
        kind=kind,
        amount=amount,
        key=key,
        authorization=authorization,
        shipment=shipment,
        reference=reference,
        now=scope.now(),
        real=real_now(),
    )
    return entry_id


def totals(scope: Scope, order_id: UUID) -> None:
    """Bring the order's sums in line with its ledger: what is held or taken, what was taken, what went back."""
    scope.execute(
        "UPDATE orders SET authorized_total = e.authorized, captured_total = e.captured, refunded_total = e.refunded"
        " FROM (SELECT"
        " coalesce(sum(CASE WHEN ended_at IS NULL THEN amount ELSE captured END)"
        "   FILTER (WHERE kind = 'authorize'), 0) AS authorized,"
        " coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0) AS captured,"
        " coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunded"
        " FROM ledger_entries WHERE tenant_id = :tenant AND order_id = :order AND outcome = 'succeeded') e"
        " WHERE tenant_id = :tenant AND id = :order",
        order=order_id,
    )
