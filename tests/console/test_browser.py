"""The console in a real browser: it fits, it can be read, it is dark at the side, an act asks for a reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser import (
    THEMES,
    set_theme,
    visit,
)
from tests.console.conftest import COOKIE, operator_desk
from tests.factories import new_merchant
from tests.portal import Shop

pytestmark = pytest.mark.browser
SIDE = "getComputedStyle(document.querySelector('.side')).backgroundColor"


@pytest.fixture(scope="module")
def shop(app: Flask) -> Shop:
    made = Shop(new_merchant(app, "Juniper Outfitters"), orders=14)
    made.ship_some(4)
    return made


def test_pages_fit_and_can_be_read(
    browser_page: Page, app: Flask, serve: Callable[[Flask], str], shop: Shop, give_up: Callable[..., object]
) -> None:
    tenant = shop.merchant.tenant_id
    give_up(tenant, "notice.queued", "SMTPServerDisconnected: Connection unexpectedly closed by mail.example")
    give_up(tenant, "payment.ask", "ProcessorUnreachable: no answer within 20 s")
    address, desk = serve(app), operator_desk(app)
    browser_page.context.add_cookies([{"name": COOKIE, "value": desk.token, "url": address}])
    for name, path in {
        "overview": "",
        "tenants": "/tenants",
        "tenant": f"/tenants/{tenant}",
        "queues": "/queues",
        "integrity": f"/integrity?check=1&tenant={tenant}",
        "incidents": "/incidents",
    }.items():
        visit(browser_page, f"{address}/console{path}", f"console-{name}")
    for theme in THEMES:
        set_theme(browser_page, theme)
        assert browser_page.evaluate(SIDE) == "rgb(35, 33, 29)", "the side bar is dark in both themes"


def test_an_act_asks_for_its_reason_first(
    browser_page: Page, app: Flask, serve: Callable[[Flask], str], shop: Shop, give_up: Callable[..., object]
) -> None:
    tenant = shop.merchant.tenant_id
    give_up(tenant, "webhook.received", "ValueError: no such event")
    address, desk = serve(app), operator_desk(app)
    browser_page.context.add_cookies([{"name": COOKIE, "value": desk.token, "url": address}])
    browser_page.goto(f"{address}/console/tenants/{tenant}")
    browser_page.get_by_role("button", name="Discard webhook.received").first.click()
    dialog = browser_page.get_by_role("dialog", name="Discard webhook.received")
    dialog.get_by_role("button", name="Discard the work").click()
    expect(dialog).to_be_visible()  # the field is required: nothing was sent
    dialog.get_by_label("Reason").fill("Not ours, ticket 4410")
    dialog.get_by_role("button", name="Discard the work").click()
    expect(browser_page.get_by_text("webhook.received is discarded.")).to_be_visible()
    expect(browser_page.get_by_text("Not ours, ticket 4410")).to_be_visible()
