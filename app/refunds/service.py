"""The verbs of refunds due: open what is owed, give it back, tell the buyer, and take what a person did.

`settle` brings every refund of an order as far as it can go now; whatever changes (an answer of the processor, a
message that left, a person's report) only calls it again. A refund is proven when money and statement have gone.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from app import events
from app.calendar import local_date
from app.payments import service as payments
from app.payments.book import Book, opened
from app.payments.rules import parts
from app.refunds import rules, statements
from infra.errors import not_found, refused
from infra.ids import new_id
from tenants.scope import Scope

SETTLE, WATCH = "refund.settle", "refund.watch"
DUE = """
SELECT d.*, t.kind AS tender_kind, n.state AS statement_state, n.sent_at AS statement_sent_at
FROM refunds_due d JOIN tenders t ON t.tenant_id = :tenant AND t.id = d.tender_id
LEFT JOIN notices n ON n.tenant_id = :tenant AND n.id = d.statement_id
WHERE d.tenant_id = :tenant
"""
COLUMNS = frozenset(
    {
        "taken",
        "form",
        "latest_on",
        "strict_on",
        "target_on",
        "due_at",
        "paid_at",
        "sent_on",
        "paid_form",
        "reference",
        "entry_id",
        "impossible_on",
        "impossible_reason",
        "statement_id",
        "stated_on",
        "statement_reference",
        "proven_at",
        "alarm",
    }
)


# ---- owing


def owe(scope: Scope, order_id: UUID, vests_on: date, *, why: str = "cancelled") -> list[UUID]:
    """Open what is owed to the buyer of an order now that units were cancelled, one refund per tender: what was taken
    and must go back, and apart from it what was never taken and is let go. Returns the refunds opened.

    `vests_on`: the day (seller's zone) on which the right vested. Never below the share of the cancelled units, nor
    below what the merchant's own shipping table gives (435.1(d)); never above what the tender paid.
    """
    book = opened(scope, order_id)
    so_far = _so_far(scope, order_id)
    kinds = [(tender.kind, tender.amount) for tender in book.tenders]
    live, lawful = parts(kinds, book.live), parts(kinds, min(book.live, _alone(scope, book)))
    made = []
    for tender, needed, least in zip(book.tenders, live, lawful, strict=True):
        owed, gone = so_far.get((tender.id, True), 0), so_far.get((tender.id, False), 0)
        share = rules.Share(tender.amount, book.captured(tender), needed, least, owed, gone)
        taken, let_go = rules.newly_due(share)
        if taken:
            made.append(_open(scope, book, tender, taken, vests_on, why, taken=True))
        if let_go and _was_offered(book, tender):
            made.append(_open(scope, book, tender, let_go, vests_on, "untaken", taken=False))
    if made:
        scope.later(SETTLE, order_id)
    return made


def captured(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Money was taken: for what shipped of an order whose rest was cancelled, where the lawful refund may be more than
    the cancelled units' share; or by somebody else, for what is to be let go."""
    if _shipping(scope):
        owe(scope, order_id, local_date(scope.now(), scope.tenant.timezone), why="shipped-alone")
    settle(scope, order_id)


def _so_far(scope: Scope, order_id: UUID) -> dict[tuple[UUID, bool], int]:
    rows = scope.rows(
        "SELECT tender_id, taken, sum(amount)::bigint AS amount FROM refunds_due WHERE tenant_id = :tenant"
        " AND order_id = :order GROUP BY 1, 2",
        order=order_id,
    )
    return {(row.tender_id, row.taken): row.amount for row in rows}


def _shipping(scope: Scope) -> list[tuple[int, int]]:
    """The merchant's ordering instructions: settings `refunds.shipping` [{"from", "charge"}], minor units."""
    table = (scope.tenant.settings.get("refunds") or {}).get("shipping") or []
    return [(int(row["from"]), int(row["charge"])) for row in table]


def _alone(scope: Scope, book: Book) -> int:
    """What the units that are left would have cost alone; their share where the merchant states no table."""
    shipping = _shipping(scope)
    if not shipping:
        return book.live
    rows = scope.rows(
        "SELECT items - discount AS goods, charges, tax, ordered, ordered - cancelled AS kept FROM order_lines"
        " WHERE tenant_id = :tenant AND order_id = :order",
        order=book.order.id,
    )
    return rules.shipped_alone([rules.LineMoney(*row) for row in rows], shipping)


def _was_offered(book: Book, tender: Any) -> bool:
    """Whether the tender was the buyer's to lose: of a card that was never accepted nothing is let go."""
    return tender.kind != "card" or bool(book.of(tender, "authorize", "succeeded", *rules.OPEN))


def _open(
    scope: Scope, book: Book, tender: Any, amount: int, vests_on: date, why: str, *, taken: bool
) -> UUID:
    gone = book.order.total - book.live
    zone = scope.tenant.timezone
    days = rules.days(vests_on, tender.kind, zone)
    due_id = new_id()
    scope.execute(
        "INSERT INTO refunds_due (tenant_id, id, order_id, tender_id, amount, cause, taken, form, vests_on,"
        " latest_on, strict_on, target_on, opened_at, due_at) VALUES (:tenant, :id, :order, :tender, :amount,"
        " :cause, :taken, :form, :vests, :latest, :strict, :target, :now, :due)",
        id=due_id,
        order=book.order.id,
        tender=tender.id,
        amount=amount,
        cause=f"{why}:{gone}",
        taken=taken,
        form=rules.form(tender.kind, taken=taken),
        vests=vests_on,
        latest=days.latest_on,
        strict=days.strict_on,
        target=days.target_on,
        now=scope.now(),
        due=days.due_at,
    )
    _arm(scope, due_id)
    _tell(
        scope,
        book,
        events.REFUND_OWED,
        due_id,
        tender,
        amount=amount,
        taken=taken,
        vests_on=vests_on,
        latest_on=days.latest_on,
    )
    return due_id


# ---- giving back, telling, proving


def settle(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Bring each refund of the order that is not proven as far as it can go now."""
    if not _unproven(scope, order_id):
        return
    book = opened(scope, order_id)
    for due in _unproven(scope, order_id):
        tender = book.tender(due.tender_id)
        if due.paid_at is None:
            due = _give_back(scope, book, due, tender)
        if due.paid_at is not None and due.statement_id is None and due.stated_on is None:
            due = _update(scope, due, statement_id=statements.send(scope, due, tender))
        _prove(scope, book, due, tender)


def failed(scope: Scope, order_id: UUID, *, cause: str = "", **_: Any) -> None:
    """The processor could not give the money back after all: what seemed paid is open again."""
    opened(scope, order_id)
    found = _due(scope, UUID(cause.removeprefix("due:"))) if cause.startswith("due:") else None
    if found is not None and found.impossible_on is None:
        _update(
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


def _unproven(scope: Scope, order_id: UUID) -> list[Any]:
    return scope.rows(
        f"{DUE} AND d.order_id = :order AND d.proven_at IS NULL ORDER BY d.opened_at, d.id", order=order_id
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
        due = _update(scope, due, taken=True, form=rules.form(tender.kind, taken=True))
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
    due = _update(
        scope,
        due,
        paid_at=scope.now(),
        sent_on=sent_on,
        paid_form=form,
        entry_id=entry_id,
        reference=reference,
    )
    _tell(
        scope,
        book,
        events.REFUND_PAID,
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
    _update(scope, due, stated_on=stated_on, proven_at=scope.now())
    _tell(
        scope,
        book,
        events.REFUND_PROVEN,
        due.id,
        tender,
        amount=due.amount,
        sent_on=due.sent_on,
        stated_on=stated_on,
    )


def _cannot(scope: Scope, book: Book, due: Any, tender: Any, reason: str, discovered_on: date) -> Any:
    """The money cannot go back the way it came: cash, a check or a money order is due, counted from the discovery."""
    zone = scope.tenant.timezone
    days = rules.days(due.vests_on, tender.kind, zone, impossible_on=discovered_on)
    due = _update(
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
    _arm(scope, due.id)
    _tell(
        scope,
        book,
        events.REFUND_IMPOSSIBLE,
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
    rules.check_sent(kept, reference, sent_on, local_date(scope.now(), scope.tenant.timezone))
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
    rules.check_sent("statement", reference, sent_on, local_date(scope.now(), scope.tenant.timezone))
    due = _update(scope, due, stated_on=sent_on, statement_reference=reference)
    _prove(scope, book, due, book.tender(due.tender_id))
    return due_id


def _locked(scope: Scope, due_id: UUID) -> tuple[Book, Any]:
    found = _due(scope, due_id)
    if found is None:
        raise not_found("refund due")
    book = opened(scope, found.order_id)
    return book, _due(scope, due_id)


# ---- the watch


def watch(scope: Scope, due_id: UUID, **_: Any) -> None:
    """Try again what may have stood still, and alarm when our target was missed, the lawful day is near, or over."""
    found = _due(scope, due_id)
    if found is None:
        return
    settle(scope, found.order_id)
    book, due = _locked(scope, due_id)
    if due.proven_at is not None:
        return
    level = rules.alarm(due, scope.tenant.timezone, scope.now())
    if level > due.alarm:
        due = _update(scope, due, alarm=level)
        tender = book.tender(due.tender_id)
        facts = {"amount": due.amount, "level": level, "latest_on": due.latest_on}
        _tell(scope, book, events.REFUND_AT_RISK, due_id, tender, **facts)
    _arm(scope, due_id)


def _arm(scope: Scope, due_id: UUID) -> None:
    due = _due(scope, due_id)
    moment = rules.next_look(due, scope.tenant.timezone, scope.now())
    if moment is not None:
        scope.at(moment, WATCH, due_id, key=f"refund:{due_id}")


# ---- rows


def _due(scope: Scope, due_id: UUID) -> Any | None:
    return scope.row(f"{DUE} AND d.id = :id", id=due_id)


def _update(scope: Scope, due: Any, **values: Any) -> Any:
    assert values.keys() <= COLUMNS
    sets = ", ".join(f"{name} = :{name}" for name in values)
    scope.execute(
        f"UPDATE refunds_due SET {sets} WHERE tenant_id = :tenant AND id = :due_id", due_id=due.id, **values
    )
    return _due(scope, due.id)


def _tell(scope: Scope, book: Book, name: str, due_id: UUID, tender: Any, **facts: Any) -> None:
    common = {"due": due_id, "tender": tender.id, "currency": book.order.currency, "tender_kind": tender.kind}
    events.tell(scope, book.order.id, name, **common, **facts)
