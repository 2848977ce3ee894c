"""Orders of a window planned together: who gives way to whom, what is kept of it, and what changes meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.fulfillment import windows
from app.fulfillment.gathering import Window
from app.orders.story import story
from app.routing.joint import Group
from tenants.scope import inside
from tests.allocation.support import assert_books, statements
from tests.exceptions.test_service import rule
from tests.factories import Merchant
from tests.fulfillment.books import check_books
from tests.fulfillment.test_windows import TERMS, move, noon, states

WINDOW = {"mode": "window", "minutes": 30, "express": ["overnight"]}
MANHATTAN = {"line1": "5 Ave", "city": "New York", "region": "NY", "postal_code": "10001", "country": "US"}
CHEAPEST = [
    {
        "id": "everything",
        "objective": {"mode": "cost", "terms": [{"term": "shipping"}, {"term": "handling"}]},
    }
]


MOVED = (
    ([{"node": "RENO", "units": 1}], [{"node": "NYC", "units": 1}]),
    ([{"node": "NYC", "units": 1}, {"node": "RENO", "units": 1}], [{"node": "RENO", "units": 2}]),
)
"""Of the first and the second order: from where to where."""


class Shop:
    """One mug and one bowl in Reno, which is near; mugs in New York. The first order takes the mug in Reno, so that
    the second, a mug and a bowl, comes in two packages: it would come in one if the first gave way."""

    def __init__(self, merchant: Merchant, **rules: Any) -> None:
        self.merchant = merchant
        self.mug, self.bowl = merchant.sku(), merchant.sku()
        merchant.node("RENO", handling_per_package=100)
        merchant.node("NYC", postal_code="10001", region="NY", handling_per_package=100)
        merchant.stock("RENO", self.mug, 1)
        merchant.stock("RENO", self.bowl, 1)
        merchant.stock("NYC", self.mug, 5)
        rule(merchant, **{"release": WINDOW} | rules)
        noon(merchant)
        self.first = self.order((self.mug, 1))
        self.second = self.order((self.mug, 1), (self.bowl, 1))

    def order(self, *lines: tuple[str, int], **more: Any) -> str:
        made = self.merchant.order(*lines, tenders=TERMS, **more)
        self.merchant.drain()
        return str(made["id"])

    def at(self, order: str) -> list[str]:
        works = self.merchant.ok("GET", f"/orders/{order}")["fulfillment_orders"]
        return sorted(work["node"] for work in works if work["work_status"] != "cancelled")

    def close(self) -> None:
        """The window ends."""
        move(self.merchant, 0.5)

    def begin(self) -> Window:
        """The window's end, as its worker reads it."""
        with inside(self.merchant.tenant_id) as scope:
            row = scope.row(
                "SELECT max(gathered_until) AS until FROM fulfillment_orders WHERE tenant_id = :tenant"
            )
            begun = windows.begin(scope, self.merchant.tenant_id, until=row.until.isoformat())
        assert begun is not None
        return begun

    def finish(self, begun: Window, groups: list[Group]) -> None:
        with inside(self.merchant.tenant_id) as scope:
            windows.finish(scope, begun, groups)
        self.merchant.drain()
        assert_books(self.merchant)
        check_books(self.merchant.tenant_id)


@pytest.fixture
def shop(merchant: Merchant) -> Shop:
    return Shop(merchant)


def test_an_order_gives_way_to_another(merchant: Merchant, shop: Shop) -> None:
    assert (shop.at(shop.first), shop.at(shop.second)) == (["RENO"], ["NYC", "RENO"])
    shop.close()
    assert (shop.at(shop.first), shop.at(shop.second)) == (["NYC"], ["RENO"])
    assert set(states(merchant, shop.first) + states(merchant, shop.second)) == {"submitted", "closed"}
    numbers, said, takers = {}, {}, {}
    for order in (shop.first, shop.second):
        routing = merchant.ok("GET", f"/orders/{order}/routing?replay=true")
        assert routing["cause"] == "window"
        assert all(one["same"] for one in routing["replay"])
        [window] = [reason["window"] for reason in routing["reasons"]]
        assert (window["moved"], window["orders"]) == (2, 2)
        assert (window["before"], window["after"]) == MOVED[order == shop.second]
        numbers[order] = merchant.ok("GET", f"/orders/{order}")["number"]
        said[order], takers[order] = routing["sentence"], window["gave_way_to"]
        told = merchant.ok("GET", f"/orders/{order}/timeline")["data"]
        assert [one["data"]["moved"] for one in told if one["name"] == "order.replanned"] == [2]
        with inside(merchant.tenant_id) as scope:
            shown = story(scope, UUID(order))
        assert shown["moved"][0].startswith("From Node ")
        assert shown["moved"][1].startswith("2 orders that moved together save $")
        assert "Planned with the others of its window" in [one["title"] for one in shown["moments"]]
        assert shown["decision"]["said"] == said[order]
    assert (takers[shop.first], takers[shop.second]) == ([numbers[shop.second]], [])
    assert said[shop.first].startswith(
        f"Gave way to {numbers[shop.second]}, which needed what it held at Node RENO."
        " On the stock that was left: Ships from Node NYC because "
    )
    assert said[shop.second].startswith("Ships from Node RENO because ")
    assert_books(merchant)
    check_books(merchant.tenant_id)


