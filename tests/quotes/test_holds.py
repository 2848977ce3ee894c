"""Quotes that hold their stock: nobody else takes it, the order that names the quote does, and time gives it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from app.calendar import local_date
from app.integrity import check
from app.quotes import service
from tenants.scope import inside, operator
from tests.allocation.support import CASH, assert_books, line_of, statements, stock_of
from tests.factories import BOISE, Merchant
from tests.races.test_kills import kills_of
from workers import clockwork, janitor

KILL = {"fill_or_kill": True}


def held(merchant: Merchant, *lines: tuple[str, int], minutes: int = 15, **fields: object) -> dict[str, Any]:
    body = {
        "channel": "web",
        "ship_to": BOISE,
        "lines": [{"sku": sku, "quantity": units} for sku, units in lines],
        "hold_minutes": minutes,
    }
    return merchant.ok("POST", "/quotes", body | fields)


def buy(merchant: Merchant, *lines: tuple[str, int], **fields: object) -> Any:
    return merchant.post("/orders", merchant.order_body(*lines, tenders=CASH, **fields))


def shelf(merchant: Merchant, units: int) -> tuple[str, str]:
    node, sku = merchant.node(), merchant.sku()
    merchant.stock(node, sku, units)
    merchant.drain()
    return node, sku


def reserved(merchant: Merchant, sku: str) -> int:
    return sum(of for _, of in stock_of(merchant, sku).values())


def refusal(answer: Any) -> tuple[int, str, str]:
    problem = answer.get_json()
    return answer.status_code, problem["type"].rpartition("/")[2], problem["errors"][0]["pointer"]


def later(merchant: Merchant, **time: int) -> None:
    with inside(merchant.tenant_id) as scope:
        now = scope.now()
    clockwork.advance(merchant.tenant_id, now + timedelta(**time))


def test_nobody_else_takes_what_a_quote_holds_and_its_order_does(merchant: Merchant):
    _, sku = shelf(merchant, 3)
    quote = held(merchant, (sku, 2))
    assert (quote["state"], [line["held"] for line in quote["lines"]]) == ("held", [2])
    assert merchant.ok("GET", f"/quotes/{quote['id']}") == quote
    found = merchant.ok("GET", f"/availability?sku={sku}")
    assert (found["available"], found["parts"][0]["for_quotes"]) == (1, 2)
    assert_books(merchant)
    other = buy(merchant, (sku, 2), policy=KILL)
    assert refusal(other) == (409, "cannot-fill", "/lines/0/quantity")
    body = merchant.order_body((sku, 2), tenders=CASH, policy=KILL, quote_id=quote["id"])
    order = merchant.ok("POST", "/orders", body)
    assert order["lines"][0]["allocated"] == 2
    assert merchant.ok("POST", "/orders", body)["id"] == order["id"]
    after = merchant.ok("GET", f"/quotes/{quote['id']}")
    assert (after["state"], after["order_id"], after["lines"][0]["held"]) == ("ordered", order["id"], 0)
    assert reserved(merchant, sku) == 2
    assert refusal(buy(merchant, (sku, 1), quote_id=quote["id"])) == (409, "quote-used", "/quote_id")
    assert merchant.call("DELETE", f"/quotes/{quote['id']}").status_code == 409
    later(merchant, minutes=20)
    assert reserved(merchant, sku) == 2
    assert_books(merchant)


def test_a_kit_holds_its_parts_and_what_is_made_or_waits_holds_nothing(merchant: Merchant):
    node, cup = shelf(merchant, 5)
    saucer, made = merchant.sku(), merchant.sku(kind="made_to_order", lead_time_days=3)
    merchant.node(kind="workshop")
    merchant.stock(node, saucer, 9)
    parts = [{"sku": cup, "quantity": 2}, {"sku": saucer, "quantity": 1}]
    kit = merchant.sku(kind="kit", components=parts)
    quote = held(merchant, (kit, 2), (made, 1), (cup, 4))
    assert [line["held"] for line in quote["lines"]] == [2, 0, 1]
    assert (reserved(merchant, cup), reserved(merchant, saucer)) == (5, 2)
    order = merchant.ok("POST", "/orders", merchant.order_body((kit, 2), tenders=CASH, quote_id=quote["id"]))
    assert order["lines"][0]["allocated"] == 2
    assert (reserved(merchant, cup), reserved(merchant, saucer)) == (4, 2)
    assert_books(merchant)


def test_time_frees_what_a_quote_held_for_those_who_wait_and_the_order_is_still_taken(merchant: Merchant):
    _, sku = shelf(merchant, 2)
    quote = held(merchant, (sku, 2), minutes=10)
    waiting = buy(merchant, (sku, 1)).get_json()
    later(merchant, minutes=9)
    assert line_of(merchant, waiting["id"])["backordered"] == 1
    later(merchant, minutes=2)
    assert line_of(merchant, waiting["id"])["allocated"] == 1
    assert merchant.ok("GET", f"/quotes/{quote['id']}")["state"] == "expired"
    assert_books(merchant)
    with inside(merchant.tenant_id) as scope:
        service.lapsed(scope, UUID(quote["id"]))
    assert reserved(merchant, sku) == 1
    order = buy(merchant, (sku, 2), quote_id=quote["id"]).get_json()
    assert (order["lines"][0]["allocated"], order["lines"][0]["backordered"]) == (1, 1)
    assert_books(merchant)


def test_units_that_a_withdrawal_or_another_basket_leaves_go_to_those_who_wait(merchant: Merchant):
    _, sku = shelf(merchant, 4)
    first, second = held(merchant, (sku, 2)), held(merchant, (sku, 2))
    waiting = buy(merchant, (sku, 3)).get_json()
    merchant.drain()
    assert line_of(merchant, waiting["id"])["allocated"] == 0
    assert merchant.ok("DELETE", f"/quotes/{first['id']}")["state"] == "withdrawn"
    assert merchant.ok("DELETE", f"/quotes/{first['id']}")["state"] == "withdrawn"
    merchant.drain()
    assert line_of(merchant, waiting["id"])["allocated"] == 2
    assert buy(merchant, (sku, 1), policy=KILL, quote_id=second["id"]).status_code == 201
    merchant.drain()
    assert line_of(merchant, waiting["id"])["allocated"] == 3
    assert_books(merchant)


def test_a_refused_order_leaves_the_hold_as_it_was_alone_and_in_a_batch(merchant: Merchant):
    _, sku = shelf(merchant, 4)
    first, second = held(merchant, (sku, 2)), held(merchant, (sku, 2))
    refused = buy(merchant, (sku, 3), policy=KILL, quote_id=first["id"])
    assert refusal(refused)[:2] == (409, "cannot-fill")
    bodies = [
        merchant.order_body((sku, 3), tenders=CASH, policy=KILL, quote_id=first["id"]),
        merchant.order_body((sku, 2), tenders=CASH, policy=KILL, quote_id=second["id"]),
        merchant.order_body((sku, 1), tenders=CASH, quote_id=second["id"]),
        merchant.order_body((sku, 1), tenders=CASH, policy=KILL),
    ]
    results = merchant.ok("POST", "/orders/batch", {"orders": bodies})["results"]
    assert [one["status"] for one in results] == [409, 201, 409, 409]
    assert results[2]["problem"]["type"].endswith("quote-used")
    assert merchant.ok("GET", f"/quotes/{first['id']}")["state"] == "held"
    assert reserved(merchant, sku) == 4
    assert_books(merchant)
    assert buy(merchant, (sku, 2), policy=KILL, quote_id=first["id"]).status_code == 201


def test_a_quote_that_cannot_be_named_is_refused(merchant: Merchant, other_merchant: Merchant):
    _, sku = shelf(merchant, 2)
    quote = held(merchant, (sku, 1))
    _, theirs = shelf(other_merchant, 2)
    other = other_merchant.post(
        "/orders", other_merchant.order_body((theirs, 1), tenders=CASH, quote_id=quote["id"])
    )
    assert refusal(other) == (422, "invalid", "/quote_id")
    for given in ({"quote_id": "nothing"}, {"quote_id": quote["id"], "channel": "phone"}):
        assert refusal(buy(merchant, (sku, 1), **given)) == (422, "invalid", "/quote_id")
    assert merchant.ok("GET", f"/quotes/{quote['id']}")["state"] == "held"
    reader = merchant.another_key("orders:read")
    body = {"channel": "web", "ship_to": BOISE, "lines": [{"sku": sku, "quantity": 1}], "hold_minutes": 5}
    assert reader.post("/quotes", body).status_code == 403
    assert reserved(merchant, sku) == 1


def test_stock_that_is_gone_ends_holds_before_it_takes_from_orders(merchant: Merchant):
    node, sku = shelf(merchant, 4)
    order = buy(merchant, (sku, 2)).get_json()
    quote = held(merchant, (sku, 2))
    merchant.ok("POST", "/stock/adjustments", {"node": node, "sku": sku, "delta": -1, "reason": "broken"})
    assert merchant.ok("GET", f"/quotes/{quote['id']}")["state"] == "lost"
    assert stock_of(merchant, sku) == {(node, "sellable"): (3, 2)}
    again = held(merchant, (sku, 1))
    merchant.ok("POST", "/stock/adjustments", {"node": node, "sku": sku, "on_hand": 1, "reason": "burnt"})
    assert merchant.ok("GET", f"/quotes/{again['id']}")["state"] == "lost"
    assert line_of(merchant, order["id"])["allocated"] == 1
    assert_books(merchant)


def test_units_held_are_the_orders_own_before_allotments_and_safety_stock(merchant: Merchant):
    node, sku = shelf(merchant, 4)
    quote = held(merchant, (sku, 2))
    merchant.ok("PUT", "/allotments", {"allotments": [{"channel": "phone", "share_percent": 100}]})
    assert refusal(buy(merchant, (sku, 1), policy=KILL))[1] == "cannot-fill"
    order = buy(merchant, (sku, 3), quote_id=quote["id"]).get_json()
    assert order["lines"][0]["allocated"] == 2
    merchant.ok("PUT", "/allotments", {"allotments": []})
    quote = held(merchant, (sku, 2))
    kept_back = {"node": node, "sku": sku, "delta": 0, "safety": 1, "reason": "careful"}
    merchant.ok("POST", "/stock/adjustments", kept_back)
    order = buy(merchant, (sku, 2), quote_id=quote["id"]).get_json()
    assert order["lines"][0]["allocated"] == 1
    assert_books(merchant)


def test_what_a_quote_told_is_the_orders_promise(merchant: Merchant):
    _, sku = shelf(merchant, 9)
    plain, stated = held(merchant, (sku, 1)), {"within": {"value": 2, "unit": "hours"}, "text": "Today"}
    hours = held(merchant, (sku, 1), promise=stated, minutes=60)
    told = hours["lines"][0]["promise"]
    later(merchant, minutes=50)
    order = buy(merchant, (sku, 1), quote_id=hours["id"]).get_json()
    promise = order["lines"][0]["promise"]
    assert (promise["deadline"], promise["stated"], promise["basis"]) == (told["deadline"], True, "stated")
    [kept] = merchant.ok("GET", f"/orders/{order['id']}/promises")["data"]
    basis = kept["evidence"]
    assert (basis["shown"]["text"], basis["quote"]["id"]) == ("Today", hours["id"])
    assert basis["quote"]["basis"]["free"] == 8
    later(merchant, days=2)
    order = buy(merchant, (sku, 1), quote_id=plain["id"]).get_json()
    promise = order["lines"][0]["promise"]
    assert (promise["ship_by"], promise["stated"], promise["basis"]) == (
        plain["lines"][0]["promise"]["ship_by"],
        False,
        "30 days",
    )


def test_hours_that_a_quote_told_past_midnight_do_not_end_at_midnight(merchant: Merchant):
    _, sku = shelf(merchant, 9)
    with inside(merchant.tenant_id) as scope:
        here = scope.now().astimezone(ZoneInfo("America/New_York"))
    evening = (here + timedelta(days=1)).replace(hour=23, minute=0)
    clockwork.advance(merchant.tenant_id, evening)
    quote = held(merchant, (sku, 1), promise={"within": {"value": 2, "unit": "hours"}}, minutes=60)
    later(merchant, minutes=50)
    order = buy(merchant, (sku, 1), quote_id=quote["id"]).get_json()
    assert order["lines"][0]["promise"]["deadline"] == quote["lines"][0]["promise"]["deadline"]


def test_a_day_of_delivery_that_a_quote_told_is_the_orders(merchant: Merchant):
    _, sku = shelf(merchant, 9)
    merchant.ok("PUT", "/settings/promises", {"laws": {"seller_country": "GB"}})
    leeds = BOISE | {"city": "Leeds", "region": "", "postal_code": "LS1 5HD", "country": "GB"}
    with inside(merchant.tenant_id) as scope:
        day = str(local_date(scope.now(), "Europe/London") + timedelta(days=20))
    for promise in ({}, {"promise": {"deliver_by": day}}):
        quote = held(merchant, (sku, 1), ship_to=leeds, **promise)
        told = quote["lines"][0]["promise"]
        later(merchant, days=2)
        order = buy(merchant, (sku, 1), ship_to=leeds, quote_id=quote["id"]).get_json()
        assert order["lines"][0]["promise"]["delivery"]["deadline"] == told["delivery"]["deadline"]
        plain = buy(merchant, (sku, 1), ship_to=leeds).get_json()
        assert plain["lines"][0]["promise"]["delivery"]["deadline"] > told["delivery"]["deadline"]


def test_an_order_may_promise_less_time_than_its_quote_and_never_more(merchant: Merchant):
    _, sku = shelf(merchant, 9)
    with inside(merchant.tenant_id) as scope:
        today = local_date(scope.now(), scope.tenant.timezone)
    told, sooner, later_on = (str(today + timedelta(days=days)) for days in (10, 5, 20))
    for own, due in ((sooner, sooner), (later_on, told)):
        quote = held(merchant, (sku, 1), promise={"ship_by": told})
        order = buy(merchant, (sku, 1), promise={"ship_by": own}, quote_id=quote["id"]).get_json()
        assert order["lines"][0]["promise"]["ship_by"] == due
    quote = held(merchant, (sku, 1), promise={"ship_by": told})
    later(merchant, days=11)
    late = buy(merchant, (sku, 1), quote_id=quote["id"])
    assert refusal(late) == (409, "quote-outdated", "/quote_id")


def test_twenty_buyers_want_the_last_unit_and_one_holds_it(app: Flask, merchant: Merchant):
    _, sku = shelf(merchant, 1)
    body = {"channel": "web", "ship_to": BOISE, "lines": [{"sku": sku, "quantity": 1}], "policy": KILL}

    def ask(_: int) -> Any:
        own = Merchant(app.test_client(), merchant.key, tenant_id=merchant.tenant_id)
        return own.post("/quotes", body | {"hold_minutes": 5})

    answers = _at_once(ask)
    counted = Counter(answer.status_code for answer in answers)
    assert counted[200] == 1
    assert set(counted) <= {200, 409, 503}
    [quote] = [answer.get_json() for answer in answers if answer.status_code == 200]

    def order(_: int) -> Any:
        own = Merchant(app.test_client(), merchant.key, tenant_id=merchant.tenant_id)
        return buy(own, (sku, 1), policy=KILL, quote_id=quote["id"])

    assert Counter(answer.status_code for answer in _at_once(order)) == {201: 1, 409: 19}
    assert_books(merchant)


def _at_once(work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(work, range(20)))


@pytest.mark.parametrize("found_first", ["order", "time"])
def test_an_order_and_the_end_of_its_minutes_share_the_units_out_once(merchant: Merchant, found_first: str):
    _, sku = shelf(merchant, 1)
    quote = held(merchant, (sku, 1), minutes=1)
    with inside(merchant.tenant_id) as scope:
        scope.execute("UPDATE tenants SET clock_offset = clock_offset + 120 WHERE tenant_id = :tenant")
    if found_first == "time":
        with inside(merchant.tenant_id) as scope:
            service.lapsed(scope, UUID(quote["id"]))
    order = buy(merchant, (sku, 1), quote_id=quote["id"]).get_json()
    with inside(merchant.tenant_id) as scope:
        service.lapsed(scope, UUID(quote["id"]))
    assert order["lines"][0]["allocated"] == reserved(merchant, sku) == 1
    assert_books(merchant)


@pytest.mark.races
def test_a_process_that_dies_over_an_order_leaves_the_hold_or_the_order(merchant: Merchant):
    _, sku = shelf(merchant, 1)
    buy(merchant, (merchant.sku(), 1))
    quote = held(merchant, (sku, 1))
    body = merchant.order_body((sku, 1), tenders=CASH, policy=KILL, quote_id=quote["id"])

    def look() -> tuple[str, int]:
        assert_books(merchant)
        return merchant.ok("GET", f"/quotes/{quote['id']}")["state"], reserved(merchant, sku)

    seen = [what for _, _, what in kills_of(lambda: merchant.post("/orders", body), look)]
    assert (seen[0], seen[-1]) == (("held", 1), ("ordered", 1))
    assert set(seen) == {("held", 1), ("ordered", 1)}
    assert merchant.post("/orders", body).status_code == 200


def test_a_hold_that_is_lost_from_the_books_is_found(merchant: Merchant):
    _, sku = shelf(merchant, 2)
    held(merchant, (sku, 2))
    assert_books(merchant)
    with inside(merchant.tenant_id) as scope:
        scope.execute("DELETE FROM quote_holds WHERE tenant_id = :tenant")
        scope.execute("DELETE FROM timers WHERE tenant_id = :tenant AND key LIKE 'quote:%'")
    with operator() as session:
        faults = [one.examples for one in check(session, merchant.tenant_id) if one.faults]
    assert len(faults) == 2
    assert "reserved 2, reservations 0, for quotes 0" in faults[0][0]
    assert "holds none" in faults[1][0]


def test_orders_and_quotes_without_a_hold_ask_as_little_as_before(merchant: Merchant):
    _, sku = shelf(merchant, 9)
    buy(merchant, (sku, 1))
    buy(merchant, (sku, 1))
    quote = held(merchant, (sku, 1))
    with statements() as plain:
        assert buy(merchant, (sku, 1)).status_code == 201
    with statements() as named:
        assert buy(merchant, (sku, 1), quote_id=quote["id"]).status_code == 201
    assert len(named) == len(plain) + 1
    assert not [one for one in plain if "quote" in one]


def test_old_quotes_are_forgotten(merchant: Merchant):
    _, sku = shelf(merchant, 9)
    used, lapsed = held(merchant, (sku, 1)), held(merchant, (sku, 1))
    buy(merchant, (sku, 1), quote_id=used["id"])
    later(merchant, days=8)
    janitor.forget()
    for quote in (used, lapsed):
        assert merchant.get(f"/quotes/{quote['id']}").status_code == 404
        assert refusal(buy(merchant, (sku, 1), quote_id=quote["id"])) == (422, "invalid", "/quote_id")
    assert_books(merchant)
