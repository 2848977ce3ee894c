"""What an answer of the processor makes true. Each function is harmless for an entry that is settled already."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from app import events
from app.payments import attempts, holds
from app.payments.book import Book, again, of_entry
from app.payments.rules import GONE, LOST, RETRY_AFTER, lapses_at, refund_cause, renewal_at
from infra.clock import real_now
from infra.stripe_gateway import Answer
from tenants.scope import Scope

RENEW = "payment.renew"
RETRY = "payment.retry"
OPEN = ("pending", "unknown")


def settle(scope: Scope, entry_id: UUID, answer: Answer | None) -> None:
    """Take an answer to an entry's question. None: it never happened, so the question may be put anew."""
    book = of_entry(scope, entry_id)
    entry = next(one for one in book.entries if one.id == entry_id)
    SETTLERS[entry.kind](scope, book, entry, answer or Answer("rejected", code=LOST))
    attempts.totals(scope, book.order.id)
    after = again(scope, book)
    begun = attempts.arrange(scope, after)
    if entry.kind == "authorize" and answer is not None and answer.outcome == "held":
        lift_hold(scope, again(scope, after) if begun else after)


def lift_hold(scope: Scope, book: Book) -> None:
    """Lift the hold for payment when every card bears its part again."""
    if attempts.all_covered(book):
        holds.release(scope, book.order.id)


# ---- authorize


def _authorized(scope: Scope, book: Book, entry: Any, answer: Answer) -> None:
    if entry.outcome in OPEN:
        if answer.outcome in ("held", "captured"):
            _held(scope, book, entry, answer)
        elif answer.outcome == "action_required":
            _asks_buyer(scope, entry, answer)
        else:
            _refused(scope, book, entry, answer)
    if answer.outcome == "captured":
        _taken_elsewhere(scope, book, entry, answer)
    elif answer.outcome == "cancelled" and entry.outcome == "succeeded" and entry.ended_at is None:
        expire(scope, entry)


def _held(scope: Scope, book: Book, entry: Any, answer: Answer) -> None:
    lapses = lapses_at(entry.at, answer.hold_seconds)
    _update(
        scope,
        entry.id,
        outcome="succeeded",
        reference=answer.reference,
        capture_before=lapses,
        settled_at=real_now(),
        next_action=None,
        error_code=None,
        error=None,
    )
    scope.execute(
        "UPDATE tenders SET payment_method = coalesce(:method, payment_method), card = CAST(:card AS jsonb),"
        " processor_customer = coalesce(:customer, processor_customer) WHERE tenant_id = :tenant AND id = :id",
        id=entry.tender_id,
        method=answer.payment_method,
        customer=answer.customer,
        card=orjson.dumps(answer.card).decode() if answer.card else None,
    )
    if lapses is not None and answer.outcome == "held":
        scope.at(renewal_at(scope.now(), lapses), RENEW, entry.id, key=f"authorization:{entry.id}")
    events.record(scope, book.order.id, events.PAYMENT_AUTHORIZED, **_facts(book, entry, card=answer.card))


def _asks_buyer(scope: Scope, entry: Any, answer: Answer) -> None:
    """The buyer's bank asks. The answer is known, so the janitor has nothing to ask."""
    _update(
        scope,
        entry.id,
        outcome="pending",
        reference=answer.reference,
        next_action=orjson.dumps({"url": answer.action_url}).decode(),
        asked_at=None,
    )
    if entry.next_action is None:
        _need_payment(scope, entry, "Your bank asks you to confirm the payment.", "action_required")


def _refused(scope: Scope, book: Book, entry: Any, answer: Answer) -> None:
    code = GONE if answer.outcome == "cancelled" else answer.code or answer.outcome
    _update(
        scope,
        entry.id,
        outcome="failed",
        reference=answer.reference,
        error_code=code,
        error=answer.message,
        next_action=None,
        settled_at=real_now(),
        ended_at=scope.now(),
    )
    tender = book.tender(entry.tender_id)
    if answer.customer and not tender.processor_customer:
        scope.execute(
            "UPDATE tenders SET processor_customer = :customer WHERE tenant_id = :tenant AND id = :id",
            id=tender.id,
            customer=answer.customer,
        )
    if code == LOST or book.bears(tender) <= book.captured(tender):
        return
    _need_payment(scope, entry, answer.message or "The card was not accepted.", code)
    if book.waiting_capture(tender) is not None:
        _goods_are_gone(scope, book, book.waiting_capture(tender), answer)


def _need_payment(scope: Scope, entry: Any, reason: str, code: str) -> None:
    holds.place(
        scope, entry.order_id, reason, entry=entry.id, tender=entry.tender_id, amount=entry.amount, code=code
    )


def _taken_elsewhere(scope: Scope, book: Book, entry: Any, answer: Answer) -> None:
    """The hold was captured by somebody else than us (the merchant's dashboard): the ledger says so."""
    if entry.ended_at is not None or answer.captured == 0:
        return
    if any(one.authorization_id == entry.id and one.kind == "capture" for one in book.entries):
        return  # our own, under way or done
    attempts.fact(
        scope,
        entry.order_id,
        entry.tender_id,
        "capture",
        answer.captured,
        f"captured-elsewhere:{entry.id}",
        authorization=entry.id,
        reference=answer.reference,
    )
    _update(scope, entry.id, captured=answer.captured, ended_at=scope.now())
    facts = _facts(book, entry, amount=answer.captured, elsewhere=True)
    events.record(scope, book.order.id, events.PAYMENT_CAPTURED, **facts)


