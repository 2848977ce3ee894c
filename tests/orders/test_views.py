"""The order book as pages: what is listed, how it is found, what the order's page tells, what is done from it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import event

from app.calendar import local_date
from infra import db, settings
from tenants.scope import inside
from tests.browser import resize
from tests.factories import Merchant, new_merchant
from tests.portal import Desk, Shop, member


@pytest.fixture(scope="module")
def shop(app: Flask) -> Shop:
    made = Shop(new_merchant(app), 24)
    made.ship_some(6)
    return made


@pytest.fixture(scope="module")
def desk(app: Flask, shop: Shop) -> Desk:
    return member(app, shop.merchant.tenant_id)


def numbers(page: str) -> list[str]:
    """The orders of a list page, in its order."""
    return re.findall(r'<a class="id" href="/orders/[^"]+">(K-\d+)</a>', page)


def counts(page: str) -> dict[str, int]:
    found = re.findall(r">([A-Z][\w ]+)<span class=\"n\">([\d,]+)</span>", page)
    return {label: int(count) for label, count in found}


def test_views_list_what_they_count(desk: Desk) -> None:
    counted = counts(desk.read("/orders"))
    assert counted["All open"] > 0
    assert counted["Shipped today"] > 0
    for view, label in (
        ("open", "All open"),
        ("attention", "Needs attention"),
        ("risk", "At risk"),
        ("late", "Late"),
        ("waiting", "Waiting"),
        ("hold", "On hold"),
        ("shipped", "Shipped today"),
    ):
        assert len(numbers(desk.read(f"/orders?view={view}"))) == counted[label], view


def test_all_orders_are_found_in_the_all_view(desk: Desk, shop: Shop) -> None:
    assert set(numbers(desk.read("/orders?view=all"))) == {order["number"] for order in shop.placed}


@pytest.mark.parametrize(
    "text",
    ["{number}", "{digits}", "{external_ref}", "{email}", "{name}", "WAL-BRD-ENG", "2085550123"],
)
def test_an_order_is_found_by(desk: Desk, shop: Shop, text: str) -> None:
    order = next(one for one in shop.placed if any(line["sku"] == "WAL-BRD-ENG" for line in one["lines"]))
    if text == "2085550123":
        order = shop.placed[23]
    asked = text.format(
        number=order["number"],
        digits=order["number"].removeprefix("K-"),
        external_ref=order["external_ref"],
        email=order["customer"]["email"].upper(),
        name=order["customer"]["name"].split()[0].lower(),
    )
    found = numbers(desk.client.get("/orders", query_string={"view": "all", "q": asked}).text)
    assert order["number"] in found
    assert len(found) < len(shop.placed)


def of_today(shop: Shop) -> set[str]:
    """Orders of this day of the merchant's; none in the first minutes after midnight."""
    with inside(shop.merchant.tenant_id) as scope:
        zone, now = scope.tenant.timezone, scope.now()
    placed = {order["number"]: datetime.fromisoformat(order["placed_at"]) for order in shop.placed}
    return {number for number, at in placed.items() if local_date(at, zone) == local_date(now, zone)}


@pytest.mark.parametrize("text", ["'; --", "%", "\\", "_", "K-99999999999999999999", "\x00", "𝔘"])
def test_odd_searches_find_nothing_and_break_nothing(desk: Desk, text: str) -> None:
    answer = desk.client.get("/orders", query_string={"view": "all", "q": text})
    assert answer.status_code == 200


def test_filters_narrow_the_list(desk: Desk, shop: Shop) -> None:
    phone = {order["number"] for order in shop.placed if order["channel"] == "phone"}
    assert set(numbers(desk.read("/orders?view=all&channel=phone"))) == phone
    both = set(numbers(desk.read("/orders?view=all&channel=phone&channel=store")))
    assert both > phone
    assert set(numbers(desk.read("/orders?view=all&placed=today"))) == of_today(shop)
    week = numbers(desk.read("/orders?view=all&placed=7d"))
    assert 0 < len(week) < len(shop.placed)
    reno = numbers(desk.read("/orders?view=all&node=RENO"))
    assert 0 < len(reno) < len(shop.placed)
    nothing = desk.read("/orders?view=all&node=NOWHERE")
    assert "No order fits" in nothing
    assert "Clear filters" in nothing


def test_a_filter_that_names_nothing_says_so(desk: Desk) -> None:
    page = desk.read("/orders?view=all&channel=fax&node=NOWHERE")
    assert "There is no channel “fax”." in page
    assert "fax (not known)" in page
    assert "NOWHERE (not known)" in page


