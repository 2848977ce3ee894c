"""Settling an order's tax with whoever works it out for the merchant. What it costs the buyer never goes up.

`begin`, `call`, `finish` and `failed` ask right after placing; after three failures the order goes on with its
estimate, and `again_begin` and `again_call` ask by a timer until there is an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from app import events
from app.money import spread
from app.tax.adapters import BuiltInRates, TaxRequest, TaxUnavailable, UnknownTaxAdapter, adapter_for
from app.tax.rules import TaxableCharge, TaxableLine, TaxQuote
from infra import settings
from infra.ids import new_id
from tenants.scope import Scope

SETTLE = "tax.settle"
MOST_FAILURES = 3
ASK_AGAIN = timedelta(hours=1)
GIVEN = "the order's channel"


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask of whom, for which order."""

    order_id: UUID
    adapter: Mapping[str, Any]
    request: TaxRequest


def begin(scope: Scope, order_id: UUID, **_: Any) -> Question | None:
    """Prepare to ask. Tax that the channel gave, and the built-in rates, are settled at once: None."""
    order = _locked(scope, order_id)
    if order is None:
        return None
    record = _record(scope, order_id, order.tax_total)
    if record.went_on:
        return None
    if order.tax_status == "given":
        _settled(scope, order, order.tax_total, GIVEN, {})
        _go_on(scope, order_id)
        return None
    adapter = scope.tenant.settings.get("tax") or {}
    question = _question(scope, order, adapter)
    if adapter.get("adapter", "builtin") == "builtin":
        _taken(scope, order, record, BuiltInRates().quote(question.request))
        return None
    return question


def call(question: Question) -> TaxQuote:
    """Ask. Raises TaxUnavailable, UnknownTaxAdapter."""
    private = settings.current().private_services == "allow"
    return adapter_for(question.adapter, allow_private=private).quote(question.request)


def finish(scope: Scope, question: Question, quote: TaxQuote) -> None:
    """Take the answer: a lower tax lowers what is not paid yet, a higher one is the merchant's."""
    order = _locked(scope, question.order_id)
    _taken(scope, order, _record(scope, question.order_id, order.tax_total), quote)


def _taken(scope: Scope, order: Any, record: _Record, quote: TaxQuote) -> None:
    if record.status == "estimated":
        lowered = quote.total < order.tax_total and _lower(scope, order, quote)
        detail = {"rate": str(quote.rate), "lines": list(quote.lines), "charges": list(quote.charges)}
        if quote.total < order.tax_total and not lowered:
            detail["collected_above"] = order.tax_total - quote.total
        _settled(scope, order, quote.total, quote.source, detail)
    if not record.went_on:
        _go_on(scope, order.id)


def failed(scope: Scope, question: Question, error: Exception) -> None:
    """Count the failure; after the third the order goes on with the estimate, and a timer asks again."""
    order = _locked(scope, question.order_id)
    record = _record(scope, question.order_id, order.tax_total)
    if record.went_on or record.status == "settled":
        return
    failures = int(record.detail.get("failures", 0)) + 1
    _note(scope, question.order_id, failures=failures, reason=str(error)[:300])
    if failures >= MOST_FAILURES:
        _ask_again(scope, question.order_id)
        _go_on(scope, question.order_id, estimated=True)


def again_begin(scope: Scope, order_id: UUID, **_: Any) -> Question | None:
    """Prepare to ask for an order that went on with its estimate."""
    order = _locked(scope, order_id)
    if order is None or order.tax_status != "estimated":
        return None
    return _question(scope, order, scope.tenant.settings.get("tax") or {})


def again_call(question: Question) -> TaxQuote | None:
    """Ask; None when there is still no answer."""
    try:
        return call(question)
    except (TaxUnavailable, UnknownTaxAdapter):
        return None


def again_finish(scope: Scope, question: Question, quote: TaxQuote | None) -> None:
    """Take the answer, or ask again later."""
    if quote is None:
        _ask_again(scope, question.order_id)
    else:
        finish(scope, question, quote)


def _ask_again(scope: Scope, order_id: UUID) -> None:
    scope.at(scope.now() + ASK_AGAIN, SETTLE, order_id, key=f"tax:{order_id}")


def _locked(scope: Scope, order_id: UUID) -> Any:
    return scope.row(
        "SELECT id, currency, ship_to, charges, tax_total, tax_status, status FROM orders"
        " WHERE tenant_id = :tenant AND id = :order FOR UPDATE",
        order=order_id,
    )


def _question(scope: Scope, order: Any, adapter: Mapping[str, Any]) -> Question:
    goes_to = order.ship_to
    return Question(
        order.id,
        adapter,
        TaxRequest(
            goes_to.get("region") or "",
            goes_to.get("country") or "US",
            goes_to.get("postal_code") or "",
            order.currency,
            tuple(TaxableLine(line.items - line.discount, line.tax_code) for line in _lines(scope, order.id)),
            tuple(TaxableCharge(charge["code"], charge["amount"]) for charge in order.charges),
            str(order.id),
        ),
    )


