"""The rule editor: what is opened and saved says the same; every section, every fault, without script."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.routing import choices, sent
from app.routing.choices import Comparison, amount, number, predicate, typed
from app.routing.documents import default_document, parse, validate
from app.routing.entry import entry_of
from app.routing.faults import faults
from app.routing.policy import Rule
from app.routing.ready import templates
from app.routing.schemas import EXAMPLE
from app.routing.vocabulary import ON_LINES
from tests.factories import Merchant
from tests.portal import Desk, member
from tests.routing.test_sections import WHOLE
from tests.routing.test_views import EDIT, shop, two_rules, versions, words


@pytest.fixture
def desk(app: Flask, merchant: Merchant) -> Desk:
    return member(app, merchant.tenant_id)


FLAG = {"field": "customer.is_business", "op": "eq", "value": False}
SET = {"field": "product.attributes", "op": "has_all", "value": ["fragile", "cold"]}
DATES = {"field": "time.date", "op": "between", "value": ["2026-12-01", "2026-12-24"]}


class Fields(HTMLParser):
    """What a browser without script would send of the editor's form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self.inside = False
        self.select = self.textarea = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "form":
            self.inside = given.get("id") == "rules-form"
        if not self.inside:
            return
        name = given.get("name", "")
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.found.setdefault(name, []).append(given.get("value", ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in given:
            self.found.setdefault(self.select, []).append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.found.setdefault(self.select, [""])
            self.select = ""


def kept(document: dict[str, Any]) -> Rule:
    return replace(parse(document), digest=b"")


DEEP = {"all": [{"not": {"channel": ["web"]}}, {"field": "line.value", "op": "gt", "ref": "order.value"}]}
ODD = {
    **WHOLE,
    "line_routes": [
        {"id": "deep", "when": DEEP, "kinds": ["store"]},
        {"id": "any", "when": {"any": [{"channel": ["web"]}, FLAG, SET, DATES]}, "apart": True},
    ],
    "strategies": [
        {
            "id": "odd",
            "when": {"all": [{"channel": ["web"]}, {"field": "order.weight_g", "op": "gt", "value": 20000}]},
            "filters": [
                {"id": "two", "field": "node.priority", "op": "between", "value": [1, 20]},
                {"id": "old", "field": "node.distance_miles", "op": "lte", "value": 99.5},
                {"id": "one", "field": "node.region", "op": "in", "value": ["NV"]},
                {"id": "deep", "not": {"all": [{"field": "lane.zone", "op": "gt", "value": 5}]}},
                {
                    "id": "many",
                    "any": [
                        {"field": "node.kind", "op": "not_in", "value": ["store", "vendor"]},
                        {"field": "node.open_today", "op": "eq", "value": True},
                    ],
                },
                {"id": "known", "field": "lane.transit_days", "op": "exists", "value": True},
            ],
            "objective": {
                "mode": "score",
                "terms": [{"term": "shipping", "weight": 3}, {"term": "distance", "weight": 1}],
            },
            "split": {"fill_or_kill": True, "ship_complete": True},
        },
        {
            "id": "maybe-homes",
            "when": {"field": "customer.is_business", "op": "ne", "value": True},
            "filters": [
                {"id": "fee", "field": "node.handling_per_package", "op": "between", "value": [0.5, 5]}
            ],
        },
        {"id": "rest", "objective": "priority_then_fewest_nearest"},
    ],
}


@pytest.mark.parametrize(
    "document",
    [WHOLE, EXAMPLE, ODD, *(dict(each.document) for each in templates())],
    ids=lambda each: each["name"],
)
def test_what_is_opened_and_saved_says_the_same(desk: Desk, merchant: Merchant, document: dict[str, Any]):
    version = merchant.ok("POST", "/routing/rules", {"document": document})["version"]
    sent = Fields(desk.read(f"{EDIT}?from={version}")).found
    answer = desk.client.post(EDIT, data={**sent, "action": "save"})
    assert (answer.status_code, answer.location) == (303, f"/routing?version={version + 1}")
    again = merchant.ok("GET", "/routing/rules")["data"][0]
    assert kept(again["document"]) == kept(document)
    assert f"v{version + 1} differs from v1" in desk.read(f"/routing?version={version + 1}") or document == (
        default_document()
    )


def test_a_template_is_where_one_starts(desk: Desk):
    page = desk.read(EDIT)
    assert all(each.about in html.unescape(page) for each in templates())
    assert 'value="Lowest cost"' in desk.read(f"{EDIT}?template=lowest-cost")
    assert desk.client.get(f"{EDIT}?template=nothing").status_code == 404


def whole(**fields: Any) -> dict[str, Any]:
    """A form that fills every section."""
    return two_rules(
        **{
            "scope": "marketplace",
            "route": ["r0"],
            "r0-w0-choice": "product.hazard|known",
            "r0-kinds": ["warehouse"],
            "r0-capabilities": "hazard, cold",
            "r0-apart": "1",
            "0-w0-choice": "order.value|gte",
            "0-w0-value": "$1,250.50",
            "0-match": "any",
            "0-nodes": "RENO, COLUMBUS",
            "0-1-kinds": ["store"],
            "0-value": "15",
            "0-whole": "1",
            "0-beyond": "1",
            "0-wait": "1",
            "0-then": "queue",
            "0-none": "cancel",
            "0-relax-0": ["capacity"],
            "1-objective": "cost",
            "1-t0-term": "shipping",
            "1-t1-term": "distance",
            "1-t1-figure": "0.055",
            "reroute-cycles": "2",
            "reroute-cool_down": "60",
            "reroute-then": "cancel",
            "reroute-damaged-stock": "hold",
            "reroute-damaged-exclude": "sku",
            "release-mode": "window",
            "release-minutes": "45",
            "release-express": "overnight, two-day",
            **fields,
        }
    )


def test_every_section_is_saved_from_the_form(desk: Desk, merchant: Merchant):
    answer = desk.post(EDIT, EDIT, **whole())
    assert answer.status_code == 303
    found = merchant.ok("GET", "/routing/rules")["data"][0]
    assert found["scope"] == "marketplace"
    document = found["document"]
    assert document["line_routes"] == [
        {
            "id": "route-1",
            "when": {"field": "product.hazard", "op": "exists", "value": True},
            "kinds": ["warehouse"],
            "capabilities": ["hazard", "cold"],
            "apart": True,
        }
    ]
    first, last = document["strategies"]
    assert first["when"] == {
        "any": [
            {"channel": ["store", "phone"]},
            {"field": "order.value", "op": "gte", "value": 125050},
        ]
    }
    assert first["nodes"] == ["RENO", "COLUMBUS"]
    assert first["filters"][1]["any"][0] == {"field": "node.kind", "op": "ne", "value": "store"}
    assert first["split"]["least_package_value"] == 1500
    assert (first["respect_capacity"], first["on_partial"], first["on_none"]) == (False, "wait", "cancel")
    assert first["fallback"] == {"relax": [["capacity"]], "then": "queue"}
    assert last["objective"] == {
        "mode": "cost",
        "terms": [{"term": "shipping"}, {"term": "distance", "weight": 5.5}],
    }
    assert document["reroute"]["reasons"] == {"damaged": {"stock": "hold", "exclude": "sku"}}
    assert document["release"] == {"mode": "window", "minutes": 45, "express": ["overnight", "two-day"]}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"r0-w0-choice": ""}, "Say which lines."),
        ({"r0-kinds": [], "r0-capabilities": "", "r0-apart": ""}, "Say where these lines go"),
        ({"r0-kinds": ["boat"]}, "is not possible here"),
        ({"0-w0-value": "much"}, "Must be a number"),
        ({"0-value": "much"}, "Enter an amount such as 15.00"),
        ({"1-t1-figure": ""}, "Is missing: add minor units for each mile."),
        ({"reroute-cycles": "99"}, "from 0 to 20"),
        ({"release-minutes": "no"}, "from 1 to 1,440"),
        ({"allotment": ["a0"], "a0-channel": "web", "a0-share": "10"}, "keep them in the rules of the scope"),
        (
            {"scope": "default", "allotment": ["a0"], "a0-channel": "web", "a0-share": "0"},
            "above 0 to 100",
        ),
    ],
)
def test_what_is_wrong_in_any_section_is_told(desk: Desk, merchant: Merchant, fields: dict, said: str):
    answer = desk.post(EDIT, EDIT, **whole(**fields))
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert versions(merchant) == [(1, "active")]


