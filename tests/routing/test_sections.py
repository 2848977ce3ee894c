"""The whole document: every section's errors by pointer with their remedy, what parsing gives, and its speed."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing.documents import parse, sentences, validate
from app.routing.policy import (
    Allotment,
    Fallback,
    LineRoute,
    Objective,
    Reason,
    Release,
    Reroute,
    Split,
    Term,
)
from app.routing.schemas import EXAMPLE

WHOLE: dict[str, Any] = {
    "name": "Whole",
    "scope": "default",
    "line_routes": [
        {
            "id": "hazard",
            "when": {"field": "product.hazard", "op": "exists", "value": True},
            "kinds": ["warehouse"],
            "nodes": ["RENO"],
            "capabilities": ["hazard"],
            "apart": True,
            "together": True,
        }
    ],
    "strategies": [
        {
            "id": "big",
            "when": {"field": "order.value", "op": "gt", "value": 25000},
            "nodes": ["RENO", "COLUMBUS"],
            "filters": [
                {"id": "near", "field": "lane.distance_miles", "op": "lte", "value": 800},
                {
                    "id": "keep",
                    "any": [
                        {"field": "node.kind", "op": "ne", "value": "store"},
                        {"field": "stock.left_after", "op": "gte", "value": 2},
                    ],
                },
                {"id": "cleared", "field": "node.capabilities", "op": "has_all", "ref": "lines.hazards"},
            ],
            "objective": {
                "mode": "lexicographic",
                "terms": [{"term": "packages"}, {"term": "distance", "tolerance": 0.05}],
            },
            "split": {
                "max_packages": 2,
                "least_package_value": 1500,
                "lines": False,
                "ship_complete": False,
                "fill_or_kill": False,
            },
            "respect_capacity": False,
            "on_partial": "wait",
            "on_none": "queue",
            "fallback": {"relax": [["near"], ["keep", "max_packages"]], "then": "cancel"},
        },
        {
            "id": "rest",
            "objective": {
                "mode": "cost",
                "terms": [{"term": "shipping"}, {"term": "distance", "weight": 5.5}],
            },
        },
    ],
    "reroute": {
        "most_cycles": 2,
        "cool_down_minutes": 90,
        "then": "backorder",
        "reasons": {"damaged": {"stock": "hold", "exclude": "sku"}},
    },
    "release": {"mode": "window", "minutes": 120, "express": ["overnight"]},
    "allotments": [{"channel": "marketplace", "share_percent": 12.5, "borrow": True}],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The document with one place changed, or removed where the value is ..."""
    document = copy.deepcopy(WHOLE)
    *steps, last = [int(step) if step.isdigit() else step for step in path.strip("/").split("/")]
    at: Any = document
    for step in steps:
        at = at[step]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return document


def test_the_whole_document_is_read_as_the_policy_says() -> None:
    assert validate(WHOLE) == []
    rule = parse(WHOLE)
    big, rest = rule.strategies
    assert (big.nodes, big.respect_capacity, big.on_partial, big.on_none) == (
        ("RENO", "COLUMBUS"),
        False,
        "wait",
        "queue",
    )
    assert big.objective == Objective("lexicographic", (Term("packages"), Term("distance", tolerance=0.05)))
    assert big.split == Split(2, 1500, lines=False)
    assert big.fallback == Fallback((("near",), ("keep", "max_packages")), "cancel")
    assert big.filters[1].parts[1].field == "stock.left_after"
    assert big.filters[2].ref == "lines.hazards"
    assert rest.objective == Objective("cost", (Term("shipping"), Term("distance", 5.5)))
    route = LineRoute(
        "hazard", rule.line_routes[0].when, ("warehouse",), ("RENO",), ("hazard",), apart=True, together=True
    )
    assert rule.line_routes == (route,)
    assert rule.reroute == Reroute(2, 90, "backorder", {"damaged": Reason("hold", "sku")})
    assert rule.release == Release("window", 120, ("overnight",))
    assert rule.allotments == (Allotment("marketplace", 12.5, borrow=True),)


def test_weights_of_a_score_become_shares() -> None:
    terms = [{"term": "shipping", "weight": 3}, {"term": "distance", "weight": 1}]
    rule = parse(changed("/strategies/1/objective", {"mode": "score", "terms": terms}))
    assert rule.strategies[1].objective.terms == (Term("shipping", 0.75), Term("distance", 0.25))


