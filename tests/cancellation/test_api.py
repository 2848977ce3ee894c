"""Cancellation over the API: from every place a unit can be, and what the provider may answer."""

from __future__ import annotations

from typing import Any

import pytest

from tenants.scope import inside
from tests.factories import Merchant
from tests.fulfillment.books import check_books

TERMS = [{"kind": "terms"}]


@pytest.fixture
def reno(merchant: Merchant) -> str:
    return merchant.node("RENO")


@pytest.fixture
def mug(merchant: Merchant, reno: str) -> str:
    sku = merchant.sku(price={"amount": 1001, "currency": "USD"})
    merchant.stock(reno, sku, 5)
    return sku


def cancel(merchant: Merchant, order: dict[str, Any], *units: tuple[int, int | None]) -> Any:
    """Cancel (line's place, units) of an order, or all of it."""
    body: dict[str, Any] = {"reason": "changed my mind"}
    if units:
        body["lines"] = [
            {"id": order["lines"][at]["id"]} | ({} if count is None else {"quantity": count})
            for at, count in units
        ]
    return merchant.post(f"/orders/{order['id']}/cancellation", body)


def counters(order: dict[str, Any], at: int = 0) -> tuple[int, int, int, int]:
    line = order["lines"][at]
    return line["cancelled"], line["backordered"], line["allocated"], line["shipped"]


def reserved(merchant: Merchant) -> int:
    with inside(merchant.tenant_id) as scope:
        row = scope.row("SELECT sum(reserved) AS units FROM stock_positions WHERE tenant_id = :tenant")
        assert row is not None
        return int(row.units)


def events_of(merchant: Merchant, order: dict[str, Any]) -> list[str]:
    return [one["name"] for one in merchant.ok("GET", f"/orders/{order['id']}/timeline")["data"]]


def accepted(merchant: Merchant, *lines: tuple[str, int]) -> tuple[dict[str, Any], str]:
    """An order whose only fulfillment order is accepted, and that one's path."""
    order = merchant.order(*lines, tenders=TERMS)
    merchant.drain()
    path = f"/fulfillment-orders/{order['fulfillment_orders'][0]['id']}"
    merchant.provider.ok("POST", f"{path}/acceptance")
    return order, path


def test_a_whole_order_before_release(merchant: Merchant, mug: str) -> None:
    order = merchant.order((mug, 3), tenders=TERMS)
    answer = cancel(merchant, order)
    assert answer.status_code == 200, answer.get_json()
    shown = answer.get_json()
    assert (shown["status"], shown["pending"]) == ("cancelled", [])
    assert counters(shown) == (3, 0, 0, 0)
    assert shown["lines"][0]["promise"]["state"] == "cancelled"
    assert shown["fulfillment_orders"][0]["request_status"] == "closed"
    assert reserved(merchant) == 0
    assert "order.cancelled" in events_of(merchant, order)
    assert "order.lines_cancelled" not in events_of(merchant, order)
    merchant.drain()
    check_books(merchant.tenant_id)


def test_backordered_units_go_first_then_what_no_node_has_accepted(merchant: Merchant, mug: str) -> None:
    order = merchant.order((mug, 8), tenders=TERMS)
    merchant.drain()
    assert counters(order) == (0, 3, 5, 0)
    assert counters(cancel(merchant, order, (0, 2)).get_json()) == (2, 1, 5, 0)
    shown = cancel(merchant, order, (0, 3)).get_json()
    assert counters(shown) == (5, 0, 3, 0)
    assert shown["status"] == "placed"
    assert shown["fulfillment_orders"][0]["request_status"] == "submitted"
    assert reserved(merchant) == 3
    assert events_of(merchant, order).count("order.lines_cancelled") == 2
    check_books(merchant.tenant_id)


