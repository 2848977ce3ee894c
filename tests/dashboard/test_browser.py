"""New order in a real browser: what is typed stays, whatever answer arrives meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.browser import Held, wait_until
from tests.factories import Merchant
from tests.portal import member

pytestmark = pytest.mark.browser


@pytest.fixture
def entry(app: Flask, merchant: Merchant, serve: Callable[[Flask], str], browser_page: Page) -> Page:
    """The form of a new order, open in a browser."""
    merchant.drain()
    merchant.stock(merchant.node("RENO", name="Reno"), merchant.sku("APRON", title="Linen apron"), 8)
    address = serve(app)
    member(app, merchant.tenant_id, "agent").enter(browser_page, address)
    browser_page.goto(f"{address}/orders/new")
    return browser_page


def test_what_is_typed_while_an_answer_arrives_is_not_taken_back(entry: Page) -> None:
    page, typed = entry, "**" + (entry.get_attribute("#entry", "action") or "")
    held = Held(page, typed)
    page.fill("[name=name]", "Dana")
    held.wait()  # the name's beginning
    page.fill("[name=name]", "Dana Whitlock")
    page.locator("[name=find]").focus()
    with page.expect_response(typed):
        held.let_go()
    page.fill("[name=find]", "linen")
    page.locator("#entry").get_by_text("Linen apron").wait_for()
    wait_until(page, "!document.querySelector('#entry[aria-busy]')")
    assert page.input_value("[name=name]") == "Dana Whitlock"


def test_a_field_found_wrong_while_one_types_elsewhere_does_not_take_the_focus(entry: Page) -> None:
    page = entry
    page.fill("[name=find]", "apron")
    page.keyboard.press("Enter")
    page.locator("#quantity-0").wait_for()
    page.fill("[name=postal_code]", "83702")
    page.fill("[name=country]", "XX")
    page.locator("[name=name]").focus()
    page.locator("[name=country][aria-invalid=true]").wait_for()
    page.keyboard.type("Dana Whitlock")
    assert page.input_value("[name=name]") == "Dana Whitlock"
