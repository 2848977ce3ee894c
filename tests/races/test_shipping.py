"""Shipping under contention: several connections report, cancel and reject the same work at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from tests.factories import Caller, Merchant
from tests.fulfillment.books import check_books

pytestmark = pytest.mark.races


def at_once(app: Flask, calls: list[tuple[Caller, str, Any]]) -> list[int]:
    """Send all calls in the same moment, each on a connection of its own; their statuses."""
    start = Barrier(len(calls))

    def send(caller: Caller, path: str, body: Any) -> int:
        own = Caller(app.test_client(), caller.key)
        start.wait(10)
        return own.post(path, body).status_code

    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result() for one in [pool.submit(send, *call) for call in calls]]


def accepted(merchant: Merchant, sku: str, units: int) -> tuple[str, str]:
    """Paths of an order and of its only fulfillment order, accepted."""
    order = merchant.order((sku, units), tenders=[{"kind": "terms"}])
    merchant.drain()
    work = f"/fulfillment-orders/{order['fulfillment_orders'][0]['id']}"
    merchant.provider.ok("POST", f"{work}/acceptance")
    return f"/orders/{order['id']}", work


@pytest.fixture
def mug(merchant: Merchant) -> str:
    sku = merchant.sku()
    merchant.stock(merchant.node("RENO"), sku, 100)
    return sku


def parcel(sku: str, units: int, number: str = "1Z") -> dict[str, Any]:
    return {"lines": [{"sku": sku, "quantity": units}], "carrier": "UPS", "tracking_number": number}


def line_of(merchant: Merchant, order: str) -> dict[str, Any]:
    return merchant.ok("GET", order)["lines"][0]


def test_the_same_shipment_from_ten_connections_ships_once(app: Flask, merchant: Merchant, mug: str) -> None:
    order, work = accepted(merchant, mug, 4)
    statuses = at_once(app, [(merchant.provider, f"{work}/shipments", parcel(mug, 2))] * 10)
    assert sorted(statuses) == [200] * 9 + [201]
    assert line_of(merchant, order)["shipped"] == 2
    check_books(merchant.tenant_id)


def test_ten_parcels_for_four_units_ship_four(app: Flask, merchant: Merchant, mug: str) -> None:
    order, work = accepted(merchant, mug, 4)
    calls = [(merchant.provider, f"{work}/shipments", parcel(mug, 1, f"1Z{at}")) for at in range(10)]
    assert sorted(at_once(app, calls)) == [201] * 4 + [409] * 6
    assert line_of(merchant, order)["shipped"] == 4
    check_books(merchant.tenant_id)


def test_cancel_against_ship(app: Flask, merchant: Merchant, mug: str) -> None:
    for _ in range(5):
        order, work = accepted(merchant, mug, 3)
        shipped, cancelled = at_once(
            app,
            [
                (merchant.provider, f"{work}/shipments", parcel(mug, 3)),
                (merchant, f"{order}/cancellation", {"reason": "too late?"}),
            ],
        )
        assert shipped == 201
        assert cancelled in (200, 409)
        line = line_of(merchant, order)
        assert (line["shipped"], line["cancelled"]) == (3, 0)
    check_books(merchant.tenant_id)


@pytest.mark.parametrize("action", ["rejection", "pick"])
def test_giving_back_against_ship(app: Flask, merchant: Merchant, mug: str, action: str) -> None:
    nothing_there = {"lines": [{"sku": mug, "quantity": 0}]}
    body = {"reason": "damaged"} if action == "rejection" else nothing_there
    for _ in range(5):
        order, work = accepted(merchant, mug, 3)
        statuses = at_once(
            app,
            [
                (merchant.provider, f"{work}/shipments", parcel(mug, 3)),
                (merchant.provider, f"{work}/{action}", body),
            ],
        )
        assert sorted(statuses) in ([200, 409], [201, 409])
        line = line_of(merchant, order)
        assert (line["shipped"], line["backordered"]) in ((3, 0), (0, 3))
    check_books(merchant.tenant_id)


def test_answering_a_cancellation_against_ship(app: Flask, merchant: Merchant, mug: str) -> None:
    for _ in range(5):
        order, work = accepted(merchant, mug, 3)
        merchant.ok("POST", f"{order}/cancellation", {"reason": "changed my mind"})
        statuses = at_once(
            app,
            [
                (merchant.provider, f"{work}/shipments", parcel(mug, 3)),
                (merchant.provider, f"{work}/cancellation-acceptance", {}),
            ],
        )
        assert sorted(statuses) in ([200, 409], [201, 409])
        line = line_of(merchant, order)
        assert sorted((line["shipped"], line["cancelled"])) == [0, 3]
    check_books(merchant.tenant_id)


def test_many_orders_of_the_same_goods_ship_side_by_side(app: Flask, merchant: Merchant) -> None:
    node = merchant.node("RENO")
    skus = [merchant.sku() for _ in range(3)]
    for sku in skus:
        merchant.stock(node, sku, 50)
    calls: list[tuple[Caller, str, Any]] = []
    for at in range(8):
        basket = skus if at % 2 else skus[::-1]
        box = {"lines": [{"sku": sku, "quantity": 1} for sku in basket], "carrier": "UPS"}
        order = merchant.order(*[(sku, 1) for sku in basket], tenders=[{"kind": "terms"}])
        merchant.drain()
        work = f"/fulfillment-orders/{order['fulfillment_orders'][0]['id']}"
        merchant.provider.ok("POST", f"{work}/acceptance")
        calls.append((merchant.provider, f"{work}/shipments", box))
    assert at_once(app, calls) == [201] * 8
    check_books(merchant.tenant_id)
