"""The merchant's pages in a real browser: they fit, they can be read, and the day's work can be done on them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.browser import (
    SIZES,
    browser_page,
    contrast_faults,
    nameless,
    overflow,
    resize,
    screenshot,
    serve,
    set_theme,
)
from tests.factories import Merchant, new_merchant
from tests.portal import Shop, member

__all__ = ["browser_page", "serve"]
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


def look(page: Page, address: str, name: str) -> None:
    """A page in every size and theme: it fits, can be read, and everything on it has a name."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200, page.inner_text("body")
    for theme in ("light", "dark"):
        set_theme(page, theme)
        for size in SIZES:
            resize(page, size)
            screenshot(page, f"{name}-{size}-{theme}")
            assert overflow(page) == 0, f"{name} is too wide at {size}"
            assert contrast_faults(page) == [], f"{name} at {size}, {theme}"
            assert nameless(page) == []
    resize(page, "desk")


def test_pages_fit_and_can_be_read(
    browser_page: Page, app: Flask, serve: Callable[[Flask], str], shop: Shop
) -> None:
    address = serve(app)
    member(app, shop.merchant.tenant_id).enter(browser_page, address)
    look(browser_page, f"{address}/home", "home")
    look(browser_page, f"{address}/orders", "orders")
    for at in (0, 2, 11, 38):
        look(browser_page, f"{address}/orders/{shop.placed[at]['id']}", f"order-{at}")
