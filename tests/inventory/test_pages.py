"""The pages of supply in a real browser: they fit, they can be read, and they work with and without script."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.browser import visit
from tests.factories import Merchant
from tests.portal import Desk, Shop, member

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
    merchant.ok("PUT", "/rate-cards/GROUND", CARD)
    reno = merchant.ok("GET", "/nodes/RENO")
    kept = {name: value for name, value in reno.items() if name not in ("node", "code")}
    merchant.ok("PUT", "/nodes/RENO", kept | FACTS)
    merchant.ok("POST", "/routing/rules", {"document": RULES, "note": "Stores keep their shelf in December"})
    merchant.ok("POST", "/routing/rules/2/simulation", {"weeks": 2})
    merchant.ok("PUT", "/allotments", {"allotments": HELD})
    ask_a_person(merchant)
    merchant.drain()
    return shop


def ask_a_person(merchant: Merchant) -> None:
    """Telephone orders that no node can send wait for a decision; here is one."""
    strategy = {"id": "ask", "on_none": "queue", "fallback": {"then": "queue"}}
    document = {"name": "Ask a person", "scope": "phone", "strategies": [strategy]}
    version = merchant.ok("POST", "/routing/rules", {"document": document})["version"]
    merchant.ok("POST", f"/routing/rules/{version}/activation", {"replaces": None})
    sku = merchant.sku("NOWHERE", title="Quilted bedspread with a name that is rather long, king size")
    merchant.order((sku, 3), channel="phone", tenders=[{"kind": "terms"}])


HELD = [
    {"channel": "marketplace", "sku": "CAN-BWX-2", "node": "RENO", "units": 25},
    {"channel": "phone", "share_percent": 5},
    {"channel": "web", "units": 0, "borrow": True},
]


CARD = {
    "name": "Ground, commercial",
    "carrier": "USPS",
    "service": "Ground Advantage",
    "zone_by": "zip3",
    "zone_miles": [50, 150, 300, 600, 1000, 1400, 1800],
    "transit_days": [2, 2, 2, 3, 3, 4, 4, 5],
    "dim_divisor": 166,
    "dim_over": 1728,
    "fuel_percent": 8.5,
    "surcharges": [
        {"code": "home", "amount": 120, "when": "residential"},
        {"code": "heavy", "amount": 1500, "when": "weight_over_g", "value": 22680},
    ],
    "prices": [
        {
            "weight_g": round(pounds * 453.59237),
            "amounts": [700 + 9 * zone * zone + pounds * (18 + 7 * zone) for zone in range(1, 8)]
            + [None if pounds > 50 else 1400 + pounds * 80],
        }
        for pounds in range(1, 71)
    ],
}
FACTS = {
    "rate_card": "GROUND",
    "capacity_per_hour": 90,
    "handling_minutes": 120,
    "cutoff": "16:00",
    "cutoffs": {"Next day": "12:30", "Ground Advantage": "15:15"},
    "calendar": {
        "open_days": ["mon", "tue", "wed", "thu", "fri"],
        "hours": {day: ["07:00", "18:00"] for day in ("mon", "tue", "wed", "thu")}
        | {"fri": ["07:00", "14:00"]},
        "holidays": "us_federal",
    },
    "capabilities": ["hazard", "gift_wrap", "engraving"],
    "zones": [
        {
            "country": "US",
            "regions": ["NV", "CA", "OR", "WA", "ID", "UT", "AZ"],
            "zip_prefixes": ["967", "968"],
        },
        {"country": "CA"},
    ],
}
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
    [run] = merchant.ok("GET", "/routing/simulations")["data"]
    held = re.search(r"allotments\?edit=[0-9a-f-]+", desk.read("/inventory/allotments"))
    order = next(one for one in merchant.ok("GET", "/orders?limit=50")["data"] if one["number"] != "K-1001")
    assert held is not None
    return {
        "catalog": "/catalog",
        "catalog-sku": "/catalog/skus/CAN-BWX-2",
        "catalog-kit": "/catalog/skus/KIT-TABLE",
        "catalog-new": "/catalog/new?kind=kit",
        "network": "/network",
        "network-node": "/network/nodes/RENO",
        "network-edit": "/network/nodes/RENO/edit",
        "network-cards": "/network/rate-cards",
        "network-card": "/network/rate-cards/GROUND",
        "network-card-edit": "/network/rate-cards/GROUND/edit",
        "inventory": "/inventory",
        "inventory-position": f"/inventory/positions/{found[0]['id']}",
        "inventory-adjust": "/inventory/adjust?sku=CAN-BWX-2&node=RENO",
        "inventory-cases": "/inventory/cases",
        "allotments": f"/inventory/{held[0]}",
        "exceptions": "/exceptions",
        "order-why": f"/orders/{order['id']}?why=all",
        "what-if": f"/routing/what-if/{run['id']}",
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
    for name, path in pages_of(desk, merchant).items():
        visit(browser_page, address + path, name)


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
