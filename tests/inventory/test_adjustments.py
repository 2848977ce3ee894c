"""Stock adjustments over the API: one, many, losses."""

from __future__ import annotations

from uuid import UUID

import pytest

from tenants.scope import inside
from tests.allocation.support import CASH, assert_books, line_of, statements, stock_of, work_of
from tests.factories import Merchant


def adjust(merchant: Merchant, **fields: object) -> dict:
    return merchant.ok("POST", "/stock/adjustments", {"reason": "test"} | fields)


def test_delta_and_on_hand_answer_the_position(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    first = adjust(merchant, node=node, sku=sku, delta=5, reference="ASN-1", cause="receipt")
    assert {name: first[name] for name in ("on_hand", "reserved", "available", "disposition", "segment")} == {
        "on_hand": 5,
        "reserved": 0,
        "available": 5,
        "disposition": "sellable",
        "segment": "shared",
    }
    assert adjust(merchant, node=node, sku=sku, on_hand=3)["on_hand"] == 3
    assert adjust(merchant, node=node, sku=sku, on_hand=3)["on_hand"] == 3
    ledger = merchant.ok("GET", f"/stock/movements?node={node}&sku={sku}")["data"]
    assert [(one["delta"], one["cause"], one["reference"]) for one in ledger] == [
        (-2, "adjustment", ""),
        (5, "receipt", "ASN-1"),
    ]
    assert ledger[0]["actor"] == "key:all"
    assert_books(merchant)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"node": "nowhere"}, "/node"),
        ({"sku": "nothing"}, "/sku"),
        ({"sku": "FILE"}, "/sku"),
        ({"sku": "KIT"}, "/sku"),
        ({"segment": "nobody"}, "/segment"),
        ({"disposition": "lost"}, "/disposition"),
        ({"delta": "1"}, "/delta"),
        ({"on_hand": 1}, "/delta"),
        ({"cause": "shipment"}, "/cause"),
        ({"color": "red"}, "/color"),
        ({"reason": "a\x00"}, "/reason"),
    ],
)
def test_what_is_wrong_is_named(merchant: Merchant, change: dict, pointer: str):
    node, sku = merchant.node(), merchant.sku("S")
    merchant.sku("FILE", kind="digital")
    merchant.sku("KIT", kind="kit", components=[{"sku": "S", "quantity": 1}])
    good = {"node": node, "sku": sku, "delta": 1}
    answer = merchant.post("/stock/adjustments", good | change)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    batch = merchant.post("/stock/adjustments", {"adjustments": [good, good | change]})
    assert batch.status_code == 422
    assert [error["pointer"] for error in batch.get_json()["errors"]] == [f"/adjustments/1{pointer}"]
    assert merchant.ok("GET", "/stock")["data"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"node": "N", "sku": "S"},
        {"delta": 1},
        {"adjustments": []},
        {"adjustments": [{"node": "N", "sku": "S", "delta": 1}], "node": "N"},
        [],
    ],
)
def test_neither_one_nor_many(merchant: Merchant, body: object):
    assert merchant.post("/stock/adjustments", body).status_code == 422