def test_routes_and_shares_are_added_moved_and_taken_away(desk: Desk):
    page = desk.post(EDIT, EDIT, **whole(action="add-route")).text
    assert 'data-open="p-r1-when"' in page
    assert len(re.findall(r'name="route"', page)) == 2
    page = desk.post(EDIT, EDIT, **whole(action="remove-r0")).text
    assert 'name="route"' not in page
    shares = {
        "allotment": ["a0", "a1"],
        "a0-channel": "web",
        "a0-share": "10",
        "a1-channel": "phone",
        "a1-share": "5",
    }
    page = desk.post(EDIT, EDIT, **whole(action="remove-a0", **shares)).text
    assert re.findall(r'name="a\d-share" value="(\d+)"', page) == ["5"]
    page = desk.post(EDIT, EDIT, **whole(action="add-allotment")).text
    assert 'data-open="p-a0-share"' in page


def test_looking_shows_the_sentences_and_the_trial_anew_and_saves_nothing(desk: Desk, merchant: Merchant):
    shop(merchant)
    fields = {"try-lines": "LAMP", "try-zip": "83702", "try-channel": "web"}
    page = desk.post(EDIT, EDIT, **whole(action="look", **fields))
    assert page.status_code == 200
    assert "Gather orders for 45 minutes" in words(page.text)
    assert "Ships from Miami because" in words(page.text) or "Ships from Boise store" in words(page.text)
    chosen = desk.post(EDIT, EDIT, **two_rules(action="look", **{"1-objective": "lexicographic"}))
    assert "choose the fewest packages, then the least distance" in words(chosen.text)
    assert versions(merchant) == [(1, "active")]


