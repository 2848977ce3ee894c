"""The pages of notices in a real browser: they fit, can be read in both themes, and a wording is edited and used."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from infra.settings import Settings
from tests.browser import visit
from tests.notices.test_delivery import fetch, late, settings
from tests.outside import Inbox
from tests.portal import member
from tests.shop import Shop

pytestmark = pytest.mark.browser


@pytest.fixture
def scene(shop: Shop, inbox: Inbox, in_force: Settings) -> UUID:
    """A letter that waits, a question to read, and a message that reached nobody; returns the first one's order."""
    settings(shop, channels=["email", "post"])
    late(shop, "reject@browser.example")
    order, _ = late(shop, "asks@browser.example")
    shop.merchant.drain()
    inbox.answer("asks@browser.example", "When exactly will it come?\n\nI need it by Christmas.")
    settings(shop, channels=["email"])
    lost, _ = late(shop, "reject2@browser.example")
    fetch(shop, in_force)
    assert lost["id"] != order["id"]
    return UUID(lost["id"])


def test_the_pages_fit_and_can_be_read(
    browser_page: Page, app: Flask, serve: Callable[[Flask], str], shop: Shop, scene: UUID
) -> None:
    address = serve(app)
    member(app, shop.tenant_id).enter(browser_page, address)
    for name, path in {
        "settings": "/settings/notices",
        "wording": "/settings/notices/delay/en",
        "spanish": "/settings/notices/delay/es",
        "letters": "/letters",
        "exceptions": "/exceptions",
        "order": f"/orders/{scene}?tab=messages",
    }.items():
        visit(browser_page, f"{address}{path}", f"notices-{name}")


def test_a_wording_is_edited_seen_kept_and_used(
    browser_page: Page, app: Flask, serve: Callable[[Flask], str], shop: Shop
) -> None:
    address = serve(app)
    member(app, shop.tenant_id).enter(browser_page, address)
    page = browser_page
    page.goto(f"{address}/settings/notices/delay/en")
    body = page.get_by_label("Message", exact=True)
    written = body.input_value()
    body.fill(written.replace("{{ silence }}", ""))
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("The message lacks: meaning of silence")).to_be_visible()
    page.get_by_label("Message", exact=True).fill(written.replace("we are sorry.", "we are truly sorry."))
    page.get_by_role("button", name="Preview").click()
    frame = page.frame_locator("iframe[title='The message as email']")
    expect(frame.get_by_text("we are truly sorry.")).to_be_visible()
    page.get_by_role("button", name="Keep as a new version").click()
    page.get_by_role("button", name="Use it").first.click()
    expect(page.get_by_text("Version 1 is in force.")).to_be_visible()