def test_the_list_sorts_and_pages_by_cursor(desk: Desk, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    by_total = desk.read("/orders?view=all&sort=-total")
    totals = {order["number"]: order["totals"]["total"]["amount"] for order in shop.placed}
    listed = [totals[number] for number in numbers(by_total)]
    assert listed == sorted(listed, reverse=True)
    whole = numbers(desk.read("/orders?view=all"))
    from app.orders import listing

    monkeypatch.setattr(listing.page, "__defaults__", (10,))
    seen, address = [], "/orders?view=all"
    while address:
        page = desk.read(address)
        seen += numbers(page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address = following[1].replace("&amp;", "&") if following else ""
    assert seen == whole
    before = re.search(r'href="([^"]+)" rel="prev"', page)
    assert before is not None
    assert numbers(desk.read(before[1].replace("&amp;", "&"))) == whole[10:20]


def test_a_broken_cursor_shows_the_first_page(desk: Desk) -> None:
    assert numbers(desk.read("/orders?view=all&after=nonsense")) == numbers(desk.read("/orders?view=all"))


def test_the_file_holds_the_same_orders(desk: Desk, shop: Shop) -> None:
    answer = desk.client.get("/orders/export.csv?view=all&channel=web")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    web = {order["number"]: order for order in shop.placed if order["channel"] == "web"}
    assert {row["number"] for row in rows} == set(web)
    for row in rows:
        assert row["total"] == f"{web[row['number']]['totals']['total']['amount'] / 100:.2f}"


def test_a_formula_in_a_name_is_only_text_in_the_file(app: Flask, merchant: Merchant) -> None:
    merchant.sku("A")
    merchant.order(("A", 1), customer={"email": "a@example.com", "name": "=HYPERLINK(1)"})
    text = member(app, merchant.tenant_id).client.get("/orders/export.csv?view=all").text
    assert "'=HYPERLINK(1)" in text


def test_the_list_asks_a_fixed_number_of_questions(desk: Desk) -> None:
    def asked(path: str) -> int:
        statements: list[str] = []
        engine = db.engine(settings.current().database_url, settings.current().pool_size)

        def note(_c: Any, _cu: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            desk.read(path)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(statements)

    desk.read("/orders?view=all")
    few, many = asked("/orders?view=late"), asked("/orders?view=all")
    assert many <= 16
    assert abs(many - few) <= 4


def test_the_page_of_an_order_tells_its_story(desk: Desk, shop: Shop) -> None:
    order = shop.placed[2]
    page = desk.read(f"/orders/{order['id']}")
    for line in order["lines"]:
        assert line["title"].split(",")[0] in page
    assert order["fulfillment_orders"] == [] or "Where it ships from, and why" in page
    assert "In balance" in page
    assert "Why not the others" in page
    assert "authorized" in page
    money = desk.read(f"/orders/{order['id']}?show=money")
    assert "authorized" in money.split('class="tl" reversed')[1]
    assert "accepted the work" not in money


def test_an_order_of_somebody_else_is_not_there(app: Flask, shop: Shop, other_merchant: Merchant) -> None:
    stranger = member(app, other_merchant.tenant_id)
    order = shop.placed[0]["id"]
    assert stranger.client.get(f"/orders/{order}").status_code == 404
    answer = stranger.post(f"/orders/{order}/hold", "/orders", kind="manual", reason="x")
    assert answer.status_code == 404
    assert numbers(stranger.read("/orders?view=all")) == []


def test_who_may_only_read_is_offered_nothing_to_do(app: Flask, shop: Shop) -> None:
    analyst = member(app, shop.merchant.tenant_id, "analyst")
    order = shop.placed[3]["id"]
    assert "You can do now" not in analyst.read(f"/orders/{order}")
    answer = analyst.post(f"/orders/{order}/hold", f"/orders/{order}", kind="manual", reason="x")
    assert answer.status_code == 403


def fresh(merchant: Merchant, **fields: Any) -> dict[str, Any]:
    merchant.drain()
    merchant.node("RENO")
    merchant.sku("MUG")
    merchant.stock("RENO", "MUG", 5)
    order = merchant.order(("MUG", 3), **fields)
    merchant.drain()
    return order


def state(merchant: Merchant, order: dict[str, Any]) -> dict[str, Any]:
    return merchant.ok("GET", f"/orders/{order['id']}")


def test_holding_and_lifting_from_the_page(app: Flask, merchant: Merchant) -> None:
    order, desk = fresh(merchant), member(app, merchant.tenant_id)
    page = f"/orders/{order['id']}"
    assert desk.post(f"{page}/hold", page, kind="fraud", reason="Odd address").status_code == 303
    assert state(merchant, order)["holds"] == [{"kind": "fraud", "reason": "Odd address"}]
    assert "Lift the fraud hold" in desk.read(page)
    assert desk.post(f"{page}/hold", page, kind="nonsense", reason="x").status_code == 422
    assert desk.post(f"{page}/hold", page, kind="manual", reason="").status_code == 422
    assert desk.post(f"{page}/release", page, kind="fraud").status_code == 303
    assert state(merchant, order)["holds"] == []
    assert desk.post(f"{page}/release", page, kind="fraud").status_code == 409


def test_canceling_units_from_the_page(app: Flask, merchant: Merchant) -> None:
    order, desk = fresh(merchant), member(app, merchant.tenant_id)
    page, line = f"/orders/{order['id']}", f"line-{order['lines'][0]['id']}"
    assert desk.post(f"{page}/cancel", page, **{line: "0", "reason": "x"}).status_code == 409
    assert desk.post(f"{page}/cancel", page, **{line: "-1", "reason": "x"}).status_code == 422
    assert desk.post(f"{page}/cancel", page, **{line: "9", "reason": "x"}).status_code == 409
    assert state(merchant, order)["lines"][0]["cancelled"] == 0
    assert desk.post(f"{page}/cancel", page, **{line: "1", "reason": "Ordered twice"}).status_code == 303
    merchant.drain()
    assert state(merchant, order)["lines"][0]["cancelled"] == 1
    assert "1 canceled" in desk.read(page)


def test_another_address_from_the_page(app: Flask, merchant: Merchant) -> None:
    order, desk = fresh(merchant), member(app, merchant.tenant_id)
    page = f"/orders/{order['id']}"
    given = {"line1": "9 Elm St", "city": "Denver", "region": "CO", "postal_code": "80202", "country": "US"}
    assert desk.post(f"{page}/address", page, **given).status_code == 303
    assert state(merchant, order)["ship_to"]["city"] == "Denver"
    assert desk.post(f"{page}/address", page, **given | {"country": "usa"}).status_code == 422


def test_waiting_units_are_looked_for_again(app: Flask, merchant: Merchant) -> None:
    merchant.drain()
    merchant.sku("MUG")
    order, desk = merchant.order(("MUG", 1)), member(app, merchant.tenant_id)
    page = f"/orders/{order['id']}"
    assert desk.post(f"{page}/route", page).status_code == 303
    done = fresh(merchant)
    assert desk.post(f"/orders/{done['id']}/route", page).status_code == 409


def test_one_verb_over_many_orders_skips_those_a_rule_refuses(app: Flask, merchant: Merchant) -> None:
    order, desk = fresh(merchant), member(app, merchant.tenant_id)
    other = merchant.order(("MUG", 1))
    merchant.ok("POST", f"/orders/{other['id']}/cancellation", {"reason": "x"})
    both = [order["id"], other["id"]]
    answer = desk.post("/orders/bulk", "/orders", action="hold", ids=both, back="/orders?view=all")
    assert (answer.status_code, answer.location) == (303, "/orders?view=all")
    page = desk.read("/orders?view=hold")
    assert "1 order held. 1 skipped: The order is cancelled" in page
    assert numbers(page) == [order["number"]]
    answer = desk.post("/orders/bulk", "/orders", action="release", ids=both, back="//evil.example")
    assert answer.location == "/orders"
    desk.post("/orders/bulk", "/orders", action="cancel", ids=[order["id"]], reason="Stock damaged")
    merchant.drain()
    assert state(merchant, order)["status"] == "cancelled"


def test_a_delay_notice_is_read_before_it_is_sent(app: Flask, merchant: Merchant) -> None:
    merchant.drain()
    merchant.sku("KETTLE", title="Copper kettle")
    order = merchant.order(("KETTLE", 1))
    merchant.drain()
    desk, page = member(app, merchant.tenant_id), f"/orders/{order['id']}/delay"
    form = desk.read(page)
    line = order["lines"][0]["id"]
    assert f'value="{line}" checked' in form
    preview = desk.post(page, page, line=line, revised="", reason="The maker is late.", do="preview")
    assert preview.status_code == 200
    assert "We are unable to say how long the delay will be." in preview.text
    assert "Delay notice" not in desk.read(f"/orders/{order['id']}?show=messages").split('class="tl"')[-1]
    assert desk.post(page, page, line=line, revised="soon", reason="x", do="send").status_code == 422
    assert desk.post(page, page, revised="", reason="x", do="send").status_code == 422
    assert (
        desk.post(page, page, line=line, revised="", reason="The maker is late.", do="send").status_code
        == 303
    )
    merchant.drain()
    assert "Delay notice sent" in desk.read(f"/orders/{order['id']}?show=messages")


@pytest.mark.browser
def test_on_a_phone_the_chosen_tab_is_in_view(
    app: Flask, merchant: Merchant, serve: Callable[[Flask], str], browser_page: Page
) -> None:
    address = serve(app)
    member(app, merchant.tenant_id).enter(browser_page, address)
    resize(browser_page, "phone")
    browser_page.goto(f"{address}/orders?view=all")
    tab = browser_page.locator(".views [aria-current]").bounding_box()
    assert tab is not None
    assert tab["x"] + tab["width"] <= 390