def test_a_provider_that_has_accepted_is_asked_and_agrees(merchant: Merchant, mug: str) -> None:
    order, path = accepted(merchant, (mug, 3))
    shown = cancel(merchant, order, (0, 2)).get_json()
    assert [(one["sku"], one["quantity"], one["node"]) for one in shown["pending"]] == [(mug, 2, "RENO")]
    assert counters(shown) == (0, 0, 3, 0)
    assert merchant.provider.ok("GET", path)["request_status"] == "cancel_requested"
    work = merchant.provider.ok("POST", f"{path}/cancellation-acceptance")
    assert (work["request_status"], work["lines"][0]["released"]) == ("accepted", 2)
    assert counters(merchant.ok("GET", f"/orders/{order['id']}")) == (2, 0, 1, 0)
    assert reserved(merchant) == 1
    check_books(merchant.tenant_id)
    cancel(merchant, order)
    assert merchant.provider.ok("POST", f"{path}/cancellation-acceptance")["request_status"] == "closed"
    assert merchant.ok("GET", f"/orders/{order['id']}")["status"] == "cancelled"
    check_books(merchant.tenant_id)


def test_a_refusal_lets_the_work_go_on(merchant: Merchant, mug: str) -> None:
    order, path = accepted(merchant, (mug, 2))
    cancel(merchant, order)
    work = merchant.provider.ok("POST", f"{path}/cancellation-refusal", {"reason": "on the truck"})
    assert work["request_status"] == "accepted"
    assert merchant.provider.post(f"{path}/cancellation-acceptance").status_code == 409
    assert cancel(merchant, order).get_json()["pending"] != []  # and may be asked again
    check_books(merchant.tenant_id)


def test_a_shipment_reported_first_wins(merchant: Merchant, mug: str) -> None:
    order, path = accepted(merchant, (mug, 3))
    cancel(merchant, order, (0, 2))
    parcel = {"lines": [{"sku": mug, "quantity": 2}], "carrier": "UPS", "tracking_number": "1Z"}
    assert merchant.provider.ok("POST", f"{path}/shipments", parcel)["request_status"] == "cancel_requested"
    assert merchant.ok("GET", f"/orders/{order['id']}")["status"] == "placed"
    work = merchant.provider.ok("POST", f"{path}/cancellation-acceptance")
    assert (work["work_status"], work["request_status"]) == ("incomplete", "closed")
    shown = merchant.ok("GET", f"/orders/{order['id']}")
    assert counters(shown) == (1, 0, 0, 2)
    assert (shown["status"], shown["lines"][0]["promise"]["state"]) == ("closed", "shipped")
    check_books(merchant.tenant_id)


def test_a_shipment_of_everything_overtakes_the_cancellation(merchant: Merchant, mug: str) -> None:
    order, path = accepted(merchant, (mug, 3))
    cancel(merchant, order)
    parcel = {"lines": [{"sku": mug, "quantity": 3}], "carrier": "UPS", "tracking_number": "1Z"}
    assert merchant.provider.ok("POST", f"{path}/shipments", parcel)["request_status"] == "closed"
    assert merchant.provider.post(f"{path}/cancellation-acceptance").status_code == 409
    late = cancel(merchant, order)
    assert (late.status_code, late.get_json()["type"].rsplit("/", 1)[1]) == (409, "order-closed")
    check_books(merchant.tenant_id)


def test_more_than_is_open_is_refused_and_changes_nothing(merchant: Merchant, mug: str) -> None:
    order = merchant.order((mug, 3), (mug, 1), tenders=TERMS)
    refused = cancel(merchant, order, (1, 1), (0, 4))
    assert refused.status_code == 409
    assert refused.get_json()["detail"] == f"3 of 3 units of {mug} can be canceled."
    assert merchant.ok("GET", f"/orders/{order['id']}") == order
    twice = cancel(merchant, order, (0, 1), (0, 1))
    assert twice.status_code == 422
    strange = merchant.post(
        f"/orders/{order['id']}/cancellation", {"reason": "x", "lines": [{"id": "no-such-line"}]}
    )
    assert strange.status_code == 422
    check_books(merchant.tenant_id)


def test_another_tenant_and_a_provider_cannot_cancel(
    merchant: Merchant, other_merchant: Merchant, mug: str
) -> None:
    order, path = accepted(merchant, (mug, 1))
    assert other_merchant.post(f"/orders/{order['id']}/cancellation", {"reason": "x"}).status_code == 404
    assert merchant.provider.post(f"/orders/{order['id']}/cancellation", {"reason": "x"}).status_code == 403
    cancel(merchant, order)
    for stranger in (other_merchant.provider, merchant.provider_key("ELSEWHERE")):
        assert stranger.post(f"{path}/cancellation-acceptance").status_code == 404
    assert counters(merchant.ok("GET", f"/orders/{order['id']}")) == (0, 0, 1, 0)
