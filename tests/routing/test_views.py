"""The Routing page: rules as sentences, drafts that change nothing, trying, activation that loses kindly."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask

from app.routing.documents import default_document, sentences
from app.routing.wording import compared, rules_as_said
from tests.counting import cost
from tests.factories import Merchant
from tests.portal import Desk, member

EDIT = "/routing/edit"
EVERYTHING = {"rule": "0", "0-id": "everything", "0-objective": "fewest_packages_then_nearest"}


@pytest.fixture
def desk(app: Flask, merchant: Merchant) -> Desk:
    return member(app, merchant.tenant_id)


def words(page: str) -> str:
    """A page's text without its elements."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


def two_rules(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Stores keep their shelf",
        "note": "December",
        "source": "1",
        "action": "save",
        "rule": ["0", "1"],
        "0-id": "",
        "0-channels": ["store", "phone"],
        "0-objective": "nearest",
        "0-0-choice": "node.kind|in",
        "0-0-value": "Stores, warehouse",
        "0-1-choice": "node.distance_miles|lte",
        "0-1-value": "500",
        "1-id": "everything",
        "1-objective": "fewest_packages_then_nearest",
        "1-packages": "3",
        "1-complete": "1",
    } | fields


def versions(merchant: Merchant) -> list[tuple[int, str]]:
    return [(one["version"], one["state"]) for one in merchant.ok("GET", "/routing/rules")["data"]]


def test_the_rules_in_force_read_as_the_api_says_them(desk: Desk, merchant: Merchant):
    page = words(desk.read("/routing"))
    assert merchant.ok("GET", "/routing/rules")["data"][0]["sentences"][0] in page
    assert "In force" in words(desk.read("/routing/versions"))


