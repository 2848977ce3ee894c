"""Orders over the API: the list and its filters, one order and its facets, holds and address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import event

from infra import db, settings
from tests.factories import BOISE, Merchant
from tests.fulfillment.books import check_books

TERMS = [{"kind": "terms"}]


@pytest.fixture
def mug(merchant: Merchant) -> str:
    sku = merchant.sku()
    merchant.stock(merchant.node("RENO"), sku, 50)
    return sku


def refs(merchant: Merchant, query: str = "") -> list[str]:
    return [one["external_ref"] for one in merchant.ok("GET", f"/orders?{query}")["data"]]


def test_pages_walk_the_whole_list_newest_first(merchant: Merchant, mug: str) -> None:
    now = datetime.now(UTC)
    placed = []
    for age in (3, 1, 2, 1, 5):
        at = (now - timedelta(days=age)).isoformat()
        placed.append((at, merchant.order((mug, 1), tenders=TERMS, placed_at=at)["id"]))
    seen: list[str] = []
    query = "limit=2"
    while query:
        page = merchant.ok("GET", f"/orders?{query}")
        seen += [one["id"] for one in page["data"]]
        query = f"limit=2&after={page['next']}" if page["next"] else ""
    assert seen == [one for _, one in sorted(placed, reverse=True)]
    assert merchant.get("/orders?after=nonsense").status_code == 422
    assert merchant.get("/orders?limit=0").status_code == 422


def test_each_filter_finds_its_order(merchant: Merchant, mug: str) -> None:
    cup = merchant.sku()
    plain = merchant.order((mug, 1), tenders=TERMS)
    other = merchant.order(
        (cup, 2),
        tenders=TERMS,
        channel="phone",
        customer={"email": "Ada@Example.com"},
        placed_at=(datetime.now(UTC) - timedelta(days=40)).isoformat(),
    )
    merchant.ok("POST", f"/orders/{other['id']}/holds", {"kind": "fraud", "reason": "odd"})
    last_month = quote((datetime.now(UTC) - timedelta(days=20)).isoformat())
    for query in (
        "channel=phone",
        f"external_ref={other['external_ref']}",
        f"number={other['number']}",
        f"number={other['number'].removeprefix('K-')}",
        "email=ada@example.com",
        f"sku={cup}",
        "hold=fraud",
        "hold=any",
        f"placed_to={last_month}",
        "fulfillment_status=backordered",
    ):
        assert refs(merchant, query) == [other["external_ref"]], query
    for query in (f"placed_from={last_month}", "channel=web", "fulfillment_status=unfulfilled"):
        assert refs(merchant, query) == [plain["external_ref"]], query
    assert refs(merchant, "status=cancelled") == []
    assert len(refs(merchant, "status=placed")) == 2


def test_a_channel_that_is_not_there_is_named(merchant: Merchant) -> None:
    assert refs(merchant, "channel=phone") == []
    answer = merchant.get("/orders?channel=fax")
    (error,) = answer.get_json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, "/channel")
    assert "There is no channel fax. There are: " in error["message"]
    assert "phone" in error["message"]


def test_the_filter_of_fulfillment_statuses_says_what_the_order_says(merchant: Merchant, mug: str) -> None:
    cup = merchant.sku()
    orders = [merchant.order((mug, 2), tenders=TERMS) for _ in range(5)] + [
        merchant.order((cup, 1), tenders=TERMS)
    ]
    merchant.drain()
    paths = [
        f"/fulfillment-orders/{one['fulfillment_orders'][0]['id']}"
        for one in orders
        if one["fulfillment_orders"]
    ]
    for path in paths[1:4]:
        merchant.provider.ok("POST", f"{path}/acceptance")
    merchant.provider.ok("POST", f"{paths[1]}/pick")
    for path, units in ((paths[2], 1), (paths[3], 2)):
        parcel = {"lines": [{"sku": mug, "quantity": units}], "carrier": "UPS", "tracking_number": path}
        merchant.provider.ok("POST", f"{path}/shipments", parcel)
    merchant.ok("POST", f"/orders/{orders[4]['id']}/cancellation", {"reason": "test"})
    shown = {one["id"]: one["fulfillment_status"] for one in merchant.ok("GET", "/orders")["data"]}
    assert sorted(shown.values()) == [
        "backordered",
        "cancelled",
        "in_progress",
        "partly_shipped",
        "shipped",
        "unfulfilled",
    ]
    for order_id, status in shown.items():
        found = merchant.ok("GET", f"/orders?fulfillment_status={status}")["data"]
        assert [one["id"] for one in found] == [order_id]
    check_books(merchant.tenant_id)


def test_the_list_takes_as_many_statements_for_many_as_for_one(merchant: Merchant, mug: str) -> None:
    for _ in range(6):
        merchant.order((mug, 1), tenders=TERMS)
    counts = []
    for limit in (1, 6):
        seen: list[Any] = []

        def note(*args: Any, seen: list[Any] = seen) -> None:
            seen.append(args[2])

        engine = db.engine(settings.current().database_url, 5)
        event.listen(engine, "before_cursor_execute", note)
        try:
            merchant.ok("GET", f"/orders?limit={limit}")
        finally:
            event.remove(engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 9


def test_the_facets_of_one_order(merchant: Merchant, mug: str) -> None:
    order = merchant.order((mug, 2), tenders=[{"kind": "external", "reference": "PAY-1"}])
    path = f"/orders/{order['id']}"
    assert merchant.ok("GET", path) == order
    names = [one["name"] for one in merchant.ok("GET", f"{path}/timeline")["data"]]
    assert names[0] == "order.placed"
    routing = merchant.ok("GET", f"{path}/routing")
    assert routing["plan"] == [{"node": "RENO", "line": 0, "quantity": 2}]
    assert routing["candidates"][0]["node"] == "RENO"
    assert routing["candidates"][0]["outcome"] == "Chosen"
    assert routing["rule_version"] == 1
    assert routing["sentence"]
    (entry,) = merchant.ok("GET", f"{path}/ledger")["data"]
    assert (entry["tender"], entry["kind"], entry["reference"]) == ("external", "capture", "PAY-1")
    assert entry["amount"] == order["totals"]["total"]
    (promise,) = merchant.ok("GET", f"{path}/promises")["data"]
    assert promise["line"] == order["lines"][0]["id"]
    assert promise["basis"] == "30 days"


def test_another_tenant_sees_nothing_and_a_provider_may_not(
    merchant: Merchant, other_merchant: Merchant, mug: str
) -> None:
    path = f"/orders/{merchant.order((mug, 1), tenders=TERMS)['id']}"
    for facet in ("", "/timeline", "/routing", "/ledger", "/promises"):
        assert other_merchant.get(path + facet).status_code == 404
        assert merchant.provider.get(path + facet).status_code == 403
        assert merchant.get(f"/orders/none{facet}").status_code == 404
    hold = {"kind": "fraud", "reason": "odd"}
    assert other_merchant.post(f"{path}/holds", hold).status_code == 404
    assert other_merchant.post(f"{path}/address", BOISE).status_code == 404
    assert merchant.provider.post(f"{path}/holds", hold).status_code == 403
    assert merchant.another_key("orders:read").post(f"{path}/holds", hold).status_code == 403
    assert merchant.ok("GET", path)["holds"] == []


def test_a_hold_keeps_work_back_until_it_is_lifted(merchant: Merchant, mug: str) -> None:
    order = merchant.order((mug, 1), tenders=TERMS)
    path = f"/orders/{order['id']}"
    for _ in range(2):
        held = merchant.ok("POST", f"{path}/holds", {"kind": "manual", "reason": "call first"})
    assert held["holds"] == [{"kind": "manual", "reason": "call first"}]
    merchant.drain()
    assert merchant.ok("GET", path)["fulfillment_orders"][0]["request_status"] == "held"
    merchant.ok("POST", f"{path}/holds", {"kind": "manual", "release": True})
    merchant.drain()
    assert merchant.ok("GET", path)["fulfillment_orders"][0]["request_status"] == "submitted"
    again = merchant.post(f"{path}/holds", {"kind": "manual", "release": True})
    assert (again.status_code, again.get_json()["type"].rsplit("/", 1)[1]) == (409, "no-such-hold")


def test_a_held_order_does_not_ship(merchant: Merchant, mug: str) -> None:
    order = merchant.order((mug, 1), tenders=TERMS)
    merchant.drain()
    work = f"/fulfillment-orders/{order['fulfillment_orders'][0]['id']}"
    merchant.ok("POST", f"/orders/{order['id']}/holds", {"kind": "fraud", "reason": "odd"})
    merchant.provider.ok("POST", f"{work}/acceptance")
    parcel = {"lines": [{"sku": mug, "quantity": 1}], "carrier": "UPS", "tracking_number": "1Z"}
    answer = merchant.provider.post(f"{work}/shipments", parcel)
    assert (answer.status_code, answer.get_json()["type"].rsplit("/", 1)[1]) == (409, "hold-fraud")
    check_books(merchant.tenant_id)


def test_the_address_changes_until_a_node_accepts(merchant: Merchant, mug: str) -> None:
    order = merchant.order((mug, 1), tenders=TERMS)
    path = f"/orders/{order['id']}"
    next_door = BOISE | {"line1": "1420 W Franklin St"}
    assert merchant.ok("POST", f"{path}/address", next_door)["ship_to"]["line1"] == "1420 W Franklin St"
    merchant.drain()
    work = merchant.ok("GET", path)["fulfillment_orders"]
    assert [one["request_status"] for one in work] == ["submitted"]
    merchant.provider.ok("POST", f"/fulfillment-orders/{work[0]['id']}/acceptance")
    late = merchant.post(f"{path}/address", BOISE)
    assert (late.status_code, late.get_json()["type"].rsplit("/", 1)[1]) == (409, "already-accepted")
    assert merchant.ok("GET", path)["ship_to"]["line1"] == "1420 W Franklin St"
    assert merchant.post(f"{path}/address", {"country": "US"}).status_code == 422


def test_each_order_of_a_batch_stands_alone(merchant: Merchant, mug: str) -> None:
    known = merchant.order_body((mug, 1), tenders=TERMS)
    merchant.ok("POST", "/orders", known)
    new = merchant.order_body((mug, 1), tenders=TERMS)
    batch = [
        new,
        "no order",
        new,
        known,
        known | {"lines": [{"sku": mug, "quantity": 2}]},
        None,
        merchant.order_body(("NOWHERE", 1), tenders=TERMS),
        merchant.order_body((mug, 51), tenders=TERMS, policy={"fill_or_kill": True}),
        {},
    ]
    answer = merchant.post("/orders/batch", {"orders": batch})
    assert answer.status_code == 200
    results = answer.get_json()["results"]
    assert [one["status"] for one in results] == [201, 422, 200, 200, 409, 422, 422, 409, 422]
    assert results[0]["order"]["id"] == results[2]["order"]["id"]
    problems = [one["problem"] for one in results if one["status"] > 201]
    assert {one["request_id"] for one in problems} == {answer.headers["X-Request-Id"]}
    assert all(one["errors"] for one in problems if one["status"] == 422)
    assert results[1]["problem"]["errors"][0]["pointer"] == ""
    assert results[6]["problem"]["errors"][0]["pointer"] == "/lines/0/sku"


@pytest.mark.parametrize(
    ("code", "says"), [("UK", "such as GB"), ("ZZ", "ISO 3166-1"), ("us", "ISO 3166-1"), ("", "ISO")]
)
def test_a_country_that_is_none_is_refused(merchant: Merchant, mug: str, code: str, says: str) -> None:
    body = merchant.order_body((mug, 1), tenders=TERMS)
    answer = merchant.post("/orders", body | {"ship_to": BOISE | {"country": code}})
    assert answer.status_code == 422
    assert [(one["pointer"], says in one["message"]) for one in answer.get_json()["errors"]] == [
        ("/ship_to/country", True)
    ]
    assert refs(merchant) == []


def test_an_order_of_tomorrow_is_refused_at_its_time(merchant: Merchant, mug: str) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    answer = merchant.post("/orders", merchant.order_body((mug, 1), tenders=TERMS, placed_at=tomorrow))
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/placed_at")


@pytest.mark.parametrize("named", ["ship_by", "deliver_by"])
def test_a_promised_day_before_the_order_is_refused_at_its_field(
    merchant: Merchant, mug: str, named: str
) -> None:
    day = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    body = merchant.order_body((mug, 1), tenders=TERMS, promise={named: day})
    answer = merchant.post("/orders", body)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, f"/promise/{named}")
    body = merchant.order_body((mug, 1), tenders=TERMS)
    body["lines"][0]["promise"] = {named: day}
    answer = merchant.post("/orders", body)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (
        422,
        f"/lines/0/promise/{named}",
    )
    assert refs(merchant) == []
    earlier = (datetime.now(UTC) - timedelta(days=9)).isoformat()
    merchant.ok("POST", "/orders", {**body, "placed_at": earlier})
