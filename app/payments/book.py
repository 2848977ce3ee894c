"""The money of one order, read under its lock: what every verb of payments decides from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from app.payments.rules import RETRIED_BY_ITSELF, CardState, parts
from infra.errors import not_found
from tenants.scope import Scope


@dataclass
class Book:
    """One order's money. Amounts are minor units; `shipped` and `live` are values of its lines.

    `live` is what shipped or may yet ship: the total without what was canceled.
    """

    order: Any
    tenders: list[Any]
    entries: list[Any]
    shipped: int
    live: int

    def tender(self, tender_id: UUID) -> Any:
        """One of the order's tenders. Raises Problem 404."""
        for tender in self.tenders:
            if tender.id == tender_id:
                return tender
        raise not_found("tender")

    def due(self, tender: Any) -> int:
        """What of the shipped value this tender bears."""
        return self._part(tender, self.shipped)

    def bears(self, tender: Any) -> int:
        """What of the order's live value this tender bears."""
        return self._part(tender, self.live)

    def _part(self, tender: Any, value: int) -> int:
        shares = parts([(one.kind, one.amount) for one in self.tenders], value)
        return shares[self.tenders.index(tender)]

    def of(self, tender: Any, kind: str, *outcomes: str) -> list[Any]:
        """The tender's entries of a kind (and outcome), oldest first."""
        return [
            entry
            for entry in self.entries
            if entry.tender_id == tender.id
            and entry.kind == kind
            and (not outcomes or entry.outcome in outcomes)
        ]

    def captured(self, tender: Any) -> int:
        """What was taken."""
        return sum(entry.amount for entry in self.of(tender, "capture", "succeeded"))

    def holds(self, tender: Any) -> list[Any]:
        """Live authorizations, newest first."""
        live = [one for one in self.of(tender, "authorize", "succeeded") if one.ended_at is None]
        return live[::-1]

    def waiting_capture(self, tender: Any) -> Any | None:
        """The oldest capture that is not drawn on an authorization yet."""
        waiting = [one for one in self.of(tender, "capture", "pending") if one.authorization_id is None]
        return waiting[0] if waiting else None

    def last_attempt(self, tender: Any) -> Any | None:
        """The latest authorization attempt, whatever became of it."""
        attempts = self.of(tender, "authorize")
        return attempts[-1] if attempts else None

    def card(self, tender: Any) -> CardState:
        """The card as its rules see it."""
        last, waiting = self.last_attempt(tender), self.waiting_capture(tender)
        captures = self.of(tender, "capture", "pending", "unknown")
        return CardState(
            open=self.bears(tender) - self.captured(tender),
            held=tuple(one.amount for one in self.holds(tender)),
            waiting=waiting.amount if waiting else None,
            stuck=bool(waiting and waiting.error_code and waiting.error_code not in RETRIED_BY_ITSELF),
            authorizing=bool(last and last.outcome in ("pending", "unknown")),
            asking=bool(last and last.outcome == "pending" and last.next_action),
            capturing=any(one.authorization_id is not None for one in captures),
            voiding=bool(self.of(tender, "void", "pending", "unknown")),
            refused=bool(last and last.outcome == "failed" and last.error_code not in RETRIED_BY_ITSELF),
            has_card=bool(tender.payment_method),
        )

    @property
    def cards(self) -> list[Any]:
        """Tenders paid by card."""
        return [tender for tender in self.tenders if tender.kind == "card"]


LOCK = """
SELECT id, number, status, currency, total, tax_status, customer, placed_at FROM orders
WHERE tenant_id = :tenant AND id = {order} FOR UPDATE
"""
BY_ENTRY = "(SELECT order_id FROM ledger_entries WHERE tenant_id = :tenant AND id = :entry)"
BY_TENDER = "(SELECT order_id FROM tenders WHERE tenant_id = :tenant AND id = :tender)"
TENDER = """t.id, t.order_id, t.position, t.kind, t.amount, t.currency, t.payment_method, t.processor_customer, t.card,
    t.code, t.reference, t.mandate_at"""
ENTRY = """e.id, e.order_id, e.tender_id, e.kind, e.amount, e.outcome, e.key, e.authorization_id, e.shipment_id,
    e.reference, e.captured, e.capture_before, e.ended_at, e.error_code, e.error, e.next_action, e.at, e.settled_at,
    e.asked_at"""
READ = f"""
SELECT s.shipped, s.live, {TENDER}, {ENTRY}
FROM (SELECT coalesce(sum(value_shipped), 0)::bigint AS shipped,
        coalesce(sum(total - value_cancelled), 0)::bigint AS live
    FROM order_lines WHERE tenant_id = :tenant AND order_id = :order) s
LEFT JOIN tenders t ON t.tenant_id = :tenant AND t.order_id = :order
LEFT JOIN ledger_entries e ON e.tenant_id = :tenant AND e.order_id = :order AND e.tender_id = t.id
ORDER BY t.position
"""
TENDER_FIELDS, ENTRY_FIELDS = re.findall(r"t\.(\w+)", TENDER), re.findall(r"e\.(\w+)", ENTRY)


def opened(scope: Scope, order_id: UUID) -> Book:
    """Lock the order and read its money. Raises Problem 404."""
    order = scope.row(LOCK.format(order=":order"), order=order_id)
    if order is None:
        raise not_found("order")
    return _read(scope, order)


def of_entry(scope: Scope, entry_id: UUID) -> Book:
    """As `opened`, of the order that a ledger entry belongs to. Raises Problem 404."""
    order = scope.row(LOCK.format(order=BY_ENTRY), entry=entry_id)
    if order is None:
        raise not_found("ledger entry")
    return _read(scope, order)


def of_tender(scope: Scope, tender_id: UUID) -> Book:
    """As `opened`, of the order that a tender pays. Raises Problem 404."""
    order = scope.row(LOCK.format(order=BY_TENDER), tender=tender_id)
    if order is None:
        raise not_found("tender")
    return _read(scope, order)


def again(scope: Scope, book: Book) -> Book:
    """The same order's money after this transaction has changed it; the lock is still ours."""
    return _read(scope, book.order)


def _read(scope: Scope, order: Any) -> Book:
    """Everything in one statement, sent after the lock was got: one that waits for the lock would read what was
    there before it waited."""
    tenders: dict[UUID, Any] = {}
    entries = []
    rows = scope.rows(READ, order=order.id)
    for _, _, *values in rows:
        tender = SimpleNamespace(**dict(zip(TENDER_FIELDS, values, strict=False)))
        entry = SimpleNamespace(**dict(zip(ENTRY_FIELDS, values[len(TENDER_FIELDS) :], strict=True)))
        if tender.id is not None:
            tenders.setdefault(tender.id, tender)
        if entry.id is not None:
            entries.append(entry)
    entries.sort(key=lambda one: (one.at, one.id))
    return Book(order, list(tenders.values()), entries, rows[0].shipped, rows[0].live)
