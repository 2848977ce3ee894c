"""Waiting units are matched to stock that comes, by promise, then age."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.allocation import matching, service
from tenants.scope import inside
from tests.allocation.support import CASH, assert_books, line_of, statements, stock_of, work_of
from tests.factories import Merchant


@pytest.fixture
def shop(merchant: Merchant) -> Merchant:
    """A merchant with two nodes, near and far, whose first news is out of the way."""
    merchant.node("NEAR")
    merchant.node("FAR", postal_code="33101", region="FL")
    merchant.drain()
    return merchant


def within(days: int) -> dict:
    return {"promise": {"within": {"value": days, "unit": "days"}}}


def test_stock_goes_to_the_earliest_promise_first(shop: Merchant):
    sku = shop.sku()
    late = shop.order((sku, 2), tenders=CASH, **within(20))
    early = shop.order((sku, 2), tenders=CASH, **within(5))
    shop.stock("NEAR", sku, 3)
    shop.drain()
    assert line_of(shop, early["id"])["allocated"] == 2
    assert line_of(shop, late["id"]) == {"backordered": 1, "allocated": 1, "cancelled": 0, "shipped": 0}
    assert stock_of(shop, sku) == {("NEAR", "sellable"): (3, 3)}
    assert_books(shop)


def test_restocked_work_is_submitted_once_paid_and_told(shop: Merchant):
    sku = shop.sku()
    order = shop.order((sku, 2), tenders=CASH)
    assert work_of(shop, order["id"]) == []
    shop.stock("NEAR", sku, 2)
    shop.drain()
    work = work_of(shop, order["id"])
    assert [(one.node, one.number, one.request_status) for one in work] == [
        ("NEAR", f"{order['number']}-1", "submitted")
    ]
    with inside(shop.tenant_id) as scope:
        causes = scope.rows(
            "SELECT cause, plan, sentence FROM routing_decisions WHERE tenant_id = :tenant AND order_id = :id"
            " ORDER BY id",
            id=UUID(order["id"]),
        )
        names = scope.rows(
            "SELECT name FROM timeline WHERE tenant_id = :tenant AND order_id = :id ORDER BY id",
            id=UUID(order["id"]),
        )
        promise = scope.row(
            "SELECT expected_ship_at FROM promises WHERE tenant_id = :tenant AND order_id = :id",
            id=UUID(order["id"]),
        )
    assert [row.cause for row in causes] == ["placed", "restocked"]
    assert causes[1].plan == [{"node": "NEAR", "line": 0, "quantity": 2}]
    assert "order.routed" in [row.name for row in names]
    assert promise.expected_ship_at is not None


def test_what_was_there_already_goes_on_and_the_rest_follows_with_a_number_of_its_own(shop: Merchant):
    sku = shop.sku()
    shop.stock("NEAR", sku, 1)
    order = shop.order((sku, 3), tenders=CASH)
    shop.stock("FAR", sku, 5)
    shop.drain()
    assert [(one.node, one.number[-2:], one.quantity) for one in work_of(shop, order["id"])] == [
        ("NEAR", "-1", 1),
        ("FAR", "-2", 2),
    ]
    assert_books(shop)


def test_kits_wait_as_kits_and_match_on_components(shop: Merchant):
    a, b = shop.sku(), shop.sku()
    kit = shop.sku(kind="kit", components=[{"sku": a, "quantity": 2}, {"sku": b, "quantity": 1}])
    order = shop.order((kit, 2), tenders=CASH)
    shop.stock("NEAR", a, 4)
    shop.drain()
    assert line_of(shop, order["id"])["allocated"] == 0
    shop.stock("NEAR", b, 1)
    shop.drain()
    assert line_of(shop, order["id"]) == {"backordered": 1, "allocated": 1, "cancelled": 0, "shipped": 0}
    assert stock_of(shop, a) == {("NEAR", "sellable"): (4, 2)}
    assert_books(shop)


def test_ship_complete_waits_until_all_can_go(shop: Merchant):
    a, b = shop.sku(), shop.sku()
    order = shop.order((a, 1), (b, 1), tenders=CASH, policy={"ship_complete": True})
    shop.stock("NEAR", a, 1)
    shop.drain()
    assert line_of(shop, order["id"])["allocated"] == 0
    assert stock_of(shop, a) == {("NEAR", "sellable"): (1, 0)}
    shop.stock("NEAR", b, 1)
    shop.drain()
    assert [line_of(shop, order["id"], at)["allocated"] for at in (0, 1)] == [1, 1]
    assert_books(shop)


def test_a_channel_s_segment_is_not_given_to_another(shop: Merchant):
    sku = shop.sku()
    web = shop.order((sku, 1), tenders=CASH)
    phone = shop.order((sku, 1), tenders=CASH, channel="phone")
    shop.ok("POST", "/stock/adjustments", {"node": "NEAR", "sku": sku, "delta": 2, "segment": "phone"})
    shop.drain()
    assert line_of(shop, web["id"])["allocated"] == 0
    assert line_of(shop, phone["id"])["allocated"] == 1


def test_a_node_that_opens_serves_those_who_wait(shop: Merchant):
    sku = shop.sku()
    shop.node("THIRD", open=False)
    shop.stock("THIRD", sku, 1)
    order = shop.order((sku, 1), tenders=CASH)
    shop.drain()
    assert line_of(shop, order["id"])["allocated"] == 0
    shop.node("THIRD", open=True)
    shop.drain()
    assert line_of(shop, order["id"])["allocated"] == 1


def test_a_waiting_order_of_made_goods_gets_its_workshop(shop: Merchant):
    sku = shop.sku(kind="made_to_order")
    order = shop.order((sku, 3), tenders=CASH)
    assert line_of(shop, order["id"])["backordered"] == 3
    shop.node("SHOP", kind="workshop")
    shop.drain()
    assert line_of(shop, order["id"])["allocated"] == 3
    assert_books(shop)


def test_what_a_refusal_excludes_stays_excluded(shop: Merchant):
    sku = shop.sku()
    shop.stock("NEAR", sku, 2)
    order = shop.order((sku, 2), tenders=CASH)
    shop.drain()
    [work] = shop.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"]
    shop.provider.ok("POST", f"/fulfillment-orders/{work['id']}/rejection", {"reason": "capacity"})
    shop.drain()
    assert line_of(shop, order["id"])["backordered"] == 2
    shop.stock("FAR", sku, 2)
    shop.drain()
    assert work_of(shop, order["id"])[-1].node == "FAR"
    assert stock_of(shop, sku)[("NEAR", "sellable")] == (2, 0)
    assert_books(shop)


def test_reroute_leaves_stock_to_an_earlier_promise(shop: Merchant):
    sku, other = shop.sku(), shop.sku()
    first = shop.order((sku, 1), (other, 1), tenders=CASH, policy={"ship_complete": True}, **within(3))
    second = shop.order((sku, 1), tenders=CASH, **within(9))
    shop.stock("NEAR", sku, 1)
    with inside(shop.tenant_id) as scope:
        assert matching.reroute(scope, UUID(second["id"]), cause="moved") == 0
    assert line_of(shop, first["id"])["backordered"] == 1


def test_a_chunk_costs_the_same_statements_for_one_order_and_for_many(shop: Merchant):
    def cost(count: int) -> int:
        sku = shop.sku()
        for _ in range(count):
            shop.order((sku, 1), tenders=CASH)
        shop.stock("NEAR", sku, count)
        with inside(shop.tenant_id) as scope:
            found = scope.row("SELECT id FROM skus WHERE tenant_id = :tenant AND code = :code", code=sku)
        with statements() as sent, inside(shop.tenant_id) as scope:
            assert matching.match_waiting(scope, [found.id]) == count
        return len(sent)

    cost(2)  # the network is kept by the first decision and found by the next
    one, many = cost(1), cost(12)
    assert one == many <= 15
    assert_books(shop)


def test_more_than_a_chunk_is_matched_to_the_last(shop: Merchant, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(matching, "CHUNK", 2)
    sku = shop.sku()
    orders = [shop.order((sku, 1), tenders=CASH) for _ in range(5)]
    shop.stock("NEAR", sku, 4)
    shop.drain()
    assert [line_of(shop, order["id"])["allocated"] for order in orders] == [1, 1, 1, 1, 0]
    assert_books(shop)


def test_cancelled_orders_get_nothing(shop: Merchant):
    sku = shop.sku()
    order = shop.order((sku, 2), tenders=CASH)
    with inside(shop.tenant_id) as scope:
        line = scope.row(
            "SELECT id FROM order_lines WHERE tenant_id = :tenant AND order_id = :id", id=UUID(order["id"])
        )
        service.lock_orders(scope, [UUID(order["id"])])
        service.release_waiting(scope, {line.id: 1}, why="buyer")
    shop.stock("NEAR", sku, 5)
    shop.drain()
    assert line_of(shop, order["id"]) == {"backordered": 0, "allocated": 1, "cancelled": 1, "shipped": 0}
