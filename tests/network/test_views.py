"""The network's pages: the map and its table, one node, and the form that goes through the API's own verb."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.network import cells
from tests.counting import cost
from tests.factories import Merchant
from tests.portal import Desk, member

FORM = {
    "code": "RENO",
    "name": "Reno warehouse",
    "kind": "warehouse",
    "line1": "1 Dock Rd",
    "city": "Reno",
    "region": "NV",
    "postal_code": "89501",
    "country": "US",
    "latitude": "",
    "longitude": "",
    "timezone": "",
    "capacity_per_day": "40",
    "handling_per_package": "1.50",
    "handling_per_unit": "",
    "priority": "10",
    "cutoff": "15:00",
    "open_days": ["mon", "tue", "sat"],
    "closed": "2026-12-25\n2027-01-01",
    "capacity_per_hour": "6",
    "handling_minutes": "90",
    "cutoffs": "Next day 12:30\nGround 15:15",
    "hours": "mon-tue 09:00-17:00\nsat 10:00-24:00",
    "holidays": "1",
    "capabilities": ["hazard", "pickup"],
    "own_capabilities": "engraving, oversize",
    "zones": "US: NV, CA, 967*\nCA",
    "rate_card": "GROUND",
    "open": "1",
}


@pytest.fixture
def desk(app: Flask, merchant: Merchant) -> Desk:
    merchant.ok("PUT", "/rate-cards/GROUND", {"name": "Ground"})
    return member(app, merchant.tenant_id)


def test_a_cut_off_in_another_time_zone_says_whose_time_it_is(desk: Desk, merchant: Merchant):
    for code, place in (("RENO", {}), ("NYC", {"postal_code": "10001", "region": "NY"})):
        calendar = {"open_days": ["mon", "tue", "wed", "thu", "fri"], "hours": {"mon": ["08:00", "18:00"]}}
        merchant.node(code, **place, cutoff="16:00", calendar=calendar)
    page = desk.read("/network/nodes/RENO")
    assert ", your time" in page
    assert "Mon 08:00 to 18:00" in page
    assert "your time" not in desk.read("/network/nodes/NYC")


def test_an_empty_network_says_what_to_do_next(desk: Desk):
    page = desk.read("/network")
    assert "No place ships yet" in page
    assert "/network/new" in page


def test_the_map_and_the_table_show_open_work(desk: Desk, merchant: Merchant):
    node = merchant.node("RENO", name="Reno warehouse", capacity_per_day=3)
    sku = merchant.sku()
    merchant.stock(node, sku, 9)
    for _ in range(3):
        merchant.order((sku, 1))
    merchant.drain()
    page = desk.read("/network")
    assert 'aria-label="Reno warehouse: 3 of 3"' in page
    assert "Full" in page
    assert "Reno warehouse" not in desk.read("/network?kind=store")
    assert "Reno warehouse" in desk.read("/network?state=busy")
    assert "Reno warehouse" not in desk.read("/network?state=late")
    assert "No node fits" in desk.read("/network?q=nowhere")


def test_a_page_costs_the_same_however_much_is_on_it(desk: Desk, merchant: Merchant):
    node, sku = merchant.node("FIRST"), merchant.sku()
    merchant.stock(node, sku, 50)
    paths = ("/network", "/network/nodes/FIRST")
    few = [cost(lambda path=path: desk.read(path)) for path in paths]
    for _ in range(9):
        merchant.node()
        merchant.order((sku, 1))
    merchant.provider_key("FIRST")
    merchant.drain()
    many = [cost(lambda path=path: desk.read(path)) for path in paths]
    assert many == few
    assert max(many) <= 13


def test_a_node_shows_its_work_stock_and_who_works_there(desk: Desk, merchant: Merchant):
    node, sku = merchant.node("RENO", cutoff="15:00"), merchant.sku()
    merchant.stock(node, sku, 9)
    order = merchant.order((sku, 2))
    merchant.drain()
    page = desk.read("/network/nodes/RENO")
    assert f"{order['number']}-1" in page
    assert "7 can sell, 2 reserved" in page
    assert "Test provider" in page
    assert "3:00 PM" in page


def test_both_pages_tell_how_a_node_stands(desk: Desk, merchant: Merchant):
    node, sku = (
        merchant.node("RENO", capacity_per_day=5, cutoff="15:00"),
        merchant.sku("LAMP", title="Brass lamp"),
    )
    merchant.stock(node, sku, 9)
    written = {"name": "n", "strategies": [{"id": "s"}], "reroute": {"cool_down_minutes": 600}}
    version = merchant.ok("POST", "/routing/rules", {"document": written})["version"]
    merchant.ok("POST", f"/routing/rules/{version}/activation", {"replaces": 1})
    for _ in range(5):
        merchant.order((sku, 1))
    merchant.drain()
    assert "Full" in desk.read("/network?state=busy")
    provider = merchant.provider
    first, *others = provider.ok("GET", "/fulfillment-orders?request_status=submitted")["data"]
    for work in others:
        provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance", {})
    provider.ok("POST", f"/fulfillment-orders/{first['id']}/rejection", {"reason": "damaged"})
    merchant.drain()
    page = desk.read("/network?state=refuses")
    assert "Refuses 20%" in page
    assert "Rests for 1 item" in page
    assert "4 of 5 packages on" in page
    assert "No node fits" in desk.read("/network?state=closed")
    detail = desk.read("/network/nodes/RENO")
    assert "20%, 1 of 5" in detail
    assert "Brass lamp" in detail
    assert "Damaged" in detail
    assert "4 of 5" in detail


def test_the_form_makes_a_node_as_the_api_does(desk: Desk, merchant: Merchant):
    answer = desk.post("/network/new", "/network/new", **FORM)
    assert (answer.status_code, answer.location) == (303, "/network/nodes/RENO")
    made = merchant.ok("GET", "/nodes/RENO")
    assert made["timezone"] == "America/Los_Angeles"
    assert made["handling_per_package"] == {"amount": 150, "currency": "USD"}
    assert made["calendar"] == {
        "open_days": ["mon", "sat", "tue"],
        "closed": ["2026-12-25", "2027-01-01"],
        "hours": {"mon": ["09:00", "17:00"], "tue": ["09:00", "17:00"], "sat": ["10:00", "24:00"]},
        "holidays": "us_federal",
    }
    assert made["cutoffs"] == {"Next day": "12:30", "Ground": "15:15"}
    assert made["capabilities"] == ["engraving", "hazard", "oversize", "pickup"]
    assert made["zones"] == [
        {"country": "US", "regions": ["NV", "CA"], "zip_prefixes": ["967"]},
        {"country": "CA", "regions": [], "zip_prefixes": []},
    ]
    assert (made["capacity_per_hour"], made["handling_minutes"], made["rate_card"]) == (6, 90, "GROUND")
    shown = desk.read("/network/nodes/RENO")
    for words in (
        "Mon to Tue 09:00 to 17:00",
        "Sat 10:00 to 24:00",
        "Next day: 12:30",
        "Hazardous goods",
        "US: NV, CA, 967*",
        "90 minutes",
    ):
        assert words in shown
    assert (made["cutoff"], made["capacity_per_day"], made["priority"]) == ("15:00", 40, 10)
    assert 38 < made["latitude"] < 41


def cells_text(node: dict) -> dict[str, str]:
    """What the form shows of a node's cut-offs, hours and zones."""
    return {
        "cutoffs": cells.cutoffs_text(node["cutoffs"]),
        "hours": cells.hours_text(node["calendar"]["hours"]),
        "zones": cells.zones_text(node["zones"]),
    }