def test_the_whole_document_reads_as_sentences() -> None:
    assert sentences(WHOLE) == [
        "Lines of which the hazard is known go only to warehouses, go only to RENO, need a place cleared for hazard,"
        " ship in packages of their own and come from one place or wait.",
        "When the order's value is more than $250.00: use only RENO and COLUMBUS, use only places within 800"
        " miles, stores only keeping at least 2 units on the shelf, use only places where its capabilities include"
        " the hazards of its items, choose the fewest packages, then the least distance (give or take 5%), in at"
        " most two packages, every package of a divided order worth at least $15.00, each line whole from one"
        " place, even beyond what a place can do in a day; hold the order until all of it is there; if something"
        " is missing, give up “within 800 miles”, then “stores only keeping at least 2 units on the shelf” and"
        " the limit on packages, and what is still missing is canceled; an order of which nothing is there goes"
        " to a person.",
        "For everything else: choose the lowest cost of shipping and distance at $0.055 each; what is missing waits"
        " for stock.",
        "Keep 12.5% of all stock for marketplace; others may take it when theirs is gone.",
        "When a place rejects work, try elsewhere twice, then wait for stock; it gets no more of that item for 90"
        " minutes; if it is damaged, hold the stock and leave out that item there.",
        "Gather orders for two hours and plan them together; overnight orders do not wait.",
    ]
    assert "¥25,000" in sentences(WHOLE, "JPY")[1]


