"""The pages of rate cards: what they show, and a form that goes through the API's own verb."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask

from tests.counting import cost
from tests.factories import Merchant
from tests.portal import Desk, member

FORM = {
    "code": "GROUND",
    "name": "Ground, commercial",
    "carrier": "USPS",
    "service": "Ground Advantage",
    "zone_by": "zip3",
    "zone_miles": "150, 600.5",
    "transit_days": "2, 3, 5",
    "dim_divisor": "166",
    "dim_unit": "in3_per_lb",
    "dim_over": "1728",
    "fuel_percent": "12.25 %",
    "surcharges": "home 1.20 residential\nheavy 15 weight_over_g 22680\n\nlabel 0.05",
}
PRICES = [
    {"weight_g": 454 * at, "amounts": [500 + at, 600 + at, None if at > 1 else 700]} for at in range(1, 31)
]


@pytest.fixture
def desk(app: Flask, merchant: Merchant) -> Desk:
    return member(app, merchant.tenant_id)


def test_without_a_card_the_page_says_what_to_do_next(desk: Desk):
    page = desk.read("/network/rate-cards")
    assert "No rate card yet" in page
    assert "/network/rate-cards/new" in page
    assert "/network/rate-cards" in desk.read("/network")


def test_the_form_makes_a_card_as_the_api_does_and_keeps_its_prices(desk: Desk, merchant: Merchant):
    answer = desk.post("/network/rate-cards/new", "/network/rate-cards/new", **FORM)
    assert (answer.status_code, answer.location) == (303, "/network/rate-cards/GROUND")
    made = merchant.ok("GET", "/rate-cards/GROUND")
    assert made["surcharges"] == [
        {"code": "home", "amount": 120, "when": "residential", "value": None},
        {"code": "heavy", "amount": 1500, "when": "weight_over_g", "value": 22680},
        {"code": "label", "amount": 5, "when": "always", "value": None},
    ]
    assert (made["fuel_percent"], made["zone_miles"], made["transit_days"]) == (
        12.25,
        [150, 600.5],
        [2, 3, 5],
    )
    body = {
        name: made[name] for name in ("name", "carrier", "service", "zone_by", "zone_miles", "transit_days")
    }
    merchant.ok("PUT", "/rate-cards/GROUND", body | {name: made[name] for name in REST} | {"prices": PRICES})
    before = merchant.ok("GET", "/rate-cards/GROUND")
    form = desk.read("/network/rate-cards/GROUND/edit")
    sent = {
        name: shown(form, name)
        for name in ("zone_miles", "transit_days", "dim_divisor", "dim_over", "fuel_percent")
    }
    assert (
        shown(form, "surcharges")
        == "home 1.20 residential\nheavy 15.00 weight_over_g 22680\nlabel 0.05 always"
    )
    saved = desk.post("/network/rate-cards/GROUND/edit", "/network/rate-cards", **(FORM | sent))
    assert saved.status_code == 303
    assert merchant.ok("GET", "/rate-cards/GROUND") == before


REST = ("dim_divisor", "dim_unit", "dim_over", "fuel_percent", "surcharges")


def shown(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"|name="{name}"[^>]*>([^<]*)</textarea>', page)
    assert found is not None, name
    return found[1] if found[1] is not None else found[2]


def test_a_card_shows_its_prices_and_who_ships_by_it(desk: Desk, merchant: Merchant):
    card = {"name": "Ground", "zone_miles": [150, 600], "transit_days": [2, 3, 5], "prices": PRICES}
    merchant.ok("PUT", "/rate-cards/GROUND", card)
    merchant.node("RENO", name="Reno warehouse", rate_card="GROUND")
    page = desk.read("/network/rate-cards/GROUND")
    for words in (
        "$5.01",
        "$7.00",
        "1 lb",
        "30.03 lb",
        "to 150 mi",
        "over 600 mi",
        "5 days",
        "Reno warehouse",
    ):
        assert words in page
    assert "20 of 30 weight steps" in page
    assert "2 lb" in desk.read("/network/rate-cards/GROUND?all=")
    assert "Show all of them" not in desk.read("/network/rate-cards/GROUND?all=")
    assert "rate-cards/GROUND" in desk.read("/network/nodes/RENO")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "Enter a name"),
        ({"code": ""}, "Enter a code"),
        ({"code": "TAKEN"}, "TAKEN is there already."),
        ({"zone_by": "moon"}, "Choose one of the list."),
        ({"zone_miles": "600, 150"}, "from near to far"),
        ({"zone_miles": "far"}, "Write miles from near to far"),
        ({"zone_miles": ""}, "where the file of zones says nothing"),
        ({"transit_days": "2.5"}, "Write whole days"),
        ({"fuel_percent": "much"}, "Enter a percentage from 0 to 100, such as 12.5."),
        ({"fuel_percent": "101"}, "Enter a percentage from 0 to 100, such as 12.5."),
        ({"fuel_percent": "12.255"}, "at most two decimals"),
        ({"dim_divisor": "0"}, "Enter a whole number"),
        ({"surcharges": "home"}, "Write code, amount and when"),
        ({"surcharges": "home 1.20 sometimes"}, "Write code, amount and when"),
        ({"surcharges": "home 1.20 weight_over_g"}, "Send the value"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_entries_stay(
    desk: Desk, merchant: Merchant, change: dict, words: str
):
    merchant.ok("PUT", "/rate-cards/TAKEN", {"name": "Taken"})
    answer = desk.post("/network/rate-cards/new", "/network/rate-cards/new", **(FORM | change))
    assert answer.status_code == 422
    assert words in answer.text
    assert 'class="field-error"' in answer.text
    assert "Ground Advantage" in answer.text
    assert merchant.get("/rate-cards/GROUND").status_code == 404


def test_prices_come_from_a_file_chosen_on_the_cards_page(desk: Desk, merchant: Merchant):
    merchant.ok("PUT", "/rate-cards/GROUND", {"name": "Ground", "zone_miles": [150]})
    link = re.search(r'href="(/imports/new\?[^"]+)"', desk.read("/network/rate-cards/GROUND"))
    assert link is not None
    form = desk.read(link[1].replace("&amp;", "&"))
    assert 'name="rate_card" value="GROUND"' in form
    assert re.search(r'value="rate_card" selected', form)
    file = (io.BytesIO(b"weight_lb,zone_1_cents,zone_2_cents\n1,500,600\n2,700,800\n"), "prices.csv")
    sent = desk.post("/imports/new", "/imports/new", kind="rate_card", rate_card="GROUND", file=file)
    assert sent.status_code == 303
    chosen = desk.read(sent.location)
    assert re.search(r'value="usps" selected', chosen)
    assert re.search(r'value="GROUND" selected', chosen)
    path = sent.location.partition("?")[0]
    nobody = desk.post(path, path, mapping="usps", rate_card="")
    assert (nobody.status_code, "code of a rate card" in nobody.text) == (422, True)
    assert desk.post(path, path, mapping="usps", rate_card="GROUND").status_code == 303
    merchant.drain()
    assert "Rate card" in desk.read(path)
    assert merchant.ok("GET", "/rate-cards/GROUND")["prices"][1] == {"weight_g": 907, "amounts": [700, 800]}


def test_pages_cost_the_same_however_many_cards_there_are(desk: Desk, merchant: Merchant):
    merchant.ok("PUT", "/rate-cards/A", {"name": "A", "prices": PRICES})
    paths = ("/network/rate-cards", "/network/rate-cards/A")
    few = [cost(lambda path=path: desk.read(path)) for path in paths]
    for code in "BCDEF":
        merchant.ok("PUT", f"/rate-cards/{code}", {"name": code, "prices": PRICES})
        merchant.node(rate_card="A")
    assert [cost(lambda path=path: desk.read(path)) for path in paths] == few
    assert max(few) <= 9


def test_each_sees_and_does_what_is_theirs(app: Flask, merchant: Merchant, other_merchant: Merchant):
    merchant.ok("PUT", "/rate-cards/MINE", {"name": "My card"})
    stranger = member(app, other_merchant.tenant_id)
    assert "My card" not in stranger.read("/network/rate-cards")
    assert stranger.client.get("/network/rate-cards/MINE").status_code == 404
    agent = member(app, merchant.tenant_id, "agent")
    assert "Add rate card" not in agent.read("/network/rate-cards")
    assert agent.post("/network/rate-cards/MINE/edit", "/network", **FORM).status_code == 403
    assert merchant.ok("GET", "/rate-cards/MINE")["name"] == "My card"
