"""The worker is killed with -9 while routing has work to do after the plan: windows close, nodes refuse and close,
prices are made anew, a what-if runs. Nothing is lost, doubled or oversold."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.installation import Kept, installed
from tests.races.test_faults import Merchant, kill, load

pytestmark = [pytest.mark.races, pytest.mark.full, pytest.mark.timeout(420)]
COST = {"mode": "cost", "terms": [{"term": "shipping"}, {"term": "handling"}, {"term": "stock_price"}]}
RULES = {
    "name": "Windows of a minute",
    "strategies": [{"id": "everything", "objective": COST}],
    "release": {"mode": "window", "minutes": 1, "express": []},
    "reroute": {"most_cycles": 2, "cool_down_minutes": 1},
}
KILLS = 4


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    with installed() as made:
        yield made


@pytest.fixture(scope="module")
def merchant(kept: Kept) -> Merchant:
    made = Merchant(kept, 0)
    made.set_up(units=60)
    version = made.ok("POST", "/routing/rules", {"document": RULES})["version"]
    active = [one for one in made.ok("GET", "/routing/rules")["data"] if one["state"] == "active"]
    replaces = active[0]["version"] if active else None
    made.ok("POST", f"/routing/rules/{version}/activation", {"replaces": replaces})
    return made


def refuse(merchant: Merchant, stop: threading.Event, refused: list[str]) -> None:
    """The provider refuses every third fulfillment order and accepts the others."""
    seen = 0
    while not stop.is_set():
        status, found = merchant.call(
            "GET", "/fulfillment-orders?request_status=submitted&limit=20", key=merchant.provider_key
        )
        assert status == 200, found
        for work in found["data"]:
            seen += 1
            path = f"/fulfillment-orders/{work['id']}"
            if seen % 3:
                merchant.call("POST", f"{path}/acceptance", {}, key=merchant.provider_key)
            else:
                reason = {"reason": "capacity"}
                status, _ = merchant.call("POST", f"{path}/rejection", reason, key=merchant.provider_key)
                refused += [work["id"]] if status == 200 else []
        time.sleep(0.2)


def node(merchant: Merchant, **more: Any) -> None:
    address = {"city": "Town", "region": "NV", "postal_code": "89501", "country": "US"}
    merchant.ok("PUT", "/nodes/WEST", {"name": "WEST", "kind": "warehouse", "address": address, **more})


def test_the_worker_is_killed_while_routing_goes_on(kept: Kept, merchant: Merchant) -> None:
    stop, done, refused = threading.Event(), threading.Event(), []
    threads, accepted = load(merchant, "window", stop)
    provider = threading.Thread(target=refuse, args=(merchant, done, refused))
    provider.start()
    try:
        time.sleep(4)
        stop.set()
        for thread in threads:
            thread.join()
        draft = merchant.ok("POST", "/routing/rules", {"document": {**RULES, "reroute": {}}})["version"]
        run = merchant.ok("POST", f"/routing/rules/{draft}/simulation", {"weeks": 1})
        node(merchant, open=False)
        for at in range(KILLS):
            kill(kept, "worker-1")
            node(merchant, open=at % 2 == 1, capacity_per_day=20)
        until = time.monotonic() + 150
        while waiting(merchant) and time.monotonic() < until:
            kill(kept, "worker-1") if time.monotonic() < until - 100 else None
            time.sleep(5)
    finally:
        stop.set()
        done.set()
        provider.join()
    merchant.settled()
    assert waiting(merchant) == 0, "every window was released"
    assert accepted
    assert refused
    found = merchant.ok("GET", f"/routing/simulations/{run['id']}")
    assert (found["state"], found["orders_done"]) == ("done", found["orders_total"])
    assert merchant.ok("GET", "/routing/prices")["version"] >= 1
    whole(merchant, accepted)


def waiting(merchant: Merchant) -> int:
    return merchant.count(
        "SELECT count(*) FROM fulfillment_orders WHERE tenant_id = %(t)s AND request_status = 'held'"
    )


def whole(merchant: Merchant, accepted: list[str]) -> None:
    """Every order is there with each of its units in one place, no stock or day is overdrawn, no work died."""
    with merchant.database() as connection:
        dead = connection.execute(
            "SELECT topic, error FROM outbox WHERE tenant_id = %s AND state = 'dead'", [merchant.id]
        ).fetchall()
        lines = connection.execute(
            "SELECT count(DISTINCT o.id), sum(l.ordered), sum(l.allocated + l.backordered + l.cancelled) FROM orders o"
            " JOIN order_lines l ON l.tenant_id = o.tenant_id AND l.order_id = o.id WHERE o.tenant_id = %s"
            " AND o.external_ref = ANY(%s)",
            [merchant.id, accepted],
        ).fetchone()
    assert dead == []
    assert lines == (len(accepted), 3 * len(accepted), 3 * len(accepted))
    checked = merchant.kept.run("integrity")
    assert checked.returncode == 0, checked.stdout