@pytest.mark.parametrize(
    ("path", "value", "pointer", "message"),
    [
        ("/scope", 7, "/scope", "must be a text"),
        ("/scope", "marketplace", "/allotments", "keep them in the rules of the scope 'default'"),
        ("/line_routes", {}, "/line_routes", "must be a list"),
        ("/line_routes", [{}] * 21, "/line_routes", "0 to 20 entries, not 21"),
        ("/line_routes/0", [], "/line_routes/0", "must be an object"),
        ("/line_routes/0/when", ..., "/line_routes/0/when", "is missing"),
        ("/line_routes/0/when/field", "node.kind", "/line_routes/0/when/field", "'product.hazard'"),
        ("/line_routes/0/id", "Hazard", "/line_routes/0/id", "small letters"),
        ("/line_routes/0/kinds", ["boat"], "/line_routes/0/kinds/0", "'warehouse', 'store'"),
        ("/line_routes/0/kinds", ["store", "store"], "/line_routes/0/kinds/1", "is listed above"),
        ("/line_routes/0/nodes", [7], "/line_routes/0/nodes/0", "must be a text"),
        ("/line_routes/0/capabilities", "hazard", "/line_routes/0/capabilities", "must be a list"),
        ("/line_routes/0/apart", 1, "/line_routes/0/apart", "true or false"),
        ("/line_routes/0/alone", True, "/line_routes/0/alone", "is not known here"),
        (
            "/line_routes/0",
            {"id": "x", "when": {"channel": ["web"]}},
            "/line_routes/0",
            "changes nothing for its lines",
        ),
        ("/strategies/0/nodes", "RENO", "/strategies/0/nodes", "must be a list"),
        ("/strategies/0/filters/1/any", [], "/strategies/0/filters/1/any", "1 to 200 entries"),
        ("/strategies/0/filters/1/any/0", {}, "/strategies/0/filters/1/any/0", "exactly one of 'all', 'any'"),
        (
            "/strategies/0/filters/1/any/0/field",
            "order.units",
            "/strategies/0/filters/1/any/0/field",
            "'node.kind'",
        ),
        ("/strategies/0/filters/1/id", ..., "/strategies/0/filters/1/id", "is missing"),
        ("/strategies/0/filters/2/ref", "node.kind", "/strategies/0/filters/2/ref", "'lines.hazards'"),
        (
            "/strategies/0/filters/2/value",
            ["x"],
            "/strategies/0/filters/2/ref",
            "stands beside a value: remove one",
        ),
        ("/strategies/0/filters/2/op", "exists", "/strategies/0/filters/2/op", "use one of 'eq', 'ne'"),
        (
            "/strategies/0/filters/0/value",
            ...,
            "/strategies/0/filters/0/value",
            "or a 'ref' to another field",
        ),
        ("/strategies/0/when/ref", "order.units", "/strategies/0/when/ref", "stands beside a value"),
        (
            "/strategies/0/when",
            {"field": "time.hour_local", "op": "gt", "ref": "order.units"},
            "/strategies/0/when/ref",
            "nothing can be compared with this field",
        ),
        ("/strategies/0/when/value", -1, "/strategies/0/when/value", "must be a number from 0"),
        ("/strategies/0/objective", 7, "/strategies/0/objective", "or an object with 'mode'"),
        ("/strategies/0/objective/mode", "best", "/strategies/0/objective/mode", "'cost', 'lexicographic'"),
        ("/strategies/0/objective/terms", ..., "/strategies/0/objective/terms", "is missing"),
        ("/strategies/0/objective/terms", [], "/strategies/0/objective/terms", "1 to 15 entries"),
        ("/strategies/0/objective/terms/0", 7, "/strategies/0/objective/terms/0", "must be an object"),
        (
            "/strategies/0/objective/terms/0/term",
            "stock_price",
            "/strategies/0/objective/terms/0/term",
            "'shipping', 'handling'",
        ),
        (
            "/strategies/0/objective/terms/0/term",
            "distance",
            "/strategies/0/objective/terms/1/term",
            "is used above",
        ),
        (
            "/strategies/0/objective/terms/1/tolerance",
            11,
            "/strategies/0/objective/terms/1/tolerance",
            "0 to 10",
        ),
        ("/strategies/0/objective/terms/0/weight", 1, "/strategies/0/objective/terms/0/weight", "not known"),
        (
            "/strategies/1/objective/terms/1/weight",
            ...,
            "/strategies/1/objective/terms/1/weight",
            "add minor units for each mile",
        ),
        ("/strategies/1/objective/terms/1/weight", 0, "/strategies/1/objective/terms/1/weight", "above 0"),
        ("/strategies/1/objective/mode", "score", "/strategies/1/objective/terms/0/weight", "its weight"),
        (
            "/strategies/0/split/least_package_value",
            -5,
            "/strategies/0/split/least_package_value",
            "whole number",
        ),
        ("/strategies/0/split/lines", "no", "/strategies/0/split/lines", "true or false"),
        ("/strategies/0/split/fill_or_kill", None, "/strategies/0/split/fill_or_kill", "true or false"),
        ("/strategies/0/respect_capacity", "no", "/strategies/0/respect_capacity", "true or false"),
        ("/strategies/0/on_partial", "stop", "/strategies/0/on_partial", "'ship', 'wait'"),
        ("/strategies/0/on_none", "stop", "/strategies/0/on_none", "'backorder', 'queue', 'cancel'"),
        ("/strategies/0/fallback", [], "/strategies/0/fallback", "must be an object"),
        ("/strategies/0/fallback/then", "pray", "/strategies/0/fallback/then", "'backorder', 'queue'"),
        ("/strategies/0/fallback/relax", [["far"]], "/strategies/0/fallback/relax/0/0", "'max_packages'"),
        ("/strategies/0/fallback/relax", [["far"]], "/strategies/0/fallback/relax/0/0", "'near', 'keep'"),
        ("/strategies/0/fallback/relax", [[]], "/strategies/0/fallback/relax/0", "1 to 20 entries"),
        ("/strategies/0/fallback/relax", [["near"]] * 11, "/strategies/0/fallback/relax", "0 to 10"),
        ("/reroute", None, "/reroute", "must be an object, not null"),
        ("/reroute/most_cycles", 21, "/reroute/most_cycles", "from 0 to 20"),
        ("/reroute/cool_down_minutes", 1.5, "/reroute/cool_down_minutes", "whole number from 0 to 43,200"),
        ("/reroute/then", "ship", "/reroute/then", "'queue'"),
        ("/reroute/reasons/bored", {}, "/reroute/reasons/bored", "is not known here"),
        ("/reroute/reasons/damaged/stock", ..., "/reroute/reasons/damaged/stock", "is missing"),
        ("/reroute/reasons/damaged/exclude", "all", "/reroute/reasons/damaged/exclude", "'node', 'sku'"),
        ("/release/mode", "later", "/release/mode", "'at_once', 'window'"),
        ("/release/minutes", 0, "/release/minutes", "from 1 to 1,440"),
        ("/release/express", "overnight", "/release/express", "must be a list"),
        ("/allotments", {}, "/allotments", "must be a list"),
        ("/allotments/0/channel", ..., "/allotments/0/channel", "is missing"),
        ("/allotments/0/share_percent", 0, "/allotments/0/share_percent", "above 0 to 100"),
        ("/allotments/0/share_percent", float("inf"), "/allotments/0/share_percent", "above 0 to 100"),
        ("/allotments/0/borrow", 0, "/allotments/0/borrow", "true or false"),
        (
            "/allotments",
            [{"channel": "a", "share_percent": 60}, {"channel": "b", "share_percent": 60}],
            "/allotments",
            "at most 100",
        ),
        (
            "/allotments",
            [{"channel": "a", "share_percent": 1}, {"channel": "a", "share_percent": 1}],
            "/allotments/1/channel",
            "has a share above",
        ),
    ],
)
def test_each_error_has_its_place_and_its_remedy(path: str, value: Any, pointer: str, message: str) -> None:
    errors = validate(changed(path, value))
    assert any(error["pointer"] == pointer and message in error["message"] for error in errors), errors


