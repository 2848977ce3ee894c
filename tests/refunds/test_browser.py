"""Refunds, compliance and procedures in a real browser: they fit, they can be read, and a check is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.browser import look
from tests.portal import Desk, member
from tests.refunds.test_service import CHECK, dues
from tests.shop import Shop

pytestmark = pytest.mark.browser


def test_what_is_owed_is_seen_and_recorded(
    app: Flask, shop: Shop, browser_page: Page, serve: Callable[[Flask], str]
) -> None:
    orders: list[dict[str, Any]] = [
        shop.order(2, tenders=CHECK),
        shop.order(1, tenders=[{"kind": "external", "reference": "M-1"}]),
        shop.order(2),
    ]
    for order in orders:
        shop.cancel(order)
    [due] = dues(shop, orders[0])
    address, desk = serve(app), member(app, shop.tenant_id)
    desk.enter(browser_page, address)
    for path, name in (
        ("/refunds", "todo"),
        ("/refunds?view=proven", "done"),
        (f"/refunds/{due['id']}", "one"),
        (f"/orders/{orders[0]['id']}", "order"),
        ("/compliance", "report"),
        ("/compliance/procedures", "procedures"),
    ):
        browser_page.goto(f"{address}{path}")
        look(browser_page, f"refunds-{name}")
    record(browser_page, address, due["id"], desk)
    shop.merchant.drain()
    assert dues(shop, orders[0])[0]["state"] == "proven"


def record(page: Page, address: str, due_id: str, desk: Desk) -> None:
    """Fill in the form as a person would."""
    page.goto(f"{address}/refunds/{due_id}")
    page.get_by_label("Sent as").select_option("check")
    page.get_by_role("textbox", name="Number").fill("2207")
    page.get_by_role("button", name="Record it").first.click()
    page.get_by_text("Recorded. The buyer gets the statement.").wait_for()
    assert "2207" in desk.read(f"/refunds/{due_id}")
