"""The verbs of refunds due: give back what is owed, tell the buyer, take what a person did, and watch.

`settle` brings every refund of an order as far as it can go now; whatever changes (an answer of the processor, a
message that left, a person's report) only calls it again. A refund is proven when money and statement have gone.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

from app import events
from app.calendar import local_date
from app.payments import service as payments
from app.payments.book import Book, opened
from app.refunds import rows, rules, statements
from infra.errors import Problem, not_found, refused
from tenants.scope import Scope

# ---- giving back, telling, proving


def settle(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Bring each refund of the order that is not proven as far as it can go now."""
    if not rows.unproven(scope, order_id):
        return
    book = opened(scope, order_id)
    for due in rows.unproven(scope, order_id):
        tender = book.tender(due.tender_id)
        if due.paid_at is None:
            due = _give_back(scope, book, due, tender)
        if due.paid_at is not None and due.statement_id is None and due.stated_on is None:
            due = rows.update(scope, due, statement_id=statements.send(scope, due, tender))
        _prove(scope, book, due, tender)


def failed(scope: Scope, order_id: UUID, *, cause: str = "", **_: Any) -> None:
    """The processor could not give the money back after all: what seemed paid is open again."""
    opened(scope, order_id)
    found = rows.find(scope, UUID(cause.removeprefix("due:"))) if cause.startswith("due:") else None
    if found is not None and found.impossible_on is None:
        rows.update(
            scope,
            found,
            paid_at=None,
            sent_on=None,
            paid_form=None,
            entry_id=None,
            statement_id=None,
            stated_on=None,
            proven_at=None,
        )
    settle(scope, order_id)


def stated(scope: Scope, notice_id: UUID, **_: Any) -> None:
    """A message left: where it is a refund's statement, the refund may be proven now."""
    row = scope.row(
        "SELECT order_id FROM refunds_due WHERE tenant_id = :tenant AND statement_id = :notice",
        notice=notice_id,
    )
    if row is not None:
        settle(scope, row.order_id)


def unstated(scope: Scope, order_id: UUID, *, notice: str, **_: Any) -> None:
    """The buyer's statement did not arrive after all: the refund waits for another one, which a person sends."""
    opened(scope, order_id)
    scope.execute(
        "UPDATE refunds_due SET stated_on = NULL, proven_at = NULL WHERE tenant_id = :tenant"
        " AND statement_id = :notice AND statement_reference IS NULL",
        notice=UUID(notice),
    )


def _give_back(scope: Scope, book: Book, due: Any, tender: Any) -> Any:
    """Move the money as far as Kept can by itself."""
    if not due.taken:
        return _let_go(scope, book, due, tender)
    if due.impossible_on is not None or tender.kind not in rules.BY_ITSELF:
        return due
    step = rules.progress(_outcomes(book, due), due.amount)
    if step == "begin":
        entries = payments.refund(scope, book.order.id, tender.id, due.amount, cause_of(due))
        if tender.kind != "card":
            return _paid(scope, book, due, tender, "original", entry_id=entries[0])
    elif step == "paid":
        first = next(one for one in _entries(book, due) if one.outcome == "succeeded")
        return _paid(scope, book, due, tender, "original", entry_id=first.id)
    elif step == "refused":
        last = _entries(book, due)[-1]
        today = local_date(scope.now(), scope.tenant.timezone)
        return _cannot(scope, book, due, tender, last.error or last.error_code, today)
    return due


def _let_go(scope: Scope, book: Book, due: Any, tender: Any) -> Any:
    """Nothing was taken: it is done when no hold is left for it. Taken by somebody else meanwhile: it must go back."""
    excess = book.captured(tender) - book.bears(tender)
    if tender.kind == "card" and excess >= due.amount:
        due = rows.update(scope, due, taken=True, form=rules.form(tender.kind, taken=True))
        return _give_back(scope, book, due, tender)
    ended = tender.kind == "card" and book.bears(tender) <= book.captured(tender)
    if ended and (book.holds(tender) or book.of(tender, "authorize", *rules.OPEN)):
        return due
    return _paid(scope, book, due, tender, "not_charged")


