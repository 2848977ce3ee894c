"""kill -9 around every commit of a what-if: each version's slices and the end come to the same, whoever died."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from app import events
from app.routing import runs
from tests.races.test_kills import worked_off
from tests.shop import Shop

pytestmark = pytest.mark.races
NEAREST = {"name": "Nearest", "strategies": [{"id": "all", "objective": "nearest"}]}
TOLD = ("state", "orders_total", "orders_done", "before", "after", "changed", "nodes", "guard_rails")


@pytest.mark.timeout(300)
def test_a_what_if_survives_a_kill_at_every_step(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "ORDERS_AT_ONCE", 2)
    merchant = shop.merchant
    merchant.sku("CUP", price={"amount": 900, "currency": "USD"}, tax_code="exempt")
    merchant.node("BOISE")
    merchant.stock("RENO", "CUP", 9)
    merchant.stock("BOISE", "MUG", 3)
    for units in range(1, 6):
        merchant.order(("MUG", units), ("CUP", 1))
    merchant.drain()
    version = merchant.ok("POST", "/routing/rules", {"document": NEAREST})["version"]

    def begun() -> str:
        path = f"/routing/rules/{version}/simulation"
        simulation: str = merchant.ok("POST", path, {"weeks": 1, "against": 0})["id"]
        return simulation

    def told(simulation: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        found = merchant.ok("GET", f"/routing/simulations/{simulation}")
        return {name: found[name] for name in TOLD}, found["changes"]

    undisturbed = begun()
    merchant.drain()
    killed = begun()
    kills = worked_off(shop)
    assert told(killed) == told(undisturbed)
    figures, changes = told(killed)
    assert (figures["state"], figures["orders_done"]) == ("done", 5)
    assert changes, "the versions differ"
    assert Counter(kill.topic for kill in kills)[events.SIMULATION_QUEUED] >= 2 * (1 + 2 * 3 + 1)