def test_nothing_goes_below_zero_and_a_batch_is_all_or_none(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    adjust(merchant, node=node, sku=sku, delta=2)
    answer = merchant.post("/stock/adjustments", {"node": node, "sku": sku, "delta": -3})
    assert (answer.status_code, answer.get_json()["type"].rpartition("/")[2]) == (409, "below-zero")
    batch = [{"node": node, "sku": sku, "delta": delta} for delta in (5, -8, 1)]
    answer = merchant.post("/stock/adjustments", {"adjustments": batch})
    assert answer.get_json()["errors"][0]["pointer"] == "/adjustments/1/delta"
    answer = merchant.post("/stock/adjustments", {"adjustments": batch[1:2]})
    assert answer.get_json()["errors"][0]["pointer"] == "/adjustments/0/delta"
    assert stock_of(merchant, sku) == {(node, "sellable"): (2, 0)}
    assert_books(merchant)


def test_a_batch_is_set_based_and_keeps_its_order(merchant: Merchant):
    nodes, skus = [merchant.node() for _ in range(2)], [merchant.sku() for _ in range(5)]

    def batch(units: int) -> list[dict]:
        return [{"node": node, "sku": sku, "delta": units} for node in nodes for sku in skus]

    adjust_many(merchant, batch(1)[-1:])
    with statements() as few:
        adjust_many(merchant, batch(1)[-1:])
    with statements() as many:
        answer = adjust_many(merchant, [*batch(3), *batch(-1)])
    assert len(many) == len(few) <= 15
    assert [one["sku"] for one in answer["data"]] == skus * 4
    assert [one["on_hand"] for one in answer["data"][:10]] == [2] * 9 + [4]
    assert_books(merchant)


def adjust_many(merchant: Merchant, adjustments: list[dict]) -> dict:
    return merchant.ok("POST", "/stock/adjustments", {"adjustments": adjustments})


def test_a_batch_has_an_end(merchant: Merchant):
    one = {"node": "N", "sku": "S", "delta": 1}
    assert merchant.post("/stock/adjustments", {"adjustments": [one] * 1001}).status_code == 422


def test_a_loss_takes_the_latest_promise_and_other_nodes_are_asked(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    adjust(merchant, node=node, sku=sku, delta=4)
    early, late = (
        merchant.order((sku, 2), tenders=CASH, promise={"within": {"value": days, "unit": "days"}})
        for days in (3, 9)
    )
    merchant.drain()
    assert adjust(merchant, node=node, sku=sku, delta=-1)["reserved"] == 3
    assert line_of(merchant, early["id"])["allocated"] == 2
    assert line_of(merchant, late["id"]) == {"backordered": 1, "allocated": 1, "cancelled": 0, "shipped": 0}
    assert_books(merchant)
    other = merchant.node(postal_code="33101", region="FL")
    adjust(merchant, node=other, sku=sku, delta=5)
    merchant.drain()
    assert line_of(merchant, late["id"])["allocated"] == 2
    assert [one.node for one in work_of(merchant, late["id"])] == [node, other]
    assert_books(merchant)


def test_work_that_lost_everything_is_over_and_is_told(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    adjust(merchant, node=node, sku=sku, delta=2)
    order = merchant.order((sku, 2), tenders=CASH)
    merchant.drain()
    adjust(merchant, node=node, sku=sku, on_hand=0, reason="flood")
    [work] = work_of(merchant, order["id"])
    assert (work.work_status, work.request_status, work.released) == ("cancelled", "closed", 2)
    with inside(merchant.tenant_id) as scope:
        told = scope.rows(
            "SELECT data FROM timeline WHERE tenant_id = :tenant AND order_id = :id"
            " AND name = 'order.units_released'",
            id=UUID(order["id"]),
        )
    assert told[0].data["units"] == [{"sku": sku, "node": node, "units": 2}]
    assert_books(merchant)


def test_a_lost_component_gives_back_whole_kits(merchant: Merchant):
    node, a, b = merchant.node(), merchant.sku(), merchant.sku()
    kit = merchant.sku(kind="kit", components=[{"sku": a, "quantity": 2}, {"sku": b, "quantity": 1}])
    for sku, units in ((a, 6), (b, 3)):
        adjust(merchant, node=node, sku=sku, delta=units)
    order = merchant.order((kit, 3), tenders=CASH)
    adjust(merchant, node=node, sku=a, delta=-3)
    assert line_of(merchant, order["id"]) == {"backordered": 2, "allocated": 1, "cancelled": 0, "shipped": 0}
    assert stock_of(merchant, a) == {(node, "sellable"): (3, 2)}
    assert stock_of(merchant, b) == {(node, "sellable"): (3, 1)}
    assert_books(merchant)


def test_a_loss_of_both_parts_of_a_kit_releases_it_once(merchant: Merchant):
    node, a, b = merchant.node(), merchant.sku(), merchant.sku()
    kit = merchant.sku(kind="kit", components=[{"sku": a, "quantity": 1}, {"sku": b, "quantity": 1}])
    for sku in (a, b):
        adjust(merchant, node=node, sku=sku, delta=2)
    order = merchant.order((kit, 2), tenders=CASH)
    adjust_many(merchant, [{"node": node, "sku": sku, "delta": -1} for sku in (a, b)])
    assert line_of(merchant, order["id"])["allocated"] == 1
    assert_books(merchant)


def test_other_conditions_are_not_sold(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    adjust(merchant, node=node, sku=sku, delta=4, disposition="damaged")
    assert merchant.order((sku, 1), tenders=CASH)["lines"][0]["backordered"] == 1
    [position] = merchant.ok("GET", f"/stock?sku={sku}")["data"]
    assert (position["on_hand"], position["available"]) == (4, 0)
    assert merchant.ok("GET", f"/stock?sku={sku}&disposition=sellable")["data"] == []


def test_lists_page_in_a_fixed_number_of_statements(merchant: Merchant):
    node, skus = merchant.node(), [merchant.sku() for _ in range(5)]
    adjust_many(merchant, [{"node": node, "sku": sku, "delta": 1} for sku in skus])
    for path in ("/stock", "/stock/movements"):
        with statements() as few:
            first = merchant.ok("GET", f"{path}?limit=1")
        with statements() as many:
            rest = merchant.ok("GET", f"{path}?limit=50&after={first['next']}")
        assert len(few) == len(many) <= 3
        assert {one["sku"] for one in first["data"] + rest["data"]} == set(skus)
        assert rest["next"] is None
        assert merchant.get(f"{path}?after=x").status_code == 422


def test_only_one_s_own_and_only_with_permission(merchant: Merchant, other_merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    adjust(merchant, node=node, sku=sku, delta=1)
    body = {"node": node, "sku": sku, "delta": 1}
    assert other_merchant.post("/stock/adjustments", body).status_code == 422
    assert other_merchant.ok("GET", "/stock")["data"] == []
    assert other_merchant.ok("GET", "/stock/movements")["data"] == []
    for path in ("/stock", "/stock/movements"):
        assert merchant.provider.get(path).status_code == 403
    assert merchant.provider.post("/stock/adjustments", body).status_code == 403
    assert merchant.another_key("stock:read").post("/stock/adjustments", body).status_code == 403
    assert stock_of(merchant, sku) == {(node, "sellable"): (1, 0)}


def test_safety_stock_is_kept_back_and_given_to_who_waits_when_lowered(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    first = adjust(merchant, node=node, sku=sku, delta=5, safety=3)
    assert (first["on_hand"], first["safety"], first["available"]) == (5, 3, 2)
    assert adjust(merchant, node=node, sku=sku, safety=4)["available"] == 1
    assert [one["delta"] for one in merchant.ok("GET", f"/stock/movements?sku={sku}")["data"]] == [5]
    order = merchant.order((sku, 3), tenders=CASH)
    assert order["lines"][0]["allocated"] == 1
    assert adjust(merchant, node=node, sku=sku, delta=-1)["reserved"] == 1
    adjust(merchant, node=node, sku=sku, safety=1)
    merchant.drain()
    assert line_of(merchant, order["id"])["allocated"] == 3
    assert adjust(merchant, node=node, sku=sku, safety=0)["safety"] == 0
    assert_books(merchant)


def test_safety_stock_of_an_empty_position_and_what_is_wrong(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    assert adjust(merchant, node=node, sku=sku, safety=7)["safety"] == 7
    for change in ({"safety": -1}, {"safety": 1.5}):
        answer = merchant.post("/stock/adjustments", {"node": node, "sku": sku} | change)
        assert [error["pointer"] for error in answer.get_json()["errors"]] == ["/safety"]
    both = merchant.post(
        "/stock/adjustments", {"node": node, "sku": sku, "delta": 1, "on_hand": 1, "safety": 1}
    )
    assert [error["pointer"] for error in both.get_json()["errors"]] == ["/delta"]
