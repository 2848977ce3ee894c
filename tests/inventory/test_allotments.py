"""What a channel holds of the shared stock: the formula, and that what is told is what can be reserved."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from app.inventory.allotments import Allotments, Hold
from app.inventory.shelf import Shelf
from tests.allocation.support import CASH, assert_books, statements
from tests.factories import Caller, Merchant


def hold(channel: str, **changes: object) -> Hold:
    return Hold(**{
        "channel": channel, "sku": None, "node": None, "share_percent": None, "units": None, "borrow": False, **changes
    })  # fmt: skip


def shelf(*holds: Hold, free: int = 100, own: int = 0) -> Shelf:
    stock = [("P", "S", "N", "shared", free), ("Q", "S", "N", "web", own)]
    return Shelf(stock, {}, {}, Allotments(holds))


def test_units_and_shares_are_kept_from_the_others_only():
    here = shelf(hold("market", units=30), hold("b2b", share_percent=25))
    assert [here.free("S", "N", channel) for channel in ("market", "b2b", "web", "")] == [75, 70, 45, 45]
    assert here.kept("S", "N", "web") == 55
    assert shelf(hold("market", units=300)).free("S", "N", "web") == 0
    assert shelf(hold("market", share_percent=33), free=10).free("S", "N", "web") == 7


def test_who_may_borrow_sees_everything():
    assert shelf(hold("market", units=30), hold("web", units=0, borrow=True)).free("S", "N", "web") == 100


def test_a_segment_is_its_channels_own_beside_the_shared_stock():
    here = shelf(hold("market", units=30), own=5)
    assert [here.free("S", "N", channel) for channel in ("web", "market")] == [75, 100]
    assert here.take("S", "N", "web", 75) == [("Q", 5), ("P", 70)]
    assert here.free("S", "N", "web") == 0
    assert here.needed() == {"P": 100}


@pytest.mark.parametrize(
    ("extra", "kept"),
    [
        ({}, 10),
        ({"node": "N"}, 20),
        ({"sku": "S"}, 20),
        ({"sku": "S", "node": "N"}, 20),
        ({"sku": "OTHER"}, 10),
        ({"node": "OTHER", "sku": "S"}, 10),
    ],
)
def test_the_most_particular_hold_of_a_channel_counts(extra: dict, kept: int):
    general = hold("market", units=10)
    assert Allotments([general, hold("market", units=20, **extra)]).kept_from("web", "S", "N", 100) == (
        kept if extra else 20
    )
    both = [hold("market", units=1, sku="S"), hold("market", units=2, node="N")]
    assert Allotments(both).kept_from("web", "S", "N", 100) == 1


def put(merchant: Merchant, *allotments: dict) -> dict:
    return merchant.ok("PUT", "/allotments", {"allotments": list(allotments)})


def sees(merchant: Merchant, sku: str, channel: str) -> int:
    return merchant.ok("GET", f"/availability?sku={sku}&channel={channel}")["available"]


def test_told_and_reserved_are_the_same(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, 10)
    given = {
        "channel": "marketplace",
        "sku": sku,
        "node": node,
        "share_percent": None,
        "units": 4,
        "borrow": False,
    }
    assert put(merchant, given) == {"allotments": [given]} == merchant.ok("GET", "/allotments")
    assert (sees(merchant, sku, "web"), sees(merchant, sku, "marketplace")) == (6, 10)
    part = merchant.ok("GET", f"/availability?sku={sku}&channel=web")["parts"][0]
    assert (part["held"], part["nodes"][0]["held"], part["nodes"][0]["available"]) == (4, 4, 6)
    line = merchant.order((sku, 8), tenders=CASH)["lines"][0]
    assert (line["allocated"], line["backordered"]) == (6, 2)
    assert sees(merchant, sku, "web") == 0
    put(merchant)
    merchant.drain()
    assert merchant.ok("GET", "/allotments") == {"allotments": []}
    [position] = merchant.ok("GET", f"/stock?sku={sku}")["data"]
    assert position["reserved"] == 8, "what is held no more goes to who waits"
    assert_books(merchant)


def test_waiting_orders_and_trials_keep_to_it_too(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    put(merchant, {"channel": "marketplace", "units": 4})
    order = merchant.order((sku, 8), tenders=CASH)
    merchant.stock(node, sku, 10)
    merchant.drain()
    assert merchant.ok("GET", f"/orders/{order['id']}")["lines"][0]["allocated"] == 6
    borrower = {"channel": "web", "units": 0, "borrow": True}
    put(merchant, {"channel": "marketplace", "units": 4}, borrower)
    merchant.drain()
    assert merchant.ok("GET", f"/orders/{order['id']}")["lines"][0]["allocated"] == 8
    assert_books(merchant)


def test_two_orders_at_once_do_not_take_what_is_held(app: Flask, merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, 60)
    put(merchant, {"channel": "marketplace", "units": 30})
    bodies = [merchant.order_body((sku, 4), tenders=CASH) for _ in range(12)]

    def send(body: dict) -> int:
        caller = Caller(app.test_client(), merchant.key)
        return caller.ok("POST", "/orders", body)["lines"][0]["allocated"]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, bodies))
    assert len(answers) == 12
    assert sum(answers) == 30
    assert sees(merchant, sku, "marketplace") == 12, "30 are free, and 18 of the web's units wait first"
    assert_books(merchant)


def test_intake_asks_no_more_often_with_allotments(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, 60)
    for _ in range(2):  # the first keeps the network, the second finds it kept
        merchant.order((sku, 1), tenders=CASH)
    with statements() as without:
        merchant.order((sku, 1), tenders=CASH)
    put(merchant, {"channel": "marketplace", "units": 3})
    merchant.order((sku, 1), tenders=CASH)
    with statements() as with_them:
        merchant.order((sku, 1), tenders=CASH)
    assert len(with_them) == len(without)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"channel": "nobody"}, "/allotments/0/channel"),
        ({"sku": "NOTHING"}, "/allotments/0/sku"),
        ({"node": "NOWHERE"}, "/allotments/0/node"),
        ({"units": None}, "/allotments/0/units"),
        ({"share_percent": 10}, "/allotments/0/units"),
        ({"units": None, "share_percent": 101}, "/allotments/0/share_percent"),
        ({"units": -1}, "/allotments/0/units"),
        ({"color": "red"}, "/allotments/0/color"),
    ],
)
def test_what_is_wrong_is_named(merchant: Merchant, change: dict, pointer: str):
    kept = put(merchant, {"channel": "web", "units": 1})
    answer = merchant.put("/allotments", {"allotments": [{"channel": "web", "units": 2} | change]})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    twice = merchant.put("/allotments", {"allotments": [{"channel": "web", "units": 2}] * 2})
    assert twice.get_json()["errors"][0]["pointer"] == "/allotments/1"
    assert merchant.ok("GET", "/allotments") == kept


def test_channels_cannot_share_more_than_there_is(merchant: Merchant):
    sku, node = merchant.sku(), merchant.node()
    kept = put(merchant, {"channel": "web", "share_percent": 60}, {"channel": "phone", "units": 50})
    over = [
        {"channel": "web", "share_percent": 60},
        {"channel": "phone", "sku": sku, "share_percent": 40},
        {"channel": "marketplace", "sku": sku, "node": node, "share_percent": 1},
    ]
    answer = merchant.put("/allotments", {"allotments": over})
    assert answer.status_code == 422
    assert [(error["pointer"], error["message"]) for error in answer.get_json()["errors"]] == [
        (
            "/allotments/2/share_percent",
            "The shares of all channels there come to 101 %. Send shares of at most 100 % together.",
        )
    ]
    assert merchant.ok("GET", "/allotments") == kept
    assert len(put(merchant, *over[:2])["allotments"]) == 2


def test_only_one_s_own_and_only_with_permission(merchant: Merchant, other_merchant: Merchant):
    sku = merchant.sku()
    put(merchant, {"channel": "web", "sku": sku, "units": 1})
    assert other_merchant.ok("GET", "/allotments") == {"allotments": []}
    body = {"allotments": [{"channel": "web", "sku": sku, "units": 2}]}
    assert other_merchant.put("/allotments", body).status_code == 422
    assert merchant.another_key("stock:read").put("/allotments", body).status_code == 403
    assert merchant.provider.get("/allotments").status_code == 403
    assert merchant.ok("GET", "/allotments")["allotments"][0]["units"] == 1
