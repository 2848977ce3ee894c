"""New order: found customers and items, priced and dated as typed, placed by the same verb, without script."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask

from tenants.scope import inside
from tests.factories import Merchant
from tests.portal import Desk, member

BUYER = {
    "email": "dana@example.com",
    "name": "Dana Whitlock",
    "phone": "(208) 555-0147",
    "line1": "12 Oak St",
    "city": "Boise",
    "region": "ID",
    "postal_code": "83702",
    "country": "US",
    "channel": "phone",
    "tender": "card",
    "card": "pm_card_visa",
}


@pytest.fixture
def desk(app: Flask, merchant: Merchant) -> Desk:
    merchant.drain()
    merchant.node("RENO", name="Reno")
    merchant.sku("APRON", title="Linen apron", price={"amount": 4800, "currency": "USD"})
    merchant.sku("KETTLE", title="Copper kettle")
    merchant.sku("GIFT", title="Gift card", kind="gift_card_digital")
    merchant.stock("RENO", "APRON", 8)
    return member(app, merchant.tenant_id, "agent", "Dana Agent")


def typed(desk: Desk, status: int = 200, **fields: Any) -> str:
    answer = desk.post("/orders/new", "/orders/new", **BUYER | fields)
    assert answer.status_code == status, answer.text[:2000]
    return unescape(answer.text)


def agreed(page: str) -> str:
    found = re.search(r'name="agreed" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_items_are_added_by_their_name_priced_and_dated(desk: Desk) -> None:
    page = typed(desk, find="linen", do="add")
    assert 'name="sku-0" value="APRON"' in page
    assert "$48.00" in page
    assert re.search(r"Your Linen apron ships by <b>\w+, \w+ \d+", page)
    assert "ID tax" in page
    page = typed(desk, do="add", find="apron", **{"sku-0": "APRON", "quantity-0": "1"})
    assert 'name="quantity-0" value="2"' in page
    page = typed(desk, do="remove:0", **{"sku-0": "APRON", "quantity-0": "1"})
    assert "sku-0" not in page


def test_search_shows_what_can_be_sold(desk: Desk) -> None:
    page = typed(desk, find="KETT")
    assert "Copper kettle" in page
    assert "0 can sell" in page
    assert "No date known" in page
    assert "Nothing in the catalog fits" in typed(desk, find="zzz", do="add")


def test_goods_without_a_date_are_not_promised_one(desk: Desk) -> None:
    page = typed(desk, **{"sku-0": "KETTLE", "quantity-0": "1", "sku-1": "GIFT", "quantity-1": "1"})
    assert "We cannot say yet when Your Copper kettle ships" not in page
    assert "We cannot say yet when your Copper kettle ships" in page
    assert "Your Gift card goes out <b>today</b> by email." in page


def test_titles_with_commas_stay_apart(desk: Desk, merchant: Merchant) -> None:
    merchant.sku("PITCHER", title="Stoneware pitcher, clay")
    page = typed(desk, **{"sku-0": "PITCHER", "quantity-0": "1", "sku-1": "KETTLE", "quantity-1": "1"})
    assert "when your Stoneware pitcher, clay; and Copper kettle ship" in page


def test_goods_on_their_way_are_promised_for_the_day_after_they_can_leave(
    desk: Desk, merchant: Merchant
) -> None:
    with inside(merchant.tenant_id) as scope:
        due = scope.now().date() + timedelta(days=10)
    line = {"sku": "KETTLE", "quantity": 6, "expected_on": due.isoformat()}
    merchant.ok("PUT", "/inbound/PO-1", {"supplier": "Mori Workshop", "node": "RENO", "lines": [line]})
    leaves = date.fromisoformat(merchant.ok("GET", "/availability?sku=KETTLE")["earliest_ship"])
    page = typed(desk, **{"sku-0": "KETTLE", "quantity-0": "2"})
    assert leaves >= due
    stated = leaves + timedelta(days=1)
    assert re.search(rf"Your Copper kettle ships by <b>\w+, {stated:%B} {stated.day}\b", page)
    assert "from stock on its way" in page
    assert "We cannot say yet" in typed(desk, **{"sku-0": "KETTLE", "quantity-0": "7"})


def test_prices_discounts_and_charges_follow_as_typed(desk: Desk) -> None:
    page = typed(
        desk, shipping="12.95", discount="5", **{"sku-0": "APRON", "quantity-0": "2", "price-0": "40"}
    )
    for amount in ("$80.00", "−$5.00", "$12.95"):
        assert amount in page
    assert "Enter an amount such as 12.95." in typed(desk, shipping="12,95", **{"sku-0": "APRON"})
    assert "Enter an amount such as 12.95." in typed(desk, shipping="1.234", **{"sku-0": "APRON"})


def test_a_known_caller_is_found_by_the_last_digits_of_their_phone(desk: Desk, merchant: Merchant) -> None:
    merchant.order(
        ("APRON", 1), customer={"email": "m@example.com", "name": "Marisol Vega", "phone": "(208) 555-0199"}
    )
    page = typed(desk, look_up="5550199")
    found = re.search(r'value="customer:([^"]+)"', page)
    assert found is not None
    assert "Marisol Vega" in page
    page = typed(desk, do=f"customer:{found[1]}")
    assert 'value="m@example.com"' in page
    assert 'value="1418 W Franklin St"' in page
    assert "Nobody by that phone" in typed(desk, look_up="nobody at all")


def test_an_order_is_placed_with_the_dates_that_were_read_out(desk: Desk, merchant: Merchant) -> None:
    basket = {"sku-0": "APRON", "quantity-0": "2", "source_code": "HOL26-C14", "ref": "portal-test-1"}
    page = typed(desk, 422, do="place", **basket)
    assert "Read the dates to the buyer" in page
    assert merchant.ok("GET", "/orders")["data"] == []
    answer = desk.post("/orders/new", "/orders/new", **BUYER, **basket, do="place", agreed=agreed(page))
    assert answer.status_code == 303
    order = merchant.ok("GET", f"/orders/{answer.location.rsplit('/')[-1]}")
    assert order["source_code"] == "HOL26-C14"
    assert order["channel"] == "phone"
    assert order["lines"][0]["promise"]["stated"] is True
    assert order["lines"][0]["allocated"] == 2
    assert "Order K-" in desk.read(answer.location)
    again = desk.post("/orders/new", "/orders/new", **BUYER, **basket, do="place", agreed=agreed(page))
    assert again.location == answer.location
    merchant.drain()
    shown = merchant.ok("GET", f"/orders/{order['id']}")
    assert shown["payment_status"] == "authorized"
    assert shown["lines"][0]["promise"]["expected_ship_at"] < shown["lines"][0]["promise"]["deadline"]


def test_dates_that_changed_must_be_read_again(desk: Desk) -> None:
    one = typed(desk, **{"sku-0": "APRON", "quantity-0": "1"})
    page = typed(
        desk, 422, do="place", agreed=agreed(one), **{"sku-0": "APRON", "sku-1": "KETTLE", "quantity-1": "1"}
    )
    assert "Read the dates to the buyer" in page


def test_a_check_by_mail_pays_the_whole_order(desk: Desk, merchant: Merchant) -> None:
    basket = {"sku-0": "APRON", "quantity-0": "1", "channel": "mail", "tender": "check", "reference": "1024"}
    answer = desk.post("/orders/new", "/orders/new", **BUYER | basket, do="place")
    assert answer.status_code == 303
    order = merchant.ok("GET", f"/orders/{answer.location.rsplit('/')[-1]}")
    assert order["totals"]["captured"] == order["totals"]["total"]
    assert "Check 1024" in desk.read(answer.location)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"email": ""}, "Missing data"),
        ({"email": "nobody"}, "Not a valid email"),
        ({"line1": ""}, "Enter it, so that the order can be sent."),
        ({"quantity-0": "0"}, "Must be greater than or equal to 1"),
        ({"quantity-0": "many"}, "Must be greater than or equal to 1"),
        ({"sku-0": "NOTHING"}, "There is no SKU NOTHING"),
        ({"discount": "999"}, "Discounts exceed"),
        ({"country": "usa"}, "two letters of ISO 3166-1"),
        ({"tender": "check", "reference": ""}, "number of the check"),
        ({"channel": "pigeon"}, "There is no channel pigeon"),
    ],
)
def test_faults_stand_at_their_fields_and_values_stay(desk: Desk, fault: dict[str, str], told: str) -> None:
    basket = {"sku-0": "APRON", "quantity-0": "1", "channel": "mail"} | fault
    page = typed(desk, 422, do="place", **basket)
    assert told in page
    assert 'value="Dana Whitlock"' in page


def test_who_may_not_order_sees_no_form(app: Flask, merchant: Merchant) -> None:
    analyst = member(app, merchant.tenant_id, "analyst")
    assert analyst.client.get("/orders/new").status_code == 403