def test_a_draft_is_saved_from_the_form_and_decides_nothing(desk: Desk, merchant: Merchant):
    answer = desk.post(EDIT, EDIT, **two_rules())
    assert (answer.status_code, answer.location) == (303, "/routing?version=2")
    assert versions(merchant) == [(2, "draft"), (1, "active")]
    draft = merchant.ok("GET", "/routing/rules")["data"][0]
    assert draft["note"] == "December"
    assert draft["document"]["strategies"] == [
        {
            "id": "rule-1",
            "when": {"channel": ["store", "phone"]},
            "filters": [
                {"id": "filter-1", "field": "node.kind", "op": "in", "value": ["store", "warehouse"]},
                {"id": "filter-2", "field": "node.distance_miles", "op": "lte", "value": 500},
            ],
            "objective": "nearest",
            "split": {"max_packages": None, "ship_complete": False},
            "on_none": "backorder",
        },
        {
            "id": "everything",
            "filters": [],
            "objective": "fewest_packages_then_nearest",
            "split": {"max_packages": 3, "ship_complete": True},
            "on_none": "backorder",
        },
    ]
    page = words(desk.read("/routing?version=2"))
    assert "v2 differs from v1 in 2 rules." in page
    assert "Added" in page
    assert "Edited" in page
    assert "v1: choose the fewest packages" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Give these rules a name"),
        ({"0-channels": []}, "those below it are never reached"),
        ({"1-channels": ["web"]}, "The last rule must be for every order."),
        ({"1-packages": "many"}, "Enter a whole number from 1 to 100"),
        ({"0-packages": "2"}, "Leave this empty."),
        ({"0-0-value": "boats"}, "is not possible here"),
        ({"0-1-value": "far"}, "Must be a number"),
        ({"0-0-choice": ""}, "Choose what this filter looks at."),
        ({"1-objective": "cheapest"}, "is not possible here"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_saved(
    desk: Desk, merchant: Merchant, fields: dict, said: str
):
    answer = desk.post(EDIT, EDIT, **two_rules(**fields))
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert 'class="field-error"' in answer.text
    assert 'value="500"' in answer.text or "0-1-value" in fields
    assert versions(merchant) == [(1, "active")]


def test_rules_are_checked_moved_added_and_taken_away_without_saving(desk: Desk, merchant: Merchant):
    checked = desk.post(EDIT, EDIT, **two_rules(action="check"))
    assert "These rules are in order." in checked.text
    assert "When the channel is store or phone: use only stores and warehouses" in words(checked.text)
    moved = desk.post(EDIT, EDIT, **two_rules(action="down-0"))
    assert re.findall(r'name="\d-id" value="([^"]*)"', moved.text) == ["everything", "rule-1"]
    dragged = desk.post(EDIT, EDIT, **two_rules(action="remove-0", rule=["1", "0"]))
    assert re.findall(r'name="\d-id" value="([^"]*)"', dragged.text) == ["everything"]
    added = desk.post(EDIT, EDIT, **two_rules(action="add-rule"))
    assert re.findall(r'name="\d-id" value="([^"]*)"', added.text) == ["rule-1", "rule-2", "everything"]
    assert versions(merchant) == [(1, "active")]


def shop(merchant: Merchant) -> str:
    sku = merchant.sku("LAMP", title="Lamp")
    merchant.stock(merchant.node("NEAR", "83702", "ID", name="Boise store", kind="store"), sku, 2)
    merchant.stock(merchant.node("FAR", "33101", "FL", name="Miami"), sku, 9)
    return sku


def test_trying_a_basket_decides_on_todays_stock_and_writes_nothing(desk: Desk, merchant: Merchant):
    shop(merchant)
    before = merchant.ok("GET", "/stock")
    page = words(desk.read("/routing?lines=LAMP+x+2&zip=83702&channel=web"))
    assert "Ships from Boise store because" in page
    assert "2 × Lamp" in page
    assert "Ships from Miami because it is the only place" in words(
        desk.read("/routing?lines=LAMP+5&zip=83702&channel=web")
    )
    assert merchant.ok("GET", "/stock") == before
    assert merchant.ok("GET", "/orders")["data"] == []


def test_trying_an_unsaved_draft_from_its_form(desk: Desk, merchant: Merchant):
    shop(merchant)
    fields = {"action": "try", "try-lines": "LAMP", "try-zip": "83702", "try-channel": "web"}
    rule = {"name": "No stores", "0-0-choice": "node.kind|not_in", "0-0-value": "store"}
    answer = desk.post(EDIT, EDIT, **(EVERYTHING | rule | fields))
    assert answer.status_code == 200
    assert "Ships from Miami because" in words(answer.text)
    assert "Ruled out by filter filter-1: kind is store" in words(answer.text)
    assert versions(merchant) == [(1, "active")]


def test_trying_an_order_counts_its_own_reservations_as_free(desk: Desk, merchant: Merchant):
    sku = shop(merchant)
    number = merchant.order((sku, 2))["number"]
    assert "Ships from Miami" in words(desk.read("/routing?lines=LAMP+x+2&zip=83702&channel=web"))
    assert "Ships from Boise store" in words(desk.read(f"/routing?order={number}"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("order=nonsense", "Enter an order's number such as K-10482."),
        ("order=K-999999999", "No order K-999999999"),
        ("lines=NOWHERE&zip=83702", "There is no SKU NOWHERE."),
        ("lines=LAMP", "Enter where it goes"),
        ("zip=83702", "Enter at least one item."),
        ("lines=%00&zip=83702&channel=%00", "Enter at least one item."),
    ],
)
def test_a_trial_that_cannot_be_says_why(desk: Desk, query: str, said: str):
    assert said in html.unescape(desk.client.get(f"/routing?{query}").text)


def test_activating_rolling_back_and_undoing(desk: Desk, merchant: Merchant):
    desk.post(EDIT, EDIT, **two_rules())
    answer = desk.post("/routing/versions/2/activation", "/routing?version=2", replaces="1")
    assert answer.status_code == 303
    assert versions(merchant) == [(2, "active"), (1, "retired")]
    assert "/routing/versions/1/return/2" in desk.read("/routing")
    assert "Roll back" in desk.read("/routing/versions")
    assert desk.post("/routing/versions/1/activation", "/routing/versions", replaces="2").status_code == 303
    assert versions(merchant) == [(2, "retired"), (1, "active")]
    assert desk.post("/routing/versions/2/return/1", "/routing").status_code == 303
    assert versions(merchant) == [(2, "active"), (1, "retired")]


def test_a_lost_activation_is_told_kindly_with_the_way_on(desk: Desk, merchant: Merchant):
    desk.post(EDIT, EDIT, **two_rules())
    desk.post(EDIT, EDIT, **two_rules(name="Another"))
    assert desk.post("/routing/versions/2/activation", "/routing?version=2", replaces="1").status_code == 303
    lost = desk.post("/routing/versions/3/activation", "/routing?version=3", replaces="1")
    assert lost.status_code == 409
    assert "v3 was not activated." in lost.text
    assert "Compare with v2" in lost.text
    assert 'name="replaces" value="2"' in lost.text
    assert versions(merchant) == [(3, "draft"), (2, "active"), (1, "retired")]


def test_json_is_shown_only_when_asked(desk: Desk):
    before, asked = desk.read("/routing").split("Show as JSON")
    assert "strategies" not in before
    assert "strategies" in asked


def test_a_page_costs_the_same_however_much_is_on_it(desk: Desk, merchant: Merchant):
    sku = shop(merchant)
    paths = ("/routing", "/routing/versions", EDIT, "/routing?lines=LAMP&zip=83702")
    few = [cost(lambda path=path: desk.read(path)) for path in paths]
    for at in range(5):
        merchant.order((sku, 1))
        merchant.ok("POST", "/routing/rules", {"document": default_document(), "note": str(at)})
    many = [cost(lambda path=path: desk.read(path)) for path in paths]
    assert many == few
    assert max(many) <= 18


def test_each_sees_and_does_what_is_theirs(app: Flask, merchant: Merchant, other_merchant: Merchant):
    merchant.ok("POST", "/routing/rules", {"document": default_document() | {"name": "Mine alone"}})
    stranger = member(app, other_merchant.tenant_id)
    assert stranger.client.get("/routing?version=2").status_code == 404
    assert stranger.post("/routing/versions/2/activation", "/routing", replaces="1").status_code == 404
    analyst = member(app, merchant.tenant_id, "analyst")
    assert "Edit rules" not in analyst.read("/routing")
    assert analyst.client.get(EDIT).status_code == 403
    assert analyst.post("/routing/versions/2/activation", "/routing", replaces="1").status_code == 403
    assert versions(merchant) == [(2, "draft"), (1, "active")]


def test_pieces_of_a_sentence_are_the_sentence():
    document = default_document()
    when = {"all": [{"channel": ["web"]}, {"not": {"field": "order.units", "op": "gt", "value": 9}}]}
    filters = [
        {"id": "a", "field": "node.kind", "op": "in", "value": ["store"]},
        {"id": "b", "field": "node.region", "op": "not_in", "value": ["HI", "AK"]},
    ]
    first = {"id": "w", "when": when, "filters": filters, "split": {"max_packages": 2, "ship_complete": True}}
    document["strategies"].insert(0, first)
    said = rules_as_said(document)
    assert ["".join(piece for piece, _ in rule.pieces) for rule in said] == sentences(document)
    other = {
        "name": "x",
        "strategies": [document["strategies"][0], {**first, "id": "v"}, document["strategies"][1]],
    }
    marked, gone = compared(document, other, "v1")
    assert [rule.mark for rule in marked] == ["", ""]
    assert len(gone) == 1
