"""Quotes that hold nothing, and availability: the code that takes orders, with nothing written."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tenants.scope import inside
from tests.allocation.support import CASH, statements, stock_of
from tests.factories import BOISE, Merchant


def basket(*lines: tuple[str, int], **fields: object) -> dict:
    return {
        "channel": "web",
        "ship_to": BOISE,
        "lines": [{"sku": sku, "quantity": units} for sku, units in lines],
    } | fields


def availability(merchant: Merchant, sku: str, **asked: object) -> dict:
    query = "&".join(f"{name}={value}" for name, value in {"sku": sku, **asked}.items())
    return merchant.ok("GET", f"/availability?{query}")


def rows(merchant: Merchant) -> list[int]:
    tables = ("orders", "order_lines", "reservations", "customers", "outbox", "routing_decisions", "counters")
    with inside(merchant.tenant_id) as scope:
        counts = [scope.row(f"SELECT count(*) AS n FROM {t} WHERE tenant_id = :tenant").n for t in tables]
        return [*counts, scope.row("SELECT sum(value) AS n FROM counters WHERE tenant_id = :tenant").n]


def test_a_quote_is_what_the_order_then_is(merchant: Merchant):
    near, far = merchant.node(), merchant.node(postal_code="33101", region="FL")
    a, b = merchant.sku(), merchant.sku(price={"amount": 333, "currency": "USD"})
    merchant.stock(near, a, 5)
    merchant.stock(far, b, 1)
    asked = basket(
        (a, 2),
        (b, 3),
        discounts=[{"code": "TEN", "amount": {"amount": 100, "currency": "USD"}}],
        charges=[{"code": "freight", "amount": {"amount": 599, "currency": "USD"}}],
        promise={"within": {"value": 3, "unit": "days"}},
    )
    before = rows(merchant)
    quote = merchant.ok("POST", "/quotes", asked)
    assert rows(merchant) == before
    order = merchant.ok("POST", "/orders", merchant.order_body(**asked))
    assert quote["totals"] == {part: order["totals"][part] for part in quote["totals"]}
    for quoted, ordered in zip(quote["lines"], order["lines"], strict=True):
        assert {name: quoted[name] for name in ("sku", "total", "allocated", "backordered")} == {
            name: ordered[name] for name in ("sku", "total", "allocated", "backordered")
        }
        assert quoted["promise"]["ship_by"] == ordered["promise"]["ship_by"]
    assert [(one["node"], one["lines"]) for one in quote["plan"]] == [
        (one["node"], [{"sku": line["sku"], "quantity": line["quantity"]} for line in one["lines"]])
        for one in order["fulfillment_orders"]
    ]
    assert quote["sentence"]


def test_a_quote_refuses_what_an_order_would(merchant: Merchant):
    sku = merchant.sku()
    unknown = merchant.post("/quotes", basket(("nothing", 1)))
    assert (unknown.status_code, unknown.get_json()["errors"][0]["pointer"]) == (422, "/lines/0/sku")
    killed = merchant.post("/quotes", basket((sku, 1), policy={"fill_or_kill": True}))
    assert (killed.status_code, killed.get_json()["type"].rpartition("/")[2]) == (409, "cannot-fill")
    assert killed.get_json()["errors"] == [
        {
            "pointer": "/lines/0/quantity",
            "message": "0 of 1 could be reserved. Order fewer, or allow a backorder.",
        }
    ]
    for extra in (
        {"hold_minutes": 61},
        {"hold_minutes": 0},
        {"tenders": CASH},
        {"channel": "nobody"},
        {"lines": []},
    ):
        assert merchant.post("/quotes", basket((sku, 1)) | extra).status_code == 422


def test_a_quote_costs_few_statements_whatever_its_size(merchant: Merchant):
    skus = [merchant.sku() for _ in range(6)]
    merchant.ok("POST", "/quotes", basket((skus[0], 1)))
    with statements() as few:
        merchant.ok("POST", "/quotes", basket((skus[0], 1)))
    with statements() as many:
        merchant.ok("POST", "/quotes", basket(*((sku, 2) for sku in skus)))
    assert len(few) == len(many) <= 3


def test_availability_shows_its_parts(merchant: Merchant):
    here, there, shut = merchant.node(), merchant.node(), merchant.node(open=False)
    sku = merchant.sku()
    for node, units in ((here, 5), (there, 3), (shut, 100)):
        merchant.stock(node, sku, units)
    held = {"node": here, "sku": sku, "delta": 4, "segment": "phone"}
    merchant.ok("POST", "/stock/adjustments", held)
    merchant.order((sku, 2), tenders=CASH)
    found = availability(merchant, sku)
    assert found["available"] == 6
    [part] = found["parts"]
    assert (part["on_hand"], part["reserved"], part["held"], part["waiting"]) == (12, 2, 4, 0)
    assert {one["node"]: one["available"] for one in part["nodes"]} == _left(merchant, sku, here, there)
    assert availability(merchant, sku, channel="phone")["available"] == 10
    assert availability(merchant, sku, node=shut)["available"] == 0
    by_node = {one["node"]: one["available"] for one in part["nodes"]}
    assert availability(merchant, sku, node=here)["available"] == by_node[here]


def _left(merchant: Merchant, sku: str, *nodes: str) -> dict[str, int]:
    """Shared units free at the nodes, from the list of positions."""
    free = dict.fromkeys(nodes, 0)
    for one in merchant.ok("GET", f"/stock?sku={sku}&segment=shared")["data"]:
        if one["node"] in free:
            free[one["node"]] += one["available"]
    return free


def test_what_a_channel_is_told_is_what_an_order_can_reserve(merchant: Merchant):
    node, sku = merchant.node(), merchant.sku()
    merchant.order((sku, 2), tenders=CASH)
    merchant.stock(node, sku, 5)
    found = availability(merchant, sku)
    assert (found["available"], found["parts"][0]["waiting"]) == (3, 2)
    line = merchant.order((sku, 5), tenders=CASH)["lines"][0]
    assert (line["allocated"], line["backordered"]) == (3, 2)


def test_a_kit_is_as_available_as_its_parts_at_one_node(merchant: Merchant):
    here, there, a, b = merchant.node(), merchant.node(), merchant.sku(), merchant.sku()
    kit = merchant.sku(kind="kit", components=[{"sku": a, "quantity": 2}, {"sku": b, "quantity": 1}])
    merchant.stock(here, a, 5)
    merchant.stock(here, b, 9)
    merchant.stock(there, a, 50)
    found = availability(merchant, kit, quantity=2)
    assert found["available"] == 2
    assert [(part["sku"], part["quantity"]) for part in found["parts"]] == sorted([(a, 2), (b, 1)])
    assert found["earliest_ship"] is not None
    assert availability(merchant, kit, quantity=3)["earliest_ship"] is None


def test_the_earliest_day_knows_calendars_and_releases(merchant: Merchant):
    today = date.today()
    closed = [str(today + timedelta(days=ahead)) for ahead in range(-1, 20)]
    calendar = {"open_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
    slow = merchant.node(calendar=calendar | {"closed": closed})
    sku = merchant.sku()
    merchant.stock(slow, sku, 3)
    assert availability(merchant, sku)["earliest_ship"] >= str(today + timedelta(days=19))
    assert availability(merchant, sku, by=today + timedelta(days=5))["available"] == 0
    fast = merchant.node(calendar=calendar)
    merchant.stock(fast, sku, 2)
    assert availability(merchant, sku, quantity=2)["earliest_ship"] <= str(today + timedelta(days=2))
    assert availability(merchant, sku, quantity=3)["earliest_ship"] >= str(today + timedelta(days=19))
    assert availability(merchant, sku, by=today + timedelta(days=5))["available"] == 2
    release = today + timedelta(days=90)
    coming = merchant.sku(kind="preorder", release_date=str(release))
    merchant.stock(fast, coming, 1)
    assert availability(merchant, coming)["earliest_ship"] == str(release)


def test_goods_made_or_sent_do_not_run_out(merchant: Merchant):
    made = merchant.sku(kind="made_to_order", lead_time_days=10)
    found = availability(merchant, made)
    assert (found["available"], found["unlimited"], found["earliest_ship"]) == (0, False, None)
    merchant.node(kind="workshop")
    found = availability(merchant, made)
    assert (found["available"], found["unlimited"]) == (None, True)
    assert found["earliest_ship"] >= str(date.today() + timedelta(days=9))
    assert availability(merchant, made, by=date.today() + timedelta(days=5))["available"] == 0
    assert availability(merchant, merchant.sku(kind="digital"))["unlimited"] is True


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("sku=nothing", 404),
        ("sku=S&node=nowhere", 404),
        ("sku=S&channel=nobody", 422),
        ("sku=S&by=someday", 422),
        ("sku=S&quantity=0", 422),
        ("sku=%00", 422),
        ("sku=S", 200),
    ],
)
def test_what_cannot_be_asked(merchant: Merchant, query: str, status: int):
    merchant.sku("S")
    assert merchant.get(f"/availability?{query}").status_code == status


def test_only_one_s_own_and_only_with_permission(merchant: Merchant, other_merchant: Merchant):
    sku = merchant.sku()
    assert other_merchant.get(f"/availability?sku={sku}").status_code == 404
    assert other_merchant.post("/quotes", basket((sku, 1))).status_code == 422
    assert merchant.provider.get(f"/availability?sku={sku}").status_code == 403
    assert merchant.provider.post("/quotes", basket((sku, 1))).status_code == 403
    assert stock_of(merchant, sku) == {}


def test_what_is_on_its_way_says_when_but_is_not_sold(merchant: Merchant):
    merchant.drain()
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, 2)
    due = date.today() + timedelta(days=20)
    line = {"sku": sku, "quantity": 10, "expected_on": str(due)}
    merchant.ok("PUT", "/inbound/PO", {"supplier": "S", "node": node, "lines": [line]})
    placed = merchant.order((sku, 5), tenders=CASH)
    merchant.drain()
    assert [(one["allocated"], one["backordered"]) for one in placed["lines"]] == [(2, 3)]
    found = availability(merchant, sku, quantity=7)
    assert (found["available"], found["inbound"]) == (0, 7), "three of the ten are waited for"
    assert found["parts"][0]["inbound"] == [
        {"reference": "PO", "node": node, "expected_on": str(due), "units": 10, "unreserved": 7}
    ]
    assert found["earliest_ship"] > str(due)
    assert availability(merchant, sku, quantity=8)["earliest_ship"] is None
    assert availability(merchant, sku, by=due - timedelta(days=1))["inbound"] == 0
    [promise] = merchant.ok("GET", f"/orders/{placed['id']}/promises")["data"]
    basis = promise["evidence"]
    assert (basis["free"], basis["work"][0]["node"], basis["seller"]["shipped"]) == (2, node, 0)
    assert promise["expected_ship_at"] > str(due)
