"""Opening refunds due: what a buyer is owed when units were canceled, or when more was taken than may stay."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

from app import events
from app.calendar import local_date
from app.payments.book import Book, opened
from app.payments.rules import parts
from app.refunds import rows, rules
from app.refunds.service import settle
from infra.ids import new_id
from tenants.scope import Scope

CANCELLATIONS = """
SELECT CAST(data->>'gone' AS bigint) AS gone, CAST(data->>'vests_on' AS date) AS vests_on FROM timeline
WHERE tenant_id = :tenant AND order_id = :order AND name = ANY(:names) ORDER BY gone, id
"""
"""Every cancellation of an order: all that was gone after it, and the day on which the right to it vested."""


def cancelled(scope: Scope, order_id: UUID) -> list[UUID]:
    """Open what is owed to the buyer of an order for canceled units, one refund per cancellation and tender: what was
    taken and must go back, and apart from it what was never taken and is let go. Returns the refunds opened.

    Several cancellations may wait at once: whichever comes first opens all, each from the day (seller's zone) on which
    its own right vested, so that each letter names its own money.
    """
    book = opened(scope, order_id)
    so_far, left, made = _so_far(scope, order_id), _left(scope, book), []
    names = [events.ORDER_CANCELLED, events.LINES_CANCELLED]
    for one in scope.rows(CANCELLATIONS, order=order_id, names=names):
        later = book.order.total - book.live - one.gone
        cause = f"cancelled:{one.gone}"
        made += _open_all(scope, book, so_far, one.vests_on, cause, left=left + later, later=later)
    return _settled(scope, order_id, made)


def owe(scope: Scope, order_id: UUID, vests_on: date, *, why: str) -> list[UUID]:
    """Open what is owed of an order as it stands, for another reason than a cancellation; as `cancelled`."""
    book = opened(scope, order_id)
    left = _left(scope, book)
    cause = f"{why}:{book.order.total - left}"
    made = _open_all(scope, book, _so_far(scope, order_id), vests_on, cause, left=left)
    return _settled(scope, order_id, made)


def _left(scope: Scope, book: Book) -> int:
    """The value that the buyer has or may yet get, minor units."""
    return book.live - (_undelivered(scope, book.order.id) if _is_taken(book) else 0)


def _open_all(
    scope: Scope,
    book: Book,
    so_far: Counter[tuple[UUID, bool]],
    vests_on: date,
    cause: str,
    *,
    left: int,
    later: int = 0,
) -> list[UUID]:
    """Open by tender what is owed and not open yet when so much is left. Never below the share of what is gone, nor
    below what the merchant's own shipping table gives (435.1(d)); never above what the tender paid. `later`: the value
    of what was canceled afterwards, which opens its own."""
    kinds = [(tender.kind, tender.amount) for tender in book.tenders]
    live, lawful = parts(kinds, left), parts(kinds, left if later else min(left, _alone(scope, book)))
    made = []
    for tender, needed, least in zip(book.tenders, live, lawful, strict=True):
        owed, freed = so_far[tender.id, True], so_far[tender.id, False]
        share = rules.Share(tender.amount, book.captured(tender), needed, least, owed, freed)
        taken, let_go = rules.newly_due(share)
        if taken:
            made.append(_open(scope, book, tender, taken, vests_on, cause, taken=True))
            so_far[tender.id, True] += taken
        if let_go and _was_offered(book, tender):
            untaken = f"untaken:{book.order.total - left}"
            made.append(_open(scope, book, tender, let_go, vests_on, untaken, taken=False))
            so_far[tender.id, False] += let_go
    return made


def _settled(scope: Scope, order_id: UUID, made: list[UUID]) -> list[UUID]:
    if made:
        scope.later(rows.SETTLE, order_id)
    return made


def shipped(scope: Scope, order_id: UUID, **_: Any) -> None:
    """A parcel left: where the buyer had ended the contract about it meanwhile, its money goes back all the same."""
    if _undelivered(scope, order_id):
        owe(scope, order_id, local_date(scope.now(), scope.tenant.timezone), why="undelivered")


def captured(scope: Scope, order_id: UUID, **_: Any) -> None:
    """Money was taken: for what shipped of an order whose rest was canceled, where the lawful refund may be more than
    the canceled units' share; or by somebody else, for what is to be let go."""
    if _shipping(scope) or _undelivered(scope, order_id):
        owe(scope, order_id, local_date(scope.now(), scope.tenant.timezone), why="shipped-alone")
    settle(scope, order_id)


def _so_far(scope: Scope, order_id: UUID) -> Counter[tuple[UUID, bool]]:
    """What is open or was given back: minor units by tender and whether it had been taken."""
    found = scope.rows(
        "SELECT tender_id, taken, sum(amount)::bigint AS amount FROM refunds_due WHERE tenant_id = :tenant"
        " AND order_id = :order GROUP BY 1, 2",
        order=order_id,
    )
    return Counter({(row.tender_id, row.taken): row.amount for row in found})


def _shipping(scope: Scope) -> list[tuple[int, int]]:
    """The merchant's ordering instructions: settings `refunds.shipping` [{"from", "charge"}], minor units."""
    table = (scope.tenant.settings.get("refunds") or {}).get("shipping") or []
    return [(int(row["from"]), int(row["charge"])) for row in table]


def _alone(scope: Scope, book: Book) -> int:
    """What the units that are left would have cost alone; their share where the merchant states no table."""
    shipping = _shipping(scope)
    if not shipping:
        return book.live
    lines = scope.rows(
        "SELECT items - discount AS goods, charges, tax, ordered, ordered - cancelled AS kept FROM order_lines"
        " WHERE tenant_id = :tenant AND order_id = :order",
        order=book.order.id,
    )
    alone = rules.shipped_alone([rules.LineMoney(*line) for line in lines], shipping)
    return book.live if alone is None else alone


def _undelivered(scope: Scope, order_id: UUID) -> int:
    """The value of what left and never arrived, where the buyer ended the contract about it; minor units."""
    row = scope.row(
        "SELECT coalesce(sum(l.value_shipped), 0)::bigint AS value FROM promises p JOIN order_lines l"
        " ON l.tenant_id = :tenant AND l.id = p.order_line_id"
        " WHERE p.tenant_id = :tenant AND p.order_id = :order AND p.delivery_state = 'ended'",
        order=order_id,
    )
    return int(row.value) if row is not None else 0


def _is_taken(book: Book) -> bool:
    """Whether what shipped is paid: before, nothing of it can be given back; `captured` comes again."""
    return sum(book.captured(tender) for tender in book.tenders) >= book.shipped


def _was_offered(book: Book, tender: Any) -> bool:
    """Whether the tender was the buyer's to lose: of a card that was never accepted nothing is let go."""
    return tender.kind != "card" or bool(book.of(tender, "authorize", "succeeded", *rules.OPEN))


def _open(
    scope: Scope, book: Book, tender: Any, amount: int, vests_on: date, cause: str, *, taken: bool
) -> UUID:
    zone = scope.tenant.timezone
    days = rules.days(
        vests_on,
        tender.kind,
        zone,
        regimes=rows.regimes(scope, book.order.id),
        settings=rows.readings(scope),
    )
    due_id = new_id()
    scope.execute(
        "INSERT INTO refunds_due (tenant_id, id, order_id, tender_id, amount, cause, taken, form, vests_on,"
        " latest_on, strict_on, target_on, opened_at, due_at) VALUES (:tenant, :id, :order, :tender, :amount,"
        " :cause, :taken, :form, :vests, :latest, :strict, :target, :now, :due)",
        id=due_id,
        order=book.order.id,
        tender=tender.id,
        amount=amount,
        cause=cause,
        taken=taken,
        form=rules.form(tender.kind, taken=taken),
        vests=vests_on,
        latest=days.latest_on,
        strict=days.strict_on,
        target=days.target_on,
        now=scope.now(),
        due=days.due_at,
    )
    rows.arm(scope, due_id)
    rows.tell(
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
