"""Money under concurrency and kill -9: real commits, several connections, killed processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.payments import attempts, service
from infra.settings import ENVIRONMENT, Settings
from tenants.scope import inside
from tests.services import ROOT
from tests.shop import Shop
from workers.runner import drain, run

pytestmark = pytest.mark.races
AUTHORIZE, CAPTURE = "payment_intents$", "/capture$"


def questions(shop: Shop) -> list[UUID]:
    """Outbox rows that are to ask the processor."""
    with inside(shop.tenant_id) as scope:
        rows = scope.rows(
            "SELECT id FROM outbox WHERE tenant_id = :tenant AND topic = :topic AND state IN ('waiting', 'sent')",
            topic=attempts.ASK,
        )
    return [row.id for row in rows]


def lease_over(shop: Shop) -> None:
    """What a dead worker held may be taken by another now."""
    with inside(shop.tenant_id) as scope:
        scope.execute(
            "UPDATE outbox SET leased_until = :long_ago WHERE tenant_id = :tenant AND state = 'sent'",
            long_ago=datetime.now(UTC) - timedelta(minutes=5),
        )


def worker(shop: Shop, settings: Settings) -> subprocess.Popen[bytes]:
    """A process of its own that does the shop's later work."""
    code = "import sys, uuid; from workers.runner import drain; drain(uuid.UUID(sys.argv[1]))"
    given = {
        ENVIRONMENT[name]: str(getattr(settings, name)) for name in ENVIRONMENT if getattr(settings, name)
    }
    return subprocess.Popen(
        [sys.executable, "-c", code, str(shop.tenant_id)], cwd=ROOT, env={**os.environ, **given}
    )


def kill_when(process: subprocess.Popen[bytes], happened: Any) -> None:
    """kill -9 as soon as something is seen."""
    deadline = time.monotonic() + 30
    while not happened():
        assert process.poll() is None, "the worker ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("mode", ["timeout_after:4000", "timeout_before:4000"])
def test_a_worker_killed_in_the_middle_of_a_capture(shop: Shop, in_force: Settings, mode: str) -> None:
    """Before and after the processor had taken the money."""
    order = shop.order(2)
    shop.processor.fail(shop.account, mode, CAPTURE)
    shop.ship(order, 1, drain=False)
    calls = len(shop.processor.faults())
    assert calls == 1
    kill_when(worker(shop, in_force), lambda: not shop.processor.faults())
    time.sleep(0.1)
    lease_over(shop)
    shop.hurry()
    taken = [amount for effect, amount in shop.effects() if effect == "capture"]
    assert taken == [2000]
    assert shop.shown(order)["totals"]["captured"]["amount"] == 2000
    assert shop.entries(order)[-1] == ("authorize", 2000, "succeeded")


@pytest.mark.parametrize("mode", ["timeout_after:4000", "timeout_before:4000"])
def test_a_worker_killed_in_the_middle_of_an_authorization(shop: Shop, in_force: Settings, mode: str) -> None:
    shop.processor.fail(shop.account, mode, AUTHORIZE)
    order = shop.merchant.order(("MUG", 1))
    kill_when(worker(shop, in_force), lambda: not shop.processor.faults())
    time.sleep(0.1)
    lease_over(shop)
    shop.hurry()
    assert shop.effects() == [("authorize", 2000)]
    assert shop.shown(order)["payment_status"] == "authorized"


def test_the_same_question_by_two_workers_at_once(shop: Shop) -> None:
    order = shop.order(1)
    shop.processor.fail(shop.account, "slow_ms:300", CAPTURE, times=8)
    shop.ship(order, 1, drain=False)
    with inside(shop.tenant_id) as scope:
        shipped = scope.rows(
            "SELECT id FROM outbox WHERE tenant_id = :tenant AND topic = 'shipment.recorded'"
            " AND state = 'waiting'"
        )
    run(shop.tenant_id, shipped[0].id)
    (question,) = questions(shop)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run(shop.tenant_id, question), range(4)))
    shop.hurry()
    assert [one for one in shop.effects() if one[0] == "capture"] == [("capture", 2000)]
    assert shop.shown(order)["payment_status"] == "captured"


def test_many_shipments_of_one_order_by_many_workers(shop: Shop) -> None:
    order = shop.order(6)
    for _ in range(6):
        shop.ship(order, 1, drain=False)
    for _ in range(12):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: drain(shop.tenant_id), range(4)))
        shop.hurry()
        if shop.shown(order)["payment_status"] == "captured":
            break
    taken = [amount for effect, amount in shop.effects() if effect == "capture"]
    assert sum(taken) == 12000
    shown = shop.shown(order)
    assert (shown["totals"]["captured"]["amount"], shown["payment_status"]) == (12000, "captured")
    assert all(outcome == "succeeded" for _, _, outcome in shop.entries(order))


def test_a_cancellation_races_the_authorization(shop: Shop) -> None:
    shop.processor.fail(shop.account, "slow_ms:400", AUTHORIZE)
    order = shop.merchant.order(("MUG", 1))
    with ThreadPoolExecutor(2) as pool:
        asking = pool.submit(drain, shop.tenant_id)
        while not questions(shop):
            time.sleep(0.01)
        shop.merchant.ok("POST", f"/orders/{order['id']}/cancellation", {"reason": "changed my mind"})
        asking.result()
    shop.hurry()
    effects = shop.effects()
    assert effects.count(("authorize", 2000)) == effects.count(("release", 2000))
    assert shop.shown(order)["totals"]["authorized"]["amount"] == 0


def test_two_refunds_at_once_stay_within_what_was_taken(shop: Shop) -> None:
    order = shop.order(1)
    shop.ship(order, 1)
    with inside(shop.tenant_id) as scope:
        tender = scope.rows(
            "SELECT id FROM tenders WHERE tenant_id = :tenant AND order_id = :order", order=order["id"]
        )[0].id

    def refund(at: int) -> bool:
        try:
            with inside(shop.tenant_id) as own:
                service.refund(own, UUID(order["id"]), tender, 1500, f"race:{at}")
        except Exception:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(refund, range(4)))
    shop.merchant.drain()
    assert sum(done) == 1
    assert [one for one in shop.effects() if one[0] == "refund"] == [("refund", 1500)]
