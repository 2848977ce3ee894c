"""Settles what was left open: payment attempts whose answer was lost."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from infra.clock import real_now
from tenants.scope import directory, inside

LOST_AFTER = timedelta(seconds=90)


def sweep() -> None:
    """One round: ask again for every attempt that is open too long."""
    with directory() as session:
        tenants = [
            row.tenant_id
            for row in session.execute(
                text("SELECT tenant_id FROM money_unsettled WHERE oldest < :before"),
                {"before": real_now() - LOST_AFTER},
            )
        ]
    for tenant_id in tenants:
        ask_again(tenant_id)


def ask_again(tenant_id: UUID) -> None:
    """Have each lost attempt of a tenant settled: the processor is asked what became of it."""
    with inside(tenant_id) as scope:
        for row in scope.rows(
            "SELECT id FROM ledger_entries WHERE tenant_id = :tenant AND outcome IN ('pending', 'unknown')"
            " AND asked_at < :before ORDER BY asked_at LIMIT 100 FOR UPDATE SKIP LOCKED",
            before=real_now() - LOST_AFTER,
        ):
            scope.execute(
                "UPDATE ledger_entries SET asked_at = :now WHERE tenant_id = :tenant AND id = :id",
                now=real_now(),
                id=row.id,
            )
            scope.later("payment.settle", row.id)