def test_the_rules_say_what_is_better(merchant: Merchant) -> None:
    shop = Shop(merchant, strategies=CHEAPEST)
    shop.close()
    assert (shop.at(shop.first), shop.at(shop.second)) == (["NYC"], ["RENO"])
    told = [
        merchant.ok("GET", f"/orders/{order}/routing")["reasons"][0]["window"]
        for order in (shop.first, shop.second)
    ]
    saved = sum(one["cost_before"] - one["cost_after"] for one in told)
    assert [one["saved"] for one in told] == [saved, saved]
    assert saved > 0


def test_what_no_move_improves_stays(merchant: Merchant) -> None:
    shop = Shop(merchant)
    merchant.stock("RENO", shop.mug, 5)
    third = shop.order((shop.mug, 1))
    before = states(merchant, third)
    shop.close()
    assert (before, states(merchant, third)) == (["held"], ["submitted"])
    assert merchant.ok("GET", f"/orders/{third}/routing")["cause"] == "placed"
    assert shop.at(shop.second) == ["RENO"], "a mug came meanwhile: the second order needs nobody to give way"
    assert merchant.ok("GET", f"/orders/{shop.first}/routing")["cause"] == "placed"


def cancelled(shop: Shop) -> None:
    shop.merchant.ok("POST", f"/orders/{shop.second}/cancellation", {"reason": "changed my mind"})


def held(shop: Shop) -> None:
    shop.merchant.ok("POST", f"/orders/{shop.second}/holds", {"kind": "fraud", "reason": "looks odd"})


def closed(shop: Shop) -> None:
    merchant = shop.merchant
    merchant.node("NYC", postal_code="10001", region="NY", handling_per_package=100, open=False)


def lost(shop: Shop) -> None:
    shop.merchant.stock("NYC", shop.mug, -5)


def fewer(shop: Shop) -> None:
    """Only the mug is left in New York that the second order would give up: enough for the first."""
    shop.merchant.stock("NYC", shop.mug, -4)


MEANWHILE: dict[str, tuple[Callable[[Shop], None], list[str], list[str]]] = {
    "canceled": (cancelled, ["RENO"], []),
    "held": (held, ["RENO"], ["NYC", "RENO"]),
    "closed": (closed, ["RENO"], ["RENO"]),
    "lost": (lost, ["RENO"], ["RENO"]),
    "fewer": (fewer, ["NYC"], ["RENO"]),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_what_changed_meanwhile_keeps_its_plan(shop: Shop, what: str) -> None:
    change, first, second = MEANWHILE[what]
    begun = shop.begin()
    groups = windows.call(begun)
    assert [len(group.moves) for group in groups] == [2]
    change(shop)
    shop.finish(begun, groups)
    assert (shop.at(shop.first), shop.at(shop.second)) == (first, second)
    assert "held" not in states(shop.merchant, shop.first), "what may go goes, moved or not"


def test_an_order_that_went_out_meanwhile_stays(shop: Shop) -> None:
    begun = shop.begin()
    groups = windows.call(begun)
    with inside(shop.merchant.tenant_id) as scope:
        windows.finish(scope, begun, [])
    shop.finish(begun, groups)
    assert (shop.at(shop.first), shop.at(shop.second)) == (["RENO"], ["NYC", "RENO"])


def test_a_plan_that_fails_holds_nothing_back(shop: Shop) -> None:
    begun = shop.begin()
    with inside(shop.merchant.tenant_id) as scope:
        windows.failed(scope, begun, ValueError("no plan"))
    shop.merchant.drain()
    assert set(states(shop.merchant, shop.first) + states(shop.merchant, shop.second)) == {"submitted"}


def test_a_day_that_filled_meanwhile_is_not_overdrawn(merchant: Merchant) -> None:
    shop = Shop(merchant)
    merchant.node("NYC", postal_code="10001", region="NY", handling_per_package=100, capacity_per_day=1)
    merchant.drain()
    with inside(merchant.tenant_id) as scope:  # what is there was to leave the day before
        scope.execute("UPDATE node_loads SET day = day - 1 WHERE tenant_id = :tenant")
        scope.execute("UPDATE fulfillment_orders SET leaves_on = leaves_on - 1 WHERE tenant_id = :tenant")
    begun = shop.begin()
    groups = windows.call(begun)
    assert [len(group.moves) for group in groups] == [2]
    there = shop.order((shop.mug, 1), ship_to=MANHATTAN, policy={"service": "overnight"})
    assert shop.at(there) == ["NYC"], "the only package of the day"
    shop.finish(begun, groups)
    assert (shop.at(shop.first), shop.at(shop.second)) == (["RENO"], ["NYC", "RENO"])


def test_statements_do_not_grow_with_the_orders(merchant: Merchant, other_merchant: Merchant) -> None:
    counts = []
    for owner, pairs in ((merchant, 1), (other_merchant, 3)):
        shop = Shop(owner)
        for _ in range(pairs - 1):
            owner.stock("RENO", shop.mug, 1)
            owner.stock("RENO", shop.bowl, 1)
            shop.order((shop.mug, 1))
            shop.order((shop.mug, 1), (shop.bowl, 1))
        begun = shop.begin()
        groups = windows.call(begun)
        assert sum(len(group.moves) for group in groups) == 2 * pairs
        with statements() as sent, inside(owner.tenant_id) as scope:
            windows.finish(scope, begun, groups)
        counts.append(len(sent))
    assert counts[0] == counts[1]
