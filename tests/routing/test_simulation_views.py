"""What-if in the portal: choose, run with progress, compare, guard-rails."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.routing.compared import waterfall
from app.routing.documents import default_document
from tests.factories import Merchant
from tests.portal import Desk, member
from tests.routing.test_simulation_api import NEAREST, past, write  # noqa: F401

LIST = "/routing/what-if"


@pytest.fixture
def desk(app: Flask, past: Merchant) -> Desk:  # noqa: F811
    return member(app, past.tenant_id)


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_from_the_rules_to_what_would_have_been(desk: Desk, past: Merchant) -> None:  # noqa: F811
    assert "There is only one version, so there is nothing to compare it with." in words(desk.read(LIST))
    version = write(past, NEAREST)
    rules = desk.read(f"/routing?version={version}")
    assert f"{LIST}?version={version}" in rules
    assert "every 2s" not in desk.read(LIST)
    form = desk.read(f"{LIST}?version={version}")
    assert f'<option value="{version}" selected>' in form
    started = desk.post(LIST, LIST, version=str(version), against="", weeks="1")
    assert started.status_code == 303, started.text
    waiting = desk.read(started.location)
    assert 'hx-trigger="every 1s"' in waiting
    assert "0 of 3 orders" in words(waiting)
    assert "0 of 3" in words(desk.read(LIST))
    past.drain()
    page = desk.read(started.location)
    assert "hx-trigger" not in page
    told = words(page)
    assert "What if v2 decided, instead of v1" in told
    assert "3 orders" in told
    assert re.search(r"Packages 4 5 \+1 \(\+25\.0%\) worse", told), told
    assert re.search(r"Split orders 1 2 \+1 \(\+100\.0%\) worse", told), told
    assert re.search(r"Lost units .* 0 0 the same", told), told
    assert "Split orders: 2 instead of 1, at most 10% more." in told
    assert "Orders that go otherwise 3 of 3" in told
    assert re.search(r"Split orders 2 instead of 1, \+100\.0%; may grow by 10% Failed", told), told
    assert re.search(r"Lost units 0 instead of 0; may grow by 1% Passed", told), told
    assert "Late orders not watched" in told
    rows = list(csv.DictReader(io.StringIO(desk.read(f"{started.location}/changes.csv"))))
    assert sorted(row["order"] for row in rows) == sorted(
        o["number"] for o in past.ok("GET", "/orders")["data"]
    )
    assert all(row["before_sentence"] != row["after_sentence"] for row in rows)
    assert all(re.fullmatch(r"\d+\.\d\d", row["after_cost"]) for row in rows)
    for order in past.ok("GET", "/orders")["data"]:
        assert f"/orders/{order['id']}" in page
    listed = words(desk.read(LIST))
    assert f"v{version} against v1" in listed
    assert "Done" in listed


def test_activation_past_guard_rails_asks_for_a_reason(desk: Desk, past: Merchant) -> None:  # noqa: F811
    version = write(past, NEAREST)
    set_ = desk.post("/routing/guard-rails", LIST, split_orders_percent="10 %", cost_percent="", block="1")
    assert set_.status_code == 303
    rails = past.ok("GET", "/routing/guard-rails")
    assert (rails["split_orders_percent"], rails["cost_percent"], rails["block"]) == (10, None, True)
    untried = desk.post("/routing/versions/2/activation", "/routing?version=2", replaces="1")
    assert untried.status_code == 409
    assert 'href="/routing/what-if?version=2"' in untried.text
    where = desk.post(LIST, LIST, version=str(version), weeks="1").location
    past.drain()
    assert "Publish v2 all the same" in desk.read(where)
    refused = desk.post(f"{where}/activation", where, replaces="1", reason="")
    assert refused.status_code == 409
    assert "split orders 2 instead of 1" in words(refused.text)
    assert "`override`" not in refused.text
    on_rules = desk.post("/routing/versions/2/activation", "/routing?version=2", replaces="1")
    assert on_rules.status_code == 409
    assert "split orders 2 instead of 1, at most 10% more. You may publish" in words(on_rules.text)
    assert f'href="{where}"' in on_rules.text
    assert "`override`" not in on_rules.text
    assert "Replace v1 with v2" not in on_rules.text
    done = desk.post(f"{where}/activation", where, replaces="1", reason="Stores are full")
    assert done.status_code == 303
    assert past.ok("GET", "/routing/rules")["data"][0]["state"] == "active"


def test_stopping(desk: Desk, past: Merchant) -> None:  # noqa: F811
    version = write(past, NEAREST)
    where = desk.post(LIST, LIST, version=str(version), weeks="1").location
    again = desk.post(LIST, LIST, version=str(version), weeks="1")
    assert again.status_code == 422
    assert "is not through yet" in words(again.text)
    assert desk.post(f"{where}/cancellation", where).status_code == 303
    past.drain()
    assert "It was stopped." in words(desk.read(where))


def test_what_cannot_be_asked(desk: Desk, app: Flask, past: Merchant) -> None:  # noqa: F811
    assert desk.post(LIST, LIST, version="", weeks="1").status_code == 422
    assert desk.post(LIST, LIST, version="1", weeks="3").status_code == 422
    itself = desk.post(LIST, LIST, version="1", against="1", weeks="1")
    assert (itself.status_code, "another one" in itself.text) == (422, True)
    bad = desk.post("/routing/guard-rails", LIST, cost_percent="-3")
    assert (bad.status_code, "from 0 to 1000" in bad.text) == (422, True)
    assert past.ok("GET", "/routing/guard-rails")["cost_percent"] == 5
    reader = member(app, past.tenant_id, "analyst")
    assert "Compare on past orders" in words(desk.read(LIST))
    assert "Compare on past orders" not in words(reader.read(LIST))
    assert past.ok("GET", "/routing/simulations")["data"] == []


def test_the_same_rules_change_nothing(desk: Desk, past: Merchant) -> None:  # noqa: F811
    version = write(past, default_document())
    where = desk.post(LIST, LIST, version=str(version), weeks="1").location
    past.drain()
    told = words(desk.read(where))
    assert "Every order goes the same way" in told
    assert "All guard-rails hold." in told


def test_a_stranger_sees_nothing(app: Flask, desk: Desk, past: Merchant) -> None:  # noqa: F811
    client: FlaskClient = app.test_client()
    assert client.get(LIST).status_code in (302, 303)


def figures(cost: float, handling: float, filled: int) -> dict[str, float]:
    return {"cost": cost, "handling": handling, "filled_units": filled}


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ((1000, 300, 10), (900, 350, 10), [("Shipping", -150), ("Handling", 50), ("Together", -100)]),
        (
            (1000, 300, 10),
            (1000, 300, 20),
            [("More units filled", 1000), ("Shipping", -700), ("Handling", -300), ("Together", 0)],
        ),
        ((0, 0, 0), (500, 100, 5), [("Shipping", 400), ("Handling", 100), ("Together", 500)]),
        ((700, 70, 7), (700, 70, 7), [("Together", 0)]),
    ],
)
def test_the_parts_of_a_difference_add_up(before: tuple, after: tuple, parts: list) -> None:
    steps = waterfall(figures(*before), figures(*after))
    assert [(step.label, step.amount) for step in steps] == parts
    assert sum(step.amount for step in steps[:-1]) == steps[-1].amount
    assert all(step.left >= 0 and step.left + step.width <= 100.1 for step in steps)


def test_a_difference_that_was_not_kept_apart_has_no_parts() -> None:
    assert waterfall({"cost": 1, "filled_units": 1}, figures(1, 1, 1)) == []
