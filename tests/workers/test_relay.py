"""The relay: what is sent to the queue, and in which order."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.events import ORDER_PLACED, SIMULATION_QUEUED
from infra.ids import new_id
from tenants.scope import inside
from tests.factories import Merchant
from workers import relay


@pytest.fixture
def sent(merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The queue, of this merchant's work. 300 rows wait."""
    sent: list[UUID] = []

    def enqueue(_: UUID, rows: list[UUID], *, at_front: bool) -> None:
        sent[:] = [*rows, *sent] if at_front else [*sent, *rows]

    monkeypatch.setattr(relay, "enqueue", enqueue)
    monkeypatch.setattr(relay, "tenants_with_work", lambda: [(merchant.tenant_id, 300, len(sent))])
    with inside(merchant.tenant_id) as scope:
        scope.all_later(ORDER_PLACED, [(new_id(), {}) for _ in range(3 * relay.SHARE)])
    return sent


def test_a_round_gives_a_tenant_no_more_than_its_share(sent: list[UUID]) -> None:
    """The planner may run a joined subquery with a limit more than once: then a claim took all there was."""
    relay.relay_once()
    assert len(sent) == relay.SHARE
    relay.relay_once()
    assert len(set(sent)) == 2 * relay.SHARE


def test_a_backlog_goes_in_whole_shares(
    merchant: Merchant, sent: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look for the next few rows costs as much as for a hundred; the last few go as they are."""
    almost_full = relay.MOST_PER_TENANT - relay.SHARE + 1
    ready = {merchant.tenant_id: 300}
    monkeypatch.setattr(
        relay, "tenants_with_work", lambda: [(tenant, some, almost_full) for tenant, some in ready.items()]
    )
    assert relay.relay_once() == 0
    ready[merchant.tenant_id] = relay.SHARE - 1
    assert relay.relay_once() == relay.SHARE - 1


def test_what_a_person_waits_for_goes_before_a_backlog(merchant: Merchant, sent: list[UUID]) -> None:
    """Thirty thousand rows of an import are minutes; a what-if asked for meanwhile goes next."""
    relay.relay_once()
    with inside(merchant.tenant_id) as scope:
        scope.later(SIMULATION_QUEUED, merchant.tenant_id)
    relay.relay_once()
    with inside(merchant.tenant_id) as scope:
        first = scope.row("SELECT topic FROM outbox WHERE tenant_id = :tenant AND id = :id", id=sent[0])
    assert first is not None
    assert first.topic == SIMULATION_QUEUED
