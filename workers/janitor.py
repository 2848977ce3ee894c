"""Settles what was left open, payment attempts whose answer was lost; seals the history of orders; forgets what is
past its keeping time."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from app.payments.service import SETTLE
from app.proof import seals
from app.quotes import service as quotes
from infra import idempotency
from infra.clock import real_now
from tenants.scope import directory, inside
from tenants.service import all_tenants

LOST_AFTER = timedelta(seconds=90)
LOOK_BACK, LOOK_BACK_FAR = timedelta(minutes=3), timedelta(hours=2)
"""How far back rows are looked for that are not sealed yet: longer than a transaction lasts, and once an hour longer
than any can."""
TOKENS_KEPT = timedelta(days=1)
SESSIONS_KEPT = timedelta(days=30)
"""After their end, so that a person can still see where they were logged in."""


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
    """Have each lost attempt of a tenant settled: the processor is asked what became of it.

    An attempt whose question still waits in the outbox is not lost: it will be asked by itself.
    """
    with inside(tenant_id) as scope:
        for row in scope.rows(
            "SELECT e.id FROM ledger_entries e WHERE e.tenant_id = :tenant AND e.outcome IN ('pending', 'unknown')"
            " AND e.asked_at < :before AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.tenant_id = :tenant"
            "   AND b.subject_id = e.id AND b.state IN ('waiting', 'sent'))"
            " ORDER BY e.asked_at LIMIT 100 FOR UPDATE OF e SKIP LOCKED",
            before=real_now() - LOST_AFTER,
        ):
            scope.later(SETTLE, row.id)


def seal() -> None:
    """Seal what is new in the history of orders, at the tenants where anything happened these minutes."""
    with directory() as session:
        busy = [row.tenant_id for row in session.execute(text("SELECT tenant_id FROM history_new"))]
    for tenant_id in busy:
        _seal(tenant_id, LOOK_BACK)


def seal_late() -> None:
    """Seal what was missed: of transactions that took long, and after a standstill; at every tenant."""
    for tenant_id in all_tenants():
        _seal(tenant_id, LOOK_BACK_FAR)


def _seal(tenant_id: UUID, look_back: timedelta) -> None:
    with inside(tenant_id) as scope:
        since = seals.unsealed_since(scope, look_back)
    while True:
        with inside(tenant_id) as scope:
            if seals.seal(scope, since) < seals.MOST_ORDERS:
                return


def forget() -> None:
    """Drop Idempotency-Keys older than their keeping time, tokens and browser sessions long over, rests
    of nodes that have ended, and quotes that can be named no longer."""
    for tenant_id in all_tenants():
        with inside(tenant_id) as scope:
            before = real_now() - timedelta(days=idempotency.KEPT_DAYS)
            idempotency.forget_old(scope.session, tenant_id, before)
            scope.execute(
                "DELETE FROM cool_downs WHERE tenant_id = :tenant AND until <= :now", now=scope.now()
            )
            quotes.forget(scope)
            scope.execute(
                "WITH gone AS (DELETE FROM oauth_tokens WHERE tenant_id = :tenant AND expires_at < :before"
                " RETURNING prefix) DELETE FROM key_directory WHERE prefix IN (SELECT prefix FROM gone)",
                before=real_now() - TOKENS_KEPT,
            )
    with directory() as session:
        session.execute(
            text("DELETE FROM web_sessions WHERE least(expires_at, revoked_at) < :before"),
            {"before": real_now() - SESSIONS_KEPT},
        )