def expire(scope: Scope, entry: Any) -> None:
    """A live hold is gone at the processor."""
    attempts.fact(
        scope,
        entry.order_id,
        entry.tender_id,
        "expire",
        entry.amount - entry.captured,
        f"expire:{entry.id}",
        authorization=entry.id,
    )
    _update(scope, entry.id, ended_at=scope.now())
    events.record(scope, entry.order_id, events.PAYMENT_EXPIRED, entry=entry.id, amount=entry.amount)


# ---- capture


def _captured(scope: Scope, book: Book, entry: Any, answer: Answer) -> None:
    if entry.outcome not in OPEN or entry.authorization_id is None:
        return
    hold = next(one for one in book.entries if one.id == entry.authorization_id)
    if answer.outcome == "captured" and answer.captured == entry.amount:
        _update(
            scope,
            entry.id,
            outcome="succeeded",
            reference=answer.reference,
            settled_at=real_now(),
            error_code=None,
            error=None,
        )
        _update(scope, hold.id, captured=entry.amount, ended_at=scope.now())
        facts = _facts(book, entry, shipment=entry.shipment_id)
        events.record(scope, book.order.id, events.PAYMENT_CAPTURED, **facts)
        return
    _wait_again(scope, entry, answer)
    if answer.outcome == "cancelled" and hold.ended_at is None:
        expire(scope, hold)
    elif answer.outcome == "captured":
        elsewhere = [one for one in book.entries if one.id != entry.id]
        _taken_elsewhere(
            scope, Book(book.order, book.tenders, elsewhere, book.shipped, book.live), hold, answer
        )
    else:
        _goods_are_gone(scope, book, entry, answer)


def _wait_again(scope: Scope, entry: Any, answer: Answer) -> None:
    """Back among the captures that wait for a hold: the goods are gone, so it stays owed."""
    _update(
        scope,
        entry.id,
        outcome="pending",
        authorization_id=None,
        asked_at=None,
        error_code=answer.code or answer.outcome,
        error=answer.message,
    )


def _goods_are_gone(scope: Scope, book: Book, waiting: Any, answer: Answer) -> None:
    """Shipped and not paid: alarm, ask the buyer, try the card again every day."""
    events.record(
        scope,
        book.order.id,
        events.CAPTURE_FAILED,
        entry=waiting.id,
        amount=waiting.amount,
        currency=book.order.currency,
        code=answer.code,
        reason=answer.message,
        shipment=waiting.shipment_id,
    )
    holds.place(scope, book.order.id, answer.message or "The shipped goods could not be charged.")
    scope.at(scope.now() + RETRY_AFTER, RETRY, waiting.tender_id, key=f"payment-retry:{waiting.tender_id}")


# ---- void, refund


def _voided(scope: Scope, book: Book, entry: Any, answer: Answer) -> None:
    if entry.outcome not in OPEN:
        return
    hold = next(one for one in book.entries if one.id == entry.authorization_id)
    done = answer.outcome == "cancelled"
    _update(
        scope,
        entry.id,
        outcome="succeeded" if done else "failed",
        reference=answer.reference,
        error_code=None if done else answer.code or answer.outcome,
        error=None if done else answer.message,
        settled_at=real_now(),
    )
    if answer.outcome == "captured":
        _taken_elsewhere(scope, book, hold, answer)
    if not done:
        return
    if hold.outcome in OPEN:
        _update(scope, hold.id, outcome="failed", error_code=GONE, next_action=None, settled_at=real_now())
    if hold.ended_at is None:
        _update(scope, hold.id, ended_at=scope.now())
        events.record(scope, book.order.id, events.PAYMENT_VOIDED, **_facts(book, entry))


def _refunded(scope: Scope, book: Book, entry: Any, answer: Answer) -> None:
    if answer.outcome == "pending" and entry.outcome in OPEN:
        _update(scope, entry.id, outcome="pending", reference=answer.reference, asked_at=real_now())
    elif answer.outcome == "refunded" and entry.outcome in OPEN:
        _update(
            scope,
            entry.id,
            outcome="succeeded",
            reference=answer.reference,
            settled_at=real_now(),
            error=None,
        )
        events.record(scope, book.order.id, events.PAYMENT_REFUNDED, **_facts(book, entry))
    elif answer.outcome in ("failed", "rejected") and entry.outcome != "failed":
        _update(
            scope,
            entry.id,
            outcome="failed",
            reference=answer.reference or entry.reference,
            error_code=answer.code or answer.outcome,
            error=answer.message,
            settled_at=real_now(),
        )
        facts = _facts(book, entry, reason=answer.message or answer.code, cause=refund_cause(entry.key))
        events.record(scope, book.order.id, events.REFUND_FAILED, **facts)


SETTLERS = {"authorize": _authorized, "capture": _captured, "void": _voided, "refund": _refunded}


def _facts(book: Book, entry: Any, **more: Any) -> dict[str, Any]:
    """What every event of an entry says, and what more is given; an amount given goes before the entry's."""
    common = {"entry": entry.id, "tender": entry.tender_id, "amount": entry.amount}
    return common | {"currency": book.order.currency} | more


COLUMNS = frozenset(
    {
        "outcome",
        "reference",
        "captured",
        "capture_before",
        "ended_at",
        "error_code",
        "error",
        "next_action",
        "settled_at",
        "asked_at",
        "authorization_id",
    }
)


def _update(scope: Scope, entry_id: UUID, **values: Any) -> None:
    assert values.keys() <= COLUMNS
    sets = ", ".join(
        f"{name} = CAST(:{name} AS jsonb)" if name == "next_action" else f"{name} = :{name}"
        for name in values
    )
    scope.execute(
        f"UPDATE ledger_entries SET {sets} WHERE tenant_id = :tenant AND id = :id", id=entry_id, **values
    )
