"""The pages of supply in a real browser: they fit, they can be read, and they work with and without script."""

from __future__ import annotations

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
from tests.factories import Merchant
from tests.portal import Desk, Shop, member

__all__ = ["browser_page", "serve"]

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(merchant: Merchant) -> Shop:
    """A busy shop with a kit, damaged units and a count that differs."""
    shop = Shop(merchant)
    shop.ship_some()
    merchant.sku(
        "KIT-TABLE",
        title="Table set",
        kind="kit",
        price={"amount": 8900, "currency": "USD"},
        components=[{"sku": "LIN-APR-SLT", "quantity": 1}, {"sku": "LIN-NAP-OAT", "quantity": 2}],
        attributes={"occasion": "wedding", "fragile": True},
    )
    damaged = {
        "node": "RENO",
        "sku": "ENM-POV-WHT",
        "delta": 3,
        "disposition": "damaged",
        "reason": "Chipped",
    }
    merchant.ok("POST", "/stock/adjustments", damaged)
    lines = [{"sku": "WOL-THR-MOS", "on_hand": 22}]
    merchant.provider.ok("POST", "/stock/counts", {"node": "ATLANTA", "lines": lines})
    merchant.ok("POST", "/routing/rules", {"document": RULES, "note": "Stores keep their shelf in December"})
    return shop


RULES = {
    "name": "Stores keep their shelf",
    "strategies": [
        {
            "id": "counter",
            "when": {"channel": ["store", "phone_app"]},
            "filters": [
                {"id": "near", "field": "node.distance_miles", "op": "lte", "value": 500},
                {"id": "kinds", "field": "node.kind", "op": "in", "value": ["store", "warehouse"]},
            ],
            "objective": "nearest",
        },
        {
            "id": "everything",
            "filters": [{"id": "no-stores", "field": "node.kind", "op": "ne", "value": "store"}],
            "split": {"max_packages": 3, "ship_complete": False},
        },
    ],
}


def pages_of(desk: Desk, merchant: Merchant) -> dict[str, str]:
    found = merchant.ok("GET", "/stock?sku=CAN-BWX-2&node=RENO")["data"]
    return {
        "catalog": "/catalog",
        "catalog-sku": "/catalog/skus/CAN-BWX-2",
        "catalog-kit": "/catalog/skus/KIT-TABLE",
        "catalog-new": "/catalog/new?kind=kit",
        "network": "/network",
        "network-node": "/network/nodes/RENO",
        "network-edit": "/network/nodes/RENO/edit",
        "inventory": "/inventory",
        "inventory-position": f"/inventory/positions/{found[0]['id']}",
        "inventory-adjust": "/inventory/adjust?sku=CAN-BWX-2&node=RENO",
        "inventory-cases": "/inventory/cases",
        "routing": "/routing",
        "routing-tried": "/routing?lines=LIN-APR-SLT+x+2%0AWAL-BRD-ENG%0AWOL-THR-MOS+x+40&zip=83702&channel=web",
        "routing-draft": "/routing?version=2",
        "routing-edit": "/routing/edit?from=2&rule=0",
        "routing-versions": "/routing/versions",
    }


def test_pages_fit_and_can_be_read_in_every_size_and_theme(
    browser_page: Page, serve, app: Flask, shop: Shop, merchant: Merchant
) -> None:
    desk = member(app, merchant.tenant_id)
    address = serve(app)
    desk.enter(browser_page, address)
    faults = []
    for name, path in pages_of(desk, merchant).items():
        browser_page.goto(address + path)
        for theme in ("light", "dark"):
            set_theme(browser_page, theme)
            for size in SIZES:
                resize(browser_page, size)
                screenshot(browser_page, f"{name}-{size}-{theme}")
                if wide := overflow(browser_page):
                    faults.append(f"{name} is {wide} px too wide at {size}")
                faults += [f"{name} {size} {theme}: {fault}" for fault in contrast_faults(browser_page)]
                faults += [f"{name}: no name for {each}" for each in nameless(browser_page)]
    assert faults == []


def test_rules_move_by_the_arrow_keys_and_are_saved_in_that_order(
    browser_page: Page, serve, app: Flask, merchant: Merchant
) -> None:
    document = RULES | {"strategies": [RULES["strategies"][0], RULES["strategies"][0] | {"id": "second"}]}
    document["strategies"].append(RULES["strategies"][1])
    merchant.ok("POST", "/routing/rules", {"document": document})
    desk = member(app, merchant.tenant_id)
    address = serve(app)
    desk.enter(browser_page, address)
    browser_page.goto(address + "/routing/edit?from=2")
    browser_page.locator(".grip").nth(0).focus()
    browser_page.keyboard.press("ArrowDown")
    assert browser_page.inner_text("[data-rules-said]") == "Rule 2 of 3."
    assert browser_page.locator(".rule .ord").all_inner_texts() == ["1", "2", "3"]
    browser_page.click("text=Save draft")
    browser_page.wait_for_url("**/routing?version=3")
    saved = merchant.ok("GET", "/routing/rules")["data"][0]["document"]["strategies"]
    assert [one["id"] for one in saved] == ["second", "counter", "everything"]


def test_choosing_a_kind_shows_its_fields_and_enter_saves(
    browser_page: Page, serve, app: Flask, merchant: Merchant
) -> None:
    merchant.sku("CUP")
    desk = member(app, merchant.tenant_id)
    address = serve(app)
    desk.enter(browser_page, address)
    browser_page.goto(address + "/catalog/new")
    browser_page.fill("#title", "Set of two")
    browser_page.select_option("#kind", "kit")
    browser_page.wait_for_selector("#part-0")
    assert browser_page.input_value("#title") == "Set of two"
    browser_page.fill("#code", "SET")
    browser_page.fill("#price", "19.00")
    browser_page.fill("#part-0", "CUP")
    browser_page.fill("#part-0-quantity", "2")
    browser_page.press("#part-0-quantity", "Enter")
    browser_page.wait_for_url("**/catalog/skus/SET")
    assert merchant.ok("GET", "/skus/SET")["components"] == [{"sku": "CUP", "quantity": 2}]