def cause_of(due: Any) -> str:
    """Under which cause a refund's ledger entries stand."""
    return f"due:{due.id}"


def _entries(book: Book, due: Any) -> list[Any]:
    return [one for one in book.entries if one.key.startswith(f"refund:{cause_of(due)}:")]


def _outcomes(book: Book, due: Any) -> list[tuple[str, int, str | None]]:
    return [(one.outcome, one.amount, one.error_code) for one in _entries(book, due)]


def _paid(
    scope: Scope,
    book: Book,
    due: Any,
    tender: Any,
    form: str,
    *,
    entry_id: UUID | None = None,
    reference: str | None = None,
    sent_on: date | None = None,
) -> Any:
    sent_on = sent_on or local_date(scope.now(), scope.tenant.timezone)
    due = rows.update(
        scope,
        due,
        paid_at=scope.now(),
        sent_on=sent_on,
        paid_form=form,
        entry_id=entry_id,
        reference=reference,
    )
    rows.tell(
        scope,
        book,
        events.REFUND_SENT,
        due.id,
        tender,
        amount=due.amount,
        form=form,
        reference=reference,
        sent_on=sent_on,
        late=sent_on > due.latest_on,
    )
    return due


def _prove(scope: Scope, book: Book, due: Any, tender: Any) -> None:
    if due.paid_at is None:
        return
    stated_on = due.stated_on
    if stated_on is None and due.statement_state in ("sent", "delivered"):
        stated_on = local_date(due.statement_sent_at, scope.tenant.timezone)
    if stated_on is None:
        return
    rows.update(scope, due, stated_on=stated_on, proven_at=scope.now())
    rows.tell(
        scope,
        book,
        events.REFUND_PROVED,
        due.id,
        tender,
        amount=due.amount,
        sent_on=due.sent_on,
        stated_on=stated_on,
    )


def _cannot(scope: Scope, book: Book, due: Any, tender: Any, reason: str, discovered_on: date) -> Any:
    """The money cannot go back the way it came: cash, a check or a money order is due, counted from the discovery."""
    zone = scope.tenant.timezone
    days = rules.days(
        due.vests_on,
        tender.kind,
        zone,
        impossible_on=discovered_on,
        regimes=rows.regimes(scope, due.order_id),
        settings=rows.readings(scope),
    )
    due = rows.update(
        scope,
        due,
        impossible_on=discovered_on,
        impossible_reason=reason,
        form=rules.form(tender.kind, taken=True, impossible=True),
        latest_on=days.latest_on,
        strict_on=days.strict_on,
        target_on=days.target_on,
        due_at=days.due_at,
        alarm=0,
    )
    rows.arm(scope, due.id)
    rows.tell(
        scope,
        book,
        events.REFUND_DIVERTED,
        due.id,
        tender,
        amount=due.amount,
        reason=reason,
        discovered_on=discovered_on,
        latest_on=days.latest_on,
    )
    return due


# ---- what people do


