"""Units that do not ship from where they were sent: rejections and short picks, over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tenants.scope import inside
from tests.factories import Merchant
from tests.fulfillment.books import check_books


@pytest.fixture
def mug(merchant: Merchant) -> str:
    sku = merchant.sku()
    merchant.stock(merchant.node("RENO"), sku, 5)
    return sku


def submitted(merchant: Merchant, *lines: tuple[str, int]) -> tuple[dict[str, Any], str]:
    order = merchant.order(*lines, tenders=[{"kind": "terms"}])
    merchant.drain()
    return order, f"/fulfillment-orders/{order['fulfillment_orders'][0]['id']}"


def stock(merchant: Merchant) -> dict[str, tuple[int, int]]:
    with inside(merchant.tenant_id) as scope:
        rows = scope.rows(
            "SELECT disposition, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM stock_positions"
            " WHERE tenant_id = :tenant GROUP BY 1"
        )
    return {row.disposition: (int(row.on_hand), int(row.reserved)) for row in rows}


@pytest.mark.parametrize("reason", ["out_of_stock", "damaged"])
def test_a_rejection_about_the_goods_puts_them_on_hold(merchant: Merchant, mug: str, reason: str) -> None:
    _, path = submitted(merchant, (mug, 3))
    work = merchant.provider.ok("POST", f"{path}/rejection", {"reason": reason})
    assert (work["request_status"], work["work_status"]) == ("rejected", "cancelled")
    assert stock(merchant) == {"sellable": (2, 0), "on_hold": (3, 0)}
    with inside(merchant.tenant_id) as scope:
        case = scope.row("SELECT kind, expected, state FROM stock_cases WHERE tenant_id = :tenant")
    assert case is not None
    assert (case.kind, case.expected, case.state) == ("rejection", 3, "open")
    check_books(merchant.tenant_id)


@pytest.mark.parametrize("reason", ["capacity", "closed", "cannot_ship", "address", "other"])
def test_a_rejection_about_the_node_frees_the_goods(merchant: Merchant, mug: str, reason: str) -> None:
    order, path = submitted(merchant, (mug, 3))
    merchant.provider.ok("POST", f"{path}/rejection", {"reason": reason})
    assert stock(merchant) == {"sellable": (5, 0)}
    line = merchant.ok("GET", f"/orders/{order['id']}")["lines"][0]
    assert (line["backordered"], line["allocated"]) == (3, 0)
    check_books(merchant.tenant_id)


def test_a_wrong_address_holds_the_order_and_keeps_no_node_from_it(merchant: Merchant, mug: str) -> None:
    order, path = submitted(merchant, (mug, 3))
    merchant.provider.ok("POST", f"{path}/rejection", {"reason": "address"})
    merchant.drain()
    found = merchant.ok("GET", f"/orders/{order['id']}")
    assert [(one["kind"], one["reason"]) for one in found["holds"]] == [
        ("address", "RENO cannot send to this address.")
    ]
    assert [one["request_status"] for one in found["fulfillment_orders"]] == ["rejected", "held"]
    merchant.ok("POST", f"/orders/{order['id']}/holds", {"kind": "address", "release": True})
    merchant.drain()
    works = merchant.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"]
    assert [(one["node"], one["request_status"]) for one in works] == [
        ("RENO", "rejected"),
        ("RENO", "submitted"),
    ]
    check_books(merchant.tenant_id)


def test_a_part_is_rejected_and_the_rest_ships(merchant: Merchant, mug: str) -> None:
    _, path = submitted(merchant, (mug, 3))
    part = {"reason": "damaged", "lines": [{"sku": mug, "quantity": 1}]}
    work = merchant.provider.ok("POST", f"{path}/rejection", part)
    assert (work["request_status"], work["lines"][0]["released"]) == ("submitted", 1)
    merchant.provider.ok("POST", f"{path}/acceptance")
    parcel = {"lines": [{"sku": mug, "quantity": 2}], "carrier": "UPS", "tracking_number": "1Z"}
    work = merchant.provider.ok("POST", f"{path}/shipments", parcel)
    assert (work["request_status"], work["work_status"]) == ("closed", "incomplete")
    check_books(merchant.tenant_id)


def test_a_short_pick_gives_the_missing_units_back(merchant: Merchant, mug: str) -> None:
    cup = merchant.sku()
    merchant.stock("RENO", cup, 5)
    _, path = submitted(merchant, (mug, 3), (cup, 2))
    early = merchant.provider.post(f"{path}/pick", {"lines": [{"sku": mug, "quantity": 2}]})
    assert early.status_code == 409
    merchant.provider.ok("POST", f"{path}/acceptance")
    work = merchant.provider.ok("POST", f"{path}/pick", {"lines": [{"sku": mug, "quantity": 2}]})
    shown = {one["sku"]: (one["picked"], one["released"]) for one in work["lines"]}
    assert shown == {mug: (2, 1), cup: (0, 0)}
    assert work["work_status"] == "picking"
    work = merchant.provider.ok("POST", f"{path}/pick")
    assert {one["sku"]: one["picked"] for one in work["lines"]} == {mug: 2, cup: 2}
    assert merchant.provider.ok("POST", f"{path}/pack")["work_status"] == "packed"
    check_books(merchant.tenant_id)


def test_nothing_on_the_shelf_ends_the_work(merchant: Merchant, mug: str) -> None:
    order, path = submitted(merchant, (mug, 3))
    merchant.provider.ok("POST", f"{path}/acceptance")
    work = merchant.provider.ok("POST", f"{path}/pick", {"lines": [{"sku": mug, "quantity": 0}]})
    assert (work["work_status"], work["request_status"]) == ("cancelled", "closed")
    assert merchant.ok("GET", f"/orders/{order['id']}")["lines"][0]["backordered"] == 3
    check_books(merchant.tenant_id)


def test_packing_in_two_parcels(merchant: Merchant, mug: str) -> None:
    _, path = submitted(merchant, (mug, 3))
    merchant.provider.ok("POST", f"{path}/acceptance")
    one = {"lines": [{"sku": mug, "quantity": 1}]}
    assert merchant.provider.ok("POST", f"{path}/pack", one)["work_status"] == "picking"
    assert merchant.provider.post(f"{path}/pack", {"lines": [{"sku": mug, "quantity": 3}]}).status_code == 409
    assert merchant.provider.ok("POST", f"{path}/pack")["work_status"] == "packed"
    assert merchant.provider.post(f"{path}/pick").status_code == 409
    check_books(merchant.tenant_id)


def test_a_rejection_after_shipping_is_refused(merchant: Merchant, mug: str) -> None:
    _, path = submitted(merchant, (mug, 3))
    merchant.provider.ok("POST", f"{path}/acceptance")
    parcel = {"lines": [{"sku": mug, "quantity": 3}], "carrier": "UPS", "tracking_number": "1Z"}
    merchant.provider.ok("POST", f"{path}/shipments", parcel)
    answer = merchant.provider.post(f"{path}/rejection", {"reason": "other"})
    assert (answer.status_code, answer.get_json()["type"].rsplit("/", 1)[1]) == (409, "request-closed")
    check_books(merchant.tenant_id)


def work_of(merchant: Merchant, order: dict[str, Any]) -> list[tuple[str, str, int]]:
    """(node, request status, units) of each fulfillment order."""
    shown = merchant.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"]
    return [
        (one["node"], one["request_status"], sum(line["quantity"] for line in one["lines"])) for one in shown
    ]


@pytest.mark.parametrize("reason", ["out_of_stock", "capacity"])
def test_rejected_units_are_routed_to_another_node(merchant: Merchant, mug: str, reason: str) -> None:
    merchant.stock(merchant.node("NYC", postal_code="10001", region="NY"), mug, 5)
    order, path = submitted(merchant, (mug, 3))
    merchant.provider.ok("POST", f"{path}/rejection", {"reason": reason})
    merchant.drain()
    assert work_of(merchant, order) == [("RENO", "rejected", 3), ("NYC", "submitted", 3)]
    routing = merchant.ok("GET", f"/orders/{order['id']}/routing")
    assert routing["cause"] in ("rejected", "restocked")
    check_books(merchant.tenant_id)


def test_short_units_are_routed_to_another_node_and_the_rest_ships(merchant: Merchant, mug: str) -> None:
    merchant.stock(merchant.node("NYC", postal_code="10001", region="NY"), mug, 5)
    order, path = submitted(merchant, (mug, 3))
    merchant.provider.ok("POST", f"{path}/acceptance")
    merchant.provider.ok("POST", f"{path}/pick", {"lines": [{"sku": mug, "quantity": 2}]})
    merchant.drain()
    assert work_of(merchant, order) == [("RENO", "accepted", 3), ("NYC", "submitted", 1)]
    check_books(merchant.tenant_id)


def test_units_follow_an_address_that_moved_far(merchant: Merchant, mug: str) -> None:
    merchant.stock(merchant.node("NYC", postal_code="10001", region="NY"), mug, 5)
    order, _ = submitted(merchant, (mug, 3))
    boston = {"line1": "1 Beacon St", "city": "Boston", "region": "MA", "postal_code": "02108"}
    merchant.ok("POST", f"/orders/{order['id']}/address", boston)
    merchant.drain()
    assert work_of(merchant, order) == [("RENO", "closed", 3), ("NYC", "submitted", 3)]
    check_books(merchant.tenant_id)