def _lines(scope: Scope, order_id: UUID) -> list[Any]:
    return scope.rows(
        "SELECT id, items, discount, tax, tax_code, value_shipped, value_cancelled FROM order_lines"
        " WHERE tenant_id = :tenant AND order_id = :order ORDER BY position FOR UPDATE",
        order=order_id,
    )


# ---- the record


@dataclass(frozen=True, slots=True)
class _Record:
    status: str
    detail: Mapping[str, Any]

    @property
    def went_on(self) -> bool:
        """Whether the order went on to its payment."""
        return bool(self.detail.get("went_on"))


def _record(scope: Scope, order_id: UUID, quoted: int) -> _Record:
    """The order's record, begun if there is none. The order is locked."""
    row = scope.row(
        "INSERT INTO tax_records (tenant_id, id, order_id, status, provider, quoted, at)"
        " VALUES (:tenant, :id, :order, 'estimated', '', :quoted, :now)"
        " ON CONFLICT (tenant_id, order_id) DO NOTHING RETURNING status, detail",
        id=new_id(),
        order=order_id,
        quoted=quoted,
        now=scope.now(),
    ) or scope.row(
        "SELECT status, detail FROM tax_records WHERE tenant_id = :tenant AND order_id = :order",
        order=order_id,
    )
    assert row is not None
    return _Record(row.status, row.detail)


def _settled(scope: Scope, order: Any, tax: int, source: str, detail: dict[str, Any]) -> None:
    scope.execute(
        "UPDATE tax_records SET status = 'settled', provider = :provider, settled = :tax,"
        " difference = greatest(0, :tax - quoted), detail = detail || CAST(:detail AS jsonb), at = :now"
        " WHERE tenant_id = :tenant AND order_id = :order",
        order=order.id,
        provider=source,
        tax=tax,
        detail=orjson.dumps(detail).decode(),
        now=scope.now(),
    )
    if order.tax_status == "given":
        return
    scope.execute(
        "UPDATE orders SET tax_status = 'settled' WHERE tenant_id = :tenant AND id = :id", id=order.id
    )
    if tax != order.tax_total:
        events.tell(
            scope, order.id, events.TAX_DIFFERED, quoted=order.tax_total, settled=tax, currency=order.currency
        )


def _note(scope: Scope, order_id: UUID, **facts: Any) -> None:
    scope.execute(
        "UPDATE tax_records SET detail = detail || CAST(:detail AS jsonb)"
        " WHERE tenant_id = :tenant AND order_id = :order",
        order=order_id,
        detail=orjson.dumps(facts).decode(),
    )


def _go_on(scope: Scope, order_id: UUID, **facts: Any) -> None:
    _note(scope, order_id, went_on=True)
    events.record(scope, order_id, events.ORDER_TAXED, **facts)


# ---- a lower tax


def _lower(scope: Scope, order: Any, quote: TaxQuote) -> bool:
    """Take the new tax over, line by line, and lower the tenders that are still open by the difference. Not once
    a card was asked, or units left or were canceled: then what the buyer agreed to stays."""
    lines = _lines(scope, order.id)
    if any(line.value_shipped or line.value_cancelled for line in lines) or _asked(scope, order.id):
        return False
    less = order.tax_total - quote.total
    if not _lower_tenders(scope, order.id, less):
        return False
    taxes = _per_line(order, lines, quote)
    scope.many(
        "UPDATE order_lines SET tax = :tax, total = items - discount + charges + :tax"
        " WHERE tenant_id = :tenant AND id = :id",
        [{"id": line.id, "tax": tax} for line, tax in zip(lines, taxes, strict=True)],
    )
    scope.execute(
        "UPDATE orders SET tax_total = tax_total - :less, total = total - :less"
        " WHERE tenant_id = :tenant AND id = :id",
        id=order.id,
        less=less,
    )
    return True


def _asked(scope: Scope, order_id: UUID) -> bool:
    row = scope.row(
        "SELECT count(*) AS attempts FROM ledger_entries WHERE tenant_id = :tenant AND order_id = :order"
        " AND kind = 'authorize'",
        order=order_id,
    )
    return bool(row and row.attempts)


def _lower_tenders(scope: Scope, order_id: UUID, less: int) -> bool:
    """Lower cards and terms, the last first. False, changing nothing, when they bear less than that."""
    tenders = scope.rows(
        "SELECT id, amount FROM tenders WHERE tenant_id = :tenant AND order_id = :order"
        " AND kind IN ('card', 'terms') ORDER BY position DESC",
        order=order_id,
    )
    if sum(tender.amount for tender in tenders) < less:
        return False
    lowered = []
    for tender in tenders:
        part = min(tender.amount, less)
        less -= part
        lowered.append({"id": tender.id, "amount": tender.amount - part})
    scope.many("UPDATE tenders SET amount = :amount WHERE tenant_id = :tenant AND id = :id", lowered)
    return True


def _per_line(order: Any, lines: list[Any], quote: TaxQuote) -> list[int]:
    """The tax of each line with its part of the charges' tax, spread as the charges themselves are."""
    taxes = list(quote.lines)
    for charge, tax in zip(order.charges, quote.charges, strict=True):
        if charge.get("line") is not None:
            taxes[charge["line"]] += tax
        else:
            for at, share in enumerate(spread(tax, [line.items for line in lines])):
                taxes[at] += share
    return taxes
