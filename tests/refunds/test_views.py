"""Refunds as pages: what is owed, and what a person records."""

from __future__ import annotations

from flask import Flask

from tenants.scope import inside
from tests.portal import member
from tests.refunds.test_service import CHECK, dues, today
from tests.shop import Shop


def test_a_check_is_recorded_on_the_page(app: Flask, shop: Shop) -> None:
    desk = member(app, shop.tenant_id)
    assert "Nothing for you to do" in desk.read("/refunds")
    order = shop.order(1, tenders=CHECK)
    shop.cancel(order)
    [due] = dues(shop, order)
    page = f"/refunds/{due['id']}"
    assert order["number"] in desk.read("/refunds")
    assert "Send the money and record it" in desk.read("/refunds")
    assert "owed back by" in desk.read(f"/orders/{order['id']}")
    day = today(shop).isoformat()
    wrong = desk.post(f"{page}/payment", page, form="check", reference="", sent_on=day)
    assert (wrong.status_code, "Give the number of the check" in wrong.text) == (422, True)
    assert dues(shop, order) == [due]
    assert desk.post(f"{page}/payment", page, form="check", reference="551", sent_on=day).status_code == 303
    shop.merchant.drain()
    assert "551" in desk.read(page)
    assert order["number"] in desk.read("/refunds?view=proven")
    assert "buyer told" in desk.read(f"/orders/{order['id']}")


def test_what_cannot_go_back_is_recorded_on_the_page(app: Flask, shop: Shop) -> None:
    desk = member(app, shop.tenant_id)
    order = shop.order(1, tenders=[{"kind": "external", "reference": "M-1"}])
    shop.cancel(order)
    [due] = dues(shop, order)
    page = f"/refunds/{due['id']}"
    early = desk.post(f"{page}/statement", page, how="by phone", told_on=today(shop).isoformat())
    assert (early.status_code, "The money has not gone yet" in early.text) == (422, True)
    found = {"reason": "The marketplace account is closed", "discovered_on": today(shop).isoformat()}
    assert desk.post(f"{page}/impossible", page, **found).status_code == 303
    assert "The marketplace account is closed" in desk.read(page)
    assert desk.client.get("/refunds/01a20000-0000-7000-8000-000000000000").status_code == 404


def test_who_may_not_pay_only_reads(app: Flask, shop: Shop) -> None:
    order = shop.order(1, tenders=CHECK)
    shop.cancel(order)
    [due] = dues(shop, order)
    agent = member(app, shop.tenant_id, "agent", "Ann")
    page = f"/refunds/{due['id']}"
    assert "Record what you sent" not in agent.read(page)
    refused = agent.post(
        f"{page}/payment", page, form="check", reference="1", sent_on=today(shop).isoformat()
    )
    assert refused.status_code == 403
    assert member(app, shop.tenant_id, "picker", "Pat").client.get("/refunds").status_code == 403


def test_the_shipping_table_is_entered_on_its_page(app: Flask, shop: Shop) -> None:
    desk = member(app, shop.tenant_id)
    page = "/settings/refunds"
    half = desk.post(page, page, from0="0", charge0="")
    assert (half.status_code, "Fill in both, or neither." in half.text) == (422, True)
    twice = desk.post(page, page, from0="10", charge0="1", from1="10.00", charge1="2")
    assert (twice.status_code, "Name each value of goods once." in twice.text) == (422, True)
    assert desk.post(page, page, from0="75", charge0="0", from1="0", charge1="7.95").status_code == 303
    assert 'value="7.95"' in desk.read(page)
    with inside(shop.tenant_id) as scope:
        stored = scope.tenant.settings["refunds"]["shipping"]
    assert stored == [{"from": 0, "charge": 795}, {"from": 7500, "charge": 0}]