def test_saving_without_a_change_changes_nothing_and_a_move_finds_the_new_place(
    desk: Desk, merchant: Merchant
):
    desk.post("/network/new", "/network/new", **FORM)
    before = merchant.ok("GET", "/nodes/RENO")
    form = desk.read("/network/nodes/RENO/edit")
    for name in ("cutoffs", "hours", "zones"):
        found = re.search(rf'<textarea[^>]* name="{name}"[^>]*>([^<]*)<', form)
        assert found is not None
        assert sorted(found[1].split("\n")) == sorted(cells_text(before)[name].split("\n"))
    kept = {name: str(before[name]) for name in ("latitude", "longitude", "timezone")} | cells_text(before)
    same = FORM | kept
    assert desk.post("/network/nodes/RENO/edit", "/network", **same).status_code == 303
    assert merchant.ok("GET", "/nodes/RENO") == before
    moved = same | {"postal_code": "11215", "region": "NY", "city": "Brooklyn"}
    assert desk.post("/network/nodes/RENO/edit", "/network", **moved).status_code == 303
    assert merchant.ok("GET", "/nodes/RENO")["longitude"] > -75


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "Enter a name"),
        ({"code": ""}, "Enter a code"),
        ({"code": "TAKEN"}, "TAKEN is in the network already."),
        ({"latitude": "north"}, "Enter degrees"),
        ({"latitude": "39.5"}, "Send latitude and longitude together"),
        ({"postal_code": "", "region": "", "city": ""}, "The address tells no place."),
        ({"capacity_per_day": "many"}, "Enter a whole number"),
        ({"handling_per_unit": "a lot"}, "Enter an amount of USD"),
        ({"handling_per_unit": "1,50"}, "Enter an amount of USD"),
        ({"capacity_per_day": "1,5"}, "Enter a whole number"),
        ({"open_days": []}, "Choose at least one day."),
        ({"closed": "Christmas"}, "Write days such as 2026-12-25."),
        ({"cutoff": "25:00"}, "Send local time as HH:MM."),
        ({"country": "usa"}, "Send the two letters of ISO 3166-1"),
        ({"capacity_per_hour": "many"}, "Enter a whole number"),
        ({"handling_minutes": "an hour"}, "Enter a whole number"),
        ({"cutoffs": "Ground at four"}, "Send local time as HH:MM."),
        ({"hours": "mon nine to five"}, "Send local time as HH:MM."),
        ({"hours": "mon 09:00"}, "Send opening and closing"),
        ({"hours": "wed 09:00-17:00"}, "wed is no open day"),
        ({"own_capabilities": "Engraving"}, "Send small letters"),
        ({"zones": "usa: NV"}, "Send the two letters of ISO 3166-1"),
        ({"zones": "US: Nevada"}, "Nevada is no state. Send its two letters, such as NV."),
        ({"hours": "mon 17:00-09:00"}, "Closing comes after opening, such as 09:00 and 17:00."),
        ({"rate_card": "NOBODYS"}, "There is no rate card NOBODYS"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_entries_stay(
    desk: Desk, merchant: Merchant, change: dict, words: str
):
    merchant.node("TAKEN")
    answer = desk.post("/network/new", "/network/new", **(FORM | change))
    assert answer.status_code == 422
    assert words in answer.text
    assert 'class="field-error"' in answer.text
    assert merchant.get("/nodes/RENO").status_code == 404


def test_each_sees_and_does_what_is_theirs(app: Flask, merchant: Merchant, other_merchant: Merchant):
    merchant.node("MINE")
    stranger = member(app, other_merchant.tenant_id)
    assert "MINE" not in stranger.read("/network")
    assert stranger.client.get("/network/nodes/MINE").status_code == 404
    agent = member(app, merchant.tenant_id, "agent")
    assert "Add node" not in agent.read("/network")
    assert agent.client.get("/network/nodes/MINE/edit").status_code == 403
    assert agent.post("/network/nodes/MINE/edit", "/network", **FORM).status_code == 403
    assert merchant.ok("GET", "/nodes/MINE")["name"] == "Node MINE"
