"""A supplier slips: a merchant sees it on the board, reads what buyers will read, and tells all of them by one act."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app.promises import revisions
from infra.clock import real_now
from tenants.scope import inside
from tests.browser import look, visit
from tests.factories import new_merchant
from tests.portal import Shop, member

pytestmark = pytest.mark.browser


def test_a_supplier_slips(browser_page: Page, app: Flask, serve: Callable[[Flask], str]) -> None:
    shop = Shop(new_merchant(app), 22)
    shop.ship_some(4)
    merchant, page, address = shop.merchant, browser_page, serve(app)
    member(app, merchant.tenant_id).enter(page, address)
    proposed(shop)
    visit(page, f"{address}/promises", "promises")
    page.goto(f"{address}/promises?view=to_decide")
    expect(page.get_by_role("button", name="Send the notice of")).not_to_have_count(0)
    visit(page, f"{address}/promises?view=to_decide", "promises-to-decide")
    visit(page, f"{address}/promises/calendar", "promises-calendar")
    page.goto(f"{address}/promises?view=at_risk")
    page.locator("input[data-select]").first.check()
    page.get_by_role("button", name="Change the date").click()
    expect(page.locator("body")).to_contain_text("1 chosen line")
    page.goto(f"{address}/promises/revision")
    page.locator("#sku").press_sequentially("wal-brd")
    expect(page.locator("#codes option[value='WAL-BRD-ENG']")).to_have_count(1)
    page.fill("#sku", "WAL-BRD-ENG")
    page.fill("#ship_by", (real_now() + timedelta(days=45)).date().isoformat())
    page.fill("#reason", "The workshop's saw broke.")
    page.get_by_role("button", name="Preview").click()
    send = page.get_by_role("button", name="Send ")
    expect(send).to_be_visible()
    expect(page.locator("body")).to_contain_text("The workshop's saw broke.")
    look(page, "promises-revision")
    send.click()
    page.wait_for_url("**/promises?sku=WAL-BRD-ENG")
    expect(page.locator("body")).to_contain_text("on the way")
    merchant.drain()
    with inside(merchant.tenant_id) as scope:
        asked = scope.rows(
            "SELECT p.order_id FROM promises p JOIN order_lines l ON l.tenant_id = :tenant AND l.id = p.order_line_id"
            " WHERE p.tenant_id = :tenant AND l.sku = 'WAL-BRD-ENG' AND p.state LIKE 'wait%'"
        )
    page.goto(f"{address}/promises?view=waiting")
    expect(page.locator("table.dt tbody tr")).to_have_count(len(asked))
    assert asked
    visit(page, f"{address}/orders/{asked[0].order_id}", "promises-order")


def proposed(shop: Shop) -> None:
    """Kept learns that orders which are due in weeks ship five days late, and asks a person."""
    with inside(shop.merchant.tenant_id) as scope:
        scope.execute(
            """UPDATE tenants SET settings = '{"notices": {"delay": "approve"}}' WHERE tenant_id = :tenant"""
        )
        late = scope.rows(
            "UPDATE promises SET expected_ship_at = deadline + interval '5 days' WHERE tenant_id = :tenant"
            " AND deadline > :soon AND state = 'open' RETURNING order_id",
            soon=scope.now() + timedelta(days=15),
        )
    for order in sorted({row.order_id for row in late}):
        with inside(shop.merchant.tenant_id) as scope:
            revisions.review(scope, order)
    shop.merchant.drain()