def test_the_documented_example_is_valid() -> None:
    assert validate(EXAMPLE) == []


def hostile() -> list[dict[str, Any]]:
    """Documents of about a megabyte, each expensive in its own way."""
    filters = [
        {"id": f"f{at}", "field": "node.code", "op": "in", "value": ["abcd"] * 499 + [at]} for at in range(20)
    ]
    fine = [{"id": f"f{at}", "field": "node.code", "op": "in", "value": ["abcd"] * 500} for at in range(20)]
    numbers = [{"id": "n", "field": "node.priority", "op": "in", "value": [1.5] * 499 + ["x"]}] * 20
    deep: Any = {"channel": ["web"]}
    for _ in range(400):
        deep = {"any": [deep] * 2}
    return [
        {"name": "n", "strategies": [{"id": "s", "filters": filters}] * 20},
        {"name": "n", "strategies": [{"id": "s", "filters": fine}] * 20},
        {"name": "n", "strategies": [{"id": "s", "filters": numbers}] * 20},
        {"name": "n", "strategies": [{"id": "s", "when": deep}] * 20},
        {"name": "n", "strategies": [{"id": "s", "nodes": ["a"] * 500}] * 20, "line_routes": [{}] * 20},
        {"name": "x" * 1_000_000, "strategies": []},
        {str(at): at for at in range(80_000)},
        {"name": "n", "strategies": [{str(at): at for at in range(4_000)}] * 20},
        {"name": "n", "strategies": [{"id": "s", "fallback": {"relax": [["x" * 1_000] * 20] * 10}}] * 20},
        {
            "name": "n",
            "strategies": [{"id": "s"}],
            "reroute": {"reasons": {str(a): a for a in range(80_000)}},
        },
        {"name": "n", "strategies": [{"id": "s", "objective": "y" * 1_000_000}]},
    ]


@pytest.mark.parametrize("at", range(len(hostile())))
def test_a_hostile_megabyte_is_answered_at_once(at: int) -> None:
    document = hostile()[at]
    taken = []
    for _ in range(3):
        started = time.thread_time()
        errors = validate(document)
        taken.append(time.thread_time() - started)
    assert min(taken) < 0.1
    assert len(json.dumps(errors)) < 100_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def paths(value: Any, path: str = "") -> list[str]:
    """Every place of a document."""
    below: list[str] = []
    if isinstance(value, dict):
        below = [one for key, each in value.items() for one in paths(each, f"{path}/{key}")]
    elif isinstance(value, list):
        below = [one for at, each in enumerate(value) for one in paths(each, f"{path}/{at}")]
    return ([path] if path else []) + below


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(paths(WHOLE)), JSON)
def test_any_document_is_answered_and_what_is_valid_reads(path: str, value: Any) -> None:
    document = changed(path, value)
    errors = validate(document)
    for error in errors:
        assert error["message"]
        assert error["pointer"] == "" or error["pointer"].startswith("/")
    if not errors:
        assert all(said.endswith(".") for said in sentences(document))
