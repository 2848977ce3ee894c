"""The demo merchant: quick to open, lively, and its books balance."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app import integrity
from app.demo import seed
from app.demo.places import PROVIDERS, SITES
from app.routing import queries
from infra import settings as settings_module
from infra import stripe_simulator
from infra.ids import new_id
from infra.settings import Settings
from tenants.scope import directory, inside, operator
from workers import janitor
from workers.runner import drain
from workers.schedule import fire_timers

MOST_SECONDS = 30
"""Of this process's own time, which what else runs does not lengthen much: about 5."""


@pytest.fixture(scope="module")
def demo(app: Flask, in_force: Settings) -> Iterator[UUID]:
    """The demo tenant, with what was queued done against the Stripe simulator."""
    with stripe_simulator.serve() as stripe:
        settings_module.use(dataclasses.replace(in_force, stripe_api_base=stripe.url))
        try:
            began = time.process_time()
            tenant_id = seed.open_demo(_account())
            seconds = time.process_time() - began
            drain(tenant_id)
            fire_timers()  # one order is late: the watch finds it
            drain(tenant_id)
            janitor.seal()
            print(
                f"demo: seeded in {seconds:.1f} s, drained in {time.process_time() - began - seconds:.1f} s"
            )
            assert seconds < MOST_SECONDS
            yield tenant_id
        finally:
            settings_module.use(in_force)


def _account() -> UUID:
    with directory() as session:
        found: UUID = session.execute(
            text(
                "INSERT INTO accounts (id, email, name, password_hash, created_at)"
                " VALUES (:id, :email, 'Priya Raman', 'x', now()) RETURNING id"
            ),
            {"id": new_id(), "email": f"{new_id()}@example.com"},
        ).scalar_one()
    return found


def count(tenant_id: UUID, sql: str) -> Any:
    with inside(tenant_id) as scope:
        return scope.rows(f"SELECT {sql}")[0][0]


def test_books_balance(demo: UUID) -> None:
    with operator() as session:
        faults = [
            (finding.book.name, finding.examples)
            for finding in integrity.check(session, demo)
            if finding.faults
        ]
    assert faults == []


def test_months_of_orders_over_all_channels(demo: UUID) -> None:
    orders = "FROM orders WHERE tenant_id = :tenant"
    assert count(demo, f"count(*) {orders}") > 2000
    assert count(demo, f"count(DISTINCT channel) {orders}") >= 10
    assert count(demo, f"max(placed_at) - min(placed_at) > interval '95 days' {orders}")
    assert count(demo, f"count(*) {orders} AND status = 'closed'") > 1700
    kinds = "SELECT count(DISTINCT kind) FROM order_lines WHERE tenant_id = :tenant"
    assert count(demo, f"({kinds})") == 7


def test_states_that_a_person_should_see(demo: UUID) -> None:
    holds = "FROM order_holds WHERE tenant_id = :tenant AND released_at IS NULL"
    assert count(demo, f"array_agg(DISTINCT kind ORDER BY kind) {holds}") == ["fraud", "payment"]
    lines = "FROM order_lines WHERE tenant_id = :tenant"
    assert count(demo, f"count(*) {lines} AND backordered > 0") > 10
    assert count(demo, f"count(*) {lines} AND cancelled > 0") >= 1
    partly = "GROUP BY order_id HAVING sum(shipped) > 0 AND sum(allocated + backordered) > 0"
    assert count(demo, f"count(*) FROM (SELECT order_id {lines} {partly}) orders") > 5
    work = "FROM fulfillment_orders WHERE tenant_id = :tenant"
    assert count(demo, f"count(*) {work} AND request_status = 'submitted'") > 5
    assert count(demo, f"count(*) {work} AND request_status = 'accepted'") > 5
    dead = "count(*) FROM outbox WHERE tenant_id = :tenant AND state = 'dead'"
    assert count(demo, dead) == 0


def test_network_and_providers(demo: UUID) -> None:
    assert (
        count(demo, "count(*) FROM nodes WHERE tenant_id = :tenant AND latitude IS NOT NULL")
        == len(SITES)
        >= 30
    )
    assert len(PROVIDERS) == 2
    codes = {site.code for site in SITES}
    assert all(set(nodes) <= codes and nodes for nodes in PROVIDERS.values())


def test_a_draft_waits_to_be_compared(demo: UUID) -> None:
    """What-if has something to do from the first minute."""
    with inside(demo) as scope:
        found = [(one["version"], one["state"]) for one in queries.versions(scope, limit=9)["data"]]
    assert found == [(2, "draft"), (1, "active")]
