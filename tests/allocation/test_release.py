"""Units are given back by one verb: counters, reservations and positions move together."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.allocation import service
from infra.errors import Problem
from tenants.scope import inside
from tests.allocation.support import CASH, assert_books, line_of, stock_of, work_of
from tests.factories import Merchant


@pytest.fixture
def placed(merchant: Merchant) -> tuple[Merchant, str, str, dict]:
    """An order of five units, all at one node that holds eight."""
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, 8)
    return merchant, node, sku, merchant.order((sku, 5), tenders=CASH)


@pytest.mark.parametrize(
    ("back_to", "stock", "line", "positions"),
    [
        ("backorder", "free", (2, 3, 0), {"sellable": (8, 3)}),
        ("backorder", "on_hold", (2, 3, 0), {"sellable": (6, 3), "on_hold": (2, 0)}),
        ("cancelled", "free", (0, 3, 2), {"sellable": (8, 3)}),
        ("cancelled", "on_hold", (0, 3, 2), {"sellable": (6, 3), "on_hold": (2, 0)}),
    ],
)
def test_every_way_back(placed, back_to: str, stock: str, line: tuple, positions: dict):
    merchant, node, sku, order = placed
    [work] = work_of(merchant, order["id"])
    with inside(merchant.tenant_id) as scope:
        service.release(scope, work.id, 2, back_to=back_to, stock=stock, why="test")
    after = line_of(merchant, order["id"])
    assert (after["backordered"], after["allocated"], after["cancelled"]) == line
    assert stock_of(merchant, sku) == {(node, name): units for name, units in positions.items()}
    assert work_of(merchant, order["id"])[0].released == 2
    assert_books(merchant)


def test_more_than_is_open_is_refused_and_changes_nothing(placed):
    merchant, _, sku, order = placed
    [work] = work_of(merchant, order["id"])
    with pytest.raises(Problem) as refusal, inside(merchant.tenant_id) as scope:
        service.release(scope, work.id, 6, back_to="backorder", stock="free", why="test")
    assert (refusal.value.status, refusal.value.code) == (409, "more-than-open")
    with pytest.raises(Problem) as refusal, inside(merchant.tenant_id) as scope:
        service.release(scope, UUID(int=1), 1, back_to="backorder", stock="free", why="test")
    assert refusal.value.status == 404
    assert line_of(merchant, order["id"])["allocated"] == 5
    assert list(stock_of(merchant, sku).values()) == [(8, 5)]


def test_nothing_to_release_is_harmless(placed):
    merchant, _, _, order = placed
    with inside(merchant.tenant_id) as scope:
        released = service.release_all(scope, {}, back_to="backorder", stock="free", why="test")
    assert released.units == {}
    assert line_of(merchant, order["id"])["allocated"] == 5


def test_made_goods_have_no_stock_to_free(merchant: Merchant):
    merchant.node(kind="workshop")
    sku = merchant.sku(kind="made_to_order")
    order = merchant.order((sku, 2), tenders=CASH)
    [work] = work_of(merchant, order["id"])
    with inside(merchant.tenant_id) as scope:
        service.release(scope, work.id, 2, back_to="backorder", stock="on_hold", why="test")
    assert line_of(merchant, order["id"])["backordered"] == 2
    assert merchant.ok("GET", "/stock/cases")["data"] == []
    assert_books(merchant)


def test_freed_units_go_to_whoever_waits(placed):
    merchant, _, sku, order = placed
    waiting = merchant.order((sku, 5), tenders=CASH)
    assert line_of(merchant, waiting["id"])["backordered"] == 2
    [work] = work_of(merchant, order["id"])
    with inside(merchant.tenant_id) as scope:
        service.release(scope, work.id, 4, back_to="cancelled", stock="free", why="buyer")
    merchant.drain()
    assert line_of(merchant, waiting["id"])["allocated"] == 5
    assert_books(merchant)


def test_waiting_units_that_are_cancelled_stop_waiting(merchant: Merchant):
    merchant.node()
    sku = merchant.sku()
    order = merchant.order((sku, 3), tenders=CASH)
    with inside(merchant.tenant_id) as scope:
        line = scope.row("SELECT id FROM order_lines WHERE tenant_id = :tenant AND sku = :sku", sku=sku)
        service.release_waiting(scope, {line.id: 2}, why="buyer")
    assert line_of(merchant, order["id"]) == {"backordered": 1, "allocated": 0, "cancelled": 2, "shipped": 0}
    with pytest.raises(Problem) as refusal, inside(merchant.tenant_id) as scope:
        service.release_waiting(scope, {line.id: 2}, why="buyer")
    assert refusal.value.code == "more-than-open"
    assert_books(merchant)


def test_a_loss_takes_from_the_segment_that_lost(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, 3)
    own = {"node": node, "sku": sku, "segment": "web"}
    merchant.ok("POST", "/stock/adjustments", own | {"delta": 2})
    order = merchant.order((sku, 5), tenders=CASH)
    merchant.ok("POST", "/stock/adjustments", own | {"delta": -2})
    assert line_of(merchant, order["id"])["backordered"] == 2
    assert_books(merchant)
    merchant.ok("POST", "/stock/adjustments", {"node": node, "sku": sku, "on_hand": 1})
    assert line_of(merchant, order["id"])["backordered"] == 4
    assert_books(merchant)
