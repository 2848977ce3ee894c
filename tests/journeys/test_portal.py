"""The merchant's pages in a real browser: they fit, they can be read, and the day's work can be done on them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.browser import faults, screenshot, visit
from tests.factories import Merchant, new_merchant
from tests.portal import Shop, member

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def shop(app: Flask) -> Shop:
    made = Shop(new_merchant(app))
    merchant: Merchant = made.merchant
    made.ship_some()
    held = made.placed[-2]["id"]
    merchant.ok(
        "POST", f"/orders/{held}/holds", {"kind": "fraud", "reason": "Card country differs from ship-to"}
    )
    merchant.drain()
    return made


def test_pages_fit_and_can_be_read(
    browser_page: Page, app: Flask, serve: Callable[[Flask], str], shop: Shop
) -> None:
    address = serve(app)
    member(app, shop.merchant.tenant_id).enter(browser_page, address)
    visit(browser_page, f"{address}/home", "home")
    visit(browser_page, f"{address}/orders", "orders")
    for at in (0, 2, 11, 38):
        visit(browser_page, f"{address}/orders/{shop.placed[at]['id']}", f"order-{at}")


def test_the_entry_form_fits_and_can_be_read(
    browser_page: Page, app: Flask, serve: Callable[[Flask], str], shop: Shop
) -> None:
    address = serve(app)
    member(app, shop.merchant.tenant_id).enter(browser_page, address)
    browser_page.goto(f"{address}/orders/new")
    browser_page.fill("#look-up", "marisol")
    browser_page.click("button.menu-a >> text=Marisol Vega")
    for text in ("wool", "walnut", "GC-DIG", "kettle"):
        browser_page.fill("#find", text)
        browser_page.keyboard.press("Enter")
        browser_page.wait_for_load_state()
    browser_page.fill("#find", "linen")
    browser_page.locator("#item-2").wait_for()
    assert faults(browser_page, "new-order") == []


def test_a_phone_order_from_the_call_to_the_buyers_page(
    browser_page: Page, app: Flask, serve: Callable[[Flask], str], shop: Shop
) -> None:
    """Typed by keyboard, placed, shipped by the provider, late, announced, answered by the buyer."""
    address = serve(app)
    page, merchant = browser_page, shop.merchant
    member(app, merchant.tenant_id, "agent", "Dana Whitlock").enter(page, address)
    page.goto(f"{address}/home")
    page.keyboard.press("Alt+n")
    page.wait_for_url("**/orders/new")
    page.keyboard.press("Alt+1")
    page.keyboard.type("ellen@exam")
    page.locator("button.menu-a", has_text="Ellen Brandt").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("text=Known customer").wait_for()
    page.keyboard.press("Alt+2")
    page.keyboard.type("wool")
    page.keyboard.press("Enter")
    page.locator("text=Wool throw, moss").first.wait_for()
    page.keyboard.press("Alt+2")
    page.keyboard.type("kettle")
    page.keyboard.press("Enter")
    page.locator("text=Copper kettle, 1.8 L").first.wait_for()
    page.fill("#quantity-0", "2")
    page.locator(".ledger", has_text="$402.00").wait_for()
    page.check("[name=agreed]")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/orders/0*")
    merchant.drain()
    page.reload()
    assert "3 units" in page.inner_text("main") or "2 in work" in page.inner_text("main")
    order_id = page.url.rsplit("/", 1)[-1]
    work = merchant.ok("GET", f"/orders/{order_id}")["fulfillment_orders"][0]
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance", {})
    shop.ship(work)
    merchant.drain()
    page.reload()
    assert "In balance: taken" in page.inner_text("main")
    page.click("text=Send delay notice")
    page.click("text=Preview the notice")
    page.locator("text=We are unable to say how long the delay will be.").wait_for()
    screenshot(page, "delay-notice")
    page.click("text=Send the notice")
    page.wait_for_url("**/orders/0*")
    merchant.drain()
    page.reload()
    assert "Delay notice sent" in page.inner_text("main")
    buyers_page = page.get_attribute('a:has-text("Buyer\'s page")', "href")
    assert buyers_page is not None
    answer_as_the_buyer(page, address + "/o/" + buyers_page.rsplit("/", 1)[-1])
    merchant.drain()
    shown = merchant.ok("GET", f"/orders/{order_id}")
    assert shown["status"] == "closed"
    assert [line["cancelled"] for line in shown["lines"]] == [0, 1]


def answer_as_the_buyer(page: Page, address: str) -> None:
    """On a phone, with script switched off, the buyer cancels what is late."""
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    phone = context.new_page()
    phone.goto(address)
    screenshot(phone, "buyer-phone")
    phone.click("text=Cancel and refund me")
    phone.wait_for_url("**/o/*")
    assert "You canceled Copper kettle" in phone.inner_text("main")
    screenshot(phone, "buyer-phone-after")
    context.close()
