"""The pages of other laws in a real browser: they fit, can be read in both themes, and the buyer acts on theirs without
script."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app import links
from tests.browser import visit
from tests.portal import member
from tests.promises.test_laws import BERLIN
from tests.shop import Shop

pytestmark = pytest.mark.browser


def test_a_buyer_gives_a_further_time_and_ends_the_contract(
    browser_page: Page, app: Flask, serve: Callable[[Flask], str], shop: Shop
) -> None:
    shop.merchant.ok("PUT", "/settings/promises", {"laws": {"seller_country": "FR"}})
    order = shop.order(1, card="", ship_to=BERLIN, tenders=[{"kind": "external", "reference": "PP-1"}])
    address, page = serve(app), browser_page
    buyer = f"{address}/o/{links.token(shop.tenant_id, UUID(order['id']))}"
    shop.later(days=32)
    visit(page, buyer, "laws-buyer-late")
    until = page.get_by_label("I will wait until")
    until.fill(str(until.get_attribute("min")))
    page.get_by_role("button", name="Give this further time").click()
    expect(page.get_by_text("the further time you gave")).to_be_visible()
    shop.later(days=3)
    visit(page, buyer, "laws-buyer-may-end")
    member(app, shop.tenant_id).enter(page, address)
    visit(page, f"{address}/orders/{order['id']}", "laws-order")
    visit(page, f"{address}/settings/promises", "laws-settings")
    page.goto(buyer)
    page.get_by_role("button", name="End the contract and refund me").click()
    expect(page.get_by_text("You may end the contract")).to_have_count(0)
    shop.merchant.drain()
    assert shop.shown(order)["status"] == "cancelled"
