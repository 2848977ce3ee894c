"""The rows of refunds due, as the verbs read, change and tell of them. The caller holds the order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app import events
from app.payments.book import Book
from app.promises.readings import Settings, from_settings
from app.promises.regimes import Regime
from app.refunds import rules
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


def readings(scope: Scope) -> Settings:
    """How the tenant reads the rule."""
    return from_settings(scope.tenant.settings.get("promises"))


def regimes(scope: Scope, order_id: UUID) -> frozenset[Regime]:
    """The laws that anything of the order follows: all of its money goes back by the strictest of them. The delay
    rule's days where none governs."""
    found = scope.rows(
        "SELECT DISTINCT jsonb_array_elements_text(regimes) AS law FROM promises"
        " WHERE tenant_id = :tenant AND order_id = :order",
        order=order_id,
    )
    return frozenset(Regime(row.law) for row in found) or frozenset({Regime.US_FEDERAL})


def find(scope: Scope, due_id: UUID) -> Any | None:
    """One refund due with the state of its statement, or None."""
    return scope.row(f"{DUE} AND d.id = :id", id=due_id)


def unproven(scope: Scope, order_id: UUID) -> list[Any]:
    """Those of the order that are not proven, oldest first."""
    return scope.rows(
        f"{DUE} AND d.order_id = :order AND d.proven_at IS NULL ORDER BY d.opened_at, d.id", order=order_id
    )


def update(scope: Scope, due: Any, **values: Any) -> Any:
    """Change columns of a refund. Returns the row as it is then."""
    assert values.keys() <= COLUMNS
    sets = ", ".join(f"{name} = :{name}" for name in values)
    scope.execute(
        f"UPDATE refunds_due SET {sets} WHERE tenant_id = :tenant AND id = :due_id", due_id=due.id, **values
    )
    return find(scope, due.id)


def tell(scope: Scope, book: Book, name: str, due_id: UUID, tender: Any, **facts: Any) -> None:
    """Tell of a refund on the order's timeline. Amounts are minor units."""
    common = {"due": due_id, "tender": tender.id, "currency": book.order.currency, "tender_kind": tender.kind}
    events.tell(scope, book.order.id, name, **common, **facts)


def arm(scope: Scope, due_id: UUID) -> None:
    """Have the refund looked at when its alarm may change next."""
    due = find(scope, due_id)
    moment = rules.next_look(due, scope.tenant.timezone, scope.now())
    if moment is not None:
        scope.at(moment, WATCH, due_id, key=f"refund:{due_id}")