def test_a_channel_has_its_own_rules_until_it_gives_them_up(desk: Desk, merchant: Merchant):
    desk.post(EDIT, EDIT, **whole())
    page = desk.read("/routing?version=2")
    assert "For orders of Marketplace" in words(page)
    assert desk.post("/routing/versions/2/activation", "/routing?version=2", replaces="").status_code == 303
    assert versions(merchant) == [(2, "active"), (1, "active")]
    page = words(desk.read("/routing"))
    assert "All channels" in page
    assert "Give up" in words(desk.read("/routing?scope=marketplace"))
    given_up = desk.post("/routing/versions/2/retirement", "/routing?scope=marketplace")
    assert given_up.status_code == 303
    assert versions(merchant) == [(2, "retired"), (1, "active")]
    again = desk.post("/routing/versions/2/retirement", "/routing")
    assert again.status_code == 409
    assert "nothing to give up" in again.text


def test_publishing_asks_first_and_shows_what_changes(desk: Desk):
    desk.post(EDIT, EDIT, **two_rules())
    page = words(desk.read("/routing?version=2"))
    assert "Publish v2? New orders are routed by it at once. v1 is retired" in page
    assert "Publish v2?" in words(desk.read("/routing/versions"))


NAMES = sorted(
    {
        "name",
        "scope",
        "rule",
        "route",
        "allotment",
        *(key for key in whole() if key not in ("action", "note", "source")),
        *(f"a0-{key}" for key in ("channel", "share", "borrow")),
        *(f"r0-{key}" for key in ("when", "w0-value", "nodes", "together", "match")),
        *(f"0-{key}" for key in ("when", "0-kept", "0-gone", "complete", "kill", "t0-term", "t0-figure")),
    }
)
WORDS = """0 r0 a0 1 1e999 nan sNaN 5,,1 % $ cost score any order.value|gte node.kind|in lane.zone|between
    time.date|in x|y lane.same_region|yes | {"all":[ {"not":3} {"field":"node.kind"} null shipping store"""
TYPED = st.sampled_from([*WORDS.split(), "", "1 to 5", "9" * 400, "[" * 5000]) | st.text(max_size=8)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), TYPED), max_size=40))
def test_any_form_is_read_and_its_faults_are_told(pairs: list[tuple[str, str]]):
    given = sent.read(MultiDict([("rule", "0"), ("rule", "1"), *pairs]))
    document = sent.document(given, "USD")
    errors = validate(document)
    told = faults(errors, len(given.rules))
    assert len(told) == len(errors)
    assert all(fault.words for fault in told)
    if not errors:
        again = sent.document(entry_of(document, "USD"), "USD")
        assert kept(again) == kept(document)


def test_only_what_means_the_same_is_shown_as_choices():
    unknown = {"field": "customer.is_business", "op": "ne", "value": True}
    assert typed(unknown, "USD") is None
    assert typed(unknown | {"op": "eq"}, "USD") == Comparison(choice="customer.is_business|yes")
    assert typed(unknown | {"field": "node.open_today"}, "USD") == Comparison(choice="node.open_today|no")
    fee = {"field": "node.handling_per_package", "op": "between"}
    assert typed(fee | {"value": [1.5, 5]}, "USD") is None
    assert typed(fee | {"value": [100.0, 550]}, "USD") == Comparison(
        choice="node.handling_per_package|between", value="1.00, 5.50"
    )


def test_amounts_and_ranges_are_read_as_people_type_them():
    assert amount("$1,250.50", "USD") == 125050
    assert amount("1,50", "USD") == "1,50"
    assert number("2,5") == "2,5"
    assert amount("1e999999999", "USD") == "1e999999999"
    assert amount("0.055", "USD") == "0.055"
    assert amount("0.055", "USD", whole=False) == 5.5
    assert predicate(Comparison(choice="node.priority|between", value="1 to 20"), "USD")["value"] == [1, 20]
    assert predicate(Comparison(choice="node.kind|in", value="Stores, vendor"), "USD")["value"] == [
        "store",
        "vendor",
    ]
    assert predicate(Comparison(choice="line.kind|in", value="gift card digital"), "USD")["value"] == [
        "gift_card_digital"
    ]


@pytest.mark.parametrize("offered", [choices.of_orders(), choices.of_nodes(), choices.of_lines(ON_LINES)])
def test_no_two_choices_of_a_comparison_read_alike(offered: dict[str, str]):
    alike = [words for words in offered.values() if list(offered.values()).count(words) > 1]
    assert alike == []
