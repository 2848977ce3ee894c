"""Asking the processor: written down before, asked with no transaction open, settled after.

`begin`, `call`, `finish` and `failed` serve every kind of entry; the `look_` pair asks what a payment has become.
The key of a question is its entry's id, so a repeat under it has no second effect. After a lost answer the
processor's own records are read before anything is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from app import links
from app.payments.settlement import OPEN, settle
from infra import stripe_gateway as gateway
from infra.clock import real_now
from infra.ids import made_at, new_id
from infra.stripe_gateway import Answer, Hold
from tenants.scope import Scope

KEY_LASTS = timedelta(hours=20)
"""The processor remembers a key for 24 hours; past this it is not relied on."""
QUIET = timedelta(seconds=60)
"""When the last question lies longer back than this, nothing of it can still be running at the processor."""


class NotYet(Exception):
    """The tenant's own account at the processor is still being opened: try again later."""


@dataclass(frozen=True, slots=True)
class Question:
    """One entry's question. `doubtful`: an earlier one may have had its effect. `quiet`: none can still be running."""

    entry_id: UUID
    kind: str
    account: str
    amount: int
    reference: str | None
    made: str | None = None
    """The processor's own name of what was asked for, once it is known."""
    doubtful: bool = False
    quiet: bool = False
    hold: Hold | None = None

    @property
    def key(self) -> str:
        """The idempotency key. A capture whose hold was gone is drawn on another one: a question of its own."""
        return f"{self.entry_id}:{self.reference}" if self.kind == "capture" else str(self.entry_id)


def begin(scope: Scope, entry_id: UUID, **_: Any) -> Question | None:
    """Read an open entry and note that it is being asked. None when there is nothing to ask. Raises NotYet."""
    entry = _entry(scope, entry_id)
    if entry is None or entry.outcome not in OPEN or entry.next_action is not None:
        return None
    if entry.kind == "capture" and entry.authorization_id is None:
        return None
    now = real_now()
    asked_at = entry.asked_at or now
    scope.execute(
        "UPDATE ledger_entries SET asked_at = :now WHERE tenant_id = :tenant AND id = :id",
        id=entry_id,
        now=now,
    )
    question = _question(scope, entry)
    return replace(
        question,
        doubtful=entry.outcome == "unknown" or now - made_at(entry_id) > KEY_LASTS,
        quiet=now - asked_at > QUIET,
        hold=_hold(scope, entry) if entry.kind == "authorize" else None,
    )


def call(question: Question) -> Answer | None:
    """Ask. None: an earlier question had no effect and never will. Raises Unknown."""
    if question.kind == "authorize":
        return _authorize(question)
    if question.kind == "refund":
        return _refund(question)
    return _change(question)


def finish(scope: Scope, question: Question, answer: Answer | None) -> None:
    """Make the answer true."""
    settle(scope, question.entry_id, answer)


def failed(scope: Scope, question: Question, error: Exception) -> None:
    """The answer is lost: the entry says so until somebody has asked again."""
    scope.execute(
        "UPDATE ledger_entries SET outcome = 'unknown', error = :error"
        " WHERE tenant_id = :tenant AND id = :id AND outcome = 'pending'",
        id=question.entry_id,
        error=str(error)[:500],
    )


def look_begin(scope: Scope, entry_id: UUID, **_: Any) -> Question | None:
    """Prepare to ask what a payment (or refund) of ours has become."""
    entry = _entry(scope, entry_id)
    if entry is None or entry.kind not in ("authorize", "refund") or not entry.reference:
        return None
    return _question(scope, entry)


def look(question: Question) -> Answer:
    """Ask what it has become. Raises Unknown."""
    assert question.made is not None
    if question.kind == "refund":
        return gateway.retrieve_refund(question.account, question.made)
    return gateway.retrieve(question.account, question.made)


def _entry(scope: Scope, entry_id: UUID) -> Any | None:
    return scope.row(
        "SELECT e.*, a.reference AS drawn_on FROM ledger_entries e"
        " LEFT JOIN ledger_entries a ON a.tenant_id = :tenant AND a.id = e.authorization_id"
        " WHERE e.tenant_id = :tenant AND e.id = :id",
        id=entry_id,
    )


def _question(scope: Scope, entry: Any) -> Question:
    account = scope.tenant.stripe_account
    if account is None:
        raise NotYet("the tenant's account at the processor is still being opened")
    return Question(entry.id, entry.kind, account, entry.amount, entry.drawn_on, entry.reference)


def _hold(scope: Scope, entry: Any) -> Hold:
    row = scope.row(
        "SELECT t.payment_method, t.processor_customer, t.currency, o.number, o.customer FROM tenders t"
        " JOIN orders o ON o.tenant_id = :tenant AND o.id = t.order_id"
        " WHERE t.tenant_id = :tenant AND t.id = :id",
        id=entry.tender_id,
    )
    assert row is not None
    return Hold(
        key=str(entry.id),
        account=scope.tenant.stripe_account or "",
        amount=entry.amount,
        currency=row.currency,
        payment_method=row.payment_method,
        present=entry.key.endswith(":buyer"),
        return_url=links.url(scope.tenant_id, entry.order_id),
        metadata={"tenant": str(scope.tenant_id), "order": str(entry.order_id), "attempt": str(entry.id)},
        description=f"Order K-{row.number}",
        customer=row.processor_customer,
        customer_key=f"customer:{entry.tender_id}",
        email=row.customer.get("email", ""),
        name=row.customer.get("name", ""),
    )


def _authorize(question: Question) -> Answer | None:
    assert question.hold is not None
    if question.doubtful:
        found = gateway.find(question.hold)
        if found is not None or question.quiet:
            return found
    return gateway.authorize(question.hold)


def _change(question: Question) -> Answer:
    """Capture or void. Either can happen only once to a payment, so after a look a fresh key is safe, and needed:
    a fault of the processor is remembered under the old one."""
    assert question.reference is not None
    key = question.key
    if question.doubtful:
        seen = gateway.retrieve(question.account, question.reference)
        if seen.outcome not in ("held", "action_required"):
            return seen
        key = f"{key}:{new_id()}"
    if question.kind == "void":
        return gateway.cancel(question.account, question.reference, key=key)
    return gateway.capture(question.account, question.reference, question.amount, key=key)


def _refund(question: Question) -> Answer | None:
    assert question.reference is not None
    if question.made is not None:
        return look(question)
    if question.doubtful:
        found = gateway.find_refund(question.account, question.reference, question.key)
        if found is not None or question.quiet:
            return found
    return gateway.refund(
        question.account,
        question.reference,
        question.amount,
        key=question.key,
        metadata={"attempt": question.key},
    )
