"""The demo's own programs against a real server: they use the API as anybody would, and outlive its restarts."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from werkzeug.serving import make_server

from examples.demo_provider import Provider
from infra import settings as settings_module
from infra import stripe_simulator
from infra.settings import Settings
from tests.factories import Merchant, new_merchant
from workers.demo import LEAST_PER_MINUTE, Shop, orders_per_minute, run_own


@pytest.fixture
def api(app: Flask) -> Iterator[str]:
    """The application on a port of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/v1"
    server.shutdown()
    thread.join(5)


@pytest.fixture
def paying(app: Flask, in_force: Settings) -> Iterator[Merchant]:
    """A merchant whose cards are charged by the Stripe simulator."""
    with stripe_simulator.serve() as stripe:
        settings_module.use(dataclasses.replace(in_force, stripe_api_base=stripe.url))
        merchant = new_merchant(app)
        merchant.drain()
        yield merchant
        settings_module.use(in_force)


def test_an_order_placed_packed_and_shipped_by_programs(paying: Merchant, api: str) -> None:
    sku, gift = paying.sku(), paying.sku(kind="gift_card_digital")
    node = paying.node()
    paying.stock(node, sku, 500)
    draw = random.Random(4)
    shop = Shop(api, paying.key, draw)
    for _ in range(6):
        shop.place_one()
    paying.drain()
    provider = Provider(api, paying.provider.key, pace=0, rejects=0)
    for _ in range(4):
        provider.round()
        paying.drain()
    orders = paying.ok("GET", "/orders?limit=50")["data"]
    assert len(orders) == 6
    assert {line["sku"] for order in orders for line in order["lines"]} <= {sku, gift, "CN-SOY-CEDAR"}
    held = [order for order in orders if order["holds"]]
    closed = [order for order in orders if order["status"] == "closed"]
    assert len(held) + len(closed) == 6
    for order in closed:
        assert order["totals"]["captured"] == order["totals"]["total"]


def test_rejected_work_goes_elsewhere(paying: Merchant, api: str) -> None:
    sku = paying.sku()
    near, far = paying.node(), paying.node(postal_code="10001", region="NY")
    for node in (near, far):
        paying.stock(node, sku, 5)
    order = paying.order((sku, 1))
    paying.drain()
    Provider(api, paying.provider.key, pace=0, rejects=1, only={near}).round()
    paying.drain()
    work = paying.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"]
    assert {one["node"] for one in work if one["request_status"] == "submitted"} == {far}


def test_deliveries_go_where_something_is_short(paying: Merchant, api: str) -> None:
    sku = paying.sku()
    paying.stock(paying.node(), sku, 2)
    Shop(api, paying.key, random.Random(1)).receive_one()
    (position,) = paying.ok("GET", f"/stock?sku={sku}")["data"]
    assert position["on_hand"] > 10


def test_own_nodes_leave_the_providers_alone(paying: Merchant, api: str) -> None:
    sku, own, theirs = paying.sku(), paying.node(), paying.node()
    for node in (own, theirs):
        paying.stock(node, sku, 1)
    paying.order((sku, 1))
    paying.order((sku, 1))
    paying.drain()
    stop = threading.Event()
    shop = Shop(api, paying.key, random.Random(1))
    thread = threading.Thread(target=run_own, args=(shop, paying.key, {theirs}, stop))
    thread.start()
    stop.wait(3)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    work = paying.ok("GET", f"/fulfillment-orders?node={theirs}")["data"]
    assert [one["request_status"] for one in work] == ["submitted"]


def test_waits_while_nobody_answers_and_stops_when_told() -> None:
    shop = Shop("http://127.0.0.1:9/v1", "key", random.Random(1))
    stop = threading.Event()
    thread = threading.Thread(target=shop.patiently, args=(stop, shop.place_one))
    thread.start()
    assert not stop.wait(0.3)
    assert thread.is_alive()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_the_pace_follows_the_merchants_day() -> None:
    night = orders_per_minute(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    evening = orders_per_minute(datetime(2026, 11, 24, 1, 30, tzinfo=UTC))
    assert night == LEAST_PER_MINUTE < evening
