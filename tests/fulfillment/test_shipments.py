"""Shipments over the API: partial, repeated, refused; and what they change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from app.fulfillment import service
from infra import db, settings
from tenants.scope import inside
from tests.factories import Caller, Merchant
from tests.fulfillment.books import check_books

PARCEL = {"carrier": "UPS", "service": "ground", "tracking_number": "1Z999"}


@pytest.fixture
def reno(merchant: Merchant) -> str:
    return merchant.node("RENO")


def submitted(merchant: Merchant, *lines: tuple[str, int], **fields: Any) -> dict[str, Any]:
    """An order on terms, so that its work goes out at once; its first fulfillment order."""
    order = merchant.order(*lines, tenders=[{"kind": "terms"}], **fields)
    merchant.drain()
    return order["fulfillment_orders"][0]


def accepted(merchant: Merchant, *lines: tuple[str, int], **fields: Any) -> dict[str, Any]:
    work = submitted(merchant, *lines, **fields)
    return merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance")


def parcel(*lines: tuple[str, int], **fields: Any) -> dict[str, Any]:
    return PARCEL | {"lines": [{"sku": sku, "quantity": units} for sku, units in lines]} | fields


def send(caller: Caller, work: dict[str, Any], *lines: tuple[str, int], **fields: Any) -> Any:
    return caller.post(f"/fulfillment-orders/{work['id']}/shipments", parcel(*lines, **fields))


def code(answer: Any) -> str:
    return answer.get_json()["type"].rsplit("/", 1)[1]


def test_work_is_released_accepted_and_shipped_whole(merchant: Merchant, reno: str) -> None:
    sku = merchant.sku()
    merchant.stock(reno, sku, 10)
    work = submitted(merchant, (sku, 3))
    listed = merchant.provider.ok("GET", "/fulfillment-orders?request_status=submitted")
    assert [one["id"] for one in listed["data"]] == [work["id"]]
    accepted = merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance")
    assert accepted["request_status"] == "accepted"
    answer = send(merchant.provider, work, (sku, 3))
    assert answer.status_code == 201
    shown = answer.get_json()
    assert (shown["work_status"], shown["request_status"]) == ("shipped", "closed")
    assert shown["shipments"][0]["lines"] == [{"sku": sku, "quantity": 3}]
    assert shown == merchant.provider.ok("GET", f"/fulfillment-orders/{work['id']}")
    with inside(merchant.tenant_id) as scope:
        order = scope.row("SELECT status FROM orders WHERE tenant_id = :tenant")
        position = scope.row("SELECT on_hand, reserved FROM stock_positions WHERE tenant_id = :tenant")
        promise = scope.row("SELECT state FROM promises WHERE tenant_id = :tenant")
    assert order.status == "closed"
    assert (position.on_hand, position.reserved) == (7, 0)
    assert promise.state == "shipped"
    check_books(merchant.tenant_id)


def test_parts_ship_and_the_last_takes_the_rest_of_the_money(merchant: Merchant, reno: str) -> None:
    sku = merchant.sku(price={"amount": 1001, "currency": "USD"})
    merchant.stock(reno, sku, 3)
    work = accepted(merchant, (sku, 3), tax={"total": {"amount": 1, "currency": "USD"}})
    for number in range(3):
        answer = send(merchant.provider, work, (sku, 1), tracking_number=f"1Z{number}")
        assert answer.status_code == 201
    assert [len(one["lines"]) for one in answer.get_json()["shipments"]] == [1, 1, 1]
    with inside(merchant.tenant_id) as scope:
        values = [row.value for row in scope.rows("SELECT value FROM shipments WHERE tenant_id = :tenant")]
    assert sorted(values) == [1001, 1001, 1002]
    check_books(merchant.tenant_id)


def test_the_same_report_twice_is_one_shipment(merchant: Merchant, reno: str) -> None:
    sku = merchant.sku()
    merchant.stock(reno, sku, 4)
    work = accepted(merchant, (sku, 2))
    first = send(merchant.provider, work, (sku, 1))
    again = send(merchant.provider, work, (sku, 1))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()
    other = send(merchant.provider, work, (sku, 1), tracking_number="1Z000")
    assert other.status_code == 201
    late = send(merchant.provider, work, (sku, 1))
    assert late.status_code == 200
    assert len(late.get_json()["shipments"]) == 2
    check_books(merchant.tenant_id)


def test_refusals_by_name_change_nothing(merchant: Merchant, reno: str) -> None:
    sku = merchant.sku()
    merchant.stock(reno, sku, 4)
    work = submitted(merchant, (sku, 2))
    early = send(merchant.provider, work, (sku, 1))
    assert (early.status_code, code(early)) == (409, "request-submitted")
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance")
    too_many = send(merchant.provider, work, (sku, 3))
    assert (too_many.status_code, code(too_many)) == (409, "more-than-open")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert send(merchant.provider, work, (sku, 1), shipped_at=tomorrow).status_code == 422
    assert send(merchant.provider, work, ("NOPE", 1)).status_code == 422
    shown = merchant.provider.ok("GET", f"/fulfillment-orders/{work['id']}")
    assert shown["shipments"] == []
    assert shown["lines"][0]["shipped"] == 0
    check_books(merchant.tenant_id)


def test_a_kit_leaves_as_its_components_and_made_goods_leave_no_movement(
    merchant: Merchant, reno: str
) -> None:
    bolt, nut = merchant.sku(), merchant.sku()
    kit = merchant.sku(kind="kit", components=[{"sku": bolt, "quantity": 2}, {"sku": nut, "quantity": 1}])
    merchant.stock(reno, bolt, 10)
    merchant.stock(reno, nut, 10)
    work = accepted(merchant, (kit, 3))
    assert send(merchant.provider, work, (kit, 2)).status_code == 201
    with inside(merchant.tenant_id) as scope:
        moved = scope.rows(
            "SELECT m.delta, s.code FROM stock_movements m"
            " JOIN stock_positions p ON p.tenant_id = :tenant AND p.id = m.position_id"
            " JOIN skus s ON s.tenant_id = :tenant AND s.id = p.sku_id"
            " WHERE m.tenant_id = :tenant AND m.cause = 'shipment'"
        )
    assert {(row.code, row.delta) for row in moved} == {(bolt, -4), (nut, -2)}
    check_books(merchant.tenant_id)


def test_a_providers_work_is_only_its_nodes(merchant: Merchant, other_merchant: Merchant, reno: str) -> None:
    sku = merchant.sku()
    merchant.stock(reno, sku, 4)
    work = submitted(merchant, (sku, 2))
    stranger = merchant.provider_key("ELSEWHERE")
    for caller in (stranger, other_merchant, other_merchant.provider):
        assert caller.get(f"/fulfillment-orders/{work['id']}").status_code == 404
        assert caller.post(f"/fulfillment-orders/{work['id']}/acceptance").status_code == 404
        assert send(caller, work, (sku, 1)).status_code == 404
        assert caller.ok("GET", "/fulfillment-orders")["data"] == []


def test_held_work_is_not_shown_to_its_provider(merchant: Merchant, reno: str) -> None:
    sku = merchant.sku()
    merchant.stock(reno, sku, 4)
    order = merchant.order((sku, 1), tenders=[{"kind": "terms"}])
    work = order["fulfillment_orders"][0]
    assert merchant.provider.ok("GET", "/fulfillment-orders")["data"] == []
    assert merchant.provider.get(f"/fulfillment-orders/{work['id']}").status_code == 404
    merchant.drain()
    assert len(merchant.provider.ok("GET", "/fulfillment-orders")["data"]) == 1


def test_counter_pick_up_keeps_who_took_it(merchant: Merchant, reno: str) -> None:
    sku = merchant.sku()
    merchant.stock(reno, sku, 4)
    work = accepted(merchant, (sku, 2))
    answer = merchant.provider.post(
        f"/fulfillment-orders/{work['id']}/handover",
        {"handed_to": {"name": "Marisol Vega", "identified_by": "driving license"}},
    )
    assert answer.status_code == 201, answer.get_json()
    assert answer.get_json()["shipments"][0]["kind"] == "counter"
    check_books(merchant.tenant_id)


def test_digital_goods_are_delivered_at_once(merchant: Merchant) -> None:
    merchant.node("CLOUD", kind="virtual")
    song = merchant.sku(kind="digital")
    order = merchant.order((song, 2), tenders=[{"kind": "terms"}])
    merchant.drain()
    shown = merchant.ok("GET", f"/fulfillment-orders/{order['fulfillment_orders'][0]['id']}")
    assert shown["work_status"] == "shipped"
    assert shown["shipments"][0]["kind"] == "digital"
    check_books(merchant.tenant_id)


def test_digital_goods_of_a_held_order_wait_for_the_hold(merchant: Merchant) -> None:
    merchant.node("CLOUD", kind="virtual")
    order = merchant.order((merchant.sku(kind="digital"), 1), tenders=[{"kind": "terms"}])
    with inside(merchant.tenant_id) as scope:
        service.release_work(scope, UUID(order["id"]))
    merchant.ok("POST", f"/orders/{order['id']}/holds", {"kind": "fraud", "reason": "odd"})
    merchant.drain()
    assert merchant.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"][0]["shipments"] == []
    merchant.ok("POST", f"/orders/{order['id']}/holds", {"kind": "fraud", "release": True})
    merchant.drain()
    assert merchant.ok("GET", f"/orders/{order['id']}")["status"] == "closed"
    check_books(merchant.tenant_id)


def test_a_shipment_of_three_lines_takes_few_statements(merchant: Merchant, reno: str) -> None:
    skus = [merchant.sku() for _ in range(3)]
    for sku in skus:
        merchant.stock(reno, sku, 9)
    work = accepted(merchant, *[(sku, 2) for sku in skus])
    part = [(sku, 1) for sku in skus]
    counts = []
    for number in ("1Z1", "1Z2"):  # the second ends the work and the order
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any, seen: list[str] = seen) -> None:
            seen.append(statement)

        engine = db.engine(settings.current().database_url, 5)
        event.listen(engine, "before_cursor_execute", note)
        try:
            assert send(merchant.provider, work, *part, tracking_number=number).status_code == 201
        finally:
            event.remove(engine, "before_cursor_execute", note)
        noted_use = sum("last_used_at" in statement for statement in seen)  # at most once a minute
        counts.append(len(seen) - noted_use)
    begin_prove_commit = 3  # sent through the driver, not seen by the listener
    assert counts[0] + begin_prove_commit <= 8
    assert counts[1] + begin_prove_commit <= 15