def pay(scope: Scope, due_id: UUID, form: str, reference: str, sent_on: date) -> UUID:
    """A person sent the money: `form`, its number and the day. The same report again changes nothing.

    Raises Problem 404; 409 `refund-paid`, `nothing-taken`, `store-credit-unlawful`, `card-refunds-itself`,
    `form-unlawful`; 422 at /reference, /sent_on.
    """
    book, due = _locked(scope, due_id)
    tender = book.tender(due.tender_id)
    if not due.taken:
        raise refused("nothing-taken", "Nothing was taken with this tender, so there is nothing to send.")
    kept = rules.check_form(tender.kind, form, impossible=due.impossible_on is not None)
    if due.paid_at is not None:
        if (due.paid_form, due.reference or "", due.sent_on) == (kept, reference, sent_on):
            return due_id
        raise refused("refund-paid", f"This refund was sent on {due.sent_on} already.")
    rules.check_sent(kept, reference, sent_on, *_days(scope, book))
    if rules.progress(_outcomes(book, due), due.amount) == "wait":
        raise refused("refund-under-way", "The processor's answer is still awaited. Wait a moment.")
    entries = payments.refund(
        scope, book.order.id, tender.id, due.amount, cause_of(due), reference=reference or kept, by_hand=True
    )
    _paid(scope, book, due, tender, kept, entry_id=entries[-1], reference=reference or None, sent_on=sent_on)
    settle(scope, book.order.id)
    return due_id


def cannot(scope: Scope, due_id: UUID, reason: str, discovered_on: date) -> UUID:
    """A person found that the money cannot go back the way it came. Said again it changes nothing.

    Raises Problem 404; 409 `refund-paid`, `refund-under-way`, `nothing-taken`; 422 at /discovered_on.
    """
    book, due = _locked(scope, due_id)
    tender = book.tender(due.tender_id)
    if due.impossible_on is not None:
        return due_id
    if not due.taken:
        raise refused("nothing-taken", "Nothing was taken with this tender, so there is nothing to send.")
    if due.paid_at is not None:
        raise refused("refund-paid", f"This refund was sent on {due.sent_on} already.")
    if rules.progress(_outcomes(book, due), due.amount) == "wait":
        raise refused("refund-under-way", "The processor's answer is still awaited. Wait a moment.")
    today = local_date(scope.now(), scope.tenant.timezone)
    rules.check_discovered(discovered_on, due.vests_on, today)
    _cannot(scope, book, due, tender, reason, discovered_on)
    return due_id


def state_by_hand(scope: Scope, due_id: UUID, reference: str, sent_on: date) -> UUID:
    """A person sent the buyer's statement, where ours could not be delivered. Said again it changes nothing.

    Raises Problem 404; 409 `refund-not-paid`; 422 at /sent_on.
    """
    book, due = _locked(scope, due_id)
    if due.stated_on is not None:
        return due_id
    if due.paid_at is None:
        raise refused("refund-not-paid", "The money has not gone yet. Record that first.")
    rules.check_sent("statement", reference, sent_on, *_days(scope, book))
    due = rows.update(scope, due, stated_on=sent_on, statement_reference=reference)
    _prove(scope, book, due, book.tender(due.tender_id))
    return due_id


def _days(scope: Scope, book: Book) -> tuple[date, date]:
    """The day on which the order was placed, and today, in the seller's zone."""
    zone = scope.tenant.timezone
    return local_date(book.order.placed_at, zone), local_date(scope.now(), zone)


def _locked(scope: Scope, due_id: UUID) -> tuple[Book, Any]:
    found = rows.find(scope, due_id)
    if found is None:
        raise not_found("refund due")
    book = opened(scope, found.order_id)
    return book, rows.find(scope, due_id)


# ---- the watch


def watch(scope: Scope, due_id: UUID, **_: Any) -> None:
    """Try again what may have stood still, and alarm when our target was missed, the lawful day is near, or over."""
    found = rows.find(scope, due_id)
    if found is None:
        return
    with suppress(Problem), scope.session.begin_nested():  # what refuses must not silence the alarm
        settle(scope, found.order_id)
    book, due = _locked(scope, due_id)
    if due.proven_at is not None:
        return
    level = rules.alarm(due, scope.tenant.timezone, scope.now())
    if level > due.alarm:
        due = rows.update(scope, due, alarm=level)
        tender = book.tender(due.tender_id)
        facts = {"amount": due.amount, "level": level, "latest_on": due.latest_on}
        rows.tell(scope, book, events.REFUND_ALARMED, due_id, tender, **facts)
    rows.arm(scope, due_id)
